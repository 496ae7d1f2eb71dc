//! `[explain.lime]`: how local surrogates are drawn and fitted.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Neighbours, kernel and regression of LIME. The defaults are those of the `lime` package, with all features.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Lime {
    /// Numbers become bins between the background's quartiles or deciles, or stay numbers. Default "quartile".
    pub discretiser: Discretiser,
    /// Width of the exponential kernel. Default: 0.75 times the square root of the number of columns.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1e-6))]
    pub kernel_width: Option<f64>,
    /// "all", or how many features a surrogate may use at most. Default "all".
    pub features: SurrogateFeatures,
    /// How the best features are found. Default "auto": forward selection for up to 6, else the highest weights.
    pub selection: FeatureSelection,
    /// Penalty on the surrogate's squared coefficients. Default 1.
    #[schemars(range(min = 1e-9))]
    pub ridge: f64,
    /// discretiser = "none": numbers are drawn around the background's mean or around the row. Default "data".
    pub around: Around,
    /// What is drawn for a bin that holds one number only: 0 as `lime` does, or that number. Default "as_lime".
    pub point_bins: PointBins,
    /// Further neighbourhoods, scored in full, that stability is measured over; 0: from 20 bootstrap replicates of the
    /// one neighbourhood, which costs no scores. Default 0.
    #[schemars(range(max = 100))]
    pub seeds: u64,
    /// Pictures: about how many segments. Default: 50, or one for every 25 pixels where these are fewer.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 2, max = 1000))]
    pub segments: Option<u64>,
    /// Pictures: weight of place against colour, whose range counts as 1; more makes segments more square. Default 0.1.
    #[schemars(range(min = 1e-6))]
    pub compactness: f64,
    /// Pictures: what a segment that is left out looks like, its "mean" colour or a number as the model takes it.
    /// Default "mean".
    pub hide_color: HideColor,
}

impl Default for Lime {
    fn default() -> Self {
        Lime {
            discretiser: Discretiser::Quartile,
            kernel_width: None,
            features: SurrogateFeatures::All,
            selection: FeatureSelection::Auto,
            ridge: 1.0,
            around: Around::Data,
            point_bins: PointBins::AsLime,
            seeds: 0,
            segments: None,
            compactness: 0.1,
            hide_color: HideColor::Mean,
        }
    }
}

/// How numbers become few values that a row shares with its neighbours or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Discretiser {
    /// Up to four bins.
    Quartile,
    /// Up to ten bins.
    Decile,
    /// Standardised numbers.
    None,
}

/// How many features.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SurrogateFeatures {
    /// Every one.
    All,
    /// At most so many; the others get 0.
    #[serde(untagged)]
    Best(#[schemars(range(min = 1))] u64),
}

/// How the best features are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FeatureSelection {
    /// Forward selection for up to 6 features, else the highest weights.
    Auto,
    /// One after the other, each time the one that raises R² most.
    Forward,
    /// The largest contributions in a regression on all.
    HighestWeights,
    /// Those that the lasso path uses before it uses more.
    LassoPath,
}

/// What a segment that is left out looks like.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HideColor {
    /// Its mean colour.
    Mean,
    /// This number in every channel.
    #[serde(untagged)]
    Number(f64),
}

/// Where undiscretised numbers are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Around {
    /// Around the background's mean.
    Data,
    /// Around the row's own number.
    Row,
}

/// What is drawn for a bin that holds one number only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PointBins {
    /// 0, as `lime` does.
    AsLime,
    /// The number.
    Own,
}
