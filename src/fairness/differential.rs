//! Differential fairness: one number for all groups of an attribute, however many.

use super::across::Spread;
use super::compare::{Comparer, on_favourable};
use super::estimate::{Cause, Estimate, Undefined};
use crate::stats::bootstrap::{Equality, extremes_interval};

/// Rows of each outcome that are added to every group (Dirichlet with concentration 1 over two outcomes, as AIF360).
const ADDED: f64 = 0.5;

/// Empirical differential fairness (Foulds et al. 2020): ε, the largest |ln P(y | g) − ln P(y | h)| over both outcomes
/// and all pairs of groups, smoothed. `measure` is a rate, `weight` the weight it is a share of.
pub fn differential_fairness(
    comparer: &Comparer<'_>,
    measure: usize,
    groups: &[usize],
    weight: impl Fn(usize) -> f64,
) -> Spread {
    let filled: Vec<(usize, f64)> = groups
        .iter()
        .map(|&slot| (slot, weight(slot)))
        .filter(|(slot, weight)| *weight > 0.0 && comparer.estimate(measure, *slot).value.is_ok())
        .collect();
    if filled.len() < 2 {
        return Spread::undefined(Undefined::comparing(Cause::TooFewGroups));
    }
    let smoothed = |share: f64, weight: f64| (share * weight + ADDED) / (weight + 2.0 * ADDED);
    let rates = |share: &dyn Fn(usize) -> f64| -> Vec<f64> {
        filled.iter().map(|&(slot, weight)| smoothed(share(slot), weight)).collect()
    };
    let observed = rates(&|slot| comparer.estimate(measure, slot).value.unwrap_or(0.0));
    let widest = Widest::of(&observed);
    let replicates = |slot| comparer.table.replicates.of(measure, slot);
    let rounds = filled.iter().map(|(slot, _)| replicates(*slot).len()).min().unwrap_or(0);
    let (mut distances, mut pair) = (Vec::with_capacity(rounds), Vec::with_capacity(rounds));
    for round in 0..rounds {
        let drawn = rates(&|slot| replicates(slot)[round]);
        distances.push(Widest::of(&drawn).size);
        pair.push(widest.again(&drawn));
    }
    let interval =
        extremes_interval(widest.size, &mut distances, &mut pair, Equality::Below, filled.len(), comparer.confidence);
    let slots = [widest.low, widest.high].map(|at| filled[at].0);
    let denominator = slots.map(|slot| comparer.estimate(measure, slot).denominator);
    let estimate = Estimate { interval, ..Estimate::new(Ok(widest.size), denominator[0].min(denominator[1])) };
    Spread::alone(estimate, (slots[0], slots[1]))
}

/// The pair of groups farthest apart, and on which outcome.
struct Widest {
    low: usize,
    high: usize,
    /// Whether the outcome is the one that the rates are of.
    outcome: bool,
    size: f64,
}

impl Widest {
    fn of(rates: &[f64]) -> Self {
        let order = |pick: fn(f64, f64) -> bool| {
            (0..rates.len()).reduce(|best, at| if pick(rates[at], rates[best]) { at } else { best }).unwrap_or(0)
        };
        let (low, high) = (order(|a, b| a < b), order(|a, b| a > b));
        let widest = |outcome| Self { low, high, outcome, size: 0.0 };
        let [this, other] = [true, false].map(|outcome| {
            let widest = widest(outcome);
            Self { size: widest.again(rates), ..widest }
        });
        if this.size >= other.size { this } else { other }
    }

    /// The signed distance of the same pair on the same outcome.
    fn again(&self, rates: &[f64]) -> f64 {
        let (low, high) = (rates[self.low], rates[self.high]);
        if self.outcome { high.ln() - low.ln() } else { (1.0 - low).ln() - (1.0 - high).ln() }
    }
}

/// The measures whose shares are compared, as rates of the favourable class.
pub fn measures(favourable: bool) -> [(&'static str, &'static str); 2] {
    [
        ("differential_fairness", "favourable_rate"),
        ("label_differential_fairness", on_favourable("base_rate", favourable)),
    ]
}
