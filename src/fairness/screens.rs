//! What the four-fifths screen is read with: would two more decisions change it, how many are missing, and how far
//! apart the scores lie in units of their own spread.

use super::compare::{Comparer, ratio};
use super::emit::Emitter;
use super::estimate::{Cause, Estimate, Undefined};
use super::layout::Scope;
use crate::stats::intervals::Interval;

/// Decisions that are imagined.
const MORE: f64 = 2.0;

/// The impact ratio if two more rows of the group (of its mean weight) were decided favourably.
pub fn with_two_more(comparer: &Comparer<'_>, rate: usize, slot: usize, best: usize) -> Estimate {
    let group = comparer.estimate(rate, slot);
    let denominator = group.denominator.min(comparer.estimate(rate, best).denominator);
    let value = group.value.and_then(|share| {
        let more = (share + MORE / comparer.table.facts[slot].rows as f64).min(1.0);
        ratio(more, comparer.estimate(rate, best).value.map_err(Undefined::in_reference)?)
    });
    Estimate::new(value, denominator)
}

/// Shortfall and standardised differences against the reference.
pub fn emit(emitter: &mut Emitter<'_>, comparer: &Comparer<'_>, scope: &Scope) {
    let others = scope.groups.iter().copied().filter(|&slot| slot != scope.reference).chain([scope.others]);
    for slot in others {
        if let Some(rate) = comparer.table.index("favourable_rate") {
            let shortfall = shortfall(comparer, rate, slot, scope.reference);
            emitter.against("shortfall", slot, scope.reference, &shortfall);
        }
        for (name, measure) in SPREADS {
            if let Some(m) = comparer.table.index(measure) {
                let difference = standardized(comparer, m, slot, scope.reference);
                emitter.against(name, slot, scope.reference, &difference);
            }
        }
    }
}

/// Favourable decisions that the group lacks at the common rate of group and reference. That is
/// n_g n_r / (n_g + n_r) times the difference of the rates, so interval and test are the difference's.
fn shortfall(comparer: &Comparer<'_>, rate: usize, slot: usize, reference: usize) -> Estimate {
    let difference = comparer.difference(rate, slot, reference);
    let [group, all] = [slot, reference].map(|slot| comparer.table.facts[slot].weight);
    let factor = -group * all / (group + all);
    // Times a negative number: the ends change places.
    let turned = |interval: Interval| Interval { low: factor * interval.high, high: factor * interval.low };
    let value = difference.value.map(|value| if value == 0.0 { 0.0 } else { factor * value });
    Estimate { value, interval: difference.interval.map(turned), ..difference }
}

/// Standardised difference → the measure whose means are compared.
const SPREADS: [(&str, &str); 2] =
    [("standardized_mean_difference", "mean_score"), ("residual_standardized_mean_difference", "mean_residual")];

/// Difference of means over √((s_g² + s_r²) / 2), s² the variance over n, with the large-sample interval of Hedges and Olkin (1985).
fn standardized(comparer: &Comparer<'_>, measure: usize, slot: usize, reference: usize) -> Estimate {
    let difference = comparer.difference(measure, slot, reference);
    let labelled = comparer.table.measures[measure].needs_labels;
    // Variance and effective rows of a slot.
    let spread = |slot: usize| {
        let facts = &comparer.table.facts[slot];
        let rows = if labelled { facts.effective_labelled } else { facts.effective_rows };
        comparer.estimate(measure, slot).std_err().map(|std_err| (std_err * std_err * (rows - 1.0), rows))
    };
    let Ok(gap) = difference.value else { return difference };
    let value = match (spread(slot), spread(reference)) {
        (Some((a, n_a)), Some((b, n_b))) if a + b > 0.0 => {
            let value = gap / ((a + b) / 2.0).sqrt();
            let variance = (n_a + n_b) / (n_a * n_b) + value * value / (2.0 * (n_a + n_b));
            Ok((value, Interval::around(value, comparer.z * variance.sqrt())))
        }
        _ => Err(Undefined::comparing(Cause::NoScoreSpread)),
    };
    let interval = value.ok().map(|(_, interval)| interval);
    Estimate { value: value.map(|(value, _)| value), interval, ..difference }
}
