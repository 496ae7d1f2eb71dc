//! Partial dependence.

use super::exact::ForestMeans;
use super::mean::WeightedMean;
use super::scores::{Asker, Pieces, checked_weights};
use super::{CurveOutput, CurveSettings, DependenceError, Grid, Varied};
use crate::audit::CurvePoint;
use crate::dataset::batch::Features;
use crate::model::predictor::Predictor;
use crate::stats::intervals::normal_quantile;
use rayon::prelude::*;

/// Kind of the curves over a grid.
const CURVE: &str = "pdp";
/// Kind of the one point where the feature is missing; its x means nothing.
const MISSING: &str = "pdp_missing";

/// The mean answer over all rows with the feature set to each value of the grid: points of kind "pdp", the grid in
/// order for each output; then, where numbers are missing in some row, one of kind "pdp_missing" for each output. The
/// interval is the normal one of the mean, as if the rows were a sample of all rows there might be. Asks for
/// `grid × rows` scores.
///
/// # Errors
/// No rows, weights that do not fit, a grid of the wrong kind, or a model that fails or gives scores that are not
/// finite.
pub fn partial_dependence(
    predictor: &dyn Predictor,
    rows: &Features,
    weights: Option<&[f64]>,
    varied: Varied,
    grid: &Grid,
    settings: &CurveSettings,
) -> Result<Vec<CurvePoint>, DependenceError> {
    grid.check(rows, varied)?;
    let weights = checked_weights(weights, rows)?;
    let values = grid.values(varied.has_missing(rows)?);
    let (asker, pieces) = (Asker { predictor, varied, settings }, Pieces::of(rows));
    let (n_values, n_pieces) = (values.n_rows(), pieces.ranges.len());
    let parts: Vec<Result<Vec<WeightedMean>, DependenceError>> = (0..n_values * n_pieces)
        .into_par_iter()
        .map(|at| {
            let (value, piece) = (at / n_pieces, at % n_pieces);
            let rows = &pieces.features[piece];
            let scores = asker.scores(rows, values.take(&vec![value; rows.n_rows]))?;
            let weights = &weights[pieces.ranges[piece].clone()];
            let mean_of = |scores: ndarray::ArrayView1<f64>| {
                let mut mean = WeightedMean::default();
                scores.iter().zip(weights).for_each(|(score, weight)| mean.update(*score, *weight));
                mean
            };
            Ok(scores.columns().into_iter().map(mean_of).collect())
        })
        .collect();
    let mut means = vec![vec![WeightedMean::default(); settings.outputs.len()]; n_values];
    for (at, part) in parts.into_iter().enumerate() {
        means[at / n_pieces].iter_mut().zip(&part?).for_each(|(mean, part)| mean.merge(part));
    }
    Ok(points(&means, varied, grid, settings))
}

/// As [`partial_dependence`], of what `means` took up; `column` is the feature's place among the columns it was asked
/// about, with the values of [`Grid::values`].
///
/// # Errors
/// No rows were taken up, no such output, or scores that are not finite.
pub fn forest_dependence(
    means: &ForestMeans,
    column: usize,
    varied: Varied,
    grid: &Grid,
    settings: &CurveSettings,
) -> Result<Vec<CurvePoint>, DependenceError> {
    let all = means.of(column);
    let chosen = |found: &Vec<WeightedMean>| {
        let mean = |output: &CurveOutput| {
            let none = DependenceError::Output { output: output.index, found: found.len() };
            let mean = *found.get(output.index).ok_or(none)?;
            let feature = || varied.name.to_owned();
            match mean.mean.is_finite() {
                _ if mean.n == 0 => Err(DependenceError::NoRows { feature: feature() }),
                true => Ok(mean),
                false => Err(DependenceError::NotFinite { feature: feature(), output: output.index, value: mean.mean }),
            }
        };
        settings.outputs.iter().map(mean).collect::<Result<Vec<_>, _>>()
    };
    let means = all.iter().map(chosen).collect::<Result<Vec<_>, _>>()?;
    Ok(points(&means, varied, grid, settings))
}

/// The curves of a step function: what holds at the beginning of a piece, the value of the grid, holds at its end too.
/// `ends` are as many as the grid's values; lines from point to point then are the function itself.
pub fn stepped(curves: Vec<CurvePoint>, ends: &[f64]) -> Vec<CurvePoint> {
    let mut drawn = Vec::with_capacity(2 * curves.len());
    let mut at = 0;
    for point in curves {
        let end = ends.get(at % ends.len().max(1)).filter(|end| point.kind == CURVE && **end > point.x);
        let end = end.map(|end| CurvePoint { x: *end, ..point.clone() });
        at += usize::from(point.kind == CURVE);
        drawn.push(point);
        drawn.extend(end);
    }
    drawn
}

/// Curves of means `[values][outputs]`; a value beyond the grid is the missing one.
fn points(means: &[Vec<WeightedMean>], varied: Varied, grid: &Grid, settings: &CurveSettings) -> Vec<CurvePoint> {
    let z = normal_quantile(settings.confidence);
    let point = |output: usize, at: usize| {
        let mean = means[at][output];
        let interval = mean.interval(z);
        let is_missing = at >= grid.len();
        CurvePoint {
            kind: if is_missing { MISSING } else { CURVE }.to_owned(),
            feature: varied.name.to_owned(),
            group_value: if is_missing { String::new() } else { grid.category(at) },
            output: settings.outputs[output].name.clone(),
            x: if is_missing { 0.0 } else { grid.x(at) },
            y: mean.mean,
            n: mean.n,
            ci_low: interval.map(|interval| interval.low),
            ci_high: interval.map(|interval| interval.high),
        }
    };
    let of = |values: std::ops::Range<usize>| {
        (0..settings.outputs.len()).flat_map(move |output| values.clone().map(move |at| point(output, at)))
    };
    of(0..grid.len()).chain(of(grid.len()..means.len())).collect()
}
