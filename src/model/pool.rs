//! A pool of ONNX Runtime sessions, one per thread: each runs single-threaded, so scores do not depend on how many there are.

use super::error::ModelError;
use super::runtime;
use ort::session::Session;
use ort::session::builder::GraphOptimizationLevel;
use std::sync::{Condvar, Mutex};

pub(super) struct Pool {
    idle: Mutex<Vec<Session>>,
    returned: Condvar,
}

impl Pool {
    /// `size` sessions of one model.
    pub fn open(name: &str, bytes: &[u8], size: usize) -> Result<Self, ModelError> {
        let sessions = (0..size.max(1)).map(|_| session(name, bytes)).collect::<Result<Vec<_>, _>>()?;
        Ok(Self { idle: Mutex::new(sessions), returned: Condvar::new() })
    }

    /// Runs `work` on a session of its own; waits where all are taken.
    pub fn with<T>(&self, work: impl FnOnce(&mut Session) -> T) -> T {
        let mut session = self.take();
        let result = work(&mut session);
        self.idle.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).push(session);
        self.returned.notify_one();
        result
    }

    fn take(&self) -> Session {
        let mut idle = self.idle.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        loop {
            match idle.pop() {
                Some(session) => return session,
                None => idle = self.returned.wait(idle).unwrap_or_else(|poisoned| poisoned.into_inner()),
            }
        }
    }
}

fn session(name: &str, bytes: &[u8]) -> Result<Session, ModelError> {
    let fail = |error: String| ModelError::Rejected { model: name.to_owned(), reason: error };
    let builder = Session::builder(runtime::environment()?).map_err(|error| fail(error.to_string()))?;
    let builder = builder.with_intra_threads(1).map_err(|error| fail(error.to_string()))?;
    let builder = builder.with_inter_threads(1).map_err(|error| fail(error.to_string()))?;
    let mut builder =
        builder.with_optimization_level(GraphOptimizationLevel::Level3).map_err(|error| fail(error.to_string()))?;
    builder.commit_from_memory(bytes).map_err(|error| fail(error.to_string()))
}
