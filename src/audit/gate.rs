//! A decided gate.

use super::Decision;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Gate {
    /// The gate as a sentence: "demographic_parity_ratio over sex ≥ 0.8".
    pub gate: String,
    pub metric: String,
    pub attribute: String,
    pub observed: Option<f64>,
    pub ci_low: Option<f64>,
    pub ci_high: Option<f64>,
    /// "≥ 0.8" as typed limits: the first breached, or the first configured.
    pub limit: f64,
    pub baseline_value: Option<f64>,
    /// What the limit is on.
    #[serde(default)]
    pub limit_on: LimitOn,
    /// The change that a limit on change is about, with its interval.
    #[serde(default)]
    pub change: Option<f64>,
    #[serde(default)]
    pub change_low: Option<f64>,
    #[serde(default)]
    pub change_high: Option<f64>,
    /// Comparable runs in a row, this one included, that breached the gate.
    #[serde(default)]
    pub breaches: u32,
    pub decision: Decision,
    /// "fail" or "warn".
    pub severity: String,
    pub reason: String,
    pub n: u64,
}

/// What a gate's limit is on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LimitOn {
    #[default]
    Value,
    /// |value − baseline value|.
    Change,
    /// |value − baseline value| / |baseline value|.
    RelativeChange,
}
