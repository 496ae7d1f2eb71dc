//! Forests, rows and brute-force oracles for tests.

use super::{Cover, Players};
use crate::forest::{Forest, Link, Node, Split, Test, Tree};
use ndarray::{Array2, Array3, ArrayView2};

/// One split `x0 ≤ at` of a single feature, missing values to `no`; leaves `[yes, no]`.
pub fn stump(at: f64, leaves: [f64; 2]) -> Forest {
    let split = Split { feature: 0, test: Test::Leq(at), yes: 1, no: 2, missing_yes: false };
    let nodes = vec![Node::Split(split), Node::Leaf { votes: 0..1 }, Node::Leaf { votes: 1..2 }];
    let tree = Tree { nodes, votes: leaves.iter().map(|value| (0, *value)).collect() };
    Forest { n_features: 1, n_outputs: 1, base: vec![0.0], trees: vec![tree], link: Link::Identity }
}

/// A small deterministic generator, so that a failing case can be named by its seed.
pub struct Noise(u64);

impl Noise {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0xD1B5_4A32_D192_ED03)
    }

    pub fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % n as u64) as usize
    }

    pub fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// Uniform in [−1, 1).
    pub fn number(&mut self) -> f64 {
        self.below(1 << 30) as f64 / (1_u64 << 29) as f64 - 1.0
    }
}

/// Values that rows take and tests compare with: few, so that thresholds are hit exactly.
const NASTY: [f64; 9] = [f64::NEG_INFINITY, -2.0, -0.5, -0.0, 0.0, 0.5, 1.0, 3.0, f64::INFINITY];

/// What a random forest looks like.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    pub n_features: usize,
    pub n_outputs: usize,
    pub n_trees: usize,
    pub depth: usize,
    /// Outputs that each leaf votes for: one, or all.
    pub all_outputs: bool,
}

pub fn random_forest(noise: &mut Noise, shape: Shape) -> Forest {
    let trees = (0..shape.n_trees).map(|_| random_tree(noise, shape)).collect();
    let base = (0..shape.n_outputs).map(|_| noise.number()).collect();
    Forest { n_features: shape.n_features, n_outputs: shape.n_outputs, base, trees, link: Link::Logistic }
}

fn random_tree(noise: &mut Noise, shape: Shape) -> Tree {
    let mut tree = Tree::default();
    let output = noise.below(shape.n_outputs) as u32;
    grow(noise, shape, shape.depth, output, &mut tree);
    tree
}

fn grow(noise: &mut Noise, shape: Shape, depth: usize, output: u32, tree: &mut Tree) -> u32 {
    let at = tree.nodes.len();
    if depth == 0 || noise.chance(15) {
        let start = tree.votes.len() as u32;
        match shape.all_outputs {
            true => (0..shape.n_outputs as u32).for_each(|output| tree.votes.push((output, noise.number()))),
            false => tree.votes.push((output, noise.number())),
        }
        tree.nodes.push(Node::Leaf { votes: start..tree.votes.len() as u32 });
        return at as u32;
    }
    tree.nodes.push(Node::Leaf { votes: 0..0 });
    let (feature, test, missing_yes) = (noise.below(shape.n_features) as u32, random_test(noise), noise.chance(50));
    let yes = grow(noise, shape, depth - 1, output, tree);
    let no = grow(noise, shape, depth - 1, output, tree);
    tree.nodes[at] = Node::Split(Split { feature, test, yes, no, missing_yes });
    at as u32
}

fn random_test(noise: &mut Noise) -> Test {
    let value = NASTY[noise.below(NASTY.len())];
    match noise.below(12) {
        0 => Test::Eq(value),
        1 => Test::Neq(value),
        2 => Test::Member([-2.0, 0.0, 1.0, 3.0].into_iter().filter(|_| noise.chance(50)).collect()),
        3 => Test::Leq(f64::NAN),
        4..6 => Test::Lt(value),
        6..8 => Test::Gte(value),
        8..10 => Test::Gt(value),
        _ => Test::Leq(value),
    }
}

/// Rows of nasty values, some missing, some between the thresholds, some twice.
pub fn random_rows(noise: &mut Noise, n_rows: usize, n_features: usize) -> Array2<f64> {
    let mut rows = Array2::from_shape_simple_fn((n_rows, n_features), || match noise.below(10) {
        0 => f64::NAN,
        1..4 => noise.number() * 3.0,
        _ => NASTY[noise.below(NASTY.len())],
    });
    for row in 1..n_rows {
        if noise.chance(20) {
            let copy = rows.row(noise.below(row)).to_owned();
            rows.row_mut(row).assign(&copy);
        }
    }
    rows
}

/// Cover that no data made: any number, a fifth of them zero.
pub fn random_cover(noise: &mut Noise, forest: &Forest) -> Cover {
    let mut number = || if noise.chance(20) { 0.0 } else { noise.number().abs() };
    let nodes = forest.trees.iter().map(|tree| tree.nodes.iter().map(|_| number()).collect()).collect();
    Cover::new(forest, nodes).unwrap()
}

/// Pays of every coalition of one row, `[2^players × outputs]`.
pub type Game = Array2<f64>;

/// The interventional game by its definition: absent players take a background row's values.
pub fn interventional_game(forest: &Forest, players: &Players, row: &[f64], background: ArrayView2<f64>) -> Game {
    let mut game = Array2::zeros((1 << players.n_players, forest.n_outputs));
    let mut margin = vec![0.0; forest.n_outputs];
    for (coalition, mut pays) in game.rows_mut().into_iter().enumerate() {
        for other in background.rows() {
            let mixed: Vec<f64> = (0..forest.n_features)
                .map(|at| if coalition >> players.of_feature[at] & 1 == 1 { row[at] } else { other[at] })
                .collect();
            forest.margin(&mixed, &mut margin);
            pays.iter_mut().zip(&margin).for_each(|(pays, margin)| *pays += margin / background.nrows() as f64);
        }
    }
    game
}

/// The path-dependent game by its definition: at an absent player's split both sides count by their cover.
pub fn path_dependent_game(forest: &Forest, players: &Players, row: &[f64], cover: &Cover) -> Game {
    let mut game = Array2::zeros((1 << players.n_players, forest.n_outputs));
    for (coalition, mut pays) in game.rows_mut().into_iter().enumerate() {
        let mut reached: Vec<f64> = forest.base.clone();
        for index in 0..forest.trees.len() {
            let present = |feature: u32| coalition >> players.of_feature[feature as usize] & 1 == 1;
            expect(forest, index, 0, 1.0, row, cover, &present, &mut reached);
        }
        pays.iter_mut().zip(reached).for_each(|(pays, reached)| *pays = reached);
    }
    game
}

#[allow(clippy::too_many_arguments)]
fn expect(
    forest: &Forest,
    tree: usize,
    node: usize,
    weight: f64,
    row: &[f64],
    cover: &Cover,
    present: &dyn Fn(u32) -> bool,
    out: &mut [f64],
) {
    let grown = &forest.trees[tree];
    match &grown.nodes[node] {
        Node::Leaf { votes } => (grown.votes[votes.start as usize..votes.end as usize].iter())
            .for_each(|(output, vote)| out[*output as usize] += weight * vote),
        Node::Split(split) => {
            let (yes, no) = (split.yes as usize, split.no as usize);
            let shares = match (present(split.feature), split.takes_yes(row[split.feature as usize])) {
                (true, true) => (1.0, 0.0),
                (true, false) => (0.0, 1.0),
                (false, _) => cover.shares(tree, yes, no),
            };
            expect(forest, tree, yes, weight * shares.0, row, cover, present, out);
            expect(forest, tree, no, weight * shares.1, row, cover, present, out);
        }
    }
}

/// Shapley interaction values by definition, `[outputs × players × players]`, totals above the diagonal, main effects on
/// it; a second array has the Shapley values `[outputs × players]`.
pub fn shapley(game: &Game, n_players: usize) -> (Array3<f64>, Array2<f64>) {
    let n_outputs = game.ncols();
    let mut phi = Array2::zeros((n_outputs, n_players));
    let mut pairs = Array3::zeros((n_outputs, n_players, n_players));
    for output in 0..n_outputs {
        let pays = |coalition: usize| game[(coalition, output)];
        for a in 0..n_players {
            for coalition in (0..1_usize << n_players).filter(|coalition| coalition >> a & 1 == 0) {
                let size = coalition.count_ones() as usize;
                let gain = pays(coalition | 1 << a) - pays(coalition);
                phi[(output, a)] += joining(n_players, size) * gain;
                for b in (a + 1..n_players).filter(|b| coalition >> b & 1 == 0) {
                    let with = pays(coalition | 1 << a | 1 << b) - pays(coalition | 1 << b);
                    pairs[(output, a, b)] += joining(n_players - 1, size) * (with - gain);
                }
            }
        }
        for a in 0..n_players {
            let of_pairs: f64 = (0..n_players).filter(|b| *b != a).map(|b| pairs[(output, a.min(b), a.max(b))]).sum();
            pairs[(output, a, a)] = phi[(output, a)] - 0.5 * of_pairs;
        }
    }
    (pairs, phi)
}

fn joining(n: usize, before: usize) -> f64 {
    let factorial = |n: usize| (1..=n).map(|i| i as f64).product::<f64>();
    factorial(before) * factorial(n - 1 - before) / factorial(n)
}
