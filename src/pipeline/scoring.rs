//! Scores and decisions of a batch, from the model or from a column.

use super::RunError;
use crate::config::Task;
use crate::dataset::Batch;
use crate::model::predictor::Scores;
use crate::model::{Scored, batch_difference};
use crate::plan::{Plan, PlannedModel};
use ndarray::{Array2, ArrayView1};

/// What is known of a batch's rows after scoring.
pub struct ScoredBatch {
    /// `[rows × outputs]`, as the model reports.
    pub scores: Array2<f64>,
    pub margins: Option<Array2<f64>>,
    /// The model's tensor before its native structure.
    pub inner: Option<Array2<f64>>,
    /// Binary: 1 = positive; multiclass: the most probable output; empty for regression.
    pub decisions: Vec<u32>,
}

/// Differences between the native structure and ONNX Runtime must stay below this share of the scores' size: both sum
/// the same leaves, one in f64 and one in f32.
const NATIVE_TOLERANCE: f64 = 1e-5;

/// Follows how well the native structure agrees over all rows.
#[derive(Debug, Default)]
pub struct Agreement {
    pub largest: f64,
    pub n_rows: u64,
}

/// Scores a batch.
pub fn score(plan: &Plan, batch: &Batch) -> Result<ScoredBatch, RunError> {
    let (scores, margins, inner) = match (&plan.model, &batch.recorded) {
        (Some(model), _) => by_model(plan, model, batch)?,
        (None, Some(recorded)) => (column(recorded), None, None),
        (None, None) => return Err(RunError::broken("neither a model nor recorded scores")),
    };
    let decisions = scores.rows().into_iter().map(|row| decide(plan, row)).collect();
    let decisions = if plan.task == Task::Regression { Vec::new() } else { decisions };
    Ok(ScoredBatch { scores, margins, inner, decisions })
}

type Parts = (Array2<f64>, Option<Array2<f64>>, Option<Array2<f64>>);

fn by_model(plan: &Plan, model: &PlannedModel, batch: &Batch) -> Result<Parts, RunError> {
    let Scored { scores: Scores { probability, margin }, inner } =
        model.scorer.score(&batch.features).map_err(RunError::unacceptable)?;
    check_finite(plan, batch, &probability)?;
    let margin = if plan.task == Task::Regression { Some(probability.clone()) } else { margin };
    Ok((probability, margin, inner))
}

/// Evaluates the native structure beside the runtime: its margins become the batch's, and it must agree on every row.
pub fn prove(plan: &Plan, batch: &Batch, scored: &mut ScoredBatch, agreement: &mut Agreement) -> Result<(), RunError> {
    let Some(native) = plan.model.as_ref().and_then(|model| model.native.as_ref()) else { return Ok(()) };
    let rows = native.rows(&batch.features, scored.inner.as_ref());
    let rows = rows.ok_or_else(|| RunError::broken("the rows did not reach the model's structure"))?;
    let evaluated = native.evaluate(rows.view());
    agreement.compare(&scored.scores, &evaluated.reported)?;
    scored.margins = Some(evaluated.margins);
    Ok(())
}

fn column(values: &[f64]) -> Array2<f64> {
    Array2::from_shape_fn((values.len(), 1), |(row, _)| values[row])
}

/// The decision that scores of a row make.
pub fn decide(plan: &Plan, scores: ArrayView1<f64>) -> u32 {
    match plan.task {
        Task::Binary => u32::from(scores[0] >= plan.threshold),
        // The first of equals, as ArgMax does.
        _ => {
            scores.iter().enumerate().fold(0, |best, (at, score)| if *score > scores[best] { at } else { best }) as u32
        }
    }
}

fn check_finite(plan: &Plan, batch: &Batch, scores: &Array2<f64>) -> Result<(), RunError> {
    let Some(((row, output), score)) = scores.indexed_iter().find(|(_, score)| !score.is_finite()) else {
        return Ok(());
    };
    Err(RunError::unacceptable(format!(
        "the model scores row {} as {score} for output `{}`; look at this row's values (missing or extreme ones?), \
         or leave such rows out with [data] filter",
        batch.ids.text(row),
        plan.outputs[output],
    )))
}

impl Agreement {
    fn compare(&mut self, runtime: &Array2<f64>, native: &Array2<f64>) -> Result<(), RunError> {
        let size = runtime.iter().fold(1.0_f64, |size, score| size.max(score.abs()));
        let largest = runtime.iter().zip(native).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        self.largest = self.largest.max(largest);
        self.n_rows += runtime.nrows() as u64;
        // A NaN here is a disagreement too.
        match largest <= NATIVE_TOLERANCE * size {
            true => Ok(()),
            false => Err(RunError::unacceptable(format!(
                "the structure read from the model disagrees with ONNX Runtime by {largest:.3e}: exact explanation is \
                 refused. Set [explain] method = \"exact\" or \"kernel\", which only ask the model for scores"
            ))),
        }
    }
}

/// Rows scored one by one to see whether a batch changes a row's score.
const BATCH_SAMPLE: usize = 32;

/// Largest change of a score with the batch it is in; only models without an exact structure can have one.
pub fn batch_dependence(model: &PlannedModel, batch: &Batch) -> Result<Option<f64>, RunError> {
    if model.native.is_some() {
        return Ok(None);
    }
    batch_difference(&model.scorer, &batch.features, BATCH_SAMPLE).map(Some).map_err(RunError::unacceptable)
}
