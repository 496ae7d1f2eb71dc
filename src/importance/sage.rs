//! SAGE: what each column takes from the loss (Covert, Lundberg and Lee 2020).
//!
//! Shapley values of the game in which a coalition of columns is worth the loss that it saves: the model's answer with
//! the others drawn from the background is averaged, then compared with the label. Estimated over random orders of the
//! columns, one for each labelled row, as in the authors' permutation estimator.

use super::answers::{Factors, answers, rank};
use super::error::ImportanceError;
use super::metric::Task;
use super::sample::Sample;
use super::sobol::Study;
use crate::audit::Importance;
use crate::dataset::batch::{Features, Labels};
use crate::explain::game::Players;
use crate::explain::game::random::Draws;
use crate::model::predictor::Predictor;
use crate::stats::intervals::normal_quantile;
use ndarray::{Array2, ArrayView1, Axis};

/// Background rows that stand for what is not known.
const BACKGROUND: usize = 64;
/// Rows between two looks at the errors.
const LOOK: usize = 64;
/// Largest standard error as a share of the values' range at which the estimate has converged.
const CONVERGED: f64 = 0.025;
/// Probabilities are cut here before the logarithm.
const LEAST: f64 = 1e-12;

/// What was found, and how sure it is.
#[derive(Debug, Clone, PartialEq)]
pub struct Sage {
    pub importance: Vec<Importance>,
    /// Largest standard error ÷ range of the values; `None` if they are all the same.
    pub uncertainty: Option<f64>,
    pub converged: bool,
    /// Labelled rows, with an order each.
    pub n_rows: u64,
}

/// Rows with an order each that a budget pays for.
pub fn sage_rows(n_players: usize, n_background: usize, budget: u64) -> usize {
    (budget / (n_players.max(1) * n_background.min(BACKGROUND)).max(1) as u64) as usize
}

/// SAGE values of every player: mean loss saved, in log loss for classes and squared error for numbers.
///
/// # Errors
/// Pictures, a budget for less than two rows, labels beyond the model's outputs, or a model that fails.
pub fn sage(
    predictor: &dyn Predictor,
    sample: &Sample,
    background: &Features,
    players: &Players,
    task: Task,
    study: &Study,
) -> Result<Sage, ImportanceError> {
    let factors = Factors::of(players, &sample.features)?;
    let first: Vec<usize> = (0..background.n_rows.min(BACKGROUND)).collect();
    let background = background.take(&first);
    let most = sage_rows(factors.len(), background.n_rows, study.budget);
    if most < 2 {
        let least = 2 * (factors.len() * background.n_rows) as u64;
        return Err(ImportanceError::Budget { method: "sage", least });
    }
    let mean = answers(predictor, &background)?.mean_axis(Axis(0)).unwrap_or_default();
    let game = Loss {
        predictor,
        sample,
        background: &background,
        factors: &factors,
        task,
        empty: mean.to_vec(),
        seed: study.seed,
    };
    let mut sums = vec![(0.0_f64, 0.0_f64); factors.len()];
    let mut n = 0;
    while n < most {
        let until = most.min(n + LOOK);
        for saved in game.saved(n..until)?.outer_iter() {
            sums.iter_mut().zip(saved).for_each(|(sum, saved)| *sum = (sum.0 + saved, sum.1 + saved * saved));
        }
        n = until;
        if uncertainty(&sums, n).is_none_or(|share| share < CONVERGED) {
            break;
        }
    }
    let left = uncertainty(&sums, n);
    let converged = left.is_none_or(|share| share < CONVERGED);
    Ok(Sage {
        importance: importance(&sums, n, &factors, task, study.confidence),
        uncertainty: left,
        converged,
        n_rows: n as u64,
    })
}

struct Loss<'a> {
    predictor: &'a dyn Predictor,
    sample: &'a Sample,
    background: &'a Features,
    factors: &'a Factors,
    task: Task,
    /// The mean answer over the background.
    empty: Vec<f64>,
    seed: u64,
}

impl Loss<'_> {
    /// Loss that each factor saves in the orders `orders`, `[orders × factors]`.
    fn saved(&self, orders: std::ops::Range<usize>) -> Result<Array2<f64>, ImportanceError> {
        let (p, m) = (self.factors.len(), self.background.n_rows);
        let walks: Vec<(usize, Vec<usize>)> = orders.map(|order| self.walk(order)).collect();
        let place: Vec<Vec<usize>> = walks.iter().map(|(_, order)| places(order)).collect();
        // Rows of the sample stand behind those of the background.
        let mut pool = self.background.clone();
        let mine: Vec<usize> = walks.iter().map(|(row, _)| *row).collect();
        pool.append(self.sample.features.take(&mine));
        let pick = |factor: usize, at: usize| {
            let (walk, step, other) = (at / (p * m), at / m % p, at % m);
            if place[walk][factor] <= step { m + walk } else { other }
        };
        let scores = answers(self.predictor, &self.factors.drawn(&pool, walks.len() * p * m, pick))?;
        let mut saved = Array2::zeros((walks.len(), p));
        for (walk, (row, order)) in walks.iter().enumerate() {
            let mut before = self.loss(*row, ArrayView1::from(&self.empty))?;
            for (step, factor) in order.iter().enumerate() {
                let from = (walk * p + step) * m;
                let answer = scores.slice(ndarray::s![from..from + m, ..]).mean_axis(Axis(0)).unwrap_or_default();
                let after = self.loss(*row, answer.view())?;
                saved[[walk, *factor]] = before - after;
                before = after;
            }
        }
        Ok(saved)
    }

    /// The row and the order of a walk: every row once before any comes again.
    fn walk(&self, at: usize) -> (usize, Vec<usize>) {
        let n = self.sample.features.n_rows;
        let mut order: Vec<usize> = (0..self.factors.len()).collect();
        Draws::new(self.seed, "sage", &[at as u64]).shuffle(&mut order);
        let mut rows: Vec<usize> = (0..n).collect();
        Draws::new(self.seed, "sage rows", &[(at / n) as u64]).shuffle(&mut rows);
        (rows[at % n], order)
    }

    fn loss(&self, row: usize, answer: ArrayView1<f64>) -> Result<f64, ImportanceError> {
        Ok(match (&self.sample.labels, self.task) {
            (Labels::Value(labels), _) => (labels[row] - answer[0]).powi(2),
            (Labels::Class(labels), Task::Multiclass) => {
                let class = labels[row].unwrap_or_default();
                let n_outputs = answer.len();
                let p = answer.get(class as usize).ok_or(ImportanceError::Class { class, n_outputs })?;
                -p.max(LEAST).ln()
            }
            (Labels::Class(labels), _) => {
                let p = if labels[row] == Some(1) { answer[0] } else { 1.0 - answer[0] };
                -p.max(LEAST).ln()
            }
        })
    }
}

/// Where each factor stands in an order.
fn places(order: &[usize]) -> Vec<usize> {
    let mut places = vec![0; order.len()];
    order.iter().enumerate().for_each(|(place, factor)| places[*factor] = place);
    places
}

fn std_err((sum, squares): (f64, f64), n: usize) -> f64 {
    let n = n as f64;
    let mean = sum / n;
    ((squares / n - mean * mean).max(0.0) / (n - 1.0).max(1.0)).sqrt()
}

fn uncertainty(sums: &[(f64, f64)], n: usize) -> Option<f64> {
    let means = || sums.iter().map(|(sum, _)| sum / n as f64);
    let range = means().fold(f64::NEG_INFINITY, f64::max) - means().fold(f64::INFINITY, f64::min);
    let largest = sums.iter().map(|sums| std_err(*sums, n)).fold(0.0, f64::max);
    (range > 0.0).then(|| largest / range)
}

fn importance(sums: &[(f64, f64)], n: usize, factors: &Factors, task: Task, confidence: f64) -> Vec<Importance> {
    let z = normal_quantile(confidence);
    let row = |(feature, sums): (&String, &(f64, f64))| {
        let (value, error) = (sums.0 / n as f64, std_err(*sums, n));
        Importance {
            method: "sage".to_owned(),
            metric: if task == Task::Regression { "mse" } else { "log_loss" }.to_owned(),
            feature: feature.clone(),
            output: String::new(),
            value,
            std_err: Some(error),
            ci_low: Some(value - z * error),
            ci_high: Some(value + z * error),
            rank: 0,
        }
    };
    let mut rows: Vec<Importance> = factors.names.iter().zip(sums).map(row).collect();
    rank(&mut rows);
    rows
}

#[cfg(test)]
mod tests {
    use super::super::answers::fake::{Fake, players, uniform};
    use super::*;
    use crate::dataset::batch::Column;

    const MODEL: fn(&[f64]) -> f64 = |x| 2.0 * x[0] + x[0] * x[1];

    fn sample(n: usize) -> Sample {
        let features = uniform(n, 3, -1.0, 1.0);
        let labels = (0..n).map(|row| MODEL(&cells(&features, row)) + 0.1 * (row % 7) as f64).collect();
        Sample { features, labels: Labels::Value(labels), weights: None, n_total: n as u64 }
    }

    fn cells(features: &Features, row: usize) -> Vec<f64> {
        let cell = |column: &Column| match column {
            Column::Number(values) => values[row],
            _ => f64::NAN,
        };
        features.columns.iter().map(cell).collect()
    }

    /// All coalitions, all rows, all background rows.
    fn exact(sample: &Sample, background: &Features) -> Vec<f64> {
        let Labels::Value(labels) = &sample.labels else { return vec![] };
        let worth = |coalition: usize| {
            let loss = |row: usize| {
                let (mine, n) = (cells(&sample.features, row), background.n_rows);
                let mixed = |other: usize| {
                    let theirs = cells(background, other);
                    MODEL(
                        &(0..3).map(|k| if coalition >> k & 1 == 1 { mine[k] } else { theirs[k] }).collect::<Vec<_>>(),
                    )
                };
                (labels[row] - (0..n).map(mixed).sum::<f64>() / n as f64).powi(2)
            };
            -(0..labels.len()).map(loss).sum::<f64>() / labels.len() as f64
        };
        let weight = [1.0 / 3.0, 1.0 / 6.0, 1.0 / 3.0];
        let value = |k: usize| {
            let others = (0..8_usize).filter(|coalition| coalition >> k & 1 == 0);
            others.map(|c| weight[c.count_ones() as usize] * (worth(c | 1 << k) - worth(c))).sum()
        };
        (0..3).map(value).collect()
    }

    #[test]
    fn values_are_the_shapley_values_of_the_loss_within_their_errors() {
        let (sample, background) = (sample(200), uniform(40, 3, -1.0, 1.0));
        let outputs = ["value".to_owned()];
        let study = Study { outputs: &outputs, budget: 400_000, seed: 9, confidence: 0.95 };
        let found = sage(&Fake(MODEL), &sample, &background, &players(3), Task::Regression, &study).unwrap();
        for (row, exact) in found.importance.iter().zip(exact(&sample, &background)) {
            assert!((row.value - exact).abs() < 4.0 * row.std_err.unwrap() + 1e-12, "{row:?} is not {exact}");
        }
        assert!(found.converged && found.uncertainty.unwrap() < CONVERGED && found.n_rows >= 64);
        assert_eq!((found.importance[2].value, found.importance[0].rank), (0.0, 1));
    }

    #[test]
    fn a_small_budget_is_kept_and_says_that_it_was_small() {
        let outputs = ["value".to_owned()];
        let study = Study { outputs: &outputs, budget: 1_000, seed: 9, confidence: 0.95 };
        let background = uniform(40, 3, -1.0, 1.0);
        let found = sage(&Fake(MODEL), &sample(200), &background, &players(3), Task::Regression, &study).unwrap();
        assert!(!found.converged && found.n_rows == 8);
        let poor = Study { budget: 100, ..study };
        let refused = sage(&Fake(MODEL), &sample(200), &background, &players(3), Task::Regression, &poor);
        assert_eq!(refused, Err(ImportanceError::Budget { method: "sage", least: 240 }));
    }

    /// sage-importance's answer on the same rows, labels and background (`tests/golden/sensitivity.json`).
    #[test]
    fn values_are_those_of_sage_importance_within_both_errors() {
        let known: serde_json::Value =
            serde_json::from_str(include_str!("../../tests/golden/sensitivity.json")).unwrap();
        let numbers = |value: &serde_json::Value| -> Vec<f64> {
            value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
        };
        let features = |key: &str| {
            let rows: Vec<Vec<f64>> = known[key].as_array().unwrap().iter().map(numbers).collect();
            let column = |at: usize| Column::Number(rows.iter().map(|row| row[at]).collect());
            Features { n_rows: rows.len(), columns: (0..3).map(column).collect() }
        };
        let labels = Labels::Value(numbers(&known["labels"]));
        let sample = Sample { features: features("rows"), labels, weights: None, n_total: 120 };
        let outputs = ["value".to_owned()];
        let study = Study { outputs: &outputs, budget: 400_000, seed: 2, confidence: 0.95 };
        let model = Fake(|x: &[f64]| x[0] + x[0] * x[1]);
        let found = sage(&model, &sample, &features("background"), &players(3), Task::Regression, &study).unwrap();
        let (values, errors) = (numbers(&known["sage"]["values"]), numbers(&known["sage"]["std"]));
        for (row, (value, error)) in found.importance.iter().zip(values.iter().zip(errors)) {
            let apart = (row.std_err.unwrap().powi(2) + error * error).sqrt();
            assert!((row.value - value).abs() <= 4.0 * apart + 1e-12, "{row:?} is not {value}");
        }
    }
}
