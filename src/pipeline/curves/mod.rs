//! Dependence curves of the columns: partial dependence, accumulated local effects, individual expectations.
//!
//! `grids` says at which values; `exact` reads partial dependence off a forest's trees over all rows. Whatever has no
//! trees is asked about a sample. `pairs` draws two columns together.

mod exact;
mod foresight;
mod grids;
mod pairs;

pub use foresight::{CurveCost, foreseen};

use super::RunError;
use crate::audit::{CurvePoint, Note};
use crate::config::ImportanceMethod;
use crate::dataset::Features;
use crate::explain::game::Scale;
use crate::importance::dependence::{
    CurveOutput, CurveSettings, accumulated_effects, centred, individual_curves, partial_dependence,
};
use crate::model::predictor::Predictor;
use crate::plan::{self, Background, Plan};
use grids::{Drawn, Places};

/// Rows that curves are averaged over where the model must be asked, drawn with the seed where there are more.
const MOST_ROWS: u64 = 20_000;
/// Rows that have a curve of their own.
const INDIVIDUALS: u64 = 50;

/// Curves, and what is to be said of them.
#[derive(Default)]
pub struct Curves {
    pub points: Vec<CurvePoint>,
    pub notes: Vec<Note>,
}

/// Every curve that `[importance] methods` asks for, on the scale that the model reports.
pub fn curves(plan: &Plan, predictor: &dyn Predictor) -> Result<Curves, RunError> {
    let wanted = wanted(plan);
    if wanted.is_empty() {
        return Ok(Curves::default());
    }
    let drawing = Drawing::new(plan, predictor)?;
    let mut curves = Curves::default();
    for method in wanted {
        match method {
            ImportanceMethod::Pdp => drawing.partial(&mut curves)?,
            ImportanceMethod::Ale => curves.points.extend(drawing.accumulated()?),
            _ => curves.points.extend(drawing.individual()?),
        }
        if method != ImportanceMethod::Ice {
            curves.points.extend(pairs::curves(&drawing, method)?);
        }
    }
    Ok(curves)
}

fn wanted(plan: &Plan) -> Vec<ImportanceMethod> {
    let asked = plan.config().importance.methods.iter().flatten().copied();
    asked
        .filter(|method| matches!(method, ImportanceMethod::Pdp | ImportanceMethod::Ale | ImportanceMethod::Ice))
        .collect()
}

/// The rows that are asked about; curves of fewer rows take theirs from these.
fn rows(plan: &Plan) -> Result<Background, RunError> {
    let (n_rows, seed) = (MOST_ROWS.min(plan.rows_held() as u64), plan.config().pipeline.seed);
    Ok(plan::sample_background(&plan.source, &plan.selection, n_rows, seed, "curves", plan.batch_rows)?)
}

fn settings(plan: &Plan) -> CurveSettings {
    let output = |(index, name): (usize, &String)| CurveOutput { index, name: name.clone() };
    let outputs = plan.outputs.iter().enumerate().map(output).collect();
    CurveSettings { outputs, scale: Scale::Probability, confidence: plan.groups.confidence }
}

struct Drawing<'a> {
    plan: &'a Plan,
    predictor: &'a dyn Predictor,
    drawn: Background,
    columns: Vec<Drawn<'a>>,
    settings: CurveSettings,
}

impl<'a> Drawing<'a> {
    fn new(plan: &'a Plan, predictor: &'a dyn Predictor) -> Result<Self, RunError> {
        let (drawn, columns) = (rows(plan)?, grids::columns(plan));
        Ok(Self { plan, predictor, drawn, columns, settings: settings(plan) })
    }

    fn rows(&self) -> &Features {
        &self.drawn.features
    }

    fn fewer(&self, n_rows: u64) -> Features {
        self.drawn.fewer(n_rows, self.plan.config().pipeline.seed)
    }

    /// Columns that have partial dependence, and where.
    fn places(&self) -> Vec<(&Drawn<'a>, Places)> {
        self.columns.iter().filter_map(|drawn| Some((drawn, drawn.places(self.plan, self.rows())?))).collect()
    }

    fn partial(&self, curves: &mut Curves) -> Result<(), RunError> {
        let places = self.places();
        let drawn: Vec<(&Drawn, &Places)> = places.iter().map(|(drawn, places)| (*drawn, places)).collect();
        let read = exact::read(self.plan, &self.drawn, &drawn, &self.settings)?;
        let mut of_column: Vec<Option<Vec<CurvePoint>>> = vec![None; drawn.len()];
        if let Some(read) = read {
            read.curves.into_iter().for_each(|(at, points)| of_column[at] = Some(points));
            curves.notes.extend(read.unread.iter().map(|unread| {
                let name = drawn[unread.column].0.varied.name;
                let text = format!(
                    "Partial dependence of {name} was not read from the trees but asked of the model: {}.",
                    unread.why
                );
                Note { about: "explanation".to_owned(), text }
            }));
        }
        for ((drawn, places), found) in drawn.into_iter().zip(of_column) {
            curves.notes.extend(thinned(drawn, places));
            let points = match found {
                Some(points) => points,
                None => {
                    let (rows, grid) = (self.rows(), &places.grid);
                    let asked = partial_dependence(self.predictor, rows, None, drawn.varied, grid, &self.settings);
                    places.drawn(asked.map_err(RunError::unacceptable)?)
                }
            };
            curves.points.extend(points);
        }
        Ok(())
    }

    fn accumulated(&self) -> Result<Vec<CurvePoint>, RunError> {
        let mut points = Vec::new();
        for drawn in &self.columns {
            // A single value has no effect to accumulate.
            let Some(grid) = drawn.steps(self.plan, self.rows()) else { continue };
            let found = accumulated_effects(self.predictor, self.rows(), None, drawn.varied, &grid, &self.settings);
            points.extend(found.map_err(RunError::unacceptable)?);
        }
        Ok(points)
    }

    /// As they are, then each less its own beginning.
    fn individual(&self) -> Result<Vec<CurvePoint>, RunError> {
        let individuals = self.fewer(INDIVIDUALS);
        let ids: Vec<String> = (0..individuals.n_rows).map(|row| format!("row {row} of the sample")).collect();
        let mut points = Vec::new();
        for drawn in &self.columns {
            let Some(grid) = drawn.individual_points(self.plan, self.rows()) else { continue };
            let found = individual_curves(self.predictor, &individuals, &ids, drawn.varied, &grid, &self.settings);
            let found = found.map_err(RunError::unacceptable)?;
            points.extend(centred(&found));
            points.extend(found);
        }
        Ok(points)
    }
}

fn thinned(drawn: &Drawn, places: &Places) -> Option<Note> {
    let text = format!(
        "The trees tell {} pieces of {} apart; its partial dependence is drawn at {} of them.",
        places.thinned?,
        drawn.varied.name,
        places.grid.len()
    );
    Some(Note { about: "explanation".to_owned(), text })
}
