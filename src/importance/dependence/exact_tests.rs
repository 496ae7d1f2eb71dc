//! What is read off the trees, against asking about every made-up row.

use super::*;
use crate::dataset::batch::{Column, Features};
use crate::forest::{Forest, Link, Node, Split, Test, Tree};
use crate::model::import::{Report, Reported};
use crate::model::{AskedColumn, Native};
use crate::stats::random::Stream;
use ndarray::Array2;

const NAMES: [&str; 3] = ["x", "y", "z"];

/// A full tree of depth 3 over three features, thresholds on a coarse raster that rows hit.
fn tree(stream: &Stream, n_outputs: usize) -> Tree {
    let mut nodes = Vec::new();
    for at in 0..7_u32 {
        let number = |purpose: u64| stream.child(purpose).at(u64::from(at));
        let value = (number(1) % 9) as f64 / 2.0 - 2.0;
        let test = if number(2) % 2 == 0 { Test::Leq(value) } else { Test::Lt(value) };
        let feature = (number(3) % 3) as u32;
        let missing_yes = number(4) % 2 == 0;
        nodes.push(Node::Split(Split { feature, test, yes: 2 * at + 1, no: 2 * at + 2, missing_yes }));
    }
    let votes: Vec<(u32, f64)> =
        (0..8 * n_outputs).map(|at| ((at % n_outputs) as u32, stream.child(5).normal(at as u64))).collect();
    let n = n_outputs as u32;
    nodes.extend((0..8_u32).map(|leaf| Node::Leaf { votes: leaf * n..(leaf + 1) * n }));
    Tree { nodes, votes }
}

fn native(link: Link, columns: Vec<Reported>, normalised: bool, n_outputs: usize) -> Native {
    let stream = Stream::new(3, "trees");
    let trees = (0..20).map(|at| tree(&stream.child(at), n_outputs)).collect();
    let forest = Forest { n_features: 3, n_outputs, base: vec![0.1; n_outputs], trees, link };
    Native::of_forest(forest, Report { link, columns, normalised, classifier: true })
}

/// Numbers on the thresholds, between them, and missing ones.
fn rows(n: usize) -> Features {
    let stream = Stream::new(4, "rows");
    let cell = |column: u64, row: usize| match stream.child(column).at(row as u64) % 19 {
        18 => f64::NAN,
        place => place as f64 / 4.0 - 2.25,
    };
    let column = |column: u64| Column::Number((0..n).map(|row| cell(column, row)).collect());
    Features { n_rows: n, columns: (0..3).map(column).collect() }
}

fn settings(n_outputs: usize) -> CurveSettings {
    let outputs = (0..n_outputs).map(|index| CurveOutput { index, name: format!("class {index}") }).collect();
    CurveSettings { outputs, scale: Scale::Probability, confidence: 0.95 }
}

/// Means over `rows`, taken up in batches of `batch` rows, at the values of the grids.
fn means<'a>(native: &'a Native, rows: &Features, grids: &[Grid], n_outputs: usize, batch: usize) -> ForestMeans<'a> {
    let asked = |(column, grid): (usize, &Grid)| AskedColumn { column, values: grid.values(true) };
    let asked: Vec<AskedColumn> = grids.iter().enumerate().map(asked).collect();
    let axes: Vec<_> = asked.iter().map(|asked| native.axis(asked, rows, |_| Ok(None)).unwrap()).collect();
    let n_values: Vec<usize> = asked.iter().map(|asked| asked.values.n_rows()).collect();
    let mut means = ForestMeans::new(native.profiles(&axes).unwrap(), &n_values, n_outputs);
    let matrix: Array2<f64> = native.rows(rows, None).unwrap();
    matrix.axis_chunks_iter(ndarray::Axis(0), batch).for_each(|rows| means.update(rows));
    means
}

fn grids(native: &Native) -> Vec<Grid> {
    (0..3).map(|column| Grid::given(&[&[-9.0, 9.0], native.pieces(column).unwrap().as_slice()].concat())).collect()
}

#[test]
fn partial_dependence_of_every_piece_is_what_asking_about_every_row_gives() {
    let reports = [
        (Link::Identity, vec![Reported::Value(0)], false, 1),
        (Link::Logistic, vec![Reported::Complement(0), Reported::Value(0)], false, 1),
        (Link::Logistic, vec![Reported::Value(0), Reported::Value(1), Reported::Value(2)], true, 3),
        (Link::Softmax, vec![Reported::Value(0), Reported::Value(1), Reported::Value(2)], false, 3),
    ];
    let rows = rows(700);
    for (link, columns, normalised, n_margins) in reports {
        let n_outputs = columns.len();
        let native = native(link, columns, normalised, n_margins);
        let (grids, settings) = (grids(&native), settings(n_outputs));
        let means = means(&native, &rows, &grids, n_outputs, 700);
        for (column, (grid, name)) in grids.iter().zip(NAMES).enumerate() {
            let varied = Varied { column, name };
            let read = forest_dependence(&means, column, varied, grid, &settings).unwrap();
            let asked = partial_dependence(&native.predictor().unwrap(), &rows, None, varied, grid, &settings).unwrap();
            assert_eq!(read.len(), (grid.len() + 1) * n_outputs);
            for (read, asked) in read.iter().zip(&asked) {
                let near = |a: f64, b: f64| (a - b).abs() < 1e-12;
                assert_eq!((&read.kind, read.x, read.n, &read.output), (&asked.kind, asked.x, asked.n, &asked.output));
                assert!(near(read.y, asked.y), "{link:?}: {read:?} is not {asked:?}");
                assert!(near(read.ci_low.unwrap(), asked.ci_low.unwrap()), "{read:?} is not {asked:?}");
            }
            assert_eq!(read.iter().filter(|point| point.kind == "pdp_missing").count(), n_outputs);
        }
    }
}

#[test]
fn between_two_thresholds_nothing_changes_and_at_each_something_may() {
    let native = native(Link::Identity, vec![Reported::Value(0)], false, 1);
    let starts = native.pieces(0).unwrap();
    assert!(starts.windows(2).all(|pair| pair[0] < pair[1]) && starts.len() > 5);
    let ends: Vec<f64> = starts[1..].iter().map(|next| native.below(*next)).chain([9.0]).collect();
    let rows = rows(100);
    let at = |grid: &Grid| {
        let means = means(&native, &rows, std::slice::from_ref(grid), 1, 1_024);
        forest_dependence(&means, 0, Varied { column: 0, name: "x" }, grid, &settings(1)).unwrap()
    };
    let (first, last) = (at(&Grid::given(&starts)), at(&Grid::given(&ends)));
    assert!(first.iter().zip(&last).all(|(first, last)| first.y == last.y), "a piece is flat");
    assert!(first[..starts.len()].windows(2).any(|pair| pair[0].y != pair[1].y));
    let drawn = stepped(first.clone(), &ends);
    let drawn: Vec<_> = drawn.iter().filter(|point| point.kind == "pdp").collect();
    // A number that is compared with both `<` and `≤` is a piece of its own.
    let single = starts.iter().zip(&ends).filter(|(start, end)| start == end).count();
    assert!(single > 0 && drawn.len() == 2 * starts.len() - single);
    assert!(drawn.windows(2).all(|pair| pair[0].x < pair[1].x));
    let height = |x: f64| first[starts.partition_point(|start| *start <= x) - 1].y;
    assert!(drawn.iter().all(|point| point.y == height(point.x)));
}

#[test]
fn threads_and_batches_change_no_digit_and_columns_may_be_too_many_for_one_pass() {
    let native = native(Link::Logistic, vec![Reported::Complement(0), Reported::Value(0)], false, 1);
    let rows = rows(5_000);
    // 3,000 values of one column do not fit beside those of another.
    let grid = Grid::given(&(0..3_000).map(|at| f64::from(at) / 500.0 - 3.0).collect::<Vec<_>>());
    let grids = vec![grid.clone(), grid.clone(), Grid::given(&[0.0, 1.0])];
    let run = |threads: usize, batch: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let means = means(&native, &rows, &grids, 2, batch);
            let curve = |column: usize| {
                let varied = Varied { column, name: NAMES[column] };
                forest_dependence(&means, column, varied, &grids[column], &settings(2)).unwrap()
            };
            (0..3).flat_map(curve).collect::<Vec<_>>()
        })
    };
    let known = run(1, 5_000);
    assert_eq!(known, run(3, 5_000));
    assert_eq!(known, run(2, 1_024));
    let varied = Varied { column: 1, name: "y" };
    let asked = partial_dependence(&native.predictor().unwrap(), &rows, None, varied, &grids[2], &settings(2)).unwrap();
    let own = means(&native, &rows, &[grids[0].clone(), grids[2].clone()], 2, 5_000);
    let read = forest_dependence(&own, 1, varied, &grids[2], &settings(2)).unwrap();
    assert!(read.iter().zip(&asked).all(|(read, asked)| (read.y - asked.y).abs() < 1e-12));
}

#[test]
fn what_cannot_be_read_is_refused() {
    let native = native(Link::Identity, vec![Reported::Value(0)], false, 1);
    let grids = grids(&native);
    let varied = Varied { column: 0, name: "x" };
    let nothing = means(&native, &rows(1), &grids, 1, 1_024);
    let one = forest_dependence(&nothing, 0, varied, &grids[0], &settings(1)).unwrap();
    assert!(one.iter().all(|point| point.n == 1 && point.ci_low.is_none()), "one row has no spread");
    let beyond = CurveSettings { outputs: vec![CurveOutput { index: 1, name: "1".into() }], ..settings(1) };
    let error = forest_dependence(&nothing, 0, varied, &grids[0], &beyond).unwrap_err();
    assert_eq!(error, DependenceError::Output { output: 1, found: 1 });
    let mut rows = rows(10);
    rows.columns[0] = Column::Text(vec![None; 10]);
    let asked = AskedColumn { column: 0, values: Column::Text(vec![None]) };
    assert!(native.axis(&asked, &rows, |_| Ok(None)).is_err());
}
