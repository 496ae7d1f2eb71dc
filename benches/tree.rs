//! Engines of the tree explanations over depth, trees, rows and background, on grown forests of made-up data.
//!
//! `cargo bench --bench tree`; one thread, so that figures are a core's. Items are rows: divan prints rows per second.
//! Each bench does the whole stage: planning, tables, quantising and the loop.

use divan::Bencher;
use divan::counter::ItemsCount;
use ndarray::Array2;
use probity::explain::tree::{Algorithm, Cover, Options, Players, TreeExplainer};
use probity::forest::{FlatForest, Forest, Link, Node, Split, Test, Tree};

const FEATURES: usize = 12;

fn main() {
    rayon::ThreadPoolBuilder::new().num_threads(1).build_global().expect("the first thread pool");
    divan::main();
}

/// Deterministic numbers in [0, 1).
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as f64 / (1_u64 << 31) as f64
    }
}

/// Whole numbers below 50, as ages and codes are.
fn rows(n_rows: usize) -> Array2<f64> {
    let mut noise = Noise(n_rows as u64);
    Array2::from_shape_simple_fn((n_rows, FEATURES), || (noise.next() * 50.0).floor())
}

/// Trees that split the rows they were grown on, until `depth` or fewer than ten rows; about half of the splits of a
/// full tree at depth 6, as boosted trees have.
fn forest(n_trees: usize, depth: usize) -> Forest {
    let mut noise = Noise(7);
    let data = rows(2_000);
    let trees = (0..n_trees).map(|_| {
        let mut tree = Tree::default();
        grow(&mut noise, &data, (0..data.nrows()).collect(), depth, &mut tree);
        tree
    });
    let trees = trees.collect();
    Forest { n_features: FEATURES, n_outputs: 1, base: vec![0.0], trees, link: Link::Logistic }
}

fn grow(noise: &mut Noise, data: &Array2<f64>, reached: Vec<usize>, depth: usize, tree: &mut Tree) -> u32 {
    let at = tree.nodes.len();
    let vote = tree.votes.len() as u32;
    tree.nodes.push(Node::Leaf { votes: vote..vote + 1 });
    if depth == 0 || reached.len() < 10 {
        tree.votes.push((0, noise.next() - 0.5));
        return at as u32;
    }
    // Skewed towards the first features and small parts, as real splits are.
    let feature = (noise.next() * noise.next() * FEATURES as f64) as usize;
    let value = data[(reached[(noise.next() * reached.len() as f64) as usize], feature)];
    let (left, right) = reached.iter().partition(|row| data[(**row, feature)] <= value);
    let yes = grow(noise, data, left, depth - 1, tree);
    let no = grow(noise, data, right, depth - 1, tree);
    tree.nodes[at] = Node::Split(Split { feature: feature as u32, test: Test::Leq(value), yes, no, missing_yes: true });
    at as u32
}

fn players(of_feature: &[u32]) -> Players<'_> {
    Players { of_feature, n_players: of_feature.len() }
}

const EACH: [u32; FEATURES] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11];

fn path_dependent(forest: &Forest, cover: &Cover, rows: &Array2<f64>, algorithm: Option<Algorithm>) {
    let options = Options { expected_rows: rows.nrows(), algorithm, ..Options::default() };
    let explainer =
        TreeExplainer::path_dependent(forest, &players(&EACH), cover, &[0], &options).expect("a sound forest");
    divan::black_box(explainer.explain(rows.view()).expect("rows of the forest's width"));
}

fn interventional(forest: &Forest, background: &Array2<f64>, rows: &Array2<f64>, algorithm: Option<Algorithm>) {
    let options = Options { expected_rows: rows.nrows(), algorithm, ..Options::default() };
    let explainer = TreeExplainer::interventional(forest, &players(&EACH), background.view(), &[0], &options)
        .expect("a sound forest");
    divan::black_box(explainer.explain(rows.view()).expect("rows of the forest's width"));
}

/// 200 trees by depth, 20,000 rows.
#[divan::bench(args = [4, 6, 8, 10], sample_count = 5)]
fn tables_by_depth(bencher: Bencher, depth: usize) {
    let (forest, rows) = (forest(200, depth), rows(20_000));
    let cover = Cover::count(&forest, rows.view()).expect("rows of the forest's width");
    bencher
        .counter(ItemsCount::new(rows.nrows()))
        .bench_local(|| path_dependent(&forest, &cover, &rows, Some(Algorithm::Tables)));
}

/// Depth 6 by trees, 20,000 rows.
#[divan::bench(args = [50, 200, 800], sample_count = 5)]
fn tables_by_trees(bencher: Bencher, n_trees: usize) {
    let (forest, rows) = (forest(n_trees, 6), rows(20_000));
    let cover = Cover::count(&forest, rows.view()).expect("rows of the forest's width");
    bencher
        .counter(ItemsCount::new(rows.nrows()))
        .bench_local(|| path_dependent(&forest, &cover, &rows, Some(Algorithm::Tables)));
}

/// 200 trees of depth 6, 1,000 rows' background up to 48,000 rows' and as many rows explained.
#[divan::bench(args = [1_000, 48_000], sample_count = 5)]
fn tables_by_background(bencher: Bencher, n_rows: usize) {
    let (forest, rows) = (forest(200, 6), rows(n_rows));
    bencher
        .counter(ItemsCount::new(n_rows))
        .bench_local(|| interventional(&forest, &rows, &rows, Some(Algorithm::Tables)));
}

/// 200 trees by depth, 500 rows.
#[divan::bench(args = [4, 6, 10, 20], sample_count = 5)]
fn quadrature_by_depth(bencher: Bencher, depth: usize) {
    let (forest, rows) = (forest(200, depth), rows(500));
    let cover = Cover::count(&forest, rows.view()).expect("rows of the forest's width");
    bencher
        .counter(ItemsCount::new(rows.nrows()))
        .bench_local(|| path_dependent(&forest, &cover, &rows, Some(Algorithm::Quadrature)));
}

/// 200 trees of depth 6, 100 rows, by background.
#[divan::bench(args = [1, 100, 10_000], sample_count = 5)]
fn cohorts_by_background(bencher: Bencher, n_background: usize) {
    let (forest, rows, background) = (forest(200, 6), rows(100), rows(n_background));
    bencher
        .counter(ItemsCount::new(rows.nrows()))
        .bench_local(|| interventional(&forest, &background, &rows, Some(Algorithm::Cohorts)));
}

/// 200 trees by depth, 500 rows, background of 1,000 rows.
#[divan::bench(args = [6, 10, 14], sample_count = 3)]
fn pairs_by_depth(bencher: Bencher, depth: usize) {
    let (forest, rows, background) = (forest(200, depth), rows(500), rows(1_000));
    bencher
        .counter(ItemsCount::new(rows.nrows()))
        .bench_local(|| interventional(&forest, &background, &rows, Some(Algorithm::Pairs)));
}

/// Scores of 200 trees, 20,000 rows, by depth: what sampling methods ask of a proved forest.
#[divan::bench(args = [6, 10, 14], sample_count = 5)]
fn scores_by_depth(bencher: Bencher, depth: usize) {
    let (flat, rows) = (FlatForest::new(&forest(200, depth)), rows(20_000));
    let mut margins = vec![0.0; rows.nrows()];
    bencher.counter(ItemsCount::new(rows.nrows())).bench_local(|| {
        flat.margins(rows.as_slice().expect("rows lie one after the other"), &mut margins);
        divan::black_box(&margins);
    });
}

/// What the router makes of 200 trees of depth 6, by rows.
#[divan::bench(args = [10, 1_000, 10_000, 100_000], sample_count = 5)]
fn routed_by_rows(bencher: Bencher, n_rows: usize) {
    let (forest, rows) = (forest(200, 6), rows(n_rows));
    let cover = Cover::count(&forest, rows.view()).expect("rows of the forest's width");
    bencher.counter(ItemsCount::new(n_rows)).bench_local(|| path_dependent(&forest, &cover, &rows, None));
}

/// Interactions of 200 trees of depth 6, by rows; the attributions themselves are in it.
#[divan::bench(args = [500, 10_000], sample_count = 5)]
fn interactions_by_rows(bencher: Bencher, n_rows: usize) {
    let (forest, rows) = (forest(200, 6), rows(n_rows));
    let cover = Cover::count(&forest, rows.view()).expect("rows of the forest's width");
    bencher.counter(ItemsCount::new(n_rows)).bench_local(|| {
        let options = Options { expected_rows: n_rows, interactions: true, ..Options::default() };
        let explainer =
            TreeExplainer::path_dependent(&forest, &players(&EACH), &cover, &[0], &options).expect("a sound forest");
        divan::black_box(explainer.interactions(rows.view()).expect("rows of the forest's width"));
    });
}
