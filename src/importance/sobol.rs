//! Variance-based sensitivity indices (Sobol 1993; estimators of Saltelli et al. 2010 and Jansen 1999).
//!
//! Two independent samples A and B of the inputs, and for each factor k the sample A with k taken from B. The share of
//! the score's variance that k explains alone is its first-order index, the share that is lost without it the total
//! index; the difference is interaction. Factors are drawn independently of each other from their own distributions:
//! where columns are correlated the indices speak of rows that do not occur.

use super::answers::{Factors, answers, rank};
use super::error::ImportanceError;
use crate::audit::Importance;
use crate::dataset::batch::Features;
use crate::explain::game::Players;
use crate::model::predictor::Predictor;
use crate::stats::intervals::normal_quantile;
use crate::stats::random::Stream;
use ndarray::{Array2, ArrayView1};

/// Most rows of a sample: beyond it errors shrink slowly.
const MOST_SAMPLES: usize = 16_384;
const REPLICATES: u64 = 200;

/// What the global methods have in common.
#[derive(Debug, Clone, PartialEq)]
pub struct Study<'a> {
    /// Names of the model's outputs, all of which are studied.
    pub outputs: &'a [String],
    /// Most rows that the model is asked about.
    pub budget: u64,
    pub seed: u64,
    /// Of the intervals, such as 0.95.
    pub confidence: f64,
}

/// Rows in each of the two samples.
pub fn sobol_samples(n_factors: usize, budget: u64) -> usize {
    (budget as usize / (n_factors + 2)).min(MOST_SAMPLES)
}

/// First-order and total indices of every player and output, with bootstrap errors; nothing for outputs that do not
/// vary.
///
/// # Errors
/// Pictures, a budget for less than two rows, or a model that fails.
pub fn sobol(
    predictor: &dyn Predictor,
    rows: &Features,
    players: &Players,
    study: &Study,
) -> Result<Vec<Importance>, ImportanceError> {
    let factors = Factors::of(players, rows)?;
    let n = sobol_samples(factors.len(), study.budget);
    if n < 2 {
        return Err(ImportanceError::Budget { method: "sobol", least: 2 * (factors.len() as u64 + 2) });
    }
    let stream = Stream::new(study.seed, "sobol");
    let draw = |sample: u64, factor: usize, at: usize| {
        let unit = stream.child(sample).child(factor as u64).unit(at as u64);
        ((unit * rows.n_rows as f64) as usize).min(rows.n_rows - 1)
    };
    let ask = |pick: &(dyn Fn(usize, usize) -> usize + Sync)| answers(predictor, &factors.drawn(rows, n, pick));
    let a = ask(&|factor, at| draw(0, factor, at))?;
    let b = ask(&|factor, at| draw(1, factor, at))?;
    let mixed = (0..factors.len()).map(|k| ask(&|factor, at| draw(u64::from(factor == k), factor, at)));
    let mixed = mixed.collect::<Result<Vec<Array2<f64>>, _>>()?;
    let mut found = Vec::new();
    for (output, name) in study.outputs.iter().enumerate() {
        let mixed: Vec<ArrayView1<f64>> = mixed.iter().map(|mixed| mixed.column(output)).collect();
        let Some(design) = Design::new(a.column(output), b.column(output), &mixed) else { continue };
        found.extend(design.importance(name, &factors, study, stream.child(2)));
    }
    Ok(found)
}

/// Centred scores of the samples.
pub struct Design {
    a: Vec<f64>,
    b: Vec<f64>,
    mixed: Vec<Vec<f64>>,
}

impl Design {
    /// `None` where the scores are all the same.
    pub fn new(a: ArrayView1<f64>, b: ArrayView1<f64>, mixed: &[ArrayView1<f64>]) -> Option<Self> {
        let all = || a.iter().chain(b).chain(mixed.iter().copied().flatten());
        let mean = all().sum::<f64>() / all().count() as f64;
        let centred = |scores: ArrayView1<f64>| scores.iter().map(|score| score - mean).collect::<Vec<f64>>();
        let design = Self { a: centred(a), b: centred(b), mixed: mixed.iter().map(|m| centred(*m)).collect() };
        let rows: Vec<usize> = (0..design.a.len()).collect();
        (design.variance(&rows) > 0.0).then_some(design)
    }

    fn variance(&self, rows: &[usize]) -> f64 {
        let both = || rows.iter().flat_map(|row| [self.a[*row], self.b[*row]]);
        let n = 2.0 * rows.len() as f64;
        let mean = both().sum::<f64>() / n;
        both().map(|score| (score - mean).powi(2)).sum::<f64>() / n
    }

    /// `(first order, total)` of factor `k` over some rows of the samples.
    pub fn indices(&self, k: usize, rows: &[usize]) -> (f64, f64) {
        let (n, variance) = (rows.len() as f64, self.variance(rows));
        let (a, b, mixed) = (&self.a, &self.b, &self.mixed[k]);
        let first = rows.iter().map(|row| b[*row] * (mixed[*row] - a[*row])).sum::<f64>() / n;
        let total = rows.iter().map(|row| (a[*row] - mixed[*row]).powi(2)).sum::<f64>() / (2.0 * n);
        (first / variance, total / variance)
    }

    fn importance(&self, output: &str, factors: &Factors, study: &Study, stream: Stream) -> Vec<Importance> {
        let (n, z) = (self.a.len(), normal_quantile(study.confidence));
        let all: Vec<usize> = (0..n).collect();
        let resampled = |replicate: u64| -> Vec<usize> {
            let stream = stream.child(replicate);
            (0..n).map(|at| ((stream.unit(at as u64) * n as f64) as usize).min(n - 1)).collect()
        };
        let replicates: Vec<Vec<usize>> = (0..REPLICATES).map(resampled).collect();
        let (mut first, mut total) = (Vec::new(), Vec::new());
        for (k, feature) in factors.names.iter().enumerate() {
            let value = self.indices(k, &all);
            let others: Vec<(f64, f64)> =
                replicates.iter().filter(|rows| self.variance(rows) > 0.0).map(|rows| self.indices(k, rows)).collect();
            let row = |metric: &str, value: f64, others: Vec<f64>| {
                let error = spread(&others);
                Importance {
                    method: "sobol".to_owned(),
                    metric: metric.to_owned(),
                    feature: feature.clone(),
                    output: output.to_owned(),
                    value,
                    std_err: error,
                    ci_low: error.map(|error| value - z * error),
                    ci_high: error.map(|error| value + z * error),
                    rank: 0,
                }
            };
            first.push(row("first_order", value.0, others.iter().map(|it| it.0).collect()));
            total.push(row("total_order", value.1, others.iter().map(|it| it.1).collect()));
        }
        rank(&mut first);
        rank(&mut total);
        first.into_iter().chain(total).collect()
    }
}

fn spread(values: &[f64]) -> Option<f64> {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    (n > 1.0).then(|| (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt())
}

#[cfg(test)]
mod tests {
    use super::super::answers::fake::{Fake, players, uniform};
    use super::*;
    use serde_json::Value;

    fn study(outputs: &[String]) -> Study<'_> {
        Study { outputs, budget: 60_000, seed: 3, confidence: 0.95 }
    }

    #[test]
    fn the_ishigami_function_has_its_known_indices() {
        let pi = std::f64::consts::PI;
        let ishigami = |x: &[f64]| x[0].sin() + 7.0 * x[1].sin().powi(2) + 0.1 * x[2].powi(4) * x[0].sin();
        let outputs = ["value".to_owned()];
        let found = sobol(&Fake(ishigami), &uniform(20_000, 3, -pi, pi), &players(3), &study(&outputs)).unwrap();
        let known = [0.3139, 0.4424, 0.0, 0.5576, 0.4424, 0.2437];
        assert_eq!(found.len(), known.len());
        for (row, known) in found.iter().zip(known) {
            let error = row.std_err.unwrap();
            assert!((row.value - known).abs() < 4.0 * error + 0.01 && error < 0.03, "{row:?} is not {known}");
        }
        assert_eq!((found[1].metric.as_str(), found[1].rank, found[3].rank), ("first_order", 1, 1));
    }

    #[test]
    fn a_factor_that_the_model_ignores_has_none_and_additive_ones_share_all() {
        let outputs = ["value".to_owned()];
        let found =
            sobol(&Fake(|x: &[f64]| 2.0 * x[0] + x[1]), &uniform(5_000, 3, 0.0, 1.0), &players(3), &study(&outputs));
        let found = found.unwrap();
        for (row, known) in found.iter().zip([0.8, 0.2, 0.0, 0.8, 0.2, 0.0]) {
            assert!((row.value - known).abs() < 0.03, "{row:?}");
        }
        assert_eq!((found[2].value, found[5].value), (0.0, 0.0));
    }

    #[test]
    fn a_constant_model_has_no_indices_and_too_small_a_budget_is_refused() {
        let outputs = ["value".to_owned()];
        let rows = uniform(50, 2, 0.0, 1.0);
        assert_eq!(sobol(&Fake(|_: &[f64]| 0.5), &rows, &players(2), &study(&outputs)), Ok(vec![]));
        let poor = Study { budget: 7, ..study(&outputs) };
        let refused = sobol(&Fake(|x: &[f64]| x[0]), &rows, &players(2), &poor);
        assert_eq!(refused, Err(ImportanceError::Budget { method: "sobol", least: 8 }));
    }

    /// SALib's answers to the same evaluations (`tests/golden/sensitivity.json`).
    #[test]
    fn the_estimators_are_those_of_salib() {
        let text = include_str!("../../tests/golden/sensitivity.json");
        let known: Value = serde_json::from_str(text).unwrap();
        let numbers = |value: &Value| -> Vec<f64> {
            value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
        };
        let sobol = &known["sobol"];
        let (a, b) = (numbers(&sobol["a"]), numbers(&sobol["b"]));
        let mixed: Vec<Vec<f64>> = sobol["mixed"].as_array().unwrap().iter().map(numbers).collect();
        let views: Vec<_> = mixed.iter().map(|mixed| ArrayView1::from(mixed.as_slice())).collect();
        let design = Design::new(ArrayView1::from(&a), ArrayView1::from(&b), &views).unwrap();
        let rows: Vec<usize> = (0..a.len()).collect();
        let (first, total) = (numbers(&sobol["first_order"]), numbers(&sobol["total_order"]));
        for k in 0..first.len() {
            let found = design.indices(k, &rows);
            assert!((found.0 - first[k]).abs() < 1e-10 && (found.1 - total[k]).abs() < 1e-10, "{found:?}");
        }
    }
}
