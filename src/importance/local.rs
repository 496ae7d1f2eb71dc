//! What a change of one column alone does to the score and to the decision.

use super::answers::{answers, rank};
use super::dependence::{Grid, Varied};
use super::error::ImportanceError;
use super::sobol::Study;
use crate::audit::Importance;
use crate::dataset::batch::{Column, Features};
use crate::model::predictor::Predictor;
use crate::stats::intervals::normal_quantile;
use ndarray::{Array2, ArrayView1, s};

/// Most rows that are changed.
const MOST_ROWS: usize = 1_000;
/// Values of a number that a decision may turn at: quantiles.
const TURNING_POINTS: usize = 10;
/// Most categories that are tried.
const MOST_CATEGORIES: usize = 20;

/// The decision that scores of a row make.
pub type Decide<'a> = &'a (dyn Fn(ArrayView1<f64>) -> u32 + Sync);

/// One column and what it may become.
#[derive(Debug, Clone, PartialEq)]
struct Changes {
    /// Distances from a number's own value; empty for categories, for which every other one is near.
    near: Vec<f64>,
    /// Other values anywhere: quantiles, or categories.
    anywhere: Column,
    /// Standard deviation of a number; 1 for categories.
    unit: f64,
}

/// Which columns are changed, and how far.
pub struct Sweep<'a> {
    names: &'a [String],
    changes: Vec<Changes>,
    /// Decision from scores; `None` where nothing is decided.
    decide: Option<Decide<'a>>,
}

/// The smallest change of a single column that turns a decision.
#[derive(Debug, Clone, PartialEq)]
pub struct Flip {
    pub column: usize,
    /// The value that turns it, alone in its column.
    pub to: Column,
    /// All outputs with it.
    pub scores: Vec<f64>,
}

impl<'a> Sweep<'a> {
    /// Learns from `rows` what columns can be. `is_category[column]`: numbers without an order; `delta`: the small change
    /// of a number, in standard deviations. Columns of pictures stay as they are.
    pub fn new(
        rows: &Features,
        names: &'a [String],
        is_category: &[bool],
        delta: f64,
        decide: Option<Decide<'a>>,
    ) -> Self {
        let changes = (0..names.len()).map(|at| changes(rows, names, at, is_category[at], delta)).collect();
        Self { names, changes, decide }
    }

    /// Rows that the model is asked about for each row that is studied.
    pub fn evaluations_per_row(&self) -> u64 {
        self.changes.iter().map(|changes| (changes.near.len() + changes.n_anywhere()) as u64).sum::<u64>() + 1
    }

    /// Rows that a budget pays for.
    pub fn rows(&self, budget: u64) -> usize {
        ((budget / self.evaluations_per_row()) as usize).min(MOST_ROWS)
    }

    /// For every column: mean of the largest change of the score by a small step; the share of decisions that such a step
    /// turns; the share that some other value of the column turns.
    ///
    /// # Errors
    /// A budget for less than a row, or a model that fails.
    pub fn importance(
        &self,
        predictor: &dyn Predictor,
        rows: &Features,
        study: &Study,
    ) -> Result<Vec<Importance>, ImportanceError> {
        let n = self.rows(study.budget).min(rows.n_rows);
        if n == 0 {
            return Err(ImportanceError::Budget { method: "sensitivity", least: self.evaluations_per_row() });
        }
        let rows = rows.take(&(0..n).collect::<Vec<_>>());
        let before = answers(predictor, &rows)?;
        let mut found: Vec<Vec<Importance>> = vec![Vec::new(); study.outputs.len() + 2];
        let z = normal_quantile(study.confidence);
        for column in 0..self.names.len() {
            let Some(tried) = self.tried(predictor, &rows, column)? else { continue };
            for (output, name) in study.outputs.iter().enumerate() {
                let largest: Vec<f64> = (0..n).map(|row| tried.largest(row, output, &before)).collect();
                found[output].push(self.row(column, "largest_change", name, &largest, z));
            }
            if let Some(decide) = self.decide {
                let turned = |row: usize, near: bool| {
                    let decision = decide(before.row(row));
                    f64::from(u8::from(
                        tried.scores(row, near).rows().into_iter().any(|scores| decide(scores) != decision),
                    ))
                };
                let shares = |near: bool| (0..n).map(|row| turned(row, near)).collect::<Vec<f64>>();
                found[study.outputs.len()].push(self.row(column, "decision_change", "", &shares(true), z));
                found[study.outputs.len() + 1].push(self.row(column, "single_change_flips", "", &shares(false), z));
            }
        }
        found.iter_mut().for_each(|rows| rank(rows));
        Ok(found.into_iter().flatten().collect())
    }

    fn row(&self, column: usize, metric: &str, output: &str, values: &[f64], z: f64) -> Importance {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        let error = (n > 1.0).then(|| (squares / (n - 1.0) / n).sqrt());
        Importance {
            method: "sensitivity".to_owned(),
            metric: metric.to_owned(),
            feature: self.names[column].clone(),
            output: output.to_owned(),
            value: mean,
            std_err: error,
            ci_low: error.map(|error| (mean - z * error).max(0.0)),
            ci_high: error.map(|error| mean + z * error),
            rank: 0,
        }
    }

    /// Scores of all changes of a column; `None` for pictures and columns of one value.
    fn tried(
        &self,
        predictor: &dyn Predictor,
        rows: &Features,
        column: usize,
    ) -> Result<Option<Tried>, ImportanceError> {
        let changes = &self.changes[column];
        let (near, anywhere) = (changes.near.len(), changes.n_anywhere());
        let per_row = near + anywhere;
        if per_row == 0 {
            return Ok(None);
        }
        let each: Vec<usize> = (0..rows.n_rows * per_row).map(|at| at / per_row).collect();
        let mut changed = rows.take(&each);
        match (&mut changed.columns[column], &changes.anywhere) {
            (Column::Number(values), Column::Number(others)) => {
                for row in values.chunks_mut(per_row) {
                    row.iter_mut().zip(&changes.near).for_each(|(value, distance)| *value += distance);
                    row[near..].copy_from_slice(others);
                }
            }
            (Column::Text(values), Column::Text(others)) => {
                values.chunks_mut(per_row).for_each(|row| row[near..].clone_from_slice(others));
            }
            // The sweep was learnt from rows of the same kinds.
            _ => {}
        }
        Ok(Some(Tried { scores: answers(predictor, &changed)?, per_row, near }))
    }

    /// The smallest single change that turns the decision of the one row in `row`; a number's distance is measured in
    /// standard deviations, any other category lies at distance 1. `None` if none of the values tried turns it.
    ///
    /// # Errors
    /// A model that fails.
    pub fn smallest_flip(&self, predictor: &dyn Predictor, row: &Features) -> Result<Option<Flip>, ImportanceError> {
        let Some(decide) = self.decide else { return Ok(None) };
        let decision = decide(answers(predictor, row)?.row(0));
        let mut best: Option<(f64, Flip)> = None;
        for column in 0..self.names.len() {
            let Some(tried) = self.tried(predictor, row, column)? else { continue };
            let changes = &self.changes[column];
            for (at, scores) in tried.scores.slice(s![tried.near.., ..]).rows().into_iter().enumerate() {
                let distance = changes.distance(&row.columns[column], at);
                if decide(scores) != decision && best.as_ref().is_none_or(|(least, _)| distance < *least) {
                    let flip = Flip { column, to: changes.anywhere.take(&[at]), scores: scores.to_vec() };
                    best = Some((distance, flip));
                }
            }
        }
        Ok(best.map(|(_, flip)| flip))
    }
}

/// Scores of every row's changes, row by row.
struct Tried {
    scores: Array2<f64>,
    per_row: usize,
    /// The first of a row's changes are the near ones; without any, all are.
    near: usize,
}

impl Tried {
    fn scores(&self, row: usize, near: bool) -> ndarray::ArrayView2<'_, f64> {
        let (from, until) = (row * self.per_row, (row + 1) * self.per_row);
        let (from, until) = match (near, self.near) {
            (_, 0) => (from, until),
            (true, n) => (from, from + n),
            (false, n) => (from + n, until),
        };
        self.scores.slice(s![from..until, ..])
    }

    fn largest(&self, row: usize, output: usize, before: &Array2<f64>) -> f64 {
        let change = |score: &f64| (score - before[[row, output]]).abs();
        self.scores(row, true).column(output).iter().map(change).fold(0.0, f64::max)
    }
}

impl Changes {
    fn none() -> Self {
        Self { near: Vec::new(), anywhere: Column::Number(Vec::new()), unit: 1.0 }
    }

    fn n_anywhere(&self) -> usize {
        match &self.anywhere {
            Column::Number(values) => values.len(),
            Column::Text(values) => values.len(),
            Column::Tensor { .. } => 0,
        }
    }

    fn distance(&self, own: &Column, at: usize) -> f64 {
        match (own, &self.anywhere) {
            (Column::Number(own), Column::Number(values)) if !self.near.is_empty() && own[0].is_finite() => {
                (values[at] - own[0]).abs() / self.unit
            }
            _ => 1.0,
        }
    }
}

fn changes(rows: &Features, names: &[String], column: usize, is_category: bool, delta: f64) -> Changes {
    let varied = Varied { column, name: &names[column] };
    let values = match &rows.columns[column] {
        Column::Tensor { .. } => return Changes::none(),
        Column::Number(values) if !is_category => values,
        _ => {
            // Nothing but missing values cannot become anything.
            let Ok(grid) = Grid::observed(rows, varied) else { return Changes::none() };
            let few: Vec<usize> = (0..grid.len().min(MOST_CATEGORIES)).collect();
            let anywhere = grid.values(false).take(&few);
            return Changes { near: Vec::new(), anywhere, unit: 1.0 };
        }
    };
    let Ok(Grid::Numbers(points)) = Grid::quantiles(rows, varied, TURNING_POINTS, 0.0, 1.0) else {
        return Changes::none();
    };
    let known: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
    let mean = known.iter().sum::<f64>() / known.len() as f64;
    let unit = (known.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / known.len() as f64).sqrt();
    match unit > 0.0 {
        true => {
            let near = [-1.0, -0.5, 0.5, 1.0].map(|share| share * delta * unit).to_vec();
            Changes { near, anywhere: Column::Number(points), unit }
        }
        false => Changes::none(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::answers::fake::{Fake, uniform};
    use super::*;

    fn names() -> Vec<String> {
        ["a", "b", "c"].map(str::to_owned).to_vec()
    }

    fn of<'a>(found: &'a [Importance], metric: &str, feature: &str) -> &'a Importance {
        found.iter().find(|row| row.metric == metric && row.feature == feature).unwrap()
    }

    #[test]
    fn a_linear_model_moves_by_its_slope_and_turns_where_it_crosses_the_threshold() {
        let (names, outputs) = (names(), ["yes".to_owned()]);
        let mut rows = uniform(400, 3, 0.0, 1.0);
        rows.columns[1] = Column::Number((0..400).map(|row| f64::from(row % 2)).collect());
        let decide = |scores: ArrayView1<f64>| u32::from(scores[0] >= 0.5);
        let sweep = Sweep::new(&rows, &names, &[false, true, false], 0.2, Some(&decide));
        let study = Study { outputs: &outputs, budget: 1_000_000, seed: 1, confidence: 0.95 };
        let found = sweep.importance(&Fake(|x: &[f64]| 0.5 * x[0] + 0.3 * x[1]), &rows, &study).unwrap();
        let unit = sweep.changes[0].unit;
        assert!((of(&found, "largest_change", "a").value - 0.5 * 0.2 * unit).abs() < 1e-12);
        assert!((of(&found, "largest_change", "b").value - 0.3).abs() < 1e-12);
        assert_eq!(of(&found, "largest_change", "b").rank, 1);
        assert_eq!(of(&found, "largest_change", "c").value, 0.0);
        // Rows of b = 1 and a ≥ 0.4 lose the decision with b = 0.
        let Column::Number(a) = &rows.columns[0] else { panic!("a is a number") };
        let turned = (0..400).filter(|row| a[*row] >= 0.4 && (row % 2 == 1 || a[*row] * 0.5 + 0.3 >= 0.5)).count();
        assert!((of(&found, "single_change_flips", "b").value - turned as f64 / 400.0).abs() < 1e-12);
    }

    #[test]
    fn the_smallest_flip_is_the_nearest_value_of_one_column() {
        let names = names();
        let rows = uniform(500, 3, 0.0, 1.0);
        let decide = |scores: ArrayView1<f64>| u32::from(scores[0] >= 0.5);
        let sweep = Sweep::new(&rows, &names, &[false; 3], 0.1, Some(&decide));
        let row = Features { n_rows: 1, columns: [0.3, 0.1, 0.2].map(|x| Column::Number(vec![x])).to_vec() };
        let flip = sweep.smallest_flip(&Fake(|x: &[f64]| x[0] + 0.1 * x[1]), &row).unwrap().unwrap();
        assert_eq!(flip.column, 0);
        assert!(matches!(&flip.to, Column::Number(to) if (0.49..0.62).contains(&to[0])) && flip.scores[0] >= 0.5);
        assert_eq!(sweep.smallest_flip(&Fake(|_: &[f64]| 0.2), &row), Ok(None));
    }

    #[test]
    fn the_budget_decides_how_many_rows_are_changed() {
        let names = names();
        let rows = uniform(500, 3, 0.0, 1.0);
        let sweep = Sweep::new(&rows, &names, &[false; 3], 0.1, None);
        assert_eq!((sweep.evaluations_per_row(), sweep.rows(430), sweep.rows(10)), (43, 10, 0));
        let outputs = ["value".to_owned()];
        let study = Study { outputs: &outputs, budget: 10, seed: 1, confidence: 0.95 };
        let refused = sweep.importance(&Fake(|x: &[f64]| x[0]), &rows, &study);
        assert_eq!(refused, Err(ImportanceError::Budget { method: "sensitivity", least: 43 }));
    }
}
