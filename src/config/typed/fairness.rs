//! `[fairness]` and `[[gates]]`: which groups are compared, and what must hold.

use super::Scalar;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Groups and the metrics that compare them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fairness {
    /// Columns that make groups: a name, a list of names for their intersection, or `{ column, bins }` for numbers.
    #[schemars(length(min = 1))]
    pub attributes: Vec<Attribute>,
    /// Reference group by attribute (`sex = "Male"`, `"sex,race" = "Male,White"`). Default: the largest group.
    #[serde(default)]
    pub reference: BTreeMap<String, Scalar>,
    /// "all", or names of metrics. Default "all".
    #[serde(default)]
    pub metrics: MetricsChoice,
    /// Bootstrap replicates behind intervals; 0: no bootstrap intervals. Default 1000.
    #[serde(default = "default_bootstrap")]
    #[schemars(range(max = 1_000_000))]
    pub bootstrap: u64,
    /// Coverage of all intervals, between 0 and 1. Default 0.95.
    #[serde(default = "default_confidence")]
    #[schemars(extend("exclusiveMinimum" = 0.0, "exclusiveMaximum" = 1.0))]
    pub confidence: f64,
    /// Rows from which a group is judged; smaller ones keep their numbers, verdicts are "insufficient". Default 30.
    #[serde(default = "default_min_group_rows")]
    #[schemars(range(min = 1))]
    pub min_group_rows: u64,
    /// Columns within whose values groups are compared as well (conditional metrics).
    #[serde(default)]
    pub strata: Vec<String>,
    /// Accuracy that another threshold may cost where the one of the smallest difference between groups is shown
    /// (binary). It is never applied. Default 0.01.
    #[serde(default = "default_accuracy_loss")]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub accuracy_loss: f64,
}

fn default_accuracy_loss() -> f64 {
    0.01
}

fn default_bootstrap() -> u64 {
    1000
}

fn default_confidence() -> f64 {
    0.95
}

fn default_min_group_rows() -> u64 {
    30
}

/// What makes groups.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Attribute {
    /// The values of one column.
    Column(#[schemars(length(min = 1))] String),
    /// The combinations of several columns' values.
    Intersection(#[schemars(length(min = 2))] Vec<String>),
    /// A number column cut into bands.
    Binned(Binned),
}

/// A number column cut into bands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Binned {
    /// The number column.
    pub column: String,
    /// Ascending limits between bands; a value equal to a limit belongs to the band above it.
    #[schemars(length(min = 1))]
    pub bins: Vec<f64>,
}

impl Attribute {
    /// The attribute's name in results: "sex", "sex,race", "age".
    pub fn name(&self) -> String {
        match self {
            Attribute::Column(column) => column.clone(),
            Attribute::Intersection(columns) => columns.join(","),
            Attribute::Binned(binned) => binned.column.clone(),
        }
    }
}

/// Which metrics.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MetricsChoice {
    /// Every metric that the task has.
    #[default]
    All,
    /// By name.
    #[serde(untagged)]
    Named(Vec<String>),
}

/// A limit on one metric.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Gate {
    /// Name of the metric.
    #[schemars(length(min = 1))]
    pub metric: String,
    /// Measures of drift ("psi", "js", "ks", "wasserstein"): the feature, or "(score)". Default: the worst of all features and the score.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub feature: Option<String>,
    /// Attribute of a fairness metric ("sex", or "sex,race" for an intersection). Default: over all rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attribute: Option<String>,
    /// Smallest value that passes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    /// Largest value that passes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
    /// Largest change against the baseline that passes, in the metric's own unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0))]
    pub max_change: Option<f64>,
    /// Largest change against the baseline that passes, as a share of the baseline's value.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0))]
    pub max_relative_change: Option<f64>,
    /// Run that changes and drift are measured against: "previous", a run id or a unique beginning of one,
    /// PIPELINE@latest or PIPELINE@DATE. Default "previous".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub baseline: Option<ChangeBaseline>,
    /// What must breach the limit: the value itself, or its whole confidence interval. Default "point".
    #[serde(default)]
    pub decide_on: DecideOn,
    /// Comparable runs in a row, the last one included, that must breach before the gate fails. Default 1.
    #[serde(default = "default_consecutive")]
    #[schemars(range(min = 1, max = 1000))]
    pub consecutive: u32,
    /// What a breach means: exit code 1, or a warning. Default "fail".
    #[serde(default)]
    pub severity: Severity,
}

fn default_consecutive() -> u32 {
    1
}

/// Run that changes are measured against.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChangeBaseline {
    /// The pipeline's run before this one.
    Previous,
    /// A run, as on the command line.
    #[serde(untagged)]
    Run(#[schemars(length(min = 1))] String),
}

/// What must breach a limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DecideOn {
    /// The value.
    #[default]
    Point,
    /// The whole confidence interval.
    Interval,
}

/// What a breach means.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The verdict is "fail".
    #[default]
    Fail,
    /// The run says so and passes.
    Warn,
}
