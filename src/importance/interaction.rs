//! Friedman's H: how much of a score's movement belongs to no single column (Friedman and Popescu 2008).
//!
//! Of two columns: the share of their joint partial dependence's variance that the two single ones do not add up to.
//! Of one column: the share of the score's variance that is neither its own partial dependence nor that of all others
//! together. Both are square roots, from 0 (additive) to 1 (nothing but interaction; small effects can exceed it).

use super::answers::{Factors, answers, rank};
use super::error::ImportanceError;
use super::sobol::Study;
use crate::audit::Importance;
use crate::dataset::batch::Features;
use crate::explain::game::Players;
use crate::model::predictor::Predictor;
use ndarray::Array2;

/// Rows over which partial dependences are taken.
const MOST_ROWS: usize = 100;
const FEWEST_ROWS: usize = 30;

/// What a budget pays for: rows, and how many of the leading players are paired.
pub fn interaction_rows(n_players: usize, budget: u64) -> (usize, usize) {
    let affordable = |tables: usize| ((budget as f64 / tables.max(1) as f64).sqrt() as usize).min(MOST_ROWS);
    let tables = |paired: usize| 2 * n_players + paired * paired.saturating_sub(1) / 2;
    let paired = (2..=n_players).rev().find(|paired| affordable(tables(*paired)) >= FEWEST_ROWS);
    let paired = paired.unwrap_or(0);
    (affordable(tables(paired)), paired)
}

/// H of every player, and of every pair of the players with the largest H.
///
/// `rows` are a sample of the data; as many of them as the budget pays for are used.
///
/// # Errors
/// Pictures, a budget for less than two rows, or a model that fails.
pub fn friedman_h(
    predictor: &dyn Predictor,
    rows: &Features,
    players: &Players,
    study: &Study,
) -> Result<Vec<Importance>, ImportanceError> {
    let factors = Factors::of(players, rows)?;
    let (n, paired) = interaction_rows(factors.len(), study.budget);
    let n = n.min(rows.n_rows);
    if n < 2 {
        return Err(ImportanceError::Budget { method: "interaction", least: 8 * factors.len() as u64 });
    }
    let rows = rows.take(&(0..n).collect::<Vec<_>>());
    let tables = Tables { predictor, rows: &rows, factors: &factors, n };
    let scores = centred(answers(predictor, &rows)?);
    let single = |k: usize| Ok((tables.dependence(|factor| factor == k)?, tables.dependence(|factor| factor != k)?));
    let single = (0..factors.len()).map(single).collect::<Result<Vec<_>, ImportanceError>>()?;
    let mut found = Vec::new();
    for (output, name) in study.outputs.iter().enumerate() {
        let own = |k: usize| h(&scores, [&single[k].0, &single[k].1], output);
        let row = |k: usize| Some(importance("friedman_h_total", factors.names[k].clone(), name, own(k)?));
        let mut of_output: Vec<Importance> = (0..factors.len()).filter_map(row).collect();
        rank(&mut of_output);
        found.extend(of_output);
    }
    let mut leading: Vec<usize> = (0..factors.len()).collect();
    let strength = |k: usize| {
        (0..study.outputs.len()).filter_map(|o| h(&scores, [&single[k].0, &single[k].1], o)).fold(0.0, f64::max)
    };
    leading.sort_by(|a, b| strength(*b).total_cmp(&strength(*a)));
    leading.truncate(paired);
    leading.sort_unstable();
    found.extend(pairs(&tables, &leading, &single, study)?);
    Ok(found)
}

fn pairs(
    tables: &Tables,
    leading: &[usize],
    single: &[(Array2<f64>, Array2<f64>)],
    study: &Study,
) -> Result<Vec<Importance>, ImportanceError> {
    let mut of_outputs: Vec<Vec<Importance>> = vec![Vec::new(); study.outputs.len()];
    for (at, a) in leading.iter().enumerate() {
        for b in &leading[at + 1..] {
            let joint = tables.dependence(|factor| factor == *a || factor == *b)?;
            let feature = format!("{} × {}", tables.factors.names[*a], tables.factors.names[*b]);
            for (output, name) in study.outputs.iter().enumerate() {
                let value = h(&joint, [&single[*a].0, &single[*b].0], output);
                of_outputs[output].extend(value.map(|value| importance("friedman_h", feature.clone(), name, value)));
            }
        }
    }
    of_outputs.iter_mut().for_each(|rows| rank(rows));
    Ok(of_outputs.into_iter().flatten().collect())
}

struct Tables<'a> {
    predictor: &'a dyn Predictor,
    rows: &'a Features,
    factors: &'a Factors,
    n: usize,
}

impl Tables<'_> {
    /// Centred partial dependence on the kept factors at every row, `[rows × outputs]`.
    fn dependence(&self, kept: impl Fn(usize) -> bool + Sync) -> Result<Array2<f64>, ImportanceError> {
        let n = self.n;
        let pick = |factor: usize, at: usize| if kept(factor) { at / n } else { at % n };
        let scores = answers(self.predictor, &self.factors.drawn(self.rows, n * n, pick))?;
        let mean =
            |row: usize, output: usize| (0..n).map(|other| scores[[row * n + other, output]]).sum::<f64>() / n as f64;
        Ok(centred(Array2::from_shape_fn((n, scores.ncols()), |(row, output)| mean(row, output))))
    }
}

fn centred(mut scores: Array2<f64>) -> Array2<f64> {
    for mut column in scores.columns_mut() {
        let mean = column.sum() / column.len() as f64;
        column.mapv_inplace(|score| score - mean);
    }
    scores
}

/// √(Σ (whole − parts)² / Σ whole²); `None` where the whole does not move.
fn h(whole: &Array2<f64>, parts: [&Array2<f64>; 2], output: usize) -> Option<f64> {
    let whole = whole.column(output);
    let total: f64 = whole.iter().map(|x| x * x).sum();
    let rest = |row: usize| whole[row] - parts[0][[row, output]] - parts[1][[row, output]];
    let unexplained: f64 = (0..whole.len()).map(|row| rest(row).powi(2)).sum();
    // What is left of a constant after centring is rounding.
    (total > 1e-20 * whole.len() as f64).then(|| (unexplained / total).sqrt())
}

fn importance(metric: &str, feature: String, output: &str, value: f64) -> Importance {
    Importance {
        method: "interaction".to_owned(),
        metric: metric.to_owned(),
        feature,
        output: output.to_owned(),
        value,
        std_err: None,
        ci_low: None,
        ci_high: None,
        rank: 0,
    }
}

#[cfg(test)]
mod tests {
    use super::super::answers::fake::{Fake, players, uniform};
    use super::*;

    fn found(model: impl Fn(&[f64]) -> f64 + Sync) -> Vec<Importance> {
        let outputs = ["value".to_owned()];
        let study = Study { outputs: &outputs, budget: 90_000, seed: 1, confidence: 0.95 };
        friedman_h(&Fake(model), &uniform(200, 3, -1.0, 1.0), &players(3), &study).unwrap()
    }

    fn value(found: &[Importance], feature: &str) -> f64 {
        found.iter().find(|row| row.feature == feature).unwrap().value
    }

    #[test]
    fn an_additive_model_has_no_interactions() {
        let found = found(|x: &[f64]| x[0].exp() + x[1] * x[1] - 3.0 * x[2]);
        assert_eq!(found.len(), 6);
        assert!(found.iter().all(|row| row.value < 1e-9), "{found:?}");
    }

    #[test]
    fn a_product_interacts_and_what_stands_beside_it_does_not() {
        let found = found(|x: &[f64]| x[0] * x[1] + x[2]);
        assert!(value(&found, "x0 × x1") > 0.95 && value(&found, "x0 × x2") < 1e-9);
        assert!(value(&found, "x2") < 1e-9 && value(&found, "x0") > 0.3);
        let pair = found.iter().find(|row| row.feature == "x0 × x1").unwrap();
        assert_eq!((pair.metric.as_str(), pair.rank), ("friedman_h", 1));
    }

    /// Written out with loops over the rows.
    #[test]
    fn values_are_those_of_the_formula() {
        let model = |x: &[f64]| (x[0] + 2.0 * x[1] * x[2]).tanh();
        let rows = uniform(200, 3, -1.0, 1.0);
        let (n, _) = interaction_rows(3, 90_000);
        let cell = |column: usize, row: usize| match &rows.columns[column] {
            crate::dataset::batch::Column::Number(values) => values[row],
            _ => unreachable!("columns are numbers"),
        };
        let dependence = |kept: &[usize]| -> Vec<f64> {
            let one = |at: usize| {
                let mixed = |other: usize| {
                    (0..3).map(|k| cell(k, if kept.contains(&k) { at } else { other })).collect::<Vec<_>>()
                };
                (0..n).map(|other| model(&mixed(other))).sum::<f64>() / n as f64
            };
            let all: Vec<f64> = (0..n).map(one).collect();
            let mean = all.iter().sum::<f64>() / n as f64;
            all.iter().map(|x| x - mean).collect()
        };
        let (joint, a, b) = (dependence(&[1, 2]), dependence(&[1]), dependence(&[2]));
        let rest: f64 = (0..n).map(|row| (joint[row] - a[row] - b[row]).powi(2)).sum();
        let expected = (rest / joint.iter().map(|x| x * x).sum::<f64>()).sqrt();
        assert!((value(&found(model), "x1 × x2") - expected).abs() < 1e-9);
    }

    #[test]
    fn a_small_budget_pairs_the_leading_players_only() {
        assert_eq!(interaction_rows(3, 90_000), (100, 3));
        let (n, paired) = interaction_rows(40, 500_000);
        assert!(n >= FEWEST_ROWS && paired > 10 && paired < 40);
        assert!((n * n * (80 + paired * (paired - 1) / 2)) as u64 <= 500_000);
        assert_eq!(interaction_rows(400, 10_000), (3, 0));
    }
}
