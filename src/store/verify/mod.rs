//! Whether the history is what was recorded: every file, every row, every link of the chain.
//!
//! `snapshot` reads the catalogue in one transaction, `history` checks rows and chain, `files` hashes what is stored,
//! `foreign` finds what nobody stored. Nothing is written. What is wrong is listed, one [`Problem`] each, never mended.

mod files;
mod foreign;
mod history;
mod snapshot;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

use serde::Serialize;

use super::catalogue::runs::RunSummary;
use super::{Store, StoreError};
use foreign::Listing;
use snapshot::Snapshot;

/// What was checked, and what is wrong with it.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Verification {
    pub n_runs: usize,
    /// Files hashed, and their bytes.
    pub n_files: usize,
    pub n_bytes: u64,
    pub problems: Vec<Problem>,
    /// What is worth knowing and not wrong: runs in progress, leftovers that the next run cleans.
    pub notes: Vec<String>,
}

/// One thing that is not as it was recorded.
#[derive(Debug, Clone, Serialize)]
pub struct Problem {
    pub kind: ProblemKind,
    pub run_id: Option<String>,
    pub pipeline: Option<String>,
    /// Of the catalogue.
    pub table: Option<String>,
    pub path: Option<PathBuf>,
    pub message: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ProblemKind {
    /// SQLite itself finds the catalogue's file damaged.
    CatalogueDamaged,
    /// Rows of a run in a table of the catalogue are not those recorded.
    RowsAltered,
    /// A run's hash does not follow from its record and the hash before.
    ChainBroken,
    /// A number was given to a run that is not there.
    RunRemoved,
    /// A run's status contradicts what else is recorded.
    StatusAltered,
    MissingFile,
    AlteredFile,
    /// The file is there and cannot be read.
    UnreadableFile,
    /// A Parquet file says that it belongs elsewhere or holds other rows.
    WrongMetadata,
    /// Written by a newer probity.
    NewerVersion,
    /// A file among the results that no run recorded.
    ForeignFile,
}

impl Verification {
    pub fn is_clean(&self) -> bool {
        self.problems.is_empty()
    }
}

impl Problem {
    fn of_catalogue(kind: ProblemKind, message: String) -> Self {
        Self { kind, run_id: None, pipeline: None, table: None, path: None, message }
    }
}

impl Store {
    /// Checks the whole history, or one run with its files and its place in the chain.
    pub fn verify(&self, run: Option<&RunSummary>) -> Result<Verification, StoreError> {
        // Files first: what a run adds meanwhile is then in the catalogue's snapshot, or marked as in progress.
        let read = Listing::of(self, run).and_then(|listing| {
            let snapshot = Snapshot::read(&self.catalogue, run.map(|run| run.run_id.as_str()))?;
            Ok((listing, snapshot))
        });
        let (listing, snapshot) = match read {
            Err(StoreError::NotACatalogue { reason, .. }) => return Ok(damaged(reason)),
            Err(StoreError::Catalogue { source, .. }) => return Ok(damaged(source.to_string())),
            read => read?,
        };
        let mut found = Verification::default();
        history::check(&snapshot, run, &mut found);
        for run in snapshot.runs.iter().filter(|stored| run.is_none_or(|run| run.run_id == stored.row.run_id)) {
            found.n_runs += 1;
            files::check(run, &mut found);
        }
        listing.check(&snapshot, &mut found);
        Ok(found)
    }
}

fn damaged(reason: String) -> Verification {
    let message = format!("the catalogue cannot be read in full: {reason}");
    let problems = vec![Problem::of_catalogue(ProblemKind::CatalogueDamaged, message)];
    Verification { problems, ..Verification::default() }
}
