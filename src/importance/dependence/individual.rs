//! Individual conditional expectation.

use super::scores::{Asker, Pieces};
use super::{CurveSettings, DependenceError, Grid, Varied};
use crate::audit::CurvePoint;
use crate::dataset::batch::Features;
use crate::model::predictor::Predictor;
use ndarray::Array2;
use rayon::prelude::*;

/// Kind of the curves as they are.
const PLAIN: &str = "ice";
/// Kind of the curves that start at 0.
const CENTRED: &str = "ice_centred";

/// The answer for each row alone with the feature set to each value of the grid: points of kind "ice", for each output
/// and row the grid in order. `group_value` is the row's entry in `ids`. Meant for a few dozen rows.
///
/// # Errors
/// No rows, not one id for each, a grid of the wrong kind, or a model that fails or gives scores that are not finite.
pub fn individual_curves(
    predictor: &dyn Predictor,
    rows: &Features,
    ids: &[String],
    varied: Varied,
    grid: &Grid,
    settings: &CurveSettings,
) -> Result<Vec<CurvePoint>, DependenceError> {
    grid.check(rows, varied)?;
    if ids.len() != rows.n_rows {
        return Err(DependenceError::Lengths { rows: rows.n_rows, found: ids.len() });
    }
    let (asker, pieces) = (Asker { predictor, varied, settings }, Pieces::of(rows));
    let n_pieces = pieces.ranges.len();
    let parts: Vec<Result<Array2<f64>, DependenceError>> = (0..grid.len() * n_pieces)
        .into_par_iter()
        .map(|at| {
            let rows = &pieces.features[at % n_pieces];
            asker.scores(rows, grid.column(at / n_pieces, rows.n_rows))
        })
        .collect();
    let parts = parts.into_iter().collect::<Result<Vec<_>, _>>()?;
    let mut points = Vec::with_capacity(settings.outputs.len() * rows.n_rows * grid.len());
    for (output, named) in settings.outputs.iter().enumerate() {
        for (piece, range) in pieces.ranges.iter().enumerate() {
            for row in range.clone() {
                let y = |at: usize| parts[at * n_pieces + piece][[row - range.start, output]];
                points.extend((0..grid.len()).map(|at| point(varied, &ids[row], &named.name, grid.x(at), y(at))));
            }
        }
    }
    Ok(points)
}

fn point(varied: Varied, id: &str, output: &str, x: f64, y: f64) -> CurvePoint {
    CurvePoint {
        kind: PLAIN.to_owned(),
        feature: varied.name.to_owned(),
        group_value: id.to_owned(),
        output: output.to_owned(),
        x,
        y,
        n: 1,
        ci_low: None,
        ci_high: None,
    }
}

/// The curves of [`individual_curves`] less their first point each, as kind "ice_centred": rows then differ only in how
/// they react.
pub fn centred(curves: &[CurvePoint]) -> Vec<CurvePoint> {
    let same = |a: &CurvePoint, b: &CurvePoint| {
        (&a.feature, &a.group_value, &a.output) == (&b.feature, &b.group_value, &b.output)
    };
    let less_first = |curve: &[CurvePoint]| {
        let start = curve.first().map_or(0.0, |first| first.y);
        let less =
            move |point: &CurvePoint| CurvePoint { kind: CENTRED.to_owned(), y: point.y - start, ..point.clone() };
        curve.iter().map(less).collect::<Vec<_>>()
    };
    curves.chunk_by(same).flat_map(less_first).collect()
}
