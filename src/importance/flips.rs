//! The flip test: every row scored again as if it belonged to another group, all else unchanged.

use super::error::ImportanceError;
use super::people::People;
use crate::dataset::batch::{Column, Features};
use crate::model::predictor::Predictor;
use ndarray::{Array2, Axis, concatenate};
use rayon::prelude::*;

/// Rows scored in one call.
const CHUNK: usize = 1_024;

/// Scores `[rows × outputs]` of all rows with the value of column `feature` that rows of a level have; `codes` are the
/// rows' levels by that column. `None` where no sampled row has the level.
///
/// # Errors
/// A model that fails.
pub fn as_level(
    predictor: &dyn Predictor,
    people: &People,
    feature: usize,
    codes: &[u32],
    level: u32,
) -> Result<Option<Array2<f64>>, ImportanceError> {
    let Some(donor) = codes.iter().position(|code| *code == level) else { return Ok(None) };
    let n = people.n_rows();
    let mut features = people.features.clone();
    features.columns[feature] = match &people.features.columns[feature] {
        Column::Number(values) => Column::Number(vec![values[donor]; n]),
        Column::Text(values) => Column::Text(vec![values[donor].clone(); n]),
        Column::Tensor { .. } => return Ok(None),
    };
    let starts: Vec<usize> = (0..n).step_by(CHUNK).collect();
    let score = |start: &usize| {
        let rows: Vec<usize> = (*start..(start + CHUNK).min(n)).collect();
        let chunk: Features = features.take(&rows);
        Ok(predictor.predict(&chunk)?.probability)
    };
    let parts: Vec<Array2<f64>> = starts.par_iter().map(score).collect::<Result<_, ImportanceError>>()?;
    let views: Vec<_> = parts.iter().map(|part| part.view()).collect();
    Ok(concatenate(Axis(0), &views).ok())
}
