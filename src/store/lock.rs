//! One run per pipeline at a time: an advisory file lock, which the operating system releases when a process ends,
//! however it ends. What stands in the file only informs: who holds the lock, since when, and when it last showed life.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::Path;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::error::StoreError;

/// How often a holder shows that it is alive.
const HEARTBEAT: Duration = Duration::from_secs(10);

/// The right to run one pipeline; given back when dropped.
#[derive(Debug)]
pub struct PipelineLock {
    pipeline: String,
    file: File,
    heartbeat: Option<Heartbeat>,
}

/// Written into the lock file, so that others can say who holds it.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Holder {
    pid: u32,
    host: String,
    started_at: String,
    heartbeat: String,
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
                    sign(&mut file, &Holder::this()).map_err(|e| StoreError::io("write", &path, e))?;
                    return Ok(Self { pipeline: pipeline.to_string(), file, heartbeat: None });
                }
                Err(TryLockError::Error(source)) => return Err(StoreError::io("lock", &path, source)),
                Err(TryLockError::WouldBlock) if started.elapsed() >= patience => {
                    return Err(StoreError::Locked { pipeline: pipeline.to_string(), holder: holder(&mut file) });
                }
                Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(50)),
            }
        }
    }

    /// Shows life from now on.
    pub(super) fn beating(self) -> Self {
        self.beating_every(HEARTBEAT)
    }

    fn beating_every(mut self, pause: Duration) -> Self {
        // Where no second handle is to be had, the lock holds all the same.
        self.heartbeat = self.file.try_clone().ok().map(|file| Heartbeat::start(file, pause));
        self
    }
}

impl Drop for PipelineLock {
    fn drop(&mut self) {
        if let Some(heartbeat) = self.heartbeat.take() {
            heartbeat.stop();
        }
        // Closing the file is what gives the lock back.
        let _ = self.file.set_len(0);
    }
}

/// A thread that signs again and again.
#[derive(Debug)]
struct Heartbeat {
    stop: Sender<()>,
    thread: JoinHandle<()>,
}

impl Heartbeat {
    fn start(mut file: File, pause: Duration) -> Self {
        let (stop, stopped) = mpsc::channel();
        let mut holder = Holder::this();
        let thread = std::thread::spawn(move || {
            while stopped.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
                holder.heartbeat = super::now();
                // As long as before, so that readers see one signature or the other. A full disk stops no run here.
                let _ = sign(&mut file, &holder);
            }
        });
        Self { stop, thread }
    }

    fn stop(self) {
        drop(self.stop);
        let _ = self.thread.join();
    }
}

impl Holder {
    fn this() -> Self {
        let now = super::now();
        Self { pid: std::process::id(), host: host(), started_at: now.clone(), heartbeat: now }
    }
}

/// This machine's name as others know it, or nothing.
fn host() -> String {
    let file = |path: &str| fs::read_to_string(path).ok();
    let name = file("/proc/sys/kernel/hostname").or_else(|| file("/etc/hostname"));
    let name = name.or_else(|| std::env::var("HOSTNAME").ok()).unwrap_or_default();
    name.trim().to_string()
}

fn open(path: &Path) -> Result<File, StoreError> {
    let opened = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path);
    opened.map_err(|e| StoreError::io("write", path, e))
}

fn sign(file: &mut File, holder: &Holder) -> std::io::Result<()> {
    let text = serde_json::to_vec(holder)?;
    file.rewind()?;
    file.write_all(&text)?;
    file.set_len(text.len() as u64)
}

fn holder(file: &mut File) -> String {
    let mut text = String::new();
    let read = file.read_to_string(&mut text).is_ok();
    match serde_json::from_str::<Holder>(&text) {
        Ok(Holder { pid, host, started_at, heartbeat }) if read => {
            let host = if host.is_empty() { host } else { format!(" on {host}") };
            format!("{pid}{host} since {started_at} (last sign of life {heartbeat})")
        }
        // It may be between taking the lock and signing.
        _ => "(unknown)".to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn acquire(folder: &Path, pipeline: &str) -> Result<PipelineLock, StoreError> {
        PipelineLock::acquire(folder, pipeline, Duration::ZERO)
    }

    #[test]
    fn a_second_run_of_a_pipeline_is_told_who_holds_the_lock() {
        let folder = tempfile::tempdir().unwrap();
        let first = acquire(folder.path(), "adult").unwrap();
        let error = acquire(folder.path(), "adult").unwrap_err();
        assert_eq!(error.exit_code(), 75);
        let message = error.to_string();
        for part in [&format!("process {} ", std::process::id()), " since 2", "last sign of life 2", "--wait"] {
            assert!(message.contains(part), "{part}: {message}");
        }
        assert!(acquire(folder.path(), "german").is_ok());
        drop(first);
        assert!(acquire(folder.path(), "adult").is_ok());
    }

    #[test]
    fn a_holder_shows_life_until_it_gives_the_lock_back() {
        let folder = tempfile::tempdir().unwrap();
        let lock = acquire(folder.path(), "adult").unwrap();
        let path = folder.path().join("adult.lock");
        let signed = || serde_json::from_str::<Holder>(&fs::read_to_string(&path).unwrap()).ok();
        let mut old = signed().unwrap();
        old.heartbeat = "2020-01-01T00:00:00Z".to_string();
        fs::write(&path, serde_json::to_vec(&old).unwrap()).unwrap();
        let lock = lock.beating_every(Duration::from_millis(5));
        let started = Instant::now();
        while signed().is_none_or(|holder| holder.heartbeat == old.heartbeat) {
            assert!(started.elapsed() < Duration::from_secs(30), "no sign of life");
            std::thread::sleep(Duration::from_millis(5));
        }
        drop(lock);
        assert_eq!(fs::read_to_string(&path).unwrap(), "");
    }

    #[test]
    fn waiting_ends_when_the_lock_is_given_back() {
        let folder = tempfile::tempdir().unwrap();
        let first = acquire(folder.path(), "adult").unwrap();
        std::thread::scope(|scope| {
            let second = scope.spawn(|| PipelineLock::acquire(folder.path(), "adult", Duration::from_secs(60)));
            drop(first);
            assert!(second.join().unwrap().is_ok());
        });
    }
}
