//! What `[importance]` asks beside attributions, permutation and curves: interactions, SAGE, Sobol, Morris, sensitivity.

use super::explaining::ExplainedRun;
use super::players::PlayerValues;
use super::{RunError, scoring};
use crate::audit::{CaseFlip, CurvePoint, Importance, Metric, Note};
use crate::config::{ImportanceMethod, Task};
use crate::dataset::Features;
use crate::explain::game::Players;
use crate::explain::game::random::Draws;
use crate::importance::{
    Decide, Sample, Study, Sweep, friedman_h, interaction_rows, morris, sage, sage_rows, sobol, sobol_samples,
    trajectories,
};
use crate::model::predictor::Predictor;
use crate::plan::{self, Plan, importance_task};
use ndarray::ArrayView1;

/// Rows that made-up rows are put together from, drawn with the seed where there are more.
const MOST_ROWS: u64 = 20_000;

/// What was found about all rows.
#[derive(Default)]
pub struct Global {
    pub importance: Vec<Importance>,
    pub notes: Vec<Note>,
    /// Of the methods on trial.
    pub metrics: Vec<Metric>,
    pub curves: Vec<CurvePoint>,
}

/// Asks the model whatever the plan's importance methods need. Cases of `explained` learn what would turn them.
pub fn global(
    plan: &Plan,
    predictor: &dyn Predictor,
    sample: Option<&Sample>,
    explained: Option<&mut ExplainedRun>,
) -> Result<Global, RunError> {
    let wanted = wanted(plan);
    let Some(model) = plan.model.as_ref().filter(|_| !wanted.is_empty()) else { return Ok(Global::default()) };
    let rows = rows(plan)?;
    let study = study(plan);
    let players = &model.players;
    let mut global = Global::default();
    for method in &wanted {
        let found = match method {
            ImportanceMethod::Interaction => friedman_h(predictor, &rows, players, &study),
            ImportanceMethod::Sobol => sobol(predictor, &rows, players, &study),
            ImportanceMethod::Morris => morris(predictor, &rows, players, &study),
            ImportanceMethod::Sage => match sample {
                Some(sample) => {
                    let found = sage(predictor, sample, &rows, players, importance_task(plan.task), &study);
                    let found = found.map_err(RunError::unacceptable)?;
                    global.notes.extend(sage_note(&found));
                    Ok(found.importance)
                }
                None => {
                    let text = "SAGE needs labels: none was measured.".to_owned();
                    global.notes.push(Note { about: "explanation".to_owned(), text });
                    Ok(Vec::new())
                }
            },
            _ => continue,
        };
        global.importance.extend(found.map_err(RunError::unacceptable)?);
    }
    if wanted.contains(&ImportanceMethod::Sensitivity) {
        global.importance.extend(sensitivity(plan, predictor, &rows, &study, explained)?);
    }
    global.notes.extend(independence(&wanted));
    Ok(global)
}

fn wanted(plan: &Plan) -> Vec<ImportanceMethod> {
    use ImportanceMethod::{Interaction, Morris, Sage, Sensitivity, Sobol};
    let asked = plan.config().importance.methods.iter().flatten().copied();
    asked.filter(|method| matches!(method, Interaction | Morris | Sage | Sensitivity | Sobol)).collect()
}

fn study(plan: &Plan) -> Study<'_> {
    Study {
        outputs: &plan.outputs,
        budget: plan.config().importance.budget,
        seed: plan.config().pipeline.seed,
        confidence: plan.groups.confidence,
    }
}

/// A seeded sample in random order, so that its first rows are a sample too.
fn rows(plan: &Plan) -> Result<Features, RunError> {
    let seed = plan.config().pipeline.seed;
    let n_rows = MOST_ROWS.min(plan.rows_held() as u64);
    let drawn = plan::sample_background(&plan.source, &plan.selection, n_rows, seed, "importance", plan.batch_rows)?;
    let mut order: Vec<usize> = (0..drawn.features.n_rows).collect();
    Draws::new(seed, "importance rows", &[]).shuffle(&mut order);
    Ok(drawn.features.take(&order))
}

fn sensitivity(
    plan: &Plan,
    predictor: &dyn Predictor,
    rows: &Features,
    study: &Study,
    explained: Option<&mut ExplainedRun>,
) -> Result<Vec<Importance>, RunError> {
    let names = names(plan);
    let decide = |scores: ArrayView1<f64>| scoring::decide(plan, scores);
    let sweep = sweep(plan, rows, &names, (plan.task != Task::Regression).then_some(&decide));
    let importance = sweep.importance(predictor, rows, study).map_err(RunError::unacceptable)?;
    let values = PlayerValues::new(plan.config(), &plan.selection.features, &Players::columns(&names));
    for picked in explained.into_iter().flat_map(|explained| &mut explained.cases) {
        let Some(flip) = sweep.smallest_flip(predictor, &picked.features).map_err(RunError::unacceptable)? else {
            continue;
        };
        let output = plan.outputs.iter().position(|output| *output == picked.case.output).unwrap_or(0);
        let mut changed = picked.features.clone();
        changed.columns[flip.column] = flip.to;
        picked.case.flip = Some(CaseFlip {
            feature: names[flip.column].clone(),
            from: values.of(&picked.features)[flip.column].text(0),
            to: values.of(&changed)[flip.column].text(0),
            score: flip.scores[output],
        });
    }
    Ok(importance)
}

fn names(plan: &Plan) -> Vec<String> {
    plan.selection.features.iter().map(|feature| feature.column.clone()).collect()
}

fn sweep<'a>(plan: &Plan, rows: &Features, names: &'a [String], decide: Option<Decide<'a>>) -> Sweep<'a> {
    Sweep::new(rows, names, &plan.are_categories(), plan.config().importance.delta, decide)
}

fn sage_note(found: &crate::importance::Sage) -> Option<Note> {
    let share = found.uncertainty.filter(|_| !found.converged)?;
    let text = format!(
        "SAGE spent its budget before it converged: the largest standard error is {:.1} % of the values' range after {} \
         rows (2.5 % was aimed at). Raise [importance] budget for closer values.",
        100.0 * share,
        found.n_rows
    );
    Some(Note { about: "explanation".to_owned(), text })
}

fn independence(wanted: &[ImportanceMethod]) -> Option<Note> {
    let names = [(ImportanceMethod::Sobol, "Sobol"), (ImportanceMethod::Morris, "Morris")];
    let used: Vec<&str> = names.iter().filter(|(method, _)| wanted.contains(method)).map(|(_, name)| *name).collect();
    (!used.is_empty()).then(|| Note {
        about: "explanation".to_owned(),
        text: format!(
            "{} indices draw every column independently of the others: where columns are correlated they rest on rows \
             that do not occur. Columns that belong together can be one player ([[explain.players]]).",
            used.join(" and ")
        ),
    })
}

/// Rows that each method will ask the model about, for `check`.
pub fn foreseen(plan: &Plan) -> Result<Vec<(&'static str, u64)>, RunError> {
    let wanted = wanted(plan);
    let Some(model) = plan.model.as_ref().filter(|_| !wanted.is_empty()) else { return Ok(Vec::new()) };
    let (p, budget, rows) = (model.players.len(), plan.config().importance.budget, rows(plan)?);
    let (names, n) = (names(plan), rows.n_rows);
    let cost = |method: &ImportanceMethod| match method {
        ImportanceMethod::Interaction => {
            let (used, paired) = interaction_rows(p, budget);
            let used = used.min(n);
            Some(("interaction", used * used * (2 * p + paired * paired.saturating_sub(1) / 2) + used))
        }
        ImportanceMethod::Sage => Some(("sage", sage_rows(p, n, budget) * p * n.min(64) + n.min(64))),
        ImportanceMethod::Sobol => Some(("sobol", sobol_samples(p, budget) * (p + 2))),
        ImportanceMethod::Morris => Some(("morris", trajectories(p, budget) * (p + 1))),
        ImportanceMethod::Sensitivity => {
            let sweep = sweep(plan, &rows, &names, None);
            Some(("sensitivity", sweep.rows(budget).min(n) * sweep.evaluations_per_row() as usize))
        }
        _ => None,
    };
    Ok(wanted.iter().filter_map(cost).map(|(name, cost)| (name, cost as u64)).collect())
}
