//! Whose turn it is: one run of a pipeline at a time.

use super::RunError;
use crate::store::{PipelineLock, Store, StoreError};
use std::time::Duration;

/// The right to run a pipeline; whoever has to wait for it is told so.
pub fn turn(store: &Store, pipeline: &str, patience: Duration) -> Result<PipelineLock, RunError> {
    match store.lock(pipeline) {
        Err(held @ StoreError::Locked { .. }) if !patience.is_zero() => {
            tracing::warn!("{held} (waiting up to {} s)", patience.as_secs());
            Ok(store.lock_within(pipeline, patience)?)
        }
        lock => Ok(lock?),
    }
}
