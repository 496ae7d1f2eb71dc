//! Permutation importance as the plan asks for it: of players, of groups of columns, among all rows and within strata.

use super::RunError;
use crate::config::ImportanceMethod;
use crate::explain::game::Player;
use crate::importance::{self, PermutationImportance, Sample, Settings, Shuffle, Strata, shuffles};
use crate::model::predictor::Predictor;
use crate::plan::{Plan, PlannedModel, importance_task};

/// Permutation importance, and what a reader of its conditional form must know.
pub type Permuted = (PermutationImportance, Option<String>);

/// Measured on the sample; `None` where it is not asked for, or there is nothing to lose.
pub fn permutation(
    plan: &Plan,
    sample: Option<&Sample>,
    predictor: &dyn Predictor,
) -> Result<Option<Permuted>, RunError> {
    let asked = plan.config().importance.methods.as_ref();
    if asked.is_some_and(|methods| !methods.contains(&ImportanceMethod::Permutation)) {
        return Ok(None);
    }
    let (Some(sample), Some(model)) = (sample, &plan.model) else { return Ok(None) };
    model.players.check(&sample.features).map_err(RunError::unacceptable)?;
    let strata = strata(plan, model, sample);
    let players: Vec<&Player> = model.players.iter().collect();
    let groups: Vec<&Player> = model.shuffling.groups.iter().collect();
    let (plain, together) = ("permutation importance", "permutation importance of groups");
    let mut ways = vec![Shuffle { method: "permutation", purpose: plain, players: &players, strata: None }];
    if !groups.is_empty() {
        ways.push(Shuffle { method: "permutation_groups", purpose: together, players: &groups, strata: None });
    }
    if let Some(strata) = &strata {
        let strata = Some(strata);
        let (plain, together) = ("conditional permutation importance", "conditional importance of groups");
        ways.push(Shuffle { method: "permutation_conditional", purpose: plain, players: &players, strata });
        if !groups.is_empty() {
            let method = "permutation_groups_conditional";
            ways.push(Shuffle { method, purpose: together, players: &groups, strata });
        }
    }
    let found = shuffles(predictor, sample, &ways, &settings(plan)).map_err(RunError::unacceptable)?;
    let note = strata.map(|strata| note(plan, &strata, sample.features.n_rows));
    Ok(Some((found, note)))
}

fn note(plan: &Plan, strata: &Strata, n_rows: usize) -> String {
    let columns = plan.config().importance.strata.iter().map(|column| format!("`{column}`")).collect::<Vec<_>>();
    format!(
        "Conditional permutation importance shuffles among rows that agree in {}: {} strata of {} rows. {} rows are alone in \
         theirs and keep their values, which makes importance smaller.",
        columns.join(", "),
        strata.len(),
        n_rows,
        strata.n_alone()
    )
}

fn strata(plan: &Plan, model: &PlannedModel, sample: &Sample) -> Option<Strata> {
    let columns = &model.shuffling.strata;
    (!columns.is_empty()).then(|| Strata::new(&sample.features, columns, &plan.are_categories()))
}

fn settings(plan: &Plan) -> Settings {
    let task = importance_task(plan.task);
    let asked = plan.config().importance.metrics.iter().flatten();
    let named: Vec<_> = asked.filter_map(|name| importance::Metric::parse(name, task).ok()).collect();
    let metrics = if named.is_empty() { vec![importance::Metric::default_for(task)] } else { named };
    Settings {
        task,
        metrics,
        repeats: plan.config().importance.repeats as usize,
        seed: plan.config().pipeline.seed,
        confidence: plan.groups.confidence,
        threshold: plan.threshold,
    }
}
