//! From estimates to rows of `metrics`.

use super::estimate::Estimate;
use super::group_table::{Facts, GroupTable};
use super::layout::{Layout, OTHERS, Scope};
use crate::audit::{GroupCount, Metric};
use std::collections::BTreeSet;

/// Collects the rows of one output.
pub struct Emitter<'a> {
    layout: &'a Layout,
    facts: &'a [Facts],
    output: &'a str,
    confidence: f64,
    /// Names asked for; `None` = all.
    wanted: Option<&'a BTreeSet<String>>,
    pub metrics: Vec<Metric>,
}

impl<'a> Emitter<'a> {
    pub fn new(
        layout: &'a Layout,
        table: &'a GroupTable,
        output: &'a str,
        confidence: f64,
        wanted: Option<&'a BTreeSet<String>>,
    ) -> Self {
        Self { layout, facts: &table.facts, output, confidence, wanted, metrics: Vec::new() }
    }

    pub fn wants(&self, name: &str) -> bool {
        self.wanted.is_none_or(|wanted| wanted.contains(name))
    }

    /// A measure of one slot.
    pub fn slot(&mut self, name: &str, slot: usize, estimate: &Estimate) {
        self.push(name, slot, "", estimate);
    }

    /// A slot compared with the reference of its scope.
    pub fn against(&mut self, name: &str, slot: usize, reference: usize, estimate: &Estimate) {
        let reference = &self.layout.slots[reference].group;
        self.push(name, slot, reference, estimate);
    }

    /// A value over all groups of a scope.
    pub fn across(&mut self, name: &str, scope: &Scope, estimate: &Estimate, pair: Option<(usize, usize)>) {
        if !self.wants(name) {
            return;
        }
        let group = |slot: usize| self.layout.slots[slot].group.clone();
        let known: Vec<&Facts> = self.layout.known(scope).map(|slot| &self.facts[slot]).collect();
        let total = |count: fn(&Facts) -> Option<u64>| known.iter().map(|facts| count(facts)).sum::<Option<u64>>();
        let metric = Metric {
            attribute: scope.attribute.clone(),
            stratum: scope.stratum.clone(),
            n: known.iter().map(|facts| facts.rows).sum(),
            n_positive: total(|facts| facts.n_positive),
            n_predicted_positive: total(|facts| facts.n_predicted_positive),
            pair: pair.map(|(lowest, highest)| (group(lowest), group(highest))),
            ..self.metric(name, estimate)
        };
        self.metrics.push(metric);
    }

    fn push(&mut self, name: &str, slot: usize, reference: &str, estimate: &Estimate) {
        if !self.wants(name) {
            return;
        }
        let (place, facts) = (&self.layout.slots[slot], &self.facts[slot]);
        let metric = Metric {
            attribute: place.attribute.clone(),
            group_value: place.group.clone(),
            stratum: place.stratum.clone(),
            reference: reference.into(),
            n: facts.rows,
            n_positive: facts.n_positive,
            n_predicted_positive: facts.n_predicted_positive,
            ..self.metric(name, estimate)
        };
        self.metrics.push(metric);
    }

    /// The value alone, without its place.
    fn metric(&self, name: &str, estimate: &Estimate) -> Metric {
        let interval = estimate.interval.filter(|interval| interval.low.is_finite() && interval.high.is_finite());
        Metric {
            metric: name.into(),
            output: self.output.into(),
            value: estimate.value.ok(),
            undefined_reason: estimate.value.err().map(|undefined| undefined.to_string()),
            ci_low: interval.map(|interval| interval.low),
            ci_high: interval.map(|interval| interval.high),
            confidence: interval.map(|_| self.confidence),
            p_value: estimate.p_value,
            denominator: Some(estimate.denominator),
            ..Metric::default()
        }
    }
}

/// The counts behind the rates of one output; regressions have no outcomes.
pub fn group_counts(layout: &Layout, facts: &[Facts], output: &str) -> Vec<GroupCount> {
    let groups = layout.slots.iter().zip(facts).filter(|(slot, _)| slot.group != OTHERS);
    groups
        .map(|(slot, facts)| {
            let outcome = |i: usize| facts.outcomes.map(|outcomes| outcomes[i]);
            GroupCount {
                attribute: slot.attribute.clone(),
                group_value: slot.group.clone(),
                stratum: slot.stratum.clone(),
                output: output.into(),
                n: facts.rows,
                weight: facts.weight,
                tn: outcome(0),
                fp: outcome(1),
                fn_: outcome(2),
                tp: outcome(3),
            }
        })
        .collect()
}
