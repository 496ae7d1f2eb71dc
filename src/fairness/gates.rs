//! Gates: limits on metrics, decided in three ways.
//!
//! A gate passes, fails, or has too little evidence: the metric is undefined, or its own denominator (positive labels
//! for a true positive rate) is below the configured number of rows. What cannot be decided is not a pass.

use super::Task;
use super::classes::{MACRO, WORST};
use super::layout::OTHERS;
use super::table;
use crate::audit::{Decision, Gate, Metric};
use crate::stats::groups::UNKNOWN;

/// A limit on a metric.
#[derive(Debug, Clone, PartialEq)]
pub struct GateSpec {
    pub metric: String,
    /// "" = overall.
    pub attribute: String,
    pub min: Option<f64>,
    pub max: Option<f64>,
    pub decide_on: DecideOn,
    pub severity: Severity,
    /// Which output; `None`: the only one, else the aggregate over classes.
    pub output: Option<String>,
}

/// What must breach the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DecideOn {
    /// The value.
    Point,
    /// The whole confidence interval.
    Interval,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    Fail,
    Warn,
}

impl Severity {
    fn name(self) -> &'static str {
        match self {
            Self::Fail => "fail",
            Self::Warn => "warn",
        }
    }
}

#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum GateError {
    #[error("a gate on {metric} has neither min nor max")]
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
}

/// Checks gates before anything is computed: names, attributes, outputs, limits.
pub fn validate(gates: &[GateSpec], task: Task, attributes: &[String], outputs: &[String]) -> Result<(), GateError> {
    let names = table::names(task);
    gates.iter().try_for_each(|gate| {
        let metric = gate.metric.clone();
        if gate.min.is_none() && gate.max.is_none() {
            return Err(GateError::NoLimit { metric });
        }
        if !names.contains(&metric) {
            let close = table::close_names(task, &metric);
            return Err(GateError::UnknownMetric { metric, task: task.name(), close });
        }
        if !gate.attribute.is_empty() && !attributes.contains(&gate.attribute) {
            let attribute = gate.attribute.clone();
            return Err(GateError::UnknownAttribute { metric, attribute, known: attributes.to_vec() });
        }
        if gate.attribute.is_empty() && compares_groups(&metric) {
            return Err(GateError::NeedsAttribute { metric });
        }
        match &gate.output {
            Some(output) if !output.is_empty() && !outputs.contains(output) && output != MACRO && output != WORST => {
                Err(GateError::UnknownOutput { metric, output: output.clone(), known: outputs.to_vec() })
            }
            _ => Ok(()),
        }
    })
}

fn compares_groups(metric: &str) -> bool {
    !table::MEASURES.iter().any(|definition| definition.name == metric)
}

/// Decides every gate on the metrics of the whole data (not of strata).
///
/// A gate over an attribute looks at the value across its groups; if the metric is one of single groups, at its worst
/// group, which is named. Groups of unknown level are left out.
pub fn decide(gates: &[GateSpec], metrics: &[Metric], min_group_rows: u64) -> Result<Vec<Gate>, GateError> {
    gates.iter().map(|gate| decide_one(gate, metrics, min_group_rows)).collect()
}

/// The verdict of a run: fail if a gate of severity "fail" failed, insufficient if one could not be decided.
pub fn verdict(gates: &[Gate]) -> Decision {
    let has = |decision| gates.iter().any(|gate| gate.severity == Severity::Fail.name() && gate.decision == decision);
    if has(Decision::Fail) {
        Decision::Fail
    } else if has(Decision::Insufficient) {
        Decision::Insufficient
    } else {
        Decision::Pass
    }
}

fn decide_one(gate: &GateSpec, metrics: &[Metric], min_group_rows: u64) -> Result<Gate, GateError> {
    let candidates: Vec<&Metric> = metrics
        .iter()
        .filter(|row| row.metric == gate.metric && row.attribute == gate.attribute && row.stratum.is_empty())
        .filter(|row| !row.group_value.split(',').any(|part| part == UNKNOWN) && row.group_value != OTHERS)
        .collect();
    let Some(output) = chosen_output(gate, &candidates) else { return Err(not_measured(gate, metrics)) };
    let (across, by_group): (Vec<&Metric>, Vec<&Metric>) =
        candidates.into_iter().filter(|row| row.output == output).partition(|row| row.group_value.is_empty());
    let rows = if across.is_empty() { by_group } else { across };
    let judged = rows.iter().map(|row| judge(gate, row, min_group_rows));
    // Failures first, then what could not be decided, then the nearest to the limit.
    let worst = judged.min_by(|a, b| rank(gate, a).total_cmp(&rank(gate, b)));
    worst.ok_or_else(|| not_measured(gate, metrics))
}

/// The output asked for, else the aggregate over classes, else the only one.
fn chosen_output(gate: &GateSpec, candidates: &[&Metric]) -> Option<String> {
    let has = |output: &str| candidates.iter().any(|row| row.output == output);
    match &gate.output {
        Some(output) => has(output).then(|| output.clone()),
        None => {
            let aggregate = ["", WORST, MACRO].into_iter().find(|output| has(output));
            aggregate.map(String::from).or_else(|| candidates.first().map(|row| row.output.clone()))
        }
    }
}

fn not_measured(gate: &GateSpec, metrics: &[Metric]) -> GateError {
    let place = match gate.attribute.as_str() {
        "" => "overall".to_string(),
        attribute => format!("over {attribute}"),
    };
    let elsewhere = metrics.iter().any(|row| row.metric == gate.metric);
    let hint = if elsewhere {
        "it is measured for other attributes or outputs"
    } else {
        "it needs labels, or is left out by the list of metrics"
    };
    GateError::NotMeasured { metric: gate.metric.clone(), place, hint }
}

/// Decides a gate on one row.
fn judge(gate: &GateSpec, row: &Metric, min_group_rows: u64) -> Gate {
    let n = row.denominator.unwrap_or(row.n);
    let breach = breached(gate, row);
    let undecidable = match (row.value, gate.decide_on) {
        (None, _) => Some(row.undefined_reason.clone().unwrap_or_else(|| "undefined".into())),
        (Some(_), _) if n < min_group_rows => Some(format!("{n} rows of evidence, {min_group_rows} are required")),
        (Some(_), DecideOn::Interval) if row.ci_low.is_none() => Some("there is no confidence interval".into()),
        _ => None,
    };
    let decision = match (&undecidable, breach) {
        (Some(_), _) => Decision::Insufficient,
        (None, Some(_)) => Decision::Fail,
        (None, None) => Decision::Pass,
    };
    Gate {
        gate: sentence(gate),
        metric: gate.metric.clone(),
        attribute: gate.attribute.clone(),
        observed: row.value,
        ci_low: row.ci_low,
        ci_high: row.ci_high,
        limit: breach.or(gate.min).or(gate.max).unwrap_or(f64::NAN),
        baseline_value: None,
        decision,
        severity: gate.severity.name().into(),
        reason: [Some(place(row)), undecidable]
            .into_iter()
            .flatten()
            .filter(|s| !s.is_empty())
            .collect::<Vec<_>>()
            .join(": "),
        n,
    }
}

/// The limit that the row breaches.
fn breached(gate: &GateSpec, row: &Metric) -> Option<f64> {
    let value = row.value?;
    let (low, high) = match gate.decide_on {
        DecideOn::Point => (value, value),
        DecideOn::Interval => (row.ci_low?, row.ci_high?),
    };
    gate.min.filter(|&min| high < min).or(gate.max.filter(|&max| low > max))
}

/// Which groups the value belongs to.
fn place(row: &Metric) -> String {
    match (&row.pair, row.group_value.as_str()) {
        (Some((lowest, highest)), _) => format!("{lowest} against {highest}"),
        (None, "") => String::new(),
        (None, group) if row.reference.is_empty() || row.reference == group => group.into(),
        (None, group) => format!("{group} against {}", row.reference),
    }
}

/// Orders judged rows from the worst: by decision, then by how far the value is on the right side of its limit.
fn rank(gate: &GateSpec, judged: &Gate) -> f64 {
    const APART: f64 = 1e12;
    let margin = judged.observed.map_or(0.0, |value| {
        let above_min = gate.min.map_or(f64::INFINITY, |min| value - min);
        above_min.min(gate.max.map_or(f64::INFINITY, |max| max - value))
    });
    let class = match judged.decision {
        Decision::Fail => 0.0,
        Decision::Insufficient => 1.0,
        Decision::Pass => 2.0,
    };
    class * APART + margin.clamp(-APART / 4.0, APART / 4.0)
}

/// "demographic_parity_ratio over sex ≥ 0.8".
fn sentence(gate: &GateSpec) -> String {
    let mut sentence = gate.metric.clone();
    if let Some(output) = gate.output.as_deref().filter(|output| !output.is_empty()) {
        sentence += &format!(" of {output}");
    }
    if !gate.attribute.is_empty() {
        sentence += &format!(" over {}", gate.attribute);
    }
    let limits = [gate.min.map(|min| format!("≥ {min}")), gate.max.map(|max| format!("≤ {max}"))];
    sentence += &format!(" {}", limits.into_iter().flatten().collect::<Vec<_>>().join(" and "));
    if gate.decide_on == DecideOn::Interval {
        sentence += " (whole interval)";
    }
    sentence
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate(metric: &str, attribute: &str, min: Option<f64>, max: Option<f64>) -> GateSpec {
        GateSpec {
            metric: metric.into(),
            attribute: attribute.into(),
            min,
            max,
            decide_on: DecideOn::Point,
            severity: Severity::Fail,
            output: None,
        }
    }

    fn row(metric: &str, attribute: &str, group: &str, value: f64, denominator: u64) -> Metric {
        Metric {
            metric: metric.into(),
            attribute: attribute.into(),
            group_value: group.into(),
            output: "1".into(),
            value: Some(value),
            ci_low: Some(value - 0.1),
            ci_high: Some(value + 0.1),
            n: 1_000,
            denominator: Some(denominator),
            ..Metric::default()
        }
    }

    fn decided(gate: &GateSpec, metrics: &[Metric]) -> Gate {
        decide(std::slice::from_ref(gate), metrics, 30).unwrap().remove(0)
    }

    #[test]
    fn a_value_on_the_limit_passes() {
        let metrics = [row("accuracy", "", "", 0.8, 100)];
        assert_eq!(decided(&gate("accuracy", "", Some(0.8), None), &metrics).decision, Decision::Pass);
        assert_eq!(decided(&gate("accuracy", "", None, Some(0.8)), &metrics).decision, Decision::Pass);
        let failed = decided(&gate("accuracy", "", Some(0.81), None), &metrics);
        assert_eq!((failed.decision, failed.limit, failed.observed), (Decision::Fail, 0.81, Some(0.8)));
        assert_eq!(failed.gate, "accuracy ≥ 0.81");
    }

    #[test]
    fn the_limit_reported_is_the_one_breached() {
        let metrics = [row("selection_rate", "", "", 0.9, 100)];
        let judged = decided(&gate("selection_rate", "", Some(0.1), Some(0.5)), &metrics);
        assert_eq!((judged.decision, judged.limit), (Decision::Fail, 0.5));
    }

    #[test]
    fn an_interval_gate_fails_only_if_the_whole_interval_breaches() {
        let metrics = [row("accuracy", "", "", 0.75, 100)];
        let on = |min| GateSpec { decide_on: DecideOn::Interval, ..gate("accuracy", "", Some(min), None) };
        assert_eq!(decided(&on(0.8), &metrics).decision, Decision::Pass);
        assert_eq!(decided(&on(0.9), &metrics).decision, Decision::Fail);
        let bare = [Metric { ci_low: None, ci_high: None, ..metrics[0].clone() }];
        assert_eq!(decided(&on(0.9), &bare).decision, Decision::Insufficient);
    }

    #[test]
    fn the_value_across_groups_wins_over_single_groups() {
        let metrics = [row("f1_difference", "sex", "F", 0.0, 100), row("f1_difference", "sex", "", 0.3, 100)];
        let judged = decided(&gate("f1_difference", "sex", None, Some(0.1)), &metrics);
        assert_eq!((judged.decision, judged.observed), (Decision::Fail, Some(0.3)));
    }

    #[test]
    fn a_metric_of_groups_is_judged_on_the_worst_one_and_names_it() {
        let metrics = [
            row("impact_ratio", "race", "A", 1.0, 100),
            row("impact_ratio", "race", "B", 0.6, 100),
            row("impact_ratio", "race", "C", 0.7, 100),
            row("impact_ratio", "race", "(unknown)", 0.1, 100),
            row("impact_ratio", "race", "(others)", 0.2, 100),
        ];
        let judged = decided(&gate("impact_ratio", "race", Some(0.8), None), &metrics);
        assert_eq!((judged.decision, judged.observed, judged.reason.as_str()), (Decision::Fail, Some(0.6), "B"));
    }

    #[test]
    fn a_failure_outranks_a_small_group_and_a_small_group_outranks_a_pass() {
        let mut metrics = vec![row("impact_ratio", "race", "A", 1.0, 100), row("impact_ratio", "race", "B", 0.1, 29)];
        let limit = gate("impact_ratio", "race", Some(0.8), None);
        let judged = decided(&limit, &metrics);
        assert_eq!(judged.decision, Decision::Insufficient);
        assert_eq!(judged.reason, "B: 29 rows of evidence, 30 are required");
        metrics.push(row("impact_ratio", "race", "C", 0.7, 30));
        assert_eq!(decided(&limit, &metrics).decision, Decision::Fail);
    }

    #[test]
    fn an_undefined_metric_is_insufficient_with_its_reason() {
        let undefined = Metric {
            value: None,
            undefined_reason: Some("no positive labels in the group".into()),
            ..row("recall", "", "", 0.0, 0)
        };
        let judged = decided(&gate("recall", "", Some(0.5), None), &[undefined]);
        assert_eq!((judged.decision, judged.observed), (Decision::Insufficient, None));
        assert_eq!(judged.reason, "no positive labels in the group");
    }

    #[test]
    fn several_classes_are_judged_on_their_aggregate_unless_one_is_named() {
        let of = |output: &str, value| Metric { output: output.into(), ..row("recall", "", "", value, 100) };
        let metrics = [of("cat", 0.2), of("dog", 0.8), of(MACRO, 0.5)];
        let judged = |output: Option<&str>| {
            let spec = GateSpec { output: output.map(String::from), ..gate("recall", "", Some(0.4), None) };
            decided(&spec, &metrics)
        };
        assert_eq!(judged(None).observed, Some(0.5));
        assert_eq!((judged(Some("cat")).observed, judged(Some("cat")).decision), (Some(0.2), Decision::Fail));
    }

    #[test]
    fn strata_are_not_judged() {
        let in_stratum = Metric { stratum: "A".into(), ..row("accuracy", "", "", 0.1, 100) };
        let metrics = [in_stratum, row("accuracy", "", "", 0.9, 100)];
        assert_eq!(decided(&gate("accuracy", "", Some(0.8), None), &metrics).decision, Decision::Pass);
    }

    #[test]
    fn the_verdict_asks_only_gates_that_can_fail_a_run() {
        let metrics = [row("accuracy", "", "", 0.5, 100), row("recall", "", "", 0.5, 3)];
        let of = |metric: &str, severity| GateSpec { severity, ..gate(metric, "", Some(0.8), None) };
        let verdict_of = |specs: &[GateSpec]| verdict(&decide(specs, &metrics, 30).unwrap());
        assert_eq!(verdict_of(&[]), Decision::Pass);
        assert_eq!(verdict_of(&[of("accuracy", Severity::Warn)]), Decision::Pass);
        assert_eq!(verdict_of(&[of("recall", Severity::Fail)]), Decision::Insufficient);
        assert_eq!(verdict_of(&[of("recall", Severity::Fail), of("accuracy", Severity::Fail)]), Decision::Fail);
    }

    #[test]
    fn gates_are_checked_before_a_run() {
        let check = |gate: GateSpec| validate(&[gate], Task::Binary, &["sex".into()], &["1".into()]);
        assert_eq!(check(gate("demographic_parity_ratio", "sex", Some(0.8), None)), Ok(()));
        let error = check(gate("demographic_parity_ration", "sex", Some(0.8), None)).unwrap_err().to_string();
        assert!(error.contains("did you mean demographic_parity_ratio,"), "{error}");
        let error = check(gate("recall", "race", Some(0.8), None)).unwrap_err().to_string();
        assert!(error.ends_with("the audited attributes are sex"), "{error}");
        assert!(matches!(check(gate("recall", "", None, None)), Err(GateError::NoLimit { .. })));
        let error = check(gate("impact_ratio", "", Some(0.8), None)).unwrap_err();
        assert!(matches!(error, GateError::NeedsAttribute { .. }), "{error}");
        let of_cat = GateSpec { output: Some("cat".into()), ..gate("recall", "", Some(0.8), None) };
        assert!(matches!(check(of_cat), Err(GateError::UnknownOutput { .. })));
    }

    #[test]
    fn a_metric_that_was_not_measured_is_an_error() {
        let error = decide(&[gate("recall", "", Some(0.8), None)], &[], 30).unwrap_err().to_string();
        assert!(error.contains("recall overall") && error.contains("labels"), "{error}");
    }
}
