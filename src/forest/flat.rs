//! A forest laid out for evaluation: 64 quantised rows go down a tree together, one bit each.
//!
//! A split parts the rows that reach it with an integer compare or two, whatever its test; what no row reaches is not
//! visited. Sums are taken in the order of the trees, so results equal [`Forest::margin`] bit for bit. The idea of
//! evaluating by bits rather than by walking is QuickScorer's (Lucchese et al., SIGIR 2015), turned by a quarter: a word
//! holds the rows of a node, not the leaves of a row.

use super::cuts::{BLOCK, Compare, Cuts};
use super::sides::Switch;
use super::simd::{Holds, Simd, Work};
use super::{Forest, Node, Tree};
use ndarray::ArrayView2;

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
    /// In depth-first order, `yes` first: a split's `yes` side stands right behind it.
    nodes: Vec<FlatNode>,
    /// Of all splits, one after the other.
    flips: Vec<Compare>,
    votes: Vec<(u32, f64)>,
}

#[derive(Debug, Clone, Copy)]
struct FlatNode {
    /// Rows that take a split's `yes` side before any compare flips them: none or all.
    start: u64,
    /// A split's flips; a leaf's votes.
    from: u32,
    to: u32,
    /// A split's `no` side; 0 for leaves.
    no: u32,
    /// First node behind all below this one.
    end: u32,
}

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
        let mut sums = vec![[0.0; BLOCK]; self.n_outputs];
        let mut here = Vec::new();
        let rows = rows.chunks((BLOCK * self.n_features).max(1));
        for (rows, out) in rows.zip(out.chunks_mut(BLOCK * self.n_outputs)) {
            let n_rows = out.len() / self.n_outputs;
            let Ok(rows) = ArrayView2::from_shape((n_rows, self.n_features), rows) else { continue };
            self.cuts.quantise_block(rows, &mut block);
            sums.iter_mut().zip(&self.base).for_each(|(sums, base)| sums.fill(*base));
            self.simd.run(AddTrees { forest: self, block: &block, n_rows, here: &mut here, sums: &mut sums });
            for (row, out) in out.chunks_exact_mut(self.n_outputs).enumerate() {
                out.iter_mut().zip(&sums).for_each(|(out, sums)| *out = sums[row]);
            }
        }
    }
}

impl FlatTree {
    fn new(tree: &Tree, cuts: &Cuts) -> Self {
        let nodes = Vec::with_capacity(tree.nodes.len());
        let mut flat = Self { nodes, flips: vec![], votes: tree.votes.clone() };
        // Nodes to visit, with the flat split whose `no` side each is; a marker without a node closes a split.
        let mut open: Vec<(Option<usize>, Option<usize>)> = vec![(Some(0), None)];
        while let Some((at, above)) = open.pop() {
            let own = flat.nodes.len();
            let Some(at) = at else {
                above.into_iter().for_each(|split| flat.nodes[split].end = own as u32);
                continue;
            };
            above.into_iter().for_each(|split| flat.nodes[split].no = own as u32);
            let from = flat.flips.len() as u32;
            let node = FlatNode { start: 0, from, to: from, no: 0, end: own as u32 + 1 };
            match &tree.nodes[at] {
                Node::Leaf { votes } => flat.nodes.push(FlatNode { from: votes.start, to: votes.end, ..node }),
                Node::Split(split) => {
                    open.push((None, Some(own)));
                    open.push((Some(split.no as usize), Some(own)));
                    open.push((Some(split.yes as usize), None));
                    let switch = Switch::of(split, cuts);
                    flat.flips.extend_from_slice(switch.flips());
                    flat.nodes.push(FlatNode { start: switch.start(), to: flat.flips.len() as u32, ..node });
                }
            }
        }
        flat
    }
}

/// Adds the trees' votes to the margins of a block.
struct AddTrees<'a> {
    forest: &'a FlatForest,
    block: &'a [u8],
    n_rows: usize,
    /// Rows that reach each node of a tree; a buffer.
    here: &'a mut Vec<u64>,
    /// `[outputs × rows of the block]`.
    sums: &'a mut [[f64; BLOCK]],
}

impl Work for AddTrees<'_> {
    #[inline(always)]
    fn run<H: Holds>(self, holds: H) {
        for tree in &self.forest.trees {
            self.here.resize(tree.nodes.len().max(self.here.len()), 0);
            let here = &mut self.here[..tree.nodes.len()];
            here[0] = u64::MAX >> (BLOCK - self.n_rows);
            let mut at = 0;
            while let Some(node) = tree.nodes.get(at) {
                let rows = here[at];
                if rows == 0 {
                    at = node.end as usize;
                    continue;
                }
                let (from, to) = (node.from as usize, node.to as usize);
                if node.no == 0 {
                    tree.votes[from..to].iter().for_each(|(output, value)| {
                        add(rows, *value, &mut self.sums[*output as usize]);
                    });
                } else {
                    let flip = |yes, compare: &Compare| yes ^ holds.compare(self.block, *compare);
                    let yes = tree.flips[from..to].iter().fold(node.start, flip);
                    here[at + 1] = rows & yes;
                    here[node.no as usize] = rows & !yes;
                }
                at += 1;
            }
        }
    }
}

/// Adds a value to every row whose bit is set.
#[inline(always)]
fn add(mut rows: u64, value: f64, sums: &mut [f64; BLOCK]) {
    while rows != 0 {
        sums[rows.trailing_zeros() as usize % BLOCK] += value;
        rows &= rows - 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forest::{Link, Split, Test};

    /// Numbers from a counter (SplitMix64): the tests need variety, not chance.
    struct Numbers(u64);

    impl Numbers {
        fn below(&mut self, n: usize) -> usize {
            self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let mut z = self.0;
            z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            ((z ^ (z >> 31)) % n as u64) as usize
        }
    }

    const VALUES: [f64; 9] = [f64::NEG_INFINITY, -1.0, -0.0, 0.0, 0.5, 1.0, 2.0, f64::INFINITY, f64::NAN];

    fn test(numbers: &mut Numbers, kinds: usize) -> Test {
        let value = VALUES[numbers.below(8)];
        match numbers.below(kinds) {
            0 => Test::Leq(value),
            1 => Test::Lt(value),
            2 => Test::Gt(value),
            3 => Test::Gte(value),
            4 => Test::Eq(value),
            5 => Test::Neq(value),
            _ => Test::Member(vec![-1.0, value].into()),
        }
    }

    fn tree(numbers: &mut Numbers, n_outputs: usize, kinds: usize, n_splits: usize) -> Tree {
        let mut tree = Tree { nodes: vec![Node::Leaf { votes: 0..0 }], votes: Vec::new() };
        for _ in 0..n_splits {
            let leaves: Vec<usize> =
                (0..tree.nodes.len()).filter(|at| matches!(tree.nodes[*at], Node::Leaf { .. })).collect();
            let at = leaves[numbers.below(leaves.len())];
            let yes = tree.nodes.len() as u32;
            let split = Split {
                feature: numbers.below(3) as u32,
                test: test(numbers, kinds),
                yes,
                no: yes + 1,
                missing_yes: numbers.below(2) == 0,
            };
            tree.nodes[at] = Node::Split(split);
            tree.nodes.extend([Node::Leaf { votes: 0..0 }, Node::Leaf { votes: 0..0 }]);
        }
        for node in &mut tree.nodes {
            if let Node::Leaf { votes } = node {
                let start = tree.votes.len() as u32;
                for _ in 0..numbers.below(3) {
                    tree.votes.push((numbers.below(n_outputs) as u32, numbers.below(1000) as f64 / 7.0));
                }
                *votes = start..tree.votes.len() as u32;
            }
        }
        tree
    }

    #[test]
    fn the_flat_forest_equals_the_forest_bit_for_bit() {
        let mut numbers = Numbers(7);
        for round in 0..300 {
            let n_outputs = 1 + round % 3;
            let kinds = if round % 2 == 0 { 4 } else { 7 };
            let trees = (0..5).map(|at| tree(&mut numbers, n_outputs, kinds, at * 2)).collect();
            let base = (0..n_outputs).map(|output| output as f64 / 3.0).collect();
            let forest = Forest { n_features: 3, n_outputs, base, trees, link: Link::Identity };
            let n_rows = numbers.below(40);
            let rows: Vec<f64> = (0..n_rows * 3).map(|_| VALUES[numbers.below(9)]).collect();
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
