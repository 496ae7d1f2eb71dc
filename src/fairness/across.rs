//! One value over all groups of an attribute: max − min, min / max, and what is made of them.

use super::compare::{Comparer, ratio};
use super::estimate::{Cause, Estimate, Undefined};
use crate::stats::bootstrap::{Equality, extremes_interval};

/// A value over groups, its replicates, and the groups it rests on (lowest, highest).
#[derive(Debug, Clone)]
pub struct Spread {
    pub estimate: Estimate,
    /// Of the value.
    replicates: Vec<f64>,
    /// Of the signed comparison of `pair`.
    pair_replicates: Vec<f64>,
    equality: Equality,
    /// Number of groups compared.
    groups: usize,
    pub pair: Option<(usize, usize)>,
}

/// Difference and ratio of the extreme groups of one measure.
#[derive(Debug, Clone)]
pub struct Extremes {
    pub difference: Spread,
    pub ratio: Spread,
}

/// The extreme groups of a measure. Groups where it is undefined are passed over; two must remain. The denominator is
/// the smaller one of the two extreme groups.
pub fn extremes(comparer: &Comparer<'_>, measure: usize, groups: &[usize]) -> Extremes {
    let defined: Vec<(usize, f64)> =
        groups.iter().filter_map(|&slot| Some((slot, comparer.estimate(measure, slot).value.ok()?))).collect();
    let lowest = defined.iter().min_by(|a, b| a.1.total_cmp(&b.1));
    // The first of equals, as for the lowest.
    let highest = defined.iter().rev().max_by(|a, b| a.1.total_cmp(&b.1));
    let (Some(&(low_slot, low)), Some(&(high_slot, high)), 2..) = (lowest, highest, defined.len()) else {
        return too_few();
    };
    let pair = Some((low_slot, high_slot));
    let denominator =
        comparer.estimate(measure, low_slot).denominator.min(comparer.estimate(measure, high_slot).denominator);
    let rounds = replicate_extremes(comparer, measure, groups);
    let of = |slot| comparer.table.replicates.of(measure, slot).iter().copied();
    let of_pair = || of(low_slot).zip(of(high_slot));
    let spread = |value, equality, f: fn(f64, f64) -> f64| {
        let spread = Spread {
            estimate: Estimate::new(value, denominator),
            replicates: rounds.iter().map(|&(low, high)| f(low, high)).collect(),
            pair_replicates: of_pair().map(|(low, high)| f(low, high)).collect(),
            equality,
            groups: defined.len(),
            pair,
        };
        spread.with_interval(comparer)
    };
    Extremes {
        difference: spread(Ok(high - low), Equality::Below, |low, high| high - low),
        ratio: spread(ratio(low, high), Equality::Above, |low, high| ratio(low, high).unwrap_or(f64::NAN)),
    }
}

impl Spread {
    pub fn undefined(undefined: Undefined) -> Self {
        Self { pair: None, ..Self::alone(Estimate::undefined(undefined, 0), (0, 0)) }
    }

    /// A finished value that is not combined with others.
    pub fn alone(estimate: Estimate, pair: (usize, usize)) -> Self {
        let (replicates, pair_replicates) = (Vec::new(), Vec::new());
        Self { estimate, replicates, pair_replicates, equality: Equality::Below, groups: 0, pair: Some(pair) }
    }

    fn with_interval(self, comparer: &Comparer<'_>) -> Self {
        let (mut distances, mut pair) = (self.replicates.clone(), self.pair_replicates.clone());
        let interval = self.estimate.value.ok().and_then(|point| {
            extremes_interval(point, &mut distances, &mut pair, self.equality, self.groups, comparer.confidence)
        });
        Self { estimate: Estimate { interval, ..self.estimate }, ..self }
    }
}

fn too_few() -> Extremes {
    let spread = Spread::undefined(Undefined::comparing(Cause::TooFewGroups));
    Extremes { difference: spread.clone(), ratio: spread }
}

/// (lowest, highest) per replicate, over the groups where it is defined.
fn replicate_extremes(comparer: &Comparer<'_>, measure: usize, groups: &[usize]) -> Vec<(f64, f64)> {
    let columns: Vec<&[f64]> = groups
        .iter()
        .filter(|&&slot| comparer.estimate(measure, slot).value.is_ok())
        .map(|&slot| comparer.table.replicates.of(measure, slot))
        .collect();
    let rounds = columns.iter().map(|column| column.len()).min().unwrap_or(0);
    // f64::min and max pass over NaN.
    let range = |r: usize| {
        columns.iter().fold((f64::NAN, f64::NAN), |(low, high), column| (column[r].min(low), column[r].max(high)))
    };
    (0..rounds).map(range).collect()
}

/// The worse of two spreads, as `f` (max or min) says.
pub fn worse(comparer: &Comparer<'_>, a: &Spread, b: &Spread, f: impl Fn(f64, f64) -> f64) -> Spread {
    let value = joined(a, b, &f);
    let decides = if value.is_ok() && value == b.estimate.value { b } else { a };
    let (pair_replicates, pair) = (decides.pair_replicates.clone(), decides.pair);
    Spread { pair_replicates, pair, ..join(a, b, value, f) }.with_interval(comparer)
}

/// The mean of two spreads; it has no one pair of groups.
pub fn mean(comparer: &Comparer<'_>, a: &Spread, b: &Spread) -> Spread {
    let f = |a: f64, b: f64| (a + b) / 2.0;
    join(a, b, joined(a, b, f), f).with_interval(comparer)
}

fn joined(a: &Spread, b: &Spread, f: impl Fn(f64, f64) -> f64) -> Result<f64, Undefined> {
    a.estimate.value.and_then(|a| Ok(f(a, b.estimate.value?)))
}

fn join(a: &Spread, b: &Spread, value: Result<f64, Undefined>, f: impl Fn(f64, f64) -> f64) -> Spread {
    let denominator = a.estimate.denominator.min(b.estimate.denominator);
    let both = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(&a, &b)| f(a, b)).collect();
    Spread {
        estimate: Estimate::new(value, denominator),
        replicates: both(&a.replicates, &b.replicates),
        pair_replicates: both(&a.pair_replicates, &b.pair_replicates),
        equality: a.equality,
        groups: a.groups.max(b.groups),
        pair: None,
    }
}
