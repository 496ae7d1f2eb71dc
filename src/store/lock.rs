//! One run per pipeline at a time: an advisory file lock, which the operating system releases when a process ends,
//! however it ends.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::error::StoreError;

/// The right to run one pipeline; given back when dropped.
#[derive(Debug)]
pub struct PipelineLock {
    pipeline: String,
    file: File,
}

/// Written into the lock file, so that others can say who holds it.
#[derive(Debug, Serialize, Deserialize)]
struct Holder {
    pid: u32,
    since: String,
}

impl PipelineLock {
    pub fn pipeline(&self) -> &str {
        &self.pipeline
    }

    /// Takes the lock in `folder`, asking again until `patience` has passed.
    pub(super) fn acquire(folder: &Path, pipeline: &str, patience: Duration) -> Result<Self, StoreError> {
        fs::create_dir_all(folder).map_err(|e| StoreError::io("make the folder", folder, e))?;
        // The file stays when the lock is given back: removing it would let two processes lock two files of one name.
        let path = folder.join(format!("{pipeline}.lock"));
        let started = Instant::now();
        loop {
            let mut file = open(&path)?;
            match file.try_lock() {
                Ok(()) => {
                    sign(&mut file).map_err(|e| StoreError::io("write", &path, e))?;
                    return Ok(Self { pipeline: pipeline.to_string(), file });
                }
                Err(TryLockError::Error(source)) => return Err(StoreError::io("lock", &path, source)),
                Err(TryLockError::WouldBlock) if started.elapsed() >= patience => {
                    return Err(StoreError::Locked { pipeline: pipeline.to_string(), holder: holder(&mut file) });
                }
                Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(50)),
            }
        }
    }
}

impl Drop for PipelineLock {
    fn drop(&mut self) {
        // The text only informs; closing the file is what gives the lock back.
        let _ = self.file.set_len(0);
    }
}

fn open(path: &Path) -> Result<File, StoreError> {
    let opened = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path);
    opened.map_err(|e| StoreError::io("write", path, e))
}

fn sign(file: &mut File) -> std::io::Result<()> {
    let holder = Holder { pid: std::process::id(), since: super::now() };
    file.set_len(0)?;
    file.write_all(&serde_json::to_vec(&holder)?)
}

fn holder(file: &mut File) -> String {
    let mut text = String::new();
    let read = file.read_to_string(&mut text).is_ok();
    match serde_json::from_str::<Holder>(&text) {
        Ok(holder) if read => format!("{} since {}", holder.pid, holder.since),
        // It may be between taking the lock and signing.
        _ => "(unknown)".to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_run_of_a_pipeline_is_told_who_holds_the_lock() {
        let folder = tempfile::tempdir().unwrap();
        let first = PipelineLock::acquire(folder.path(), "adult", Duration::ZERO).unwrap();
        let error = PipelineLock::acquire(folder.path(), "adult", Duration::ZERO).unwrap_err();
        assert_eq!(error.exit_code(), 75);
        assert!(error.to_string().contains(&format!("process {} since 2", std::process::id())), "{error}");
        assert!(PipelineLock::acquire(folder.path(), "german", Duration::ZERO).is_ok());
        drop(first);
        assert!(PipelineLock::acquire(folder.path(), "adult", Duration::ZERO).is_ok());
    }

    #[test]
    fn waiting_ends_when_the_lock_is_given_back() {
        let folder = tempfile::tempdir().unwrap();
        let first = PipelineLock::acquire(folder.path(), "adult", Duration::ZERO).unwrap();
        std::thread::scope(|scope| {
            let second = scope.spawn(|| PipelineLock::acquire(folder.path(), "adult", Duration::from_secs(60)));
            drop(first);
            assert!(second.join().unwrap().is_ok());
        });
    }
}
