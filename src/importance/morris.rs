//! Elementary effects (Morris 1991; μ* of Campolongo, Cariboni and Saltelli 2007).
//!
//! A trajectory starts at a random row of quantiles and moves one factor after the other by two thirds of its
//! distribution; the score's change over that distance is the factor's elementary effect. Their mean size μ* says how
//! much a factor matters, their spread σ how much it interacts or bends. Factors move independently of each other.

use super::answers::{Factors, answers, rank};
use super::error::ImportanceError;
use super::sobol::Study;
use crate::audit::Importance;
use crate::dataset::batch::{Column, Features};
use crate::explain::game::Players;
use crate::explain::game::random::Draws;
use crate::model::predictor::Predictor;
use crate::stats::intervals::student_quantile;

/// Levels of each factor: its quantiles 0, ⅓, ⅔ and 1.
const LEVELS: usize = 4;
/// Levels that a step covers, as Morris recommends: half of them.
const STEP: usize = LEVELS / 2;
/// Most trajectories: a screening needs tens.
const MOST_TRAJECTORIES: usize = 500;

/// Trajectories that a budget pays for.
pub fn trajectories(n_factors: usize, budget: u64) -> usize {
    (budget as usize / (n_factors + 1)).min(MOST_TRAJECTORIES)
}

/// μ*, μ and σ of every player and output; μ* with its t interval.
///
/// # Errors
/// Pictures, a budget for less than two trajectories, or a model that fails.
pub fn morris(
    predictor: &dyn Predictor,
    rows: &Features,
    players: &Players,
    study: &Study,
) -> Result<Vec<Importance>, ImportanceError> {
    let factors = Factors::of(players, rows)?;
    let n = trajectories(factors.len(), study.budget);
    if n < 2 {
        return Err(ImportanceError::Budget { method: "morris", least: 2 * (factors.len() as u64 + 1) });
    }
    let levels: Vec<Vec<usize>> = factors.columns.iter().map(|columns| level_rows(rows, columns[0])).collect();
    let walks: Vec<Walk> = (0..n).map(|at| Walk::new(factors.len(), study.seed, at as u64)).collect();
    let points: Vec<&Vec<usize>> = walks.iter().flat_map(|walk| &walk.points).collect();
    let scores = answers(predictor, &factors.drawn(rows, points.len(), |k, at| levels[k][points[at][k]]))?;
    let mut found = Vec::new();
    for (output, name) in study.outputs.iter().enumerate() {
        let scores = scores.column(output).to_vec();
        let effects = effects(&walks, &scores, factors.len());
        found.extend(importance(&effects, &factors, name, study.confidence));
    }
    Ok(found)
}

/// A row for each level of a column; its factor's other columns come from the same row. Missing values stand last.
fn level_rows(rows: &Features, column: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..rows.n_rows).collect();
    match &rows.columns[column] {
        Column::Number(values) => {
            order.sort_by(|a, b| values[*a].is_nan().cmp(&values[*b].is_nan()).then(values[*a].total_cmp(&values[*b])))
        }
        Column::Text(values) => {
            order.sort_by(|a, b| (values[*a].is_none(), &values[*a]).cmp(&(values[*b].is_none(), &values[*b])))
        }
        Column::Tensor { .. } => {}
    }
    let last = rows.n_rows - 1;
    (0..LEVELS).map(|level| order[(level * last + (LEVELS - 1) / 2) / (LEVELS - 1)]).collect()
}

/// One trajectory: points as levels of every factor.
pub struct Walk {
    points: Vec<Vec<usize>>,
    /// Factor moved in each step, and whether upwards.
    steps: Vec<(usize, bool)>,
}

impl Walk {
    fn new(n_factors: usize, seed: u64, at: u64) -> Self {
        let mut draws = Draws::new(seed, "morris", &[at]);
        let mut order: Vec<usize> = (0..n_factors).collect();
        draws.shuffle(&mut order);
        let mut point: Vec<usize> = (0..n_factors).map(|_| draws.below(LEVELS)).collect();
        let mut walk = Self { points: vec![point.clone()], steps: Vec::new() };
        for factor in order {
            let up = point[factor] < STEP;
            point[factor] = if up { point[factor] + STEP } else { point[factor] - STEP };
            walk.points.push(point.clone());
            walk.steps.push((factor, up));
        }
        walk
    }
}

/// Elementary effects of every factor; `scores` of all points, walk by walk.
pub fn effects(walks: &[Walk], scores: &[f64], n_factors: usize) -> Vec<Vec<f64>> {
    let distance = STEP as f64 / (LEVELS - 1) as f64;
    let mut effects = vec![Vec::new(); n_factors];
    for (walk, scores) in walks.iter().zip(scores.chunks(n_factors + 1)) {
        for ((factor, up), pair) in walk.steps.iter().zip(scores.windows(2)) {
            let change = if *up { pair[1] - pair[0] } else { pair[0] - pair[1] };
            effects[*factor].push(change / distance);
        }
    }
    effects
}

/// Mean and standard deviation with n − 1.
fn moments(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    (mean, (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt())
}

fn importance(effects: &[Vec<f64>], factors: &Factors, output: &str, confidence: f64) -> Vec<Importance> {
    let mut all: [Vec<Importance>; 3] = Default::default();
    for (feature, effects) in factors.names.iter().zip(effects) {
        let sizes: Vec<f64> = effects.iter().map(|effect| effect.abs()).collect();
        let ((mu_star, size_spread), (mu, sigma)) = (moments(&sizes), moments(effects));
        let n = effects.len() as f64;
        let error = size_spread / n.sqrt();
        let half = error * student_quantile(confidence, n - 1.0);
        let row = |metric: &str, value: f64| Importance {
            method: "morris".to_owned(),
            metric: metric.to_owned(),
            feature: feature.clone(),
            output: output.to_owned(),
            value,
            std_err: None,
            ci_low: None,
            ci_high: None,
            rank: 0,
        };
        let (low, high) = (Some((mu_star - half).max(0.0)), Some(mu_star + half));
        all[0].push(Importance { std_err: Some(error), ci_low: low, ci_high: high, ..row("mu_star", mu_star) });
        all[1].push(row("mu", mu));
        all[2].push(row("sigma", sigma));
    }
    all.iter_mut().for_each(|rows| rank(rows));
    all.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::super::answers::fake::{Fake, players, uniform};
    use super::*;
    use serde_json::Value;

    #[test]
    fn a_linear_model_has_the_same_effect_everywhere() {
        let outputs = ["value".to_owned()];
        let study = Study { outputs: &outputs, budget: 400, seed: 1, confidence: 0.95 };
        let mut rows = uniform(31, 3, 0.0, 1.0);
        rows.columns[0] = Column::Number((0..31).map(|row| f64::from(row) / 30.0).collect());
        let found = morris(&Fake(|x: &[f64]| 3.0 * x[0]), &rows, &players(3), &study).unwrap();
        let of =
            |metric: &str| found.iter().filter(|row| row.metric == metric).map(|row| row.value).collect::<Vec<_>>();
        assert!((of("mu_star")[0] - 3.0).abs() < 1e-9 && of("mu_star")[1..] == [0.0, 0.0]);
        assert!(of("sigma").iter().all(|sigma| sigma.abs() < 1e-9));
        assert_eq!(found[0].rank, 1);
    }

    #[test]
    fn effects_that_cancel_show_in_their_size_and_spread() {
        let outputs = ["value".to_owned()];
        let study = Study { outputs: &outputs, budget: 4_000, seed: 1, confidence: 0.95 };
        let found =
            morris(&Fake(|x: &[f64]| (x[0] - 0.5) * (x[1] - 0.5)), &uniform(999, 2, 0.0, 1.0), &players(2), &study);
        let found = found.unwrap();
        assert!(found[0].value > 0.3 && found[2].value.abs() < 0.1 && found[4].value > 0.3, "{found:?}");
    }

    #[test]
    fn the_budget_holds() {
        assert_eq!((trajectories(9, 1_000), trajectories(9, 19), trajectories(1, 1_000_000)), (100, 1, 500));
    }

    /// SALib's answers to the same trajectories (`tests/golden/sensitivity.json`).
    #[test]
    fn the_estimators_are_those_of_salib() {
        let known: Value = serde_json::from_str(include_str!("../../tests/golden/sensitivity.json")).unwrap();
        let known = &known["morris"];
        let list = |key: &str| known[key].as_array().unwrap().clone();
        let number = |value: &Value| value.as_f64().unwrap();
        let level = |x: &Value| (number(x) * (LEVELS - 1) as f64).round() as usize;
        let points: Vec<Vec<usize>> =
            list("points").iter().map(|point| point.as_array().unwrap().iter().map(level).collect()).collect();
        let n = points[0].len();
        let moved = |pair: &[Vec<usize>]| {
            let factor = (0..n).find(|k| pair[0][*k] != pair[1][*k]).unwrap();
            (factor, pair[1][factor] > pair[0][factor])
        };
        let walk =
            |points: &[Vec<usize>]| Walk { steps: points.windows(2).map(moved).collect(), points: points.to_vec() };
        let walks: Vec<Walk> = points.chunks(n + 1).map(walk).collect();
        let scores: Vec<f64> = list("scores").iter().map(number).collect();
        for (k, effects) in effects(&walks, &scores, n).iter().enumerate() {
            let sizes: Vec<f64> = effects.iter().map(|effect| effect.abs()).collect();
            let (mu, sigma) = moments(effects);
            let found = [moments(&sizes).0, mu, sigma];
            for (found, key) in found.iter().zip(["mu_star", "mu", "sigma"]) {
                assert!((found - number(&list(key)[k])).abs() < 1e-10, "{key} of factor {k}");
            }
        }
    }
}
