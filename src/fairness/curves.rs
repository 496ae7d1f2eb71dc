//! Curves by group, thinned to what a chart can show. Kinds and axes:
//!
//! - `roc`: x false positive rate, y true positive rate;
//! - `pr`: x recall, y precision;
//! - `calibration`: x mean score, y share of positives of a bin, n its rows, with Wilson's interval;
//! - `score_histogram`: x middle of a bin, y share of the group's weight, n its rows;
//! - `threshold`: x threshold, y selection rate of the group;
//! - `threshold_accuracy`: x threshold, y accuracy of the group;
//! - `threshold_difference`: x threshold, y max − min selection rate over the groups of the attribute;
//! - `threshold_ratio`: x threshold, y min / max selection rate;
//! - `threshold_odds_difference`: x threshold, y the larger of the max − min true and false positive rates;
//! - `threshold_least_difference`: one point, the threshold of the smallest y of `threshold_difference` that costs no
//!   more accuracy than allowed.
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

/// Where a curve's points belong.
pub struct Place<'a> {
    pub slot: &'a Slot,
    pub output: &'a str,
}

impl Place<'_> {
    pub fn point(&self, kind: &str, x: f64, y: f64, n: u64) -> CurvePoint {
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
pub fn drawn(layout: &Layout) -> impl Iterator<Item = (usize, &Slot)> {
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
