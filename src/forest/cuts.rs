//! Quantisation: what a forest can tell apart, as one byte per column and row.
//!
//! Every test is turned into cuts `x ≥ c`. A feature's bin is the number of its cuts that a value passes, so every test
//! of every tree becomes integer compares. A feature with more than 254 cuts takes several columns of 254 each; a
//! missing value is 255 in all of them.

use super::{Forest, Node, Split, Test};
use ndarray::{ArrayView2, Axis, Slice};
use rayon::prelude::*;
use std::collections::BTreeMap;

/// Rows quantised together: one byte each fills a 512-bit register.
pub(crate) const BLOCK: usize = 64;
/// Cuts that fit a byte beside the missing value.
const CUTS_A_COLUMN: usize = 254;
const MISSING: u8 = 255;

/// All cuts of a forest, feature by feature.
#[derive(Debug, Clone)]
pub(crate) struct Cuts {
    features: BTreeMap<u32, FeatureCuts>,
    n_columns: usize,
}

#[derive(Debug, Clone)]
struct FeatureCuts {
    /// Ascending, distinct.
    cuts: Vec<f64>,
    first_column: usize,
}

/// A compare on quantised values: the byte in `column` is larger than `threshold`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Compare {
    pub column: u32,
    pub threshold: u8,
}

impl Compare {
    /// Holds for no row.
    pub const NEVER: Self = Self { column: 0, threshold: u8::MAX };
}

/// Quantised rows in blocks: `[block][column][row of the block]`; rows beyond the last are zero.
#[derive(Debug, Clone)]
pub(crate) struct Bins {
    bytes: Vec<u8>,
    n_columns: usize,
    pub n_rows: usize,
}

impl Bins {
    pub fn n_blocks(&self) -> usize {
        self.n_rows.div_ceil(BLOCK)
    }

    /// `[column][row of the block]`.
    pub fn block(&self, block: usize) -> &[u8] {
        let len = self.n_columns * BLOCK;
        &self.bytes[block * len..(block + 1) * len]
    }

    /// Rows of a block that exist.
    pub fn rows_in(&self, block: usize) -> usize {
        BLOCK.min(self.n_rows - block * BLOCK)
    }
}

impl Cuts {
    pub fn of(forest: &Forest) -> Self {
        let mut found: BTreeMap<u32, Vec<f64>> = BTreeMap::new();
        for split in forest.trees.iter().flat_map(|tree| &tree.nodes).filter_map(as_split) {
            push_cuts(&split.test, found.entry(split.feature).or_default());
        }
        let mut n_columns = 0;
        let mut place = |(feature, cuts): (u32, Vec<f64>)| {
            let cuts = distinct(cuts);
            let first_column = n_columns;
            n_columns += cuts.len().div_ceil(CUTS_A_COLUMN).max(1);
            (feature, FeatureCuts { cuts, first_column })
        };
        let features = found.into_iter().map(&mut place).collect();
        Self { features, n_columns }
    }

    /// Bytes of a quantised row.
    pub fn n_columns(&self) -> usize {
        self.n_columns
    }

    /// The cuts of a feature, ascending; none where no tree tests it.
    pub fn of_feature(&self, feature: u32) -> &[f64] {
        self.features.get(&feature).map_or(&[], |of| &of.cuts)
    }

    /// "A value of `feature` passes its cut at `cut`"; also true for a missing value.
    pub fn passes(&self, feature: u32, cut: f64) -> Compare {
        let of = &self.features[&feature];
        let at = of.cuts.partition_point(|other| *other < cut);
        Compare { column: (of.first_column + at / CUTS_A_COLUMN) as u32, threshold: (at % CUTS_A_COLUMN) as u8 }
    }

    /// "The value of `feature` is missing".
    pub fn missing(&self, feature: u32) -> Compare {
        Compare { column: self.features[&feature].first_column as u32, threshold: MISSING - 1 }
    }

    /// Quantises rows `[rows × n_features]`.
    pub fn quantise(&self, rows: ArrayView2<f64>) -> Bins {
        let n_rows = rows.nrows();
        let stride = self.n_columns * BLOCK;
        let mut bytes = vec![0; n_rows.div_ceil(BLOCK) * stride];
        let blocks = bytes.chunks_mut(stride.max(1)).zip(rows.axis_chunks_iter(Axis(0), BLOCK));
        blocks.for_each(|(block, rows)| self.quantise_block(rows, block));
        Bins { bytes, n_columns: self.n_columns, n_rows }
    }

    /// As [`Cuts::quantise`], on all threads.
    pub fn quantise_parallel(&self, rows: ArrayView2<f64>) -> Bins {
        let n_rows = rows.nrows();
        let stride = self.n_columns * BLOCK;
        let mut bytes = vec![0; n_rows.div_ceil(BLOCK) * stride];
        bytes.par_chunks_mut(stride.max(1)).enumerate().for_each(|(block, bytes)| {
            let end = n_rows.min((block + 1) * BLOCK);
            self.quantise_block(rows.slice_axis(Axis(0), Slice::from(block * BLOCK..end)), bytes);
        });
        Bins { bytes, n_columns: self.n_columns, n_rows }
    }

    /// Quantises at most [`BLOCK`] rows; the bytes of rows that are not there stay as they are.
    pub fn quantise_block(&self, rows: ArrayView2<f64>, block: &mut [u8]) {
        for (feature, of) in &self.features {
            let mut columns = block[of.first_column * BLOCK..].chunks_mut(BLOCK);
            let values = rows.column(*feature as usize);
            let Some(first) = columns.next() else { continue };
            if of.cuts.len() <= CUTS_A_COLUMN {
                values
                    .iter()
                    .zip(first)
                    .for_each(|(x, byte)| *byte = if x.is_nan() { MISSING } else { of.bin(*x) as u8 });
                continue;
            }
            for (row, x) in values.iter().enumerate() {
                let from = of.first_column * BLOCK + row;
                let bytes = block[from..].iter_mut().step_by(BLOCK).take(of.cuts.len().div_ceil(CUTS_A_COLUMN));
                let bin = of.bin(*x);
                for (column, byte) in bytes.enumerate() {
                    let within = bin.saturating_sub(column * CUTS_A_COLUMN).min(CUTS_A_COLUMN) as u8;
                    *byte = if x.is_nan() { MISSING } else { within };
                }
            }
        }
    }
}

impl FeatureCuts {
    #[inline]
    fn bin(&self, x: f64) -> usize {
        self.cuts.partition_point(|cut| x >= *cut)
    }
}

/// The bins that one tree tells apart on one feature: its own cuts, ascending.
#[derive(Debug, Clone)]
pub(crate) struct LocalBins {
    pub feature: u32,
    pub cuts: Vec<f64>,
}

impl LocalBins {
    /// Every feature that `splits` test, ascending.
    pub fn of<'a>(splits: impl Iterator<Item = &'a Split>) -> Vec<Self> {
        let mut found: BTreeMap<u32, Vec<f64>> = BTreeMap::new();
        splits.for_each(|split| push_cuts(&split.test, found.entry(split.feature).or_default()));
        found.into_iter().map(|(feature, cuts)| Self { feature, cuts: distinct(cuts) }).collect()
    }

    /// Bins below, between and above the cuts, and one for missing values, which is the last.
    pub fn n_bins(&self) -> usize {
        self.cuts.len() + 2
    }

    /// For each step from a bin to the next, the compare that holds from there on: a missing value passes every cut, and
    /// then is missing.
    pub fn steps(&self, cuts: &Cuts) -> Vec<Compare> {
        let passes = self.cuts.iter().map(|cut| cuts.passes(self.feature, *cut));
        passes.chain(std::iter::once(cuts.missing(self.feature))).collect()
    }

    /// Whether values of each bin take the `yes` branch, decided by the split itself on one value of the bin.
    pub fn takes_yes(&self, split: &Split) -> Vec<bool> {
        let below = std::iter::once(f64::NEG_INFINITY);
        let values = below.chain(self.cuts.iter().copied()).chain(std::iter::once(f64::NAN));
        values.map(|x| split.takes_yes(x)).collect()
    }
}

/// The cuts at which a test changes its answer.
fn push_cuts(test: &Test, cuts: &mut Vec<f64>) {
    // Adding +0 turns −0 into +0, so that both are one cut.
    let mut at = |value: f64| cuts.push(value + 0.0);
    match test {
        Test::Lt(value) | Test::Gte(value) => at(*value),
        Test::Leq(value) | Test::Gt(value) => at(value.next_up()),
        Test::Eq(value) | Test::Neq(value) => {
            at(*value);
            at(value.next_up());
        }
        Test::Member(values) => values.iter().for_each(|value| {
            at(*value);
            at(value.next_up());
        }),
    }
}

fn distinct(mut cuts: Vec<f64>) -> Vec<f64> {
    // A test against NaN never changes its answer.
    cuts.retain(|cut| !cut.is_nan());
    cuts.sort_unstable_by(f64::total_cmp);
    cuts.dedup();
    cuts
}

pub(crate) fn as_split(node: &Node) -> Option<&Split> {
    match node {
        Node::Split(split) => Some(split),
        Node::Leaf { .. } => None,
    }
}
