//! Principal reasons of unfavourable decisions, counted over all rows and kept for the first of them.

use super::gallery::Shown;
use crate::audit::{AdverseActions, AdverseRow, CaseTerm, ReasonCount};
use crate::config::Task;
use crate::plan::{ExplainPlan, Explained, Plan};

/// Rows that are kept with their reasons.
const MOST_ROWS: usize = 200;

/// Which decisions are unfavourable, and which way attributions must push to be a reason.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    pub threshold: f64,
    /// The decision for the explained output is the one that is good for the person.
    pub favourable_is_positive: bool,
    pub per_decision: usize,
}

impl Rule {
    /// Reasons are of binary decisions, whose one score is explained.
    pub fn wanted(plan: &Plan, explain: &ExplainPlan) -> Option<Self> {
        let fixed = matches!(explain.outputs, Explained::Fixed(_));
        (plan.task == Task::Binary && fixed).then(|| Self {
            threshold: plan.threshold,
            favourable_is_positive: super::favourable_is_positive(plan),
            per_decision: plan.config().report.reasons_per_decision as usize,
        })
    }
}

/// Merges by order: batches come in the order of the data.
pub struct Adverse {
    rule: Rule,
    features: Vec<String>,
    n_explained: u64,
    n_adverse: u64,
    /// By feature: as the first reason, and as any.
    counts: Vec<(u64, u64)>,
    rows: Vec<AdverseRow>,
}

impl Adverse {
    pub fn new(rule: Rule, features: &[String]) -> Self {
        let counts = vec![(0, 0); features.len()];
        Self { rule, features: features.to_vec(), n_explained: 0, n_adverse: 0, counts, rows: Vec::new() }
    }

    pub fn update(&mut self, shown: &Shown) {
        for row in 0..shown.attributions.phi.shape()[0] {
            self.n_explained += 1;
            let score = (shown.score)(row, (shown.output_of)(row, 0));
            if (score >= self.rule.threshold) != self.rule.favourable_is_positive {
                self.add(shown, row, score);
            }
        }
    }

    fn add(&mut self, shown: &Shown, row: usize, score: f64) {
        let phi = shown.attributions.phi.slice(ndarray::s![row, 0, ..]);
        let reasons = principal(&phi.to_vec(), self.rule);
        self.n_adverse += 1;
        for (rank, feature) in reasons.iter().enumerate() {
            let (first, any) = &mut self.counts[*feature];
            *first += u64::from(rank == 0);
            *any += 1;
        }
        if self.rows.len() < MOST_ROWS {
            let term = |feature: &usize| CaseTerm {
                feature: self.features[*feature].clone(),
                feature_value: shown.values[*feature].text(row),
                attribution: phi[*feature],
                term: shown.surrogates.map(|surrogates| surrogates.terms[row][*feature].clone()),
            };
            let reasons = reasons.iter().map(term).collect();
            self.rows.push(AdverseRow { row_id: (shown.ids)(row), score, reasons });
        }
    }

    pub fn finish(self) -> AdverseActions {
        let counted = self.features.into_iter().zip(self.counts).filter(|(_, (_, any))| *any > 0);
        let mut reasons: Vec<ReasonCount> =
            counted.map(|(feature, (n_first, n_any))| ReasonCount { feature, n_first, n_any }).collect();
        // Stable: equals stay in model order.
        reasons.sort_by_key(|reason| std::cmp::Reverse((reason.n_first, reason.n_any)));
        AdverseActions {
            n_explained: self.n_explained,
            n_adverse: self.n_adverse,
            per_decision: self.rule.per_decision as u32,
            reasons,
            rows: self.rows,
        }
    }
}

/// Positions of the features that pushed away from the favourable decision, the strongest first; equals in order.
fn principal(phi: &[f64], rule: Rule) -> Vec<usize> {
    let against = |feature: &usize| if rule.favourable_is_positive { -phi[*feature] } else { phi[*feature] };
    let mut reasons: Vec<usize> = (0..phi.len()).filter(|feature| against(feature) > 0.0).collect();
    reasons.sort_by(|a, b| against(b).total_cmp(&against(a)));
    reasons.truncate(rule.per_decision);
    reasons
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: Rule = Rule { threshold: 0.5, favourable_is_positive: true, per_decision: 2 };

    #[test]
    fn reasons_push_away_from_the_favourable_decision_the_strongest_first() {
        let phi = [-0.1, 0.9, -0.4, 0.0, -0.2];
        assert_eq!(principal(&phi, RULE), [2, 4]);
        assert_eq!(principal(&phi, Rule { favourable_is_positive: false, ..RULE }), [1]);
        assert_eq!(principal(&phi, Rule { per_decision: 9, ..RULE }), [2, 4, 0]);
    }

    #[test]
    fn equal_attributions_come_in_model_order_and_nothing_is_no_reason() {
        assert_eq!(principal(&[-1.0, -1.0, -1.0], RULE), [0, 1]);
        assert!(principal(&[0.0, 0.3, f64::NAN], RULE).is_empty());
    }
}
