//! The background of an explanation.

use super::RunError;
use super::explainer::zeros_like;
use crate::dataset::{Selection, Source};
use crate::plan::{self, Background, ExplainPlan, Plan};

/// Reads the background of one of a plan's explanations.
pub fn background(plan: &Plan, explain: &ExplainPlan) -> Result<Background, RunError> {
    let most = explain.background_rows.unwrap_or(u64::MAX).min(plan::MOST_BACKGROUND_ROWS);
    let seed = plan.config().pipeline.seed;
    let path = explain.baseline_file.as_ref().or(plan.config().background.path.as_ref());
    let mut background = match path {
        None => {
            plan::sample_background(&plan.source, &plan.selection, most, seed, "the evaluation data", plan.batch_rows)?
        }
        Some(path) => {
            let source = Source::open(&plan.loaded.resolve(path))?;
            for feature in &plan.selection.features {
                source.require(&feature.column, "the model; a background must hold every input column")?;
            }
            let selection = Selection { filter: None, ..plan.selection.clone() };
            plan::sample_background(&source, &selection, most, seed, path, plan.batch_rows)?
        }
    };
    if background.features.n_rows == 0 {
        return Err(RunError::unacceptable(format!("the background ({}) has no rows", background.source)));
    }
    if explain.zero_baseline {
        background.features = zeros_like(&background.features);
        background.source = "zero in every column".to_owned();
    }
    Ok(background)
}
