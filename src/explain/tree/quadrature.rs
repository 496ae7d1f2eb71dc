//! Path-dependent engine for few rows or deep trees: Gauss–Legendre quadrature along one depth-first walk.
//!
//! With h = 1 if the row agrees with all of a player's tests on a path and c the product of its cover shares, a leaf of
//! value v gives player i
//!
//! `v ∫₀¹ (h_i − c_i) Π_{j≠i} (h_j t + c_j (1 − t)) dt`,
//!
//! a polynomial of degree k − 1 for k players, so ⌈k/2⌉ points are exact. All factors lie in [0, 1]: no digit is lost at
//! any depth. The walk keeps `A = Π u_j`, u = h t + c (1 − t), at every point, sums `E = Σ A v` of the leaves below each
//! edge, and gives the edge's player `Σ_q w_q E (g_new − g_old)`, g = (h − c)/u. Ratios of u and differences of g are
//! computed once per edge for the three histories a row can have, so nothing is divided on the way; for h = 0 the
//! ratio is the edge's own share and g is −1/(1 − t), which stays finite at zero cover. Eight rows walk together.
//! (Quadrature TreeSHAP, arXiv 2605.04497.)

use super::cover::Cover;
use super::ensemble::Ensemble;
use super::gauss::Rule;
use super::kernel::LANES;
use super::lanes::EdgeFactors;
use super::paths::most_players;
use super::pattern::Target;
use super::router::parts_within;
use super::slots::Slots;
use super::walk::{Go, Walk};
use crate::forest::Node;
use crate::forest::cuts::{BLOCK, Cuts};
use crate::forest::sides::Switches;
use crate::forest::simd::Simd;
use ndarray::{ArrayView2, Axis};
use rayon::prelude::*;
use std::ops::Range;

#[derive(Debug)]
pub(super) struct Quadrature {
    ensemble: Ensemble,
    cover: Cover,
    cuts: Cuts,
    slots: Slots,
    simd: Simd,
    /// Points that each tree needs.
    orders: Vec<usize>,
    rules: Vec<Rule>,
    parts: Vec<Range<usize>>,
    kept: Option<Vec<Itinerary>>,
}

/// A tree laid out as the steps of its walk.
#[derive(Debug)]
pub(super) struct Itinerary {
    pub steps: Vec<Step>,
    pub edges: Vec<Edge>,
    /// Four runs of `order` numbers an edge: ratios and gains, each for rows that agree and that leave.
    factors: Vec<f64>,
    switches: Switches,
    /// Number of quadrature points.
    pub order: usize,
    pub depth: usize,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Step {
    Enter(u32),
    /// Range of the tree's votes.
    Leaf {
        start: u32,
        end: u32,
    },
    Leave(u32),
    /// Enter, leaf and leave at once.
    Tip {
        edge: u32,
        start: u32,
        end: u32,
    },
}

/// From a split to one of its children.
#[derive(Debug, Clone, Copy)]
pub(super) struct Edge {
    pub split: u32,
    pub yes: bool,
    pub player: u32,
    /// Share of the split's cover: the ratio of u for rows that disagreed before.
    pub share: f64,
    /// Product of the player's shares up to here.
    pub cover: f64,
}

impl Quadrature {
    pub fn new(ensemble: Ensemble, cover: &Cover, cuts: Cuts, slots: Slots, limit: usize) -> Self {
        let trees = &ensemble.forest.trees;
        let order = |tree: usize| most_players(&ensemble, tree).div_ceil(2).max(1);
        let orders: Vec<usize> = (0..trees.len()).into_par_iter().map(order).collect();
        let rules = (0..=orders.iter().copied().max().unwrap_or(0)).map(Rule::new).collect();
        let bytes = trees.iter().zip(&orders).map(|(tree, order)| tree.nodes.len() * (4 * order * 8 + 96));
        let parts = parts_within(bytes, limit);
        let cover = cover.clone();
        let mut made = Self { cover, cuts, slots, simd: Simd::detect(), orders, rules, parts, kept: None, ensemble };
        if let [all] = &made.parts[..] {
            made.kept = Some(made.itineraries(all.clone()));
        }
        made
    }

    #[cfg(test)]
    pub fn with_simd(mut self, simd: Simd) -> Self {
        self.simd = simd;
        self
    }

    pub fn most_points(&self) -> usize {
        self.orders.iter().copied().max().unwrap_or(0)
    }

    pub fn slots(&self) -> &Slots {
        &self.slots
    }

    fn itineraries(&self, trees: Range<usize>) -> Vec<Itinerary> {
        trees.into_par_iter().map(|tree| Itinerary::new(self, tree)).collect()
    }

    /// Writes the slots of rows `[rows × n_features]` to `out`, `[rows × outputs × slots]`.
    pub fn explain(&self, rows: ArrayView2<f64>, out: &mut [f64]) {
        out.fill(0.0);
        for part in &self.parts {
            match &self.kept {
                Some(itineraries) => self.add(rows, part, itineraries, out),
                None => self.add(rows, part, &self.itineraries(part.clone()), out),
            }
        }
    }

    fn add(&self, rows: ArrayView2<f64>, part: &Range<usize>, itineraries: &[Itinerary], out: &mut [f64]) {
        let width = self.slots.row().max(1);
        let trees = &self.ensemble.forest.trees[part.clone()];
        out.par_chunks_mut(BLOCK * width).enumerate().for_each(|(block, out)| {
            let end = rows.nrows().min((block + 1) * BLOCK);
            let bins = self.cuts.quantise(rows.slice_axis(Axis(0), ndarray::Slice::from(block * BLOCK..end)));
            let mut walks: Vec<Walk> = out.chunks(LANES * width).map(|out| Walk::new(&self.slots, out)).collect();
            let mut yes = vec![];
            for (tree, itinerary) in trees.iter().zip(itineraries) {
                yes.resize(itinerary.switches.n_nodes(), 0);
                itinerary.switches.yes(bins.block(0), self.simd, &mut yes);
                let (votes, rule) = (&tree.votes, &self.rules[itinerary.order]);
                for (group, walk) in walks.iter_mut().enumerate() {
                    let first = group * LANES;
                    self.simd.vectorise(Go { walk, itinerary, rule, votes, slots: &self.slots, yes: &yes, first });
                }
            }
            walks.iter().zip(out.chunks_mut(LANES * width)).for_each(|(walk, out)| walk.write(out, width));
        });
    }
}

impl Itinerary {
    fn new(of: &Quadrature, tree: usize) -> Self {
        let grown = &of.ensemble.forest.trees[tree];
        let order = of.orders[tree];
        let mut made = Self {
            steps: vec![],
            edges: vec![],
            factors: vec![],
            switches: Switches::new(grown, &of.cuts),
            order,
            depth: grown.depth(),
        };
        made.follow(of, tree, 0, &mut vec![]);
        made
    }

    /// Appends the steps at and below `node`; `above` are the edges on the way there.
    fn follow(&mut self, of: &Quadrature, tree: usize, node: usize, above: &mut Vec<Edge>) {
        let split = match &of.ensemble.forest.trees[tree].nodes[node] {
            Node::Leaf { votes } => return self.steps.push(Step::Leaf { start: votes.start, end: votes.end }),
            Node::Split(split) => split,
        };
        let player = of.ensemble.players[split.feature as usize];
        let before = above.iter().rev().find(|edge| edge.player == player).map(|edge| edge.cover);
        let (yes, no) = (split.yes as usize, split.no as usize);
        let shares = of.cover.shares(tree, yes, no);
        for (child, yes, share) in [(yes, true, shares.0), (no, false, shares.1)] {
            let edge = Edge { split: node as u32, yes, player, share, cover: before.unwrap_or(1.0) * share };
            let at = self.edges.len() as u32;
            self.edges.push(edge);
            push_factors(&of.rules[self.order], before, edge.cover, &mut self.factors);
            let leaf = match &of.ensemble.forest.trees[tree].nodes[child] {
                Node::Leaf { votes } if of.slots.target() == Target::Players => Some(votes),
                _ => None,
            };
            if let Some(votes) = leaf {
                self.steps.push(Step::Tip { edge: at, start: votes.start, end: votes.end });
                continue;
            }
            self.steps.push(Step::Enter(at));
            above.push(edge);
            self.follow(of, tree, child, above);
            above.pop();
            self.steps.push(Step::Leave(at));
        }
    }

    #[inline(always)]
    pub fn factors(&self, edge: u32) -> EdgeFactors<'_> {
        let all = &self.factors[edge as usize * 4 * self.order..][..4 * self.order];
        let (ratios, gains) = all.split_at(2 * self.order);
        let (ratio_agree, ratio_leave) = ratios.split_at(self.order);
        let (gain_agree, gain_leave) = gains.split_at(self.order);
        EdgeFactors { ratio_agree, ratio_leave, gain_agree, gain_leave }
    }
}

/// `before` is the player's cover above the edge, `None` where this is its first test.
fn push_factors(rule: &Rule, before: Option<f64>, cover: f64, factors: &mut Vec<f64>) {
    let agreeing = |cover: f64, t: f64| t + cover * (1.0 - t);
    let gain = |cover: f64, t: f64| (1.0 - cover) / agreeing(cover, t);
    let points = || rule.points.iter().zip(&rule.weights);
    let old_u = |t: f64| before.map_or(1.0, |before| agreeing(before, t));
    let old_g = |t: f64| before.map_or(0.0, |before| gain(before, t));
    factors.extend(points().map(|(t, _)| agreeing(cover, *t) / old_u(*t)));
    factors.extend(points().map(|(t, _)| cover * (1.0 - t) / old_u(*t)));
    factors.extend(points().map(|(t, w)| w * (gain(cover, *t) - old_g(*t))));
    factors.extend(points().map(|(t, w)| w * (-1.0 / (1.0 - t) - old_g(*t))));
}
