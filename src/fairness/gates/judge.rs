//! One gate on one value: each of its limits is kept, breached or undecided.

use super::super::model_facts::model_fact;
use super::{DecideOn, Evidence, GateSpec, PREVIOUS};
use crate::audit::{Decision, Gate, LimitOn, Metric};
use crate::stats::Interval;
use crate::stats::intervals::{Estimated, mover_difference, mover_ratio};

/// A decided gate, and how far the value is on the right side of its nearest limit.
pub(super) struct Judged {
    pub gate: Gate,
    pub margin: f64,
}

/// What became of one limit.
struct Finding {
    on: LimitOn,
    limit: f64,
    state: State,
    margin: f64,
    change: Option<Change>,
}

enum State {
    Kept,
    Breached,
    Undecided(String),
}

/// A change since the baseline, in the metric's unit or as a share.
#[derive(Clone, Copy)]
struct Change {
    value: f64,
    interval: Option<Interval>,
}

/// Decides a gate on one row.
pub(super) fn judge(gate: &GateSpec, row: &Metric, evidence: &Evidence) -> Judged {
    let n = row.denominator.unwrap_or(row.n);
    // What stands in the model's file rests on no rows.
    let required =
        if model_fact(&row.metric).is_some_and(|fact| fact.rests_on.is_empty()) { 0 } else { evidence.min_group_rows };
    let undecidable = match row.value {
        None => Some(row.undefined_reason.clone().unwrap_or_else(|| "undefined".into())),
        Some(_) => too_few(n, required, ""),
    };
    let before = gate.is_on_change().then(|| evidence.before(gate, row));
    let mut findings = of_value(gate, row);
    findings.extend(before.iter().flat_map(|before| of_change(gate, row, before, required)));
    let margin = findings.iter().map(|finding| finding.margin).fold(f64::INFINITY, f64::min);
    let decisive = findings.iter().min_by_key(|finding| match finding.state {
        State::Breached => 0,
        State::Undecided(_) => 1,
        State::Kept => 2,
    });
    let (decision, reason) = match (undecidable, decisive.map(|finding| &finding.state)) {
        (Some(reason), _) => (Decision::Insufficient, Some(reason)),
        (None, Some(State::Undecided(reason))) => (Decision::Insufficient, Some(reason.clone())),
        (None, Some(State::Breached)) => (Decision::Fail, None),
        (None, Some(State::Kept) | None) => (Decision::Pass, None),
    };
    let change = decisive.and_then(|finding| finding.change);
    let limit_on = decisive.map(|finding| finding.on).unwrap_or_default();
    let before_value = before.and_then(|before| before.ok()?.value);
    let gate = Gate {
        gate: sentence(gate),
        metric: gate.metric.clone(),
        attribute: gate.attribute.clone(),
        observed: row.value,
        ci_low: row.ci_low,
        ci_high: row.ci_high,
        limit: decisive.map_or(f64::NAN, |finding| finding.limit),
        baseline_value: before_value,
        limit_on,
        change: change.map(|change| change.value),
        change_low: change.and_then(|change| Some(change.interval?.low)),
        change_high: change.and_then(|change| Some(change.interval?.high)),
        breaches: 0,
        decision,
        severity: gate.severity.name().into(),
        reason: [place(row), reason.or(change.map(|change| moved(limit_on, change, before_value))).unwrap_or_default()]
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join(": "),
        n,
    };
    Judged { gate, margin }
}

/// "0.4083 before, +0.2783 (+0.2246 to +0.3321)"
fn moved(on: LimitOn, change: Change, before: Option<f64>) -> String {
    let share = if on == LimitOn::RelativeChange { " of it" } else { "" };
    let interval = change.interval.map(|interval| format!(" ({:+.4} to {:+.4})", interval.low, interval.high));
    format!("{:.4} before, {:+.4}{share}{}", before.unwrap_or(f64::NAN), change.value, interval.unwrap_or_default())
}

fn too_few(n: u64, required: u64, whose: &str) -> Option<String> {
    (n < required).then(|| format!("{n} rows of evidence{whose}, {required} are required"))
}

/// Limits on the value itself.
fn of_value(gate: &GateSpec, row: &Metric) -> Vec<Finding> {
    let ends = match gate.decide_on {
        DecideOn::Point => row.value.map(|value| (value, value)),
        DecideOn::Interval => row.ci_low.zip(row.ci_high),
    };
    let finding = |limit: f64, side: f64| Finding {
        on: LimitOn::Value,
        limit,
        state: match ends {
            None => State::Undecided("there is no confidence interval".into()),
            // The end that is the least likely to breach.
            Some((low, high)) if side * (if side > 0.0 { high } else { low } - limit) < 0.0 => State::Breached,
            Some(_) => State::Kept,
        },
        margin: row.value.map_or(0.0, |value| side * (value - limit)),
        change: None,
    };
    [gate.min.map(|min| finding(min, 1.0)), gate.max.map(|max| finding(max, -1.0))].into_iter().flatten().collect()
}

/// Limits on the change since the baseline.
fn of_change(
    gate: &GateSpec,
    row: &Metric,
    before: &Result<&Metric, String>,
    min_group_rows: u64,
) -> impl Iterator<Item = Finding> {
    let before = before.as_ref().map_err(String::clone).and_then(|before| {
        let n = before.denominator.unwrap_or(before.n);
        match (before.value, too_few(n, min_group_rows, " in the baseline run")) {
            (None, _) => Err("undefined in the baseline run".to_owned()),
            (Some(_), Some(few)) => Err(few),
            (Some(value), None) => Ok((value, estimated(before).filter(|_| before.confidence == row.confidence))),
        }
    });
    let now = row.value.map(|value| (value, estimated(row)));
    let limits = [(LimitOn::Change, gate.max_change), (LimitOn::RelativeChange, gate.max_relative_change)];
    let limits = limits.into_iter().filter_map(|(on, limit)| Some((on, limit?)));
    let findings: Vec<Finding> = limits
        .map(|(on, limit)| {
            let change = match (now, &before) {
                (None, _) => Err("undefined".to_owned()),
                (Some(_), Err(reason)) => Err(reason.clone()),
                (Some(now), Ok(before)) => match on {
                    LimitOn::RelativeChange => relative(now, *before),
                    _ => Ok(absolute(now, *before)),
                },
            };
            let scale = now.map_or(0.0, |now| now.0.abs());
            limited(on, limit, change, gate.decide_on, scale)
        })
        .collect();
    findings.into_iter()
}

fn limited(on: LimitOn, limit: f64, change: Result<Change, String>, decide_on: DecideOn, scale: f64) -> Finding {
    let state = match (&change, decide_on) {
        (Err(reason), _) => State::Undecided(reason.clone()),
        // A difference of two numbers carries their rounding: a change that is the limit keeps it.
        (Ok(change), DecideOn::Point) => breach(change.value.abs() - limit > 8.0 * f64::EPSILON * (scale + limit)),
        (Ok(Change { interval: Some(interval), .. }), DecideOn::Interval) => {
            breach(interval.low > limit || interval.high < -limit)
        }
        (Ok(_), DecideOn::Interval) => State::Undecided("the change has no confidence interval".into()),
    };
    let change = change.ok();
    Finding { on, limit, state, margin: change.map_or(0.0, |change| limit - change.value.abs()), change }
}

fn breach(breached: bool) -> State {
    if breached { State::Breached } else { State::Kept }
}

type Measured = (f64, Option<Estimated>);

fn absolute(now: Measured, before: Measured) -> Change {
    let interval = now.1.zip(before.1).map(|(now, before)| mover_difference(now, before));
    Change { value: now.0 - before.0, interval }
}

/// (now − before) / |before|.
fn relative(now: Measured, before: Measured) -> Result<Change, String> {
    if before.0 == 0.0 {
        return Err("the baseline's value is 0, of which a change is no share".into());
    }
    let sign = before.0.signum();
    let share = |ratio: f64| sign * (ratio - 1.0);
    let ratio = now.1.zip(before.1).and_then(|(now, before)| mover_ratio(now, before));
    let interval = ratio.map(|ratio| {
        let (a, b) = (share(ratio.low), share(ratio.high));
        Interval { low: a.min(b), high: a.max(b) }
    });
    Ok(Change { value: share(now.0 / before.0), interval })
}

fn estimated(row: &Metric) -> Option<Estimated> {
    Some(Estimated { value: row.value?, interval: Interval { low: row.ci_low?, high: row.ci_high? } })
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

/// "demographic_parity_ratio over sex ≥ 0.8", "accuracy: change ≤ 0.02 since the previous run".
fn sentence(gate: &GateSpec) -> String {
    let mut sentence = gate.metric.clone();
    if let Some(output) = gate.output.as_deref().filter(|output| !output.is_empty()) {
        sentence += &format!(" of {output}");
    }
    if let Some(feature) = &gate.feature {
        sentence += &format!(" of {feature}");
    }
    if !gate.attribute.is_empty() {
        sentence += &format!(" over {}", gate.attribute);
    }
    let limits = [
        gate.min.map(|min| format!("≥ {min}")),
        gate.max.map(|max| format!("≤ {max}")),
        gate.max_change.map(|limit| format!("change ≤ {limit}")),
        gate.max_relative_change.map(|limit| format!("relative change ≤ {limit}")),
    ];
    sentence += &format!(" {}", limits.into_iter().flatten().collect::<Vec<_>>().join(" and "));
    match gate.baseline() {
        None => {}
        Some(PREVIOUS) => sentence += " since the previous run",
        Some(run) => sentence += &format!(" since run {run}"),
    }
    if gate.decide_on == DecideOn::Interval {
        sentence += " (whole interval)";
    }
    if gate.consecutive > 1 {
        sentence += &format!(", {} runs in a row", gate.consecutive);
    }
    sentence
}
