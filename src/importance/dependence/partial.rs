//! Partial dependence.

use super::mean::WeightedMean;
use super::scores::{Asker, Pieces, checked_weights};
use super::{CurveSettings, DependenceError, Grid, Varied};
use crate::audit::CurvePoint;
use crate::dataset::batch::Features;
use crate::model::predictor::Predictor;
use crate::stats::intervals::normal_quantile;
use rayon::prelude::*;

/// The mean answer over all rows with the feature set to each value of the grid: points of kind "pdp", the grid in
/// order for each output. The interval is the normal one of the mean, as if the rows were a sample of all rows there
/// might be. Asks for `grid × rows` scores.
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
    if rows.n_rows == 0 {
        return Err(DependenceError::NoRows { feature: varied.name.to_owned() });
    }
    grid.check(rows, varied)?;
    let weights = checked_weights(weights, rows)?;
    let (asker, pieces) = (Asker { predictor, varied, settings }, Pieces::of(rows));
    let n_pieces = pieces.ranges.len();
    let parts: Vec<Result<Vec<WeightedMean>, DependenceError>> = (0..grid.len() * n_pieces)
        .into_par_iter()
        .map(|at| {
            let (value, piece) = (at / n_pieces, at % n_pieces);
            let rows = &pieces.features[piece];
            let scores = asker.scores(rows, grid.column(value, rows.n_rows))?;
            let weights = &weights[pieces.ranges[piece].clone()];
            let mean_of = |scores: ndarray::ArrayView1<f64>| {
                let mut mean = WeightedMean::default();
                scores.iter().zip(weights).for_each(|(score, weight)| mean.update(*score, *weight));
                mean
            };
            Ok(scores.columns().into_iter().map(mean_of).collect())
        })
        .collect();
    let mut means = vec![vec![WeightedMean::default(); settings.outputs.len()]; grid.len()];
    for (at, part) in parts.into_iter().enumerate() {
        means[at / n_pieces].iter_mut().zip(&part?).for_each(|(mean, part)| mean.merge(part));
    }
    Ok(points(&means, varied, grid, settings))
}

fn points(means: &[Vec<WeightedMean>], varied: Varied, grid: &Grid, settings: &CurveSettings) -> Vec<CurvePoint> {
    let z = normal_quantile(settings.confidence);
    let point = |output: usize, at: usize| {
        let mean = means[at][output];
        let interval = mean.interval(z);
        CurvePoint {
            kind: "pdp".to_owned(),
            feature: varied.name.to_owned(),
            group_value: String::new(),
            output: settings.outputs[output].name.clone(),
            x: grid.x(at),
            y: mean.mean,
            n: mean.n,
            ci_low: interval.map(|interval| interval.low),
            ci_high: interval.map(|interval| interval.high),
        }
    };
    (0..settings.outputs.len()).flat_map(|output| (0..grid.len()).map(move |at| point(output, at))).collect()
}
