//! What is found out on a sample of people: whether rows that are alike are decided alike, whether a decision changes
//! with nothing but the group, and which features tell the group.

use super::RunError;
use super::membership::{group_names, numbered};
use super::scoring::decide;
use crate::audit::{AttributeScope, Metric, Note, Proxy};
use crate::config::Task;
use crate::dataset::FeatureSpec;
use crate::fairness::AttributeSpec;
use crate::importance::{Compare, People, as_level, neighbour_agreement, proxy};
use crate::model::predictor::Predictor;
use crate::plan::Plan;
use crate::stats::groups::UNKNOWN;
use crate::stats::intervals::{Interval, Proportion, normal_quantile, student_quantile, wilson};
use crate::stats::{ExactSum, GroupLevels};
use ndarray::Array2;
use std::collections::BTreeMap;

/// Rows that are compared with each other: their number of pairs bounds the cost.
const COMPARED: usize = 2_000;
/// Rows that are scored again for every group.
const FLIPPED: usize = 5_000;
/// Most groups that a row is tried as, the largest first.
const MOST_LEVELS: usize = 12;

#[derive(Default)]
pub struct Individual {
    pub metrics: Vec<Metric>,
    pub proxies: Vec<Proxy>,
    pub notes: Vec<Note>,
}

/// Everything that a sample shows. `predictor` is asked for the flip test only.
pub fn individual(
    plan: &Plan,
    people: Option<People>,
    levels: &GroupLevels,
    scopes: &[AttributeScope],
    predictor: Option<&dyn Predictor>,
) -> Result<Individual, RunError> {
    let Some(people) = people else { return Ok(Individual::default()) };
    let sample = Sample { plan, levels, scopes, confidence: plan.groups.confidence };
    let mut result = Individual { proxies: sample.proxies(&people), ..Individual::default() };
    let compared = people.thinned(COMPARED);
    result.metrics.extend(sample.consistency(&compared));
    let flipped = people.thinned(FLIPPED);
    if let Some(predictor) = predictor {
        result.metrics.extend(sample.flips(&flipped, predictor)?);
    }
    result.notes.extend(sample.note(&people, &result, [compared.n_rows(), flipped.n_rows()]));
    Ok(result)
}

struct Sample<'a> {
    plan: &'a Plan,
    levels: &'a GroupLevels,
    scopes: &'a [AttributeScope],
    confidence: f64,
}

impl Sample<'_> {
    fn wants(&self, name: &str) -> bool {
        self.plan.groups.metrics.as_ref().is_none_or(|wanted| wanted.iter().any(|metric| metric == name))
    }

    /// Attributes that are compared, with their reference.
    fn attributes(&self) -> impl Iterator<Item = (&AttributeSpec, &AttributeScope)> {
        self.plan.groups.attributes.iter().filter_map(|attribute| {
            Some((attribute, self.scopes.iter().find(|scope| scope.attribute == attribute.name)?))
        })
    }

    /// The name of each row's group; `None` where a part of it is unknown.
    fn groups(&self, people: &People, attribute: &AttributeSpec) -> Vec<Option<String>> {
        group_names(attribute, self.levels, &people.codes, people.n_rows())
    }

    fn proxies(&self, people: &People) -> Vec<Proxy> {
        let mut proxies = Vec::new();
        for (attribute, _) in self.attributes() {
            let groups = numbered(&self.groups(people, attribute));
            for (at, feature) in self.plan.selection.features.iter().enumerate() {
                if let Some(found) = proxy(people, at, self.plan.config().data.is_code(&feature.column), &groups) {
                    let (attribute, feature) = (attribute.name.clone(), feature.column.clone());
                    proxies.push(Proxy { attribute, feature, ..found });
                }
            }
        }
        proxies
    }

    /// How columns are compared: those of the sensitive attributes are left out, codes are equal or not.
    fn compare(&self) -> Vec<Compare> {
        let how = |feature: &FeatureSpec| {
            let column = &feature.column;
            let used = |attribute: &AttributeSpec| {
                attribute.columns.iter().any(|at| self.plan.groups.columns[*at].column == *column)
            };
            if self.plan.groups.attributes.iter().any(used) {
                Compare::LeaveOut
            } else if self.plan.config().data.is_code(&feature.column) {
                Compare::Equality
            } else {
                Compare::Distance
            }
        };
        self.plan.selection.features.iter().map(how).collect()
    }

    fn consistency(&self, people: &People) -> Vec<Metric> {
        if !self.wants("consistency") {
            return Vec::new();
        }
        let shares = neighbour_agreement(people, &self.compare());
        if shares.is_empty() {
            return Vec::new();
        }
        let mean = |attribute: &str, group: &str, shares: &[f64]| {
            let (value, interval) = self.mean(shares);
            self.metric("consistency", [attribute, group, ""], value, interval, shares.len())
        };
        let mut metrics = vec![mean("", "", &shares)];
        for (attribute, _) in self.attributes() {
            let mut of_groups: BTreeMap<String, Vec<f64>> = BTreeMap::new();
            for (group, share) in self.groups(people, attribute).into_iter().zip(&shares) {
                if let Some(group) = group {
                    of_groups.entry(group).or_default().push(*share);
                }
            }
            metrics.extend(of_groups.iter().map(|(group, shares)| mean(&attribute.name, group, shares)));
        }
        metrics
    }

    /// Every attribute that is a column of the model by itself.
    fn flips(&self, people: &People, predictor: &dyn Predictor) -> Result<Vec<Metric>, RunError> {
        if !self.wants("flip_rate") && !self.wants("flip_score_change") {
            return Ok(Vec::new());
        }
        let mut metrics = Vec::new();
        for (attribute, scope) in self.attributes() {
            let &[column] = attribute.columns.as_slice() else { continue };
            let group = &self.plan.groups.columns[column];
            let features = &self.plan.selection.features;
            let feature = features.iter().position(|feature| feature.column == group.column);
            if let Some(feature) = feature.filter(|_| group.bins.is_none()) {
                let tried = self.tried(people, predictor, feature, column)?;
                metrics.extend(self.flipped(people, scope, column, &tried));
            }
        }
        Ok(metrics)
    }

    /// Scores of all rows as each level, the largest levels first.
    fn tried(
        &self,
        people: &People,
        predictor: &dyn Predictor,
        feature: usize,
        column: usize,
    ) -> Result<BTreeMap<u32, Tried>, RunError> {
        let codes = &people.codes[column];
        let mut sizes: BTreeMap<u32, u64> = BTreeMap::new();
        codes.iter().for_each(|code| *sizes.entry(*code).or_default() += 1);
        sizes.retain(|code, _| self.levels.levels[column][*code as usize] != UNKNOWN);
        let mut ranked: Vec<u32> = sizes.keys().copied().collect();
        ranked.sort_by_key(|code| std::cmp::Reverse(sizes[code]));
        let mut tried = BTreeMap::new();
        for level in ranked.into_iter().take(MOST_LEVELS) {
            let scores = as_level(predictor, people, feature, codes, level).map_err(RunError::unacceptable)?;
            if let Some(scores) = scores {
                tried.insert(level, Tried::new(self.plan, &scores));
            }
        }
        Ok(tried)
    }

    fn flipped(
        &self,
        people: &People,
        scope: &AttributeScope,
        column: usize,
        tried: &BTreeMap<u32, Tried>,
    ) -> Vec<Metric> {
        let codes = &people.codes[column];
        let name = |level: &u32| self.levels.levels[column][*level as usize].as_str();
        let mut metrics = Vec::new();
        let decides = self.plan.task != Task::Regression && self.wants("flip_rate");
        if let Some(reference) = tried.keys().find(|level| name(level) == scope.reference) {
            for (level, own) in tried.iter().filter(|(level, _)| *level != reference) {
                let rows: Vec<usize> = (0..codes.len()).filter(|row| codes[*row] == *level).collect();
                let other = &tried[reference];
                let place = [scope.attribute.as_str(), name(level), name(reference)];
                if decides {
                    let flips = rows.iter().filter(|row| own.decisions[**row] != other.decisions[**row]).count();
                    metrics.push(self.share("flip_rate", place, flips, rows.len()));
                }
                if self.plan.task != Task::Multiclass && self.wants("flip_score_change") {
                    let changes: Vec<f64> = rows.iter().map(|row| other.scores[*row] - own.scores[*row]).collect();
                    let (value, interval) = self.mean(&changes);
                    metrics.push(self.metric("flip_score_change", place, value, interval, changes.len()));
                }
            }
        }
        let rows: Vec<usize> = (0..codes.len()).filter(|row| tried.contains_key(&codes[*row])).collect();
        if decides && tried.len() > 1 {
            let changes =
                |row: usize| tried.values().any(|other| other.decisions[row] != tried[&codes[row]].decisions[row]);
            let flips = rows.iter().filter(|row| changes(**row)).count();
            metrics.push(self.share("flip_rate", [&scope.attribute, "", ""], flips, rows.len()));
        }
        metrics
    }

    fn share(&self, name: &str, place: [&str; 3], hits: usize, rows: usize) -> Metric {
        let proportion = Proportion { successes: hits as f64, trials: rows as f64 };
        let interval = wilson(proportion, normal_quantile(self.confidence));
        self.metric(name, place, proportion.share(), Some(interval), rows)
    }

    fn mean(&self, numbers: &[f64]) -> (f64, Option<Interval>) {
        let n = numbers.len() as f64;
        // Exact sums do not depend on the order of the rows.
        let sum = |numbers: &mut dyn Iterator<Item = f64>| {
            let mut sum = ExactSum::default();
            numbers.for_each(|number| sum.add(number));
            sum.value()
        };
        let mean = sum(&mut numbers.iter().copied()) / n;
        let variance = sum(&mut numbers.iter().map(|x| (x - mean).powi(2))) / (n - 1.0);
        let half = student_quantile(self.confidence, n - 1.0) * (variance / n).sqrt();
        (mean, (numbers.len() > 1).then(|| Interval::around(mean, half)))
    }

    /// `place`: attribute, group, reference. Counts are those of the sample.
    fn metric(&self, name: &str, place: [&str; 3], value: f64, interval: Option<Interval>, rows: usize) -> Metric {
        let [attribute, group_value, reference] = place.map(str::to_owned);
        Metric {
            metric: name.to_owned(),
            attribute,
            group_value,
            reference,
            output: self.plan.decided_output(),
            value: Some(value),
            ci_low: interval.map(|interval| interval.low),
            ci_high: interval.map(|interval| interval.high),
            confidence: interval.map(|_| self.confidence),
            n: rows as u64,
            denominator: Some(rows as u64),
            ..Metric::default()
        }
    }

    /// How much of the data the sample is.
    fn note(&self, people: &People, result: &Individual, [compared, flipped]: [usize; 2]) -> Option<Note> {
        let has = |name: &str| result.metrics.iter().any(|metric| metric.metric == name);
        let parts = [
            has("consistency").then(|| format!("consistency rests on {compared} rows")),
            (has("flip_rate") || has("flip_score_change")).then(|| format!("the flip test on {flipped}")),
            (!result.proxies.is_empty()).then(|| format!("proxies on {}", people.n_rows())),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        let all = compared as u64 == people.n_total;
        (!all && !parts.is_empty()).then(|| Note {
            about: "fairness".to_owned(),
            text: format!("Of {} rows, {}, drawn with the seed.", people.n_total, parts.join(", ")),
        })
    }
}

/// Decisions and first scores of all rows.
struct Tried {
    decisions: Vec<u32>,
    scores: Vec<f64>,
}

impl Tried {
    fn new(plan: &Plan, scores: &Array2<f64>) -> Self {
        let decisions = scores.rows().into_iter().map(|row| decide(plan, row)).collect();
        Self { decisions, scores: scores.column(0).to_vec() }
    }
}
