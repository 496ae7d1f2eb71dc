//! Gates and metric names, checked before anything is computed.

use super::error::{PlanError, conflict, did_you_mean};
use super::grouping::GroupPlan;
use crate::config::{self, Conflict, Loaded, Task};
use crate::dataset::{FeatureSpec, Want};
use crate::fairness::gates::{self, DecideOn, GateSpec, Severity};
use crate::fairness::{self, table};
use crate::importance;

/// Gates in the order of the file.
pub fn resolve(
    loaded: &Loaded,
    task: Task,
    groups: &GroupPlan,
    outputs: &[String],
    features: &[FeatureSpec],
) -> Result<Vec<GateSpec>, PlanError> {
    let specs: Vec<GateSpec> = loaded.config.gates.iter().map(spec).collect();
    let names: Vec<String> = features.iter().map(|feature| feature.column.clone()).collect();
    let attributes: Vec<String> = groups.attributes.iter().map(|attribute| attribute.name.clone()).collect();
    let mut conflicts: Vec<Conflict> = Vec::new();
    for (at, gate) in specs.iter().enumerate() {
        let gate_alone = std::slice::from_ref(gate);
        if let Err(error) = gates::validate(gate_alone, fairness_task(task), &attributes, outputs, &names) {
            conflicts.push(conflict(format!("gates.{at}.{}", error.key()), error.to_string(), error.help()));
        }
        if gate.is_of_drift() {
            continue;
        }
        if gate.is_of_model() {
            if loaded.config.model.path.is_none() {
                let message = format!("{} is a fact of the model, and [model] names none", gate.metric);
                let help = "set [model] path, or gate on a metric of scores";
                conflicts.push(conflict(format!("gates.{at}.metric"), message, help));
            }
            continue;
        }
        if table::NEED_STRATA.contains(&gate.metric.as_str()) && groups.strata.is_empty() {
            let message =
                format!("the metric {} compares groups within strata, and [fairness] names none", gate.metric);
            let help = "set [fairness] strata to the columns within whose values groups are compared";
            conflicts.push(conflict(format!("gates.{at}.metric"), message, help));
        }
        let is_input = features.iter().any(|feature| feature.column == gate.attribute);
        if table::NEED_INPUT.contains(&gate.metric.as_str()) && !is_input {
            let message = format!(
                "{} tries rows as another group, but {} is not a column of the model",
                gate.metric, gate.attribute
            );
            let help = "gate on differences between groups instead: a model cannot react to what it does not see";
            conflicts.push(conflict(format!("gates.{at}.attribute"), message, help));
        }
        let attacks = table::NEED_ATTACKS.contains(&gate.metric.as_str());
        if attacks && loaded.config.robustness.is_none() {
            let message = format!("{} is measured by attacks, and there is no [robustness]", gate.metric);
            let help = "add [robustness] with the size of changes as `epsilon`";
            conflicts.push(conflict(format!("gates.{at}.metric"), message, help));
        }
        if needs_labels(&gate.metric) && loaded.config.data.label.is_none() {
            let message = format!("the metric {} needs labels, and [data] names no label", gate.metric);
            conflicts.push(conflict(
                format!("gates.{at}.metric"),
                message,
                "set [data] label, or gate on a metric of scores alone",
            ));
        }
        if let Some(named) = groups.metrics.as_ref().filter(|named| !attacks && !named.contains(&gate.metric)) {
            let message = format!("the metric {} is not among [fairness] metrics, so it is not measured", gate.metric);
            let help = format!("add it to metrics = [{}], or measure all", named.join(", "));
            conflicts.push(conflict(format!("gates.{at}.metric"), message, help));
        }
    }
    conflicts.extend(meaningless_threshold(loaded, task));
    conflicts.extend(unknown_metrics(groups, task));
    conflicts.extend(unknown_references(groups));
    conflicts.extend(unknown_importance(loaded, task));
    conflicts.extend(studies_of_pictures(loaded, features));
    match conflicts.is_empty() {
        true => Ok(specs),
        false => Err(PlanError::Config(Box::new(loaded.errors(conflicts)))),
    }
}

/// The task may only have been read from the model.
fn meaningless_threshold(loaded: &Loaded, task: Task) -> Option<Conflict> {
    let threshold = loaded.config.model.threshold.filter(|_| task != Task::Binary)?;
    let message = format!("threshold = {threshold} has no meaning for a {} model", super::task_name(task));
    Some(conflict("model.threshold", message, "leave it out: only binary decisions have a threshold"))
}

pub fn fairness_task(task: Task) -> fairness::Task {
    match task {
        Task::Binary => fairness::Task::Binary,
        Task::Multiclass => fairness::Task::Multiclass,
        Task::Regression => fairness::Task::Regression,
    }
}

pub fn importance_task(task: Task) -> importance::Task {
    match task {
        Task::Binary => importance::Task::Binary,
        Task::Multiclass => importance::Task::Multiclass,
        Task::Regression => importance::Task::Regression,
    }
}

fn spec(gate: &config::Gate) -> GateSpec {
    GateSpec {
        metric: gate.metric.clone(),
        attribute: gate.attribute.clone().unwrap_or_default(),
        feature: gate.feature.clone(),
        min: gate.min,
        max: gate.max,
        max_change: gate.max_change,
        max_relative_change: gate.max_relative_change,
        baseline: gate.baseline.as_ref().map(|baseline| match baseline {
            config::ChangeBaseline::Previous => gates::PREVIOUS.to_owned(),
            config::ChangeBaseline::Run(run) => run.clone(),
        }),
        consecutive: gate.consecutive,
        decide_on: match gate.decide_on {
            config::DecideOn::Point => DecideOn::Point,
            config::DecideOn::Interval => DecideOn::Interval,
        },
        severity: match gate.severity {
            config::Severity::Fail => Severity::Fail,
            config::Severity::Warn => Severity::Warn,
        },
        output: None,
    }
}

/// Whether a metric, or the measure that it compares, rests on labels.
fn needs_labels(metric: &str) -> bool {
    let measure = |name: &str| table::MEASURES.iter().find(|known| known.name == name).map(|known| known.needs_labels);
    let comparison = table::COMPARISONS.iter().find(|known| known.name == metric).map(|known| known.needs_labels);
    let stem = ["_difference", "_ratio"].iter().find_map(|end| metric.strip_suffix(end));
    measure(metric).or(comparison).or_else(|| stem.and_then(measure)).unwrap_or(true)
}

fn unknown_metrics(groups: &GroupPlan, task: Task) -> Vec<Conflict> {
    let known = table::names(fairness_task(task));
    let unknown = groups.metrics.iter().flatten().filter(|name| !known.contains(*name));
    unknown
        .map(|name| {
            let near = did_you_mean(name, known.iter().map(String::as_str));
            let message = format!("a {} audit has no metric `{name}`{near}", super::task_name(task));
            conflict("fairness.metrics", message, "metrics = \"all\" measures every one; docs/metrics.md lists them")
        })
        .collect()
}

fn unknown_references(groups: &GroupPlan) -> Vec<Conflict> {
    let names: Vec<&str> = groups.attributes.iter().map(|attribute| attribute.name.as_str()).collect();
    let unknown = groups.reference.keys().filter(|key| !names.contains(&key.as_str()));
    unknown
        .map(|key| {
            let message = format!("a reference group is named for `{key}`, which is not among the attributes");
            conflict(format!("fairness.reference.{key}"), message, format!("the attributes are {}", names.join("; ")))
        })
        .collect()
}

fn unknown_importance(loaded: &Loaded, task: Task) -> Vec<Conflict> {
    let named = loaded.config.importance.metrics.iter().flatten();
    let errors = named.filter_map(|name| importance::Metric::parse(name, importance_task(task)).err());
    errors
        .map(|error| conflict("importance.metrics", error.to_string(), "leave the key out for the task's default"))
        .collect()
}

/// Methods that put rows together from single columns' values have nothing to say of pixels.
fn studies_of_pictures(loaded: &Loaded, features: &[FeatureSpec]) -> Vec<Conflict> {
    use config::ImportanceMethod::{Faithfulness, Interaction, Morris, Sage, Sobol};
    let Some(picture) = features.iter().find(|feature| matches!(feature.want, Want::Tensor { .. })) else {
        return Vec::new();
    };
    let studies = [
        (Faithfulness, "faithfulness"),
        (Interaction, "interaction"),
        (Morris, "morris"),
        (Sage, "sage"),
        (Sobol, "sobol"),
    ];
    let asked = |method| loaded.config.importance.methods.iter().flatten().any(|asked| *asked == method);
    let refused = studies.into_iter().filter(|(method, _)| asked(*method));
    refused
        .map(|(_, name)| {
            let message =
                format!("\"{name}\" draws columns one by one, and `{}` holds pictures or lists", picture.column);
            conflict("importance.methods", message, "leave it out: attribution maps show which pixels count")
        })
        .collect()
}
