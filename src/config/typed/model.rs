//! `[model]` and `[background]`: what scores the rows, and what it is compared with.

use super::Rows;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The ONNX model and how its outputs are read.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Model {
    /// ONNX file, relative to this file's folder. Needed unless `[data] score` names recorded scores.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub path: Option<String>,
    /// What the model decides. Default: read from the model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task: Option<Task>,
    /// Binary tasks: probability from which the decision is the positive class. Default 0.5.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub threshold: Option<f64>,
    /// Display names of the classes, in the model's order. Default: the labels as text.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub classes: Option<Vec<String>>,
    /// Output that holds probabilities (or values): only where the model has several and they cannot be told apart.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output: Option<String>,
    /// Output that holds margins. Default: the graph is cut before its last Sigmoid or Softmax.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub margin_output: Option<String>,
    /// Model input to column, or to a list of columns for a matrix: only where names do not match.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub inputs: BTreeMap<String, InputColumns>,
}

/// Kind of prediction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// Two classes, one decision threshold.
    Binary,
    /// Three or more classes, the most probable is the decision.
    Multiclass,
    /// A number.
    Regression,
}

/// What one model input is fed with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum InputColumns {
    /// One column.
    One(String),
    /// The columns of a matrix, in order.
    Matrix(#[schemars(length(min = 1))] Vec<String>),
}

/// Reference rows of Shapley values and gradients.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Background {
    /// File with the model's columns, relative to this file's folder. Default: the evaluation data itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub path: Option<String>,
    /// "all", or how many rows are sampled with the seed. Default: all where the cost does not depend on it, else 200.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows: Option<Rows>,
}
