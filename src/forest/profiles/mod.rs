//! What a forest says of rows when one column takes each of its values in turn (ceteris-paribus profiles).
//!
//! Asking about every row with every value costs rows × values evaluations. Here a row goes down each tree once, for all
//! columns and all their values together. A leaf of value v matters to column j of a row exactly where the row passes all
//! tests on the leaf's path that are not of j; it then pays v for those values of j that pass the tests of j:
//!
//! f(x with j ← z) = f(x) − Σ v (leaves that x reaches, j tested on the path)
//!                        + Σ v [z passes the tests of j]  (leaves that x reaches with the tests of j left out)
//!
//! `tree` lays a tree out with the values that pass at each leaf as runs; `walk` sends 64 quantised rows down it with one
//! bit mask for "passes all tests" and one more for each column on the path, "passes all tests but this column's". Where a
//! run begins or ends, the leaf's value goes into the difference between neighbouring values, and one running sum turns
//! differences into margins. The cost of a row and tree is that of an evaluation times the columns on a path, whatever the
//! number of values.

mod terms;
mod tree;
mod walk;

use super::cuts::Cuts;
use super::simd::{Simd, Sums};
use super::{Forest, Split};
use ndarray::Array2;
use tree::ProfileTree;

/// A column of the data: the forest's features that its value fixes, and the values at which it is asked.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Axis {
    pub features: Vec<u32>,
    /// The features for each value, `[values × features]`, NaN = missing.
    pub points: Array2<f64>,
}

/// A forest ready to profile rows along some columns.
#[derive(Debug, Clone)]
pub(crate) struct Profiles {
    cuts: Cuts,
    base: Vec<f64>,
    trees: Vec<ProfileTree>,
    places: Vec<Place>,
    simd: Simd,
}

/// Where a column's differences stand among those of one output.
#[derive(Debug, Clone, Copy)]
struct Place {
    first: usize,
    n_points: usize,
}

/// Buffers of one thread.
#[derive(Debug, Clone)]
pub(crate) struct Scratch {
    block: Vec<u8>,
    /// By depth: rows that pass all tests, those that take the `yes` side, those that pass all but one column's.
    masks: Vec<u64>,
    /// Rows at each cell of a small tree's leaves.
    cells: Vec<u64>,
    margins: Vec<Sums>,
    /// `[outputs × places]`.
    sums: Vec<Sums>,
}

impl Profiles {
    /// Columns of `axes` own different features.
    pub fn new(forest: &Forest, axes: &[Axis]) -> Self {
        let cuts = Cuts::of(forest);
        let mut first = 0;
        let mut place = |axis: &Axis| {
            let found = Place { first, n_points: axis.points.nrows() };
            first += found.n_points;
            found
        };
        let places: Vec<Place> = axes.iter().map(&mut place).collect();
        let owners = Owners::new(forest.n_features, axes);
        let trees = forest.trees.iter().map(|tree| ProfileTree::new(tree, &cuts, &owners, &places)).collect();
        Self { base: forest.base.clone(), trees, places, simd: Simd::detect(), cuts }
    }

    pub fn scratch(&self) -> Scratch {
        let masks = self.trees.iter().map(ProfileTree::n_masks).max().unwrap_or(0);
        let cells = self.trees.iter().map(|tree| tree.terms.n_cells).max().unwrap_or(0);
        Scratch {
            block: vec![0; self.cuts.n_columns() * super::cuts::BLOCK],
            masks: vec![0; masks],
            cells: vec![0; cells],
            margins: vec![Sums([0.0; super::cuts::BLOCK]); self.base.len()],
            sums: vec![Sums([0.0; super::cuts::BLOCK]); self.base.len() * self.n_sums()],
        }
    }

    /// Margins of the block's rows at every value of a column, one for each value.
    pub fn margins<'s>(&self, scratch: &'s Scratch, axis: usize, output: usize) -> &'s [Sums] {
        let Place { first, n_points } = self.places[axis];
        &scratch.sums[output * self.n_sums() + first..][..n_points]
    }

    /// Differences of one output.
    fn n_sums(&self) -> usize {
        self.places.last().map_or(0, |last| last.first + last.n_points)
    }

    /// What the machine can do.
    pub fn simd(&self) -> Simd {
        self.simd
    }

    #[cfg(test)]
    pub fn with_simd(self, simd: Simd) -> Self {
        Self { simd, ..self }
    }
}

/// Which column fixes each feature of the forest.
struct Owners<'a> {
    axes: &'a [Axis],
    /// Per feature: the column and the feature's place among its features.
    of_feature: Vec<Option<(usize, usize)>>,
}

impl<'a> Owners<'a> {
    fn new(n_features: usize, axes: &'a [Axis]) -> Self {
        let mut of_feature = vec![None; n_features];
        for (axis, owner) in axes.iter().enumerate() {
            for (at, feature) in owner.features.iter().enumerate() {
                of_feature[*feature as usize] = Some((axis, at));
            }
        }
        Self { axes, of_feature }
    }

    fn axis(&self, split: &Split) -> Option<usize> {
        self.of_feature[split.feature as usize].map(|(axis, _)| axis)
    }

    /// The values of a split's column that take its `yes` side, a bit each; empty where no column owns the feature.
    fn yes(&self, split: &Split) -> Vec<u64> {
        let Some((axis, at)) = self.of_feature[split.feature as usize] else { return Vec::new() };
        let values = self.axes[axis].points.column(at);
        let mut bits = vec![0; values.len().div_ceil(64)];
        for (point, value) in values.iter().enumerate() {
            bits[point / 64] |= u64::from(split.takes_yes(*value)) << (point % 64);
        }
        bits
    }
}

#[cfg(test)]
mod tests;
