//! Gates that cannot be decided by any run, found before one begins.

use super::super::Task;
use super::super::classes::{MACRO, WORST};
use super::super::model_facts::model_fact_names;
use super::super::table;
use super::{DecideOn, GateSpec, SCORE};
use crate::audit::DRIFT_MEASURES;

#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum GateError {
    #[error("a gate on {metric} has neither min nor max, nor a limit on change")]
    NoLimit { metric: String },
    #[error("a gate asks for the metric {metric:?}, which {task} audits do not have; did you mean {}?", close.join(", "))]
    UnknownMetric { metric: String, task: &'static str, close: Vec<String> },
    #[error("a gate asks for {metric} over {attribute:?}; the audited attributes are {}", known.join("; "))]
    UnknownAttribute { metric: String, attribute: String, known: Vec<String> },
    #[error("a gate asks for {metric} of the output {output:?}; the outputs are {}", known.join(", "))]
    UnknownOutput { metric: String, output: String, known: Vec<String> },
    #[error("a gate asks for {metric}, which compares groups: name an attribute")]
    NeedsAttribute { metric: String },
    #[error("a gate asks for {metric} {place}, which this audit did not measure: {hint}")]
    NotMeasured { metric: String, place: String, hint: &'static str },
    #[error("a gate asks for {metric} of the feature {feature:?}; the features are {}, and {SCORE} stands for the scores", known.join(", "))]
    UnknownFeature { metric: String, feature: String, known: Vec<String> },
    #[error("a gate names a feature for {metric}; only measures of drift ({}) are measured by feature", DRIFT_MEASURES.join(", "))]
    FeatureWithoutDrift { metric: String },
    #[error("ndcg compares the ranking of all features: it has no value for one of them")]
    FeatureOfRanking,
    #[error("a gate asks for {metric} over {attribute:?}, but drift is measured over all rows")]
    DriftOfGroups { metric: String, attribute: String },
    #[error("a gate asks for {metric} over {attribute:?}, but it is a fact of the model as a whole")]
    ModelOfGroups { metric: String, attribute: String },
    #[error("a gate limits the change of {metric}, which is a change already")]
    ChangeOfDrift { metric: String },
    #[error("a gate decides {metric} on its interval, and measures of drift have none")]
    IntervalOfDrift { metric: String },
    #[error("a gate on {metric} names a baseline, but compares nothing with it")]
    IdleBaseline { metric: String },
}

impl GateError {
    /// The key of the gate at fault.
    pub fn key(&self) -> &'static str {
        match self {
            Self::UnknownAttribute { .. }
            | Self::NeedsAttribute { .. }
            | Self::DriftOfGroups { .. }
            | Self::ModelOfGroups { .. } => "attribute",
            Self::UnknownFeature { .. } | Self::FeatureWithoutDrift { .. } | Self::FeatureOfRanking => "feature",
            Self::IntervalOfDrift { .. } => "decide_on",
            Self::IdleBaseline { .. } => "baseline",
            _ => "metric",
        }
    }

    /// What to do.
    pub fn help(&self) -> &'static str {
        match self {
            Self::UnknownAttribute { .. } | Self::NeedsAttribute { .. } => {
                "gates over groups need an attribute that [fairness] lists"
            }
            Self::DriftOfGroups { .. } => "leave the attribute out, or gate on a metric's max_change over it",
            Self::UnknownFeature { .. } | Self::FeatureWithoutDrift { .. } | Self::FeatureOfRanking => {
                "leave the feature out for the worst of all features and the score"
            }
            Self::ModelOfGroups { .. } => "leave the attribute out",
            Self::ChangeOfDrift { .. } => "give max (or min for ndcg) instead",
            Self::IntervalOfDrift { .. } => "decide_on = \"point\"",
            Self::IdleBaseline { .. } => "add max_change or max_relative_change, or leave the baseline out",
            _ => "see docs/metrics.md for the metrics of each task",
        }
    }
}

/// Checks gates before anything is computed: names, attributes, outputs, features, limits.
pub fn validate(
    gates: &[GateSpec],
    task: Task,
    attributes: &[String],
    outputs: &[String],
    features: &[String],
) -> Result<(), GateError> {
    gates.iter().try_for_each(|gate| {
        if gate.min.is_none() && gate.max.is_none() && !gate.is_on_change() {
            return Err(GateError::NoLimit { metric: gate.metric.clone() });
        }
        if gate.is_of_drift() {
            return of_drift(gate, features);
        }
        of_metric(gate, task, attributes, outputs)
    })
}

fn of_drift(gate: &GateSpec, features: &[String]) -> Result<(), GateError> {
    let metric = gate.metric.clone();
    if !gate.attribute.is_empty() {
        return Err(GateError::DriftOfGroups { metric, attribute: gate.attribute.clone() });
    }
    if gate.is_on_change() {
        return Err(GateError::ChangeOfDrift { metric });
    }
    if gate.decide_on == DecideOn::Interval {
        return Err(GateError::IntervalOfDrift { metric });
    }
    match &gate.feature {
        Some(_) if metric == "ndcg" => Err(GateError::FeatureOfRanking),
        Some(feature) if feature != SCORE && !features.contains(feature) => {
            Err(GateError::UnknownFeature { metric, feature: feature.clone(), known: features.to_vec() })
        }
        _ => Ok(()),
    }
}

fn of_metric(gate: &GateSpec, task: Task, attributes: &[String], outputs: &[String]) -> Result<(), GateError> {
    let metric = gate.metric.clone();
    let of_model = model_fact_names(task).any(|name| name == metric);
    if !of_model && !table::names(task).contains(&metric) {
        let close = table::close_names(task, &metric);
        return Err(GateError::UnknownMetric { metric, task: task.name(), close });
    }
    if gate.feature.is_some() {
        return Err(GateError::FeatureWithoutDrift { metric });
    }
    if of_model && !gate.attribute.is_empty() {
        return Err(GateError::ModelOfGroups { metric, attribute: gate.attribute.clone() });
    }
    if !gate.attribute.is_empty() && !attributes.contains(&gate.attribute) {
        let attribute = gate.attribute.clone();
        return Err(GateError::UnknownAttribute { metric, attribute, known: attributes.to_vec() });
    }
    if !of_model && gate.attribute.is_empty() && compares_groups(&metric) {
        return Err(GateError::NeedsAttribute { metric });
    }
    if gate.baseline.is_some() && !gate.is_on_change() {
        return Err(GateError::IdleBaseline { metric });
    }
    match &gate.output {
        Some(output) if !output.is_empty() && !outputs.contains(output) && output != MACRO && output != WORST => {
            Err(GateError::UnknownOutput { metric, output: output.clone(), known: outputs.to_vec() })
        }
        _ => Ok(()),
    }
}

fn compares_groups(metric: &str) -> bool {
    !table::OF_ALL_ROWS.contains(&metric) && !table::MEASURES.iter().any(|definition| definition.name == metric)
}
