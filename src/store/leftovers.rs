//! What dead runs leave behind, found by the mark that every run makes before its first file.
//!
//! A mark names the run and its folders. It goes when the run is recorded or gives up; one that is still there when
//! the next run of the pipeline holds the lock belongs to a run that was killed. Only files of marked runs are ever
//! removed: two catalogues may share a results folder.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::error::StoreError;
use super::fault::{self, Place};
use super::{RunSummary, file, layout};
use crate::audit::{Decision, Run, Status};

/// A run in progress.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Mark {
    pub run_id: String,
    pub pipeline: String,
    pub as_of: String,
    pub started_at: String,
    pub tool_version: String,
    /// Absolute.
    pub results: PathBuf,
}

impl Mark {
    /// `PIPELINE.RUN_ID.run`; neither part holds a dot.
    fn path(&self, folder: &Path) -> PathBuf {
        folder.join(format!("{}.{}.run", self.pipeline, self.run_id))
    }

    /// Makes the mark last before anything else of the run does.
    pub(super) fn set(&self, folder: &Path) -> Result<(), StoreError> {
        let path = self.path(folder);
        let content = serde_json::to_vec(self).map_err(|e| StoreError::NotStorable(e.to_string()))?;
        file::write(&path, &self.run_id, &content)?.publish()?;
        file::sync_folders(folder, [path.as_path()])
    }

    pub(super) fn clear(&self, folder: &Path) -> Result<(), StoreError> {
        remove_file(&self.path(folder)).map(drop)
    }

    /// Removes every file of the run, under temporary or final names; returns what it removed.
    pub(super) fn remove_files(&self) -> Result<Vec<PathBuf>, StoreError> {
        let mut removed = Vec::new();
        for table in folders_in(&self.results)? {
            removed.extend(self.remove_from(&table.join(layout::night_folder(&self.pipeline, &self.as_of)))?);
        }
        fault::reach(Place::RemovedRows);
        let reports = self.results.join(layout::reports_folder(&self.pipeline, &self.run_id));
        removed.extend(remove_folder(&reports)?);
        Ok(removed)
    }

    /// Whether a file is, or will be, the run's.
    pub(super) fn owns(&self, path: &Path) -> bool {
        let results = self.results.canonicalize().unwrap_or_else(|_| self.results.clone());
        let reports = results.join(layout::reports_folder(&self.pipeline, &self.run_id));
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        path.starts_with(reports) || path.starts_with(results) && self.names(&name)
    }

    /// Whether a file of a row-level table has the run's name, temporary or final.
    fn names(&self, name: &str) -> bool {
        name.starts_with(&file::temporary_prefix(&self.run_id)) || name == format!("{}.parquet", self.run_id)
    }

    fn remove_from(&self, night: &Path) -> Result<Vec<PathBuf>, StoreError> {
        let mut removed = Vec::new();
        for path in entries(night)? {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if self.names(&name) && remove_file(&path)? {
                removed.push(path);
            }
        }
        Ok(removed)
    }
}

/// Marks of a pipeline's runs; the caller holds the pipeline's lock.
pub(super) fn marks(folder: &Path, pipeline: &str) -> Result<Vec<Mark>, StoreError> {
    let prefix = format!("{pipeline}.");
    let mut found = Vec::new();
    for path in entries(folder)? {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.starts_with(".tmp-") && name.contains(&format!("-{prefix}")) {
            // Killed while making its mark, a run has made nothing else.
            remove_file(&path)?;
        } else if name.starts_with(&prefix) && name.ends_with(".run") {
            let content = fs::read(&path).map_err(|e| StoreError::io("read", &path, e))?;
            // Marks are published whole; a damaged one names nothing that could be cleaned safely.
            found.extend(serde_json::from_slice::<Mark>(&content).ok().filter(|mark| mark.path(folder) == path));
        }
    }
    found.sort_by(|a, b| a.run_id.cmp(&b.run_id));
    Ok(found)
}

/// Marks of all pipelines' runs, in progress or killed.
pub(super) fn all_marks(folder: &Path) -> Result<Vec<Mark>, StoreError> {
    let marks =
        entries(folder)?.into_iter().filter(|path| path.extension().is_some_and(|extension| extension == "run"));
    // One that is gone by now belongs to a run that has ended meanwhile.
    Ok(marks.filter_map(|path| serde_json::from_slice(&fs::read(path).ok()?).ok()).collect())
}

fn folders_in(folder: &Path) -> Result<Vec<PathBuf>, StoreError> {
    Ok(entries(folder)?.into_iter().filter(|path| path.is_dir()).collect())
}

/// Paths in a folder; none where it is missing.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let listed = fs::read_dir(folder).and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect());
    absent_is_empty(listed, "list", folder)
}

fn remove_file(path: &Path) -> Result<bool, StoreError> {
    absent_is_empty(fs::remove_file(path).map(|()| true), "remove", path)
}

fn remove_folder(folder: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let inside = entries(folder)?;
    absent_is_empty(fs::remove_dir_all(folder), "remove", folder)?;
    Ok(inside)
}

fn absent_is_empty<T: Default>(result: std::io::Result<T>, action: &'static str, path: &Path) -> Result<T, StoreError> {
    match result {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(T::default()),
        result => result.map_err(|e| StoreError::io(action, path, e)),
    }
}

/// What is known of a killed run.
pub(super) fn aborted(mark: &Mark, previous: Option<RunSummary>) -> Run {
    Run {
        run_id: mark.run_id.clone(),
        pipeline: mark.pipeline.clone(),
        as_of: mark.as_of.clone(),
        started_at: mark.started_at.clone(),
        finished_at: String::new(),
        status: Status::Aborted,
        verdict: Decision::Insufficient,
        tool_version: mark.tool_version.clone(),
        config_sha256: String::new(),
        model_sha256: String::new(),
        data_sha256: String::new(),
        prev_run_id: previous.map(|run| run.run_id),
        seed: 0,
        n_rows: 0,
        explain_method: String::new(),
        explain_scale: String::new(),
    }
}
