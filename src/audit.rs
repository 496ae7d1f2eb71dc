//! The audit: everything one run found out, as one versioned value.
//!
//! Full precision, no wording, no I/O. The pipeline makes it, the store keeps it (catalogue tables and `run.json`),
//! the report is drawn from it alone. Field names are the catalogue's column names (see `docs/sql.md`).

mod cases;
mod change;
mod comparison;
mod documents;
mod explained;
mod gate;
mod history;
mod layers;
mod octets;
mod pictures;
mod principal;
mod structure;
mod surrogate;

pub use cases::{Case, CaseFit, CaseFlip, CaseTerm};
pub use change::{
    Baseline, CellValue, DRIFT_MEASURES, Distribution, DistributionCell, Drift, MetricChange, RankChange,
};
pub use comparison::{Comparison, Difference, GateChange, Side};
pub use documents::{AdverseActions, AdverseRow, Documents, Logo, Media, OwnSection, Privacy, ReasonCount};
pub use explained::{AttributionGap, GroupAttribution, Importance, MOST_PAIRS, Proxy};
pub use gate::{Gate, LimitOn};
pub use history::{Night, NightGate, NightMetric, Seen};
pub use layers::{FeatureMaps, FeatureMapsRow, LayerActivity, LayerProbe, LayerUnit};
pub use octets::Octets;
pub use pictures::{ConfusionCell, DrawnMap, GroupConfusion, MeanMap, Overlay, Pictures, Probability, StoredMeanMap};
pub use principal::{MACRO, WORST};
pub use structure::{BoxKind, Cost, Repeat, Structure, StructureBox};
pub use surrogate::{MODEL, Surrogate, SurrogateNode, SurrogateSplit};

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Version of this layout; a reader refuses what is newer.
pub const SCHEMA_VERSION: u32 = 1;

/// All results of one run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Audit {
    pub schema_version: u32,
    pub run: Run,
    pub scope: Scope,
    pub proof: Proof,
    pub metrics: Vec<Metric>,
    pub group_counts: Vec<GroupCount>,
    pub importance: Vec<Importance>,
    pub group_attributions: Vec<GroupAttribution>,
    /// Why mean scores of groups differ.
    #[serde(default)]
    pub attribution_gaps: Vec<AttributionGap>,
    /// How well features tell groups.
    #[serde(default)]
    pub proxies: Vec<Proxy>,
    /// What a network's layers do, over all rows that were sent through and by group.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub layers: Vec<LayerActivity>,
    /// How well linear probes of the layers tell label and groups.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub layer_probes: Vec<LayerProbe>,
    /// Planes of layers for a few cases.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub feature_maps: Vec<FeatureMaps>,
    pub gates: Vec<Gate>,
    pub drift: Vec<Drift>,
    /// What the run was compared with; `None` for the first run of a pipeline.
    #[serde(default)]
    pub baseline: Option<Baseline>,
    /// Earlier nights of the pipeline, the earliest first; kept with the run, so that its report stays as it is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<Night>,
    pub curves: Vec<CurvePoint>,
    /// Seeded sample of explained rows for beeswarms and dependence plots.
    pub sample: Sample,
    /// Rows worth looking at one by one: highest, lowest, nearest the threshold, most unusual.
    pub cases: Vec<Case>,
    /// Further methods beside the main one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<Further>,
    /// A small tree that stands in for the model, where it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub surrogate: Option<Surrogate>,
    /// Why decisions were unfavourable; `None` where nothing binary was explained.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adverse: Option<AdverseActions>,
    /// What the model computes, drawn; `None` without a model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub structure: Option<Structure>,
    /// Which classes were taken for which; empty unless there are several and labels.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub confusion: Vec<ConfusionCell>,
    /// The same by group.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub confusion_by_group: Vec<GroupConfusion>,
    /// Pictures with their maps; `None` where no picture was explained.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pictures: Option<Pictures>,
    /// What the reader must know beside the numbers (missing codes, batch-dependent scores, fallbacks…).
    pub notes: Vec<Note>,
    /// Seconds spent by stage: "read", "score", "prove" (the native structure beside the runtime), "explain", "fairness",
    /// "importance", "curves" (dependence), "drift" (counting values), "layers", "robustness" (attacks), "write", "total".
    pub timings: BTreeMap<String, f64>,
}

/// The `runs` row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// UUIDv7.
    pub run_id: String,
    pub pipeline: String,
    /// `YYYY-MM-DD`.
    pub as_of: String,
    /// RFC 3339, UTC.
    pub started_at: String,
    pub finished_at: String,
    pub status: Status,
    pub verdict: Decision,
    pub tool_version: String,
    pub config_sha256: String,
    /// Empty where recorded decisions are audited without a model.
    pub model_sha256: String,
    pub data_sha256: String,
    pub prev_run_id: Option<String>,
    pub seed: u64,
    pub n_rows: u64,
    pub explain_method: String,
    pub explain_scale: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    Succeeded,
    Failed,
    Aborted,
    Superseded,
    Pruned,
}

/// Three verdicts: what cannot be decided is not a pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Decision {
    Pass,
    Fail,
    Insufficient,
}

/// What was audited, in the user's own words and names.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Scope {
    pub title: String,
    pub description: Option<String>,
    pub owner: Option<String>,
    pub version: Option<String>,
    pub tags: Vec<String>,
    /// "binary", "multiclass" or "regression".
    pub task: String,
    pub data_path: String,
    pub filter: Option<String>,
    pub label: Option<String>,
    /// The label value that is class 1 (binary).
    pub positive: Option<String>,
    /// The label value that is good for the person.
    pub favourable: Option<String>,
    pub threshold: Option<f64>,
    pub weight: Option<String>,
    /// Outputs in model order ("value" for regression).
    pub outputs: Vec<String>,
    /// Outputs that were explained.
    pub explained_outputs: Vec<String>,
    /// Raw input columns or players, in model order.
    pub features: Vec<Feature>,
    /// Attributes as audited ("sex", "race", "sex,race", "age") with their reference group.
    pub attributes: Vec<AttributeScope>,
    pub confidence: f64,
    pub min_group_rows: u64,
    pub model: Option<ModelFacts>,
    #[serde(default)]
    pub privacy: Privacy,
    #[serde(default)]
    pub documents: Documents,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Feature {
    pub name: String,
    /// "number", "text", "category", "boolean", "date", "image".
    pub kind: String,
    /// `None`: withheld.
    pub n_missing: Option<u64>,
    /// Codes to names, where `[data.encode]` or the data itself gives them.
    pub levels: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AttributeScope {
    pub attribute: String,
    pub reference: String,
    /// "largest group" or "configured".
    pub reference_rule: String,
    /// `None`: withheld.
    pub n_unknown: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelFacts {
    pub path: String,
    pub producer: String,
    pub opset: i64,
    /// "tree ensemble: 200 trees, 5,352 leaves, depth 6", "linear", "neural network: 1,234 parameters", …
    pub structure: String,
    pub parameters: u64,
    pub n_inputs: u64,
    /// Operator to number of nodes.
    #[serde(default)]
    pub operators: BTreeMap<String, u64>,
}

/// What shows that the explanation belongs to the model.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Proof {
    /// "tree", "linear", "exact", "kernel", …, "none".
    pub method: String,
    /// Why this method was chosen (for `auto`) or what it means.
    pub reason: String,
    /// Algorithm inside the method, e.g. "pattern tables".
    pub engine: String,
    /// "margin" or "probability".
    pub scale: String,
    /// Largest |native − ONNX Runtime| over the rows compared, where a native evaluator is used.
    pub native_difference: Option<f64>,
    pub native_rows: u64,
    /// Largest |Σφ + base − score| over all explained rows, on the explained scale.
    pub additivity_gap: Option<f64>,
    /// Their mean.
    #[serde(default)]
    pub additivity_gap_mean: Option<f64>,
    pub background_rows: u64,
    pub background_source: String,
    pub cover_source: Option<String>,
    pub n_explained: u64,
    /// Largest change of a score when rows are scored in another batch (dynamic quantisation), on a sample.
    pub batch_difference: Option<f64>,
    /// How well surrogates fit, for methods that fit them; their additivity is to the surrogate's own prediction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub local_fit: Option<FitSummary>,
}

/// Surrogates of all explained rows and outputs.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct FitSummary {
    pub n: u64,
    /// Mean weighted R² over the neighbourhoods where it is defined.
    pub mean_r2: Option<f64>,
    /// Mean agreement of the leading features between seeds.
    pub mean_stability: Option<f64>,
    /// Largest |surrogate's prediction − score| over the rows themselves.
    pub largest_miss: f64,
}

/// A method beside the main one, as the report tells of it; its values are in `explanations` and `importance`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Further {
    pub proof: Proof,
    pub outputs: Vec<String>,
    /// The main method's cases, explained by this one.
    pub cases: Vec<Case>,
}

/// One value of the `metrics` table. `value` is `None` exactly if `undefined_reason` is `Some`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Metric {
    pub metric: String,
    /// "" = overall, "sex", "sex,race".
    pub attribute: String,
    /// "" = across groups, "Female", "Female,Black", "(others)", "(unknown)".
    pub group_value: String,
    pub stratum: String,
    /// Reference group of comparisons, "" where there is none.
    pub reference: String,
    pub output: String,
    pub value: Option<f64>,
    pub undefined_reason: Option<String>,
    pub ci_low: Option<f64>,
    pub ci_high: Option<f64>,
    pub confidence: Option<f64>,
    pub p_value: Option<f64>,
    /// Benjamini–Hochberg's over the groups that this metric compares with the reference.
    #[serde(default)]
    pub p_adjusted: Option<f64>,
    pub n: u64,
    pub n_positive: Option<u64>,
    pub n_predicted_positive: Option<u64>,
    /// The metric's own denominator (rows, or positives for a true positive rate): what evidence gates ask for.
    pub denominator: Option<u64>,
    /// For worst-pair metrics: the two groups compared.
    pub pair: Option<(String, String)>,
}

/// Counts of one group and output: what every rate is derived from. Weighted sums where rows carry weights.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct GroupCount {
    pub attribute: String,
    pub group_value: String,
    pub stratum: String,
    pub output: String,
    pub n: u64,
    pub weight: f64,
    /// `None` without labels.
    pub tp: Option<f64>,
    pub fp: Option<f64>,
    pub tn: Option<f64>,
    pub fn_: Option<f64>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CurvePoint {
    /// "pdp", "pdp_missing", "pdp_pair", "ice", "ice_centred", "ale", "ale_pair", "deletion", "insertion", "roc", "pr",
    /// "calibration", "threshold", "score_histogram", "adversarial_flip_rate" (and "_fgsm"), "robust_accuracy" (by size).
    pub kind: String,
    /// Feature or attribute the curve belongs to, "" for overall.
    pub feature: String,
    pub group_value: String,
    pub output: String,
    pub x: f64,
    pub y: f64,
    pub n: u64,
    pub ci_low: Option<f64>,
    pub ci_high: Option<f64>,
}

/// A seeded sample of explained rows, column-wise by feature.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// Rows the sample was drawn from.
    pub n_total: u64,
    pub n_rows: u64,
    pub series: Vec<SampleSeries>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SampleSeries {
    pub feature: String,
    pub output: String,
    pub attribution: Vec<f64>,
    /// The feature's values where they are numbers (codes for categories), `None` = missing or text.
    pub value: Vec<Option<f64>>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Note {
    /// "data", "model", "explanation", "fairness", "gates".
    pub about: String,
    pub text: String,
}

/// One stored file of a run: the `artifacts` row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Artifact {
    /// "predictions", "explanations", "audit", "report:audit", …
    pub kind: String,
    /// Relative to the results folder, with `/`.
    pub path: String,
    pub sha256: String,
    pub bytes: u64,
    pub n_rows: Option<u64>,
}
