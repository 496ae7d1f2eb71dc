//! Groups compared within strata: Mantel–Haenszel's common odds ratio, whether strata agree, and Clarify's conditional
//! demographic disparity.

use super::compare::{Comparer, on_favourable};
use super::emit::Emitter;
use super::estimate::{Basis, Cause, Estimate, Undefined};
use super::layout::{Layout, Scope};
use crate::stats::bootstrap::percentile_interval;
use crate::stats::intervals::{Proportion, odds_ratio};
use crate::stats::stratified::mantel_haenszel;

/// A scope with its scopes within strata; groups stand at the same positions in all.
pub struct Conditional<'a> {
    comparer: &'a Comparer<'a>,
    whole: &'a Scope,
    strata: Vec<&'a Scope>,
    favourable_is_positive: bool,
}

impl<'a> Conditional<'a> {
    /// `None` for a scope that is itself a stratum.
    pub fn new(
        comparer: &'a Comparer<'a>,
        layout: &'a Layout,
        whole: &'a Scope,
        favourable_is_positive: bool,
    ) -> Option<Self> {
        let inside = |scope: &&Scope| scope.attribute == whole.attribute && !scope.stratum.is_empty();
        let strata = layout.scopes.iter().filter(inside).collect();
        whole.stratum.is_empty().then_some(Self { comparer, whole, strata, favourable_is_positive })
    }

    pub fn emit(&self, emitter: &mut Emitter<'_>) {
        let reference = self.whole.reference;
        let Some(rate) = self.comparer.table.index("favourable_rate") else { return };
        let places = self.whole.groups.iter().copied().enumerate().filter(|(_, slot)| *slot != reference);
        let others = (self.whole.groups.len(), self.whole.others);
        for (place, slot) in places.chain([others]) {
            emitter.against("odds_ratio", slot, reference, &self.odds_ratio(rate, slot));
            if !self.strata.is_empty() {
                let (common, homogeneity) = self.common_odds(rate, place);
                emitter.against("conditional_odds_ratio", slot, reference, &common);
                emitter.against("odds_ratio_homogeneity", slot, reference, &homogeneity);
            }
        }
        if self.strata.is_empty() {
            return;
        }
        let sides = [("clarify_cddpl", "favourable_rate"), ("clarify_cddl", "base_rate")];
        for (name, measure) in sides {
            let Some(m) = self.comparer.table.index(on_favourable(measure, self.favourable_is_positive)) else {
                continue;
            };
            // Decisions come as rates of the favourable class already, labels as rates of the positive one.
            let turned = measure == "base_rate" && !self.favourable_is_positive;
            emitter.against(name, self.whole.others, reference, &self.demographic_disparity(m, turned));
        }
    }

    fn proportion(&self, rate: usize, slot: usize) -> Option<Proportion> {
        match self.comparer.estimate(rate, slot).basis {
            Basis::Proportion(proportion) if proportion.trials > 0.0 => Some(proportion),
            _ => None,
        }
    }

    /// Odds of a favourable decision over the reference's, not conditional on anything.
    fn odds_ratio(&self, rate: usize, slot: usize) -> Estimate {
        let difference = self.comparer.difference(rate, slot, self.whole.reference);
        let pair = (self.proportion(rate, slot), self.proportion(rate, self.whole.reference));
        let (Ok(_), (Some(group), Some(reference))) = (difference.value, pair) else { return difference };
        let (value, interval) = odds_ratio(group, reference, self.comparer.z);
        let value = value.ok_or(Undefined::comparing(Cause::ZeroDenominator));
        Estimate { value, interval: interval.filter(|_| value.is_ok()), ..difference }
    }

    /// The slot at a place of a scope; the place after the groups is that of all others.
    fn slot(scope: &Scope, place: usize) -> usize {
        scope.groups.get(place).copied().unwrap_or(scope.others)
    }

    /// Rows of the smaller group in the strata, and the common odds ratio and its homogeneity.
    fn common_odds(&self, rate: usize, place: usize) -> (Estimate, Estimate) {
        let pairs = self.strata.iter().map(|scope| (Self::slot(scope, place), scope.reference));
        let known = pairs.filter_map(|(slot, reference)| {
            let proportions = (self.proportion(rate, slot)?, self.proportion(rate, reference)?);
            let rows = |slot| self.comparer.estimate(rate, slot).denominator;
            Some((proportions, rows(slot), rows(reference)))
        });
        let known: Vec<_> = known.collect();
        let [group, reference] = known.iter().fold([0, 0], |[group, reference], (_, n, m)| [group + n, reference + m]);
        let denominator = group.min(reference);
        let undefined = |cause| Estimate::undefined(Undefined::comparing(cause), denominator);
        let tables = known.into_iter().map(|(proportions, ..)| proportions);
        let Some(stratified) = mantel_haenszel(tables, self.comparer.z) else {
            return (undefined(Cause::NoInformativeStratum), undefined(Cause::NoInformativeStratum));
        };
        let common = match stratified.odds_ratio {
            Some(ratio) => Estimate {
                interval: stratified.interval,
                p_value: stratified.p_value,
                ..Estimate::new(Ok(ratio), denominator)
            },
            None => undefined(Cause::ZeroDenominator),
        };
        let homogeneity = match stratified.homogeneity {
            Some(test) => Estimate { p_value: Some(test.p_value), ..Estimate::new(Ok(test.statistic), denominator) },
            None => undefined(Cause::OneInformativeStratum),
        };
        (common, homogeneity)
    }

    /// Σ n DD / Σ n over strata, DD = the others' share of unfavourable outcomes − their share of favourable ones.
    /// Strata where one of the outcomes is missing have no shares to compare and are left out.
    fn demographic_disparity(&self, measure: usize, turned: bool) -> Estimate {
        let comparer = self.comparer;
        let weight = |slot: usize| {
            let facts = &comparer.table.facts[slot];
            if comparer.table.measures[measure].needs_labels { facts.labelled } else { facts.weight }
        };
        let strata: Vec<[(usize, f64); 2]> = self
            .strata
            .iter()
            .map(|scope| [scope.others, scope.reference].map(|slot| (slot, weight(slot))))
            .filter(|sides| sides.iter().any(|(_, weight)| *weight > 0.0))
            .collect();
        let value = |rate: &dyn Fn(usize) -> f64| {
            let (mut sum, mut total) = (0.0, 0.0);
            for [(others, d), (reference, a)] in &strata {
                let good = |slot: usize, weight: f64| {
                    let rate = if weight > 0.0 { rate(slot) } else { 0.0 };
                    weight * if turned { 1.0 - rate } else { rate }
                };
                let (good_d, good_a) = (good(*others, *d), good(*reference, *a));
                let (favourable, unfavourable) = (good_d + good_a, d + a - good_d - good_a);
                if favourable > 0.0 && unfavourable > 0.0 {
                    sum += (d + a) * ((d - good_d) / unfavourable - good_d / favourable);
                    total += d + a;
                }
            }
            if total > 0.0 { sum / total } else { f64::NAN }
        };
        let point = value(&|slot| comparer.estimate(measure, slot).value.unwrap_or(0.0));
        let denominator = strata.iter().flatten().map(|(slot, _)| comparer.estimate(measure, *slot).denominator).sum();
        if !point.is_finite() {
            return Estimate::undefined(Undefined::comparing(Cause::NoInformativeStratum), denominator);
        }
        let replicates = |slot: usize| comparer.table.replicates.of(measure, slot);
        let rounds =
            strata.iter().flatten().filter(|(_, weight)| *weight > 0.0).map(|(slot, _)| replicates(*slot).len());
        let rounds = rounds.min().unwrap_or(0);
        // A stratum that a replicate redraws empty keeps the rate it has.
        let redrawn = |slot: usize, round: usize| {
            let rate = replicates(slot)[round];
            if rate.is_nan() { comparer.estimate(measure, slot).value.unwrap_or(0.0) } else { rate }
        };
        let mut rounds: Vec<f64> = (0..rounds).map(|round| value(&|slot| redrawn(slot, round))).collect();
        let interval = percentile_interval(point, &mut rounds, comparer.confidence);
        Estimate { interval, ..Estimate::new(Ok(point), denominator) }
    }
}
