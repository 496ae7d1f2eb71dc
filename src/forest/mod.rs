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
    /// From one row's margins to what the model reports, in place.
    pub fn apply(self, row: &mut [f64]) {
        match self {
            Link::Identity => {}
            Link::Logistic => row.iter_mut().for_each(|z| *z = logistic(*z)),
            Link::Softmax => softmax(row, |_| false),
            // Scores this close to 0 count as "no score" (the runtime's bound).
            Link::SoftmaxZero => softmax(row, |z| z.abs() <= 1e-7),
            Link::Probit => row.iter_mut().for_each(|z| *z = probit(*z)),
        }
    }

    /// Whether each margin is linked without the others.
    pub fn is_elementwise(self) -> bool {
        matches!(self, Link::Identity | Link::Logistic | Link::Probit)
    }
}

fn logistic(z: f64) -> f64 {
    1.0 / (1.0 + (-z).exp())
}

fn softmax(row: &mut [f64], stays_zero: impl Fn(f64) -> bool) {
    let largest = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    row.iter_mut().for_each(|z| *z = if stays_zero(*z) { 0.0 } else { (*z - largest).exp() });
    let total: f64 = row.iter().sum();
    row.iter_mut().for_each(|weight| *weight /= total);
}

/// √2 · erf⁻¹(2p − 1) with ONNX Runtime's approximation of erf⁻¹ (Winitzki, a = 0.147).
fn probit(p: f64) -> f64 {
    let x = 2.0 * p - 1.0;
    let log = ((1.0 - x) * (1.0 + x)).ln();
    let v = 2.0 / (std::f64::consts::PI * 0.147) + 0.5 * log;
    let root = (-v + (v * v - log / 0.147).sqrt()).sqrt();
    std::f64::consts::SQRT_2 * if x < 0.0 { -root } else { root }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn linked<const N: usize>(link: Link, mut row: [f64; N]) -> [f64; N] {
        link.apply(&mut row);
        row
    }

    #[test]
    fn softmax_does_not_overflow_and_softmax_zero_keeps_zeros() {
        assert_eq!(linked(Link::Softmax, [1000.0, 1000.0]), [0.5, 0.5]);
        assert_eq!(linked(Link::SoftmaxZero, [3.0, 0.0, 3.0]), [0.5, 0.0, 0.5]);
    }

    #[test]
    fn the_logistic_function_is_the_softmax_beside_zero_and_does_not_overflow() {
        for z in [-700.0, -1.0, 0.0, 2.5, 700.0] {
            let [of_two, _] = linked(Link::Softmax, [z, 0.0]);
            let [alone] = linked(Link::Logistic, [z]);
            assert!((alone - of_two).abs() <= 1e-15 * of_two, "{alone} is not {of_two}");
        }
        assert_eq!(linked(Link::Logistic, [-1000.0, 1000.0]), [0.0, 1.0]);
    }

    #[test]
    fn probit_is_close_to_the_normal_quantile() {
        assert!((probit(0.975) - 1.959964).abs() < 0.01);
        assert!((probit(0.5)).abs() < 1e-3);
        assert_eq!(probit(0.3), -probit(0.7));
    }
}
