//! What attacks did to decisions: shares by group and size of change.

use super::membership::group_name;
use crate::audit::{CurvePoint, Metric};
use crate::plan::{Plan, RobustnessPlan};
use crate::robustness::{Method, Outcome};
use crate::stats::GroupLevels;
use crate::stats::intervals::{Interval, Proportion, newcombe, normal_quantile, wilson};
use std::collections::BTreeMap;

/// Shares of turned decisions over ε, by the strongest attack and by a single step; and what is still right.
pub const TURNED: &str = "adversarial_flip_rate";
pub const BY_STEP: &str = "adversarial_flip_rate_fgsm";
pub const ROBUST: &str = "robust_accuracy";

/// Counts attacked rows.
pub struct Toll<'a> {
    plan: &'a Plan,
    robustness: &'a RobustnessPlan,
    levels: &'a GroupLevels,
    /// By position of the attribute (`None`: overall) and name of the group.
    cells: BTreeMap<(Option<usize>, String), Cell>,
}

/// Attacked rows of one group; per ε where there are several.
#[derive(Debug, Clone, Default)]
struct Cell {
    n: u64,
    by_step: Vec<u64>,
    turned: Vec<u64>,
    labelled: u64,
    robust: Vec<u64>,
}

impl<'a> Toll<'a> {
    pub fn new(plan: &'a Plan, robustness: &'a RobustnessPlan, levels: &'a GroupLevels) -> Self {
        Self { plan, robustness, levels, cells: BTreeMap::new() }
    }

    /// Rows attacked.
    pub fn n_rows(&self) -> u64 {
        self.cells.get(&(None, String::new())).map_or(0, |cell| cell.n)
    }

    /// Counts one row with its groups' codes.
    pub fn count(&mut self, codes: &[u32], label: Option<u32>, outcome: &Outcome) {
        let mut places = vec![(None, String::new())];
        for (at, attribute) in self.plan.groups.attributes.iter().enumerate() {
            let group = group_name(attribute, self.levels, |column| codes[column]);
            places.extend(group.map(|group| (Some(at), group)));
        }
        for place in places {
            self.cells.entry(place).or_default().count(label, outcome);
        }
    }

    /// Shares over all sizes of changes.
    pub fn curves(&self) -> Vec<CurvePoint> {
        let mut curves = Vec::new();
        for ((attribute, group), cell) in &self.cells {
            let mut kinds = vec![(TURNED, &cell.turned, cell.n)];
            if self.robustness.rules.method == Method::Pgd {
                kinds.push((BY_STEP, &cell.by_step, cell.n));
            }
            if cell.labelled > 0 {
                kinds.push((ROBUST, &cell.robust, cell.labelled));
            }
            for (kind, hits, n) in kinds {
                for (epsilon, hits) in self.robustness.rules.epsilons.iter().zip(hits) {
                    let (share, interval) = self.share(*hits, n);
                    curves.push(CurvePoint {
                        kind: kind.to_owned(),
                        feature: self.attribute(*attribute).to_owned(),
                        group_value: group.clone(),
                        output: self.plan.decided_output(),
                        x: *epsilon,
                        y: share,
                        n,
                        ci_low: Some(interval.low),
                        ci_high: Some(interval.high),
                    });
                }
            }
        }
        curves
    }

    /// The shares that gates judge.
    pub fn metrics(&self) -> Vec<Metric> {
        let at = self.robustness.rules.epsilons.iter().position(|epsilon| *epsilon == self.robustness.judged);
        let at = at.unwrap_or(0);
        let mut metrics = Vec::new();
        for ((attribute, group), cell) in &self.cells {
            let place = (self.attribute(*attribute), group.as_str());
            metrics.push(self.metric(TURNED, place, cell.turned[at], cell.n));
            if self.plan.selection.label.is_some() {
                metrics.push(self.metric(ROBUST, place, cell.robust[at], cell.labelled));
            }
        }
        let attributes = 0..self.plan.groups.attributes.len();
        metrics.extend(attributes.filter_map(|attribute| self.difference(attribute, at)));
        metrics
    }

    /// Of the groups with the highest and the lowest share, at a level shared among all pairs (Bonferroni).
    fn difference(&self, attribute: usize, at: usize) -> Option<Metric> {
        let groups: Vec<(&str, Proportion)> = self
            .cells
            .iter()
            .filter(|((of, _), _)| *of == Some(attribute))
            .map(|((_, group), cell)| (group.as_str(), proportion(cell.turned[at], cell.n)))
            .collect();
        let by_share = |a: &&(&str, Proportion), b: &&(&str, Proportion)| a.1.share().total_cmp(&b.1.share());
        let (lowest, highest) = (groups.iter().min_by(by_share)?, groups.iter().max_by(by_share)?);
        let pairs = groups.len() * groups.len().saturating_sub(1) / 2;
        if pairs == 0 {
            return None;
        }
        let level = 1.0 - (1.0 - self.plan.groups.confidence) / pairs as f64;
        let interval = newcombe(highest.1, lowest.1, normal_quantile(level));
        let n: f64 = groups.iter().map(|(_, share)| share.trials).sum();
        Some(Metric {
            metric: format!("{TURNED}_difference"),
            attribute: self.attribute(Some(attribute)).to_owned(),
            output: self.plan.decided_output(),
            value: Some(highest.1.share() - lowest.1.share()),
            ci_low: Some(interval.low.max(0.0)),
            ci_high: Some(interval.high),
            confidence: Some(self.plan.groups.confidence),
            n: n as u64,
            denominator: Some(highest.1.trials.min(lowest.1.trials) as u64),
            pair: Some((lowest.0.to_owned(), highest.0.to_owned())),
            ..Metric::default()
        })
    }

    fn metric(&self, name: &str, (attribute, group): (&str, &str), hits: u64, n: u64) -> Metric {
        let found = (n > 0).then(|| self.share(hits, n));
        Metric {
            metric: name.to_owned(),
            attribute: attribute.to_owned(),
            group_value: group.to_owned(),
            output: self.plan.decided_output(),
            value: found.map(|(share, _)| share),
            undefined_reason: found.is_none().then(|| "no labelled rows".to_owned()),
            ci_low: found.map(|(_, interval)| interval.low),
            ci_high: found.map(|(_, interval)| interval.high),
            confidence: found.map(|_| self.plan.groups.confidence),
            n,
            denominator: Some(n),
            ..Metric::default()
        }
    }

    fn share(&self, hits: u64, n: u64) -> (f64, Interval) {
        let proportion = proportion(hits, n);
        (proportion.share(), wilson(proportion, normal_quantile(self.plan.groups.confidence)))
    }

    fn attribute(&self, at: Option<usize>) -> &str {
        at.map_or("", |at| self.plan.groups.attributes[at].name.as_str())
    }
}

fn proportion(hits: u64, n: u64) -> Proportion {
    Proportion { successes: hits as f64, trials: n as f64 }
}

impl Cell {
    fn count(&mut self, label: Option<u32>, outcome: &Outcome) {
        self.n += 1;
        add(&mut self.by_step, outcome.by_step.iter().copied());
        add(&mut self.turned, outcome.turned.iter().copied());
        let right = label == Some(outcome.decision);
        self.labelled += u64::from(label.is_some());
        add(&mut self.robust, outcome.turned.iter().map(|turned| right && !turned));
    }
}

fn add(counts: &mut Vec<u64>, hits: impl ExactSizeIterator<Item = bool>) {
    counts.resize(hits.len(), 0);
    counts.iter_mut().zip(hits).for_each(|(count, hit)| *count += u64::from(hit));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_robust_that_are_right_and_not_turned() {
        let outcome =
            |decision, turned: [bool; 2]| Outcome { decision, by_step: vec![false; 2], turned: turned.to_vec() };
        let mut cell = Cell::default();
        cell.count(Some(1), &outcome(1, [false, true]));
        cell.count(Some(0), &outcome(1, [false, false]));
        cell.count(None, &outcome(1, [true, true]));
        assert_eq!((cell.n, cell.labelled), (3, 2));
        assert_eq!((cell.turned, cell.robust, cell.by_step), (vec![1, 2], vec![1, 0], vec![0, 0]));
    }
}
