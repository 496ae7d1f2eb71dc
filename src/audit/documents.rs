//! What documents tell beside the numbers: what is withheld, what was provided, why decisions were unfavourable.

use super::CaseTerm;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What documents need that no computation knows.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Documents {
    /// Free texts by field, as far as provided.
    pub fields: BTreeMap<String, String>,
    /// Texts of reasons by feature.
    pub reasons: BTreeMap<String, String>,
    pub reasons_version: Option<String>,
    /// Categories of a smaller share of the rows are left out of impact ratios.
    pub least_share: f64,
    /// Whether the decision for the positive class is the favourable one.
    pub favourable_is_positive: bool,
    /// Stands at the head.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logo: Option<Logo>,
    /// Sections of the house, in the order of the TOML.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sections: Vec<OwnSection>,
}

/// A picture, whole: it is shown from here alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Logo {
    pub media: Media,
    /// Its bytes in Base64, with padding.
    pub base64: String,
    /// What it shows.
    pub alt: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Media {
    #[serde(rename = "image/png")]
    Png,
    #[serde(rename = "image/jpeg")]
    Jpeg,
    #[serde(rename = "image/svg+xml")]
    Svg,
}

/// A section that the house wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnSection {
    pub title: String,
    /// As written.
    pub markdown: String,
    /// "start", "end", or the section of the report after which it stands.
    pub place: String,
}

/// Principal reasons of unfavourable decisions: features whose attributions push away from the favourable one.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct AdverseActions {
    /// Decisions explained.
    pub n_explained: u64,
    /// Those of them that are unfavourable.
    pub n_adverse: u64,
    /// Most reasons of one decision.
    pub per_decision: u32,
    /// The most frequent first.
    pub reasons: Vec<ReasonCount>,
    /// The first unfavourable decisions of the data.
    pub rows: Vec<AdverseRow>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReasonCount {
    pub feature: String,
    /// Decisions of which it is the first reason.
    pub n_first: u64,
    /// Decisions of which it is among the reasons.
    pub n_any: u64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AdverseRow {
    pub row_id: String,
    /// Of the positive class.
    pub score: f64,
    /// The strongest first.
    pub reasons: Vec<CaseTerm>,
}

/// What reports withhold, and what was never stored.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Privacy {
    /// Reports withhold counts of 1 to one less rows; 0: none.
    pub suppress_below: u64,
    /// Which key the row ids were made pseudonyms with: the same id, the same pseudonyms.
    pub key_id: Option<String>,
    /// Columns whose values are stored nowhere.
    pub dropped: Vec<String>,
}
