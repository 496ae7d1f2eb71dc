//! A small decision tree that stands in for the model.

use serde::{Deserialize, Serialize};

/// The attribute of `metrics` under which facts of the model as a whole stand.
pub const MODEL: &str = "(model)";

/// A tree fitted to the model's scores on a sample of rows; how far it follows them stands in `metrics`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Surrogate {
    /// What a node's `values` are about, in their order.
    pub outputs: Vec<String>,
    /// Levels of splits at most.
    pub depth: u64,
    /// Rows that it was grown on.
    pub n_fitted: u64,
    /// Rows that its fidelity was measured on.
    pub n_held_out: u64,
    /// Rows that both were drawn from.
    pub n_total: u64,
    /// Share of held-out rows with the model's commonest decision; `None` for regressions.
    pub commonest: Option<f64>,
    /// Node 0 is the root; children stand behind their parent.
    pub nodes: Vec<SurrogateNode>,
}

/// A place in the tree; the `surrogate_nodes` rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SurrogateNode {
    /// Rows of the sample that reach it.
    pub n: u64,
    /// Their share of all weight.
    pub share: f64,
    /// Mean score of each output.
    pub values: Vec<f64>,
    /// What these scores would decide; `None` for regressions.
    pub decision: Option<String>,
    /// `None` for a leaf.
    pub split: Option<SurrogateSplit>,
}

/// A question about one feature.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SurrogateSplit {
    pub feature: String,
    /// Rows with at most this go to `yes`; `None` for other questions.
    pub threshold: Option<f64>,
    /// Rows of one of these categories go to `yes`; empty for other questions. With neither, all rows with a value do.
    pub categories: Vec<String>,
    /// The feature's values are not to be stored: the question is known, its answer is not.
    pub dropped: bool,
    /// Whether rows without a value go to `yes`; `None` where no row lacks one.
    pub missing_yes: Option<bool>,
    /// Share of the node's sum of squared distances from the mean that the split takes.
    pub gain: f64,
    /// Positions among the nodes.
    pub yes: u64,
    pub no: u64,
}
