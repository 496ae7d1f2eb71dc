//! Being told to stop: SIGINT (Ctrl-C) and SIGTERM give up the run in progress in order, a second one ends at once.

use crate::store::{Ongoing, Store};
use std::sync::{Arc, Mutex, PoisonError};

/// Where the watching thread looks for a run to give up.
#[derive(Clone, Default)]
pub(super) struct Watch(Arc<Mutex<Option<Ongoing>>>);

impl Watch {
    /// Runs of this store are given up from now on.
    pub fn over(&self, store: &Store) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(store.ongoing());
    }
}

#[cfg(not(unix))]
pub(super) fn watch() -> std::io::Result<Watch> {
    // Elsewhere a stopped process is a killed one: the next run cleans up after it.
    Ok(Watch::default())
}

#[cfg(unix)]
pub(super) fn watch() -> std::io::Result<Watch> {
    use signal_hook::consts::{SIGINT, SIGTERM};
    let watch = Watch::default();
    let mut signals = signal_hook::iterator::Signals::new([SIGINT, SIGTERM])?;
    let watched = watch.clone();
    std::thread::spawn(move || {
        let mut stopping = false;
        for signal in signals.forever() {
            if std::mem::replace(&mut stopping, true) {
                leave(signal);
            }
            let watched = watched.clone();
            // On a thread of its own, so that a second signal is heard meanwhile.
            std::thread::spawn(move || {
                watched.stop(if signal == SIGINT { "SIGINT" } else { "SIGTERM" });
                leave(signal);
            });
        }
    });
    Ok(watch)
}

/// Ends at once, as shells report a signal. Other threads may be inside ONNX Runtime, so nothing is torn down.
#[cfg(unix)]
fn leave(signal: i32) -> ! {
    signal_hook::low_level::exit(128 + signal)
}

impl Watch {
    #[cfg(unix)]
    fn stop(&self, signal: &str) {
        let ongoing = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let stopped = ongoing.map_or(Ok(None), |ongoing| ongoing.abort(&format!("stopped by {signal}")));
        match stopped {
            Ok(Some(run_id)) => eprintln!("stopped by {signal}: run {run_id} is recorded as aborted"),
            Ok(None) => eprintln!("stopped by {signal}"),
            Err(error) => eprintln!("stopped by {signal}; the next run will clean up: {error}"),
        }
    }
}
