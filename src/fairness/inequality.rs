//! Inequality of benefits between and within groups.

use super::compare::Comparer;
use super::estimate::{Cause, Estimate, Undefined};
use super::group_table::{entropy, theil};
use crate::stats::bootstrap::percentile_interval;

/// Between-group inequality of benefits: each row has its group's mean benefit. Group sizes stay as they are in the
/// replicates.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BetweenGroups {
    pub entropy: Estimate,
    pub theil: Estimate,
    pub coefficient_of_variation: Estimate,
}

/// `weights[i]` is the labelled weight of `groups[i]`; `measure` is the mean benefit.
pub fn between_groups(comparer: &Comparer<'_>, measure: usize, groups: &[usize], weights: &[f64]) -> BetweenGroups {
    let filled: Vec<(usize, f64)> =
        groups.iter().copied().zip(weights.iter().copied()).filter(|(_, weight)| *weight > 0.0).collect();
    let total: f64 = filled.iter().map(|(_, weight)| weight).sum();
    let of = |index: fn(&[(f64, f64)], f64) -> f64| {
        let value = |benefit: &dyn Fn(usize) -> f64| {
            let rows: Vec<(f64, f64)> = filled.iter().map(|&(slot, w)| (benefit(slot), w / total)).collect();
            let mean = rows.iter().map(|(b, share)| b * share).sum::<f64>();
            if mean > 0.0 { index(&rows, mean) } else { f64::NAN }
        };
        let point = value(&|slot| comparer.estimate(measure, slot).value.unwrap_or(f64::NAN));
        let denominator = filled.iter().map(|&(slot, _)| comparer.estimate(measure, slot).denominator).min();
        if filled.len() < 2 || !point.is_finite() {
            return Estimate::undefined(Undefined::comparing(Cause::TooFewGroups), denominator.unwrap_or(0));
        }
        let rounds =
            filled.iter().map(|&(slot, _)| comparer.table.replicates.of(measure, slot).len()).min().unwrap_or(0);
        let mut replicates: Vec<f64> =
            (0..rounds).map(|r| value(&|slot| comparer.table.replicates.of(measure, slot)[r])).collect();
        let interval = percentile_interval(point, &mut replicates, comparer.confidence);
        Estimate { interval, ..Estimate::new(Ok(point), denominator.unwrap_or(0)) }
    };
    BetweenGroups {
        entropy: of(|rows, mean| entropy(rows.iter().copied(), mean).max(0.0)),
        theil: of(|rows, mean| theil(rows.iter().copied(), mean).max(0.0)),
        coefficient_of_variation: of(|rows, mean| (2.0 * entropy(rows.iter().copied(), mean)).max(0.0).sqrt()),
    }
}

/// Inequality within groups: Σ share (μ_g / μ)^α index_g, what is left of the index of all known groups when the part
/// between them is taken away. `power` is α: 2 for the generalised entropy index, 1 for Theil's. `measures` are the
/// mean benefit and the index; group sizes stay as they are in the replicates.
pub fn within_groups(
    comparer: &Comparer<'_>,
    measures: [usize; 2],
    power: i32,
    groups: &[usize],
    weights: &[f64],
) -> Estimate {
    let [benefit, index] = measures;
    let filled: Vec<(usize, f64)> =
        groups.iter().copied().zip(weights.iter().copied()).filter(|(_, weight)| *weight > 0.0).collect();
    let total: f64 = filled.iter().map(|(_, weight)| weight).sum();
    let denominator = filled.iter().map(|&(slot, _)| comparer.estimate(benefit, slot).denominator).min().unwrap_or(0);
    if filled.is_empty() {
        return Estimate::undefined(Undefined::comparing(Cause::NoLabels), 0);
    }
    let value = |of: &dyn Fn(usize, usize) -> f64| {
        let mean = filled.iter().map(|&(slot, weight)| weight / total * of(benefit, slot)).sum::<f64>();
        let part = |&(slot, weight): &(usize, f64)| {
            let own = of(benefit, slot);
            // Without any benefit a group's index is undefined and its part is nothing.
            if own > 0.0 { weight / total * (own / mean).powi(power) * of(index, slot) } else { 0.0 }
        };
        if mean > 0.0 { filled.iter().map(part).sum::<f64>().max(0.0) } else { f64::NAN }
    };
    let point = value(&|measure, slot| comparer.estimate(measure, slot).value.unwrap_or(f64::NAN));
    if !point.is_finite() {
        return Estimate::undefined(Undefined::comparing(Cause::NoLabels), denominator);
    }
    let replicates = |measure: usize, slot: usize| comparer.table.replicates.of(measure, slot);
    let rounds = filled.iter().map(|&(slot, _)| replicates(benefit, slot).len()).min().unwrap_or(0);
    let mut rounds: Vec<f64> =
        (0..rounds).map(|round| value(&|measure, slot| replicates(measure, slot)[round])).collect();
    let interval = percentile_interval(point, &mut rounds, comparer.confidence);
    Estimate { interval, ..Estimate::new(Ok(point), denominator) }
}
