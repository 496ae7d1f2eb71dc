//! Scores of batches on their way into the store.

use super::RunError;
use super::scoring::ScoredBatch;
use crate::config::Task;
use crate::dataset::{Batch, Labels};
use crate::plan::Plan;
use crate::store::{LabelColumn, PredictionBatch, RunWriter};
use ndarray::Array2;

/// Writes a batch's scores, decisions and labels; `gaps` `[rows × outputs]` say how well explanations add up.
pub fn write(
    plan: &Plan,
    batch: &Batch,
    scored: &ScoredBatch,
    gaps: Option<&Array2<f64>>,
    writer: &mut RunWriter,
) -> Result<(), RunError> {
    let shape = scored.scores.dim();
    let predicted = match plan.task {
        Task::Regression => None,
        Task::Binary => Some(Array2::from_shape_fn(shape, |(row, _)| scored.decisions[row] == 1)),
        Task::Multiclass => {
            Some(Array2::from_shape_fn(shape, |(row, output)| scored.decisions[row] as usize == output))
        }
    };
    let label = match &batch.labels {
        None => LabelColumn::Absent,
        Some(Labels::Class(index)) => LabelColumn::Class { index, names: &plan.classes },
        Some(Labels::Value(values)) => LabelColumn::Value(values),
    };
    writer.predictions(&PredictionBatch {
        ids: &batch.ids,
        outputs: &plan.outputs,
        score: scored.scores.view(),
        margin: scored.margins.as_ref().map(|margins| margins.view()),
        predicted: predicted.as_ref().map(|predicted| predicted.view()),
        label,
        weight: batch.weights.as_deref(),
        additivity_gap: gaps.map(|gaps| gaps.view()),
    })?;
    Ok(())
}
