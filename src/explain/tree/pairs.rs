//! Interventional engine for many rows and paths too long for tables: pairs of patterns.
//!
//! At a leaf of value v, a row and a background row matter only by who agrees with the leaf's tests. A row with pattern
//! p and a background row with pattern q pay if p ∪ q is everyone: then the r players who disagree with the row must be
//! absent, and the e players who disagree with the background present. Each present one gets v (e−1)! r! / (e+r)!, each
//! absent one −v e! (r−1)! / (e+r)!. Equal patterns are counted once on both sides. The background's patterns that go
//! with a row's are found as an intersection of bit sets, one for each player who disagrees with the row.
//!
//! Nothing but the quantised background outlives a tree, so memory does not grow with the forest.

use super::agreement::patterns;
use super::ensemble::Ensemble;
use super::kernel::LANES;
use super::layout;
use super::paths::{LeafPath, leaf_paths, most_players};
use super::pattern::{Target, pair_index, pairs_of};
use super::slots::Slots;
use super::weights::Weights;
use crate::forest::cuts::{BLOCK, Bins, Cuts};
use crate::forest::sides::Switches;
use crate::forest::simd::Simd;
use ndarray::ArrayView2;
use rayon::prelude::*;

/// Rows that one thread takes at a time.
const TASK_BLOCKS: usize = 16;
/// Numbers that a task remembers for the patterns of one leaf.
const REMEMBERED: usize = 64 << 10;

#[derive(Debug)]
pub(super) struct PatternPairs {
    ensemble: Ensemble,
    slots: Slots,
    weights: Weights,
    cuts: Cuts,
    simd: Simd,
    background: Bins,
    /// Most memory for the background's patterns at one time, in bytes.
    limit: usize,
}

/// A leaf and the background's patterns at it.
struct LeafPairs {
    path: LeafPath,
    /// Slot of each of the leaf's values.
    slots: Vec<u32>,
    /// Distinct patterns of the background, and the share of its rows that have each.
    patterns: Vec<u64>,
    shares: Vec<f64>,
    /// For each player, the patterns in which the player agrees, one bit each: `[players × words]`.
    agreeing: Vec<u64>,
}

impl PatternPairs {
    pub fn new(ensemble: &Ensemble, cuts: &Cuts, background: &Bins, slots: Slots, limit: usize) -> Self {
        let most = (0..ensemble.forest.trees.len()).map(|tree| most_players(ensemble, tree)).max().unwrap_or(0);
        Self {
            ensemble: ensemble.clone(),
            weights: Weights::up_to(most),
            cuts: cuts.clone(),
            simd: Simd::detect(),
            background: background.clone(),
            limit,
            slots,
        }
    }

    pub fn slots(&self) -> &Slots {
        &self.slots
    }

    #[cfg(test)]
    pub fn with_simd(self, simd: Simd) -> Self {
        Self { simd, ..self }
    }

    /// Writes the slots of rows `[rows × n_features]` to `out`, `[rows × outputs × slots]`.
    pub fn explain(&self, rows: ArrayView2<f64>, out: &mut [f64]) {
        out.fill(0.0);
        let rows = self.cuts.quantise_parallel(rows);
        // A pattern, its share, and a bit for each player, at worst one for each background row.
        let of_leaf = self.background.n_rows * 32;
        for (tree, grown) in self.ensemble.forest.trees.iter().enumerate() {
            let switches = Switches::new(grown, &self.cuts);
            let background = self.sides(&switches, &self.background);
            for paths in leaf_paths(&self.ensemble, tree).chunks((self.limit / of_leaf.max(1)).max(1)) {
                let leaves: Vec<LeafPairs> = paths.par_iter().map(|path| self.leaf(path, &background)).collect();
                self.add(&grown.votes, &switches, &leaves, &rows, out);
            }
        }
    }

    /// For each block of rows and each node, the rows that take its `yes` side.
    fn sides(&self, switches: &Switches, rows: &Bins) -> Vec<Vec<u64>> {
        (0..rows.n_blocks()).into_par_iter().map(|block| self.block_sides(switches, rows.block(block))).collect()
    }

    fn block_sides(&self, switches: &Switches, block: &[u8]) -> Vec<u64> {
        let mut yes = vec![0; switches.n_nodes()];
        switches.yes(block, self.simd, &mut yes);
        yes
    }

    fn leaf(&self, path: &LeafPath, background: &[Vec<u64>]) -> LeafPairs {
        let of_blocks = background.iter().flat_map(|yes| patterns(path, yes));
        let mut all: Vec<u64> = of_blocks.take(self.background.n_rows).collect();
        all.sort_unstable();
        let runs = all.chunk_by(|a, b| a == b);
        let (patterns, shares): (Vec<u64>, Vec<f64>) =
            runs.map(|run| (run[0], run.len() as f64 / self.background.n_rows as f64)).unzip();
        let agreeing = (0..path.players.len()).flat_map(|player| {
            let words = patterns.chunks(64);
            words.map(move |word| {
                word.iter().enumerate().fold(0, |bits, (at, pattern)| bits | (pattern >> player & 1) << at)
            })
        });
        let agreeing = agreeing.collect();
        let slots = layout::slots_of(&path.players, &self.slots);
        LeafPairs { path: path.clone(), slots, patterns, shares, agreeing }
    }

    /// Adds some leaves of a tree with these votes to the slots of all rows.
    fn add(&self, votes: &[(u32, f64)], switches: &Switches, leaves: &[LeafPairs], rows: &Bins, out: &mut [f64]) {
        let width = self.slots.row().max(1);
        out.par_chunks_mut(TASK_BLOCKS * BLOCK * width).enumerate().for_each(|(task, out)| {
            let blocks = task * TASK_BLOCKS..rows.n_blocks().min((task + 1) * TASK_BLOCKS);
            let sides: Vec<Vec<u64>> = blocks.map(|block| self.block_sides(switches, rows.block(block))).collect();
            let most = leaves.iter().map(|leaf| leaf.path.players.len()).max().unwrap_or(0);
            let mut found = Found::new(self.slots.target().n_values(most));
            for leaf in leaves {
                let votes = &votes[leaf.path.votes.start as usize..leaf.path.votes.end as usize];
                found.next_leaf(leaf.slots.len());
                for (yes, out) in sides.iter().zip(out.chunks_mut(BLOCK * width)) {
                    for (pattern, out) in patterns(&leaf.path, yes).into_iter().zip(out.chunks_mut(width)) {
                        if !leaf.meets(pattern) {
                            continue;
                        }
                        let values = found.values(pattern, |values| self.values(leaf, pattern, values));
                        for (output, vote) in votes {
                            let out = &mut out[*output as usize * self.slots.len()..][..self.slots.len()];
                            let slots = leaf.slots.iter().zip(values);
                            slots.for_each(|(slot, value)| out[*slot as usize] += vote * value);
                        }
                    }
                }
            }
        });
    }

    /// Values of a leaf of value 1 for a row with `pattern`.
    fn values(&self, leaf: &LeafPairs, pattern: u64, values: &mut [f64]) {
        let absent = leaf.everyone() & !pattern;
        let r = absent.count_ones() as usize;
        for word in 0..leaf.n_words() {
            let mut with = leaf.with(absent, word);
            while with != 0 {
                let at = word * 64 + with.trailing_zeros() as usize;
                let present = pattern & !leaf.patterns[at];
                if r > 0 || present != 0 {
                    self.add_pair(leaf.path.players.len(), present, absent, leaf.shares[at], values);
                }
                with &= with - 1;
            }
        }
    }

    /// What `share` of the background adds to each value, where `present` and `absent` players must be so.
    fn add_pair(&self, k: usize, present: u64, absent: u64, share: f64, values: &mut [f64]) {
        let (e, r) = (present.count_ones() as usize, absent.count_ones() as usize);
        let joined = if e > 0 { share * self.weights.join(e + r, e - 1) } else { 0.0 };
        let left_out = if r > 0 { -share * self.weights.join(e + r, e) } else { 0.0 };
        members(present).for_each(|player| values[player] += joined);
        members(absent).for_each(|player| values[player] += left_out);
        if self.slots.target() == Target::Players || e + r < 2 {
            return;
        }
        let joins = |before: usize| share * self.weights.join(e + r - 1, before);
        let involved: Vec<usize> = members(present | absent).collect();
        for (a, b) in pairs_of(involved.len()).map(|(a, b)| (involved[a], involved[b])) {
            let value = match (present >> a & 1) + (present >> b & 1) {
                2 => joins(e - 2),
                1 => -joins(e - 1),
                _ => joins(e),
            };
            values[k + pair_index(k, a, b)] += value;
        }
    }
}

impl LeafPairs {
    /// The pattern of a row that reaches the leaf.
    fn everyone(&self) -> u64 {
        u64::MAX >> (64 - self.path.players.len())
    }

    fn n_words(&self) -> usize {
        self.patterns.len().div_ceil(64)
    }

    /// Whether any background row goes with a row that has `pattern`.
    fn meets(&self, pattern: u64) -> bool {
        let absent = self.everyone() & !pattern;
        (0..self.n_words()).any(|word| self.with(absent, word) != 0)
    }

    /// Of the 64 patterns in a word, those in which all `absent` players agree.
    #[inline]
    fn with(&self, absent: u64, word: usize) -> u64 {
        let n_here = self.patterns.len() - word * 64;
        let mut with = if n_here >= 64 { u64::MAX } else { (1 << n_here) - 1 };
        let mut left = absent;
        while left != 0 && with != 0 {
            with &= self.agreeing[left.trailing_zeros() as usize * self.n_words() + word];
            left &= left - 1;
        }
        with
    }
}

/// Players of a pattern, ascending.
fn members(mut pattern: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let player = pattern.trailing_zeros() as usize;
        (pattern != 0).then(|| {
            pattern &= pattern - 1;
            player
        })
    })
}

/// Values of the patterns met lately at one leaf: computed once for equal rows, whichever they are.
struct Found {
    /// Pattern in each place, and the leaf it was met at.
    places: Vec<(u64, usize)>,
    /// Rows of `width` numbers, one for each place.
    values: Vec<f64>,
    width: usize,
    /// How often everything was forgotten.
    leaf: usize,
    n_values: usize,
}

impl Found {
    /// For leaves of at most `width` values.
    fn new(width: usize) -> Self {
        let n_places = (REMEMBERED / width.max(LANES)).next_power_of_two() / 2;
        Self { places: vec![(0, 0); n_places], values: vec![0.0; n_places * width], width, leaf: 0, n_values: 0 }
    }

    fn next_leaf(&mut self, n_values: usize) {
        self.leaf += 1;
        self.n_values = n_values;
    }

    /// The values of a pattern, from `compute` unless they are still there.
    fn values(&mut self, pattern: u64, compute: impl FnOnce(&mut [f64])) -> &[f64] {
        // Fibonacci hashing: the upper bits of the product depend on all bits of the pattern.
        let place = (pattern.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40) as usize & (self.places.len() - 1);
        let values = &mut self.values[place * self.width..][..self.n_values];
        if self.places[place] != (pattern, self.leaf) {
            values.fill(0.0);
            compute(values);
            self.places[place] = (pattern, self.leaf);
        }
        values
    }
}
