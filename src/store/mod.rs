//! The store: what a run found out, kept so that it can be found, compared and proved.
//!
//! Two places belong together. The *results folder* holds files: row-level Parquet ([`PredictionBatch`],
//! [`ExplanationBatch`]), reports, and the whole [`Audit`] as `run.json`. The *catalogue* holds everything small in
//! SQLite and names every file with its hash. A run lives like this:
//!
//! 1. [`Store::lock`]: one run per pipeline. [`Store::find_same`] may say that nothing need be computed.
//! 2. [`Store::begin`] cleans up after runs that were killed, and gives a [`RunWriter`].
//! 3. Rows are written as they come, under temporary names.
//! 4. [`RunWriter::commit`] syncs and renames the files, then records the run in one transaction: what the catalogue
//!    names is there, and what it does not name does not exist. [`RunWriter::fail`] records that there is nothing.
//!
//! Recorded runs form a chain of hashes per pipeline. [`query`] answers SQL over all of it. Async and the crates for
//! Arrow, Parquet, SQLite and SQL stay in this room.

mod catalogue;
mod chain;
#[cfg(test)]
mod crash;
mod digest;
mod error;
mod failure;
mod fault;
mod file;
mod layout;
mod leftovers;
mod lock;
mod ongoing;
pub mod prune;
mod pseudonym;
pub mod query;
mod row_files;
mod rows;
mod run_writer;
#[cfg(test)]
mod tests;
pub mod verify;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::audit::{Artifact, Audit, Distribution, Run, SCHEMA_VERSION, Status};

pub use catalogue::runs::{Inputs, RunFilter, RunSummary};
pub use digest::{sha256_of, sha256_of_files};
pub use error::StoreError;
pub use lock::PipelineLock;
pub use ongoing::Ongoing;
pub use pseudonym::Pseudonyms;
pub use rows::{
    ExplainedOutputs, ExplanationBatch, FeatureValues, InteractionBatch, LabelColumn, LocalFitBatch, MapBatch,
    PredictionBatch, ROWS_SCHEMA_VERSION, number_text,
};
pub use run_writer::{Committed, Recovered, Report, RunWriter};

use catalogue::Catalogue;
use catalogue::insert::{self, RunRow};
use catalogue::runs::status_name;

/// Written into every file and every run.
pub const TOOL_VERSION: &str = env!("CARGO_PKG_VERSION");

/// The history of all pipelines of one catalogue.
#[derive(Debug)]
pub struct Store {
    catalogue: Catalogue,
    /// Where new files go; `None` for reading, where each run says where its files are.
    results: Option<PathBuf>,
    ongoing: Ongoing,
}

/// A file of a run with what the catalogue remembers beside the artifact itself.
#[derive(Debug)]
struct StoredFile {
    artifact: Artifact,
    row_id_type: Option<&'static str>,
    label_type: Option<&'static str>,
}

/// A new run's id: a UUIDv7, so ids sort by time.
pub fn new_run_id() -> String {
    uuid::Uuid::now_v7().to_string()
}

/// The present moment as stored: RFC 3339, UTC, whole seconds.
pub fn now() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Seconds since 1970 of a moment as stored; `None` for what is none.
pub fn unix_seconds(moment: &str) -> Option<i64> {
    moment.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_second)
}

/// A date in its one spelling, `YYYY-MM-DD`.
pub fn checked_date(date: &str) -> Result<String, StoreError> {
    layout::check_date(date).map(|()| date.to_string())
}

impl Store {
    /// Opens for writing; makes catalogue and folders where they are missing. `catalogue` is `sqlite:PATH` or a path.
    pub fn open(catalogue: &str, results: &Path) -> Result<Self, StoreError> {
        let catalogue = Catalogue::open(&layout::catalogue_path(catalogue)?)?;
        fs::create_dir_all(results).map_err(|e| StoreError::io("make the folder", results, e))?;
        let results = results.canonicalize().map_err(|e| StoreError::io("open the folder", results, e))?;
        Ok(Self { catalogue, results: Some(results), ongoing: Ongoing::default() })
    }

    /// Opens an existing catalogue for reading; writes nothing.
    pub fn open_read_only(catalogue: &str) -> Result<Self, StoreError> {
        let catalogue = Catalogue::open_read_only(&layout::catalogue_path(catalogue)?)?;
        Ok(Self { catalogue, results: None, ongoing: Ongoing::default() })
    }

    /// Opens an existing catalogue for changing what is there; starts no runs.
    pub fn open_existing(catalogue: &str) -> Result<Self, StoreError> {
        let path = layout::catalogue_path(catalogue)?;
        if !path.exists() {
            return Err(StoreError::NoCatalogue { path });
        }
        Ok(Self { catalogue: Catalogue::open(&path)?, results: None, ongoing: Ongoing::default() })
    }

    /// The right to run `pipeline`, at once or not at all. Given back when dropped, or by the system when the process
    /// ends.
    pub fn lock(&self, pipeline: &str) -> Result<PipelineLock, StoreError> {
        self.lock_within(pipeline, Duration::ZERO)
    }

    /// Like [`Store::lock`], but waits up to `patience` for another run to finish.
    pub fn lock_within(&self, pipeline: &str, patience: Duration) -> Result<PipelineLock, StoreError> {
        layout::check_pipeline(pipeline)?;
        self.catalogue.require_writing()?;
        PipelineLock::acquire(&self.catalogue.locks_folder(), pipeline, patience).map(PipelineLock::beating)
    }

    /// The run that this store is writing, for whoever may have to stop it.
    pub fn ongoing(&self) -> Ongoing {
        self.ongoing.clone()
    }

    /// A succeeded run of the same computation, if there is one.
    pub fn find_same(&self, inputs: Inputs<'_>) -> Result<Option<RunSummary>, StoreError> {
        self.catalogue.find_same(inputs)
    }

    /// Starts a run of the locked pipeline, after cleaning up what killed runs of it left.
    pub fn begin<'a>(&'a self, lock: &'a PipelineLock, run_id: &str, as_of: &str) -> Result<RunWriter<'a>, StoreError> {
        RunWriter::begin(self, lock, run_id, as_of)
    }

    /// Records a run that broke before or instead of [`Store::begin`]: a row and a `run.json`, no results.
    pub fn record_failed(&self, lock: &PipelineLock, run: &Run, error: &str) -> Result<(), StoreError> {
        failure::record_failed(self, lock.pipeline(), run, error)
    }

    /// Runs, the last recorded first.
    pub fn runs(&self, filter: RunFilter<'_>) -> Result<Vec<RunSummary>, StoreError> {
        self.catalogue.runs(filter)
    }

    /// The run meant by a run id, a unique beginning of one, `PIPELINE@latest` or `PIPELINE@2026-11-21`.
    pub fn run(&self, selector: &str) -> Result<RunSummary, StoreError> {
        self.catalogue.resolve(selector)
    }

    /// What a new run for `as_of` is compared with: the succeeded run of the latest date up to that one, and of that
    /// date the last recorded. `instead_of` is the run that the new one supersedes, which is none to compare with.
    pub fn before(
        &self,
        pipeline: &str,
        as_of: &str,
        instead_of: Option<&str>,
    ) -> Result<Option<RunSummary>, StoreError> {
        self.catalogue.succeeded_before(pipeline, as_of, instead_of)
    }

    /// The run's files, in the order they were recorded.
    pub fn artifacts(&self, run: &RunSummary) -> Result<Vec<Artifact>, StoreError> {
        self.catalogue.artifacts(&run.run_id)
    }

    /// Stored reports of every run of a pipeline that was not pruned, by run.
    pub fn reports_of(&self, pipeline: &str) -> Result<BTreeMap<String, Vec<Artifact>>, StoreError> {
        self.catalogue.reports_of(pipeline)
    }

    /// Where a file of the run lies now.
    pub fn artifact_path(&self, run: &RunSummary, artifact: &Artifact) -> PathBuf {
        run.results.join(&artifact.path)
    }

    /// Folder for reports of the run that are made later; not recorded.
    pub fn reports_folder(&self, run: &RunSummary) -> PathBuf {
        run.results.join(layout::reports_folder(&run.pipeline, &run.run_id))
    }

    /// Everything the run found out, read from `run.json` after checking its hash.
    pub fn audit(&self, run: &RunSummary) -> Result<Audit, StoreError> {
        if run.status == Status::Pruned {
            let reason = "retention removed its files; its summaries and hashes stay in the catalogue".to_string();
            return Err(StoreError::NoAudit { run_id: run.run_id.clone(), status: status_name(run.status), reason });
        }
        let artifacts = self.artifacts(run)?;
        let Some(artifact) = artifacts.iter().find(|artifact| artifact.kind == layout::AUDIT_KIND) else {
            let reason = run.error.clone().unwrap_or_else(|| "it recorded none".to_string());
            return Err(StoreError::NoAudit { run_id: run.run_id.clone(), status: status_name(run.status), reason });
        };
        let path = self.artifact_path(run, artifact);
        read_audit(&path, &self.read_checked(run, artifact)?)
    }

    /// How the run's columns and scores were distributed; nothing for runs of versions that did not keep it.
    pub fn distributions(&self, run: &RunSummary) -> Result<Vec<Distribution>, StoreError> {
        let artifacts = self.artifacts(run)?;
        let Some(artifact) = artifacts.iter().find(|artifact| artifact.kind == "distributions") else {
            return Ok(Vec::new());
        };
        self.read_checked(run, artifact)?;
        rows::distributions::read(&self.artifact_path(run, artifact))
    }

    /// A stored file's content, unless it is not what the run stored.
    fn read_checked(&self, run: &RunSummary, artifact: &Artifact) -> Result<Vec<u8>, StoreError> {
        use sha2::{Digest, Sha256};
        let (run_id, path) = (run.run_id.clone(), self.artifact_path(run, artifact));
        let content = match fs::read(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(StoreError::MissingFile { run_id, path });
            }
            content => content.map_err(|e| StoreError::io("read", &path, e))?,
        };
        let found = file::hex(&Sha256::digest(&content));
        if found == artifact.sha256 {
            Ok(content)
        } else {
            Err(StoreError::AlteredFile { run_id, path, expected: artifact.sha256.clone(), found })
        }
    }

    /// The results folder as recorded: relative to the catalogue where both are on one tree.
    fn recorded_results(&self, results: &Path) -> Result<String, StoreError> {
        let folder = self.catalogue.folder();
        let folder = folder.canonicalize().map_err(|e| StoreError::io("open the folder", folder, e))?;
        Ok(layout::relative_to(&folder, results).to_string_lossy().into_owned())
    }
}

fn read_audit(path: &Path, content: &[u8]) -> Result<Audit, StoreError> {
    let unreadable = |source| StoreError::UnreadableAudit { path: path.to_path_buf(), source };
    #[derive(serde::Deserialize)]
    struct Version {
        schema_version: u64,
    }
    // The version first: a newer layout need not parse as ours.
    let Version { schema_version } = serde_json::from_slice(content).map_err(unreadable)?;
    if schema_version > SCHEMA_VERSION.into() {
        return Err(StoreError::NewerAudit { path: path.to_path_buf(), found: schema_version, known: SCHEMA_VERSION });
    }
    serde_json::from_slice(content).map_err(unreadable)
}
