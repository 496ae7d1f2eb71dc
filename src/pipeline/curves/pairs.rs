//! Joint curves of the pairs of columns that `[importance] pairs` names.

use super::super::RunError;
use super::Drawing;
use super::grids::Drawn;
use crate::audit::CurvePoint;
use crate::config::ImportanceMethod;
use crate::importance::dependence::{Grid, Pair, accumulated_pair, partial_pair};
use crate::plan::Plan;

/// A pair with its grids, numbers before categories.
pub struct JointGrid<'a> {
    columns: [&'a Drawn<'a>; 2],
    grids: [Grid; 2],
    method: ImportanceMethod,
}

impl JointGrid<'_> {
    pub fn name(&self) -> String {
        self.columns.map(|column| column.varied.name).join(" × ")
    }

    /// Rows that the model is asked about for each row of the data: four corners, of two cells where a category has two
    /// neighbours; or every point of the grid.
    pub fn evaluations_per_row(&self) -> u64 {
        let corners = || self.grids.iter().map(|grid| if grid.is_continuous() { 2 } else { 4 }).product::<u64>();
        match self.method {
            ImportanceMethod::Ale => corners(),
            _ => self.grids.iter().map(|grid| grid.len() as u64).product(),
        }
    }

    /// Rows of the data that the budget pays for.
    pub fn n_rows(&self, plan: &Plan) -> u64 {
        (plan.config().importance.budget / self.evaluations_per_row().max(1)).clamp(1, super::MOST_ROWS)
    }
}

/// The pairs for one method; columns whose values may not be stored, or that have none, have no joint curve.
pub fn joint_grids<'a>(
    plan: &Plan,
    columns: &'a [Drawn<'a>],
    rows: &crate::dataset::Features,
    method: ImportanceMethod,
) -> Vec<JointGrid<'a>> {
    let find = |name: &str| columns.iter().find(|drawn| drawn.varied.name == name);
    let joint = |pair: &[String; 2]| {
        let with_grid = |name: &str| find(name).and_then(|drawn| Some((drawn, drawn.pair_axis(plan, rows, method)?)));
        let (mut first, mut second) = (with_grid(&pair[0])?, with_grid(&pair[1])?);
        if !first.1.is_continuous() && second.1.is_continuous() {
            std::mem::swap(&mut first, &mut second);
        }
        let steps = |grid: &Grid| method != ImportanceMethod::Ale || grid.len() > 1;
        (steps(&first.1) && steps(&second.1)).then_some(JointGrid {
            columns: [first.0, second.0],
            grids: [first.1, second.1],
            method,
        })
    };
    plan.config().importance.pairs.iter().filter_map(joint).collect()
}

/// Joint curves by one method.
pub fn curves(drawing: &Drawing, method: ImportanceMethod) -> Result<Vec<CurvePoint>, RunError> {
    let (plan, mut points) = (drawing.plan, Vec::new());
    for joint in joint_grids(plan, &drawing.columns, drawing.rows(), method) {
        let rows = drawing.fewer(joint.n_rows(plan));
        let pair =
            Pair { features: joint.columns.map(|column| column.varied), grids: [&joint.grids[0], &joint.grids[1]] };
        let found = match method {
            ImportanceMethod::Ale => accumulated_pair(drawing.predictor, &rows, pair, &drawing.settings),
            _ => partial_pair(drawing.predictor, &rows, pair, &drawing.settings),
        };
        points.extend(found.map_err(RunError::unacceptable)?);
    }
    Ok(points)
}
