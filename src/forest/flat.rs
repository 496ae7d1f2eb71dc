//! A forest laid out for evaluation: 64 quantised rows go down a tree together, one bit each.
//!
//! A split parts the rows that reach it with an integer compare or two, whatever its test; what no row reaches is not
//! visited. Sums are taken in the order of the trees, so results equal [`Forest::margin`] bit for bit. The idea of
//! evaluating by bits rather than by walking is QuickScorer's (Lucchese et al., SIGIR 2015), turned by a quarter: a word
//! holds the rows of a node, not the leaves of a row.

use super::cuts::{BLOCK, Compare, Cuts};
use super::sides::Switch;
use super::simd::{Holds, Simd, Sums, Work};
use super::{Forest, Node, Tree};
use ndarray::ArrayView2;
use std::ops::Range;

/// A forest ready to evaluate many rows.
#[derive(Debug, Clone)]
pub struct FlatForest {
    n_features: usize,
    n_outputs: usize,
    base: Vec<f64>,
    cuts: Cuts,
    trees: Vec<FlatTree>,
    simd: Simd,
}

#[derive(Debug, Clone)]
struct FlatTree {
    /// In depth-first order, `yes` first.
    nodes: Vec<FlatNode>,
    /// Splits of small trees, each before those below it; empty for large ones.
    splits: Vec<FlatSplit>,
    /// Votes of small trees' leaves.
    votes: Vec<FlatVote>,
    /// Votes of large trees' leaves, as the nodes range over them.
    pool: Vec<(u32, f64)>,
}

#[derive(Debug, Clone)]
enum FlatNode {
    Split {
        switch: Switch,
        no: u32,
        /// First node behind all below this one.
        end: u32,
    },
    Leaf {
        votes: Range<u32>,
    },
}

/// A split with at most two flips: nothing depends on the rows but their bits.
#[derive(Debug, Clone, Copy)]
struct FlatSplit {
    start: u64,
    flips: [Compare; 2],
    own: u32,
    no: u32,
}

#[derive(Debug, Clone, Copy)]
struct FlatVote {
    leaf: u32,
    output: u32,
    value: f64,
}

/// Trees of at most so many nodes are evaluated without a branch: all of them are reached by some row of a block anyway.
const SMALL: usize = 128;

impl FlatForest {
    pub fn new(forest: &Forest) -> Self {
        let cuts = Cuts::of(forest);
        Self {
            n_features: forest.n_features,
            n_outputs: forest.n_outputs,
            base: forest.base.clone(),
            trees: forest.trees.iter().map(|tree| FlatTree::new(tree, &cuts)).collect(),
            cuts,
            simd: Simd::detect(),
        }
    }

    /// Margins of row-major rows `[rows × n_features]` into `out` `[rows × n_outputs]`.
    pub fn margins(&self, rows: &[f64], out: &mut [f64]) {
        if self.n_outputs == 0 {
            return;
        }
        let mut block = vec![0; self.cuts.n_columns() * BLOCK];
        let mut sums = vec![Sums([0.0; BLOCK]); self.n_outputs];
        let largest = self.trees.iter().map(|tree| tree.nodes.len()).max().unwrap_or(0);
        let mut here = vec![0; largest];
        let rows = rows.chunks((BLOCK * self.n_features).max(1));
        for (rows, out) in rows.zip(out.chunks_mut(BLOCK * self.n_outputs)) {
            let n_rows = out.len() / self.n_outputs;
            let Ok(rows) = ArrayView2::from_shape((n_rows, self.n_features), rows) else { continue };
            self.cuts.quantise_block(rows, &mut block);
            sums.iter_mut().zip(&self.base).for_each(|(sums, base)| sums.0.fill(*base));
            self.simd.run(AddTrees { forest: self, block: &block, n_rows, here: &mut here, sums: &mut sums });
            for (row, out) in out.chunks_exact_mut(self.n_outputs).enumerate() {
                out.iter_mut().zip(&sums).for_each(|(out, sums)| *out = sums.0[row]);
            }
        }
    }
}

impl FlatTree {
    fn new(tree: &Tree, cuts: &Cuts) -> Self {
        let nodes = Vec::with_capacity(tree.nodes.len());
        let mut flat = Self { nodes, splits: vec![], votes: vec![], pool: tree.votes.clone() };
        flat.take_nodes(tree, cuts);
        if flat.nodes.len() <= SMALL {
            flat.straighten();
        }
        flat
    }

    /// Lays out the nodes in depth-first order.
    fn take_nodes(&mut self, tree: &Tree, cuts: &Cuts) {
        // Nodes to visit, with the flat split whose `no` side each is; a marker without a node closes a split.
        let mut open: Vec<(Option<usize>, Option<usize>)> = vec![(Some(0), None)];
        while let Some((at, above)) = open.pop() {
            let own = self.nodes.len();
            if let Some(FlatNode::Split { no, end, .. }) = above.map(|split| &mut self.nodes[split]) {
                *(if at.is_some() { no } else { end }) = own as u32;
            }
            match at.map(|at| &tree.nodes[at]) {
                None => {}
                Some(Node::Leaf { votes }) => self.nodes.push(FlatNode::Leaf { votes: votes.clone() }),
                Some(Node::Split(split)) => {
                    open.push((None, Some(own)));
                    open.push((Some(split.no as usize), Some(own)));
                    open.push((Some(split.yes as usize), None));
                    self.nodes.push(FlatNode::Split { switch: Switch::of(split, cuts), no: 0, end: 0 });
                }
            }
        }
    }

    /// Lists splits and votes for evaluation without branches, if every split has at most two flips.
    fn straighten(&mut self) {
        let (mut splits, mut votes) = (Vec::new(), Vec::new());
        for (own, node) in self.nodes.iter().enumerate() {
            let own = own as u32;
            match node {
                FlatNode::Leaf { votes: range } => {
                    let of_leaf = &self.pool[range.start as usize..range.end as usize];
                    votes.extend(of_leaf.iter().map(|(output, value)| FlatVote {
                        leaf: own,
                        output: *output,
                        value: *value,
                    }));
                }
                FlatNode::Split { switch, no, .. } => {
                    let flips = match switch.flips() {
                        [] => [Compare::NEVER; 2],
                        [one] => [*one, Compare::NEVER],
                        [one, other] => [*one, *other],
                        _ => return,
                    };
                    splits.push(FlatSplit { start: switch.start(), flips, own, no: *no });
                }
            }
        }
        (self.splits, self.votes) = (splits, votes);
    }
}

/// Adds the trees' votes to the margins of a block.
struct AddTrees<'a> {
    forest: &'a FlatForest,
    block: &'a [u8],
    n_rows: usize,
    /// Rows that reach each node of a tree; a buffer for the largest.
    here: &'a mut [u64],
    /// `[outputs × rows of the block]`.
    sums: &'a mut [Sums],
}

impl Work for AddTrees<'_> {
    #[inline(always)]
    fn run<H: Holds>(mut self, holds: H) {
        for tree in &self.forest.trees {
            self.here[0] = u64::MAX >> (BLOCK - self.n_rows);
            if tree.splits.is_empty() {
                self.add_reached(tree, holds);
            } else {
                self.add_all(tree, holds);
            }
        }
    }
}

impl AddTrees<'_> {
    /// Every node, whether any row reaches it or not.
    #[inline(always)]
    fn add_all<H: Holds>(&mut self, tree: &FlatTree, holds: H) {
        for split in &tree.splits {
            let (own, no) = (split.own as usize, split.no as usize);
            let [one, other] = split.flips;
            let yes = split.start ^ holds.compare(self.block, one) ^ holds.compare(self.block, other);
            let rows = self.here[own];
            self.here[own + 1] = rows & yes;
            self.here[no] = rows & !yes;
        }
        for vote in &tree.votes {
            holds.add(self.here[vote.leaf as usize], vote.value, &mut self.sums[vote.output as usize]);
        }
    }

    /// Only nodes that rows reach.
    #[inline(always)]
    fn add_reached<H: Holds>(&mut self, tree: &FlatTree, holds: H) {
        let mut at = 0;
        while let Some(node) = tree.nodes.get(at) {
            let rows = self.here[at];
            match node {
                FlatNode::Split { end, .. } if rows == 0 => {
                    at = *end as usize;
                    continue;
                }
                FlatNode::Split { switch, no, .. } => {
                    let yes = switch.yes(self.block, holds);
                    self.here[at + 1] = rows & yes;
                    self.here[*no as usize] = rows & !yes;
                }
                FlatNode::Leaf { votes } if rows != 0 => {
                    for (output, value) in &tree.pool[votes.start as usize..votes.end as usize] {
                        holds.add(rows, *value, &mut self.sums[*output as usize]);
                    }
                }
                FlatNode::Leaf { .. } => {}
            }
            at += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forest::Link;
    use crate::forest::testing::{ALL, Numbers, ORDERED, tree};

    #[test]
    fn the_flat_forest_equals_the_forest_bit_for_bit() {
        let mut numbers = Numbers(7);
        for round in 0..300 {
            let n_outputs = 1 + round % 3;
            let kinds = if round % 2 == 0 { ORDERED } else { ALL };
            let trees = (0..5).map(|at| tree(&mut numbers, 3, n_outputs, kinds, at * 2)).collect();
            let base = (0..n_outputs).map(|output| output as f64 / 3.0).collect();
            let forest = Forest { n_features: 3, n_outputs, base, trees, link: Link::Identity };
            let n_rows = numbers.below(40);
            let rows: Vec<f64> = (0..n_rows * 3).map(|_| numbers.value()).collect();
            let mut flat = vec![0.0; n_rows * n_outputs];
            FlatForest::new(&forest).margins(&rows, &mut flat);
            let mut plain = vec![0.0; n_rows * n_outputs];
            for (row, out) in rows.chunks(3).zip(plain.chunks_mut(n_outputs)) {
                forest.margin(row, out);
            }
            let bits = |values: &[f64]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
            assert_eq!(bits(&flat), bits(&plain), "round {round}");
        }
    }
}
