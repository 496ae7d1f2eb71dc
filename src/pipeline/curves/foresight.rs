//! What the curves will ask of the model, found out without drawing them.

use super::super::{RunError, pace};
use super::grids::{Drawn, Places};
use super::pairs::joint_grids;
use super::{Drawing, INDIVIDUALS, exact, wanted};
use crate::config::ImportanceMethod;
use crate::model::predictor::Predictor;
use crate::plan::Plan;

/// One kind of curves and its cost.
#[derive(Debug, Clone, PartialEq)]
pub struct CurveCost {
    /// "pdp", "ale age × hours"…
    pub name: String,
    /// Rows that ONNX Runtime will score.
    pub evaluations: u64,
    /// Rows that the structure read from the file is evaluated on instead.
    pub native_evaluations: u64,
    /// One core's seconds for both, at the paces measured here.
    pub seconds: f64,
    /// Rows whose curves are read off the trees, at this many points, in about so many seconds of one core.
    pub read: Option<(u64, u64, f64)>,
}

/// Costs of all curves that `[importance] methods` asks for.
pub fn foreseen(plan: &Plan) -> Result<Vec<CurveCost>, RunError> {
    let (wanted, Some(model)) = (wanted(plan), &plan.model) else { return Ok(Vec::new()) };
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let native = model.native.as_ref().and_then(|native| native.predictor());
    let drawing = match &native {
        Some(native) => Drawing::new(plan, native)?,
        None => Drawing::new(plan, &model.scorer)?,
    };
    let asked = |name: String, rows: u64| CurveCost {
        name,
        evaluations: if native.is_some() { 0 } else { rows },
        native_evaluations: if native.is_some() { rows } else { 0 },
        seconds: 0.0,
        read: None,
    };
    let mut costs = Vec::new();
    for method in wanted {
        let name = match method {
            ImportanceMethod::Pdp => "pdp",
            ImportanceMethod::Ale => "ale",
            _ => "ice",
        };
        costs.push(match method {
            ImportanceMethod::Pdp => partial(&drawing, asked)?,
            ImportanceMethod::Ale => asked(name.to_owned(), accumulated(&drawing)),
            _ => asked(name.to_owned(), INDIVIDUALS.min(drawing.rows().n_rows as u64) * points(&drawing)),
        });
        if method != ImportanceMethod::Ice {
            for joint in joint_grids(plan, &drawing.columns, drawing.rows(), method) {
                let rows = joint.n_rows(plan).min(drawing.rows().n_rows as u64) * joint.evaluations_per_row();
                costs.push(asked(format!("{name} of {}", joint.name()), rows));
            }
        }
    }
    let native = native.as_ref().map(|native| native as &dyn Predictor);
    time(&mut costs, &model.scorer, |cost| cost.evaluations, plan)?;
    time(&mut costs, native.unwrap_or(&model.scorer), |cost| cost.native_evaluations, plan)?;
    Ok(costs)
}

/// Adds the seconds that `asked` scores of each cost take, where there are any.
fn time(
    costs: &mut [CurveCost],
    predictor: &dyn Predictor,
    asked: fn(&CurveCost) -> u64,
    plan: &Plan,
) -> Result<(), RunError> {
    if costs.iter().all(|cost| asked(cost) == 0) {
        return Ok(());
    }
    let pace = pace::of_scores(predictor, &pace::rows(plan)?)?;
    costs.iter_mut().for_each(|cost| cost.seconds += asked(cost) as f64 / pace);
    Ok(())
}

fn partial(drawing: &Drawing, asked: impl Fn(String, u64) -> CurveCost) -> Result<CurveCost, RunError> {
    let places = drawing.places();
    let drawn: Vec<(&Drawn, &Places)> = places.iter().map(|(drawn, places)| (*drawn, places)).collect();
    let rows = drawing.rows().n_rows as u64;
    let values = |at: usize| drawn[at].1.grid.len() as u64;
    let all: u64 = (0..drawn.len()).map(values).sum();
    let name = || "pdp".to_owned();
    let Some(trial) = exact::tried(drawing.plan, drawing.rows(), &drawn)? else {
        return Ok(asked(name(), rows * all));
    };
    let unread: u64 = trial.unread.iter().map(|unread| values(unread.column)).sum();
    let cost = asked(name(), rows * unread);
    // Preprocessing nodes are run once for every row.
    let passed = if trial.preprocessed { drawing.plan.n_rows } else { 0 };
    let seconds = trial.seconds_per_row * drawing.plan.n_rows as f64;
    let read = Some((drawing.plan.n_rows, all - unread, seconds));
    Ok(CurveCost { evaluations: cost.evaluations + passed, read, ..cost })
}

fn accumulated(drawing: &Drawing) -> u64 {
    let of = |drawn: &Drawn| {
        let grid = drawn.steps(drawing.plan, drawing.rows())?;
        let scores = if grid.is_continuous() { 2 } else { 4 };
        Some(scores * drawing.rows().n_rows as u64)
    };
    drawing.columns.iter().filter_map(of).sum()
}

fn points(drawing: &Drawing) -> u64 {
    drawing
        .columns
        .iter()
        .filter_map(|drawn| drawn.individual_points(drawing.plan, drawing.rows()))
        .map(|grid| grid.len() as u64)
        .sum()
}
