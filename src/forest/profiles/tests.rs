use super::*;
use crate::forest::cuts::BLOCK;
use crate::forest::testing::{ALL, Numbers, VALUES, tree};
use crate::forest::{Link, Node, Tree};
use ndarray::ArrayView2;

const FEATURES: usize = 4;

fn forest(numbers: &mut Numbers, n_outputs: usize) -> Forest {
    let trees = (0..6).map(|at| tree(numbers, FEATURES, n_outputs, ALL, at * 3)).collect();
    let base = (0..n_outputs).map(|output| output as f64 / 3.0).collect();
    Forest { n_features: FEATURES, n_outputs, base, trees, link: Link::Identity }
}

/// Two columns: one fixes a feature, one fixes two at once, as a column behind an encoder does. The fourth is nobody's.
fn axes(numbers: &mut Numbers) -> Vec<Axis> {
    let one = Axis { features: vec![2], points: Array2::from_shape_fn((VALUES.len(), 1), |(point, _)| VALUES[point]) };
    let n_points = 1 + numbers.below(140);
    let points = Array2::from_shape_fn((n_points, 2), |_| numbers.value());
    vec![one, Axis { features: vec![3, 0], points }]
}

/// The margin of a row with a column's features replaced, by evaluation.
fn asked(forest: &Forest, row: &[f64], axis: &Axis, point: usize, output: usize) -> f64 {
    let mut row = row.to_vec();
    axis.features.iter().zip(axis.points.row(point)).for_each(|(feature, value)| row[*feature as usize] = *value);
    let mut out = vec![0.0; forest.n_outputs];
    forest.margin(&row, &mut out);
    out[output]
}

fn check(forest: &Forest, axes: &[Axis], rows: &[f64], simd: Simd) {
    let profiles = Profiles::new(forest, axes).with_simd(simd);
    let mut scratch = profiles.scratch();
    for rows in rows.chunks(BLOCK * FEATURES) {
        let n_rows = rows.len() / FEATURES;
        profiles.fill(ArrayView2::from_shape((n_rows, FEATURES), rows).unwrap(), &mut scratch);
        for (at, axis) in axes.iter().enumerate() {
            for output in 0..forest.n_outputs {
                let margins = profiles.margins(&scratch, at, output);
                assert_eq!(margins.len(), axis.points.nrows());
                for (point, margins) in margins.iter().enumerate() {
                    for (row, cells) in rows.chunks(FEATURES).enumerate() {
                        let expected = asked(forest, cells, axis, point, output);
                        assert!((margins.0[row] - expected).abs() < 1e-10, "{} is not {expected}", margins.0[row]);
                    }
                }
            }
        }
    }
}

#[test]
fn every_value_of_every_column_is_what_evaluation_gives() {
    let mut numbers = Numbers(11);
    for round in 0..120 {
        let n_outputs = 1 + round % 3;
        let (forest, axes) = (forest(&mut numbers, n_outputs), axes(&mut numbers));
        let n_rows = [0, 1, 17, 64, 65][round % 5];
        let rows: Vec<f64> = (0..n_rows * FEATURES).map(|_| numbers.value()).collect();
        for simd in Simd::available() {
            check(&forest, &axes, &rows, simd);
        }
    }
}

#[test]
fn a_column_that_no_tree_tests_changes_nothing() {
    let leaf = |value| Tree { nodes: vec![Node::Leaf { votes: 0..1 }], votes: vec![(0, value)] };
    let trees = vec![leaf(1.5), leaf(2.0)];
    let forest = Forest { n_features: FEATURES, n_outputs: 1, base: vec![0.25], trees, link: Link::Identity };
    let profiles = Profiles::new(&forest, &axes(&mut Numbers(1)));
    let mut scratch = profiles.scratch();
    profiles.fill(Array2::zeros((3, FEATURES)).view(), &mut scratch);
    assert!(profiles.margins(&scratch, 0, 0).iter().all(|margins| margins.0[..3] == [3.75; 3]));
}

#[test]
fn no_columns_are_no_work_to_name() {
    let forest = forest(&mut Numbers(3), 1);
    let profiles = Profiles::new(&forest, &[]);
    profiles.fill(Array2::zeros((3, FEATURES)).view(), &mut profiles.scratch());
}
