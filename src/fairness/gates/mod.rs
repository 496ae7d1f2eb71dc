//! Gates: limits on metrics, on their change since a baseline run and on drift, decided in three ways.
//!
//! A gate passes, fails, or has too little evidence: the metric is undefined, its own denominator (positive labels for
//! a true positive rate) is below the configured number of rows, or there is no run to compare with. What cannot be
//! decided is not a pass.

mod error;
mod evidence;
mod judge;
#[cfg(test)]
mod tests;

pub use error::{GateError, validate};
pub use evidence::{Earlier, Evidence, PREVIOUS};

use super::classes::{MACRO, WORST};
use super::layout::OTHERS;
use super::model_facts::model_fact;
use crate::audit::{DRIFT_MEASURES, Decision, Gate, MODEL, Metric};
use crate::stats::groups::UNKNOWN;
use judge::{Judged, judge};

/// A limit on a metric.
#[derive(Debug, Clone, PartialEq)]
pub struct GateSpec {
    /// A metric of the table, or a measure of drift.
    pub metric: String,
    /// "" = overall.
    pub attribute: String,
    /// Measures of drift: a feature, or [`SCORE`]; `None`: the worst of all.
    pub feature: Option<String>,
    pub min: Option<f64>,
    pub max: Option<f64>,
    /// Largest |change| since the baseline run, in the metric's unit.
    pub max_change: Option<f64>,
    /// Largest |change| as a share of the baseline's |value|.
    pub max_relative_change: Option<f64>,
    /// [`PREVIOUS`], or what names a run; `None`: the previous one.
    pub baseline: Option<String>,
    pub decide_on: DecideOn,
    /// Comparable runs in a row, the last one included, that must breach before the gate fails; at least 1.
    pub consecutive: u32,
    pub severity: Severity,
    /// Which output; `None`: the only one, else the aggregate over classes.
    pub output: Option<String>,
}

/// Stands for the scores where features are named.
pub const SCORE: &str = "(score)";

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

impl GateSpec {
    /// Whether it is about drift, which is measured against a baseline run.
    pub fn is_of_drift(&self) -> bool {
        DRIFT_MEASURES.contains(&self.metric.as_str())
    }

    /// Whether it is about the model as a whole.
    pub fn is_of_model(&self) -> bool {
        model_fact(&self.metric).is_some()
    }

    /// Whether it has a limit on change.
    pub fn is_on_change(&self) -> bool {
        self.max_change.is_some() || self.max_relative_change.is_some()
    }

    /// What names the run that the gate compares with; `None` where it compares with none.
    pub fn baseline(&self) -> Option<&str> {
        (self.is_of_drift() || self.is_on_change()).then(|| self.baseline.as_deref().unwrap_or(PREVIOUS))
    }
}

/// Decides every gate on the metrics of the whole data (not of strata).
///
/// A gate over an attribute looks at the value across its groups; if the metric is one of single groups, at its worst
/// group, which is named. Groups of unknown level are left out.
pub fn decide(gates: &[GateSpec], evidence: &Evidence) -> Result<Vec<Gate>, GateError> {
    gates.iter().map(|gate| decide_one(gate, evidence)).collect()
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

fn decide_one(gate: &GateSpec, evidence: &Evidence) -> Result<Gate, GateError> {
    let rows = if gate.is_of_drift() { evidence.drift(gate) } else { measured(gate, evidence.metrics)? };
    let judged = rows.iter().map(|row| judge(gate, row, evidence));
    // Failures first, then what could not be decided, then the nearest to the limit.
    let worst = judged.min_by(|a, b| rank(a).total_cmp(&rank(b)));
    let worst = worst.ok_or_else(|| not_measured(gate, evidence.metrics))?;
    Ok(in_a_row(gate, worst.gate, evidence.previous_gates))
}

/// The rows that a gate looks at.
fn measured(gate: &GateSpec, metrics: &[Metric]) -> Result<Vec<Metric>, GateError> {
    let attribute = if gate.is_of_model() { MODEL } else { &gate.attribute };
    let candidates: Vec<&Metric> = metrics
        .iter()
        .filter(|row| row.metric == gate.metric && row.attribute == attribute && row.stratum.is_empty())
        .filter(|row| !row.group_value.split(',').any(|part| part == UNKNOWN) && row.group_value != OTHERS)
        .collect();
    let Some(output) = chosen_output(gate, &candidates) else { return Err(not_measured(gate, metrics)) };
    let (across, by_group): (Vec<&Metric>, Vec<&Metric>) =
        candidates.into_iter().filter(|row| row.output == output).partition(|row| row.group_value.is_empty());
    let rows = if across.is_empty() { by_group } else { across };
    Ok(rows.into_iter().cloned().collect())
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

/// Orders judged rows from the worst: by decision, then by how far the value is on the right side of its limit.
fn rank(judged: &Judged) -> f64 {
    const APART: f64 = 1e12;
    let class = match judged.gate.decision {
        Decision::Fail => 0.0,
        Decision::Insufficient => 1.0,
        Decision::Pass => 2.0,
    };
    class * APART + judged.margin.clamp(-APART / 4.0, APART / 4.0)
}

/// Counts breaches in a row; a gate that asks for several passes until it has them.
fn in_a_row(spec: &GateSpec, mut gate: Gate, previous: &[Gate]) -> Gate {
    if gate.decision != Decision::Fail {
        return gate;
    }
    let earlier = previous.iter().find(|earlier| earlier.gate == gate.gate);
    // Runs of versions that did not count yet: a failure is one.
    let before = earlier.map_or(0, |earlier| earlier.breaches.max(u32::from(earlier.decision == Decision::Fail)));
    gate.breaches = before + 1;
    if gate.breaches < spec.consecutive {
        gate.decision = Decision::Pass;
        let breached = format!("breached, {} in a row of the {} that fail", gate.breaches, spec.consecutive);
        gate.reason = [gate.reason.as_str(), &breached]
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join(": ");
    }
    gate
}
