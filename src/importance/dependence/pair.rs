//! Two features that are varied together: the axes of their joint grid, and scores of rows moved on it.

use super::mean::WeightedMean;
use super::scores::Asker;
use super::{CurveSettings, DependenceError, Grid, Varied};
use crate::audit::CurvePoint;
use crate::dataset::batch::{Column, Features};
use crate::explain::game::chunk_rows;
use crate::model::predictor::Predictor;
use ndarray::Array2;
use rayon::prelude::*;
use std::ops::Range;

/// Two features with a grid each.
#[derive(Debug, Clone, Copy)]
pub struct Pair<'a> {
    pub features: [Varied<'a>; 2],
    pub grids: [&'a Grid; 2],
}

impl Pair<'_> {
    /// Name in the results.
    pub fn name(&self) -> String {
        format!("{} × {}", self.features[0].name, self.features[1].name)
    }

    pub(super) fn check(&self, rows: &Features) -> Result<(), DependenceError> {
        if rows.n_rows == 0 {
            return Err(DependenceError::NoRows { feature: self.name() });
        }
        self.grids.iter().zip(self.features).try_for_each(|(grid, varied)| grid.check(rows, varied))
    }

    /// A point where the features have the values `at` of their grids. x is that of the first; `group_value` tells the second,
    /// and the first too where it is a category.
    pub(super) fn point(&self, kind: &str, output: &str, at: [usize; 2], y: f64, n: u64) -> CurvePoint {
        let second = match self.grids[1].is_continuous() {
            true => self.grids[1].x(at[1]).to_string(),
            false => self.grids[1].category(at[1]),
        };
        let first = self.grids[0].category(at[0]);
        CurvePoint {
            kind: kind.to_owned(),
            feature: self.name(),
            group_value: if first.is_empty() { second } else { format!("{first}, {second}") },
            output: output.to_owned(),
            x: self.grids[0].x(at[0]),
            y,
            n,
            ci_low: None,
            ci_high: None,
        }
    }
}

/// A row that is moved on the grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Move {
    pub row: usize,
    /// Positions on both grids; for a move between neighbours, those it starts from.
    pub at: [usize; 2],
}

/// Asks about a pair.
pub(super) struct PairAsker<'a> {
    pub predictor: &'a dyn Predictor,
    pub rows: &'a Features,
    pub pair: Pair<'a>,
    pub settings: &'a CurveSettings,
}

impl PairAsker<'_> {
    /// Means over the moves of each cell, `[n_cells × outputs]` row-major. `measure` gives `[moves × outputs]` for each run
    /// of moves that the model takes in one call; `cell` says where a move belongs by its position.
    pub fn gather(
        &self,
        moves: &[Move],
        n_cells: usize,
        cell: impl Fn([usize; 2]) -> usize,
        measure: impl Fn(&[Move]) -> Result<Array2<f64>, DependenceError> + Sync + Send,
    ) -> Result<Vec<WeightedMean>, DependenceError> {
        let (size, n_outputs) = (chunk_rows(self.rows), self.settings.outputs.len());
        let parts: Vec<_> = moves.par_chunks(size).map(measure).collect();
        let mut means = vec![WeightedMean::default(); n_cells * n_outputs];
        for (moves, part) in moves.chunks(size).zip(parts) {
            for ((row, output), x) in part?.indexed_iter() {
                means[cell(moves[row].at) * n_outputs + output].merge(&WeightedMean::of(&[*x]));
            }
        }
        Ok(means)
    }

    /// Scores of the moved rows, `[moves × outputs]`, at the positions `place` gives each.
    pub fn scores(&self, moves: &[Move], place: impl Fn(&Move) -> [usize; 2]) -> Result<Array2<f64>, DependenceError> {
        let mut rows = self.rows.take(&moves.iter().map(|moved| moved.row).collect::<Vec<_>>());
        let values = |axis: usize| -> Column {
            let places: Vec<usize> = moves.iter().map(|moved| place(moved)[axis]).collect();
            self.pair.grids[axis].values(false).take(&places)
        };
        rows.columns[self.pair.features[1].column] = values(1);
        let asker = Asker { predictor: self.predictor, varied: self.pair.features[0], settings: self.settings };
        asker.scores(&rows, values(0))
    }
}

/// Where rows lie along one feature.
pub(super) struct Along {
    pub is_continuous: bool,
    /// Positions on the grid that the surface is drawn at, ascending along the steps.
    pub nodes: Vec<usize>,
    /// Per row: its interval (between a node and the next), or its category's node; `None` beyond the grid.
    pub home: Vec<Option<usize>>,
}

impl Along {
    /// Categories are put in `order`, positions on their grid. Intervals and categories without rows are left out.
    pub fn of(column: &Column, grid: &Grid, order: &[usize]) -> Self {
        let found: Vec<Option<usize>> = match (column, grid) {
            (Column::Number(numbers), Grid::Numbers(grid)) => {
                let inside = |x: f64| grid.first().zip(grid.last()).is_some_and(|(a, b)| (*a..=*b).contains(&x));
                let interval = |x: f64| grid.partition_point(|value| *value < x).saturating_sub(1);
                numbers.iter().map(|x| (grid.len() > 1 && inside(*x)).then(|| interval(*x))).collect()
            }
            _ => {
                let place = |position: usize| order.iter().position(|other| *other == position);
                (0..column.n_rows()).map(|row| grid.position(column, row).and_then(place)).collect()
            }
        };
        let n_places = if grid.is_continuous() { grid.len().saturating_sub(1) } else { grid.len() };
        let mut counts = vec![0_usize; n_places];
        found.iter().flatten().for_each(|place| counts[*place] += 1);
        let kept: Vec<usize> = (0..n_places).filter(|place| counts[*place] > 0).collect();
        let home = found.into_iter().map(|place| kept.binary_search(&place?).ok()).collect();
        let nodes = match grid.is_continuous() {
            true => kept.iter().take(1).copied().chain(kept.iter().map(|place| place + 1)).collect(),
            false => kept.iter().map(|place| order[*place]).collect(),
        };
        Self { is_continuous: grid.is_continuous(), nodes, home }
    }

    pub fn n_steps(&self) -> usize {
        self.nodes.len().saturating_sub(1)
    }

    /// Intervals or categories that hold rows.
    pub fn n_homes(&self) -> usize {
        if self.is_continuous { self.n_steps() } else { self.nodes.len() }
    }

    /// Steps that a row at `home` is measured on: its interval; or the steps to both neighbouring categories.
    pub fn steps(&self, home: usize) -> Range<usize> {
        match self.is_continuous {
            true => home..home + 1,
            false => home.saturating_sub(1)..(home + 1).min(self.n_steps()),
        }
    }

    /// Nodes between which a row at `home` lies, whose mean stands for it.
    pub fn nodes_of(&self, home: usize) -> Range<usize> {
        if self.is_continuous { home..home + 2 } else { home..home + 1 }
    }
}
