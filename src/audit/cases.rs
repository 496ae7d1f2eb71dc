//! Single rows worth looking at, with what explains them.

use serde::{Deserialize, Serialize};

/// One row of the data, explained.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Case {
    pub row_id: String,
    /// "highest score", "lowest score", "nearest the threshold", "most unusual explanation".
    pub chosen_as: String,
    pub output: String,
    pub label: Option<String>,
    /// Probability or value as the model reports it.
    pub score: f64,
    /// Σφ + base on the explained scale.
    pub explained_score: f64,
    pub base_value: f64,
    pub terms: Vec<CaseTerm>,
    /// Sum of the attributions that are not among the terms, where only the largest were kept.
    #[serde(default)]
    pub other: Option<f64>,
    /// The row's surrogate, for methods that fit one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub local_fit: Option<CaseFit>,
    /// `None` where nothing tried turns it, or it was not asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flip: Option<CaseFlip>,
}

/// The smallest change of a single column that turns a row's decision, among the values tried.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CaseFlip {
    pub feature: String,
    pub from: String,
    pub to: String,
    /// What the model reports with it, for the case's output.
    pub score: f64,
}

/// How well one row's surrogate fits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CaseFit {
    pub local_prediction: f64,
    pub r2: Option<f64>,
    pub stability: Option<f64>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CaseTerm {
    pub feature: String,
    pub feature_value: String,
    pub attribution: f64,
    /// What the attribution is for where that is not the value: "age > 48".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub term: Option<String>,
}
