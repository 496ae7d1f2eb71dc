//! Methods beside the main one: a pass over the data for each, after the main one's.
//!
//! Stored explanations stand one method after the other, whatever the batches; reading and scoring once more costs
//! little beside explaining, and batches without a row to explain are not scored.

use super::explainer::Explainer;
use super::explaining::Explaining;
use super::gallery::Picked;
use super::scoring::{self, Agreement};
use super::trial::{Trial, Tried};
use super::{Progress, RunError, assemble, proof, reference};
use crate::audit::{Further, Importance};
use crate::dataset::Reader;
use crate::model::NativePredictor;
use crate::plan::{ExplainPlan, Plan, PlannedModel};
use crate::stats::GroupLevels;
use crate::store::RunWriter;

/// What a further method found.
pub struct FurtherRun {
    pub told: Further,
    /// Mean |attribution| under the method's own name.
    pub importance: Vec<Importance>,
    /// What it says of the rows on trial.
    pub tried: Option<Tried>,
}

/// What the main pass found, for the methods beside it.
#[derive(Clone, Copy)]
pub struct Found<'a> {
    pub levels: &'a GroupLevels,
    /// The main method's cases.
    pub picked: &'a [Picked],
    pub trial: Option<&'a Trial>,
}

/// Explains the rows that `explain` asks for and the main method's cases.
pub fn explain(
    plan: &Plan,
    model: &PlannedModel,
    explain: &ExplainPlan,
    native: Option<&NativePredictor>,
    Found { levels, picked, trial }: Found,
    writer: &mut RunWriter,
    progress: &dyn Progress,
) -> Result<FurtherRun, RunError> {
    let background = reference::background(plan, explain)?;
    let explainer = Explainer::new(plan, model, explain, &background, native)?;
    let mut explaining = Explaining::new(plan, model, explain, &explainer);
    let mut cases = Vec::new();
    let pseudonyms = assemble::pseudonyms(plan);
    progress.rows_expected(plan.n_rows);
    progress.stage(explain.method.name());
    for batch in Reader::start(&plan.source, &plan.selection, plan.batch_rows)? {
        let mut batch = batch?;
        if let Some(pseudonyms) = &pseudonyms {
            batch.ids = pseudonyms.of(&batch.ids);
        }
        let end = batch.first_row + batch.features.n_rows as u64;
        let has_case = picked.iter().any(|it| (batch.first_row..end).contains(&it.row));
        if has_case || !explaining.rows(batch.first_row, batch.features.n_rows).is_empty() {
            let mut scored = scoring::score(plan, &batch)?;
            scoring::prove(plan, &batch, &mut scored, &mut Agreement::default())?;
            explaining.batch(&batch, &scored, writer)?;
            cases.extend(explaining.cases(&batch, &scored, picked)?);
        }
        progress.rows_done(end);
    }
    let order = |it: &Picked| picked.iter().position(|main| main.case.chosen_as == it.case.chosen_as);
    cases.sort_by_key(order);
    let tried = trial.map(|trial| trial.put(plan, model, explain, &explainer)).transpose()?;
    let proof = proof::of(&explaining, &background);
    let run = explaining.finish(levels, &[])?;
    let own = |row: Importance| match row.method.as_str() {
        "attribution" => Importance { method: explain.method.name().to_owned(), ..row },
        _ => row,
    };
    Ok(FurtherRun {
        tried,
        importance: run.summary.importance.into_iter().map(own).collect(),
        told: Further { proof, outputs: run.outputs, cases: cases.into_iter().map(|it| it.case).collect() },
    })
}
