//! The gate strip: every gate on its own scale, with the side it allows, the value and its interval.

use crate::audit::Gate;
use crate::report::judged::{Judged, judged};
use crate::report::label::{self, Label};
use crate::report::number::{self, Px};
use crate::report::scale::Scale;
use crate::report::text::say;
use crate::report::words;
use serde::Serialize;

const LEFT: f64 = 2.0;
const RIGHT: f64 = super::HALF - 2.0;
const PITCH: f64 = 62.0;

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Gates {
    pub width: Px,
    pub height: Px,
    pub left: Px,
    pub right: Px,
    pub length: Px,
    pub rows: Vec<GateRow>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GateRow {
    pub label: Label,
    pub label_y: Px,
    pub y: Px,
    pub band_y: Px,
    pub text_y: Px,
    /// "pass", "fail" or "insufficient"; the word stands beside the row.
    pub class: &'static str,
    pub word: String,
    pub allowed: Option<Band>,
    pub limit_x: Px,
    pub limit: String,
    pub limit_anchor: &'static str,
    pub whisker: Option<(Px, Px)>,
    pub value: Option<(Px, String)>,
    pub value_anchor: &'static str,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Band {
    pub x: Px,
    pub width: Px,
}

/// One row a gate, in the order given.
pub fn draw(gates: &[&Gate]) -> Gates {
    Gates {
        width: Px(super::HALF),
        height: Px(PITCH * gates.len() as f64),
        left: Px(LEFT),
        right: Px(RIGHT),
        length: Px(RIGHT - LEFT),
        rows: gates.iter().enumerate().map(|(at, gate)| row(gate, PITCH * at as f64)).collect(),
    }
}

fn row(gate: &Gate, top: f64) -> GateRow {
    let judged = judged(gate);
    let (unit, scale) = (judged.unit, scale(&judged, gate.limit));
    let limit_x = scale.at(gate.limit);
    let word = words::finding(words::decision_class(gate.decision, &gate.severity));
    let value = judged.value.map(|v| (scale.px(v), number::apart(unit, v, gate.limit).0));
    let limit = number::apart(unit, gate.limit, judged.value.unwrap_or(gate.limit)).0;
    GateRow {
        label: Label::within(&gate.gate, RIGHT - LEFT - label::width(&word, super::TEXT) - 14.0, super::TEXT),
        label_y: Px(top + 14.0),
        y: Px(top + 28.0),
        band_y: Px(top + 23.0),
        text_y: Px(top + 46.0),
        class: words::decision_class(gate.decision, &gate.severity),
        word,
        allowed: words::allowed_side(&gate.gate).map(|side| band(side, limit_x)),
        limit_x: Px(limit_x),
        limit: say!("gates.limit", limit = limit),
        limit_anchor: anchor(limit_x, value.as_ref().map(|(x, _)| x.0)),
        whisker: judged.interval.map(|(low, high)| (scale.px(low), scale.px(high))),
        value_anchor: value.as_ref().map_or("middle", |(x, _)| anchor(x.0, Some(limit_x))),
        value,
    }
}

/// Room on both sides of everything that is drawn, so that the limit is never at the edge.
fn scale(judged: &Judged, limit: f64) -> Scale {
    let ends = judged.interval.map(|(low, high)| [low, high]).into_iter().flatten();
    let drawn = judged.value.into_iter().chain(ends).chain([limit]);
    let (low, high) = drawn.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)));
    let margin = if high > low { 0.35 * (high - low) } else { 0.5 * low.abs().max(0.1) };
    Scale::new((low - margin, high + margin), (LEFT, RIGHT))
}

fn band(side: words::Side, limit_x: f64) -> Band {
    match side {
        words::Side::AtLeast => Band { x: Px(limit_x), width: Px(RIGHT - limit_x) },
        words::Side::AtMost => Band { x: Px(LEFT), width: Px(limit_x - LEFT) },
    }
}

/// Texts under the line grow away from each other.
fn anchor(x: f64, other: Option<f64>) -> &'static str {
    match other {
        Some(other) if other >= x => "end",
        Some(_) => "start",
        None => "middle",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::Decision;

    fn gate(observed: Option<f64>) -> Gate {
        Gate {
            gate: "demographic_parity_ratio over sex ≥ 0.8".into(),
            metric: "demographic_parity_ratio".into(),
            attribute: "sex".into(),
            observed,
            ci_low: observed.map(|v| v - 0.05),
            ci_high: observed.map(|v| v + 0.05),
            limit: 0.8,
            baseline_value: None,
            limit_on: Default::default(),
            change: None,
            change_low: None,
            change_high: None,
            breaches: 0,
            decision: Decision::Fail,
            severity: "fail".into(),
            reason: String::new(),
            n: 100,
        }
    }

    #[test]
    fn the_allowed_side_begins_at_the_limit_and_the_value_stands_outside_it() {
        let gate = gate(Some(0.36));
        let row = &draw(&[&gate]).rows[0];
        let allowed = row.allowed.as_ref().unwrap();
        assert_eq!(allowed.x, row.limit_x);
        assert!(row.value.as_ref().unwrap().0.0 < allowed.x.0);
        assert_eq!((row.value_anchor, row.limit_anchor), ("end", "start"));
    }

    #[test]
    fn an_undefined_value_leaves_limit_and_band_only() {
        let gate = gate(None);
        let row = &draw(&[&gate]).rows[0];
        assert!(row.value.is_none() && row.whisker.is_none() && row.allowed.is_some());
    }
}
