//! What an audit says of the inside of a network.

use super::DrawnMap;
use serde::{Deserialize, Serialize};

/// A layer's numbers over the rows of a group, or over all rows that were sent through.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LayerActivity {
    /// The tensor's name.
    pub layer: String,
    /// The operator that computes it.
    pub op: String,
    /// "[N, 32, 14, 14]".
    pub shape: String,
    /// Learnt numbers of the block that the layer ends.
    pub parameters: u64,
    /// "" = all rows.
    pub attribute: String,
    pub group_value: String,
    /// Rows.
    pub n: u64,
    /// Channels or neurons.
    pub units: u64,
    /// Of all numbers; `None` where there is none, as all below.
    pub mean: Option<f64>,
    /// Their population standard deviation.
    pub std: Option<f64>,
    /// Share of exact zeros.
    pub zero_fraction: Option<f64>,
    pub minimum: Option<f64>,
    pub maximum: Option<f64>,
    /// Units that are constant or, behind a rectifier, never above 0 in these rows.
    pub dead_units: Option<u64>,
    /// How well a linear probe tells the label (all rows) or the attribute (`group_value` ""): AUC, or R² of values.
    pub separability: Option<f64>,
}

/// One measure of a linear probe on rows that it was not fitted on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LayerProbe {
    pub layer: String,
    /// What is told: "" = the label, else an attribute.
    pub attribute: String,
    /// "balanced_accuracy", "roc_auc" (mean of each class against the rest) or "r2".
    pub measure: String,
    /// `None` exactly if `undefined_reason` is `Some`.
    pub value: Option<f64>,
    pub undefined_reason: Option<String>,
    pub ci_low: Option<f64>,
    pub ci_high: Option<f64>,
    /// What is reached without looking: by the largest class, any order, the mean.
    pub baseline: Option<f64>,
    pub n_train: u64,
    pub n_test: u64,
    /// 0 for values.
    pub n_classes: u64,
    /// Numbers of a row that the probe sees.
    pub n_inputs: u64,
    /// "all numbers", "means over a 4 × 4 grid per channel", …
    pub reduction: String,
}

/// One unit of a layer over all rows that were sent through.
#[derive(Debug, Clone, PartialEq)]
pub struct LayerUnit {
    pub layer: String,
    pub unit: u64,
    pub n: u64,
    pub mean: Option<f64>,
    pub std: Option<f64>,
    pub zero_fraction: Option<f64>,
    pub minimum: Option<f64>,
    pub maximum: Option<f64>,
    pub is_dead: Option<bool>,
}

/// Planes of one layer: the same units for each of the rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FeatureMaps {
    /// The tensor's name.
    pub layer: String,
    /// Numbers of a unit's plane.
    pub height: u64,
    pub width: u64,
    /// Pixels of what is kept: each is the mean of a square of the plane.
    pub drawn_height: u64,
    pub drawn_width: u64,
    /// Units whose numbers spread most over all rows that were sent through, in order.
    pub units: Vec<u64>,
    /// Units of the layer in all.
    pub n_units: u64,
    pub rows: Vec<FeatureMapsRow>,
}

/// Planes of one row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FeatureMapsRow {
    pub row_id: String,
    /// As its case.
    pub chosen_as: String,
    pub label: Option<String>,
    /// One for each of the units; without shades.
    pub maps: Vec<DrawnMap>,
}
