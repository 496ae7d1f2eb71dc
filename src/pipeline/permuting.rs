//! What metrics lose when a column is shuffled.

use super::RunError;
use crate::config::ImportanceMethod;
use crate::importance::{self, Sample, permutation_importance};
use crate::model::predictor::Predictor;
use crate::plan::{Plan, importance_task};

/// Permutation importance on the labelled sample, where it is asked for.
pub(super) fn permutation(
    plan: &Plan,
    sample: Option<&Sample>,
    predictor: &dyn Predictor,
) -> Result<Option<importance::PermutationImportance>, RunError> {
    let asked = plan.config().importance.methods.as_ref();
    if asked.is_some_and(|methods| !methods.contains(&ImportanceMethod::Permutation)) {
        return Ok(None);
    }
    let (Some(sample), Some(model)) = (sample, &plan.model) else { return Ok(None) };
    let task = importance_task(plan.task);
    let asked = plan.config().importance.metrics.iter().flatten();
    let named: Vec<_> = asked.filter_map(|name| importance::Metric::parse(name, task).ok()).collect();
    let metrics = if named.is_empty() { vec![importance::Metric::default_for(task)] } else { named };
    let settings = importance::Settings {
        task,
        metrics,
        repeats: plan.config().importance.repeats as usize,
        seed: plan.config().pipeline.seed,
        confidence: plan.groups.confidence,
        threshold: plan.threshold,
    };
    permutation_importance(predictor, sample, &model.players, &settings).map(Some).map_err(RunError::unacceptable)
}
