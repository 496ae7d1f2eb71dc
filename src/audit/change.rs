//! What a run is compared by: how its columns and scores were distributed, and what changed since the baseline.

use serde::{Deserialize, Serialize};

/// The run that this one was compared with.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Baseline {
    pub run_id: String,
    /// `YYYY-MM-DD`.
    pub as_of: String,
    /// Why the two runs cannot be compared; then nothing below is filled.
    pub not_comparable: Vec<String>,
    /// Metrics over all rows and across groups.
    pub changes: Vec<MetricChange>,
    pub ranks: Vec<RankChange>,
}

/// A metric of two runs. The change has the intervals of both behind it, as of independent samples.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct MetricChange {
    pub metric: String,
    pub attribute: String,
    pub group_value: String,
    pub stratum: String,
    pub reference: String,
    pub output: String,
    /// In the baseline run; `None` where it is undefined there.
    pub before: Option<f64>,
    pub now: Option<f64>,
    /// now − before.
    pub change: Option<f64>,
    pub change_low: Option<f64>,
    pub change_high: Option<f64>,
    /// Whether the two runs' intervals share a value.
    pub intervals_overlap: Option<bool>,
}

/// A feature's place among the most important, by mean |attribution| over the explained outputs; 1 is the first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RankChange {
    pub feature: String,
    pub before: u32,
    pub now: u32,
    pub value_before: f64,
    pub value_now: f64,
}

/// How far one column, the scores or the attributions moved since a baseline run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Drift {
    /// "score", "feature" or "attribution".
    pub subject: String,
    /// The feature; for scores the output where there are several, else "".
    pub feature: String,
    /// "psi", "js", "ks", "wasserstein", or "ndcg" (of attributions).
    pub measure: String,
    pub value: f64,
    pub baseline_run_id: String,
}

/// Names of the measures of drift, as in `drift` and in gates.
pub const DRIFT_MEASURES: [&str; 5] = ["psi", "js", "ks", "wasserstein", "ndcg"];

impl Drift {
    /// What drifted: the feature, or "(score)", with its output where there are several.
    pub fn place(&self) -> String {
        match (self.subject.as_str(), self.feature.as_str()) {
            ("score", "") => "(score)".to_owned(),
            ("score", output) => format!("(score) of {output}"),
            (_, feature) => feature.to_owned(),
        }
    }
}

/// How often each value of a column, or each score, occurred. Stored as rows of `distributions`, not in `run.json`.
///
/// Cells are disjoint: numbers in ascending order, then categories by name, then what is missing or not finite. Bins
/// unite neighbouring cells; they are fixed here, with the run, so that every later run is counted in the same ones.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Distribution {
    /// "score" or "feature".
    pub subject: String,
    /// The feature; for scores the output where there are several, else "".
    pub feature: String,
    /// 0: cells hold single values. Else, for numbers: so many low bits of a value were dropped to make its cell; for
    /// categories: 1, names were hashed into buckets.
    pub coarseness: u32,
    pub cells: Vec<DistributionCell>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct DistributionCell {
    pub value: CellValue,
    pub bin: u32,
    /// Rows.
    pub n: u64,
    /// Sum of the rows' weights.
    pub weight: f64,
}

/// What the rows of a cell have in common.
#[derive(Debug, Clone, PartialEq)]
pub enum CellValue {
    /// The value, or the middle of a cell of values.
    Number(f64),
    Category(String),
    Missing,
    Infinite,
}
