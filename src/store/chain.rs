//! The chain of runs: each run's hash covers the hash before it, so no recorded run can be changed, removed or put
//! in later without all that follow giving it away.
//!
//! `chain_sha256 = SHA-256(previous chain_sha256 ‖ record)`, both as text; the first run of a pipeline has the empty
//! text before it. The record is the JSON of [`Record`]: its fields in this order, no spaces.

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::audit::{Artifact, Run};

use super::file::hex;

/// What the chain vouches for. The stored audit is among the artifacts, so its hash vouches for every result.
#[derive(Serialize)]
pub(super) struct Record<'a> {
    /// Of the record's layout.
    pub version: u32,
    /// With the status it was recorded with; being superseded or pruned later is no change of the record.
    pub run: &'a Run,
    pub supersedes: Option<&'a str>,
    pub error: Option<&'a str>,
    pub artifacts: &'a [&'a Artifact],
}

pub(super) const RECORD_VERSION: u32 = 1;

pub(super) fn link(previous: Option<&str>, record: &Record<'_>) -> Result<String, serde_json::Error> {
    let mut hasher = Sha256::new();
    hasher.update(previous.unwrap_or(""));
    hasher.update(serde_json::to_vec(record)?);
    Ok(hex(&hasher.finalize()))
}
