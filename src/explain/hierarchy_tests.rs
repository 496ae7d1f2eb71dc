//! Laws and brute force for Owen values over halves.

use super::*;
use crate::dataset::Column;
use crate::explain::game::Scale;
use crate::model::predictor::{PredictError, Predictor, Scores};
use crate::stats::random::Stream;

/// Any game of the pixels that differ from the baseline 0, two outputs; counts rows that it scored.
struct Game {
    payoffs: Vec<[f64; 2]>,
}

impl Predictor for Game {
    fn predict(&self, features: &Features) -> Result<Scores, PredictError> {
        let mut probability = Array2::zeros((features.n_rows, 2));
        for row in 0..features.n_rows {
            let bits = cells(features, 0, row).iter().enumerate().filter(|(_, x)| **x != 0.0).map(|(at, _)| 1 << at);
            let payoff = self.payoffs[bits.sum::<usize>()];
            (0..2).for_each(|output| probability[[row, output]] = payoff[output]);
        }
        Ok(Scores { probability, margin: None })
    }
}

fn game(n: usize) -> Game {
    let stream = Stream::new(11, "payoffs");
    Game { payoffs: (0..1_u64 << n).map(|at| [stream.normal(2 * at), stream.normal(2 * at + 1)]).collect() }
}

fn picture(height: usize, width: usize) -> Picture {
    Picture { height, width, channels: 1, channels_last: true }
}

fn one(value: f32, n: usize) -> Features {
    Features { n_rows: 1, columns: vec![Column::Tensor { width: n, values: vec![value; n] }] }
}

fn explained(game: &Game, (height, width): (usize, usize), patch: (usize, usize), budget: usize) -> Divided {
    let tree = Tree::new((height, width), patch);
    let asker = Asker { predictor: game, scale: Scale::Probability };
    let players = Players::columns(&["picture".to_owned()]);
    let n = height * width;
    let rules = (tree, budget, vec![0, 1]);
    let explainer = HierarchyExplainer::new(asker, &one(0.0, n), picture(height, width), players, rules).unwrap();
    explainer.explain(&one(1.0, n), &[0], None).unwrap()
}

/// All orders in which every node's leaves stand side by side.
fn orders(tree: &Tree, node: usize) -> Vec<Vec<usize>> {
    let Some((one, other)) = tree.nodes[node].children else { return vec![vec![tree.nodes[node].from]] };
    let (one, other) = (orders(tree, one), orders(tree, other));
    let mut all = Vec::new();
    for a in &one {
        for b in &other {
            all.push([a.clone(), b.clone()].concat());
            all.push([b.clone(), a.clone()].concat());
        }
    }
    all
}

#[test]
fn values_are_means_over_the_orders_that_keep_every_node_together() {
    for ((height, width), patch) in
        [((2, 3), (1, 1)), ((3, 3), (1, 1)), ((4, 2), (2, 1)), ((1, 4), (1, 1)), ((1, 1), (1, 1))]
    {
        let n = height * width;
        let (game, tree) = (game(n), Tree::new((height, width), patch));
        let found = explained(&game, (height, width), patch, usize::MAX);
        let orders = orders(&tree, 0);
        for output in 0..2 {
            let mut expected = vec![0.0; tree.n_leaves()];
            for order in &orders {
                let mut there = 0;
                for leaf in order {
                    let more: usize = tree.leaves[*leaf].iter().map(|pixel| 1 << pixel).sum();
                    expected[*leaf] += game.payoffs[there | more][output] - game.payoffs[there][output];
                    there |= more;
                }
            }
            for (leaf, expected) in expected.iter().enumerate() {
                let map = |pixel: &usize| f64::from(found.maps[[0, output, *pixel]]);
                let value: f64 = tree.leaves[leaf].iter().map(map).sum();
                assert!((value - expected / orders.len() as f64).abs() < 1e-5, "{height}×{width}, leaf {leaf}");
            }
        }
    }
}

#[test]
fn values_add_up_whatever_the_budget_pays_for() {
    let game = game(12);
    for budget in [0, 2, 3, 4, 17, 100, 100_000] {
        let found = explained(&game, (3, 4), (1, 1), budget);
        for output in 0..2 {
            let total = game.payoffs[4095][output] - game.payoffs[0][output];
            assert!((found.attributions.phi[[0, output, 0]] - total).abs() < 1e-12);
            assert!((f64::from(found.maps.slice(s![0, output, ..]).sum()) - total).abs() < 1e-5);
            assert_eq!(found.attributions.base[[0, output]], game.payoffs[0][output]);
        }
    }
    let nothing_divided = explained(&game, (3, 4), (1, 1), 2).maps;
    assert!(nothing_divided.slice(s![0, 0, ..]).iter().all(|pixel| *pixel == nothing_divided[[0, 0, 0]]));
}

#[test]
fn a_sum_over_pixels_is_told_apart_by_little_and_pixels_that_do_nothing_get_nothing() {
    let payoffs = (0..1_usize << 12).map(|bits| [f64::from((bits & 0b11).count_ones() as u8), 0.0]).collect();
    let found = explained(&Game { payoffs }, (3, 4), (1, 1), 40);
    let expected: Vec<f32> = (0..12).map(|pixel| f32::from(u8::from(pixel < 2))).collect();
    assert_eq!(found.maps.slice(s![0, 0, ..]).to_vec(), expected);
    assert!(found.maps.slice(s![0, 1, ..]).iter().all(|pixel| *pixel == 0.0));
}

#[test]
fn leaves_cover_every_pixel_once_and_nodes_are_runs_of_them() {
    for (size, patch) in [((5, 7), (1, 1)), ((5, 7), (2, 3)), ((28, 28), (7, 7)), ((1, 9), (4, 4))] {
        let tree = Tree::new(size, patch);
        let mut pixels: Vec<usize> = tree.leaves.concat();
        pixels.sort_unstable();
        assert_eq!(pixels, (0..size.0 * size.1).collect::<Vec<_>>());
        for node in &tree.nodes {
            match node.children {
                None => assert_eq!(node.to - node.from, 1),
                Some((one, other)) => {
                    let (one, other) = (tree.nodes[one], tree.nodes[other]);
                    assert_eq!((node.from, one.to, node.to), (one.from, other.from, other.to));
                }
            }
        }
    }
}

#[test]
fn patches_as_players_get_what_their_leaves_get() {
    let game = game(12);
    let (size, patch) = ((4, 3), (2, 2));
    let players = Players::patches((4, 3, 1), true, patch);
    let asker = Asker { predictor: &game, scale: Scale::Probability };
    let rules = (Tree::new(size, patch), 1_000, vec![1]);
    let explainer = HierarchyExplainer::new(asker, &one(0.0, 12), picture(4, 3), players.clone(), rules).unwrap();
    let found = explainer.explain(&one(1.0, 12), &[0], None).unwrap();
    let decided = explainer.explain(&one(1.0, 12), &[0], Some(&[1])).unwrap();
    assert_eq!(found, decided);
    for (at, player) in players.iter().enumerate() {
        let [Part::Cells { cells, .. }] = player.parts.as_slice() else { panic!("patches own cells") };
        let map: f64 = cells.iter().map(|pixel| f64::from(found.maps[[0, 0, *pixel]])).sum();
        assert!((map - found.attributions.phi[[0, 0, at]]).abs() < 1e-5);
    }
}

/// Pixels that act together in threes: a + b² and abc / 64 of three weighted sums.
struct Together;

/// The numbers of the golden file.
fn numbers(n: usize, step: usize) -> Vec<f32> {
    (0..n).map(|at| ((at * step % 17) as f32 - 8.0) / 8.0).collect()
}

impl Predictor for Together {
    fn predict(&self, features: &Features) -> Result<Scores, PredictError> {
        let dot = |row: usize, step: usize| -> f64 {
            let x = cells(features, 0, row);
            x.iter().zip(numbers(x.len(), step)).map(|(x, w)| f64::from(*x) * f64::from(w)).sum()
        };
        let score = |(row, output): (usize, usize)| {
            let [a, b, c] = [5, 3, 7].map(|step| dot(row, step));
            if output == 0 { a + b * b } else { a * b * c / 64.0 }
        };
        Ok(Scores { probability: Array2::from_shape_fn((features.n_rows, 2), score), margin: None })
    }
}

#[test]
fn values_are_those_of_shap() {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/partition.json")).unwrap();
    let golden: serde_json::Value = serde_json::from_str(&text).unwrap();
    let cases = golden["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 5);
    for case in cases {
        let whole = |key: &str| case[key].as_u64().unwrap() as usize;
        let (height, width, channels) = (whole("height"), whole("width"), whole("channels"));
        let patch = [0, 1].map(|at| case["patch"][at].as_u64().unwrap() as usize);
        let (size, patch, n) = ((height, width), (patch[0], patch[1]), height * width * channels);
        let tensor =
            |step| Features { n_rows: 1, columns: vec![Column::Tensor { width: n, values: numbers(n, step) }] };
        let asker = Asker { predictor: &Together, scale: Scale::Probability };
        let players = Players::patches((height, width, channels), true, patch);
        let picture = Picture { height, width, channels, channels_last: true };
        let rules = (Tree::new(size, patch), usize::MAX, vec![0, 1]);
        let explainer = HierarchyExplainer::new(asker, &tensor(11), picture, players, rules).unwrap();
        let found = explainer.explain(&tensor(7), &[0], None).unwrap().attributions.phi;
        for output in 0..2 {
            let expected = case["values"][output].as_array().unwrap();
            assert_eq!(expected.len(), found.dim().2);
            for (player, expected) in expected.iter().enumerate() {
                let gap = found[[0, output, player]] - expected.as_f64().unwrap();
                assert!(gap.abs() < 1e-9, "{height}×{width}×{channels}: player {player} is {gap} away");
            }
        }
    }
}
