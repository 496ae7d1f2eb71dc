//! Partial dependence on two features together.

use super::pair::{Move, Pair, PairAsker};
use super::{CurveSettings, DependenceError};
use crate::audit::CurvePoint;
use crate::dataset::batch::Features;
use crate::model::predictor::Predictor;
use crate::stats::intervals::normal_quantile;

const KIND: &str = "pdp_pair";

/// The mean answer over all rows with both features set to each pair of values of their grids: points of kind "pdp_pair", for
/// each output the values of the first feature in order and for each those of the second. The interval is the normal one
/// of the mean. Asks for `grid × grid × rows` scores.
///
/// # Errors
/// No rows, a grid of the wrong kind, or a model that fails or gives scores that are not finite.
pub fn partial_pair(
    predictor: &dyn Predictor,
    rows: &Features,
    pair: Pair,
    settings: &CurveSettings,
) -> Result<Vec<CurvePoint>, DependenceError> {
    pair.check(rows)?;
    let (asker, n_outputs) = (PairAsker { predictor, rows, pair, settings }, settings.outputs.len());
    let nodes: Vec<[usize; 2]> =
        (0..pair.grids[0].len()).flat_map(|a| (0..pair.grids[1].len()).map(move |b| [a, b])).collect();
    let index = |[a, b]: [usize; 2]| a * pair.grids[1].len() + b;
    let moves: Vec<Move> = nodes.iter().flat_map(|at| (0..rows.n_rows).map(|row| Move { row, at: *at })).collect();
    let means = asker.gather(&moves, nodes.len(), index, |moves| asker.scores(moves, |moved| moved.at))?;
    let z = normal_quantile(settings.confidence);
    let point = |output: usize, at: [usize; 2]| {
        let mean = means[index(at) * n_outputs + output];
        let interval = mean.interval(z);
        CurvePoint {
            ci_low: interval.map(|interval| interval.low),
            ci_high: interval.map(|interval| interval.high),
            ..pair.point(KIND, &settings.outputs[output].name, at, mean.mean, mean.n)
        }
    };
    Ok((0..n_outputs)
        .flat_map(|output| nodes.iter().map(move |at| (output, *at)))
        .map(|(o, at)| point(o, at))
        .collect())
}
