//! Accumulated local effects of one feature.

use super::mean::WeightedMean;
use super::order::similar_order;
use super::scores::{Asker, Pieces, checked_weights};
use super::{CurveSettings, DependenceError, Grid, Varied};
use crate::audit::CurvePoint;
use crate::dataset::batch::{Column, Features};
use crate::model::predictor::Predictor;
use crate::stats::intervals::normal_quantile;
use rayon::prelude::*;

/// First-order accumulated local effects (Apley and Zhu 2020): points of kind "ale", the grid in order for each output.
///
/// The rows between two neighbouring values of the grid (the upper one included, in the first interval both) are scored
/// at either; the mean difference is the local effect, and effects are added up from the first value on. The curve is
/// centred so that its mean over the rows is 0. Categories are taken in the order of their similarity: rows
/// of two neighbouring categories are scored as either. Values of the grid with no row before them are left out of the curve; rows beyond
/// the grid, and missing ones where the grid has none, do not count.
///
/// `n` is the number of rows whose difference leads to a point (0 for the first). The interval is normal; it takes the
/// shares of the intervals as given and the local effects as independent. Asks for at most 2 scores a row and twice that
/// for categories.
///
/// # Errors
/// No rows, weights that do not fit, a grid of the wrong kind or with fewer than two values that rows lie between, or a
/// model that fails or gives scores that are not finite.
pub fn accumulated_effects(
    predictor: &dyn Predictor,
    rows: &Features,
    weights: Option<&[f64]>,
    varied: Varied,
    grid: &Grid,
    settings: &CurveSettings,
) -> Result<Vec<CurvePoint>, DependenceError> {
    grid.check(rows, varied)?;
    let weights = checked_weights(weights, rows)?;
    let order = similar_order(rows, varied, grid)?;
    let places = Places::of(varied.column_of(rows)?, grid, order, &weights);
    let steps = places.steps();
    if steps.is_empty() {
        let why = "no rows lie between two values of its grid";
        return Err(DependenceError::NoGrid { feature: varied.name.to_owned(), why });
    }
    let asker = Asker { predictor, varied, settings };
    let effects = local_effects(&asker, rows, &weights, grid, &steps)?;
    let shares = places.shares(&steps);
    let curve = |output: usize| {
        let effects: Vec<WeightedMean> = effects.iter().map(|of| of[output]).collect();
        points(&effects, &shares, &steps, varied, grid, settings, output)
    };
    Ok((0..settings.outputs.len()).flat_map(curve).collect())
}

/// A step along the grid and the rows that it is measured on.
struct Step {
    from: usize,
    to: usize,
    rows: Vec<usize>,
}

/// Where the rows lie on the grid.
enum Places {
    /// Rows up to the grid's values 1, 2, … and above the value before.
    Intervals(Vec<Vec<usize>>),
    /// Rows of each category with their total weight, and the order in which categories are compared.
    Categories(Vec<(Vec<usize>, f64)>, Vec<usize>),
}

impl Places {
    fn of(column: &Column, grid: &Grid, order: Vec<usize>, weights: &[f64]) -> Self {
        let counted = |row: &usize| weights[*row] > 0.0;
        match (column, grid) {
            (Column::Number(numbers), Grid::Numbers(grid)) => {
                let mut intervals = vec![Vec::new(); grid.len().saturating_sub(1)];
                for row in (0..numbers.len()).filter(counted) {
                    let is_inside =
                        grid.first().zip(grid.last()).is_some_and(|(a, b)| (*a..=*b).contains(&numbers[row]));
                    let place = grid.partition_point(|value| *value < numbers[row]).saturating_sub(1);
                    if is_inside && place < intervals.len() {
                        intervals[place].push(row);
                    }
                }
                Places::Intervals(intervals)
            }
            (column, grid) if !grid.is_continuous() => {
                let mut categories = vec![(Vec::new(), 0.0); grid.len()];
                for row in (0..column.n_rows()).filter(counted) {
                    if let Some(place) = grid.position(column, row) {
                        categories[place].0.push(row);
                        categories[place].1 += weights[row];
                    }
                }
                Places::Categories(categories, order)
            }
            _ => Places::Intervals(Vec::new()),
        }
    }

    /// Steps that have rows; what lies between them is joined.
    fn steps(&self) -> Vec<Step> {
        match self {
            Places::Intervals(intervals) => {
                let (mut steps, mut from) = (Vec::new(), None);
                for (at, rows) in intervals.iter().enumerate() {
                    if rows.is_empty() {
                        continue;
                    }
                    steps.push(Step { from: from.unwrap_or(at), to: at + 1, rows: rows.clone() });
                    from = Some(at + 1);
                }
                steps
            }
            Places::Categories(categories, order) => {
                let present = order.iter().copied().filter(|at| !categories[*at].0.is_empty());
                let present: Vec<usize> = present.collect();
                let step = |pair: &[usize]| {
                    let rows = [&categories[pair[0]].0[..], &categories[pair[1]].0[..]].concat();
                    Step { from: pair[0], to: pair[1], rows }
                };
                present.windows(2).map(step).collect()
            }
        }
    }

    /// Weights with which a curve of 1 + steps points is averaged over the rows; they sum to what is to be 1. `None` for
    /// intervals, whose shares are those of their rows.
    fn shares(&self, steps: &[Step]) -> Option<Vec<f64>> {
        let Places::Categories(categories, _) = self else { return None };
        let points = steps.iter().take(1).map(|step| step.from).chain(steps.iter().map(|step| step.to));
        Some(points.map(|at| categories[at].1).collect())
    }
}

/// Mean difference of each step, `[step][output]`.
fn local_effects(
    asker: &Asker,
    rows: &Features,
    weights: &[f64],
    grid: &Grid,
    steps: &[Step],
) -> Result<Vec<Vec<WeightedMean>>, DependenceError> {
    let effect = |step: &Step| {
        let mut means = vec![WeightedMean::default(); asker.settings.outputs.len()];
        let taken = rows.take(&step.rows);
        let pieces = Pieces::of(&taken);
        for (range, rows) in pieces.ranges.iter().zip(&pieces.features) {
            let low = asker.scores(rows, grid.column(step.from, rows.n_rows))?;
            let high = asker.scores(rows, grid.column(step.to, rows.n_rows))?;
            for ((row, output), difference) in (high - low).indexed_iter() {
                means[output].update(*difference, weights[step.rows[range.start + row]]);
            }
        }
        Ok(means)
    };
    let effects: Vec<Result<Vec<WeightedMean>, DependenceError>> = steps.par_iter().map(effect).collect();
    effects.into_iter().collect()
}

/// How much each local effect weighs in the mean of the uncentred curve. In an interval the curve is taken as the mean of
/// its ends.
fn in_mean(effects: &[WeightedMean], shares: Option<&[f64]>) -> Vec<f64> {
    let of_point = |at: usize| shares.map_or(0.0, |shares| shares[at]);
    let of_interval = |at: usize| if shares.is_some() { 0.0 } else { effects[at].weight };
    let total: f64 = (0..effects.len()).map(|at| of_interval(at) + of_point(at + 1)).sum::<f64>() + of_point(0);
    let beyond = |at: usize| -> f64 {
        let points: f64 = (at + 1..=effects.len()).map(of_point).sum();
        let intervals: f64 = (at + 1..effects.len()).map(of_interval).sum();
        points + intervals + 0.5 * of_interval(at)
    };
    (0..effects.len()).map(|at| beyond(at) / total).collect()
}

fn points(
    effects: &[WeightedMean],
    shares: &Option<Vec<f64>>,
    steps: &[Step],
    varied: Varied,
    grid: &Grid,
    settings: &CurveSettings,
    output: usize,
) -> Vec<CurvePoint> {
    let (z, in_mean) = (normal_quantile(settings.confidence), in_mean(effects, shares.as_deref()));
    let point = |at: usize| {
        let part = |step: usize| f64::from(u8::from(step < at)) - in_mean[step];
        let y: f64 = effects.iter().enumerate().map(|(step, effect)| part(step) * effect.mean).sum();
        let variances = effects.iter().enumerate().map(|(step, effect)| {
            let variance = effect.variance_of_mean()?;
            Some(part(step) * part(step) * variance)
        });
        let half = variances.sum::<Option<f64>>().map(|variance| z * variance.sqrt());
        let place = if at == 0 { steps[0].from } else { steps[at - 1].to };
        CurvePoint {
            kind: "ale".to_owned(),
            feature: varied.name.to_owned(),
            group_value: grid.category(place),
            output: settings.outputs[output].name.clone(),
            x: grid.x(place),
            y,
            n: if at == 0 { 0 } else { effects[at - 1].n },
            ci_low: half.map(|half| y - half),
            ci_high: half.map(|half| y + half),
        }
    };
    let mut points: Vec<CurvePoint> = (0..=effects.len()).map(point).collect();
    // In the order of the grid, whatever the order of comparison.
    points.sort_by(|a, b| a.x.total_cmp(&b.x));
    points
}
