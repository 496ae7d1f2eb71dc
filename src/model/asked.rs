//! How many rows this process asked models about: for whoever watches a run. Nothing is computed from it.

use std::sync::atomic::{AtomicU64, Ordering};

static ASKED: AtomicU64 = AtomicU64::new(0);

pub(super) fn count(n_rows: usize) {
    ASKED.fetch_add(n_rows as u64, Ordering::Relaxed);
}

/// Rows scored and points differentiated so far.
pub fn so_far() -> u64 {
    ASKED.load(Ordering::Relaxed)
}
