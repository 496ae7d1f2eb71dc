//! The model's answers for rows in which one feature was replaced.

use super::{CurveSettings, DependenceError, Varied};
use crate::dataset::batch::{Column, Features};
use crate::explain::asked::{Unfit, copy_asked};
use crate::explain::game::chunk_rows;
use crate::model::predictor::Predictor;
use ndarray::Array2;
use std::ops::Range;

/// Asks about one feature.
pub(super) struct Asker<'a> {
    pub predictor: &'a dyn Predictor,
    pub varied: Varied<'a>,
    pub settings: &'a CurveSettings,
}

impl Asker<'_> {
    /// Scores of the rows with this column in place of the varied one, `[rows × outputs]`.
    pub fn scores(&self, rows: &Features, replaced: Column) -> Result<Array2<f64>, DependenceError> {
        let mut rows = rows.clone();
        rows.columns[self.varied.column] = replaced;
        let scored = self.predictor.predict(&rows)?;
        let outputs: Vec<usize> = self.settings.outputs.iter().map(|output| output.index).collect();
        let mut chosen = Array2::zeros((rows.n_rows, outputs.len()));
        copy_asked(self.settings.scale.of(&scored), &outputs, chosen.view_mut()).map_err(|unfit| match unfit {
            Unfit::NoMargin => DependenceError::NoMargin,
            Unfit::Rows { asked, found } => DependenceError::Rows { asked, found },
            Unfit::Output { output, found } => DependenceError::Output { output, found },
            Unfit::NotFinite { output, value } => {
                DependenceError::NotFinite { feature: self.varied.name.to_owned(), output, value }
            }
        })?;
        Ok(chosen)
    }
}

/// Rows in pieces that the model takes in one call.
pub(super) struct Pieces {
    pub ranges: Vec<Range<usize>>,
    pub features: Vec<Features>,
}

impl Pieces {
    pub fn of(rows: &Features) -> Self {
        let size = chunk_rows(rows);
        let ranges: Vec<Range<usize>> =
            (0..rows.n_rows).step_by(size).map(|from| from..rows.n_rows.min(from + size)).collect();
        let features = ranges.iter().map(|range| rows.take(&range.clone().collect::<Vec<_>>())).collect();
        Self { ranges, features }
    }
}

/// The weights of the rows, 1 where there are none.
///
/// # Errors
/// Not one for each row, or none above 0.
pub(super) fn checked_weights(weights: Option<&[f64]>, rows: &Features) -> Result<Vec<f64>, DependenceError> {
    let weights = weights.map_or_else(|| vec![1.0; rows.n_rows], <[f64]>::to_vec);
    if weights.len() != rows.n_rows {
        return Err(DependenceError::Lengths { rows: rows.n_rows, found: weights.len() });
    }
    let sum: f64 = weights.iter().sum();
    if sum.is_finite() && sum > 0.0 { Ok(weights) } else { Err(DependenceError::NoWeight { sum }) }
}
