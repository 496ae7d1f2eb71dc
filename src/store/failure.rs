//! Runs without results: what broke, and what was given up.

use serde::Serialize;

use super::leftovers::{self, Mark};
use super::run_writer::{document, publish, record, results_of};
use super::{Store, StoreError, TOOL_VERSION, layout, now};
use crate::audit::{Run, SCHEMA_VERSION, Status};

/// Records a run that has no results: its row, and a `run.json` that says why.
pub(super) fn record_failed(store: &Store, pipeline: &str, run: &Run, error: &str) -> Result<(), StoreError> {
    #[derive(Serialize)]
    struct Failure<'a> {
        schema_version: u32,
        run: &'a Run,
        error: &'a str,
    }
    layout::check_run_id(&run.run_id)?;
    layout::check_date(&run.as_of)?;
    store.catalogue.require_writing()?;
    let results = results_of(store)?;
    let prev_run_id = store.catalogue.last_recorded(pipeline)?.map(|run| run.run_id);
    let status = if run.status == Status::Aborted { Status::Aborted } else { Status::Failed };
    let run = Run { status, prev_run_id, pipeline: pipeline.to_string(), ..run.clone() };
    // Killed before it is recorded, this file would be nobody's.
    let mark = Mark {
        run_id: run.run_id.clone(),
        pipeline: run.pipeline.clone(),
        as_of: run.as_of.clone(),
        started_at: run.started_at.clone(),
        tool_version: TOOL_VERSION.to_string(),
        results: results.to_path_buf(),
    };
    mark.set(&store.catalogue.locks_folder())?;
    let failure = Failure { schema_version: SCHEMA_VERSION, run: &run, error };
    let content = serde_json::to_vec(&failure).map_err(|e| StoreError::NotStorable(e.to_string()))?;
    let staged = document(results, &run.pipeline, &run.run_id, "failure", layout::AUDIT_FILE, &content)?;
    let files = publish(results, vec![staged])?;
    record(store, &run, None, &files, None, Some(error))?;
    mark.clear(&store.catalogue.locks_folder())
}

/// Removes what a run of this process wrote and records it as aborted; `false` if it was recorded already.
pub(super) fn give_up(store: &Store, mark: &Mark, reason: &str) -> Result<bool, StoreError> {
    let unfinished = store.catalogue.by_id(&mark.run_id)?.is_none();
    if unfinished {
        mark.remove_files()?;
        let run = Run { finished_at: now(), ..leftovers::aborted(mark, None) };
        record_failed(store, &mark.pipeline, &run, reason)?;
    }
    mark.clear(&store.catalogue.locks_folder())?;
    Ok(unfinished)
}
