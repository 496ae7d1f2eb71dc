//! What a run would do and take, found out without doing it.

use super::global::foreseen;
use super::reference::background;
use super::{Explainer, RunError, pace};
use crate::config::ImportanceMethod;
use crate::dataset::{Reader, Selection};
use crate::explain::gradient::COPIES;
use crate::explain::tree::Estimate;
use crate::importance::DEFAULT_CAP;
use crate::model::predictor::Predictor;
use crate::plan::{Chosen, ExplainPlan, Explained, Plan, Rows};
use std::collections::BTreeMap;

/// What `check` says of an explanation before anything runs.
pub struct Foresight {
    pub engine: String,
    pub background_rows: u64,
    /// One core's seconds and the bytes of tables, where an engine estimates them.
    pub estimate: Option<Estimate>,
    /// Scores or gradients that it asks of the model, at most; `None` where it asks for none.
    pub evaluations: Option<u64>,
    /// One core's seconds for them, at the pace measured here.
    pub seconds: Option<f64>,
}

/// Builds an explanation as a run would, without explaining a row; measures how fast the model answers.
pub fn foresee(plan: &Plan, explain: &ExplainPlan) -> Result<Option<Foresight>, RunError> {
    let Some(model) = &plan.model else { return Ok(None) };
    let background = background(plan, explain)?;
    let native = model.native.as_ref().and_then(|native| native.predictor());
    let explainer = Explainer::new(plan, model, explain, &background, native.as_ref())?;
    let n_rows = match explain.rows {
        Rows::All => plan.n_rows,
        Rows::Count(n) => n,
    };
    let evaluations =
        explainer.evaluations(n_rows).or_else(|| asked(explain, n_rows, background.features.n_rows as u64));
    let pace = if evaluations.is_some() { explainer.pace(&pace::rows(plan)?)? } else { None };
    Ok(Some(Foresight {
        engine: explainer.engine_name.clone(),
        background_rows: background.features.n_rows as u64,
        estimate: explainer.estimate(),
        seconds: evaluations.zip(pace).map(|(n, pace)| n as f64 / pace),
        evaluations,
    }))
}

/// Evaluations that asking the model takes at most; `None` for exact structures.
fn asked(explain: &ExplainPlan, rows: u64, background: u64) -> Option<u64> {
    let players = &explain.players;
    let enumerated = players.n_coalitions(&(0..players.len()).collect::<Vec<_>>());
    let outputs = match &explain.outputs {
        Explained::Fixed(outputs) => outputs.len() as u64,
        Explained::Predicted => 1,
    };
    let per_row = match explain.method {
        Chosen::Exact => background.saturating_mul(enumerated),
        Chosen::Kernel | Chosen::Permutation => background.saturating_mul(explain.budget.min(enumerated)),
        Chosen::IntegratedGradients => outputs.saturating_mul(explain.budget),
        Chosen::ExpectedGradients => outputs.saturating_mul(background).saturating_mul(explain.budget),
        Chosen::Deep => outputs.saturating_mul(background).saturating_mul(2),
        Chosen::Gradient => outputs,
        Chosen::SmoothGrad => outputs * (1 + COPIES as u64),
        _ => return None,
    };
    Some(rows.saturating_mul(per_row))
}

/// Evaluations that one of the importance methods asks for.
pub struct Asked {
    pub method: &'static str,
    pub evaluations: u64,
    /// One core's seconds for them, at the pace measured here.
    pub seconds: f64,
}

/// What `[importance]` asks of the model.
pub fn importance_asks(plan: &Plan) -> Result<Vec<Asked>, RunError> {
    let counts: Vec<(&'static str, u64)> = permutation_asks(plan).into_iter().chain(foreseen(plan)?).collect();
    let Some(model) = plan.model.as_ref().filter(|_| !counts.is_empty()) else { return Ok(Vec::new()) };
    let native = model.native.as_ref().and_then(|native| native.predictor());
    let predictor = native.as_ref().map_or(&model.scorer as &dyn Predictor, |native| native);
    let pace = pace::of_scores(predictor, &pace::rows(plan)?)?;
    let asked =
        |(method, evaluations): (&'static str, u64)| Asked { method, evaluations, seconds: evaluations as f64 / pace };
    Ok(counts.into_iter().map(asked).collect())
}

/// The sample as it is, then every player and group of columns shuffled as often as asked, among all rows and within
/// strata.
fn permutation_asks(plan: &Plan) -> Option<(&'static str, u64)> {
    let config = &plan.config().importance;
    let wanted = config.methods.as_ref().is_none_or(|methods| methods.contains(&ImportanceMethod::Permutation));
    let model = plan.model.as_ref().filter(|_| wanted && plan.selection.label.is_some())?;
    let rows = plan.n_rows.min(DEFAULT_CAP.min(plan.rows_held()) as u64);
    let ways = if model.shuffling.strata.is_empty() { 1 } else { 2 };
    let shuffled = ways * (model.players.len() + model.shuffling.groups.len()) as u64;
    Some(("permutation", rows.saturating_mul(shuffled.saturating_mul(config.repeats).saturating_add(1))))
}

/// An attribute and the rows of each of its groups.
pub type GroupSizes = (String, Vec<(String, u64)>);

/// Rows of every group, by attribute, the largest group first.
pub fn group_sizes(plan: &Plan) -> Result<Vec<GroupSizes>, RunError> {
    let selection = Selection {
        groups: plan.selection.groups.clone(),
        filter: plan.selection.filter.clone(),
        ..Default::default()
    };
    let mut reader = Reader::start(&plan.source, &selection, plan.batch_rows)?;
    let mut counts: Vec<BTreeMap<Vec<u32>, u64>> = vec![BTreeMap::new(); plan.groups.attributes.len()];
    for batch in reader.by_ref() {
        let batch = batch?;
        for (counts, attribute) in counts.iter_mut().zip(&plan.groups.attributes) {
            for row in 0..batch.n_rows() {
                let codes = attribute.columns.iter().map(|column| batch.codes[*column][row]).collect();
                *counts.entry(codes).or_default() += 1;
            }
        }
    }
    let levels = reader.tally().levels;
    let sizes = counts.into_iter().zip(&plan.groups.attributes).map(|(counts, attribute)| {
        let name = |codes: &[u32]| {
            let parts =
                codes.iter().zip(&attribute.columns).map(|(code, column)| levels[*column][*code as usize].as_str());
            parts.collect::<Vec<_>>().join(",")
        };
        let mut sizes: Vec<(String, u64)> = counts.iter().map(|(codes, n)| (name(codes), *n)).collect();
        sizes.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        (attribute.name.clone(), sizes)
    });
    Ok(sizes.collect())
}
