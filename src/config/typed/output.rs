//! `[report]`, `[store]`, `[privacy]` and `[notify]`: where results go, and what leaves the house.

use super::ENV_PATTERN;
use super::{Fields, OwnSection};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The HTML documents made of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Report {
    /// Which documents are made. Default ["audit"].
    pub templates: Vec<Template>,
    /// Headline of the report. Default: the pipeline's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Picture at the head of the documents: a PNG, JPEG or SVG file of at most 128 KiB, relative to this file's folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub logo: Option<String>,
    /// What the logo shows, for those who cannot see it. Default: the pipeline's owner.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 200))]
    pub logo_alt: Option<String>,
    /// Sections of one's own, in Markdown.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 20))]
    pub sections: Vec<OwnSection>,
    /// Free texts for the documents.
    pub fields: Fields,
    /// What a feature is called as a reason for an unfavourable decision: feature to text.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub reasons: BTreeMap<String, String>,
    /// Version of the texts of reasons.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reasons_version: Option<String>,
    /// Most principal reasons of a decision. Default 4.
    #[schemars(range(min = 1, max = 20))]
    pub reasons_per_decision: u32,
    /// Categories of a smaller share of the rows are left out of the impact ratios of "nyc-ll144". Default 0: none.
    #[schemars(range(min = 0.0, max = 0.5))]
    pub least_share: f64,
}

impl Default for Report {
    fn default() -> Self {
        Report {
            templates: vec![Template::Audit],
            title: None,
            logo: None,
            logo_alt: None,
            sections: Vec::new(),
            fields: Fields::default(),
            reasons: BTreeMap::new(),
            reasons_version: None,
            reasons_per_decision: 4,
            least_share: 0.0,
        }
    }
}

/// A document made of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Template {
    /// The audit report.
    #[serde(rename = "audit")]
    Audit,
    /// New York City Local Law 144 summary.
    #[serde(rename = "nyc-ll144")]
    NycLl144,
    /// Reasons for adverse actions.
    #[serde(rename = "adverse-action")]
    AdverseAction,
    /// Model-risk documentation.
    #[serde(rename = "model-risk")]
    ModelRisk,
    /// Technical documentation in the sense of the EU AI Act.
    #[serde(rename = "eu-ai-act")]
    EuAiAct,
    /// Model card.
    #[serde(rename = "model-card")]
    ModelCard,
}

impl Template {
    /// The name as typed, which is also the file name of the document.
    pub fn name(self) -> &'static str {
        match self {
            Template::Audit => "audit",
            Template::NycLl144 => "nyc-ll144",
            Template::AdverseAction => "adverse-action",
            Template::ModelRisk => "model-risk",
            Template::EuAiAct => "eu-ai-act",
            Template::ModelCard => "model-card",
        }
    }
}

/// Where results and the catalogue are kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Store {
    /// Folder of Parquet files and reports (or `s3://…`), relative to this file's folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub results: Option<String>,
    /// `sqlite:` and a path relative to this file's folder (or `postgres://…`).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub catalogue: Option<String>,
}

/// What is withheld, pseudonymised or never stored.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Privacy {
    /// Counts of fewer rows are withheld in reports, and all from which they could be worked out. Default 0: none;
    /// else at least 3.
    pub suppress_below: u64,
    /// `env:NAME` of the key with which row ids become HMAC-SHA256. Default: ids are kept as they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = ENV_PATTERN))]
    pub pseudonymise: Option<String>,
    /// Columns whose values are never stored; attributions of them are.
    pub drop: Vec<String>,
}

/// Who is told about the outcome. A failing notification never changes the verdict.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Notify {
    /// Prometheus textfile with the state of pipelines, relative to this file's folder; rewritten after every run.
    /// Pipelines may share one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub textfile: Option<String>,
    /// `env:NAME` of the address that gets the outcome as JSON, or the address itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub webhook: Option<String>,
    /// When the webhook is sent. Default "failure".
    pub on: NotifyOn,
}

/// When the webhook is sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NotifyOn {
    /// After every run.
    Always,
    /// When a gate fails or cannot be decided, and when a run breaks or is refused.
    #[default]
    Failure,
    /// When the outcome differs from that of the run recorded before.
    Change,
}
