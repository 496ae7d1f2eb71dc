//! Files among the results that no run recorded.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::snapshot::Snapshot;
use super::{Problem, ProblemKind, Verification};
use crate::store::catalogue::runs::RunSummary;
use crate::store::leftovers::{self, Mark};
use crate::store::{Store, StoreError, layout, rows};

/// What lies in the results folders, and which runs are in progress.
pub(super) struct Listing {
    files: BTreeSet<PathBuf>,
    marks: Vec<Mark>,
}

impl Listing {
    /// Lists all results folders of the catalogue, or the report folder of one run.
    pub(super) fn of(store: &Store, run: Option<&RunSummary>) -> Result<Self, StoreError> {
        let mut files = BTreeSet::new();
        match run {
            Some(run) => list(&store.reports_folder(run), &mut files)?,
            None => {
                for folder in store.catalogue.results_folders()? {
                    list_results(&folder, store.catalogue.folder(), &mut files)?;
                }
            }
        }
        Ok(Self { files, marks: leftovers::all_marks(&store.catalogue.locks_folder())? })
    }

    /// Names what the snapshot does not.
    pub(super) fn check(&self, snapshot: &Snapshot, found: &mut Verification) {
        let known: BTreeSet<PathBuf> = snapshot
            .runs
            .iter()
            .flat_map(|run| run.artifacts.iter().map(|artifact| plain(&run.results.join(&artifact.path))))
            .collect();
        let pruned: Vec<PathBuf> = snapshot
            .runs
            .iter()
            .filter(|run| run.status == "pruned")
            .map(|run| plain(&super::files::reports_folder(run)))
            .collect();
        for path in self.files.iter().filter(|path| !known.contains(*path) && path.symlink_metadata().is_ok()) {
            // What retention has begun to remove, the pipeline's next run removes.
            if pruned.iter().any(|folder| path.starts_with(folder)) {
                continue;
            }
            match self.marks.iter().find(|mark| mark.owns(path)) {
                Some(mark) => found.notes.push(format!(
                    "{} belongs to run {} of {}, which is in progress or was killed",
                    path.display(),
                    mark.run_id,
                    mark.pipeline
                )),
                None => found.problems.push(Problem {
                    path: Some(path.clone()),
                    ..Problem::of_catalogue(
                        ProblemKind::ForeignFile,
                        "the file lies among the results, but no run recorded it".to_string(),
                    )
                }),
            }
        }
    }
}

/// Everything below a results folder; only the tables' own folders where the catalogue lies in it, since then other
/// things may.
fn list_results(folder: &Path, catalogue_folder: &Path, files: &mut BTreeSet<PathBuf>) -> Result<(), StoreError> {
    let shared = match (folder.canonicalize(), catalogue_folder.canonicalize()) {
        (Ok(folder), Ok(catalogue_folder)) => catalogue_folder.starts_with(folder),
        _ => false,
    };
    if !shared {
        return list(folder, files);
    }
    rows::TABLES.iter().chain([&layout::REPORTS]).try_for_each(|table| list(&folder.join(table), files))
}

/// Files below a folder, links as what they are.
fn list(folder: &Path, files: &mut BTreeSet<PathBuf>) -> Result<(), StoreError> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(|e| StoreError::io("list", folder, e))?,
    };
    for entry in entries {
        let entry = entry.map_err(|e| StoreError::io("list", folder, e))?;
        let kind = entry.file_type().map_err(|e| StoreError::io("list", &entry.path(), e))?;
        if kind.is_dir() {
            list(&entry.path(), files)?;
        } else {
            files.insert(plain(&entry.path()));
        }
    }
    Ok(())
}

/// One spelling for one place: the folder as the system knows it, and the file's name.
fn plain(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default();
    match path.parent().map(Path::canonicalize) {
        Some(Ok(folder)) => folder.join(name),
        _ => path.to_path_buf(),
    }
}
