//! `[explain]`: how each score is attributed to the columns.

use super::{Lime, PARQUET_PATTERN};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Method, scale and extent of the attributions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Explain {
    /// How attributions are computed. Default "auto": the best method for the model.
    pub method: Method,
    /// What is explained: "margin" or "probability". Default: margin for trees and linear models, else probability.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scale: Option<Scale>,
    /// Which of the model's outputs are explained. Default: "positive" for binary tasks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outputs: Option<Outputs>,
    /// "all", or how many rows are explained, sampled with the seed. Default "all".
    pub rows: Rows,
    /// Pairwise values where the method has them. Default false.
    pub interactions: bool,
    /// tree_path_dependent: where the rows per node come from. Default "background".
    pub cover: Cover,
    /// Sampling methods: coalitions per row, each scored against every background row; LIME: neighbours per row;
    /// integrated and expected gradients: gradients per row and baseline at most; partition: scores per row. Default 2048.
    #[schemars(range(min = 1))]
    pub budget: u64,
    /// kernel: how coalitions are drawn. Default "leverage".
    pub sampling: Sampling,
    /// Above 0: the k largest attributions per row are kept, the rest summed as "(other)". Default 0: all.
    pub top_k: u64,
    /// What "absent" is. Default "background": its rows, or their mean for integrated gradients.
    pub baseline: Baseline,
    /// LIME: neighbours, kernel and regression.
    pub lime: Lime,
    /// Occlusion: the window that slides over a picture.
    pub occlusion: Occlusion,
    /// Columns that act as one player, or as a cluster of players.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub players: Vec<Players>,
    /// Further methods beside the main one, with the same keys but this one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<Explain>,
}

impl Default for Explain {
    fn default() -> Self {
        Explain {
            method: Method::Auto,
            scale: None,
            outputs: None,
            rows: Rows::All,
            interactions: false,
            cover: Cover::Background,
            budget: 2048,
            sampling: Sampling::Leverage,
            top_k: 0,
            baseline: Baseline::Background,
            lime: Lime::default(),
            occlusion: Occlusion::default(),
            players: Vec::new(),
            also: Vec::new(),
        }
    }
}

/// How attributions are computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// The best method for the model.
    Auto,
    /// Exact interventional Shapley values of a tree ensemble.
    Tree,
    /// Path-dependent Shapley values of a tree ensemble.
    TreePathDependent,
    /// Exact Shapley values of a linear model.
    Linear,
    /// Exact Shapley values by enumeration, for few players.
    Exact,
    /// Shapley values from weighted sampled coalitions.
    Kernel,
    /// Shapley values from sampled permutations.
    Permutation,
    /// Local linear surrogate.
    Lime,
    /// Gradient times input.
    Gradient,
    /// Gradient times input, the gradient being the mean of noisy copies.
    SmoothGrad,
    /// Gradients along the way from the baseline.
    IntegratedGradients,
    /// Integrated gradients averaged over the background.
    ExpectedGradients,
    /// Rescale rule through the layers, an approximation.
    Deep,
    /// What the score loses when a column, or a window of a picture, is replaced.
    Occlusion,
    /// Owen values over halves of halves of a picture.
    Partition,
    /// No attributions.
    None,
}

/// A window that slides over a picture, in pixels.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Occlusion {
    /// Height and width. Default: a quarter of the picture's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window: Option<[u32; 2]>,
    /// Steps downwards and to the right, not longer than the window. Default: half of the window.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stride: Option<[u32; 2]>,
}

/// What is explained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scale {
    /// The model's raw output before any link.
    Margin,
    /// What the model reports.
    Probability,
}

impl Scale {
    /// The word of the TOML and of results.
    pub fn name(self) -> &'static str {
        match self {
            Scale::Margin => "margin",
            Scale::Probability => "probability",
        }
    }
}

/// Which outputs are explained.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outputs {
    /// Class 1 of a binary model.
    Positive,
    /// The class that the model decides for, row by row.
    Predicted,
    /// Every class.
    All,
    /// Class indices, from 0.
    #[serde(untagged)]
    Classes(#[schemars(length(min = 1))] Vec<u64>),
}

/// How many rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Rows {
    /// Every row.
    All,
    /// So many, sampled with the seed.
    #[serde(untagged)]
    Count(#[schemars(range(min = 1))] u64),
}

/// Rows that reach each node, as path-dependent values weigh them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Cover {
    /// Counted by sending the background through the trees.
    Background,
    /// The hit rates that the model carries.
    Model,
    /// A Parquet file with the columns treeid, nodeid and cover.
    #[serde(untagged)]
    File(#[schemars(regex(pattern = PARQUET_PATTERN))] String),
}

/// How method "kernel" draws coalitions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Sampling {
    /// In pairs by their leverage scores, without replacement, afresh for each background row.
    Leverage,
    /// KernelSHAP as published, to compare with: by the Shapley kernel with replacement.
    ShapleyKernel,
}

/// What "absent" is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Baseline {
    /// The background's rows, or their mean for integrated gradients.
    Background,
    /// Zero in every input.
    Zero,
    /// The rows of a Parquet file.
    #[serde(untagged)]
    File(#[schemars(regex(pattern = PARQUET_PATTERN))] String),
}

/// Columns that act as one player, or as a cluster of players.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Players {
    /// Name of the player in results, or of the cluster.
    #[schemars(length(min = 1))]
    pub name: String,
    /// Columns that join and leave together.
    #[schemars(length(min = 1))]
    pub columns: Vec<String>,
    /// Shares the worth of the cluster among its columns (Owen values). Default false: one player with one value.
    #[serde(default, skip_serializing_if = "is_false")]
    pub split: bool,
}

fn is_false(value: &bool) -> bool {
    !value
}
