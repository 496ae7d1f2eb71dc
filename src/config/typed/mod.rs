//! The pipeline TOML as typed. Defaults stand here only where they depend on neither data nor model;
//! everything else is an `Option` that the plan resolves.
//!
//! The doc comment of a field is its description in the JSON Schema, its `schemars` bounds are what is checked.

mod data;
mod explain;
mod fairness;
mod fields;
mod importance;
mod layers;
mod lime;
mod model;
mod output;
mod own;
mod robustness;

pub use data::{Data, Image, PerChannel, Scalar};
pub use explain::{Baseline, Cover, Explain, Method, Outputs, Players, Rows, Sampling, Scale};
pub use fairness::{Attribute, Binned, ChangeBaseline, DecideOn, Fairness, Gate, MetricsChoice, Severity};
pub use fields::Fields;
pub use importance::{Grid, Importance, ImportanceMethod};
pub use layers::{Layers, Tensors};
pub use lime::{Around, Discretiser, FeatureSelection, HideColor, Lime, PointBins, SurrogateFeatures};
pub use model::{Background, InputColumns, Model, Task};
pub use output::{Notify, NotifyOn, Privacy, Report, Store, Template};
pub use own::{OwnSection, Place};
pub use robustness::{AttackMethod, Epsilon, Robustness};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Names of pipelines: part of paths and of `PIPELINE@latest`.
pub(super) const NAME_PATTERN: &str = "^[a-z0-9-]+$";
/// Paths of files that must be Parquet.
pub(super) const PARQUET_PATTERN: &str = r"\.parquet$";

/// Names of variables of the environment.
pub(super) const ENV_PATTERN: &str = "^env:[A-Za-z_][A-Za-z0-9_]*$";

/// One audit: what is read, which model scores it, how it is explained and measured, what must hold, where it is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "probity pipeline")]
pub struct Config {
    /// Names the pipeline and seeds everything random.
    pub pipeline: Pipeline,
    /// Rows to audit.
    pub data: Data,
    /// The model, or the threshold and class names of recorded scores.
    #[serde(default)]
    pub model: Model,
    /// Reference rows for "what the model would say without knowing".
    #[serde(default)]
    pub background: Background,
    /// Attributions of each score to the columns.
    #[serde(default)]
    pub explain: Explain,
    /// Importance of columns over all rows.
    #[serde(default)]
    pub importance: Importance,
    /// Neural models: tensors whose outputs are analysed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layers: Option<Layers>,
    /// Whether small changes turn decisions: attacks along the gradients of the score.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub robustness: Option<Robustness>,
    /// Groups and the metrics that compare them. Without it no group is compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fairness: Option<Fairness>,
    /// What is withheld, pseudonymised or never stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub privacy: Option<Privacy>,
    /// Limits that decide the verdict.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gates: Vec<Gate>,
    /// The HTML documents made of a run.
    #[serde(default)]
    pub report: Report,
    /// Where results are kept. Default: that of the nearest `probity.toml`.
    #[serde(default)]
    pub store: Store,
    /// Who is told about the outcome.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notify: Option<Notify>,
}

/// Name, seed and what people should know about the pipeline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pipeline {
    /// Names the pipeline in the catalogue: lower-case letters, digits and hyphens.
    #[schemars(regex(pattern = NAME_PATTERN))]
    pub name: String,
    /// One or two sentences for the reader of the report.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Who answers for the model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Version of the model or of the pipeline, as text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Words to find the pipeline by.
    #[serde(default)]
    pub tags: Vec<String>,
    /// Everything random derives from it. Default 0.
    #[serde(default)]
    pub seed: u64,
}

/// Defaults for all pipelines below the folder of a `probity.toml`; a pipeline's own keys win.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(title = "probity project defaults")]
pub struct Project {
    /// Where results are kept.
    pub store: Store,
    /// Who is told about the outcome.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notify: Option<Notify>,
    /// What is withheld, pseudonymised or never stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub privacy: Option<Privacy>,
}
