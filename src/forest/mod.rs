//! Tree ensembles in one intermediate form. Knows no ONNX; the algorithms in `explain::tree` know nothing else.
//!
//! A forest's margin for output o is `base[o] + Σ_trees leaf(o)`: averages are folded into the leaf values at import.

pub(crate) mod cuts;
mod flat;
pub(crate) mod logistic;
pub(crate) mod profiles;
pub(crate) mod sides;
pub(crate) mod simd;
#[cfg(test)]
mod testing;

pub use flat::FlatForest;

/// An additive tree ensemble over a dense row of `n_features` numbers (NaN = missing).
#[derive(Debug, Clone, PartialEq)]
pub struct Forest {
    pub n_features: usize,
    pub n_outputs: usize,
    /// Added to the sum of leaves, one per output.
    pub base: Vec<f64>,
    pub trees: Vec<Tree>,
    /// From margins to what the model reports.
    pub link: Link,
}

/// A binary tree; node 0 is the root, children stand behind their parent.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Tree {
    pub nodes: Vec<Node>,
    /// Leaf contributions, pooled: `(output, value)`.
    pub votes: Vec<(u32, f64)>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Node {
    Split(Split),
    /// Range of `Tree::votes`; empty contributes nothing.
    Leaf {
        votes: std::ops::Range<u32>,
    },
}

#[derive(Debug, Clone, PartialEq)]
pub struct Split {
    pub feature: u32,
    pub test: Test,
    /// Child where the test holds.
    pub yes: u32,
    /// Child where it does not.
    pub no: u32,
    /// A missing value (NaN) goes to `yes`.
    pub missing_yes: bool,
}

/// `x OP value`. Values are f32 or f64 of the file, widened: rows must be rounded to the model's own type first.
#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    Leq(f64),
    Lt(f64),
    Gte(f64),
    Gt(f64),
    Eq(f64),
    Neq(f64),
    /// Membership in a sorted set.
    Member(Box<[f64]>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    Identity,
    Logistic,
    Softmax,
    /// Softmax that leaves exact zeros at zero (ONNX `SOFTMAX_ZERO`).
    SoftmaxZero,
    Probit,
}

impl Split {
    /// Whether a row with value `x` of this split's feature takes the `yes` branch.
    #[inline]
    pub fn takes_yes(&self, x: f64) -> bool {
        if x.is_nan() {
            return self.missing_yes;
        }
        self.test.holds(x)
    }
}

impl Test {
    /// Whether a number (not NaN) satisfies the test.
    #[inline]
    pub fn holds(&self, x: f64) -> bool {
        match self {
            Test::Leq(value) => x <= *value,
            Test::Lt(value) => x < *value,
            Test::Gte(value) => x >= *value,
            Test::Gt(value) => x > *value,
            Test::Eq(value) => x == *value,
            Test::Neq(value) => x != *value,
            Test::Member(values) => values.contains(&x),
        }
    }
}

impl Tree {
    /// The leaf that a row reaches, as a node index.
    #[inline]
    pub fn leaf(&self, row: &[f64]) -> usize {
        let mut at = 0;
        while let Node::Split(split) = &self.nodes[at] {
            let yes = split.takes_yes(row[split.feature as usize]);
            at = (if yes { split.yes } else { split.no }) as usize;
        }
        at
    }

    pub fn n_leaves(&self) -> usize {
        self.nodes.iter().filter(|node| matches!(node, Node::Leaf { .. })).count()
    }

    /// Edges on the longest path; 0 for a single leaf.
    pub fn depth(&self) -> usize {
        let mut depth = vec![0; self.nodes.len()];
        let mut deepest = 0;
        for (at, node) in self.nodes.iter().enumerate() {
            deepest = deepest.max(depth[at]);
            if let Node::Split(split) = node {
                depth[split.yes as usize] = depth[at] + 1;
                depth[split.no as usize] = depth[at] + 1;
            }
        }
        deepest
    }
}

impl Forest {
    /// Margins of one row, `[n_outputs]`.
    pub fn margin(&self, row: &[f64], out: &mut [f64]) {
        out.copy_from_slice(&self.base);
        for tree in &self.trees {
            if let Node::Leaf { votes } = &tree.nodes[tree.leaf(row)] {
                for (output, value) in &tree.votes[votes.start as usize..votes.end as usize] {
                    out[*output as usize] += value;
                }
            }
        }
    }

    pub fn n_leaves(&self) -> usize {
        self.trees.iter().map(Tree::n_leaves).sum()
    }

    pub fn depth(&self) -> usize {
        self.trees.iter().map(Tree::depth).max().unwrap_or(0)
    }
}

impl Link {
    /// From one row's margins to what the model reports, in place. With one margin, softmax is the logistic function.
    pub fn apply(self, row: &mut [f64]) {
        match self {
            Link::Identity => {}
            Link::Logistic => row.iter_mut().for_each(|z| *z = logistic(*z)),
            Link::Softmax | Link::SoftmaxZero if row.len() == 1 => row[0] = logistic(row[0]),
            Link::Softmax => softmax(row, |_| true),
            Link::SoftmaxZero => softmax(row, |z| z != 0.0),
            Link::Probit => row.iter_mut().for_each(|z| *z = probit(*z)),
        }
    }
}

fn logistic(z: f64) -> f64 {
    if z >= 0.0 { 1.0 / (1.0 + (-z).exp()) } else { z.exp() / (1.0 + z.exp()) }
}

/// Softmax over the entries that `counts`; the others stay as they are.
fn softmax(row: &mut [f64], counts: impl Fn(f64) -> bool) {
    let largest = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let exponential = |z: f64| if counts(z) { (z - largest).exp() } else { 0.0 };
    let sum: f64 = row.iter().map(|z| exponential(*z)).sum();
    row.iter_mut().for_each(|z| *z = exponential(*z) / sum);
}

/// ONNX Runtime's PROBIT: √2 · erf⁻¹(2z − 1), with Winitzki's approximation of erf⁻¹ (a = 0.147).
fn probit(z: f64) -> f64 {
    let x = 2.0 * z - 1.0;
    let sign = if x < 0.0 { -1.0 } else { 1.0 };
    let log = ((1.0 - x) * (1.0 + x)).ln();
    let v = 2.0 / (std::f64::consts::PI * 0.147) + 0.5 * log;
    let v2 = 1.0 / 0.147 * log;
    std::f64::consts::SQRT_2 * sign * (-v + (v * v - v2).sqrt()).sqrt()
}
