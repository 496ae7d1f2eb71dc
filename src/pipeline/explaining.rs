//! Explains batches: attributions, their files, summaries by group, and the check that they add up.

use super::RunError;
use super::additivity::Additivity;
use super::adverse::{Adverse, Rule};
use super::exhibition::{Exhibited, Exhibition, Hung};
use super::explainer::Explainer;
use super::explanation::Explanation;
use super::fitting::Fits;
use super::gallery::{Gallery, Names as CaseNames, Picked, Shown, case};
use super::maps::{exhibition, of_patches, rows_at_once, shown_picture};
use super::meetings::Meetings;
use super::part::{PartOfBatch, label_text};
use super::players::PlayerValues;
use super::scoring::ScoredBatch;
use crate::audit::AttributeScope;
use crate::config::Scale;
use crate::dataset::{Batch, Labels, Picture};
use crate::explain::tree::Interactions;
use crate::fairness::attribution::{AttributionAccumulator, AttributionSummary, Names};
use crate::plan::{ExplainPlan, Explained, Plan, PlannedModel, Rows, choose, within};
use crate::stats::GroupLevels;
use crate::store::{ExplainedOutputs, ExplanationBatch, InteractionBatch, LocalFitBatch, MapBatch, RunWriter};
use ndarray::Array2;

/// The output's name where every row has its own.
const PREDICTED: &str = "(predicted)";

pub struct Explaining<'a> {
    plan: &'a Plan,
    model: &'a PlannedModel,
    pub explain: &'a ExplainPlan,
    pub explainer: &'a Explainer<'a>,
    players: PlayerValues,
    /// Explained rows, ascending; `None` = all.
    chosen: Option<Vec<u64>>,
    /// The picture that feeds the model, and its column.
    picture: Option<(usize, Picture)>,
    /// Rows explained at a time, by their position in the data: of pictures fewer.
    rows_at_once: u64,
    summary: AttributionAccumulator,
    gallery: Gallery,
    adverse: Option<Adverse>,
    exhibition: Option<Exhibition>,
    meetings: Meetings,
    fits: Fits,
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
    pub cases: Vec<Picked>,
    pub adverse: Option<crate::audit::AdverseActions>,
    pub pictures: Option<Exhibited>,
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
        let players = PlayerValues::new(plan.config(), &plan.selection.features, &explain.players);
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
            adverse: Rule::wanted(plan, explain).map(|rule| Adverse::new(rule, &players.names)),
            plan,
            model,
            explain,
            explainer,
            players,
            chosen,
            picture: shown_picture(plan),
            exhibition: exhibition(plan),
            rows_at_once: rows_at_once(&plan.selection.features),
            meetings: Meetings::default(),
            fits: Fits::default(),
            n_explained: 0,
            additivity: Additivity::default(),
        }
    }

    /// Positions within a batch of the rows to explain.
    pub fn rows(&self, first_row: u64, n_rows: usize) -> Vec<usize> {
        within(self.chosen.as_deref(), first_row, n_rows)
    }

    /// Explains the chosen rows of a batch and writes them.
    pub fn batch(
        &mut self,
        batch: &Batch,
        scored: &ScoredBatch,
        writer: &mut RunWriter,
    ) -> Result<ExplainedBatch, RunError> {
        let rows = self.rows(batch.first_row, batch.features.n_rows);
        if rows.is_empty() {
            return Ok(ExplainedBatch::default());
        }
        let mut explained = ExplainedBatch::default();
        let (first, step) = (batch.first_row, self.rows_at_once);
        let key = |row: usize| (first + row as u64) / step;
        for rows in rows.chunk_by(|a, b| key(*a) == key(*b)) {
            self.rows_together(batch, scored, rows.to_vec(), &mut explained, writer)?;
        }
        if let Some(gaps) = &explained.gaps {
            self.additivity.update(gaps);
        }
        Ok(explained)
    }

    /// Explains and writes some rows of a batch.
    fn rows_together(
        &mut self,
        batch: &Batch,
        scored: &ScoredBatch,
        rows: Vec<usize>,
        explained: &mut ExplainedBatch,
        writer: &mut RunWriter,
    ) -> Result<(), RunError> {
        let started = std::time::Instant::now();
        let (part, decided) = self.explain(batch, scored, rows)?;
        let interactions = match self.explain.interactions {
            true => self.explainer.interactions(self.model.native.as_ref(), &part.features, part.inner.as_ref())?,
            false => None,
        };
        self.gaps(&decided.explanation, scored, &part.rows, &mut explained.gaps)?;
        explained.seconds += started.elapsed().as_secs_f64();
        if let Some(interactions) = interactions {
            self.keep_interactions(batch, &part.rows, &interactions, writer)?;
        }
        self.keep(batch, scored, &part, decided, writer)
    }

    /// Explanations of some rows of a batch, for the outputs that the plan wants of each.
    fn explain<'b>(
        &self,
        batch: &'b Batch,
        scored: &ScoredBatch,
        rows: Vec<usize>,
    ) -> Result<(PartOfBatch<'b>, Decided), RunError> {
        let part = PartOfBatch::new(batch, scored, rows);
        let predicted: Option<Vec<u32>> = match self.explain.outputs {
            Explained::Fixed(_) => None,
            Explained::Predicted => Some(part.rows.iter().map(|row| scored.decisions[*row]).collect()),
        };
        let (native, inner) = (self.model.native.as_ref(), part.inner.as_ref());
        let mut explanation =
            self.explainer.explain(native, &part.features, inner, &part.keys, predicted.as_deref())?;
        if let Some(surrogates) = &mut explanation.surrogates {
            self.players.hide(&mut surrogates.terms);
        }
        Ok((part, Decided { explanation, predicted }))
    }

    /// Another method's cases among a batch's rows, explained by this one; nothing is stored.
    pub fn cases(&self, batch: &Batch, scored: &ScoredBatch, picked: &[Picked]) -> Result<Vec<Picked>, RunError> {
        let end = batch.first_row + batch.features.n_rows as u64;
        let here: Vec<&Picked> = picked.iter().filter(|it| (batch.first_row..end).contains(&it.row)).collect();
        if here.is_empty() {
            return Ok(Vec::new());
        }
        let rows = here.iter().map(|it| (it.row - batch.first_row) as usize).collect();
        let (part, decided) = self.explain(batch, scored, rows)?;
        self.shown(batch, scored, &part, &decided, |shown| {
            let names =
                CaseNames { features: &self.players.names, outputs: &self.plan.outputs, top_k: self.explain.top_k };
            let case = |(at, it): (usize, &&Picked)| Picked {
                row: it.row,
                features: it.features.clone(),
                case: case(shown, at, &it.case.chosen_as, &names),
            };
            Ok(here.iter().enumerate().map(case).collect())
        })
    }

    /// Σφ + base must be the explained score, or the local prediction of a row's surrogate: how far it is from it, row
    /// by row.
    fn gaps(
        &mut self,
        explanation: &Explanation,
        scored: &ScoredBatch,
        rows: &[usize],
        gaps: &mut Option<Array2<f64>>,
    ) -> Result<(), RunError> {
        let Some(target) = self.target(scored) else { return Ok(()) };
        let gaps = gaps.get_or_insert_with(|| Array2::from_elem(target.dim(), f64::NAN));
        let mut fits = std::mem::take(&mut self.fits);
        let attributions = &explanation.attributions;
        let all = attributions.phi.as_standard_layout();
        let (n_explained, n_players) = (all.shape()[1], all.shape()[2]);
        let all = all.as_slice().unwrap_or_default();
        for (at, row) in rows.iter().enumerate() {
            for explained in 0..n_explained {
                let phi = &all[(at * n_explained + explained) * n_players..][..n_players];
                let sum: f64 = phi.iter().sum();
                // No attribution that is not finite can hide in a finite sum.
                if let Some(phi) = phi.iter().find(|phi| !sum.is_finite() && !phi.is_finite()) {
                    return Err(RunError::broken(format!("an attribution of row {row} is {phi}")));
                }
                let output = match self.explain.outputs {
                    Explained::Fixed(_) => self.explainer.outputs[explained],
                    Explained::Predicted => scored.decisions[*row] as usize,
                };
                let sum = sum + attributions.base[[at, explained]];
                let score = target[[*row, output]];
                let total = match &explanation.surrogates {
                    None => score,
                    Some(surrogates) => {
                        fits.update(&surrogates.fits[[at, explained]], score);
                        surrogates.fits[[at, explained]].local_prediction
                    }
                };
                gaps[[*row, output]] = (sum - total).abs();
            }
        }
        self.fits = fits;
        Ok(())
    }

    /// How well the surrogates fit, where the method fits them.
    pub fn local_fit(&self) -> Option<crate::audit::FitSummary> {
        self.fits.summary()
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
        part: &PartOfBatch,
        decided: Decided,
        writer: &mut RunWriter,
    ) -> Result<(), RunError> {
        let codes: Vec<Vec<u32>> =
            batch.codes.iter().map(|codes| part.rows.iter().map(|row| codes[*row]).collect()).collect();
        let values = self.players.of(&part.features);
        let stored: Vec<_> = values.iter().map(|values| values.stored()).collect();
        let fixed = self.explained_outputs();
        let outputs = match &decided.predicted {
            None => ExplainedOutputs::Same(&fixed),
            Some(index) => ExplainedOutputs::PerRow { names: &self.plan.outputs, index },
        };
        let (method, surrogates) = (self.explain.method.name(), decided.explanation.surrogates.as_ref());
        writer.explanations(&ExplanationBatch {
            ids: &part.ids,
            outputs,
            method,
            features: &self.players.names,
            values: &stored,
            attributions: &decided.explanation.attributions,
            top_k: self.explain.top_k,
            terms: surrogates.map(|surrogates| surrogates.terms.as_slice()),
        })?;
        if let Some(surrogates) = surrogates {
            writer.local_fits(&LocalFitBatch { ids: &part.ids, outputs, method, fits: surrogates.fits.view() })?;
        }
        let patches = || of_patches(&self.explain.players, self.picture?.1, &decided.explanation.attributions);
        if let (Some((_, picture)), Some(maps)) = (self.picture, decided.explanation.maps.clone().or_else(patches)) {
            let (height, width) = (picture.height, picture.width);
            writer.attribution_maps(&MapBatch {
                ids: &part.ids,
                outputs,
                method,
                height,
                width,
                values: maps.view(),
            })?;
            if let Some(mut exhibition) = self.exhibition.take() {
                let output_of = |row, explained| self.output_of(&decided, row, explained);
                let (plan, codes, maps) = (self.plan, codes.as_slice(), maps.view());
                exhibition.update(&Hung { plan, batch, scored, part, codes, maps, output_of: &output_of });
                self.exhibition = Some(exhibition);
            }
        }
        let phi = decided.explanation.attributions.phi.as_standard_layout();
        let phi = phi.as_slice().unwrap_or_default();
        let favoured = self.favoured(batch, &part.rows);
        self.summary.update(&codes, part.rows.len(), phi, &favoured).map_err(RunError::broken)?;
        let (mut gallery, mut adverse) = (std::mem::take(&mut self.gallery), self.adverse.take());
        self.shown(batch, scored, part, &decided, |shown| {
            gallery.update(shown);
            adverse.iter_mut().for_each(|adverse| adverse.update(shown));
            Ok(())
        })?;
        (self.gallery, self.adverse) = (gallery, adverse);
        self.n_explained += part.rows.len() as u64;
        Ok(())
    }

    /// Position among all outputs of a row's explained one.
    fn output_of(&self, decided: &Decided, row: usize, explained: usize) -> usize {
        match &decided.predicted {
            None => self.explainer.outputs[explained],
            Some(index) => index[row] as usize,
        }
    }

    /// Hands `look` the rows as galleries see them.
    fn shown<T>(
        &self,
        batch: &Batch,
        scored: &ScoredBatch,
        part: &PartOfBatch,
        decided: &Decided,
        look: impl FnOnce(&Shown) -> Result<T, RunError>,
    ) -> Result<T, RunError> {
        let values = self.players.of(&part.features);
        let output_of = |row: usize, explained: usize| self.output_of(decided, row, explained);
        look(&Shown {
            attributions: &decided.explanation.attributions,
            surrogates: decided.explanation.surrogates.as_ref(),
            keys: &part.keys,
            features: &part.features,
            output_of: &output_of,
            values: &values,
            ids: &|row| part.ids.text(row),
            label: &|row| label_text(self.plan, batch, part.rows[row]),
            score: &|row, output| scored.scores[[part.rows[row], output]],
        })
    }

    /// Which rows have the label that is good for the person; none where that is not one of two classes.
    fn favoured(&self, batch: &Batch, rows: &[usize]) -> Vec<bool> {
        match (&batch.labels, self.plan.task) {
            (Some(Labels::Class(classes)), crate::config::Task::Binary) => {
                let favourable = u32::from(super::favourable_is_positive(self.plan));
                rows.iter().map(|row| classes[*row] == Some(favourable)).collect()
            }
            _ => Vec::new(),
        }
    }

    /// `scopes`: the attributes with their reference groups.
    pub fn finish(self, levels: &GroupLevels, scopes: &[AttributeScope]) -> Result<ExplainedRun, RunError> {
        let outputs: Vec<String> = match self.explain.outputs {
            Explained::Fixed(_) => self.explained_outputs(),
            Explained::Predicted => vec![PREDICTED.to_owned()],
        };
        let names = Names {
            outputs: &outputs,
            features: &self.players.names,
            levels,
            attributes: &self.plan.groups.attributes,
            references: scopes,
        };
        let mut summary = self.summary.finish(names, self.plan.groups.confidence).map_err(RunError::broken)?;
        summary.importance.extend(self.meetings.importance(&outputs, &self.players.names));
        let (sample, cases) = self.gallery.finish();
        let adverse = self.adverse.map(Adverse::finish);
        let pictures = self.exhibition.filter(Exhibition::has_any).map(|exhibition| exhibition.finish(levels));
        Ok(ExplainedRun { summary, sample, cases, adverse, pictures, outputs })
    }
}

/// Explanations of the outputs that the plan wants.
struct Decided {
    explanation: Explanation,
    /// Each row's decision, where that is what is explained.
    predicted: Option<Vec<u32>>,
}
