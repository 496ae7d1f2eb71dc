//! Dependence curves of the columns: partial dependence, accumulated local effects, individual expectations.

use super::RunError;
use super::players::is_dropped;
use crate::audit::CurvePoint;
use crate::config::{self, ImportanceMethod};
use crate::dataset::{Column, Features};
use crate::explain::game::Scale;
use crate::importance::dependence::{
    CurveOutput, CurveSettings, Grid, Varied, accumulated_effects, individual_curves, partial_dependence,
};
use crate::model::predictor::Predictor;
use crate::plan::{self, Plan};

/// Rows that curves are averaged over, drawn with the seed where there are more.
const MOST_ROWS: u64 = 20_000;
/// Rows that have a curve of their own.
const INDIVIDUALS: u64 = 50;
/// Points of a curve where none are configured.
const POINTS: usize = 20;

/// Every curve that `[importance] methods` asks for, on the scale that the model reports.
pub fn curves(plan: &Plan, predictor: &dyn Predictor) -> Result<Vec<CurvePoint>, RunError> {
    let asked = plan.config().importance.methods.as_deref().unwrap_or_default();
    let wanted: Vec<ImportanceMethod> = asked.iter().copied().filter(is_curve).collect();
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let seed = plan.config().pipeline.seed;
    let rows = |n_rows| plan::sample_background(&plan.source, &plan.selection, n_rows, seed, "curves", plan.batch_rows);
    // Sampling reads the data once more: only for what is asked.
    let individuals = match wanted.contains(&ImportanceMethod::Ice) {
        true => rows(INDIVIDUALS)?.features,
        false => Features { n_rows: 0, columns: Vec::new() },
    };
    let drawing = Drawing { plan, predictor, rows: rows(MOST_ROWS)?.features, individuals, settings: settings(plan) };
    let mut curves = Vec::new();
    let columns = plan.selection.features.iter().map(|feature| feature.column.as_str()).enumerate();
    // A curve's points are the column's values.
    for (column, name) in columns.filter(|(_, name)| !is_dropped(plan.config(), name)) {
        for method in &wanted {
            curves.extend(drawing.curve(*method, Varied { column, name })?);
        }
    }
    Ok(curves)
}

fn is_curve(method: &ImportanceMethod) -> bool {
    matches!(method, ImportanceMethod::Pdp | ImportanceMethod::Ale | ImportanceMethod::Ice)
}

fn settings(plan: &Plan) -> CurveSettings {
    let output = |(index, name): (usize, &String)| CurveOutput { index, name: name.clone() };
    let outputs = plan.outputs.iter().enumerate().map(output).collect();
    CurveSettings { outputs, scale: Scale::Probability, confidence: plan.groups.confidence }
}

struct Drawing<'a> {
    plan: &'a Plan,
    predictor: &'a dyn Predictor,
    rows: Features,
    individuals: Features,
    settings: CurveSettings,
}

impl Drawing<'_> {
    /// A column's curve; columns that cannot have one (pictures, nothing but missing values) have none.
    fn curve(&self, method: ImportanceMethod, varied: Varied) -> Result<Vec<CurvePoint>, RunError> {
        let Some(grid) = self.grid(method, varied) else { return Ok(Vec::new()) };
        let points = match method {
            ImportanceMethod::Pdp => {
                partial_dependence(self.predictor, &self.rows, None, varied, &grid, &self.settings)
            }
            // A single value has no effect to accumulate.
            ImportanceMethod::Ale if grid.len() < 2 => Ok(Vec::new()),
            ImportanceMethod::Ale => {
                accumulated_effects(self.predictor, &self.rows, None, varied, &grid, &self.settings)
            }
            _ => {
                let ids: Vec<String> =
                    (0..self.individuals.n_rows).map(|row| format!("row {row} of the sample")).collect();
                individual_curves(self.predictor, &self.individuals, &ids, varied, &grid, &self.settings)
            }
        };
        points.map_err(RunError::unacceptable)
    }

    fn grid(&self, method: ImportanceMethod, varied: Varied) -> Option<Grid> {
        let points = match &self.plan.config().importance.grid {
            Some(config::Grid::Given(given)) => match given.get(varied.name) {
                Some(numbers) => return Some(Grid::given(numbers)),
                None => POINTS,
            },
            Some(config::Grid::Points(points)) => *points as usize,
            None => POINTS,
        };
        let categories = self.plan.selection.features[varied.column].encode.is_some()
            || self.plan.config().data.categorical.iter().any(|column| column == varied.name)
            || matches!(self.rows.columns[varied.column], Column::Text(_));
        // Accumulated effects need every row between two points; partial dependence leaves out the tails.
        let (from, to) = if method == ImportanceMethod::Ale { (0.0, 1.0) } else { (0.05, 0.95) };
        match categories {
            true => Grid::observed(&self.rows, varied).ok(),
            false => Grid::quantiles(&self.rows, varied, points, from, to).ok(),
        }
    }
}
