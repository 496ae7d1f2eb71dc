//! What is asked of a run beside its plan, who watches it, and what becomes of it.

use crate::audit::Audit;
use crate::store::{Committed, RunSummary};
use std::time::Duration;

/// What a terminal shows while a run goes on.
pub trait Progress: Sync {
    fn rows_expected(&self, n_rows: u64);
    fn rows_done(&self, n_rows: u64);
    fn stage(&self, name: &'static str);
    fn finished(&self);
}

/// What to run beside the plan.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// `YYYY-MM-DD`.
    pub as_of: &'a str,
    /// Run again where the same inputs were audited already.
    pub force: bool,
    pub report: bool,
    /// How long to wait for another run of the pipeline.
    pub patience: Duration,
    /// For tests that compare bytes; else a new one.
    pub run_id: Option<&'a str>,
}

/// What became of it.
pub enum Outcome {
    /// The same inputs were audited before.
    Same(Box<RunSummary>),
    Ran(Box<Finished>),
}

pub struct Finished {
    pub audit: Audit,
    pub committed: Committed,
}
