//! Interventional engine for few rows or deep trees: each row walks every tree together with the whole background.
//!
//! The background rows that a path still holds for are its cohort, one bit each. Where the row and part of the cohort
//! take different sides of a split, that part goes on twice: the player either takes the row's value from here on
//! (it is *present* there) or the background's (it must be *absent*). A leaf reached with e present and r absent
//! players gives each present one `+v (e−1)! r! / (e+r)!` and each absent one `−v e! (r−1)! / (e+r)!` a background row.

use super::ensemble::Ensemble;
use super::paths::most_players;
use super::pattern::Target;
use super::router::parts_within;
use super::slots::Slots;
use super::weights::{Weights, logistic_slope};
use crate::forest::cuts::{Bins, Cuts};
use crate::forest::sides::Switches;
use crate::forest::simd::Simd;
use crate::forest::{Node, Tree};
use ndarray::ArrayView2;
use rayon::prelude::*;
use std::ops::Range;

/// Rows that one thread takes at a time.
const TASK_ROWS: usize = 16;

#[derive(Debug)]
pub(super) struct Cohorts {
    ensemble: Ensemble,
    slots: Slots,
    weights: Weights,
    cuts: Cuts,
    simd: Simd,
    background: Bins,
    /// Margins of the background, `[rows × outputs]`; empty on the margin scale.
    margins: Vec<f64>,
    /// Ranges of trees whose sides fit the memory limit together.
    parts: Vec<Range<usize>>,
    /// Sides of all trees, where there is only one part.
    kept: Option<Vec<Sides>>,
}

/// For each node, one bit a background row: it takes the node's `yes` branch.
#[derive(Debug)]
struct Sides {
    bits: Vec<u64>,
    n_words: usize,
}

impl Sides {
    fn of(tree: &Tree, cuts: &Cuts, background: &Bins, simd: Simd) -> Self {
        let switches = Switches::new(tree, cuts);
        let n_words = background.n_blocks();
        let mut bits = vec![0; tree.nodes.len() * n_words];
        let mut yes = vec![0; tree.nodes.len()];
        for block in 0..n_words {
            switches.yes(background.block(block), simd, &mut yes);
            yes.iter().enumerate().for_each(|(node, yes)| bits[node * n_words + block] = *yes);
        }
        Self { bits, n_words }
    }

    fn yes(&self, node: usize) -> &[u64] {
        &self.bits[node * self.n_words..][..self.n_words]
    }
}

impl Cohorts {
    /// Keeps the background's sides of all splits if they fit into `limit` bytes.
    pub fn new(ensemble: &Ensemble, cuts: &Cuts, background: &Bins, slots: Slots, limit: usize) -> Self {
        let trees = &ensemble.forest.trees;
        let most = (0..trees.len()).map(|tree| most_players(ensemble, tree)).max().unwrap_or(0);
        let bytes = background.n_blocks() * size_of::<u64>();
        let parts = parts_within(trees.iter().map(|tree| tree.nodes.len() * bytes), limit);
        let mut cohorts = Self {
            ensemble: ensemble.clone(),
            cuts: cuts.clone(),
            simd: Simd::detect(),
            background: background.clone(),
            margins: vec![],
            weights: Weights::up_to(most),
            kept: None,
            parts,
            slots,
        };
        if let [all] = &cohorts.parts[..] {
            cohorts.kept = Some(cohorts.sides(all.clone()));
        }
        cohorts
    }

    /// Explains the logistic of the margin; `margins` are the background's, `[rows × outputs]`.
    pub fn on_probabilities(self, margins: Vec<f64>) -> Self {
        Self { margins, ..self }
    }

    pub fn slots(&self) -> &Slots {
        &self.slots
    }

    fn sides(&self, trees: Range<usize>) -> Vec<Sides> {
        let trees = self.ensemble.forest.trees[trees].par_iter();
        trees.map(|tree| Sides::of(tree, &self.cuts, &self.background, self.simd)).collect()
    }

    /// Writes the slots of rows `[rows × n_features]` to `out`, `[rows × outputs × slots]`.
    pub fn explain(&self, rows: ArrayView2<f64>, out: &mut [f64]) {
        out.fill(0.0);
        for part in &self.parts {
            match &self.kept {
                Some(sides) => self.add(rows, part, sides, out),
                None => self.add(rows, part, &self.sides(part.clone()), out),
            }
        }
    }

    fn add(&self, rows: ArrayView2<f64>, part: &Range<usize>, sides: &[Sides], out: &mut [f64]) {
        let width = self.slots.row().max(1);
        out.par_chunks_mut(TASK_ROWS * width).enumerate().for_each(|(task, out)| {
            let mut walk = Walk::new(self);
            for (row, out) in out.chunks_mut(width).enumerate() {
                walk.start(rows.row(task * TASK_ROWS + row).iter().copied());
                let trees = self.ensemble.forest.trees[part.clone()].iter().zip(sides);
                trees.for_each(|(tree, sides)| walk.tree(tree, sides, out));
            }
        });
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Status {
    /// The row and the cohort have agreed on all tests so far.
    Either,
    Present,
    Absent,
}

/// One row on its way through the trees.
struct Walk<'a> {
    of: &'a Cohorts,
    row: Vec<f64>,
    status: Vec<Status>,
    present: Vec<u32>,
    absent: Vec<u32>,
    /// Cohorts of the open nodes, one above the other, as the words that have any row: (word, bits).
    cohorts: Vec<(u32, u64)>,
    /// Where the topmost cohort starts.
    top: usize,
    /// On the probability scale, the slope between the row and each background row, `[outputs × background]`.
    slopes: Vec<f64>,
}

impl<'a> Walk<'a> {
    fn new(of: &'a Cohorts) -> Self {
        let (present, absent, cohorts) = (vec![], vec![], vec![]);
        let status = vec![Status::Either; of.ensemble.n_players];
        Self { of, row: vec![], status, present, absent, cohorts, top: 0, slopes: vec![] }
    }

    fn start(&mut self, row: impl Iterator<Item = f64>) {
        self.row.clear();
        self.row.extend(row);
        if !self.of.margins.is_empty() {
            self.find_slopes();
        }
    }

    fn find_slopes(&mut self) {
        let n_outputs = self.of.slots.n_outputs;
        let mut margin = vec![0.0; n_outputs];
        self.of.ensemble.forest.margin(&self.row, &mut margin);
        self.slopes.clear();
        for (output, of_row) in margin.iter().enumerate() {
            let of_background = self.of.margins.iter().skip(output).step_by(n_outputs);
            self.slopes.extend(of_background.map(|background| logistic_slope(*of_row, *background)));
        }
    }

    fn tree(&mut self, tree: &Tree, sides: &Sides, out: &mut [f64]) {
        let n_rows = self.of.background.n_rows;
        self.cohorts.clear();
        self.cohorts.extend((0..sides.n_words).map(|word| (word as u32, ones(n_rows - word * 64))));
        self.top = 0;
        self.visit(tree, sides, 0, out);
    }

    /// Visits `node` with the topmost cohort, which is not empty.
    fn visit(&mut self, tree: &Tree, sides: &Sides, node: usize, out: &mut [f64]) {
        let split = match &tree.nodes[node] {
            Node::Leaf { votes } => return self.leaf(&tree.votes[votes.start as usize..votes.end as usize], out),
            Node::Split(split) => split,
        };
        let player = self.of.ensemble.players[split.feature as usize] as usize;
        let row_yes = split.takes_yes(self.row[split.feature as usize]);
        let (mine, other) = if row_yes { (split.yes, split.no) } else { (split.no, split.yes) };
        let (mine, other) = (mine as usize, other as usize);
        match self.status[player] {
            Status::Present => self.visit(tree, sides, mine, out),
            Status::Absent => {
                self.with_cohort(sides, node, row_yes, |walk| walk.visit(tree, sides, mine, out));
                self.with_cohort(sides, node, !row_yes, |walk| walk.visit(tree, sides, other, out));
            }
            Status::Either => {
                self.with_cohort(sides, node, row_yes, |walk| walk.visit(tree, sides, mine, out));
                self.with_cohort(sides, node, !row_yes, |walk| {
                    walk.status[player] = Status::Present;
                    walk.present.push(player as u32);
                    walk.visit(tree, sides, mine, out);
                    walk.present.pop();
                    walk.status[player] = Status::Absent;
                    walk.absent.push(player as u32);
                    walk.visit(tree, sides, other, out);
                    walk.absent.pop();
                    walk.status[player] = Status::Either;
                });
            }
        }
    }

    /// Goes on with the part of the topmost cohort that takes the `yes` side of `node` (or the other), if there is any.
    fn with_cohort(&mut self, sides: &Sides, node: usize, yes: bool, go_on: impl FnOnce(&mut Self)) {
        let (from, to) = (self.top, self.cohorts.len());
        let flip = if yes { 0 } else { u64::MAX };
        let sides = sides.yes(node);
        for at in from..to {
            let (word, bits) = self.cohorts[at];
            let part = bits & (sides[word as usize] ^ flip);
            if part != 0 {
                self.cohorts.push((word, part));
            }
        }
        if self.cohorts.len() > to {
            self.top = to;
            go_on(self);
            self.top = from;
            self.cohorts.truncate(to);
        }
    }

    fn leaf(&self, votes: &[(u32, f64)], out: &mut [f64]) {
        if votes.is_empty() || self.present.is_empty() && self.absent.is_empty() {
            return;
        }
        for (output, vote) in votes {
            let output = *output as usize;
            let weight = vote * self.cohort_weight(output);
            self.leaf_output(weight, &mut out[output * self.of.slots.len()..][..self.of.slots.len()]);
        }
    }

    fn leaf_output(&self, weight: f64, out: &mut [f64]) {
        let (e, r) = (self.present.len(), self.absent.len());
        let joins = |before: usize| weight * self.of.weights.join(e + r, before);
        if e > 0 {
            self.present.iter().for_each(|player| out[*player as usize] += joins(e - 1));
        }
        if r > 0 {
            self.absent.iter().for_each(|player| out[*player as usize] -= joins(e));
        }
        if self.of.slots.target() == Target::Pairs && e + r > 1 {
            self.leaf_pairs(weight, out);
        }
    }

    fn leaf_pairs(&self, weight: f64, out: &mut [f64]) {
        let (e, r) = (self.present.len(), self.absent.len());
        let joins = |before: usize| weight * self.of.weights.join(e + r - 1, before);
        let mut add = |a: u32, b: u32, value: f64| {
            if let Some(slot) = self.of.slots.pair(a.min(b), a.max(b)) {
                out[slot as usize] += value;
            }
        };
        for (place, a) in self.present.iter().enumerate() {
            self.present[place + 1..].iter().for_each(|b| add(*a, *b, joins(e - 2)));
            self.absent.iter().for_each(|b| add(*a, *b, -joins(e - 1)));
        }
        for (place, a) in self.absent.iter().enumerate() {
            self.absent[place + 1..].iter().for_each(|b| add(*a, *b, joins(e)));
        }
    }

    /// Share of the background in the topmost cohort, each row weighted by its slope on the probability scale.
    fn cohort_weight(&self, output: usize) -> f64 {
        let n_rows = self.of.background.n_rows;
        let cohort = &self.cohorts[self.top..];
        if self.slopes.is_empty() {
            return cohort.iter().map(|(_, bits)| bits.count_ones()).sum::<u32>() as f64 / n_rows as f64;
        }
        let slopes = &self.slopes[output * n_rows..][..n_rows];
        let mut sum = 0.0;
        for (word, bits) in cohort {
            let slopes = &slopes[*word as usize * 64..];
            let mut left = *bits;
            while left != 0 {
                sum += slopes[left.trailing_zeros() as usize];
                left &= left - 1;
            }
        }
        sum / n_rows as f64
    }
}

/// The lowest `n` bits, at most 64.
fn ones(n: usize) -> u64 {
    if n >= 64 { u64::MAX } else { (1 << n) - 1 }
}
