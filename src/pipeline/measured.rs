//! What fairness measures of a run, and how it reads a scored batch.

use super::scoring::ScoredBatch;
use crate::dataset::{Batch, Labels};
use crate::fairness::{Rows, Spec, Truth};
use crate::plan::{Plan, fairness_task};

/// Whether the decision for the positive class is the one that is good for the person.
pub fn favourable_is_positive(plan: &Plan) -> bool {
    let data = &plan.config().data;
    let positive =
        data.positive.as_ref().map_or_else(|| plan.classes.last().cloned().unwrap_or_default(), ToString::to_string);
    data.favourable.as_ref().is_none_or(|favourable| favourable.to_string() == positive)
}

/// What fairness measures.
pub(super) fn spec(plan: &Plan) -> Spec {
    Spec {
        attributes: plan.groups.attributes.clone(),
        reference: plan.groups.reference.clone(),
        task: fairness_task(plan.task),
        threshold: plan.threshold,
        accuracy_loss: plan.groups.accuracy_loss,
        positive_output: 0,
        favourable_is_positive: favourable_is_positive(plan),
        outputs: plan.outputs.clone(),
        confidence: plan.groups.confidence,
        bootstrap: plan.groups.bootstrap,
        strata: plan.groups.strata.clone(),
        seed: plan.config().pipeline.seed,
        metrics: plan.groups.metrics.clone(),
    }
}

/// A scored batch as fairness reads it.
pub(super) fn rows<'a>(batch: &'a Batch, scored: &'a ScoredBatch) -> Rows<'a> {
    Rows {
        first_row: batch.first_row,
        codes: &batch.codes,
        scores: scored.scores.as_slice().unwrap_or_default(),
        decisions: &scored.decisions,
        labels: batch.labels.as_ref().map(|labels| match labels {
            Labels::Class(classes) => Truth::Class(classes),
            Labels::Value(values) => Truth::Value(values),
        }),
        weights: batch.weights.as_deref(),
    }
}
