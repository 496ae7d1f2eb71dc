//! Two stored runs side by side.

use super::{Audit, Decision, Drift, MetricChange, RankChange, Status};
use serde::Serialize;

/// What changed between two runs. Where they cannot be compared there are reasons and no numbers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    pub before: Side,
    pub now: Side,
    pub comparable: bool,
    pub not_comparable: Vec<String>,
    /// What the runs were made from, where it differs.
    pub differences: Vec<Difference>,
    /// Metrics over all rows.
    pub metrics: Vec<MetricChange>,
    /// Metrics across the groups of an attribute.
    pub group_gaps: Vec<MetricChange>,
    /// Metrics of single groups, and of strata.
    pub groups: Vec<MetricChange>,
    pub ranks: Vec<RankChange>,
    pub drift: Vec<Drift>,
    pub gates: Vec<GateChange>,
}

/// One of the two runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Side {
    pub run_id: String,
    pub pipeline: String,
    pub as_of: String,
    pub status: Status,
    pub verdict: Decision,
    pub n_rows: u64,
}

/// Something that the two runs were not made from alike.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Difference {
    pub what: &'static str,
    pub before: String,
    pub now: String,
}

/// A gate, as decided by each run that has it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GateChange {
    pub gate: String,
    pub before: Option<Decision>,
    pub now: Option<Decision>,
    pub observed_before: Option<f64>,
    pub observed_now: Option<f64>,
}

impl Side {
    pub fn of(audit: &Audit) -> Self {
        let run = &audit.run;
        Self {
            run_id: run.run_id.clone(),
            pipeline: run.pipeline.clone(),
            as_of: run.as_of.clone(),
            status: run.status,
            verdict: run.verdict,
            n_rows: run.n_rows,
        }
    }
}
