//! The forest as the engines see it: checked, only the outputs asked for, features mapped to players.

use super::TreeError;
use crate::forest::cuts::{Bins, Cuts};
use crate::forest::sides::count_nodes;
use crate::forest::simd::Simd;
use crate::forest::{Forest, Node, Tree};
use rayon::prelude::*;

/// Deepest path an engine walks; real forests stay far below.
const DEEPEST: usize = 1000;

/// Which player each forest feature belongs to.
#[derive(Debug, Clone, Copy)]
pub struct Players<'a> {
    /// `[n_features]`: player of each forest feature.
    pub of_feature: &'a [u32],
    pub n_players: usize,
}

/// A checked forest whose votes are renumbered to the outputs asked for.
#[derive(Debug, Clone)]
pub(super) struct Ensemble {
    pub forest: Forest,
    /// Player of each forest feature.
    pub players: Vec<u32>,
    pub n_players: usize,
}

impl Ensemble {
    pub fn new(forest: &Forest, players: &Players, outputs: &[usize]) -> Result<Self, TreeError> {
        check_players(forest, players)?;
        if let Some(output) = outputs.iter().find(|output| **output >= forest.n_outputs) {
            return Err(TreeError::Output { found: *output, n_outputs: forest.n_outputs });
        }
        Self::check(forest)?;
        let trees = forest.trees.iter().map(|tree| with_outputs(tree, outputs)).collect();
        let base = outputs.iter().map(|output| forest.base[*output]).collect();
        let forest = Forest { n_outputs: outputs.len(), base, trees, ..forest_frame(forest) };
        Ok(Self { forest, players: players.of_feature.to_vec(), n_players: players.n_players })
    }

    /// Refuses a forest that cannot be walked.
    pub fn check(forest: &Forest) -> Result<(), TreeError> {
        (forest.trees.iter().enumerate()).try_for_each(|(index, tree)| check_tree(forest, index, tree))
    }

    /// Mean margins over quantised rows: each leaf's votes by the share of rows that reach it.
    pub fn mean_margin(&self, cuts: &Cuts, rows: &Bins) -> Vec<f64> {
        let of_tree = |tree: &Tree| {
            let mut sums = vec![0.0; self.n_outputs()];
            for (node, count) in tree.nodes.iter().zip(count_nodes(tree, cuts, rows, Simd::detect())) {
                let Node::Leaf { votes } = node else { continue };
                let share = count as f64 / rows.n_rows as f64;
                let votes = &tree.votes[votes.start as usize..votes.end as usize];
                votes.iter().for_each(|(output, vote)| sums[*output as usize] += vote * share);
            }
            sums
        };
        let of_trees: Vec<Vec<f64>> = self.forest.trees.par_iter().map(of_tree).collect();
        let mut means = self.forest.base.clone();
        of_trees.iter().for_each(|sums| means.iter_mut().zip(sums).for_each(|(mean, sum)| *mean += sum));
        means
    }

    pub fn n_outputs(&self) -> usize {
        self.forest.n_outputs
    }

    /// Margins of rows `[rows × n_features]`, flat `[rows × outputs]`.
    pub fn margins(&self, rows: ndarray::ArrayView2<f64>) -> Vec<f64> {
        let n_outputs = self.n_outputs();
        let mut margins = vec![0.0; rows.nrows() * n_outputs];
        let mut values = vec![0.0; self.forest.n_features];
        for (row, out) in rows.rows().into_iter().zip(margins.chunks_mut(n_outputs.max(1))) {
            values.iter_mut().zip(row).for_each(|(value, x)| *value = *x);
            self.forest.margin(&values, out);
        }
        margins
    }
}

fn forest_frame(forest: &Forest) -> Forest {
    Forest { n_features: forest.n_features, n_outputs: 0, base: vec![], trees: vec![], link: forest.link }
}

fn check_players(forest: &Forest, players: &Players) -> Result<(), TreeError> {
    if players.of_feature.len() != forest.n_features {
        return Err(TreeError::PlayerMap { found: players.of_feature.len(), expected: forest.n_features });
    }
    match players.of_feature.iter().position(|player| *player as usize >= players.n_players) {
        Some(feature) => {
            Err(TreeError::Player { feature, found: players.of_feature[feature], n_players: players.n_players })
        }
        None => Ok(()),
    }
}

/// Children stand behind their parent and have one parent; features, votes and outputs exist; paths are not too long.
fn check_tree(forest: &Forest, index: usize, tree: &Tree) -> Result<(), TreeError> {
    let malformed = |node: usize, what: &'static str| TreeError::Malformed { tree: index, node, what };
    if tree.nodes.is_empty() {
        return Err(malformed(0, "the tree has no nodes"));
    }
    let mut depth: Vec<Option<usize>> = vec![None; tree.nodes.len()];
    depth[0] = Some(0);
    for (at, node) in tree.nodes.iter().enumerate() {
        match node {
            Node::Leaf { votes } => {
                let votes = tree.votes.get(votes.start as usize..votes.end as usize);
                let votes = votes.ok_or_else(|| malformed(at, "the leaf's votes do not exist"))?;
                if votes.iter().any(|(output, _)| *output as usize >= forest.n_outputs) {
                    return Err(malformed(at, "the leaf votes for an output that does not exist"));
                }
            }
            Node::Split(split) => {
                if split.feature as usize >= forest.n_features {
                    return Err(malformed(at, "the split tests a feature that does not exist"));
                }
                for child in [split.yes as usize, split.no as usize] {
                    if child <= at || child >= tree.nodes.len() || depth[child].is_some() {
                        return Err(malformed(at, "a child does not exist, stands before it or has two parents"));
                    }
                    depth[child] = depth[at].map(|above| above + 1);
                }
            }
        }
        if depth[at].is_some_and(|depth| depth > DEEPEST) {
            return Err(TreeError::TooDeep { tree: index, limit: DEEPEST });
        }
    }
    Ok(())
}

/// The tree with only the votes for `outputs`, renumbered to their positions; votes of zero are dropped.
fn with_outputs(tree: &Tree, outputs: &[usize]) -> Tree {
    let mut votes = Vec::new();
    let mut keep = |node: &Node| match node {
        Node::Split(_) => node.clone(),
        Node::Leaf { votes: range } => {
            let start = votes.len() as u32;
            for (output, value) in &tree.votes[range.start as usize..range.end as usize] {
                let places = outputs.iter().enumerate().filter(|(_, asked)| **asked == *output as usize);
                votes.extend(places.filter(|_| *value != 0.0).map(|(place, _)| (place as u32, *value)));
            }
            Node::Leaf { votes: start..votes.len() as u32 }
        }
    };
    let nodes = tree.nodes.iter().map(&mut keep).collect();
    Tree { nodes, votes }
}
