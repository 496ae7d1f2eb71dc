//! Bias and fairness: counts by group, and everything that follows from them.
//!
//! One pass over the scored rows fills a [`FairnessAccumulator`]: per cell (tuple of group levels) and output the
//! outcomes (label × decision), exact sums and the distribution of scores. Partials merge to the same bits. Then
//! ```text
//! cells → layout (groups, "(others)", strata) → group table: every measure of `table` for every group,
//!           with closed-form intervals and bootstrap replicates from counts
//!       → comparisons: against the best group, the reference, across groups; pairs of score distributions; within
//!         strata; inequality; Clarify's set
//!       → rows of `metrics`, `group_counts`, `curves`
//! ```
//! What cannot be computed is a row without a value and with a reason, never 0. [`table`] defines every metric once;
//! `docs/metrics.md` is printed from it and from [`model_facts`], what is measured of the model itself. [`gates`] turns metrics into verdicts; [`attribution`] summarises
//! explanations by group.

mod accumulator;
mod across;
mod adjusted;
pub mod attribution;
mod attribution_gaps;
mod cell;
mod clarify;
mod classes;
mod compare;
mod conditional;
mod confusion;
mod curves;
mod differential;
pub mod docs;
mod emit;
mod estimate;
mod extremes;
mod finish;
pub mod gates;
mod group_table;
mod inequality;
mod layout;
pub mod model_facts;
mod regression;
mod replicates;
mod score_gaps;
mod screens;
mod sweep;
pub mod table;

#[cfg(test)]
mod tests;

pub use accumulator::{FairnessAccumulator, Rows, Truth};
pub use layout::OTHERS;

use crate::audit::{AttributeScope, CurvePoint, GroupCount, Metric};
use crate::stats::groups::GroupError;
use std::collections::BTreeMap;

/// What is predicted, and so which metrics there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Task {
    Binary,
    Multiclass,
    Regression,
}

impl Task {
    pub fn name(self) -> &'static str {
        match self {
            Self::Binary => "binary",
            Self::Multiclass => "multiclass",
            Self::Regression => "regression",
        }
    }
}

/// A sensitive attribute: one group column, or several for an intersection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttributeSpec {
    /// "sex" or "sex,race".
    pub name: String,
    /// Positions among the group columns of the rows.
    pub columns: Vec<usize>,
}

/// What to measure.
#[derive(Debug, Clone, PartialEq)]
pub struct Spec {
    pub attributes: Vec<AttributeSpec>,
    /// Attribute name → reference group; the largest group where absent.
    pub reference: BTreeMap<String, String>,
    pub task: Task,
    /// Binary decision on the probability: marked in the threshold sweep and kept apart by the bootstrap's bins.
    pub threshold: f64,
    /// Accuracy that another threshold may cost where the one of the smallest difference is looked for.
    pub accuracy_loss: f64,
    /// Column of the scores that holds the positive class (binary).
    pub positive_output: usize,
    pub favourable_is_positive: bool,
    /// Names of the score columns, in order.
    pub outputs: Vec<String>,
    /// Two-sided confidence level of all intervals, e.g. 0.95.
    pub confidence: f64,
    /// Bootstrap replicates; 0: closed-form intervals only.
    pub bootstrap: usize,
    /// Group columns within whose levels everything is measured once more.
    pub strata: Vec<usize>,
    pub seed: u64,
    /// Only these metrics; `None` = all.
    pub metrics: Option<Vec<String>>,
}

/// Everything measured, in the catalogue's terms.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FairnessResult {
    pub metrics: Vec<Metric>,
    pub group_counts: Vec<GroupCount>,
    pub curves: Vec<CurvePoint>,
    pub attributes: Vec<AttributeScope>,
}

#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum FairnessError {
    #[error(transparent)]
    Groups(#[from] GroupError),
    #[error("no rows to measure: the data is empty or everything was filtered out")]
    NoRows,
    #[error("the score of row {row} is {score}; only finite numbers can be measured")]
    ScoreNotFinite { row: u64, score: f64 },
    #[error("the score of row {row} is {score}, not a probability; classification is measured on scores from 0 to 1")]
    ScoreNotProbability { row: u64, score: f64 },
    #[error("the weight of row {row} is {weight}; weights must be from 0 to 1e9")]
    Weight { row: u64, weight: f64 },
    #[error("row {row} has the class {class}, but there are {classes} classes")]
    Class { row: u64, class: u32, classes: usize },
    #[error("some rows carry weights and others do not")]
    MixedWeights,
    #[error("the labels are not those of a {task} audit: classes are for classification, numbers for regression")]
    LabelKind { task: &'static str },
    #[error("rows have {found} of {expected} {what}")]
    Shape { what: &'static str, found: usize, expected: usize },
    #[error("reference group {reference:?} of {attribute} is not in the data; its groups are {}", groups.join(", "))]
    UnknownReference { attribute: String, reference: String, groups: Vec<String> },
    #[error("{attribute} has one group only ({group}); there is nothing to compare: remove it from the attributes")]
    OneGroup { attribute: String, group: String },
    #[error("{attribute} has no group with rows: every value is missing")]
    NoKnownGroup { attribute: String },
    #[error("unknown metric {name:?} for a {task} audit; did you mean {}?", close.join(", "))]
    UnknownMetric { name: String, task: &'static str, close: Vec<String> },
}
