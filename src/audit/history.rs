//! Earlier nights of the pipeline, as they were known when a run was recorded.

use super::{Decision, LimitOn};
use serde::{Deserialize, Serialize};

/// What one run tells later ones: its gates and key metrics, as far as its report may show them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Night {
    pub run_id: String,
    /// `YYYY-MM-DD`.
    pub as_of: String,
    pub verdict: Decision,
    pub n_rows: u64,
    /// The limit of small cells that its numbers were published under; 0: none.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub suppress_below: u64,
    pub gates: Vec<NightGate>,
    pub metrics: Vec<NightMetric>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NightGate {
    /// The gate as a sentence, as it was that night.
    pub gate: String,
    pub metric: String,
    pub attribute: String,
    pub limit: f64,
    #[serde(default)]
    pub limit_on: LimitOn,
    pub decision: Decision,
    /// "fail" or "warn".
    pub severity: String,
    #[serde(flatten)]
    pub seen: Seen,
}

/// A key metric over all rows, or across the groups of an attribute.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NightMetric {
    pub metric: String,
    pub attribute: String,
    /// "" = the positive class, no class in particular, or the only output; "(macro)", "(worst)" for several.
    pub output: String,
    #[serde(flatten)]
    pub seen: Seen,
}

/// One observed number; `None` where it is undefined.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Seen {
    pub value: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ci_low: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ci_high: Option<f64>,
    /// There is a number, and it was not published.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub withheld: bool,
}

fn is_zero(n: &u64) -> bool {
    *n == 0
}
