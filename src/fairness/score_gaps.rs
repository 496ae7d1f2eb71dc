//! Measures of two groups' scores together: xAUC, ABROCA and the Kolmogorov–Smirnov distance to the reference.

use super::compare::Comparer;
use super::confusion::Outcomes;
use super::emit::Emitter;
use super::estimate::{Cause, Estimate, Undefined};
use super::group_table::GroupTable;
use super::layout::{Layout, Scope};
use crate::stats::Ranking;
use crate::stats::bootstrap::percentile_interval;
use crate::stats::score_gap::{Pair, align, area_between_roc, cross_auc, cross_auc_turned, distance, distance_p_value};

/// What is computed for each pair of slots.
pub const N_GAPS: usize = 4;
const CROSS: usize = 0;
const CROSS_TURNED: usize = 1;
const AREA: usize = 2;
const DISTANCE: usize = 3;

/// A group, or all others, and its reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SlotPair {
    pub slot: usize,
    pub reference: usize,
}

/// Every slot that is compared with a reference.
pub fn pairs(layout: &Layout) -> Vec<SlotPair> {
    let of_scope = |scope: &Scope| {
        let reference = scope.reference;
        let others = scope.groups.iter().copied().filter(move |&slot| slot != reference).chain([scope.others]);
        others.map(move |slot| SlotPair { slot, reference }).collect::<Vec<_>>()
    };
    layout.scopes.iter().flat_map(of_scope).collect()
}

/// All gaps of one pair, from its weights at ascending scores (or bins).
pub fn gaps(pairs: &[Pair]) -> [Option<f64>; N_GAPS] {
    let mut gaps = [None; N_GAPS];
    gaps[CROSS] = cross_auc(pairs);
    gaps[CROSS_TURNED] = cross_auc_turned(pairs);
    gaps[AREA] = area_between_roc(pairs);
    gaps[DISTANCE] = distance(pairs);
    gaps
}

/// Exact gaps of all pairs of slots.
pub fn exact(pairs: &[SlotPair], rankings: &[Ranking]) -> Vec<[Option<f64>; N_GAPS]> {
    pairs.iter().map(|pair| gaps(&align(&rankings[pair.slot], &rankings[pair.reference]))).collect()
}

/// Values and replicates of all pairs.
#[derive(Debug, Clone, Default)]
pub struct ScoreGaps {
    pub pairs: Vec<SlotPair>,
    pub values: Vec<[Option<f64>; N_GAPS]>,
    /// `[pair × N_GAPS + gap]`; empty without a bootstrap.
    pub replicates: Vec<Vec<f64>>,
}

/// Emits the gaps of a scope.
pub fn emit(emitter: &mut Emitter<'_>, comparer: &Comparer<'_>, scope: &Scope, labelled: bool) {
    let table = comparer.table;
    for (at, pair) in table.score_gaps.pairs.iter().enumerate().filter(|(_, pair)| pair.reference == scope.reference) {
        if labelled {
            emit_labelled(emitter, comparer, at, *pair);
        }
        emitter.against("score_ks", pair.slot, pair.reference, &score_distance(comparer, at, *pair));
    }
}

fn emit_labelled(emitter: &mut Emitter<'_>, comparer: &Comparer<'_>, at: usize, pair: SlotPair) {
    let table = comparer.table;
    let rows = |slot: usize, of: Outcomes| table.facts[slot].counts.of(of) as u64;
    let rarer = |slot| rows(slot, Outcomes::POSITIVE).min(rows(slot, Outcomes::NEGATIVE));
    let crossed = rows(pair.slot, Outcomes::POSITIVE).min(rows(pair.reference, Outcomes::NEGATIVE));
    let both = rarer(pair.slot).min(rarer(pair.reference));
    let gaps = Gaps { table, at, confidence: comparer.confidence };
    emitter.against("xauc", pair.slot, pair.reference, &gaps.estimate(crossed, |gaps| gaps[CROSS]));
    let difference = gaps.estimate(both, |gaps| Some(gaps[CROSS]? - gaps[CROSS_TURNED]?));
    emitter.against("xauc_difference", pair.slot, pair.reference, &difference);
    emitter.against("abroca", pair.slot, pair.reference, &gaps.estimate(both, |gaps| gaps[AREA]));
}

fn score_distance(comparer: &Comparer<'_>, at: usize, pair: SlotPair) -> Estimate {
    let [group, reference] = [pair.slot, pair.reference].map(|slot| comparer.table.facts[slot]);
    let gaps = Gaps { table: comparer.table, at, confidence: comparer.confidence };
    let estimate = gaps.estimate(group.rows.min(reference.rows), |gaps| gaps[DISTANCE]);
    let p_value =
        estimate.value.ok().map(|value| distance_p_value(value, group.effective_rows, reference.effective_rows));
    Estimate { p_value, ..estimate }
}

/// The gaps of one pair.
struct Gaps<'a> {
    table: &'a GroupTable,
    at: usize,
    confidence: f64,
}

impl Gaps<'_> {
    fn estimate(&self, denominator: u64, f: impl Fn(&[Option<f64>; N_GAPS]) -> Option<f64>) -> Estimate {
        let gaps = &self.table.score_gaps;
        let Some(value) = f(&gaps.values[self.at]) else {
            let cause = if denominator == 0 { Cause::OneClass } else { Cause::NoRows };
            return Estimate::undefined(Undefined::comparing(cause), denominator);
        };
        let columns: [&[f64]; N_GAPS] =
            std::array::from_fn(|gap| gaps.replicates.get(self.at * N_GAPS + gap).map_or(&[][..], Vec::as_slice));
        let of_round = |round: usize| f(&columns.map(|column| Some(column[round]))).unwrap_or(f64::NAN);
        let mut replicates = (0..columns[0].len()).map(of_round).collect();
        let interval = percentile_interval(value, &mut replicates, self.confidence);
        Estimate { interval, ..Estimate::new(Ok(value), denominator) }
    }
}
