//! A leaf as a game: who has a test on its path, and which values agree with all of a player's tests.
//!
//! A leaf of value v pays v if every player on its path agrees, so only the pattern of agreement matters.

use super::cover::Cover;
use super::ensemble::Ensemble;
use crate::forest::cuts::{LocalBins, as_split};
use crate::forest::{Node, Tree};
use smallvec::SmallVec;
use std::ops::Range;

/// One leaf that votes, with the tests on its path collected by feature.
#[derive(Debug, Clone)]
pub(super) struct LeafGame {
    /// Range of the tree's votes.
    pub votes: Range<u32>,
    /// Distinct players on the path, ascending.
    pub players: SmallVec<[u32; 8]>,
    /// Product of the cover shares of each player's edges; 1 where no cover is given.
    pub covers: SmallVec<[f64; 8]>,
    /// One per feature on the path, ascending by feature.
    pub axes: SmallVec<[LeafAxis; 6]>,
}

/// The tests of one feature on a leaf's path.
#[derive(Debug, Clone)]
pub(super) struct LeafAxis {
    /// Index into the tree's `LocalBins`.
    pub feature: usize,
    /// Index into the leaf's `players`.
    pub player: usize,
    /// For each bin of the feature, whether it passes all these tests.
    pub agrees: SmallVec<[bool; 16]>,
}

/// One leaf that votes, with the edges on its path.
#[derive(Debug, Clone)]
pub(super) struct LeafPath {
    /// Range of the tree's votes.
    pub votes: Range<u32>,
    /// Distinct players on the path, ascending.
    pub players: SmallVec<[u32; 8]>,
    pub edges: Vec<PlayerEdge>,
}

/// An edge with the place of its player among the path's players.
#[derive(Debug, Clone, Copy)]
pub(super) struct PlayerEdge {
    pub split: u32,
    pub player: u32,
    pub yes: bool,
}

/// One edge of a path: the split above and the side taken.
#[derive(Debug, Clone, Copy)]
struct Edge {
    split: usize,
    yes: bool,
    share: f64,
}

/// The bins of a tree and its leaves that vote for anything, in depth-first order, `yes` first.
pub(super) fn leaf_games(ensemble: &Ensemble, tree: usize, cover: Option<&Cover>) -> (Vec<LocalBins>, Vec<LeafGame>) {
    let grown = &ensemble.forest.trees[tree];
    let bins = LocalBins::of(grown.nodes.iter().filter_map(as_split));
    let feature_at = |feature: u32| bins.partition_point(|local| local.feature < feature);
    let yes_bins: Vec<Option<(usize, Vec<bool>)>> = (grown.nodes.iter())
        .map(|node| as_split(node).map(|split| feature_at(split.feature)).zip(as_split(node)))
        .map(|found| found.map(|(feature, split)| (feature, bins[feature].takes_yes(split))))
        .collect();
    let mut games = Vec::new();
    for_each_leaf(
        grown,
        |yes, no| cover.map_or((1.0, 1.0), |cover| cover.shares(tree, yes, no)),
        |path, votes| {
            let mut axes: SmallVec<[LeafAxis; 6]> = SmallVec::new();
            let mut covers: SmallVec<[(u32, f64); 8]> = SmallVec::new();
            for edge in path {
                let Some((feature, takes_yes)) = &yes_bins[edge.split] else { continue };
                let player = ensemble.players[bins[*feature].feature as usize];
                multiply_share(&mut covers, player, edge.share);
                restrict_axis(&mut axes, *feature, takes_yes, edge.yes);
            }
            axes.sort_by_key(|axis| axis.feature);
            covers.sort_by_key(|(player, _)| *player);
            for axis in &mut axes {
                let player = ensemble.players[bins[axis.feature].feature as usize];
                axis.player = covers.partition_point(|(other, _)| *other < player);
            }
            let (players, covers) = covers.into_iter().unzip();
            games.push(LeafGame { votes, players, covers, axes });
        },
    );
    (bins, games)
}

/// The leaves of a tree that vote for anything, in the order of [`leaf_games`].
pub(super) fn leaf_paths(ensemble: &Ensemble, tree: usize) -> Vec<LeafPath> {
    let grown = &ensemble.forest.trees[tree];
    let player = |edge: &Edge| match &grown.nodes[edge.split] {
        Node::Split(split) => ensemble.players[split.feature as usize],
        Node::Leaf { .. } => 0,
    };
    let mut found = Vec::new();
    for_each_leaf(
        grown,
        |_, _| (1.0, 1.0),
        |path, votes| {
            let mut players: SmallVec<[u32; 8]> = path.iter().map(player).collect();
            players.sort_unstable();
            players.dedup();
            let place = |edge: &Edge| players.partition_point(|other| *other < player(edge)) as u32;
            let edge = |edge: &Edge| PlayerEdge { split: edge.split as u32, player: place(edge), yes: edge.yes };
            let edges = path.iter().map(edge).collect();
            found.push(LeafPath { votes, players, edges });
        },
    );
    found
}

fn multiply_share(covers: &mut SmallVec<[(u32, f64); 8]>, player: u32, share: f64) {
    match covers.iter_mut().find(|(other, _)| *other == player) {
        Some((_, product)) => *product *= share,
        None => covers.push((player, share)),
    }
}

fn restrict_axis(axes: &mut SmallVec<[LeafAxis; 6]>, feature: usize, takes_yes: &[bool], yes: bool) {
    match axes.iter_mut().find(|axis| axis.feature == feature) {
        Some(axis) => axis.agrees.iter_mut().zip(takes_yes).for_each(|(agrees, takes)| *agrees &= *takes == yes),
        None => {
            let agrees = takes_yes.iter().map(|takes| *takes == yes).collect();
            axes.push(LeafAxis { feature, player: 0, agrees });
        }
    }
}

/// Visits the leaves that vote, with the edges above each; a lone leaf attributes nothing.
fn for_each_leaf(tree: &Tree, shares: impl Fn(usize, usize) -> (f64, f64), mut visit: impl FnMut(&[Edge], Range<u32>)) {
    let mut path: Vec<Edge> = Vec::new();
    let mut open: Vec<(usize, usize, Option<Edge>)> = vec![(0, 0, None)];
    while let Some((at, depth, edge)) = open.pop() {
        path.truncate(depth.saturating_sub(1));
        path.extend(edge);
        match &tree.nodes[at] {
            Node::Leaf { votes } if votes.is_empty() || path.is_empty() => {}
            Node::Leaf { votes } => visit(&path, votes.clone()),
            Node::Split(split) => {
                let (yes, no) = (split.yes as usize, split.no as usize);
                let (to_yes, to_no) = shares(yes, no);
                open.push((no, depth + 1, Some(Edge { split: at, yes: false, share: to_no })));
                open.push((yes, depth + 1, Some(Edge { split: at, yes: true, share: to_yes })));
            }
        }
    }
}

/// Features tested on the way to each leaf that votes, from the root, with repetitions.
pub(super) fn for_each_path(tree: &Tree, mut visit: impl FnMut(&[u32])) {
    let mut features = Vec::new();
    for_each_leaf(
        tree,
        |_, _| (1.0, 1.0),
        |path, _| {
            features.clear();
            features
                .extend(path.iter().filter_map(|edge| as_split(&tree.nodes[edge.split])).map(|split| split.feature));
            visit(&features);
        },
    );
}

/// Most distinct players on a path to a leaf of `tree`.
pub(super) fn most_players(ensemble: &Ensemble, tree: usize) -> usize {
    let mut most = 0;
    for_each_path(&ensemble.forest.trees[tree], |path| {
        let mut players: Vec<u32> = path.iter().map(|feature| ensemble.players[*feature as usize]).collect();
        players.sort_unstable();
        players.dedup();
        most = most.max(players.len());
    });
    most
}
