//! Curves by group, thinned to what a chart can show. Kinds and axes:
//!
//! - `roc`: x false positive rate, y true positive rate;
//! - `pr`: x recall, y precision;
//! - `calibration`: x mean score, y share of positives of a bin, n its rows, with Wilson's interval;
//! - `score_histogram`: x middle of a bin, y share of the group's weight, n its rows;
//! - `threshold`: x threshold, y selection rate of the group;
//! - `threshold_accuracy`: x threshold, y accuracy of the group;
//! - `threshold_difference`: x threshold, y max − min selection rate over the groups of the attribute.
//!
//! `feature` is the attribute ("" overall), `group_value` the group. Strata have no curves.

use super::Spec;
use super::cell::Calibration;
use super::group_table::ClassSlots;
use super::layout::{Layout, OTHERS, Slot};
use crate::audit::CurvePoint;
use crate::stats::distribution::Mass;
use crate::stats::intervals::{Proportion, normal_quantile, wilson};
use crate::stats::ranking::Point;

/// Points of a ROC or precision–recall curve over all rows, and of one group.
const CURVE_POINTS: usize = 200;
const GROUP_CURVE_POINTS: usize = 100;
const HISTOGRAM_BINS: usize = 50;
/// Steps between 0 and 1 of the threshold sweep.
const THRESHOLDS: usize = 100;

/// Where a curve's points belong.
struct Place<'a> {
    slot: &'a Slot,
    output: &'a str,
}

impl Place<'_> {
    fn point(&self, kind: &str, x: f64, y: f64, n: u64) -> CurvePoint {
        CurvePoint {
            kind: kind.into(),
            feature: self.slot.attribute.clone(),
            group_value: self.slot.group.clone(),
            output: self.output.into(),
            x,
            y,
            n,
            ci_low: None,
            ci_high: None,
        }
    }
}

/// Slots that have curves: everything but strata and "(others)".
fn drawn(layout: &Layout) -> impl Iterator<Item = (usize, &Slot)> {
    layout.slots.iter().enumerate().filter(|(_, slot)| slot.stratum.is_empty() && slot.group != OTHERS)
}

/// ROC, precision–recall and calibration of every group with labels, and histograms of its scores.
pub fn class_curves(layout: &Layout, slots: &ClassSlots, spec: &Spec, output: &str) -> Vec<CurvePoint> {
    let mut points = Vec::new();
    for (i, slot) in drawn(layout) {
        let place = Place { slot, output };
        let (negatives, positives) = slots.rankings[i].totals();
        if negatives > 0.0 && positives > 0.0 {
            let limit = if slot.attribute.is_empty() { CURVE_POINTS } else { GROUP_CURVE_POINTS };
            let curve = slots.rankings[i].curve(limit);
            points.extend(curve.iter().map(|p| place.point("roc", p.negative / negatives, p.positive / positives, 0)));
            points.extend(curve.iter().filter_map(|p| precision_recall(&place, p, positives)));
        }
        let calibration = slots.cells[i].calibration();
        points.extend(calibration.iter().map(|bin| calibration_point(&place, bin, spec.confidence)));
    }
    points.extend(histograms(layout, &slots.masses, 0.0, 1.0, output));
    points
}

fn precision_recall(place: &Place<'_>, point: &Point, positives: f64) -> Option<CurvePoint> {
    let selected = point.negative + point.positive;
    (selected > 0.0).then(|| place.point("pr", point.positive / positives, point.positive / selected, 0))
}

fn calibration_point(place: &Place<'_>, bin: &Calibration, confidence: f64) -> CurvePoint {
    let successes = bin.positive_share * bin.effective;
    let interval = wilson(Proportion { successes, trials: bin.effective }, normal_quantile(confidence));
    CurvePoint {
        ci_low: Some(interval.low),
        ci_high: Some(interval.high),
        ..place.point("calibration", bin.mean_score, bin.positive_share, bin.rows)
    }
}

/// Histograms of the scores of every group over equal bins of `low`..=`high`; empty bins are left out.
pub fn histograms(layout: &Layout, masses: &[Mass], low: f64, high: f64, output: &str) -> Vec<CurvePoint> {
    let slots_of_cells = layout.slots_of_cells();
    let width = (high - low) / HISTOGRAM_BINS as f64;
    let mut bins = vec![[(0.0, 0u64); HISTOGRAM_BINS]; layout.slots.len()];
    for mass in masses {
        let at = if width > 0.0 { ((mass.score - low) / width).max(0.0) as usize } else { 0 };
        for &slot in &slots_of_cells[mass.cell as usize] {
            let bin = &mut bins[slot as usize][at.min(HISTOGRAM_BINS - 1)];
            *bin = (bin.0 + mass.weight, bin.1 + mass.n);
        }
    }
    let of_slot = |(i, slot): (usize, &Slot)| {
        let place = Place { slot, output };
        let total: f64 = bins[i].iter().map(|(weight, _)| weight).sum();
        let filled = bins[i].iter().enumerate().filter(|(_, (weight, _))| *weight > 0.0);
        filled
            .map(|(at, (weight, n))| {
                place.point("score_histogram", low + (at as f64 + 0.5) * width, weight / total, *n)
            })
            .collect::<Vec<_>>()
    };
    drawn(layout).flat_map(of_slot).collect()
}

/// Selection rates, accuracy and the parity difference over all thresholds (binary).
pub fn threshold_sweep(layout: &Layout, slots: &ClassSlots, spec: &Spec, output: &str) -> Vec<CurvePoint> {
    let mut thresholds: Vec<f64> = (0..=THRESHOLDS).map(|k| k as f64 / THRESHOLDS as f64).collect();
    thresholds.push(spec.threshold);
    thresholds.sort_by(f64::total_cmp);
    thresholds.dedup();
    let mut points = Vec::new();
    let rates: Vec<Vec<Option<f64>>> = selection_rates(layout, slots, &thresholds);
    for (i, slot) in drawn(layout) {
        let place = Place { slot, output };
        let rows = slots.cells[i].evidence().count.0.iter().sum::<f64>() as u64;
        let selection = thresholds.iter().zip(&rates[i]);
        points.extend(selection.filter_map(|(&x, y)| Some(place.point("threshold", x, (*y)?, rows))));
        let accuracy = thresholds.iter().filter_map(|&x| {
            let y = accuracy(slots, i, x)?;
            Some(place.point("threshold_accuracy", x, y, rows))
        });
        points.extend(accuracy);
    }
    for scope in layout.scopes.iter().filter(|scope| scope.stratum.is_empty()) {
        let across = Slot { attribute: scope.attribute.clone(), ..Slot::default() };
        let place = Place { slot: &across, output };
        for (t, &x) in thresholds.iter().enumerate() {
            let known: Vec<f64> = layout.known(scope).filter_map(|slot| rates[slot][t]).collect();
            let (low, high) = known.iter().fold((f64::INFINITY, 0.0f64), |(l, h), &y| (l.min(y), h.max(y)));
            if known.len() > 1 {
                points.push(place.point("threshold_difference", x, high - low, 0));
            }
        }
    }
    points
}

/// `[slot][threshold]`: the share of weight scored at or above the threshold; `None` for empty groups.
fn selection_rates(layout: &Layout, slots: &ClassSlots, thresholds: &[f64]) -> Vec<Vec<Option<f64>>> {
    let slots_of_cells = layout.slots_of_cells();
    // Weight scored below the first threshold, between the first and the second, …
    let mut between = vec![vec![0.0; thresholds.len() + 1]; layout.slots.len()];
    for mass in &slots.masses {
        let at = thresholds.partition_point(|&threshold| threshold <= mass.score);
        slots_of_cells[mass.cell as usize].iter().for_each(|&slot| between[slot as usize][at] += mass.weight);
    }
    let rates = |between: Vec<f64>| {
        let total: f64 = between.iter().sum();
        let above = |t: usize| between[t + 1..].iter().sum::<f64>();
        (0..thresholds.len()).map(|t| (total > 0.0).then(|| above(t) / total)).collect()
    };
    between.into_iter().map(rates).collect()
}

/// Accuracy on the labelled rows of a slot if the decision were `score >= threshold`.
fn accuracy(slots: &ClassSlots, slot: usize, threshold: f64) -> Option<f64> {
    let (negatives, positives) = slots.rankings[slot].totals();
    let steps = slots.rankings[slot].steps();
    let above = &steps[steps.partition_point(|step| step.score < threshold)..];
    let (wrong, right) = above.iter().fold((0.0, 0.0), |(n, p), step| (n + step.negative, p + step.positive));
    let total = negatives + positives;
    (total > 0.0).then(|| (right + negatives - wrong) / total)
}
