//! Scores of changed versions of one row.

use super::asked::{Unfit, copy_asked};
use super::game::{Scale, chunk_rows};
use crate::dataset::{Column, Features};
use crate::model::predictor::{PredictError, Predictor};
use ndarray::{Array2, ArrayViewMut2, Axis, concatenate};
use rayon::prelude::*;

/// Why versions of a row could not be scored.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum VersionError {
    #[error(transparent)]
    Predict(#[from] PredictError),
    #[error("the model has no margin; set `explain.scale = \"probability\"` or name `[model] margin_output`")]
    NoMargin,
    #[error("the model gave {found} scores for {asked} rows")]
    Rows { asked: usize, found: usize },
    #[error("output {output} is to be explained, but the model has {found}; check `explain.outputs`")]
    Output { output: usize, found: usize },
    #[error(
        "the model's score for output {output} is {value} for a changed version of row {row}; only finite scores can be \
         explained"
    )]
    NotFinite { row: u64, output: usize, value: f64 },
    #[error("the background has no rows; check `[background]`")]
    NoBackground,
}

/// Asks a model about versions of rows.
#[derive(Clone, Copy)]
pub struct Asker<'a> {
    pub predictor: &'a dyn Predictor,
    pub scale: Scale,
}

/// One row and what is asked of its versions.
#[derive(Clone, Copy)]
pub struct Subject<'a> {
    pub rows: &'a Features,
    pub row: usize,
    /// Position in the data.
    pub key: u64,
    pub outputs: &'a [usize],
}

impl Asker<'_> {
    /// Scores `[versions × outputs]` of `n` versions of a row. `change` makes one: its number, the features of several and
    /// its position among them.
    ///
    /// # Errors
    /// A model that fails, lacks the output or the margin, or gives scores that are not finite.
    pub fn versions(
        &self,
        subject: Subject,
        n: usize,
        change: impl Fn(usize, usize, &mut Features) + Sync,
    ) -> Result<Array2<f64>, VersionError> {
        let chunk = chunk_rows(subject.rows);
        let starts: Vec<usize> = (0..n).step_by(chunk).collect();
        let score = |start: &usize| -> Result<Array2<f64>, VersionError> {
            let together = chunk.min(n - start);
            let mut features = subject.rows.take(&vec![subject.row; together]);
            (0..together).for_each(|at| change(start + at, at, &mut features));
            let mut scores = Array2::zeros((together, subject.outputs.len()));
            self.score(&features, subject, scores.view_mut())?;
            Ok(scores)
        };
        let parts: Vec<Array2<f64>> = starts.par_iter().map(score).collect::<Result<_, _>>()?;
        let views: Vec<_> = parts.iter().map(|part| part.view()).collect();
        Ok(concatenate(Axis(0), &views).unwrap_or_else(|_| Array2::zeros((0, subject.outputs.len()))))
    }

    fn score(&self, features: &Features, subject: Subject, out: ArrayViewMut2<f64>) -> Result<(), VersionError> {
        let scored = self.predictor.predict(features)?;
        copy_asked(self.scale.of(&scored), subject.outputs, out).map_err(|unfit| match unfit {
            Unfit::NoMargin => VersionError::NoMargin,
            Unfit::Rows { asked, found } => VersionError::Rows { asked, found },
            Unfit::Output { output, found } => VersionError::Output { output, found },
            Unfit::NotFinite { output, value } => VersionError::NotFinite { row: subject.key, output, value },
        })
    }
}

/// What `one` says of each of `rows`, whose positions in the data are `keys`, asked on all threads about `outputs`; with
/// `decisions`, about each row's own output alone.
///
/// # Errors
/// That of a row.
pub(super) fn each<T: Send, E: Send>(
    rows: &Features,
    keys: &[u64],
    outputs: &[usize],
    decisions: Option<&[u32]>,
    one: impl Fn(Subject) -> Result<T, E> + Sync,
) -> Result<Vec<T>, E> {
    let of_row = |row: usize| {
        let own = decisions.map(|decisions| [decisions[row] as usize]);
        let outputs = own.as_ref().map_or(outputs, |own| own.as_slice());
        one(Subject { rows, row, key: keys[row], outputs })
    };
    (0..rows.n_rows).into_par_iter().map(of_row).collect()
}

/// The numbers of a tensor column in one row; empty for other columns.
pub fn cells_mut(features: &mut Features, column: usize, row: usize) -> &mut [f32] {
    match &mut features.columns[column] {
        Column::Tensor { width, values } => &mut values[row * *width..(row + 1) * *width],
        Column::Number(_) | Column::Text(_) => &mut [],
    }
}

/// The numbers of a tensor column in one row; empty for other columns.
pub fn cells(features: &Features, column: usize, row: usize) -> &[f32] {
    match &features.columns[column] {
        Column::Tensor { width, values } => &values[row * width..(row + 1) * width],
        Column::Number(_) | Column::Text(_) => &[],
    }
}

/// Mean of a tensor column's rows, `[width]`; empty for other columns.
pub fn mean_cells(features: &Features, column: usize) -> Vec<f32> {
    let Column::Tensor { width, values } = &features.columns[column] else { return Vec::new() };
    let mut sums = vec![0.0_f64; *width];
    values.chunks(*width).for_each(|row| sums.iter_mut().zip(row).for_each(|(sum, x)| *sum += f64::from(*x)));
    sums.iter().map(|sum| (sum / features.n_rows.max(1) as f64) as f32).collect()
}
