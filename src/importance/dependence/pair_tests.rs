//! Curves of two features: laws, a plain second implementation, PyALE's answers.

use super::tests::{Fake, settings};
use super::*;
use crate::audit::CurvePoint;
use crate::dataset::batch::{Column, Features};
use crate::stats::random::Stream;
use std::sync::Arc;

const X: Varied = Varied { column: 0, name: "x" };
const Y: Varied = Varied { column: 1, name: "y" };
const TEXT: Varied = Varied { column: 2, name: "text" };

/// Two correlated numbers, and a text of length 1 to 4 that goes with them.
fn rows(n: usize) -> Features {
    let stream = Stream::new(8, "pairs");
    let x: Vec<f64> = (0..n).map(|row| stream.normal(row as u64)).collect();
    let y: Vec<f64> = x.iter().enumerate().map(|(row, x)| 0.8 * x + 0.5 * stream.child(1).normal(row as u64)).collect();
    let length = |row: usize| (1.5 + x[row] + stream.child(2).normal(row as u64)).clamp(0.0, 3.0) as usize + 1;
    let texts = (0..n).map(|row| Some(Arc::from(&"aaaa"[..length(row)]))).collect();
    Features { n_rows: n, columns: vec![Column::Number(x), Column::Number(y), Column::Text(texts)] }
}

fn quantiles(rows: &Features, varied: Varied) -> Grid {
    Grid::quantiles(rows, varied, 7, 0.0, 1.0).unwrap()
}

#[test]
fn an_additive_model_has_no_second_order_effect() {
    let (rows, model) = (rows(900), Fake(|x: &[f64]| x[0].powi(3) + (3.0 * x[1]).sin() + x[2] * x[2]));
    let (x, y, text) = (quantiles(&rows, X), quantiles(&rows, Y), quantiles(&rows, TEXT));
    for pair in [Pair { features: [X, Y], grids: [&x, &y] }, Pair { features: [Y, TEXT], grids: [&y, &text] }] {
        let points = accumulated_pair(&model, &rows, pair, &settings()).unwrap();
        assert_eq!(points.len(), pair.grids[0].len() * pair.grids[1].len());
        for point in &points {
            assert!(point.y.abs() < 1e-12, "{point:?}");
            assert!(point.ci_high.unwrap() - point.ci_low.unwrap() < 1e-9);
        }
    }
}

#[test]
fn a_product_of_independent_numbers_is_the_product_of_what_is_beyond_their_means() {
    // One row in the middle of every cell.
    let raster = [0.0, 1.0, 2.0, 4.0, 8.0];
    let middle = |at: usize| (raster[at] + raster[at + 1]) / 2.0;
    let cell = |row: usize| (middle(row / 4), middle(row % 4));
    let columns = vec![
        Column::Number((0..16).map(|row| cell(row).0).collect()),
        Column::Number((0..16).map(|row| cell(row).1).collect()),
    ];
    let (rows, grid) = (Features { n_rows: 16, columns }, Grid::given(&raster));
    let model = Fake(|x: &[f64]| 3.0 * x[0] * x[1] + x[0].powi(2) - 5.0 * x[1]);
    let pair = Pair { features: [X, Y], grids: [&grid, &grid] };
    let points = accumulated_pair(&model, &rows, pair, &settings()).unwrap();
    let mean = (0..4).map(middle).sum::<f64>() / 4.0;
    assert_eq!(points.len(), 25);
    for (at, point) in points.iter().enumerate() {
        let (x, y) = (raster[at / 5], raster[at % 5]);
        assert_eq!((point.x, point.group_value.as_str(), point.feature.as_str()), (x, y.to_string().as_str(), "x × y"));
        assert!((point.y - 3.0 * (x - mean) * (y - mean)).abs() < 1e-10, "{point:?}");
        assert_eq!(point.n, u64::from(x > 0.0 && y > 0.0));
        assert!(point.ci_low.is_none(), "no cell has two rows: nothing tells their spread");
    }
}

#[test]
fn which_feature_comes_first_changes_nothing() {
    let (rows, model) = (rows(800), Fake(|x: &[f64]| x[0] * x[1].powi(2) + (x[0] + x[1]).sin()));
    let (x, y) = (quantiles(&rows, X), quantiles(&rows, Y));
    let surface = |pair| accumulated_pair(&model, &rows, pair, &settings()).unwrap();
    let one = surface(Pair { features: [X, Y], grids: [&x, &y] });
    let other = surface(Pair { features: [Y, X], grids: [&y, &x] });
    for (at, point) in one.iter().enumerate() {
        let turned = &other[(at % y.len()) * x.len() + at / y.len()];
        assert!((point.y - turned.y).abs() < 1e-10 && point.n == turned.n);
        assert!((point.ci_low.unwrap() - turned.ci_low.unwrap()).abs() < 1e-10);
    }
}

/// Second-order effects of a number and a category, loop by loop as ALEPlot describes them.
fn described(rows: &Features, model: &dyn Fn(&[f64]) -> f64, numbers: &[f64], order: &[f64]) -> Vec<Vec<f64>> {
    let (Column::Number(x), Column::Number(y), Column::Text(texts)) =
        (&rows.columns[0], &rows.columns[1], &rows.columns[2])
    else {
        panic!("columns")
    };
    let length: Vec<f64> = texts.iter().map(|text| text.as_ref().unwrap().len() as f64).collect();
    let bin = |v: f64| (1..numbers.len() - 1).find(|at| v <= numbers[*at]).unwrap_or(numbers.len() - 1) - 1;
    let (k, m) = (order.len(), numbers.len() - 1);
    let place = |row: usize| order.iter().position(|other| *other == length[row]).unwrap();
    let (mut sums, mut counts) = (vec![vec![0.0; m]; k - 1], vec![vec![0.0; m]; k - 1]);
    let mut b = vec![vec![0.0; m]; k];
    for row in 0..rows.n_rows {
        let (bin, place) = (bin(y[row]), place(row));
        b[place][bin] += 1.0;
        let ask = |at: usize, edge: usize| model(&[x[row], numbers[edge], order[at]]);
        for step in place.saturating_sub(1)..=place.min(k - 2) {
            let up = ask(step + 1, bin + 1) - ask(step + 1, bin);
            sums[step][bin] += up - (ask(step, bin + 1) - ask(step, bin));
            counts[step][bin] += 1.0;
        }
    }
    let mut f = vec![vec![0.0; m + 1]; k];
    for i in 1..k {
        for j in 1..=m {
            assert!(counts[i - 1][j - 1] > 0.0, "every cell has rows in this test");
            f[i][j] = f[i - 1][j] + f[i][j - 1] - f[i - 1][j - 1] + sums[i - 1][j - 1] / counts[i - 1][j - 1];
        }
    }
    let mut of_number = vec![0.0; m + 1];
    for j in 0..m {
        let weighted: f64 = (0..k).map(|i| b[i][j] * (f[i][j + 1] - f[i][j])).sum();
        of_number[j + 1] = of_number[j] + weighted / (0..k).map(|i| b[i][j]).sum::<f64>();
    }
    let mut of_category = vec![0.0; k];
    for i in 0..k - 1 {
        let average = |j: usize| (b[i][j] + b[i + 1][j]) / 2.0;
        let step = |j: usize| f[i + 1][j] - f[i][j];
        let weighted: f64 = (0..m).map(|j| average(j) * (step(j) + step(j + 1)) / 2.0).sum();
        of_category[i + 1] = of_category[i] + weighted / (0..m).map(average).sum::<f64>();
    }
    let free = |i: usize, j: usize| f[i][j] - of_category[i] - of_number[j];
    let all: f64 = b.iter().flatten().sum();
    let mean: f64 =
        (0..k).map(|i| (0..m).map(|j| b[i][j] * (free(i, j) + free(i, j + 1)) / 2.0).sum::<f64>()).sum::<f64>() / all;
    (0..k).map(|i| (0..=m).map(|j| free(i, j) - mean).collect()).collect()
}

#[test]
fn a_number_and_a_category_are_what_the_description_says() {
    let formula = |x: &[f64]| x[0] + x[1] * x[2] + (x[1] * x[2] * x[2]).sin();
    let rows = rows(2_000);
    let (grid, text) = (Grid::quantiles(&rows, Y, 4, 0.0, 1.0).unwrap(), quantiles(&rows, TEXT));
    let Grid::Numbers(numbers) = &grid else { panic!("numbers") };
    // Texts are as similar as they are long.
    let known = described(&rows, &formula, numbers, &[1.0, 2.0, 3.0, 4.0]);
    let pair = Pair { features: [Y, TEXT], grids: [&grid, &text] };
    let points = accumulated_pair(&Fake(formula), &rows, pair, &settings()).unwrap();
    assert_eq!(points.len(), 16);
    for (at, point) in points.iter().enumerate() {
        assert_eq!(point.group_value, "aaaa"[..at % 4 + 1]);
        assert!((point.y - known[at % 4][at / 4]).abs() < 1e-10, "{point:?} is not {}", known[at % 4][at / 4]);
    }
}

#[test]
fn partial_dependence_on_two_features_is_the_mean_over_all_rows() {
    let (rows, model) = (rows(300), Fake(|x: &[f64]| x[0] * x[1] + x[2]));
    let (x, text) = (Grid::given(&[-1.0, 2.0]), quantiles(&rows, TEXT));
    let pair = Pair { features: [X, TEXT], grids: [&x, &text] };
    let points = partial_pair(&model, &rows, pair, &settings()).unwrap();
    let Column::Number(y) = &rows.columns[1] else { panic!("numbers") };
    let mean = y.iter().sum::<f64>() / 300.0;
    assert_eq!(points.len(), 8);
    for (at, point) in points.iter().enumerate() {
        let (x, length) = ([-1.0, 2.0][at / 4], (at % 4 + 1) as f64);
        assert!((point.y - x * mean - length).abs() < 1e-12, "{point:?}");
        assert_eq!((point.kind.as_str(), point.n), ("pdp_pair", 300));
        assert!(point.ci_low.unwrap() < point.y);
    }
}

#[test]
fn threads_change_no_digit_of_pairs() {
    let (rows, model) = (rows(9_000), Fake(|x: &[f64]| (x[0] * x[1]).sin() + x[2]));
    let (x, y) = (quantiles(&rows, X), quantiles(&rows, Y));
    let pair = Pair { features: [X, Y], grids: [&x, &y] };
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let both = || {
            let partial = partial_pair(&model, &rows, pair, &settings()).unwrap();
            (accumulated_pair(&model, &rows, pair, &settings()).unwrap(), partial)
        };
        pool.install(both)
    };
    assert_eq!(run(1), run(3));
}

#[test]
fn pairs_that_do_not_fit_are_refused() {
    let (rows, model) = (rows(50), Fake(|x: &[f64]| x[0]));
    let (x, text, beyond) = (quantiles(&rows, X), quantiles(&rows, TEXT), Grid::given(&[90.0, 99.0]));
    let alone = Grid::given(&[1.0]);
    let refused = |pair| accumulated_pair(&model, &rows, pair, &settings()).unwrap_err();
    for pair in [
        Pair { features: [TEXT, TEXT], grids: [&text, &text] },
        Pair { features: [X, Y], grids: [&x, &beyond] },
        Pair { features: [X, Y], grids: [&x, &alone] },
    ] {
        assert!(matches!(refused(pair), DependenceError::NoGrid { .. }));
    }
    let wrong = refused(Pair { features: [X, TEXT], grids: [&x, &x] });
    assert!(matches!(wrong, DependenceError::GridKind { column: "text", .. }));
    let none = Features { n_rows: 0, columns: rows.columns.iter().map(|column| column.take(&[])).collect() };
    let pair = Pair { features: [X, Y], grids: [&x, &x] };
    assert!(matches!(partial_pair(&model, &none, pair, &settings()), Err(DependenceError::NoRows { .. })));
}

/// PyALE's answers on the same rows and intervals (`tests/golden/dependence.json`).
#[test]
fn pairs_and_categories_are_those_of_pyale() {
    let known: serde_json::Value = serde_json::from_str(include_str!("../../../tests/golden/dependence.json")).unwrap();
    let list = |value: &serde_json::Value| -> Vec<f64> {
        value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
    };
    let numbers: Vec<Vec<f64>> = known["rows"].as_array().unwrap().iter().map(list).collect();
    let names: Vec<&str> = known["groups"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    let place = |name: &str| names.iter().position(|other| *other == name).unwrap() as f64;
    let codes = known["group"].as_array().unwrap().iter().map(|name| place(name.as_str().unwrap()));
    let column = |at: usize| Column::Number(numbers.iter().map(|row| row[at]).collect());
    let formula =
        |x0: f64, x1: f64, place: f64| x0 + x0 * x1 * x1 + (2.0 * x1).sin() + (place - 1.5) * (place - 1.5) * x0;
    let coded = Fake(move |x: &[f64]| formula(x[0], x[1], x[2]));
    let columns = vec![column(0), column(1), Column::Number(codes.collect())];
    let rows = Features { n_rows: numbers.len(), columns };
    let (x0, x1) = (Grid::given(&list(&known["pair"]["x0"])), Grid::given(&list(&known["pair"]["x1"])));
    let found = accumulated_pair(&coded, &rows, Pair { features: [X, Y], grids: [&x0, &x1] }, &settings()).unwrap();
    let effects: Vec<f64> = known["pair"]["effect"].as_array().unwrap().iter().flat_map(list).collect();
    assert_eq!(found.len(), effects.len());
    assert!(found.iter().any(|point| point.n == 0 && point.x > 0.0), "some cells have no rows");
    for (point, effect) in found.iter().zip(effects) {
        assert!((point.y - effect).abs() < 1e-9, "{point:?} is not {effect}");
    }
    let grid = Grid::codes(&[0.0, 1.0, 2.0, 3.0], &names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
    let group = Varied { column: 2, name: "group" };
    let effect = |points: &[CurvePoint], name: &str| points.iter().find(|it| it.group_value == name).unwrap().y;
    let by_code = accumulated_effects(&coded, &rows, None, group, &grid, &settings()).unwrap();
    let order = known["categories"]["order"].as_array().unwrap().iter().map(|name| name.as_str().unwrap());
    for (name, known) in order.zip(list(&known["categories"]["effect"])) {
        assert!((effect(&by_code, name) - known).abs() < 1e-9, "{name}: {} is not {known}", effect(&by_code, name));
    }
    assert_eq!(by_code.iter().map(|point| point.x).collect::<Vec<_>>(), [0.0, 1.0, 2.0, 3.0], "in the grid's order");
}
