//! How fast the model answers here, measured on a few rows before a run: what turns counts of evaluations into seconds.

use super::RunError;
use crate::dataset::Features;
use crate::model::differentiable::Differentiable;
use crate::model::predictor::Predictor;
use crate::plan::{self, Plan};
use std::time::{Duration, Instant};

/// Rows asked about at once.
const ROWS: usize = 4_096;
/// Rows of the data that these are copies of.
const DRAWN: u64 = 256;
/// Long enough for a figure of two digits.
const AT_LEAST: Duration = Duration::from_millis(60);

/// Rows to ask about.
///
/// # Errors
/// Data that cannot be read.
pub fn rows(plan: &Plan) -> Result<Features, RunError> {
    let seed = plan.config().pipeline.seed;
    let drawn = plan::sample_background(&plan.source, &plan.selection, DRAWN, seed, "pace", plan.batch_rows)?.features;
    Ok(drawn.take(&(0..ROWS).map(|at| at % drawn.n_rows.max(1)).collect::<Vec<_>>()))
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
