//! A gate's observed values over the nights: a line, its limit, and a mark where it did not pass.

use super::pages::Night;
use crate::audit::{Decision, Gate, LimitOn};
use crate::privacy::WITHHELD;
use crate::report::text::say;
use crate::report::{number, words};
use serde::Serialize;

/// Nights drawn at most, the latest ones.
const MOST_NIGHTS: usize = 120;

const PAD: f64 = 8.0;

/// A small line chart in user units.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Trend {
    pub width: f64,
    pub height: f64,
    /// One path a stretch of nights with values: "M0 5L10 4".
    pub lines: Vec<String>,
    /// Nights that did not pass, and the latest one.
    pub marks: Vec<Mark>,
    /// Height of the limit.
    pub limit: Option<f64>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Mark {
    pub class: &'static str,
    pub x: f64,
    pub y: f64,
    pub title: String,
}

/// A gate of a night.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen<'a> {
    pub as_of: &'a str,
    pub gate: &'a Gate,
}

/// The latest nights in which the gate was decided, the earliest first.
pub(super) fn seen<'a>(nights: &[&Night<'a>], gate: &Gate) -> Vec<Seen<'a>> {
    let same = |other: &&Gate| key(other) == key(gate);
    let of = |night: &&Night<'a>| {
        let gate = night.gates.iter().find(same)?;
        Some(Seen { as_of: &night.run.as_of, gate })
    };
    let all: Vec<Seen<'a>> = nights.iter().filter_map(of).collect();
    all[all.len().saturating_sub(MOST_NIGHTS)..].to_vec()
}

fn key(gate: &Gate) -> words::GateKey<'_> {
    words::gate_key(&gate.gate, (&gate.metric, &gate.attribute), gate.limit_on, &gate.severity)
}

pub(super) fn draw(seen: &[Seen<'_>], width: f64, height: f64) -> Trend {
    // A limit on a change has no place among values.
    let limit = seen.last().filter(|last| last.gate.limit_on == LimitOn::Value).map(|last| last.gate.limit);
    let values = || seen.iter().filter_map(|one| one.gate.observed).chain(limit);
    let (least, greatest) = values().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| (a.min(v), b.max(v)));
    // A flat line stands in the middle.
    let (least, span) = if greatest > least { (least, greatest - least) } else { (least - 0.5, 1.0) };
    let y = |value: f64| height - PAD - (value - least) / span * (height - 2.0 * PAD);
    let step = (width - 2.0 * PAD) / (seen.len().max(2) - 1) as f64;
    let x = |at: usize| PAD + step * at as f64;
    let mut trend =
        Trend { width, height, lines: Vec::new(), marks: Vec::new(), limit: limit.map(|limit| round(y(limit))) };
    let mut line = String::new();
    for (at, one) in seen.iter().enumerate() {
        let Some(observed) = one.gate.observed else {
            trend.lines.extend((!line.is_empty()).then(|| std::mem::take(&mut line)));
            continue;
        };
        line +=
            &format!("{}{} {}", if line.is_empty() { 'M' } else { 'L' }, number::px(x(at)), number::px(y(observed)));
        if one.gate.decision != Decision::Pass || at + 1 == seen.len() {
            let class = words::decision_class(one.gate.decision, &one.gate.severity);
            let title = say!(
                "site.trend_mark",
                date = words::date(one.as_of),
                value = value(one.gate),
                finding = words::finding(class).to_lowercase()
            );
            trend.marks.push(Mark { class, x: round(x(at)), y: round(y(observed)), title });
        }
    }
    trend.lines.extend((!line.is_empty()).then_some(line));
    trend
}

/// What was observed, in the metric's unit.
pub(super) fn value(gate: &Gate) -> String {
    match gate.observed {
        Some(value) => number::with_unit(words::unit(&gate.metric), value),
        None if gate.reason == WITHHELD => say!("word.withheld"),
        None => say!("word.undefined"),
    }
}

fn round(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate(observed: Option<f64>, decision: Decision) -> Gate {
        serde_json::from_value(serde_json::json!({
            "gate": "accuracy ≥ 0.8",
            "metric": "accuracy",
            "attribute": "",
            "observed": observed,
            "limit": 0.8,
            "decision": decision,
            "severity": "fail",
            "reason": "",
            "n": 10,
        }))
        .unwrap()
    }

    #[test]
    fn a_line_breaks_where_a_value_is_undefined_and_marks_what_did_not_pass() {
        let gates = [
            gate(Some(0.9), Decision::Pass),
            gate(Some(0.7), Decision::Fail),
            gate(None, Decision::Insufficient),
            gate(Some(0.8), Decision::Pass),
        ];
        let seen: Vec<Seen<'_>> = gates.iter().map(|gate| Seen { as_of: "2026-11-21", gate }).collect();
        let trend = draw(&seen, 100.0, 50.0);
        assert_eq!(trend.lines, ["M8 8L36 42", "M92 25"]);
        assert_eq!(trend.limit, Some(25.0));
        let classes: Vec<_> = trend.marks.iter().map(|mark| mark.class).collect();
        assert_eq!(classes, ["fail", "pass"]);
        assert!(trend.marks[0].title.starts_with("21 November 2026: "), "{:?}", trend.marks);
    }

    #[test]
    fn gates_that_differ_in_severity_alone_have_trends_of_their_own() {
        let of =
            |severity: &str, observed: f64| Gate { severity: severity.into(), ..gate(Some(observed), Decision::Pass) };
        let gates = [of("warn", 0.9), of("fail", 0.7)];
        assert_ne!(key(&gates[0]), key(&gates[1]));
        let moved = Gate { gate: "accuracy ≥ 0.9".into(), limit: 0.9, ..gates[0].clone() };
        assert_eq!(key(&gates[0]), key(&moved), "a limit may be moved");
        let other_side = Gate { gate: "accuracy ≤ 0.9".into(), ..gates[0].clone() };
        assert_ne!(key(&gates[0]), key(&other_side));
    }

    #[test]
    fn one_night_and_none_are_drawn_too() {
        let one = gate(Some(0.8), Decision::Pass);
        let trend = draw(&[Seen { as_of: "2026-11-21", gate: &one }], 100.0, 50.0);
        assert_eq!((trend.lines.len(), trend.marks.len()), (1, 1));
        assert!(trend.marks[0].y.is_finite());
        assert!(draw(&[], 100.0, 50.0).lines.is_empty());
    }
}
