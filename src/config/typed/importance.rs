//! `[importance]`: what matters over all rows.

use super::Scalar;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Importance of columns over all rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Importance {
    /// How importance is measured. Default: attribution where rows are explained, and permutation where there are labels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub methods: Option<Vec<ImportanceMethod>>,
    /// Metrics whose loss permutation importance measures. Default: by task.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub metrics: Option<Vec<String>>,
    /// Shufflings of each column. Default 10.
    #[schemars(range(min = 1))]
    pub repeats: u64,
    /// Permutation: columns that are shuffled together, beside the single ones.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<ColumnGroup>,
    /// Permutation: columns of the model within whose values everything is shuffled once more (conditional importance).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub strata: Vec<String>,
    /// Points of partial dependence and accumulated local effects: a number, the points by column, or "thresholds".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grid: Option<Grid>,
    /// Pairs of columns whose joint curves "pdp" and "ale" draw besides.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pairs: Vec<[String; 2]>,
    /// Interaction, sage, sobol, morris, sensitivity, each pair: most rows that each asks the model about. Default 200000.
    #[schemars(range(min = 1))]
    pub budget: u64,
    /// Sensitivity: the small change of a number, in its standard deviations. Default 0.25.
    #[schemars(range(min = 1e-6))]
    pub delta: f64,
}

impl Default for Importance {
    fn default() -> Self {
        Importance {
            methods: None,
            metrics: None,
            repeats: 10,
            groups: Vec::new(),
            strata: Vec::new(),
            grid: None,
            pairs: Vec::new(),
            budget: 200_000,
            delta: 0.25,
        }
    }
}

/// Columns under one name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ColumnGroup {
    /// Name of the group in results.
    #[schemars(length(min = 1))]
    pub name: String,
    /// Its columns; one may be in several groups.
    #[schemars(length(min = 1))]
    pub columns: Vec<String>,
}

/// How importance is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ImportanceMethod {
    /// Mean absolute attribution.
    Attribution,
    /// Loss of a metric when the column is shuffled.
    Permutation,
    /// Partial dependence.
    Pdp,
    /// Accumulated local effects.
    Ale,
    /// Individual conditional expectations.
    Ice,
    /// Friedman's H and mean absolute interaction values.
    Interaction,
    /// Shapley values of the loss.
    Sage,
    /// Variance-based sensitivity indices.
    Sobol,
    /// Elementary effects.
    Morris,
    /// Largest change of score and decision by a change of one column.
    Sensitivity,
    /// A tree of depth 4 fitted to the scores, and how far it follows them.
    Surrogate,
    /// Deletion and insertion curves and stability under noise, for every explanation method of the run.
    Faithfulness,
}

/// Where curves are evaluated.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Grid {
    /// Tree ensembles: every number at which the answer can change.
    Thresholds,
    /// So many points per column, at quantiles.
    #[serde(untagged)]
    Points(#[schemars(range(min = 2))] u64),
    /// The points themselves, by column: numbers, or categories.
    #[serde(untagged)]
    Given(BTreeMap<String, Vec<Scalar>>),
}
