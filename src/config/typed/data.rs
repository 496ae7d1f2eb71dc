//! `[data]`: which rows are read and what their columns mean.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Rows to audit, and which of their columns are ids, labels, weights and scores.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Data {
    /// File, glob or folder: .parquet, .csv, .ndjson, .arrow or .ipc; relative to this file's folder.
    #[schemars(length(min = 1))]
    pub path: String,
    /// Column that names a row. Default: the row's number, from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Column with the outcome that came true. Without it only label-free metrics are computed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Label value that is class 1 (binary tasks). Default: 1 or true.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub positive: Option<Scalar>,
    /// Label value that is good for the person. Default: the positive one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub favourable: Option<Scalar>,
    /// Column with row weights. Default: every row counts once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight: Option<String>,
    /// Column with scores computed elsewhere; then `[model]` needs no path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub score: Option<String>,
    /// SQL predicate that rows must satisfy, such as `age >= 18`. Default: all rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub filter: Option<String>,
    /// Number columns that are codes. Text and booleans always are categories.
    #[serde(default)]
    pub categorical: Vec<String>,
    /// Columns that the model wants encoded: the listed categories become 0, 1, …; a value not listed becomes missing.
    #[serde(default)]
    pub encode: BTreeMap<String, Vec<Scalar>>,
    /// Image models: the column that holds the pictures.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<Image>,
}

impl Data {
    /// Names of an encoded column's categories by code; none for other columns.
    pub fn categories(&self, column: &str) -> Vec<String> {
        self.encode.get(column).into_iter().flatten().map(ToString::to_string).collect()
    }

    /// Whether a column's numbers are codes without an order, because it is encoded or listed.
    pub fn is_code(&self, column: &str) -> bool {
        self.encode.contains_key(column) || self.categorical.iter().any(|listed| listed == column)
    }
}

/// A value of a column: text, whole number, number or boolean.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Scalar {
    Boolean(bool),
    Integer(i64),
    Float(f64),
    Text(String),
}

/// Pictures in one column. The layout (NHWC or NCHW) comes from the model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Image {
    /// Column of PNG or JPEG bytes, whose numbers go from 0 to 255, or of number lists in the order of the model's input.
    pub column: String,
    /// Each number is multiplied by it first. Default 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scale: Option<f64>,
    /// Subtracted after scaling: one number, or one per channel. Default 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mean: Option<PerChannel>,
    /// Divided by after subtracting the mean: one number, or one per channel. Default 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub std: Option<PerChannel>,
    /// Height and width, in pixels, of patches that act as players `patch_ROW_COL` for Shapley methods.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patch: Option<[u32; 2]>,
}

/// One number for all channels, or a list with one per channel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum PerChannel {
    Same(f64),
    Each(#[schemars(length(min = 1))] Vec<f64>),
}

impl std::fmt::Display for Scalar {
    /// The value as it reads in the data: `>50K`, `1`, `0.5`, `true`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Scalar::Boolean(value) => value.fmt(f),
            Scalar::Integer(value) => value.fmt(f),
            Scalar::Float(value) => value.fmt(f),
            Scalar::Text(value) => f.write_str(value),
        }
    }
}
