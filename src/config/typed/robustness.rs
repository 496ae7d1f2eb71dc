//! `[robustness]`: whether small changes turn decisions.

use super::Rows;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Attacks along the gradients of the score: the share of decisions that small changes turn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Robustness {
    /// The largest change of each number, or several: of a column in its standard deviations, of a picture's numbers as
    /// the model takes them.
    pub epsilon: Epsilon,
    /// The epsilon whose shares are metrics that gates judge. Default: the largest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gate_epsilon: Option<f64>,
    /// Which changes are tried. Default "pgd".
    #[serde(default)]
    pub attack: AttackMethod,
    /// PGD: steps from every start. Default 20.
    #[serde(default = "twenty")]
    #[schemars(range(min = 1))]
    pub steps: u64,
    /// PGD: length of a step as a share of epsilon. Default 2.5 / steps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1e-6, max = 1))]
    pub step_size: Option<f64>,
    /// PGD: random starts beside the one from the row. Default 1.
    #[serde(default = "one")]
    pub restarts: u64,
    /// "all", or how many rows are attacked, sampled with the seed. Default 1000.
    #[serde(default = "thousand")]
    pub rows: Rows,
    /// Columns that may change; whole numbers and categories move by whole steps. Default: pictures, and numbers that
    /// are neither whole nor categories.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub columns: Option<Vec<String>>,
    /// Least and greatest number of a column, beyond which nothing is changed. Default: as in the data.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub range: BTreeMap<String, [f64; 2]>,
}

fn twenty() -> u64 {
    20
}

fn one() -> u64 {
    1
}

fn thousand() -> Rows {
    Rows::Count(1_000)
}

/// One size of change, or several.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Epsilon {
    /// One.
    One(#[schemars(range(min = 0))] f64),
    /// Several.
    Several(#[schemars(length(min = 1))] Vec<f64>),
}

impl Epsilon {
    /// All sizes as typed.
    pub fn sizes(&self) -> Vec<f64> {
        match self {
            Epsilon::One(size) => vec![*size],
            Epsilon::Several(sizes) => sizes.clone(),
        }
    }
}

/// Which changes are tried.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AttackMethod {
    /// One step along the signs of the gradient.
    Fgsm,
    /// That, and many small steps from it and from random starts.
    #[default]
    Pgd,
}
