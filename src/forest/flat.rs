//! A forest laid out for evaluation: sixteen rows walk a tree in step, so that their loads overlap.
//!
//! Every test becomes `x > threshold → right`: `x < t` is `x ≤ pred(t)`, the opposite tests swap the children. Leaves
//! point at themselves, so all rows take as many steps as the tree is deep and no branch is left to mispredict. Trees
//! with equality or membership tests are walked as they are. Sums are taken in the order of the trees: results equal
//! [`Forest::margin`] bit for bit.

use super::{Forest, Node, Split, Test, Tree};

const LANES: usize = 16;

/// A forest ready to evaluate many rows.
#[derive(Debug, Clone)]
pub struct FlatForest {
    n_features: usize,
    n_outputs: usize,
    base: Vec<f64>,
    trees: Vec<FlatTree>,
}

#[derive(Debug, Clone)]
enum FlatTree {
    Threshold {
        nodes: Vec<FlatNode>,
        depth: usize,
        votes: Votes,
    },
    /// Tests that are no thresholds.
    Plain(Tree),
}

/// What a node's leaf contributes.
#[derive(Debug, Clone)]
enum Votes {
    /// One output: a value per node.
    One(Vec<f64>),
    /// Several outputs: ranges of pooled `(output, value)` per node.
    Many(Vec<std::ops::Range<u32>>, Vec<(u32, f64)>),
}

#[derive(Debug, Clone, Copy)]
struct FlatNode {
    threshold: f64,
    feature: u32,
    /// The left child; the right one stands behind it. A leaf's is itself.
    left: u32,
    /// 1 for splits, 0 for leaves: how far right is from left.
    stride: u32,
    missing_right: u32,
}

impl FlatForest {
    pub fn new(forest: &Forest) -> Self {
        let trees = forest.trees.iter().map(|tree| flat(tree, forest.n_outputs)).collect();
        Self { n_features: forest.n_features, n_outputs: forest.n_outputs, base: forest.base.clone(), trees }
    }

    /// Margins of row-major rows `[rows × n_features]` into `out` `[rows × n_outputs]`.
    pub fn margins(&self, rows: &[f64], out: &mut [f64]) {
        if self.n_outputs == 0 {
            return;
        }
        out.chunks_exact_mut(self.n_outputs).for_each(|out| out.copy_from_slice(&self.base));
        for tree in &self.trees {
            match tree {
                FlatTree::Plain(tree) => self.plain(tree, rows, out),
                FlatTree::Threshold { nodes, depth, votes } => self.walk(nodes, *depth, votes, rows, out),
            }
        }
    }

    fn walk(&self, nodes: &[FlatNode], depth: usize, votes: &Votes, rows: &[f64], out: &mut [f64]) {
        let n_rows = out.len() / self.n_outputs;
        for start in (0..n_rows).step_by(LANES) {
            let lanes = LANES.min(n_rows - start);
            let mut at = [0u32; LANES];
            for _ in 0..depth {
                for (lane, at) in at.iter_mut().enumerate().take(lanes) {
                    let node = nodes[*at as usize];
                    let x =
                        rows.get((start + lane) * self.n_features + node.feature as usize).copied().unwrap_or(f64::NAN);
                    let right = u32::from(x > node.threshold) | (u32::from(x.is_nan()) & node.missing_right);
                    *at = node.left + (right & node.stride);
                }
            }
            for (lane, at) in at.iter().enumerate().take(lanes) {
                votes.add(*at as usize, &mut out[(start + lane) * self.n_outputs..][..self.n_outputs]);
            }
        }
    }

    fn plain(&self, tree: &Tree, rows: &[f64], out: &mut [f64]) {
        for (row, out) in rows.chunks_exact(self.n_features.max(1)).zip(out.chunks_exact_mut(self.n_outputs)) {
            if let Node::Leaf { votes } = &tree.nodes[tree.leaf(row)] {
                for (output, value) in &tree.votes[votes.start as usize..votes.end as usize] {
                    out[*output as usize] += value;
                }
            }
        }
    }
}

impl Votes {
    #[inline]
    fn add(&self, node: usize, out: &mut [f64]) {
        match self {
            Votes::One(values) => out[0] += values[node],
            Votes::Many(ranges, pool) => {
                let range = &ranges[node];
                for (output, value) in &pool[range.start as usize..range.end as usize] {
                    out[*output as usize] += value;
                }
            }
        }
    }
}

fn flat(tree: &Tree, n_outputs: usize) -> FlatTree {
    let thresholds = tree.nodes.iter().all(|node| match node {
        Node::Split(split) => threshold(split).is_some(),
        Node::Leaf { .. } => true,
    });
    if !thresholds {
        return FlatTree::Plain(tree.clone());
    }
    // Breadth first, children side by side.
    let mut order = vec![0u32];
    let mut nodes = Vec::with_capacity(tree.nodes.len());
    let mut votes = Vec::with_capacity(tree.nodes.len());
    while nodes.len() < order.len() {
        let own = nodes.len() as u32;
        match &tree.nodes[order[nodes.len()] as usize] {
            Node::Leaf { votes: range } => {
                nodes.push(FlatNode { threshold: f64::INFINITY, feature: 0, left: own, stride: 0, missing_right: 0 });
                votes.push(range.clone());
            }
            Node::Split(split) => {
                let left = order.len() as u32;
                // Checked above; infinity would send everything left.
                let (threshold, yes_is_left) = threshold(split).unwrap_or((f64::INFINITY, true));
                order.extend(if yes_is_left { [split.yes, split.no] } else { [split.no, split.yes] });
                let missing_right = u32::from(split.missing_yes != yes_is_left);
                nodes.push(FlatNode { threshold, feature: split.feature, left, stride: 1, missing_right });
                votes.push(0..0);
            }
        }
    }
    FlatTree::Threshold { nodes, depth: tree.depth(), votes: pooled(votes, &tree.votes, n_outputs) }
}

fn pooled(ranges: Vec<std::ops::Range<u32>>, pool: &[(u32, f64)], n_outputs: usize) -> Votes {
    // A leaf with several votes for one output keeps its own order of additions.
    if n_outputs == 1 && ranges.iter().all(|range| range.len() <= 1) {
        let value = |range: &std::ops::Range<u32>| {
            pool.get(range.start as usize).filter(|_| !range.is_empty()).map(|(_, value)| *value)
        };
        // −0 is what adds nothing to any sum.
        return Votes::One(ranges.iter().map(|range| value(range).unwrap_or(-0.0)).collect());
    }
    Votes::Many(ranges, pool.to_vec())
}

/// `(t, yes is left)` such that a number goes right exactly if it is above t; `None` for tests that are no thresholds.
fn threshold(split: &Split) -> Option<(f64, bool)> {
    match split.test {
        Test::Leq(t) => Some((t, true)),
        Test::Lt(t) => Some((below(t)?, true)),
        Test::Gt(t) => Some((t, false)),
        Test::Gte(t) => Some((below(t)?, false)),
        _ => None,
    }
    .filter(|(t, _)| !t.is_nan())
}

/// The next number below; `x < t` is `x ≤ below(t)`. Nothing is below −∞.
fn below(t: f64) -> Option<f64> {
    (t > f64::NEG_INFINITY).then(|| t.next_down())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forest::Link;

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
