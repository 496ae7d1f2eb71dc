//! Asking the model about made-up rows, and what those are put together from.

use super::error::ImportanceError;
use crate::dataset::batch::{Column, Features};
use crate::explain::game::{Part, Players, chunk_rows};
use crate::model::predictor::Predictor;
use ndarray::{Array2, Axis, concatenate};
use rayon::prelude::*;

/// What the model reports for all rows, `[rows × outputs]`, asked on all threads in pieces.
///
/// # Errors
/// A model that fails, or scores that are not finite.
pub fn answers(predictor: &dyn Predictor, rows: &Features) -> Result<Array2<f64>, ImportanceError> {
    let size = chunk_rows(rows);
    let starts: Vec<usize> = (0..rows.n_rows).step_by(size).collect();
    let piece = |start: &usize| {
        let piece: Vec<usize> = (*start..rows.n_rows.min(start + size)).collect();
        Ok(predictor.predict(&rows.take(&piece))?.probability)
    };
    let pieces: Vec<Result<Array2<f64>, ImportanceError>> = starts.par_iter().map(piece).collect();
    let pieces = pieces.into_iter().collect::<Result<Vec<_>, _>>()?;
    let views: Vec<_> = pieces.iter().map(|piece| piece.view()).collect();
    let scores = concatenate(Axis(0), &views).unwrap_or_default();
    match scores.iter().find(|score| !score.is_finite()) {
        Some(score) => Err(ImportanceError::NotFinite { score: *score }),
        None => Ok(scores),
    }
}

/// The inputs of a study: columns that are always drawn together.
#[derive(Debug, Clone, PartialEq)]
pub struct Factors {
    pub names: Vec<String>,
    /// Columns of each factor.
    pub columns: Vec<Vec<usize>>,
}

impl Factors {
    /// One factor for each player.
    ///
    /// # Errors
    /// Players that own parts of pictures: values of a pixel mean nothing by themselves.
    pub fn of(players: &Players, rows: &Features) -> Result<Self, ImportanceError> {
        players.check(rows)?;
        let column = |part: &Part| match part {
            Part::Column(column) => Some(*column).filter(|at| !matches!(rows.columns[*at], Column::Tensor { .. })),
            Part::Cells { .. } => None,
        };
        let columns = players.iter().map(|player| player.parts.iter().map(column).collect::<Option<Vec<_>>>());
        let columns = columns.collect::<Option<Vec<_>>>().ok_or(ImportanceError::Pictures)?;
        Ok(Self { names: players.iter().map(|player| player.name.clone()).collect(), columns })
    }

    pub fn len(&self) -> usize {
        self.names.len()
    }

    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Rows whose factor k comes from row `pick(k, at)` of `rows`, for `at` in 0..n.
    pub fn drawn(&self, rows: &Features, n: usize, pick: impl Fn(usize, usize) -> usize + Sync) -> Features {
        let mut made: Vec<Option<Column>> = vec![None; rows.columns.len()];
        for (factor, columns) in self.columns.iter().enumerate() {
            let from: Vec<usize> = (0..n).map(|at| pick(factor, at)).collect();
            for column in columns {
                made[*column] = Some(rows.columns[*column].take(&from));
            }
        }
        // Players own every column.
        Features { n_rows: n, columns: made.into_iter().flatten().collect() }
    }
}

/// 1 for the largest; equal ones in the order they stand in.
pub(super) fn rank(rows: &mut [crate::audit::Importance]) {
    let mut order: Vec<usize> = (0..rows.len()).collect();
    order.sort_by(|a, b| rows[*b].value.total_cmp(&rows[*a].value));
    order.into_iter().zip(1..).for_each(|(at, rank)| rows[at].rank = rank);
}

#[cfg(test)]
pub(super) mod fake {
    use super::*;
    use crate::model::predictor::{PredictError, Scores};

    /// Scores rows of numbers by a function.
    pub struct Fake<F>(pub F);

    impl<F: Fn(&[f64]) -> f64 + Sync> Predictor for Fake<F> {
        fn predict(&self, features: &Features) -> Result<Scores, PredictError> {
            let cell = |column: &Column, row: usize| match column {
                Column::Number(values) => values[row],
                _ => f64::NAN,
            };
            let score =
                |row: usize| (self.0)(&features.columns.iter().map(|column| cell(column, row)).collect::<Vec<_>>());
            let probability = Array2::from_shape_fn((features.n_rows, 1), |(row, _)| score(row));
            Ok(Scores { probability, margin: None })
        }
    }

    /// Independent columns, uniform between `low` and `high`.
    pub fn uniform(n_rows: usize, n_columns: usize, low: f64, high: f64) -> Features {
        let stream = crate::stats::random::Stream::new(5, "uniform");
        let value = |column: usize, row: usize| low + (high - low) * stream.unit((column * n_rows + row) as u64);
        let column = |column| Column::Number((0..n_rows).map(|row| value(column, row)).collect());
        Features { n_rows, columns: (0..n_columns).map(column).collect() }
    }

    pub fn players(n: usize) -> Players {
        Players::columns(&(0..n).map(|at| format!("x{at}")).collect::<Vec<_>>())
    }
}
