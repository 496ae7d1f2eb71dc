//! Accumulated local effects of two features together, beyond what each has alone.

use super::mean::WeightedMean;
use super::order::similar_order;
use super::pair::{Along, Move, Pair, PairAsker};
use super::surface::Surface;
use super::{CurveSettings, DependenceError};
use crate::audit::CurvePoint;
use crate::dataset::batch::Features;
use crate::model::predictor::Predictor;
use crate::stats::intervals::normal_quantile;
use ndarray::Array2;

const KIND: &str = "ale_pair";

/// Second-order accumulated local effects (Apley and Zhu 2020): points of kind "ale_pair", for each output the values of the
/// first feature in order and for each those of the second.
///
/// Rows between two neighbouring values of both grids are scored at the four corners; the mean difference of differences is
/// the local effect. Effects are added up along both features, freed of what either feature does alone, and centred, so an
/// additive model has none. Categories stand in the order of their similarity, and a row is compared with both neighbours,
/// as in ALEPlot. A cell without rows takes the effect of the nearest one that has some, by the middles of cells in shares
/// of each feature's range.
///
/// `n` is the number of rows whose difference leads to a point from the cell below. The interval is normal; shares of cells
/// are taken as given and local effects as independent; a cell of one row has the spread that cells have on average. Asks for
/// 4 scores a row, twice that with categories.
///
/// # Errors
/// No rows, a grid of the wrong kind or with fewer than two values that rows lie between, two features of categories, or a
/// model that fails or gives scores that are not finite.
pub fn accumulated_pair(
    predictor: &dyn Predictor,
    rows: &Features,
    pair: Pair,
    settings: &CurveSettings,
) -> Result<Vec<CurvePoint>, DependenceError> {
    pair.check(rows)?;
    let cells = Cells::of(rows, pair)?;
    let asker = PairAsker { predictor, rows, pair, settings };
    let n_outputs = settings.outputs.len();
    let effects = asker.gather(
        &cells.moves(rows),
        cells.len(),
        |at| cells.index(at),
        |moves| {
            let corner = |a: usize, b: usize| {
                let node = |moved: &Move, axis: usize, step: usize| cells.along[axis].nodes[moved.at[axis] + step];
                asker.scores(moves, |moved| [node(moved, 0, a), node(moved, 1, b)])
            };
            Ok((corner(1, 1)? - corner(0, 1)?) - (corner(1, 0)? - corner(0, 0)?))
        },
    )?;
    let of_output = |output: usize| {
        let effects: Vec<WeightedMean> = effects.iter().skip(output).step_by(n_outputs).copied().collect();
        cells.points(&effects, pair, &settings.outputs[output].name, settings.confidence)
    };
    Ok((0..n_outputs).flat_map(of_output).collect())
}

/// Steps along both features, and the rows between them.
struct Cells {
    along: [Along; 2],
    /// Per cell, the nearest one with rows: itself, if it has some.
    nearest: Vec<usize>,
    /// Rows of each pair of homes.
    rows: Array2<f64>,
}

impl Cells {
    fn of(rows: &Features, pair: Pair) -> Result<Self, DependenceError> {
        let along = |axis: usize| -> Result<Along, DependenceError> {
            let (varied, grid) = (pair.features[axis], pair.grids[axis]);
            Ok(Along::of(varied.column_of(rows)?, grid, &similar_order(rows, varied, grid)?))
        };
        let along = [along(0)?, along(1)?];
        let refused = |why| DependenceError::NoGrid { feature: pair.name(), why };
        if along.iter().all(|along| !along.is_continuous) {
            return Err(refused("two columns of categories have no differences in common; draw partial dependence"));
        }
        let mut counts = Array2::zeros([&along[0], &along[1]].map(Along::n_homes));
        let mut cells = Self { along, nearest: Vec::new(), rows: Array2::zeros((0, 0)) };
        for row in 0..rows.n_rows {
            if let Some(home) = cells.home(row) {
                counts[home] += 1.0;
            }
        }
        cells.rows = counts;
        let mut has_rows = vec![false; cells.len()];
        cells.moves(rows).iter().for_each(|moved| has_rows[cells.index(moved.at)] = true);
        if !has_rows.contains(&true) {
            return Err(refused("no rows lie between two values of both grids"));
        }
        cells.nearest = cells.nearest(&has_rows, pair);
        Ok(cells)
    }

    fn len(&self) -> usize {
        self.along[0].n_steps() * self.along[1].n_steps()
    }

    fn index(&self, [a, b]: [usize; 2]) -> usize {
        a * self.along[1].n_steps() + b
    }

    fn home(&self, row: usize) -> Option<[usize; 2]> {
        Some([self.along[0].home[row]?, self.along[1].home[row]?])
    }

    /// Every row with each cell that it is measured on.
    fn moves(&self, rows: &Features) -> Vec<Move> {
        let of_row = |row: usize| {
            let cells = self
                .home(row)
                .map(|[a, b]| self.along[0].steps(a).flat_map(move |a| self.along[1].steps(b).map(move |b| [a, b])));
            cells.into_iter().flatten().map(move |at| Move { row, at })
        };
        (0..rows.n_rows).flat_map(of_row).collect()
    }

    /// For each cell the nearest one with rows, the first of several.
    fn nearest(&self, has_rows: &[bool], pair: Pair) -> Vec<usize> {
        let middles = |axis: usize| -> Vec<f64> {
            let (along, grid) = (&self.along[axis], pair.grids[axis]);
            // Categories are as far apart as their places.
            let x = |node: usize| if along.is_continuous { grid.x(along.nodes[node]) } else { node as f64 };
            let range = x(along.n_steps()) - x(0);
            (0..along.n_steps()).map(|step| (x(step) + x(step + 1)) / 2.0 / range).collect()
        };
        let (a, b) = (middles(0), middles(1));
        let middle = |cell: usize| (a[cell / b.len()], b[cell % b.len()]);
        let filled: Vec<usize> = (0..has_rows.len()).filter(|cell| has_rows[*cell]).collect();
        let distance = |one: usize, other: usize| {
            let (one, other) = (middle(one), middle(other));
            (one.0 - other.0).powi(2) + (one.1 - other.1).powi(2)
        };
        let nearest = |cell: usize| {
            let near = filled.iter().min_by(|x, y| distance(cell, **x).total_cmp(&distance(cell, **y)));
            if has_rows[cell] { cell } else { near.copied().unwrap_or(cell) }
        };
        (0..has_rows.len()).map(nearest).collect()
    }

    fn points(&self, effects: &[WeightedMean], pair: Pair, output: &str, confidence: f64) -> Vec<CurvePoint> {
        let surface = Surface { along: [&self.along[0], &self.along[1]], rows: self.rows.clone() };
        let shape = (self.along[0].n_steps(), self.along[1].n_steps());
        let at = |a: usize, b: usize| self.nearest[self.index([a, b])];
        let values = surface.of(&Array2::from_shape_fn(shape, |(a, b)| effects[at(a, b)].mean));
        let half = self.half_widths(effects, &surface, shape, normal_quantile(confidence));
        let mut nodes: Vec<(usize, usize)> = values.indexed_iter().map(|(node, _)| node).collect();
        // In the order of the grids, whatever the order of similarity.
        nodes.sort_by_key(|(a, b)| (self.along[0].nodes[*a], self.along[1].nodes[*b]));
        let point = |(a, b): (usize, usize)| {
            let n = if a > 0 && b > 0 { effects[self.index([a - 1, b - 1])].n } else { 0 };
            let place = [self.along[0].nodes[a], self.along[1].nodes[b]];
            let point = pair.point(KIND, output, place, values[[a, b]], n);
            let half = half.as_ref().map(|half| half[[a, b]]);
            CurvePoint { ci_low: half.map(|half| point.y - half), ci_high: half.map(|half| point.y + half), ..point }
        };
        nodes.into_iter().map(point).collect()
    }

    /// Half the width of each node's interval: the surface is linear in the local effects.
    fn half_widths(
        &self,
        effects: &[WeightedMean],
        surface: &Surface,
        shape: (usize, usize),
        z: f64,
    ) -> Option<Array2<f64>> {
        let pooled = WeightedMean::pooled_variance(effects)?;
        let mut variance = Array2::zeros((shape.0 + 1, shape.1 + 1));
        for (cell, effect) in effects.iter().enumerate().filter(|(_, effect)| effect.n > 0) {
            let stands_for = |(a, b): (usize, usize)| f64::from(u8::from(self.nearest[self.index([a, b])] == cell));
            let part = surface.of(&Array2::from_shape_fn(shape, stands_for));
            let own = effect.variance_of_mean().unwrap_or(pooled / effect.n as f64);
            variance = variance + part.mapv(|part| part * part * own);
        }
        Some(variance.mapv(|variance: f64| z * variance.sqrt()))
    }
}
