//! Every engine against the definition, on forests made to be unpleasant.

use super::testing::*;
use super::*;
use crate::forest::simd::Simd;
use crate::forest::{Node, Split, Test, Tree};
use ndarray::{array, concatenate, s};

/// Exact methods in f64 on sums of order one.
const EXACT: f64 = 1e-12;

const SHAPE: Shape = Shape { n_features: 7, n_outputs: 1, n_trees: 4, depth: 5, all_outputs: false };
/// Two features belong to player 1, two to player 3.
const GROUPED: Players = Players { of_feature: &[0, 1, 1, 2, 3, 4, 3], n_players: 5 };
const SINGLE: Players = Players { of_feature: &[0, 1, 2, 3, 4, 5, 6], n_players: 7 };

fn options(algorithm: Algorithm) -> Options {
    Options { interactions: true, algorithm: Some(algorithm), ..Options::default() }
}

fn assert_close(found: f64, expected: f64, what: &str) {
    assert!((found - expected).abs() <= EXACT, "{what}: {found} instead of {expected}");
}

/// Compares values, interactions and efficiency of every row with its game.
fn check(explainer: &TreeExplainer, n_players: usize, rows: &Array2<f64>, game: impl Fn(&[f64]) -> Game, what: &str) {
    let found = explainer.explain(rows.view()).unwrap();
    let pairs = explainer.interactions(rows.view()).unwrap().unwrap();
    for (index, row) in rows.rows().into_iter().enumerate() {
        let game = game(&row.to_vec());
        let (by_pair, phi) = shapley(&game, n_players);
        for output in 0..game.ncols() {
            let what = format!("{what}, {}, row {index}, output {output}", explainer.engine());
            assert_close(found.base[(index, output)], game[(0, output)], &what);
            let sum = found.phi.slice(s![index, output, ..]).sum() + found.base[(index, output)];
            assert_close(sum, game[(game.nrows() - 1, output)], &what);
            (0..n_players).for_each(|a| assert_close(found.phi[(index, output, a)], phi[(output, a)], &what));
            for a in 0..n_players {
                for b in a..n_players {
                    let at = pairs.pairs.binary_search(&(a as u32, b as u32));
                    let value = at.map_or(0.0, |at| pairs.values[(index, output, at)]);
                    assert_close(value, by_pair[(output, a, b)], &format!("{what}, pair {a} {b}"));
                }
            }
        }
    }
}

#[test]
fn interventional_values_are_the_definition() {
    for seed in 0..40 {
        let mut noise = Noise::new(seed);
        let forest = random_forest(&mut noise, SHAPE);
        let n_background = [1, 2, 70][seed as usize % 3];
        let background = random_rows(&mut noise, n_background, SHAPE.n_features);
        let rows = random_rows(&mut noise, 5, SHAPE.n_features);
        for players in [GROUPED, SINGLE] {
            for algorithm in [Algorithm::Tables, Algorithm::Pairs, Algorithm::Cohorts] {
                let explainer =
                    TreeExplainer::interventional(&forest, &players, background.view(), &[0], &options(algorithm));
                let game = |row: &[f64]| interventional_game(&forest, &players, row, background.view());
                check(&explainer.unwrap(), players.n_players, &rows, game, &format!("seed {seed}"));
            }
        }
    }
}

#[test]
fn path_dependent_values_are_the_definition() {
    for seed in 0..40 {
        let mut noise = Noise::new(1000 + seed);
        let forest = random_forest(&mut noise, SHAPE);
        let cover = random_cover(&mut noise, &forest);
        let rows = random_rows(&mut noise, 5, SHAPE.n_features);
        for players in [GROUPED, SINGLE] {
            for algorithm in [Algorithm::Tables, Algorithm::Quadrature] {
                let explainer = TreeExplainer::path_dependent(&forest, &players, &cover, &[0], &options(algorithm));
                let game = |row: &[f64]| path_dependent_game(&forest, &players, row, &cover);
                check(&explainer.unwrap(), players.n_players, &rows, game, &format!("seed {seed}"));
            }
        }
    }
}

#[test]
fn every_output_has_its_own_values() {
    for seed in 0..12 {
        let mut noise = Noise::new(2000 + seed);
        let shape = Shape { n_outputs: 3, all_outputs: seed % 2 == 0, ..SHAPE };
        let forest = random_forest(&mut noise, shape);
        let background = random_rows(&mut noise, 20, shape.n_features);
        let cover = random_cover(&mut noise, &forest);
        let rows = random_rows(&mut noise, 3, shape.n_features);
        // Two of the three outputs, in another order.
        let asked = |game: Game| concatenate![ndarray::Axis(1), game.slice(s![.., 2..]), game.slice(s![.., ..1])];
        for algorithm in [Algorithm::Tables, Algorithm::Pairs, Algorithm::Cohorts, Algorithm::Quadrature] {
            let options = options(algorithm);
            let explainer = TreeExplainer::interventional(&forest, &GROUPED, background.view(), &[2, 0], &options);
            let game = |row: &[f64]| asked(interventional_game(&forest, &GROUPED, row, background.view()));
            check(&explainer.unwrap(), GROUPED.n_players, &rows, game, &format!("seed {seed}"));
            let explainer = TreeExplainer::path_dependent(&forest, &GROUPED, &cover, &[2, 0], &options);
            let game = |row: &[f64]| asked(path_dependent_game(&forest, &GROUPED, row, &cover));
            check(&explainer.unwrap(), GROUPED.n_players, &rows, game, &format!("seed {seed}"));
        }
    }
}

/// Explainers of both kinds with every algorithm, kept and streamed, for one forest.
fn all_explainers(forest: &Forest, noise: &mut Noise, interactions: bool) -> Vec<TreeExplainer> {
    let background = random_rows(noise, 100, forest.n_features);
    let cover = random_cover(noise, forest);
    let of_feature: Vec<u32> = (0..forest.n_features as u32).collect();
    let players = Players { of_feature: &of_feature, n_players: forest.n_features };
    let mut explainers = Vec::new();
    for table_bytes in [1, 256 << 20] {
        for algorithm in [Algorithm::Tables, Algorithm::Pairs, Algorithm::Cohorts, Algorithm::Quadrature] {
            let options = Options { interactions, algorithm: Some(algorithm), table_bytes, ..Options::default() };
            let outputs = (0..forest.n_outputs).collect::<Vec<_>>();
            let made = TreeExplainer::interventional(forest, &players, background.view(), &outputs, &options).unwrap();
            explainers.push(made);
            explainers.push(TreeExplainer::path_dependent(forest, &players, &cover, &outputs, &options).unwrap());
        }
    }
    explainers
}

fn bits(values: &Array3<f64>) -> Vec<u64> {
    values.iter().map(|value| value.to_bits()).collect()
}

#[test]
fn batches_and_threads_never_change_a_bit() {
    let mut noise = Noise::new(7);
    let forest = random_forest(&mut noise, Shape { n_trees: 12, n_outputs: 2, ..SHAPE });
    let rows = random_rows(&mut noise, 203, SHAPE.n_features);
    for explainer in all_explainers(&forest, &mut noise, true) {
        let whole = explainer.explain(rows.view()).unwrap().phi;
        let pairs = explainer.interactions(rows.view()).unwrap().unwrap().values;
        for threads in [1, 3] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            for size in [7, 64, 130] {
                let batches = rows.axis_chunks_iter(ndarray::Axis(0), size);
                let (mut found, mut found_pairs) = (vec![], vec![]);
                pool.install(|| {
                    for batch in batches {
                        found.extend(bits(&explainer.explain(batch.view()).unwrap().phi));
                        found_pairs.extend(bits(&explainer.interactions(batch).unwrap().unwrap().values));
                    }
                });
                assert!(found == bits(&whole), "{}, {threads} threads, batches of {size}", explainer.engine());
                assert!(found_pairs == bits(&pairs), "pairs, {}", explainer.engine());
            }
        }
    }
}

#[test]
fn instructions_and_memory_never_change_a_bit() {
    for shape in [SHAPE, Shape { n_features: 40, n_trees: 30, ..SHAPE }] {
        let forest = random_forest(&mut Noise::new(11), shape);
        let rows = random_rows(&mut Noise::new(12), 150, shape.n_features);
        let mut by_simd = Vec::new();
        for simd in Simd::available() {
            let explainers = all_explainers(&forest, &mut Noise::new(13), true).into_iter();
            let explainers = explainers.map(|explainer| explainer.with_simd(simd));
            let found: Vec<(Vec<u64>, Vec<u64>)> = explainers
                .map(|explainer| {
                    let pairs = explainer.interactions(rows.view()).unwrap().unwrap().values;
                    (bits(&explainer.explain(rows.view()).unwrap().phi), bits(&pairs))
                })
                .collect();
            let (streamed, kept) = found.split_at(found.len() / 2);
            assert!(streamed == kept, "{simd:?} with little and with much memory");
            by_simd.push(found);
        }
        assert!(by_simd.windows(2).all(|pair| pair[0] == pair[1]));
    }
}

#[test]
fn algorithms_and_expected_rows_agree_beyond_enumeration() {
    let shape = Shape { n_features: 40, n_trees: 60, depth: 6, n_outputs: 2, all_outputs: true };
    agree_beyond_enumeration(shape);
    // Rows of sums of two and of four lines, to which packed entries are spread.
    agree_beyond_enumeration(Shape { n_features: 13, n_outputs: 1, ..shape });
    agree_beyond_enumeration(Shape { n_features: 32, n_outputs: 3, all_outputs: false, ..shape });
}

fn agree_beyond_enumeration(shape: Shape) {
    let mut noise = Noise::new(21);
    let forest = random_forest(&mut noise, shape);
    let rows = random_rows(&mut noise, 130, shape.n_features);
    let background = random_rows(&mut noise, 300, shape.n_features);
    let cover = random_cover(&mut noise, &forest);
    let of_feature: Vec<u32> = (0..shape.n_features as u32).collect();
    let players = Players { of_feature: &of_feature, n_players: shape.n_features };
    let outputs: Vec<usize> = (0..shape.n_outputs).collect();
    let explainer = |kind: Kind, algorithm: Algorithm, expected_rows: usize| {
        let options = Options { algorithm: Some(algorithm), expected_rows, ..Options::default() };
        let explainer = match kind {
            Kind::Interventional => {
                TreeExplainer::interventional(&forest, &players, background.view(), &outputs, &options)
            }
            Kind::PathDependent => TreeExplainer::path_dependent(&forest, &players, &cover, &outputs, &options),
        };
        explainer.unwrap()
    };
    for (kind, walk) in [(Kind::Interventional, Algorithm::Cohorts), (Kind::PathDependent, Algorithm::Quadrature)] {
        let expected = explainer(kind, walk, 1).explain(rows.view()).unwrap().phi;
        assert!(expected.iter().any(|value| value.abs() > 0.1));
        for (algorithm, expected_rows) in
            [(Algorithm::Tables, 1), (Algorithm::Tables, 5_000), (Algorithm::Tables, 1_000_000), (Algorithm::Pairs, 1)]
        {
            let found = explainer(kind, algorithm, expected_rows).explain(rows.view()).unwrap().phi;
            let gap = found.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
            assert!(gap < EXACT, "{kind:?}, {algorithm:?}, {expected_rows} rows: {gap}");
            for simd in Simd::available() {
                let explainer = explainer(kind, algorithm, expected_rows).with_simd(simd);
                assert_eq!(bits(&explainer.explain(rows.view()).unwrap().phi), bits(&found), "{simd:?}");
            }
        }
    }
}

#[test]
fn probabilities_are_margins_rescaled_by_background_row() {
    for seed in 0..10 {
        let mut noise = Noise::new(3000 + seed);
        let forest = random_forest(&mut noise, SHAPE);
        let background = random_rows(&mut noise, 67, SHAPE.n_features);
        let rows = random_rows(&mut noise, 4, SHAPE.n_features);
        let options = Options { scale: Scale::Probability, ..Options::default() };
        let explainer = TreeExplainer::interventional(&forest, &GROUPED, background.view(), &[0], &options).unwrap();
        let found = explainer.explain(rows.view()).unwrap();
        let probability = |row: &[f64]| {
            let mut margin = [0.0];
            forest.margin(row, &mut margin);
            (margin[0], 1.0 / (1.0 + (-margin[0]).exp()))
        };
        for (index, row) in rows.rows().into_iter().enumerate() {
            let row = row.to_vec();
            let (margin, score) = probability(&row);
            let mut expected = [0.0; GROUPED.n_players];
            for other in background.rows() {
                let game = interventional_game(&forest, &GROUPED, &row, other.insert_axis(ndarray::Axis(0)));
                let (_, phi) = shapley(&game, GROUPED.n_players);
                let (other_margin, other_score) = probability(&other.to_vec());
                let slope = match margin == other_margin {
                    true => score * (1.0 - score),
                    false => (score - other_score) / (margin - other_margin),
                };
                expected.iter_mut().zip(&phi).for_each(|(sum, phi)| *sum += phi * slope / 67.0);
            }
            (expected.iter().enumerate())
                .for_each(|(player, expected)| assert_close(found.phi[(index, 0, player)], *expected, "probability"));
            let sum = found.phi.slice(s![index, 0, ..]).sum() + found.base[(index, 0)];
            assert_close(sum, score, "sum of probabilities");
        }
    }
}

/// A tree whose every `no` child is a leaf: `depth` splits on features 0, 1, 2, …
fn chain(depth: u32) -> Forest {
    let mut tree = Tree::default();
    for level in 0..depth {
        let at = 2 * level;
        let split = Split { feature: level, test: Test::Leq(0.0), yes: at + 2, no: at + 1, missing_yes: true };
        tree.nodes.extend([Node::Split(split), Node::Leaf { votes: level..level + 1 }]);
        tree.votes.push((0, (f64::from(level) + 1.0).sqrt()));
    }
    tree.nodes.push(Node::Leaf { votes: depth..depth + 1 });
    tree.votes.push((0, 1e6));
    let n_features = depth as usize;
    Forest { n_features, n_outputs: 1, base: vec![0.5], trees: vec![tree], link: Link::Identity }
}

/// φ of `player` in the product game of one leaf, by summing over the sizes of coalitions: no subtraction but one.
fn product_game(value: f64, agrees: &[f64], shares: &[f64], player: usize) -> f64 {
    let k = agrees.len();
    let mut by_size = vec![1.0];
    for other in (0..k).filter(|other| *other != player) {
        let mut next = vec![0.0; by_size.len() + 1];
        for (size, weight) in by_size.iter().enumerate() {
            next[size] += weight * shares[other];
            next[size + 1] += weight * agrees[other];
        }
        by_size = next;
    }
    let weights = weights::Weights::up_to(k);
    let pays: f64 = by_size.iter().enumerate().map(|(size, weight)| weights.join(k, size) * weight).sum();
    value * (agrees[player] - shares[player]) * pays
}

#[test]
fn sixty_levels_lose_no_digits() {
    const DEPTH: usize = 60;
    let forest = chain(DEPTH as u32);
    let covers = (0..2 * DEPTH + 1).map(|node| if node % 2 == 0 { 0.9_f64.powi(node as i32 / 2) } else { 0.0 });
    let mut covers: Vec<f64> = covers.collect();
    (0..DEPTH).for_each(|level| covers[2 * level + 1] = covers[2 * level] - covers[2 * level + 2]);
    let cover = Cover::new(&forest, vec![covers]).unwrap();
    let of_feature: Vec<u32> = (0..DEPTH as u32).collect();
    let players = Players { of_feature: &of_feature, n_players: DEPTH };
    let explainer = TreeExplainer::path_dependent(&forest, &players, &cover, &[0], &Options::default()).unwrap();
    assert_eq!(explainer.engine(), "quadrature with up to 30 points");
    let agreeing = Array2::from_elem((1, DEPTH), -1.0);
    let mut leaving = agreeing.clone();
    leaving.slice_mut(s![0, 40..45]).fill(1.0);
    for rows in [agreeing, leaving] {
        let found = explainer.explain(rows.view()).unwrap();
        let mut expected = [0.0; DEPTH];
        for leaf in 0..=DEPTH {
            // The leaf at level l hangs off the `no` side of split l, below the `yes` sides before it.
            let k = (leaf + 1).min(DEPTH);
            let yes = |level: usize| level < leaf;
            let agrees = |level: usize| f64::from((rows[(0, level)] <= 0.0) == yes(level));
            let agrees: Vec<f64> = (0..k).map(agrees).collect();
            let shares: Vec<f64> = (0..k).map(|level| if yes(level) { 0.9 } else { 0.1 }).collect();
            let value = if leaf == DEPTH { 1e6 } else { (leaf as f64 + 1.0).sqrt() };
            (0..k).for_each(|player| expected[player] += product_game(value, &agrees, &shares, player));
        }
        for (player, expected) in expected.iter().enumerate() {
            let found = found.phi[(0, 0, player)];
            assert!((found - expected).abs() <= 1e-12 * expected.abs().max(1.0), "{player}: {found} {expected}");
        }
    }
}

#[test]
fn deep_interventional_games_add_up() {
    let forest = chain(60);
    let of_feature: Vec<u32> = (0..60).collect();
    let players = Players { of_feature: &of_feature, n_players: 60 };
    let mut noise = Noise::new(5);
    let background = Array2::from_shape_simple_fn((130, 60), || noise.number() - 0.9);
    let rows = Array2::from_shape_simple_fn((20, 60), || noise.number() - 0.9);
    for (algorithm, engine) in
        [(None, "pattern pairs"), (Some(Algorithm::Cohorts), "cohort walk"), (Some(Algorithm::Tables), "pattern pairs")]
    {
        let options = Options { algorithm, ..Options::default() };
        let explainer = TreeExplainer::interventional(&forest, &players, background.view(), &[0], &options).unwrap();
        assert_eq!(explainer.engine(), engine);
        let found = explainer.explain(rows.view()).unwrap();
        for (index, row) in rows.rows().into_iter().enumerate() {
            let mut margin = [0.0];
            forest.margin(&row.to_vec(), &mut margin);
            let sum = found.phi.slice(s![index, 0, ..]).sum() + found.base[(index, 0)];
            // Sums of votes of up to a million cannot be closer than their own rounding.
            assert!((sum - margin[0]).abs() <= 1e-13 * 1e6, "{engine}: {sum} {}", margin[0]);
        }
    }
}

#[test]
fn features_with_many_cuts_take_several_columns() {
    let trees = (0..700).map(|at| {
        let split = Split { feature: 0, test: Test::Lt(f64::from(at)), yes: 1, no: 2, missing_yes: at % 3 == 0 };
        let nodes = vec![Node::Split(split), Node::Leaf { votes: 0..1 }, Node::Leaf { votes: 1..2 }];
        Tree { nodes, votes: vec![(0, f64::from(at)), (0, 1.0)] }
    });
    let trees = trees.collect();
    let forest = Forest { n_features: 1, n_outputs: 1, base: vec![0.0], trees, link: Link::Identity };
    let players = Players { of_feature: &[0], n_players: 1 };
    let rows = array![[-1.0], [0.0], [253.0], [254.0], [254.5], [508.0], [699.0], [1e9], [f64::NAN]];
    for algorithm in [Algorithm::Tables, Algorithm::Pairs, Algorithm::Cohorts] {
        let explainer =
            TreeExplainer::interventional(&forest, &players, array![[300.0]].view(), &[0], &options(algorithm));
        let game = |row: &[f64]| interventional_game(&forest, &players, row, array![[300.0]].view());
        let explainer = explainer.unwrap();
        let found = explainer.explain(rows.view()).unwrap();
        for (index, row) in rows.rows().into_iter().enumerate() {
            let game = game(&row.to_vec());
            assert_eq!(found.phi[(index, 0, 0)], game[(1, 0)] - game[(0, 0)], "{} {row}", explainer.engine());
        }
    }
}

#[test]
fn a_forest_without_splits_attributes_nothing() {
    let lone = Tree { nodes: vec![Node::Leaf { votes: 0..1 }], votes: vec![(0, 3.0)] };
    for trees in [vec![], vec![lone]] {
        let score = 1.0 + 3.0 * trees.len() as f64;
        let forest = Forest { n_features: 2, n_outputs: 1, base: vec![1.0], trees, link: Link::Identity };
        for explainer in all_explainers(&forest, &mut Noise::new(1), true) {
            let found = explainer.explain(array![[0.0, f64::NAN]].view()).unwrap();
            assert_eq!(found.phi, Array3::<f64>::zeros((1, 1, 2)));
            assert_eq!(found.base, array![[score]]);
            assert_eq!(explainer.base(), [score]);
            let pairs = explainer.interactions(array![[0.0, 1.0]].view()).unwrap().unwrap();
            assert_eq!((pairs.pairs, pairs.values), (vec![(0, 0), (1, 1)], Array3::zeros((1, 1, 2))));
        }
    }
}

#[test]
fn no_rows_are_no_attributions() {
    let forest = random_forest(&mut Noise::new(3), SHAPE);
    for explainer in all_explainers(&forest, &mut Noise::new(1), false) {
        assert_eq!(explainer.explain(Array2::zeros((0, 7)).view()).unwrap().phi.dim(), (0, 1, 7));
        assert_eq!(explainer.interactions(Array2::zeros((0, 7)).view()).unwrap(), None);
    }
}

#[test]
fn no_outputs_are_no_attributions() {
    let forest = random_forest(&mut Noise::new(3), SHAPE);
    for algorithm in [Algorithm::Tables, Algorithm::Pairs, Algorithm::Cohorts] {
        let background = Array2::zeros((3, 7));
        let explainer =
            TreeExplainer::interventional(&forest, &SINGLE, background.view(), &[], &options(algorithm)).unwrap();
        assert_eq!(explainer.explain(background.view()).unwrap().phi.dim(), (3, 0, 7));
    }
}

#[test]
fn columns_need_not_be_contiguous() {
    let forest = random_forest(&mut Noise::new(3), SHAPE);
    let rows = random_rows(&mut Noise::new(4), 90, 7);
    let by_column = rows.t().as_standard_layout().into_owned();
    for explainer in all_explainers(&forest, &mut Noise::new(1), false) {
        let expected = explainer.explain(rows.view()).unwrap();
        assert_eq!(explainer.explain(by_column.t()).unwrap(), expected);
    }
}

#[test]
fn recounted_cover_is_the_background() {
    for seed in 0..10 {
        let mut noise = Noise::new(4000 + seed);
        let forest = random_forest(&mut noise, SHAPE);
        let background = random_rows(&mut noise, 90, SHAPE.n_features);
        let mut counts: Vec<Vec<f64>> = forest.trees.iter().map(|tree| vec![0.0; tree.nodes.len()]).collect();
        for row in background.rows() {
            for (tree, counts) in forest.trees.iter().zip(&mut counts) {
                let mut at = 0;
                counts[at] += 1.0;
                while let Node::Split(split) = &tree.nodes[at] {
                    at = if split.takes_yes(row[split.feature as usize]) { split.yes } else { split.no } as usize;
                    counts[at] += 1.0;
                }
            }
        }
        assert_eq!(Cover::count(&forest, background.view()), Cover::new(&forest, counts));
    }
}

#[test]
fn the_router_follows_rows_depth_and_scale() {
    let mut noise = Noise::new(31);
    let forest = random_forest(&mut noise, Shape { n_trees: 50, ..SHAPE });
    let cover = random_cover(&mut noise, &forest);
    let engine = |expected_rows: usize| {
        let options = Options { expected_rows, ..Options::default() };
        TreeExplainer::path_dependent(&forest, &SINGLE, &cover, &[0], &options).unwrap().engine().to_owned()
    };
    assert_eq!(engine(10), "quadrature with up to 3 points");
    assert_eq!(engine(100_000), "merged-leaf tables");
    let background = random_rows(&mut noise, 10, SHAPE.n_features);
    let options = Options { scale: Scale::Probability, ..Options::default() };
    let explainer = TreeExplainer::interventional(&forest, &SINGLE, background.view(), &[0], &options).unwrap();
    assert_eq!(explainer.engine(), "cohort walk");
    assert!(explainer.estimate().seconds > 0.0 && explainer.estimate().bytes > 0);
}

#[test]
fn what_cannot_be_explained_is_refused() {
    let forest = stump(0.0, [1.0, 2.0]);
    let one = Players { of_feature: &[0], n_players: 1 };
    let background = array![[0.0]];
    let explain = |forest: &Forest, players: &Players, outputs: &[usize], options: &Options| {
        TreeExplainer::interventional(forest, players, background.view(), outputs, options).map(|_| ())
    };
    let margin = Options::default();
    assert_eq!(explain(&forest, &one, &[0], &margin), Ok(()));
    assert_eq!(explain(&forest, &one, &[1], &margin), Err(TreeError::Output { found: 1, n_outputs: 1 }));
    let lacking = Players { of_feature: &[], n_players: 1 };
    assert_eq!(explain(&forest, &lacking, &[0], &margin), Err(TreeError::PlayerMap { found: 0, expected: 1 }));
    let beyond = Players { of_feature: &[1], n_players: 1 };
    let expected = TreeError::Player { feature: 0, found: 1, n_players: 1 };
    assert_eq!(explain(&forest, &beyond, &[0], &margin), Err(expected));
    let probability = Options { scale: Scale::Probability, ..margin };
    assert_eq!(explain(&forest, &one, &[0], &probability), Err(TreeError::NoProbability));
    let mut looped = forest.clone();
    looped.trees[0].nodes.swap(0, 1);
    assert!(matches!(explain(&looped, &one, &[0], &margin), Err(TreeError::Malformed { tree: 0, node: 1, .. })));
    assert_eq!(explain(&chain(1001), &one, &[0], &margin), Err(TreeError::Width { found: 1, expected: 1001 }));
    let empty = Array2::zeros((0, 1));
    let without = TreeExplainer::interventional(&forest, &one, empty.view(), &[0], &margin);
    assert_eq!(without.map(|_| ()), Err(TreeError::EmptyBackground));
    let explainer = TreeExplainer::interventional(&forest, &one, background.view(), &[0], &margin).unwrap();
    let wide = explainer.explain(array![[1.0, 2.0]].view());
    assert_eq!(wide, Err(TreeError::Width { found: 2, expected: 1 }));
}

#[test]
fn a_tree_beyond_the_deepest_is_refused() {
    let forest = chain(1001);
    let of_feature: Vec<u32> = (0..1001).collect();
    let players = Players { of_feature: &of_feature, n_players: 1001 };
    let background = Array2::zeros((1, 1001));
    let made =
        TreeExplainer::interventional(&forest, &players, background.view(), &[0], &Options::default()).map(|_| ());
    assert_eq!(made, Err(TreeError::TooDeep { tree: 0, limit: 1000 }));
}
