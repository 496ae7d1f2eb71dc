//! At which values the curves of each column are drawn.

use super::super::players::is_dropped;
use crate::audit::CurvePoint;
use crate::config::{self, ImportanceMethod};
use crate::dataset::{Column, FeatureSpec, Features};
use crate::importance::dependence::{Grid, Varied, stepped};
use crate::model::Native;
use crate::plan::Plan;

/// Points of a curve where none are configured.
const POINTS: usize = 20;
/// Points of each axis of a pair, where none are configured.
const PAIR_POINTS: usize = 10;
/// Levels of the quantiles: partial dependence leaves out the tails, local effects need all rows.
const PARTIAL_ENDS: (f64, f64) = (0.05, 0.95);
const ALL: (f64, f64) = (0.0, 1.0);
/// Most pieces of a forest that one column's curve is drawn on; of more, so many are taken evenly.
const MOST_PIECES: usize = 4_096;

/// A column with curves.
pub struct Drawn<'a> {
    pub varied: Varied<'a>,
    feature: &'a FeatureSpec,
}

/// Where partial dependence is drawn.
pub struct Places {
    pub grid: Grid,
    /// Of a forest's thresholds: the greatest number of the piece that each value begins. Else empty.
    ends: Vec<f64>,
    /// Pieces that there are, where not all are drawn.
    pub thinned: Option<usize>,
}

/// Columns with curves: a curve's points are the column's values, which may not be stored of all.
pub fn columns(plan: &Plan) -> Vec<Drawn<'_>> {
    let all = plan.selection.features.iter().enumerate();
    let shown = all.filter(|(_, feature)| !is_dropped(plan.config(), &feature.column));
    shown.map(|(column, feature)| Drawn { varied: Varied { column, name: &feature.column }, feature }).collect()
}

impl Drawn<'_> {
    /// Where single rows are drawn: never at all thresholds, which would be many points for each row.
    pub fn individual_points(&self, plan: &Plan, rows: &Features) -> Option<Grid> {
        self.grid(plan, rows, POINTS, PARTIAL_ENDS)
    }

    /// Where partial dependence is drawn; `None` for columns that have none (pictures,
    /// nothing but missing values).
    pub fn places(&self, plan: &Plan, rows: &Features) -> Option<Places> {
        if plan.config().importance.grid == Some(config::Grid::Thresholds) && !plan.is_category(self.feature) {
            let native = plan.model.as_ref().and_then(|model| model.native.as_ref());
            if let Some(places) = native.and_then(|native| self.pieces(native, rows)) {
                return Some(places);
            }
        }
        Some(Places::on(self.grid(plan, rows, POINTS, PARTIAL_ENDS)?))
    }

    /// Where effects are accumulated: between any two points all rows count, to the very ends.
    pub fn steps(&self, plan: &Plan, rows: &Features) -> Option<Grid> {
        self.grid(plan, rows, POINTS, ALL).filter(|grid| grid.len() > 1)
    }

    /// The same for one axis of a pair.
    pub fn pair_axis(&self, plan: &Plan, rows: &Features, method: ImportanceMethod) -> Option<Grid> {
        self.grid(plan, rows, PAIR_POINTS, if method == ImportanceMethod::Ale { ALL } else { PARTIAL_ENDS })
    }

    fn grid(&self, plan: &Plan, rows: &Features, points: usize, (from, to): (f64, f64)) -> Option<Grid> {
        if let Some(given) = plan.given_grid(self.feature) {
            return Some(given);
        }
        let points = match plan.config().importance.grid {
            Some(config::Grid::Points(points)) => points as usize,
            _ => points,
        };
        if !plan.is_category(self.feature) {
            return Grid::quantiles(rows, self.varied, points, from, to).ok();
        }
        Some(match Grid::observed(rows, self.varied).ok()? {
            Grid::Numbers(codes) => Grid::codes(&codes, &plan.categories(self.feature)),
            texts => texts,
        })
    }

    /// Every piece of the forest's step function, from the least number that occurs to the greatest at least.
    fn pieces(&self, native: &Native, rows: &Features) -> Option<Places> {
        let Column::Number(numbers) = &rows.columns[self.varied.column] else { return None };
        let known = || numbers.iter().copied().filter(|number| number.is_finite());
        let (least, greatest) = (known().min_by(f64::total_cmp)?, known().max_by(f64::total_cmp)?);
        let mut starts = native.pieces(self.varied.column)?;
        let below = starts.first().map_or(least, |first| least.min(native.below(*first)));
        starts.insert(0, below);
        let ends = |starts: &[f64]| -> Vec<f64> {
            let last = starts.last().map_or(greatest, |last| last.max(greatest));
            starts[1..].iter().map(|next| native.below(*next)).chain([last]).collect()
        };
        let ends = ends(&starts);
        let n = starts.len();
        let kept: Vec<usize> = match n > MOST_PIECES {
            true => (0..MOST_PIECES).map(|at| at * (n - 1) / (MOST_PIECES - 1)).collect(),
            false => (0..n).collect(),
        };
        Some(Places {
            grid: Grid::given(&kept.iter().map(|at| starts[*at]).collect::<Vec<_>>()),
            ends: kept.iter().map(|at| ends[*at]).collect(),
            thinned: (n > MOST_PIECES).then_some(n),
        })
    }
}

impl Places {
    fn on(grid: Grid) -> Self {
        Self { grid, ends: Vec::new(), thinned: None }
    }

    /// Curves over the grid as they are stored: both ends of every piece.
    pub fn drawn(&self, curves: Vec<CurvePoint>) -> Vec<CurvePoint> {
        stepped(curves, &self.ends)
    }
}
