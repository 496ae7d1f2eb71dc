//! Where attributed values are kept: one slot per player, then one per pair of players that share a path.

use super::Interactions;
use super::ensemble::Ensemble;
use super::kernel::LANES;
use super::pattern::Target;
use crate::forest::{Node, Tree};
use ndarray::Array3;
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// Slots of one output: players first, then pairs `(a, b)` with a < b.
#[derive(Debug, Clone)]
pub(super) struct Slots {
    pub n_players: usize,
    pub n_outputs: usize,
    pairs: BTreeMap<(u32, u32), u32>,
}

impl Slots {
    pub fn new(ensemble: &Ensemble, target: Target) -> Self {
        let pairs = match target {
            Target::Players => BTreeSet::new(),
            Target::Pairs => pairs_on_paths(ensemble),
        };
        let first = ensemble.n_players as u32;
        Self {
            n_players: ensemble.n_players,
            n_outputs: ensemble.n_outputs(),
            pairs: pairs.into_iter().zip(first..).collect(),
        }
    }

    pub fn target(&self) -> Target {
        if self.pairs.is_empty() { Target::Players } else { Target::Pairs }
    }

    /// Slots of one output.
    pub fn len(&self) -> usize {
        self.n_players + self.pairs.len()
    }

    /// Slot of a pair, a < b; `None` if they share no path.
    pub fn pair(&self, a: u32, b: u32) -> Option<u32> {
        self.pairs.get(&(a, b)).copied()
    }

    /// Interactions from the slots' values `[rows × outputs × slots]`: a main effect is what a player's value leaves
    /// when half of each of its pairs is taken away.
    pub fn interactions(&self, n_rows: usize, found: &[f64]) -> Interactions {
        let mut pairs: Vec<(u32, u32)> = (0..self.n_players as u32).map(|player| (player, player)).collect();
        pairs.extend(self.pairs.keys());
        let mut order: Vec<usize> = (0..pairs.len()).collect();
        order.sort_unstable_by_key(|slot| pairs[*slot]);
        let mut values = Array3::zeros((n_rows, self.n_outputs, self.len()));
        let of_outputs = values.rows_mut().into_iter().zip(found.chunks(self.len().max(1)));
        for (mut values, found) in of_outputs {
            let mut all = found.to_vec();
            for (pair, slot) in &self.pairs {
                all[pair.0 as usize] -= 0.5 * found[*slot as usize];
                all[pair.1 as usize] -= 0.5 * found[*slot as usize];
            }
            values.iter_mut().zip(&order).for_each(|(value, slot)| *value = all[*slot]);
        }
        Interactions { pairs: order.into_iter().map(|slot| pairs[slot]).collect(), values }
    }

    /// Registers that one output's slots take in a row of sums.
    pub fn lines(&self) -> usize {
        self.len().div_ceil(LANES)
    }

    /// Numbers of a row without padding.
    pub fn row(&self) -> usize {
        self.n_outputs * self.len()
    }
}

fn pairs_on_paths(ensemble: &Ensemble) -> BTreeSet<(u32, u32)> {
    // Most pairs are met many times: a hash is quicker to ask than an order.
    let mut pairs = HashSet::new();
    ensemble.forest.trees.iter().for_each(|tree| add_pairs(ensemble, tree, &mut pairs));
    pairs.into_iter().collect()
}

/// Pairs whose later split stands below the earlier one's; leaves without votes do not count.
fn add_pairs(ensemble: &Ensemble, tree: &Tree, pairs: &mut HashSet<(u32, u32)>) {
    let votes = votes_below(tree);
    let mut above: Vec<u32> = Vec::new();
    let mut open = vec![(0, 0)];
    while let Some((at, depth)) = open.pop() {
        above.truncate(depth);
        let Node::Split(split) = &tree.nodes[at] else { continue };
        if !votes[at] {
            continue;
        }
        let player = ensemble.players[split.feature as usize];
        let apart = above.iter().filter(|other| **other != player);
        pairs.extend(apart.map(|other| (player.min(*other), player.max(*other))));
        above.push(player);
        open.push((split.yes as usize, depth + 1));
        open.push((split.no as usize, depth + 1));
    }
}

/// Whether any leaf at or below each node votes.
fn votes_below(tree: &Tree) -> Vec<bool> {
    let mut votes = vec![false; tree.nodes.len()];
    for (at, node) in tree.nodes.iter().enumerate().rev() {
        votes[at] = match node {
            Node::Leaf { votes } => !votes.is_empty(),
            Node::Split(split) => votes[split.yes as usize] || votes[split.no as usize],
        };
    }
    votes
}
