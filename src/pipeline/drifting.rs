//! How columns and scores are distributed, counted batch by batch.

use super::players::is_dropped;
use super::scoring::ScoredBatch;
use crate::audit::Distribution;
use crate::dataset::{Batch, Column};
use crate::drift::{ColumnCounts, Meaning, Values, freeze};
use crate::plan::Plan;
use rayon::prelude::*;

/// Counts of every raw column that feeds the model, and of every output's scores. Pictures are not counted, and of
/// columns that are dropped nothing is kept.
pub struct Drifting<'a> {
    plan: &'a Plan,
    features: Vec<ColumnCounts>,
    scores: Vec<ColumnCounts>,
}

impl<'a> Drifting<'a> {
    pub fn new(plan: &'a Plan) -> Self {
        Self {
            plan,
            features: vec![ColumnCounts::default(); plan.selection.features.len()],
            scores: vec![ColumnCounts::default(); plan.outputs.len()],
        }
    }

    pub fn update(&mut self, batch: &Batch, scored: &ScoredBatch) {
        let weights = batch.weights.as_deref();
        self.features.par_iter_mut().zip(&batch.features.columns).for_each(|(counts, column)| match column {
            Column::Number(numbers) => counts.update(Values::Numbers(numbers), weights),
            Column::Text(texts) => counts.update(Values::Texts(texts), weights),
            Column::Tensor { .. } => {}
        });
        self.scores.par_iter_mut().enumerate().for_each(|(output, counts)| {
            let scores: Vec<f64> = scored.scores.column(output).to_vec();
            counts.update(Values::Numbers(&scores), weights);
        });
    }

    /// The distributions with their bins: scores, then columns in model order.
    pub fn finish(&self) -> Vec<Distribution> {
        let several = self.plan.outputs.len() > 1;
        let scores = self.scores.iter().zip(&self.plan.outputs).map(|(counts, output)| {
            let output = if several { output.as_str() } else { "" };
            distribution("score", output, counts, Meaning::Quantity)
        });
        // The distribution of a column is made of its values.
        let kept = |column: &str| !is_dropped(self.plan.config(), column);
        let features = self.features.iter().zip(&self.plan.selection.features);
        let features = features.filter(|(_, feature)| kept(&feature.column)).map(|(counts, feature)| {
            let levels = self.plan.categories(feature);
            let is_code = self.plan.config().data.is_code(&feature.column);
            let meaning = if is_code { Meaning::Codes(&levels) } else { Meaning::Quantity };
            distribution("feature", &feature.column, counts, meaning)
        });
        scores.chain(features).filter(|distribution| !distribution.cells.is_empty()).collect()
    }
}

fn distribution(subject: &str, feature: &str, counts: &ColumnCounts, meaning: Meaning) -> Distribution {
    let (coarseness, mut cells) = counts.finish(meaning);
    freeze(&mut cells);
    Distribution { subject: subject.to_owned(), feature: feature.to_owned(), coarseness, cells }
}
