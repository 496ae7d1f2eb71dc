//! The chain of runs: each run's hash covers the hash before it, so no recorded run can be changed, removed or put
//! in later without all that follow giving it away.
//!
//! `chain_sha256 = SHA-256(previous chain_sha256 ‖ record)`, both as text; the first run of a pipeline has the empty
//! text before it. The record is the JSON of [`Record`]: its fields in this order, no spaces.

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::audit::Artifact;

use super::file::hex;

/// What the chain vouches for: all rows that the catalogue holds of the run, the hashes of its files among them.
#[derive(Debug, Serialize)]
pub(super) struct Record<'a> {
    /// Of the record's layout.
    version: u32,
    run_id: &'a str,
    /// In order of their names.
    tables: &'a [TableDigest],
}

/// The rows of one run in one table.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(super) struct TableDigest {
    pub table: String,
    pub n_rows: u64,
    pub sha256: String,
}

impl<'a> Record<'a> {
    pub(super) fn new(run_id: &'a str, tables: &'a [TableDigest]) -> Self {
        Self { version: 2, run_id, tables }
    }
}

/// The record of runs from before rows had digests (catalogues up to version 1): the run and its files.
#[derive(Debug, Serialize)]
pub(super) struct EarlyRecord<'a> {
    version: u32,
    run: &'a EarlyRun,
    supersedes: Option<&'a str>,
    error: Option<&'a str>,
    artifacts: &'a [Artifact],
}

/// `runs` as the early record wrote it.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct EarlyRun {
    pub run_id: String,
    pub pipeline: String,
    pub as_of: String,
    pub started_at: String,
    /// Empty for runs that were killed.
    pub finished_at: String,
    /// As it was recorded.
    pub status: String,
    pub verdict: String,
    pub tool_version: String,
    pub config_sha256: String,
    pub model_sha256: String,
    pub data_sha256: String,
    pub prev_run_id: Option<String>,
    pub seed: u64,
    pub n_rows: u64,
    pub explain_method: String,
    pub explain_scale: String,
}

impl<'a> EarlyRecord<'a> {
    pub(super) fn new(
        run: &'a EarlyRun,
        supersedes: Option<&'a str>,
        error: Option<&'a str>,
        artifacts: &'a [Artifact],
    ) -> Self {
        Self { version: 1, run, supersedes, error, artifacts }
    }
}

pub(super) fn link(previous: Option<&str>, record: &impl Serialize) -> Result<String, serde_json::Error> {
    let mut hasher = Sha256::new();
    hasher.update(previous.unwrap_or(""));
    hasher.update(serde_json::to_vec(record)?);
    Ok(hex(&hasher.finalize()))
}
