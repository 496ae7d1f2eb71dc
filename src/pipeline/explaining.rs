//! Explains batches: attributions, their files, summaries by group, and the check that they add up.

use super::RunError;
use super::additivity::Additivity;
use super::explainer::Explainer;
use super::gallery::{Gallery, Shown};
use super::meetings::Meetings;
use super::players::PlayerValues;
use super::scoring::ScoredBatch;
use crate::config::Scale;
use crate::dataset::{Batch, Labels};
use crate::explain::Attributions;
use crate::explain::tree::Interactions;
use crate::fairness::attribution::{AttributionAccumulator, AttributionSummary, Names};
use crate::plan::{ExplainPlan, Explained, Plan, PlannedModel, Rows, choose, within};
use crate::stats::GroupLevels;
use crate::store::{ExplainedOutputs, ExplanationBatch, InteractionBatch, RunWriter};
use ndarray::{Array2, Array3, s};

/// The output's name where every row has its own.
const PREDICTED: &str = "(predicted)";

pub struct Explaining<'a> {
    plan: &'a Plan,
    model: &'a PlannedModel,
    explain: &'a ExplainPlan,
    explainer: &'a Explainer<'a>,
    players: PlayerValues,
    /// Explained rows, ascending; `None` = all.
    chosen: Option<Vec<u64>>,
    summary: AttributionAccumulator,
    gallery: Gallery,
    meetings: Meetings,
    pub n_explained: u64,
    pub additivity: Additivity,
}

/// What a batch's explanation came to.
#[derive(Default)]
pub struct ExplainedBatch {
    pub seconds: f64,
    /// `[rows × outputs]`: |Σφ + base − score| of every row; NaN where a row or output is not explained.
    pub gaps: Option<Array2<f64>>,
}

/// What the explanations of a run come to.
pub struct ExplainedRun {
    pub summary: AttributionSummary,
    pub sample: crate::audit::Sample,
    pub cases: Vec<crate::audit::Case>,
    pub outputs: Vec<String>,
}

impl<'a> Explaining<'a> {
    pub fn new(
        plan: &'a Plan,
        model: &'a PlannedModel,
        explain: &'a ExplainPlan,
        explainer: &'a Explainer<'a>,
    ) -> Self {
        let seed = plan.config().pipeline.seed;
        let players = PlayerValues::new(plan.config(), &plan.selection.features, &model.players);
        let chosen = match explain.rows {
            Rows::All => None,
            Rows::Count(n) => choose(plan.n_rows, n, seed, "explained rows"),
        };
        let n_explained = chosen.as_ref().map_or(plan.n_rows, |rows| rows.len() as u64);
        let threshold = (plan.task == crate::config::Task::Binary).then_some(plan.threshold);
        let n_outputs = match explain.outputs {
            Explained::Fixed(_) => explainer.outputs.len(),
            Explained::Predicted => 1,
        };
        Self {
            summary: AttributionAccumulator::new(n_outputs, players.names.len()),
            gallery: Gallery::new(n_explained, seed, &players.names, &plan.outputs, threshold, explain.top_k),
            plan,
            model,
            explain,
            explainer,
            players,
            chosen,
            meetings: Meetings::default(),
            n_explained: 0,
            additivity: Additivity::default(),
        }
    }

    /// Explains the chosen rows of a batch and writes them.
    pub fn batch(
        &mut self,
        batch: &Batch,
        scored: &ScoredBatch,
        writer: &mut RunWriter,
    ) -> Result<ExplainedBatch, RunError> {
        let n_rows = batch.features.n_rows;
        let rows: Vec<usize> = match &self.chosen {
            None => (0..n_rows).collect(),
            Some(chosen) => within(chosen, batch.first_row, n_rows),
        };
        if rows.is_empty() {
            return Ok(ExplainedBatch::default());
        }
        let started = std::time::Instant::now();
        let all = rows.len() == n_rows;
        let features = if all { None } else { Some(batch.features.take(&rows)) };
        let features = features.as_ref().unwrap_or(&batch.features);
        let inner =
            scored.inner.as_ref().map(|inner| if all { inner.clone() } else { inner.select(ndarray::Axis(0), &rows) });
        let keys: Vec<u64> = rows.iter().map(|row| batch.first_row + *row as u64).collect();
        let attributions = self.explainer.explain(self.model.native.as_ref(), features, inner.as_ref(), &keys)?;
        let interactions = match self.explain.interactions {
            true => self.explainer.interactions(self.model.native.as_ref(), features, inner.as_ref())?,
            false => None,
        };
        let gaps = self.gaps(&attributions, scored, &rows)?;
        let seconds = started.elapsed().as_secs_f64();
        if let Some(interactions) = interactions {
            self.keep_interactions(batch, &rows, &interactions, writer)?;
        }
        self.keep(batch, scored, &rows, features, attributions, writer)?;
        Ok(ExplainedBatch { seconds, gaps })
    }

    /// Σφ + base must be the explained score: how far it is from it, row by row.
    fn gaps(
        &mut self,
        attributions: &Attributions,
        scored: &ScoredBatch,
        rows: &[usize],
    ) -> Result<Option<Array2<f64>>, RunError> {
        let Some(target) = self.target(scored) else { return Ok(None) };
        let mut gaps = Array2::from_elem(target.dim(), f64::NAN);
        for (at, row) in rows.iter().enumerate() {
            for (explained, output) in self.explainer.outputs.iter().enumerate() {
                let phi = attributions.phi.slice(s![at, explained, ..]);
                if let Some(phi) = phi.iter().find(|phi| !phi.is_finite()) {
                    return Err(RunError::broken(format!("an attribution of row {row} is {phi}")));
                }
                if self.explain.outputs == Explained::Predicted && scored.decisions[*row] as usize != *output {
                    continue;
                }
                let sum = phi.sum() + attributions.base[[at, explained]];
                gaps[[*row, *output]] = (sum - target[[*row, *output]]).abs();
            }
        }
        self.additivity.update(&gaps);
        Ok(Some(gaps))
    }

    /// The scores that are explained.
    fn target<'b>(&self, scored: &'b ScoredBatch) -> Option<&'b Array2<f64>> {
        match self.explain.scale {
            Scale::Margin => scored.margins.as_ref(),
            Scale::Probability => Some(&scored.scores),
        }
    }

    fn keep_interactions(
        &mut self,
        batch: &Batch,
        rows: &[usize],
        interactions: &Interactions,
        writer: &mut RunWriter,
    ) -> Result<(), RunError> {
        writer.interactions(&InteractionBatch {
            ids: &batch.ids.take(rows),
            outputs: &self.explained_outputs(),
            features: &self.players.names,
            pairs: &interactions.pairs,
            values: interactions.values.view(),
        })?;
        self.meetings.update(interactions);
        Ok(())
    }

    /// Names of the outputs that are explained for every row.
    fn explained_outputs(&self) -> Vec<String> {
        self.explainer.outputs.iter().map(|output| self.plan.outputs[*output].clone()).collect()
    }

    fn keep(
        &mut self,
        batch: &Batch,
        scored: &ScoredBatch,
        rows: &[usize],
        features: &crate::dataset::Features,
        attributions: Attributions,
        writer: &mut RunWriter,
    ) -> Result<(), RunError> {
        let all = rows.len() == batch.features.n_rows;
        let ids = if all { batch.ids.clone() } else { batch.ids.take(rows) };
        let predicted: Option<Vec<u32>> = match self.explain.outputs {
            Explained::Fixed(_) => None,
            Explained::Predicted => Some(rows.iter().map(|row| scored.decisions[*row]).collect()),
        };
        let attributions = match &predicted {
            None => attributions,
            Some(index) => of_decision(&attributions, index),
        };
        let values = self.players.of(features);
        let stored: Vec<_> = values.iter().map(|values| values.stored()).collect();
        let fixed = self.explained_outputs();
        let outputs = match &predicted {
            None => ExplainedOutputs::Same(&fixed),
            Some(index) => ExplainedOutputs::PerRow { names: &self.plan.outputs, index },
        };
        writer.explanations(&ExplanationBatch {
            ids: &ids,
            outputs,
            method: self.explain.method.name(),
            features: &self.players.names,
            values: &stored,
            attributions: &attributions,
            top_k: self.explain.top_k,
        })?;
        let codes: Vec<Vec<u32>> = batch
            .codes
            .iter()
            .map(|codes| if all { codes.clone() } else { rows.iter().map(|row| codes[*row]).collect() })
            .collect();
        let phi = attributions.phi.as_standard_layout();
        let phi = phi.as_slice().unwrap_or_default();
        self.summary.update(&codes, rows.len(), phi).map_err(RunError::broken)?;
        let output_of = |row: usize, explained: usize| match &predicted {
            None => self.explainer.outputs[explained],
            Some(index) => index[row] as usize,
        };
        self.gallery.update(&Shown {
            attributions: &attributions,
            output_of: &output_of,
            values: &values,
            ids: &|row| ids.text(row),
            label: &|row| label_text(self.plan, batch, rows[row]),
            score: &|row, output| scored.scores[[rows[row], output]],
        });
        self.n_explained += rows.len() as u64;
        Ok(())
    }

    pub fn finish(self, levels: &GroupLevels) -> Result<ExplainedRun, RunError> {
        let outputs: Vec<String> = match self.explain.outputs {
            Explained::Fixed(_) => self.explained_outputs(),
            Explained::Predicted => vec![PREDICTED.to_owned()],
        };
        let names = Names {
            outputs: &outputs,
            features: &self.players.names,
            levels,
            attributes: &self.plan.groups.attributes,
        };
        let mut summary = self.summary.finish(names, self.plan.groups.confidence).map_err(RunError::broken)?;
        summary.importance.extend(self.meetings.importance(&outputs, &self.players.names));
        let (sample, cases) = self.gallery.finish();
        Ok(ExplainedRun { summary, sample, cases, outputs })
    }
}

/// Of all outputs' attributions, each row's decision.
fn of_decision(attributions: &Attributions, index: &[u32]) -> Attributions {
    let n_players = attributions.phi.shape()[2];
    let pick = |from: &Array3<f64>| {
        Array3::from_shape_fn((index.len(), 1, n_players), |(row, _, player)| from[[row, index[row] as usize, player]])
    };
    Attributions {
        phi: pick(&attributions.phi),
        base: Array2::from_shape_fn((index.len(), 1), |(row, _)| attributions.base[[row, index[row] as usize]]),
        std_err: attributions.std_err.as_ref().map(pick),
    }
}

fn label_text(plan: &Plan, batch: &Batch, row: usize) -> Option<String> {
    match batch.labels.as_ref()? {
        Labels::Class(classes) => classes[row].and_then(|class| plan.classes.get(class as usize).cloned()),
        Labels::Value(values) => (!values[row].is_nan()).then(|| crate::store::number_text(values[row])),
    }
}
