//! What a run would do and take, found out without doing it.

use super::reference::background;
use super::{Explainer, RunError};
use crate::dataset::{Reader, Selection};
use crate::explain::tree::Estimate;
use crate::plan::{ExplainPlan, Plan, Rows};
use std::collections::BTreeMap;

/// What `check` says of an explanation before anything runs.
pub struct Foresight {
    pub engine: String,
    pub background_rows: u64,
    /// One core's seconds and the bytes of tables, where an engine estimates them.
    pub estimate: Option<Estimate>,
    /// Scores that it asks of the model, where their number follows from the budget alone.
    pub evaluations: Option<u64>,
}

/// Builds an explanation as a run would, without explaining a row.
pub fn foresee(plan: &Plan, explain: &ExplainPlan) -> Result<Option<Foresight>, RunError> {
    let Some(model) = &plan.model else { return Ok(None) };
    let background = background(plan, explain)?;
    let explainer = Explainer::new(plan, model, explain, &background, None)?;
    let n_rows = match explain.rows {
        Rows::All => plan.n_rows,
        Rows::Count(n) => n,
    };
    Ok(Some(Foresight {
        engine: explainer.engine_name.clone(),
        background_rows: background.features.n_rows as u64,
        estimate: explainer.estimate(),
        evaluations: explainer.evaluations(n_rows),
    }))
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
