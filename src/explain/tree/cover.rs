//! How much of the training data (or of a background) passed through each node.

use super::TreeError;
use super::ensemble::Ensemble;
use crate::forest::cuts::Cuts;
use crate::forest::sides::count_nodes;
use crate::forest::simd::Simd;
use crate::forest::{Forest, Node, Tree};
use ndarray::ArrayView2;
use rayon::prelude::*;

/// Weight of the rows that reached each node: `nodes[tree][node]`, any unit. Only ratios between siblings matter.
#[derive(Debug, Clone, PartialEq)]
pub struct Cover {
    nodes: Vec<Vec<f64>>,
}

impl Cover {
    /// Cover as given by the training framework, `nodes[tree][node]`.
    ///
    /// # Errors
    /// A list of another length than the forest's trees or a tree's nodes, or a cover that is negative or not finite.
    pub fn new(forest: &Forest, nodes: Vec<Vec<f64>>) -> Result<Self, TreeError> {
        let cover = Self { nodes };
        cover.check(forest)?;
        for (tree, covers) in cover.nodes.iter().enumerate() {
            if let Some(node) = covers.iter().position(|cover| !(cover.is_finite() && *cover >= 0.0)) {
                return Err(TreeError::CoverValue { tree, node, found: covers[node] });
            }
        }
        Ok(cover)
    }

    /// Cover re-counted by sending `rows` `[rows × n_features]` through every tree.
    ///
    /// # Errors
    /// Rows of another width than the forest's.
    pub fn count(forest: &Forest, rows: ArrayView2<f64>) -> Result<Self, TreeError> {
        super::check_width(forest, rows.view())?;
        Ensemble::check(forest)?;
        let cuts = Cuts::of(forest);
        let bins = cuts.quantise_parallel(rows);
        let count =
            |tree: &Tree| count_nodes(tree, &cuts, &bins, Simd::detect()).into_iter().map(|n| n as f64).collect();
        Ok(Self { nodes: forest.trees.par_iter().map(count).collect() })
    }

    /// Refuses a forest of another shape.
    pub(super) fn check(&self, forest: &Forest) -> Result<(), TreeError> {
        if self.nodes.len() != forest.trees.len() {
            return Err(TreeError::CoverTrees { found: self.nodes.len(), expected: forest.trees.len() });
        }
        let mut shapes = self.nodes.iter().zip(&forest.trees).map(|(nodes, tree)| (nodes.len(), tree.nodes.len()));
        match shapes.position(|(found, expected)| found != expected) {
            Some(tree) => {
                let expected = forest.trees[tree].nodes.len();
                Err(TreeError::CoverNodes { tree, found: self.nodes[tree].len(), expected })
            }
            None => Ok(()),
        }
    }

    /// Cover-weighted mean of the margins, one per output.
    pub(super) fn mean_margin(&self, forest: &Forest) -> Vec<f64> {
        let mut means = forest.base.clone();
        for (index, tree) in forest.trees.iter().enumerate() {
            let mut reach = vec![1.0; tree.nodes.len()];
            for (at, node) in tree.nodes.iter().enumerate() {
                match node {
                    Node::Split(split) => {
                        let (yes, no) = (split.yes as usize, split.no as usize);
                        let shares = self.shares(index, yes, no);
                        (reach[yes], reach[no]) = (reach[at] * shares.0, reach[at] * shares.1);
                    }
                    Node::Leaf { votes } => (tree.votes[votes.start as usize..votes.end as usize].iter())
                        .for_each(|(output, vote)| means[*output as usize] += reach[at] * vote),
                }
            }
        }
        means
    }

    /// Share of a split's rows that went to `yes` and to `no`; they sum to 1. A split that nothing reached sends half
    /// to either side: the limit of giving each branch the same tiny weight.
    pub(super) fn shares(&self, tree: usize, yes: usize, no: usize) -> (f64, f64) {
        let (yes, no) = (self.nodes[tree][yes], self.nodes[tree][no]);
        let both = yes + no;
        if both > 0.0 { (yes / both, no / both) } else { (0.5, 0.5) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explain::tree::testing::stump;
    use ndarray::array;

    #[test]
    fn rows_are_counted_on_the_side_they_take() {
        let forest = stump(1.0, [-1.0, 1.0]);
        let cover = Cover::count(&forest, array![[0.0], [1.0], [2.0], [f64::NAN]].view()).unwrap();
        assert_eq!(cover.nodes, vec![vec![4.0, 2.0, 2.0]]);
        assert_eq!(cover.shares(0, 1, 2), (0.5, 0.5));
    }

    #[test]
    fn an_unreached_split_sends_half_to_either_side() {
        let cover = Cover::new(&stump(1.0, [0.0, 1.0]), vec![vec![0.0; 3]]).unwrap();
        assert_eq!(cover.shares(0, 1, 2), (0.5, 0.5));
    }

    #[test]
    fn cover_of_another_shape_is_refused() {
        let forest = stump(1.0, [0.0, 1.0]);
        assert!(matches!(Cover::new(&forest, vec![]), Err(TreeError::CoverTrees { found: 0, expected: 1 })));
        assert!(matches!(Cover::new(&forest, vec![vec![1.0]]), Err(TreeError::CoverNodes { tree: 0, .. })));
        let negative = Cover::new(&forest, vec![vec![1.0, -1.0, 2.0]]);
        assert!(matches!(negative, Err(TreeError::CoverValue { tree: 0, node: 1, .. })));
    }
}
