//! One run on its way into the history: rows while it computes, then all or nothing.

use std::path::{Path, PathBuf};

use super::failure;
use super::fault::{self, Place};
use super::file::{self, SyncedFile};
use super::leftovers::{self, Mark};
use super::row_files::RowFiles;
use super::rows::{FinishedRows, Origin, distributions, layer_units, mean_maps};
use super::{
    ExplanationBatch, InteractionBatch, LocalFitBatch, MapBatch, PipelineLock, PredictionBatch, RunRow, RunSummary,
    Store, StoreError, StoredFile, TOOL_VERSION, insert, layout, now,
};
use crate::audit::{Artifact, Audit, Distribution, LayerUnit, Run, StoredMeanMap};

/// Takes a run's rows and commits them. Dropped without [`RunWriter::commit`] or [`RunWriter::fail`], it leaves
/// nothing behind.
#[derive(Debug)]
pub struct RunWriter<'a> {
    store: &'a Store,
    lock: &'a PipelineLock,
    mark: Mark,
    origin: Origin,
    previous: Option<RunSummary>,
    recovered: Vec<Recovered>,
    rows: RowFiles,
}

/// A rendered report to be stored.
#[derive(Debug, Clone, Copy)]
pub struct Report<'a> {
    /// Names the file: `<template>.html`, or the whole name where it has an ending of its own.
    pub template: &'a str,
    pub html: &'a [u8],
}

/// A run as recorded.
#[derive(Debug, Clone, PartialEq)]
pub struct Committed {
    pub run_id: String,
    pub chain_sha256: String,
    /// Paths relative to `results`.
    pub artifacts: Vec<Artifact>,
    /// Absolute.
    pub results: PathBuf,
}

/// A killed run that was cleaned up and recorded as aborted.
#[derive(Debug, Clone, PartialEq)]
pub struct Recovered {
    pub run_id: String,
    pub removed: Vec<PathBuf>,
}

/// A file that awaits its name, and what the catalogue will say about it.
#[derive(Debug)]
pub(super) struct Staged {
    file: SyncedFile,
    stored: StoredFile,
}

impl<'a> RunWriter<'a> {
    pub(super) fn begin(
        store: &'a Store,
        lock: &'a PipelineLock,
        run_id: &str,
        as_of: &str,
    ) -> Result<Self, StoreError> {
        layout::check_run_id(run_id)?;
        layout::check_date(as_of)?;
        store.catalogue.require_writing()?;
        let results = results_of(store)?;
        let _working = store.ongoing.working();
        let recovered = recover(store, lock)?;
        store.finish_pruning(lock)?;
        let mark = Mark {
            run_id: run_id.to_string(),
            pipeline: lock.pipeline().to_string(),
            as_of: as_of.to_string(),
            started_at: now(),
            tool_version: TOOL_VERSION.to_string(),
            results: results.to_path_buf(),
        };
        mark.set(&store.catalogue.locks_folder())?;
        fault::reach(Place::Marked);
        store.ongoing.begin(store.catalogue.path().to_path_buf(), &mark);
        let origin = Origin {
            run_id: mark.run_id.clone(),
            pipeline: mark.pipeline.clone(),
            tool_version: TOOL_VERSION.to_string(),
        };
        let previous = store.catalogue.last_recorded(lock.pipeline())?;
        let writer = Self { store, lock, mark, origin, previous, recovered, rows: RowFiles::default() };
        // Better to learn now than after hours that nothing can be stored.
        let folder = results.join(layout::reports_folder(lock.pipeline(), run_id));
        drop(file::write(&folder.join("probe"), run_id, b"probe")?);
        Ok(writer)
    }

    /// The run that the pipeline recorded last: the audit's `prev_run_id`.
    pub fn previous(&self) -> Option<&RunSummary> {
        self.previous.as_ref()
    }

    /// Killed runs that were cleaned up on beginning this one.
    pub fn recovered(&self) -> &[Recovered] {
        &self.recovered
    }

    /// Adds rows to `predictions`, in data order.
    pub fn predictions(&mut self, batch: &PredictionBatch<'_>) -> Result<(), StoreError> {
        let _working = self.store.ongoing.working();
        self.rows.predictions((self.rows_target("predictions"), &self.origin), batch)
    }

    /// Adds rows to `explanations`, in data order; a further method after all rows of the one before.
    pub fn explanations(&mut self, batch: &ExplanationBatch<'_>) -> Result<(), StoreError> {
        let _working = self.store.ongoing.working();
        self.rows.explanations((self.rows_target("explanations"), &self.origin), batch)
    }

    /// Adds rows to `interactions`, in data order.
    pub fn interactions(&mut self, batch: &InteractionBatch<'_>) -> Result<(), StoreError> {
        let _working = self.store.ongoing.working();
        self.rows.interactions((self.rows_target("interactions"), &self.origin), batch)
    }

    /// Adds rows to `local_fits`, in data order; a further method after all rows of the one before.
    pub fn local_fits(&mut self, batch: &LocalFitBatch<'_>) -> Result<(), StoreError> {
        let _working = self.store.ongoing.working();
        self.rows.local_fits((self.rows_target("local_fits"), &self.origin), batch)
    }

    /// Adds rows to `attribution_maps`, in data order; a further method after all rows of the one before.
    pub fn attribution_maps(&mut self, batch: &MapBatch<'_>) -> Result<(), StoreError> {
        let _working = self.store.ongoing.working();
        self.rows.maps((self.rows_target("attribution_maps"), &self.origin), batch)
    }

    /// Keeps how columns and scores were distributed, for later runs to be compared with.
    pub fn distributions(&mut self, all: &[Distribution]) -> Result<(), StoreError> {
        let _working = self.store.ongoing.working();
        self.rows.add(distributions::write(&self.rows_target("distributions"), &self.origin, all)?);
        Ok(())
    }

    /// Keeps what each unit of the layers looked at does; nothing where there is none.
    pub fn layer_units(&mut self, all: &[LayerUnit]) -> Result<(), StoreError> {
        if all.is_empty() {
            return Ok(());
        }
        let _working = self.store.ongoing.working();
        self.rows.add(layer_units::write(&self.rows_target("layer_units"), &self.origin, all)?);
        Ok(())
    }

    /// Keeps mean maps of pictures; nothing where there is none.
    pub fn mean_maps(&mut self, all: &[StoredMeanMap]) -> Result<(), StoreError> {
        if all.is_empty() {
            return Ok(());
        }
        let _working = self.store.ongoing.working();
        self.rows.add(mean_maps::write(&self.rows_target("mean_maps"), &self.origin, all)?);
        Ok(())
    }

    /// Makes the run part of the history. Sets the audit's `prev_run_id`. `supersedes` is the run that this one
    /// replaces. On an error nothing of the run remains.
    pub fn commit(
        mut self,
        audit: &mut Audit,
        reports: &[Report<'_>],
        supersedes: Option<&str>,
    ) -> Result<Committed, StoreError> {
        // Once begun, a commit is finished before the run can be given up.
        let _working = self.store.ongoing.working();
        self.check_is_mine(&audit.run)?;
        audit.run.prev_run_id = self.previous.as_ref().map(|run| run.run_id.clone());
        let staged = self.stage(audit, reports)?;
        fault::reach(Place::Staged);
        let files = publish(&self.mark.results, staged)?;
        let chain_sha256 = record(self.store, &audit.run, Some(audit), &files, supersedes, None)?;
        self.mark.clear(&self.store.catalogue.locks_folder())?;
        fault::reach(Place::Done);
        self.store.ongoing.end();
        let artifacts = files.into_iter().map(|file| file.artifact).collect();
        Ok(Committed { run_id: audit.run.run_id.clone(), chain_sha256, artifacts, results: self.mark.results.clone() })
    }

    /// Removes what was written and records that the run failed, and why.
    pub fn fail(self, run: &Run, error: &str) -> Result<(), StoreError> {
        let (store, lock) = (self.store, self.lock);
        self.check_is_mine(run)?;
        drop(self);
        let _working = store.ongoing.working();
        failure::record_failed(store, lock.pipeline(), run, error)
    }

    fn check_is_mine(&self, run: &Run) -> Result<(), StoreError> {
        let (mine, theirs) = (&self.mark, run);
        if (&mine.run_id, &mine.pipeline, &mine.as_of) == (&theirs.run_id, &theirs.pipeline, &theirs.as_of) {
            return Ok(());
        }
        Err(StoreError::NotStorable(format!(
            "it is of {} {} {}, begun was {} {} {}",
            theirs.pipeline, theirs.as_of, theirs.run_id, mine.pipeline, mine.as_of, mine.run_id
        )))
    }

    fn rows_target(&self, table: &str) -> PathBuf {
        self.mark.results.join(layout::rows_file(table, &self.mark.pipeline, &self.mark.as_of, &self.mark.run_id))
    }

    /// Brings every file to the disk under its temporary name.
    pub(super) fn stage(&mut self, audit: &Audit, reports: &[Report<'_>]) -> Result<Vec<Staged>, StoreError> {
        let rows = std::mem::take(&mut self.rows).finish()?;
        let mut staged: Vec<Staged> = rows.into_iter().map(|rows| self.staged_rows(rows)).collect();
        staged.push(self.staged_document(layout::AUDIT_KIND, layout::AUDIT_FILE, &audit_json(audit)?)?);
        for report in reports {
            layout::check_template(report.template)?;
            let ending = if report.template.contains('.') { "" } else { ".html" };
            let (kind, name) = (format!("report:{}", report.template), format!("{}{ending}", report.template));
            staged.push(self.staged_document(&kind, &name, report.html)?);
        }
        Ok(staged)
    }

    fn staged_rows(&self, rows: FinishedRows) -> Staged {
        let path = layout::rows_file(rows.table, &self.mark.pipeline, &self.mark.as_of, &self.mark.run_id);
        let artifact = artifact(rows.table, path, &rows.file, Some(rows.n_rows));
        let label_type = rows.label_type.map(|label| label.name());
        let stored = StoredFile { artifact, row_id_type: Some(rows.row_id_type.name()), label_type };
        Staged { file: rows.file, stored }
    }

    fn staged_document(&self, kind: &str, name: &str, content: &[u8]) -> Result<Staged, StoreError> {
        document(&self.mark.results, &self.mark.pipeline, &self.mark.run_id, kind, name, content)
    }
}

impl Drop for RunWriter<'_> {
    fn drop(&mut self) {
        let _working = self.store.ongoing.working();
        self.store.ongoing.end();
        // Where the catalogue cannot tell whether the run was recorded, the next run decides.
        if let Ok(recorded) = self.store.catalogue.by_id(&self.mark.run_id) {
            let cleaned = if recorded.is_none() { self.mark.remove_files().map(drop) } else { Ok(()) };
            if cleaned.is_ok() {
                let _ = self.mark.clear(&self.store.catalogue.locks_folder());
            }
        }
    }
}

/// Cleans up after runs of the pipeline that were killed and records them as aborted.
fn recover(store: &Store, lock: &PipelineLock) -> Result<Vec<Recovered>, StoreError> {
    let folder = store.catalogue.locks_folder();
    let mut recovered = Vec::new();
    for mark in leftovers::marks(&folder, lock.pipeline())? {
        // Killed between its commit and clearing its mark, a run is whole.
        if store.catalogue.by_id(&mark.run_id)?.is_none() {
            let removed = mark.remove_files()?;
            fault::reach(Place::Cleaned);
            let run = leftovers::aborted(&mark, store.catalogue.last_recorded(lock.pipeline())?);
            record(store, &run, None, &[], None, Some("the process ended before the run was stored"))?;
            recovered.push(Recovered { run_id: mark.run_id.clone(), removed });
        }
        mark.clear(&folder)?;
    }
    Ok(recovered)
}

/// Gives all files their names and makes the names last. On an error, what has its name already is removed.
pub(super) fn publish(results: &Path, staged: Vec<Staged>) -> Result<Vec<StoredFile>, StoreError> {
    let (mut files, mut paths) = (Vec::new(), Vec::new());
    for Staged { file, stored } in staged {
        paths.push(file.publish()?);
        files.push(stored);
        fault::reach(Place::NamedOne);
    }
    fault::reach(Place::Named);
    file::sync_folders(results, paths.iter().map(PathBuf::as_path))?;
    fault::reach(Place::Synced);
    Ok(files)
}

/// One transaction: from here on the run is part of the history. Returns the run's place in the chain.
pub(super) fn record(
    store: &Store,
    run: &Run,
    audit: Option<&Audit>,
    files: &[StoredFile],
    supersedes: Option<&str>,
    error: Option<&str>,
) -> Result<String, StoreError> {
    let previous = run.prev_run_id.as_deref().map(|id| store.catalogue.by_id(id)).transpose()?.flatten();
    let timings = audit.map(|audit| serde_json::to_string(&audit.timings)).transpose();
    let timings = timings.map_err(|e| StoreError::NotStorable(e.to_string()))?;
    let results = store.recorded_results(results_of(store)?)?;
    let row = RunRow {
        run,
        timings: timings.as_deref().unwrap_or("{}"),
        supersedes,
        error,
        results: &results,
        finished: !run.finished_at.is_empty(),
        decided: audit.is_some(),
    };
    let chain_sha256 = store.catalogue.transaction("record the run", async |connection| {
        insert::run(connection, &row).await?;
        insert::artifacts(connection, &run.run_id, files).await?;
        if let Some(audit) = audit {
            insert::results(connection, audit).await?;
            insert::provenance(connection, audit).await?;
        }
        // What the chain covers is what the catalogue holds now, as anyone reads it later.
        let chain = insert::proof(connection, run, previous.as_ref().map(|run| run.chain_sha256.as_str())).await;
        fault::reach(Place::Inserted);
        chain
    })?;
    fault::reach(Place::Recorded);
    Ok(chain_sha256)
}

/// A file in the run's report folder.
pub(super) fn document(
    results: &Path,
    pipeline: &str,
    run_id: &str,
    kind: &str,
    name: &str,
    content: &[u8],
) -> Result<Staged, StoreError> {
    let path = format!("{}/{name}", layout::reports_folder(pipeline, run_id));
    let file = file::write(&results.join(&path), run_id, content)?;
    let artifact = artifact(kind, path, &file, None);
    Ok(Staged { file, stored: StoredFile { artifact, row_id_type: None, label_type: None } })
}

fn artifact(kind: &str, path: String, file: &SyncedFile, n_rows: Option<u64>) -> Artifact {
    Artifact { kind: kind.to_string(), path, sha256: file.sha256.clone(), bytes: file.bytes, n_rows }
}

/// The audit as stored, after making sure that it can be read again: JSON has no NaN and no infinity.
fn audit_json(audit: &Audit) -> Result<Vec<u8>, StoreError> {
    let content = serde_json::to_vec(audit).map_err(|e| StoreError::NotStorable(e.to_string()))?;
    match serde_json::from_slice::<Audit>(&content) {
        Ok(_) => Ok(content),
        Err(error) => {
            let end = error.column().min(content.len());
            let near = String::from_utf8_lossy(&content[end.saturating_sub(120)..end]);
            Err(StoreError::NotStorable(format!("a number in it is not finite ({error}), after `{near}`")))
        }
    }
}

pub(super) fn results_of(store: &Store) -> Result<&Path, StoreError> {
    let read_only = || StoreError::ReadOnlyCatalogue { path: store.catalogue.path().to_path_buf() };
    store.results.as_deref().ok_or_else(read_only)
}
