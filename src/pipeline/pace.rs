//! How fast the model answers here, measured on a few rows before a run: what turns counts of evaluations into seconds.

use super::RunError;
use crate::dataset::{Features, Reader, Selection};
use crate::explain::game::chunk_rows;
use crate::model::differentiable::Differentiable;
use crate::model::predictor::Predictor;
use crate::plan::Plan;
use std::time::{Duration, Instant};

/// Rows asked about at once, where they are narrow.
const ROWS: usize = 4_096;
/// Rows of the data that these are copies of.
const READ: usize = 256;
/// Long enough for a figure of two digits.
const AT_LEAST: Duration = Duration::from_millis(60);

/// Copies of the first rows, as many as are asked about at once: a stopwatch needs no sample.
///
/// # Errors
/// Data that cannot be read.
pub fn rows(plan: &Plan) -> Result<Features, RunError> {
    let selection = Selection {
        features: plan.selection.features.clone(),
        filter: plan.selection.filter.clone(),
        ..Default::default()
    };
    let Some(first) = Reader::start(&plan.source, &selection, READ)?.next() else {
        return Ok(Features { n_rows: 0, columns: Vec::new() });
    };
    let read = first?.features;
    let n = ROWS.min(chunk_rows(&read));
    Ok(read.take(&(0..n).map(|at| at % read.n_rows.max(1)).collect::<Vec<_>>()))
}

/// Scores a second on one core.
///
/// # Errors
/// Rows that the model cannot score.
pub fn of_scores(predictor: &dyn Predictor, rows: &Features) -> Result<f64, RunError> {
    measure(|| {
        predictor.predict(rows).map_err(RunError::unacceptable)?;
        Ok(rows.n_rows)
    })
}

/// Gradients a second on one core, or multipliers of the rescale rule where it is `deep`.
///
/// # Errors
/// Rows that the model cannot score.
pub fn of_gradients(model: &dyn Differentiable, rows: &Features, output: usize, deep: bool) -> Result<f64, RunError> {
    let n = model.most_points().min(rows.n_rows);
    let points = model.points(&rows.take(&(0..n).collect::<Vec<_>>())).map_err(RunError::unacceptable)?;
    measure(|| {
        let outputs = vec![output; n];
        let found = if deep {
            model.multipliers(points.view(), points.view(), &outputs)
        } else {
            model.gradients(points.view(), &outputs)
        };
        found.map_err(RunError::unacceptable)?;
        Ok(n)
    })
}

/// Once to warm up, then as often as it takes.
fn measure(mut work: impl FnMut() -> Result<usize, RunError>) -> Result<f64, RunError> {
    work()?;
    let started = Instant::now();
    let mut done = 0;
    while started.elapsed() < AT_LEAST {
        done += work()?;
    }
    Ok(done as f64 / started.elapsed().as_secs_f64())
}
