//! The run in progress, so that whoever stops the process can give it up in order.
//!
//! Files of a run are made and named under a shared guard. [`Ongoing::abort`] takes it alone and keeps it: from then on
//! nothing of the run is written, and what was written can be removed without anything coming after.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};

use super::leftovers::Mark;
use super::{Store, StoreError, failure};

/// Knows the run that a store is writing; cheap to clone, for use on another thread.
#[derive(Debug, Clone, Default)]
pub struct Ongoing(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    files: RwLock<()>,
    run: Mutex<Option<Begun>>,
}

#[derive(Debug, Clone)]
struct Begun {
    catalogue: PathBuf,
    mark: Mark,
}

impl Ongoing {
    /// Held while files of the run are made or named; waits for ever once the run is being given up.
    pub(super) fn working(&self) -> RwLockReadGuard<'_, ()> {
        self.0.files.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn begin(&self, catalogue: PathBuf, mark: &Mark) {
        self.set(Some(Begun { catalogue, mark: mark.clone() }));
    }

    pub(super) fn end(&self) {
        self.set(None);
    }

    fn set(&self, run: Option<Begun>) {
        *self.0.run.lock().unwrap_or_else(PoisonError::into_inner) = run;
    }

    /// Gives up the run in progress: waits until no file of it is being written, lets none be written any more, removes
    /// what there is and records the run as aborted. Returns its id, or `None` where no run had begun or it was
    /// recorded already. The process must end afterwards: whoever writes waits for ever.
    pub fn abort(&self, reason: &str) -> Result<Option<String>, StoreError> {
        std::mem::forget(self.0.files.write().unwrap_or_else(PoisonError::into_inner));
        let begun = self.0.run.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(Begun { catalogue, mark }) = begun else { return Ok(None) };
        // A connection of its own: the run's may be busy on the thread that waits.
        let store = Store::open(&catalogue.to_string_lossy(), &mark.results)?;
        failure::give_up(&store, &mark, reason).map(|gave_up| gave_up.then_some(mark.run_id))
    }
}
