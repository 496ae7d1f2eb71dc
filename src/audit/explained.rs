//! What an audit says of features: how much they count, for whom, and what they tell of the groups.

use serde::{Deserialize, Serialize};

/// Pairs of features that a run keeps of each output, the strongest.
pub const MOST_PAIRS: usize = 200;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Importance {
    /// "attribution" (mean |φ|) or "permutation".
    pub method: String,
    /// "mean_abs_attribution", "roc_auc", …
    pub metric: String,
    pub feature: String,
    pub output: String,
    pub value: f64,
    pub std_err: Option<f64>,
    pub ci_low: Option<f64>,
    pub ci_high: Option<f64>,
    /// 1 is the most important.
    pub rank: u32,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GroupAttribution {
    pub attribute: String,
    pub group_value: String,
    pub feature: String,
    pub output: String,
    pub n: u64,
    pub mean: f64,
    pub mean_abs: f64,
    pub std: f64,
    pub q05: f64,
    pub q25: f64,
    pub q50: f64,
    pub q75: f64,
    pub q95: f64,
    pub mean_ci_low: f64,
    pub mean_ci_high: f64,
}

/// The difference of a feature's mean attributions between a group and the reference: its part of the gap of mean
/// scores.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct AttributionGap {
    pub attribute: String,
    pub group_value: String,
    pub reference: String,
    /// "" for all rows, "favourable label" for those whose label is the favourable one.
    pub condition: String,
    pub feature: String,
    pub output: String,
    pub n: u64,
    pub n_reference: u64,
    pub difference: f64,
    /// `None` for fewer than two rows on a side.
    pub ci_low: Option<f64>,
    pub ci_high: Option<f64>,
    /// Of random relabelling; `None` for fewer than ten rows on a side and where nothing varies.
    pub p_value: Option<f64>,
    /// Benjamini–Hochberg's over the features.
    pub p_adjusted: Option<f64>,
}

/// How well one feature tells the groups of an attribute, on a seeded sample.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Proxy {
    pub attribute: String,
    pub feature: String,
    /// Rows of the sample whose group is known.
    pub n: u64,
    /// In nats, corrected for its bias (Miller and Madow).
    pub mutual_information: f64,
    /// Share of the attribute's entropy that the feature takes away, 0 to 1 (Theil's U).
    pub uncertainty_coefficient: f64,
    /// Corrected for its bias (Bergsma).
    pub cramers_v: f64,
    /// Of the χ² test of independence.
    pub p_value: Option<f64>,
    /// Of the feature's values for the one group against the other, at least ½; for numbers and two groups.
    pub auc: Option<f64>,
    /// The feature's share of all mean |attribution|, of the first explained output.
    pub attribution_share: Option<f64>,
}
