//! A tree laid out for profiles: depth first, with the values of each column that reach a leaf as runs between edges.

use super::terms::Terms;
use super::{Owners, Place};
use crate::forest::cuts::Cuts;
use crate::forest::sides::Switch;
use crate::forest::{Node, Tree};
use std::ops::Range;

#[derive(Debug, Clone)]
pub(super) struct ProfileTree {
    /// Depth first, `yes` first.
    pub nodes: Vec<ProfileNode>,
    pub edges: Vec<Edge>,
    pub terms: Terms,
    pub votes: Vec<(u32, f64)>,
    /// Masks that a node needs: two, and one for every column on its path.
    pub stride: usize,
    depth: usize,
}

#[derive(Debug, Clone)]
pub(super) struct ProfileNode {
    pub depth: u32,
    /// It is the `yes` child of the node above.
    pub is_yes: bool,
    /// Columns on the path to the node above.
    pub inherited: u32,
    /// Of them (or the next), the one that the node above tests.
    pub tested: Option<u32>,
    /// First node behind all below this one.
    pub end: u32,
    pub kind: Kind,
}

#[derive(Debug, Clone)]
pub(super) enum Kind {
    Split(Switch),
    Leaf { votes: Range<u32>, edges: Range<u32>, first_cell: u32 },
}

/// Where a leaf's part of a column's curve begins or ends: its value is added to, or taken from, a difference of some rows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Edge {
    /// Place of the difference.
    pub at: u32,
    /// The column's mask.
    pub slot: u16,
    pub rows: Rows,
    pub falls: bool,
}

impl Edge {
    /// What a leaf of this value adds.
    #[inline(always)]
    pub fn signed(&self, value: f64) -> f64 {
        if self.falls { -value } else { value }
    }
}

/// Whose curves an edge is part of. The first bit says whether rows that pass the tests of other columns count, the second
/// whether those among them that pass the column's own tests as well change sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Rows {
    /// All that pass the tests of other columns.
    Open = 0b01,
    /// Of them, those that pass the column's own tests: the margin has the leaf's value already.
    Passed = 0b10,
    /// Of them, those that do not.
    Missed = 0b11,
}

/// A column on the path: which, and its values that pass, a bit each.
type Passing = (usize, Vec<u64>);

/// A node to lay out, or the end of a split's subtree.
enum Open {
    Node { at: usize, depth: usize, above: Option<Above> },
    End { split: usize },
}

/// The side of the split above that a node is on.
#[derive(Clone, Copy)]
struct Above {
    split: usize,
    is_yes: bool,
}

impl ProfileTree {
    pub fn new(tree: &Tree, cuts: &Cuts, owners: &Owners, places: &[Place]) -> Self {
        let nodes = Vec::with_capacity(tree.nodes.len());
        let votes = tree.votes.clone();
        let mut laid = Self { nodes, edges: vec![], terms: Terms::default(), votes, stride: 2, depth: tree.depth() };
        // By depth, the columns on the path to the node that is being laid out.
        let mut paths: Vec<Vec<Passing>> = vec![Vec::new(); laid.depth + 1];
        let mut open = vec![Open::Node { at: 0, depth: 0, above: None }];
        while let Some(next) = open.pop() {
            let (at, depth, above) = match next {
                Open::Node { at, depth, above } => (at, depth, above),
                Open::End { split } => {
                    laid.nodes[split].end = laid.nodes.len() as u32;
                    continue;
                }
            };
            let own = laid.nodes.len();
            let (inherited, tested) = descend(&mut paths, depth, above, tree, owners);
            laid.stride = laid.stride.max(2 + paths[depth].len());
            let kind = match &tree.nodes[at] {
                Node::Leaf { votes } => laid.leaf(votes.clone(), &paths[depth], places),
                Node::Split(split) => {
                    open.push(Open::End { split: own });
                    let above = |is_yes| Some(Above { split: at, is_yes });
                    open.push(Open::Node { at: split.no as usize, depth: depth + 1, above: above(false) });
                    open.push(Open::Node { at: split.yes as usize, depth: depth + 1, above: above(true) });
                    Kind::Split(Switch::of(split, cuts))
                }
            };
            let is_yes = above.is_some_and(|above| above.is_yes);
            let end = own as u32 + 1;
            laid.nodes.push(ProfileNode { depth: depth as u32, is_yes, inherited, tested, end, kind });
        }
        laid.terms = Terms::of(&mut laid);
        laid
    }

    pub fn n_masks(&self) -> usize {
        (self.depth + 1) * self.stride
    }

    /// Keeps what a leaf needs of its path: the edges of the runs of values that pass. The margin, which every curve begins
    /// with, has the leaf's value for rows that reach it, so a run from the first value on adds it for the others alone, and
    /// without such a run it is taken away. Nothing is read behind the last value.
    fn leaf(&mut self, votes: Range<u32>, path: &[Passing], places: &[Place]) -> Kind {
        let from = self.edges.len() as u32;
        for (slot, (axis, passing)) in path.iter().enumerate() {
            let Place { first, n_points } = places[*axis];
            let edge = |at: usize, rows, falls| Edge { at: (first + at) as u32, slot: slot as u16, rows, falls };
            let mut begins = false;
            for run in runs(passing, n_points) {
                begins |= run.start == 0;
                let rows = if run.start == 0 { Rows::Missed } else { Rows::Open };
                self.edges.push(edge(run.start, rows, false));
                self.edges.extend((run.end < n_points).then(|| edge(run.end, Rows::Open, true)));
            }
            self.edges.extend((!begins && n_points > 0).then(|| edge(0, Rows::Passed, true)));
        }
        Kind::Leaf { votes, edges: from..self.edges.len() as u32, first_cell: 0 }
    }
}

/// Takes the columns on the path over from the node above, the one that it tests narrowed down to this side. Returns how
/// many there were, and which one was tested.
fn descend(
    paths: &mut [Vec<Passing>],
    depth: usize,
    above: Option<Above>,
    tree: &Tree,
    owners: &Owners,
) -> (u32, Option<u32>) {
    let (Some(above), Some(before)) = (above, depth.checked_sub(1)) else { return (0, None) };
    let (upper, here) = paths.split_at_mut(depth);
    here[0].clone_from(&upper[before]);
    let inherited = here[0].len() as u32;
    let Node::Split(split) = &tree.nodes[above.split] else { return (inherited, None) };
    let Some(axis) = owners.axis(split) else { return (inherited, None) };
    let yes = owners.yes(split);
    let side = yes.iter().map(|bits| if above.is_yes { *bits } else { !*bits });
    let slot = here[0].iter().position(|(other, _)| *other == axis);
    match slot {
        Some(slot) => here[0][slot].1.iter_mut().zip(side).for_each(|(passing, side)| *passing &= side),
        None => here[0].push((axis, side.collect())),
    }
    (inherited, Some(slot.map_or(inherited, |slot| slot as u32)))
}

/// Runs of set bits among the first `n`.
fn runs(bits: &[u64], n: usize) -> impl Iterator<Item = Range<usize>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = next(bits, at..n, true)?;
        let end = next(bits, start..n, false).unwrap_or(n);
        at = end;
        Some(start..end)
    })
}

/// The first of `places` whose bit is set, or is not, a word at a time.
fn next(bits: &[u64], places: Range<usize>, set: bool) -> Option<usize> {
    let wanted = |word: usize| if set { bits[word] } else { !bits[word] };
    let first = places.start / 64;
    (first..places.end.div_ceil(64)).find_map(|word| {
        let before = if word == first { (1 << (places.start % 64)) - 1 } else { 0 };
        let found = wanted(word) & !before;
        (found != 0).then(|| word * 64 + found.trailing_zeros() as usize).filter(|at| *at < places.end)
    })
}
