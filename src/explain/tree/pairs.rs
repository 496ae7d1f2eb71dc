//! Interventional engine for many rows and paths too long for tables: pairs of patterns.
//!
//! At a leaf of value v, a row and a background row matter only by who agrees with the leaf's tests. A row with pattern
//! p and a background row with pattern q pay if p ∪ q is everyone: then the r players who disagree with the row must be
//! absent, and the e players who disagree with the background present. Each present one gets v (e−1)! r! / (e+r)!, each
//! absent one −v e! (r−1)! / (e+r)!. Equal patterns are counted once on both sides. The background's patterns that go
//! with a row's are found as an intersection of bit sets, one for each player who disagrees with the row.
//!
//! Nothing but the quantised background outlives a tree, so memory does not grow with the forest.

use super::agreement::Agreement;
use super::ensemble::Ensemble;
use super::kernel::LANES;
use super::layout;
use super::paths::{LeafGame, leaf_games, most_players};
use super::pattern::{Target, pair_index, pairs_of};
use super::slots::Slots;
use super::weights::Weights;
use crate::forest::cuts::{BLOCK, Bins, Cuts, LocalBins};
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
    agreement: Agreement,
    votes: std::ops::Range<u32>,
    n_players: usize,
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
        for tree in 0..self.ensemble.forest.trees.len() {
            let (bins, games) = leaf_games(&self.ensemble, tree, None);
            for games in games.chunks((self.limit / of_leaf.max(1)).max(1)) {
                let leaves: Vec<LeafPairs> = games.par_iter().map(|game| self.leaf(game, &bins)).collect();
                self.add(tree, &leaves, &rows, out);
            }
        }
    }

    fn leaf(&self, game: &LeafGame, bins: &[LocalBins]) -> LeafPairs {
        let agreement = Agreement::new(game, bins, &self.cuts);
        let blocks = 0..self.background.n_blocks();
        let of_block = |block: usize| {
            let patterns = agreement.patterns(self.background.block(block), self.simd);
            patterns.into_iter().take(self.background.rows_in(block))
        };
        let mut all: Vec<u64> = blocks.flat_map(of_block).collect();
        all.sort_unstable();
        let runs = all.chunk_by(|a, b| a == b);
        let (patterns, shares): (Vec<u64>, Vec<f64>) =
            runs.map(|run| (run[0], run.len() as f64 / self.background.n_rows as f64)).unzip();
        let n_players = game.players.len();
        let agreeing = (0..n_players).flat_map(|player| {
            let words = patterns.chunks(64);
            words.map(move |word| {
                word.iter().enumerate().fold(0, |bits, (at, pattern)| bits | (pattern >> player & 1) << at)
            })
        });
        let agreeing = agreeing.collect();
        let slots = layout::slots_of(&game.players, &self.slots);
        LeafPairs { agreement, votes: game.votes.clone(), n_players, slots, patterns, shares, agreeing }
    }

    /// Adds some leaves of a tree to the slots of all rows.
    fn add(&self, tree: usize, leaves: &[LeafPairs], rows: &Bins, out: &mut [f64]) {
        let votes = &self.ensemble.forest.trees[tree].votes;
        let width = self.slots.row().max(1);
        out.par_chunks_mut(TASK_BLOCKS * BLOCK * width).enumerate().for_each(|(task, out)| {
            let mut found = Found::default();
            for leaf in leaves {
                let votes = &votes[leaf.votes.start as usize..leaf.votes.end as usize];
                found.forget(self.slots.target().n_values(leaf.n_players));
                for (at, out) in out.chunks_mut(BLOCK * width).enumerate() {
                    let patterns = leaf.agreement.patterns(rows.block(task * TASK_BLOCKS + at), self.simd);
                    for (pattern, out) in patterns.iter().zip(out.chunks_mut(width)) {
                        let Some(values) = found.values(*pattern, |values| self.values(leaf, *pattern, values)) else {
                            continue;
                        };
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

    /// Values of a leaf of value 1 for a row with `pattern`; false if no background row goes with it.
    fn values(&self, leaf: &LeafPairs, pattern: u64, values: &mut [f64]) -> bool {
        let everyone = u64::MAX >> (64 - leaf.n_players);
        let absent = everyone & !pattern;
        let r = absent.count_ones() as usize;
        let n_words = leaf.patterns.len().div_ceil(64);
        let mut any = false;
        for word in 0..n_words {
            let mut with = u64::MAX;
            let mut left = absent;
            while left != 0 && with != 0 {
                with &= leaf.agreeing[left.trailing_zeros() as usize * n_words + word];
                left &= left - 1;
            }
            let n_here = leaf.patterns.len() - word * 64;
            with &= if n_here >= 64 { u64::MAX } else { (1 << n_here) - 1 };
            while with != 0 {
                let at = word * 64 + with.trailing_zeros() as usize;
                let present = pattern & !leaf.patterns[at];
                if r > 0 || present != 0 {
                    any = true;
                    self.add_pair(leaf.n_players, present, absent, leaf.shares[at], values);
                }
                with &= with - 1;
            }
        }
        any
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
#[derive(Default)]
struct Found {
    /// Pattern in each place, and whether any background row goes with it.
    places: Vec<Option<(u64, bool)>>,
    /// `[places × n_values]`.
    values: Vec<f64>,
    n_values: usize,
}

impl Found {
    fn forget(&mut self, n_values: usize) {
        let n_places = (REMEMBERED / n_values.max(LANES)).next_power_of_two() / 2;
        self.n_values = n_values;
        self.places.clear();
        self.places.resize(n_places, None);
        self.values.resize(n_places * n_values, 0.0);
    }

    /// The values of a pattern, from `compute` unless they are still there.
    fn values(&mut self, pattern: u64, compute: impl FnOnce(&mut [f64]) -> bool) -> Option<&[f64]> {
        // Fibonacci hashing: the upper bits of the product depend on all bits of the pattern.
        let place = (pattern.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40) as usize & (self.places.len() - 1);
        let values = &mut self.values[place * self.n_values..][..self.n_values];
        let any = match self.places[place] {
            Some((there, any)) if there == pattern => any,
            _ => {
                values.fill(0.0);
                let any = compute(values);
                self.places[place] = Some((pattern, any));
                any
            }
        };
        any.then_some(values)
    }
}
