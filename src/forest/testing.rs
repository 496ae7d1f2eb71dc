//! Random trees for tests.

use super::{Node, Split, Test, Tree};

/// Numbers from a counter (SplitMix64): the tests need variety, not chance.
pub struct Numbers(pub u64);

impl Numbers {
    pub fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) % n as u64) as usize
    }

    /// One of [`VALUES`], perhaps missing.
    pub fn value(&mut self) -> f64 {
        VALUES[self.below(VALUES.len())]
    }
}

/// Values that rows have and tests compare with, the missing one last: few, so that thresholds are hit exactly.
pub const VALUES: [f64; 9] = [f64::NEG_INFINITY, -1.0, -0.0, 0.0, 0.5, 1.0, 2.0, f64::INFINITY, f64::NAN];
/// Kinds of tests that put values in order.
pub const ORDERED: usize = 4;
/// Kinds of tests.
pub const ALL: usize = 7;

fn test(numbers: &mut Numbers, kinds: usize) -> Test {
    let value = VALUES[numbers.below(VALUES.len() - 1)];
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

/// A tree whose leaves have up to two votes, tests being of the first `kinds`.
pub fn tree(numbers: &mut Numbers, n_features: usize, n_outputs: usize, kinds: usize, n_splits: usize) -> Tree {
    let mut tree = Tree { nodes: vec![Node::Leaf { votes: 0..0 }], votes: Vec::new() };
    for _ in 0..n_splits {
        let leaves: Vec<usize> =
            (0..tree.nodes.len()).filter(|at| matches!(tree.nodes[*at], Node::Leaf { .. })).collect();
        let at = leaves[numbers.below(leaves.len())];
        let yes = tree.nodes.len() as u32;
        let (feature, test, missing_yes) =
            (numbers.below(n_features) as u32, test(numbers, kinds), numbers.below(2) == 0);
        tree.nodes[at] = Node::Split(Split { feature, test, yes, no: yes + 1, missing_yes });
        tree.nodes.extend([Node::Leaf { votes: 0..0 }, Node::Leaf { votes: 0..0 }]);
    }
    for node in &mut tree.nodes {
        if let Node::Leaf { votes } = node {
            let start = tree.votes.len() as u32;
            for _ in 0..numbers.below(3) {
                tree.votes.push((numbers.below(n_outputs) as u32, numbers.below(1000) as f64 / 7.0 - 70.0));
            }
            *votes = start..tree.votes.len() as u32;
        }
    }
    tree
}
