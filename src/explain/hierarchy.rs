//! Owen values over a hierarchy of a picture's parts.
//!
//! The picture is halved, and its halves again, across their longer side, down to single pixels or patches. Towards
//! the rest of the picture the parts of a node act together: a node arrives as a whole before or after its sibling, each
//! with probability ½, and within it its children do (Owen 1977, applied at every level; `shap` calls the same recursion
//! "partition"). A node at depth d stands in 2^d situations, so a budget ends the recursion first where least changes:
//! what has not been divided further is shared evenly among the node's leaves. All values of a row add up to its score
//! less that of the baseline exactly, whatever the budget.

use super::Attributions;
use super::game::{Part, Players};
use super::versions::{Asker, Subject, VersionError, cells, cells_mut, each, mean_cells};
use crate::dataset::{Features, Picture};
use crate::model::predictor::Predictor;
use ndarray::{Array1, Array2, Array3, Axis, s};
use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::sync::Arc;

/// Nodes divided between two looks at what matters most. Fixed: it decides what is divided at all.
const TOGETHER: usize = 32;

/// Explains pictures of one model against one baseline.
pub struct HierarchyExplainer<'a> {
    asker: Asker<'a>,
    picture: Picture,
    baseline: Vec<f32>,
    tree: Tree,
    players: Players,
    budget: usize,
    outputs: Vec<usize>,
}

/// Attributions of some rows, with maps `[rows × outputs × pixels]`, each leaf's value spread over its pixels.
#[derive(Debug, Clone, PartialEq)]
pub struct Divided {
    pub attributions: Attributions,
    pub maps: Array3<f32>,
}

/// Leaves in an order in which every node is a run of them; the first node is all.
#[derive(Debug, Clone, PartialEq)]
pub struct Tree {
    /// Pixels of each leaf.
    leaves: Vec<Vec<usize>>,
    nodes: Vec<Node>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Node {
    from: usize,
    to: usize,
    children: Option<(usize, usize)>,
}

/// A rectangle of pixels or patches, half open.
#[derive(Debug, Clone, Copy)]
struct Rectangle {
    top: usize,
    bottom: usize,
    left: usize,
    right: usize,
}

impl Tree {
    /// Of a picture of `height × width` pixels in leaves of at most `patch` pixels, which are smaller at the lower and the
    /// right border.
    pub fn new((height, width): (usize, usize), (patch_height, patch_width): (usize, usize)) -> Self {
        let (patch_height, patch_width) = (patch_height.max(1), patch_width.max(1));
        let mut tree = Self { leaves: Vec::new(), nodes: Vec::new() };
        let all =
            Rectangle { top: 0, bottom: height.div_ceil(patch_height), left: 0, right: width.div_ceil(patch_width) };
        let leaf = |row: usize, column: usize| {
            let rows = row * patch_height..((row + 1) * patch_height).min(height);
            let columns = column * patch_width..((column + 1) * patch_width).min(width);
            rows.flat_map(|y| columns.clone().map(move |x| y * width + x)).collect()
        };
        tree.add(all, &leaf);
        tree
    }

    fn add(&mut self, part: Rectangle, leaf: &dyn Fn(usize, usize) -> Vec<usize>) -> usize {
        let (at, from) = (self.nodes.len(), self.leaves.len());
        self.nodes.push(Node { from, to: from, children: None });
        let (rows, columns) = (part.bottom - part.top, part.right - part.left);
        if rows * columns <= 1 {
            self.leaves.push(leaf(part.top, part.left));
        } else {
            let (one, other) = part.halves();
            let children = (self.add(one, leaf), self.add(other, leaf));
            self.nodes[at].children = Some(children);
        }
        self.nodes[at].to = self.leaves.len();
        at
    }

    pub fn n_leaves(&self) -> usize {
        self.leaves.len()
    }
}

impl Rectangle {
    /// Across the longer side; the first half is the smaller one.
    fn halves(self) -> (Self, Self) {
        match self.bottom - self.top >= self.right - self.left {
            true => {
                let middle = (self.top + self.bottom) / 2;
                (Self { bottom: middle, ..self }, Self { top: middle, ..self })
            }
            false => {
                let middle = (self.left + self.right) / 2;
                (Self { right: middle, ..self }, Self { left: middle, ..self })
            }
        }
    }
}

/// Leaves that are there, a bit each.
#[derive(Debug, Clone, PartialEq)]
struct Set(Vec<u64>);

impl Set {
    fn none(n: usize) -> Self {
        Self(vec![0; n.div_ceil(64)])
    }

    fn with(&self, leaves: std::ops::Range<usize>) -> Self {
        let mut set = self.clone();
        leaves.for_each(|leaf| set.0[leaf / 64] |= 1 << (leaf % 64));
        set
    }

    fn has(&self, leaf: usize) -> bool {
        self.0[leaf / 64] >> (leaf % 64) & 1 == 1
    }
}

/// A node in one situation: what of the rest is there, with and without the node.
struct Situation {
    node: usize,
    rest: Arc<Set>,
    without: Array1<f64>,
    with: Array1<f64>,
    /// Probability of the situation.
    weight: f64,
    /// Order of making, for ties.
    number: usize,
}

impl Situation {
    fn matters(&self) -> f64 {
        self.weight * self.with.iter().zip(&self.without).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
    }
}

impl PartialEq for Situation {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Situation {}

impl PartialOrd for Situation {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Situation {
    fn cmp(&self, other: &Self) -> Ordering {
        self.matters().total_cmp(&other.matters()).then_with(|| other.number.cmp(&self.number))
    }
}

impl<'a> HierarchyExplainer<'a> {
    /// Against the mean of `background`'s pictures, which stand in `column`. `players` own the whole column, or patches
    /// that are the tree's leaves. At most `budget` scores for a row.
    ///
    /// # Errors
    /// A background without rows.
    pub fn new(
        asker: Asker<'a>,
        background: &Features,
        picture: Picture,
        players: Players,
        (tree, budget, outputs): (Tree, usize, Vec<usize>),
    ) -> Result<Self, VersionError> {
        match background.n_rows {
            0 => Err(VersionError::NoBackground),
            _ => {
                let baseline = mean_cells(background, 0);
                Ok(Self { asker, picture, baseline, tree, players, budget, outputs })
            }
        }
    }

    /// Attributions of `rows`, whose positions in the data are `keys`; with `decisions`, each row has its own output
    /// alone.
    ///
    /// # Errors
    /// As [`Asker::versions`].
    pub fn explain(&self, rows: &Features, keys: &[u64], decisions: Option<&[u32]>) -> Result<Divided, VersionError> {
        let found = each(rows, keys, &self.outputs, decisions, |subject| self.one(subject))?;
        let n_outputs = if decisions.is_some() { 1 } else { self.outputs.len() };
        let mut maps = Array3::zeros((rows.n_rows, n_outputs, self.picture.n_pixels()));
        let mut phi = Array3::zeros((rows.n_rows, n_outputs, self.players.len()));
        let mut base = Array2::zeros((rows.n_rows, n_outputs));
        let owner = self.owners();
        for (row, (empty, values)) in found.iter().enumerate() {
            base.row_mut(row).assign(empty);
            for (output, values) in values.rows().into_iter().enumerate() {
                for (leaf, value) in values.iter().enumerate() {
                    let pixels = &self.tree.leaves[leaf];
                    phi[[row, output, owner[leaf]]] += value;
                    pixels.iter().for_each(|pixel| maps[[row, output, *pixel]] = (value / pixels.len() as f64) as f32);
                }
            }
        }
        Ok(Divided { attributions: Attributions { phi, base, std_err: None }, maps })
    }

    /// The model that is asked.
    pub fn predictor(&self) -> &'a dyn Predictor {
        self.asker.predictor
    }

    /// Scores that a row asks of the model, at most.
    pub fn evaluations_per_row(&self) -> u64 {
        self.budget.max(2) as u64
    }

    /// The player of each leaf: the one that owns its first number.
    fn owners(&self) -> Vec<usize> {
        let owns = |player: &crate::explain::game::Player, number: usize| {
            player.parts.iter().any(|part| match part {
                Part::Column(column) => *column == 0,
                Part::Cells { cells, .. } => cells.contains(&number),
            })
        };
        let owner = |pixels: &Vec<usize>| {
            let number = pixels.first().map_or(0, |pixel| self.picture.number(*pixel, 0));
            self.players.iter().position(|player| owns(player, number)).unwrap_or(0)
        };
        self.tree.leaves.iter().map(owner).collect()
    }

    /// The score of the baseline `[outputs]`, and the leaves' values `[outputs × leaves]`.
    fn one(&self, subject: Subject) -> Result<(Array1<f64>, Array2<f64>), VersionError> {
        let n = self.tree.n_leaves();
        let nobody = Arc::new(Set::none(n));
        let ends = self.scores(subject, &[nobody.clone(), Arc::new(nobody.with(0..n))])?;
        let (without, with) = (ends.row(0).to_owned(), ends.row(1).to_owned());
        let mut values = Array2::zeros((subject.outputs.len(), n));
        let mut open = BinaryHeap::new();
        let first = Situation { node: 0, rest: nobody, without: without.clone(), with, weight: 1.0, number: 0 };
        let (mut spent, mut number) = (2, 1);
        open.push(first);
        while !open.is_empty() {
            let most = (self.budget.saturating_sub(spent) / 2).min(TOGETHER);
            let mut now: Vec<(Situation, (usize, usize))> = Vec::new();
            while let Some(situation) = open.pop() {
                match self.tree.nodes[situation.node].children {
                    Some(children) if most > 0 => now.push((situation, children)),
                    _ => self.share(&situation, &mut values),
                }
                if now.len() == most.max(1) {
                    break;
                }
            }
            let coalitions: Vec<Arc<Set>> =
                now.iter().flat_map(|(it, (one, other))| [self.joined(it, *one), self.joined(it, *other)]).collect();
            spent += coalitions.len();
            let scores = self.scores(subject, &coalitions)?;
            for (at, (situation, (one, other))) in now.into_iter().enumerate() {
                let [only_one, only_other] = [2 * at, 2 * at + 1].map(|row| scores.row(row).to_owned());
                let pair = [
                    (one, &only_one, &coalitions[2 * at + 1], &only_other),
                    (other, &only_other, &coalitions[2 * at], &only_one),
                ];
                for (node, alone, with_sibling, sibling) in pair {
                    let half = situation.weight / 2.0;
                    let before = Situation {
                        node,
                        rest: situation.rest.clone(),
                        without: situation.without.clone(),
                        with: alone.clone(),
                        weight: half,
                        number,
                    };
                    let after = Situation {
                        node,
                        rest: with_sibling.clone(),
                        without: sibling.clone(),
                        with: situation.with.clone(),
                        weight: half,
                        number: number + 1,
                    };
                    number += 2;
                    open.extend([before, after]);
                }
            }
        }
        Ok((without, values))
    }

    /// What a situation's node changes goes to its leaves evenly.
    fn share(&self, situation: &Situation, values: &mut Array2<f64>) {
        let node = self.tree.nodes[situation.node];
        let each = (&situation.with - &situation.without) * (situation.weight / (node.to - node.from) as f64);
        let mut leaves = values.slice_mut(s![.., node.from..node.to]);
        leaves += &each.insert_axis(Axis(1));
    }

    /// The rest of a situation, and a node.
    fn joined(&self, situation: &Situation, node: usize) -> Arc<Set> {
        let node = self.tree.nodes[node];
        Arc::new(situation.rest.with(node.from..node.to))
    }

    /// Scores of the picture with the leaves that are there, the baseline elsewhere.
    fn scores(&self, subject: Subject, coalitions: &[Arc<Set>]) -> Result<Array2<f64>, VersionError> {
        let own = cells(subject.rows, 0, subject.row);
        self.asker.versions(subject, coalitions.len(), |version, at, features| {
            let painted = cells_mut(features, 0, at);
            painted.copy_from_slice(&self.baseline);
            let there = &coalitions[version];
            for (_, pixels) in self.tree.leaves.iter().enumerate().filter(|(leaf, _)| there.has(*leaf)) {
                for pixel in pixels {
                    for channel in 0..self.picture.channels {
                        let number = self.picture.number(*pixel, channel);
                        painted[number] = own[number];
                    }
                }
            }
        })
    }
}

#[cfg(test)]
#[path = "hierarchy_tests.rs"]
mod tests;
