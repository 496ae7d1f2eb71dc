use super::*;
use crate::audit::CurvePoint;
use crate::dataset::batch::{Column, Features};
use crate::model::predictor::{PredictError, Predictor, Scores};
use crate::stats::random::Stream;
use ndarray::Array2;

/// A model of number columns; a text counts as its length, a missing one as 0. Its margin is ten times its score.
pub(super) struct Fake<F>(pub F);

impl<F: Fn(&[f64]) -> f64 + Sync> Predictor for Fake<F> {
    fn predict(&self, features: &Features) -> Result<Scores, PredictError> {
        let cell = |column: &Column, row: usize| match column {
            Column::Number(numbers) => numbers[row],
            Column::Text(texts) => texts[row].as_ref().map_or(0.0, |text| text.len() as f64),
            Column::Tensor { .. } => f64::NAN,
        };
        let score = |row: usize| {
            let cells: Vec<f64> = features.columns.iter().map(|column| cell(column, row)).collect();
            (self.0)(&cells)
        };
        let scores: Vec<f64> = (0..features.n_rows).map(score).collect();
        let probability =
            Array2::from_shape_fn((features.n_rows, 2), |(row, output)| scores[row] * [-1.0, 1.0][output]);
        Ok(Scores { margin: Some(&probability * 10.0), probability })
    }
}

const X: Varied = Varied { column: 0, name: "x" };
const TEXT: Varied = Varied { column: 2, name: "text" };

/// x, a number correlated with it, a text of length 1, 2 or 3 or missing.
fn rows(n: usize) -> Features {
    let stream = Stream::new(5, "rows");
    let x: Vec<f64> = (0..n).map(|row| stream.normal(row as u64)).collect();
    let near = x.iter().enumerate().map(|(row, x)| x + 0.1 * stream.child(1).normal(row as u64)).collect();
    let text = |row: usize| match stream.child(2).at(row as u64) % 5 {
        0 => None,
        length => Some("aaaa"[..length as usize].into()),
    };
    let texts = (0..n).map(text).collect();
    Features { n_rows: n, columns: vec![Column::Number(x), Column::Number(near), Column::Text(texts)] }
}

pub(super) fn settings() -> CurveSettings {
    let outputs = vec![CurveOutput { index: 1, name: "yes".into() }];
    CurveSettings { outputs, scale: Scale::Probability, confidence: 0.95 }
}

fn numbers(column: &Column) -> &[f64] {
    let Column::Number(numbers) = column else { panic!("numbers") };
    numbers
}

fn xy(points: &[CurvePoint]) -> Vec<(f64, f64)> {
    points.iter().map(|point| (point.x, point.y)).collect()
}

#[test]
fn partial_dependence_is_the_weighted_mean_over_all_rows() {
    let (rows, model) = (rows(9_000), Fake(|x: &[f64]| x[0] * x[1] + x[2]));
    let weights: Vec<f64> = (0..9_000).map(|row| f64::from(row % 3)).collect();
    let grid = Grid::given(&[-1.0, 0.5, 2.0]);
    for weights in [None, Some(weights.as_slice())] {
        let points = partial_dependence(&model, &rows, weights, X, &grid, &settings()).unwrap();
        let Column::Text(texts) = &rows.columns[2] else { panic!("texts") };
        let weight = |row: usize| weights.map_or(1.0, |weights| weights[row]);
        let total: f64 = (0..9_000).map(weight).sum();
        assert_eq!(points.len(), 3);
        for point in &points {
            let score = |row: usize| {
                point.x * numbers(&rows.columns[1])[row] + texts[row].as_ref().map_or(0, |t| t.len()) as f64
            };
            let mean = (0..9_000).map(|row| weight(row) * score(row)).sum::<f64>() / total;
            let variance = (0..9_000).map(|row| weight(row) * (score(row) - mean).powi(2)).sum::<f64>() / total;
            let effective = total * total / (0..9_000).map(|row| weight(row).powi(2)).sum::<f64>();
            assert!((point.y - mean).abs() < 1e-12);
            let half = (point.ci_high.unwrap() - point.ci_low.unwrap()) / 2.0;
            assert!((half - 1.959_963_984_540_054 * (variance / (effective - 1.0)).sqrt()).abs() < 1e-8);
            assert_eq!(point.n, if weights.is_some() { 6_000 } else { 9_000 });
        }
    }
}

#[test]
fn individual_curves_average_to_partial_dependence_and_centred_ones_start_at_zero() {
    let (rows, model) = (rows(40), Fake(|x: &[f64]| (x[0] + x[1]).powi(2) - x[2]));
    let ids: Vec<String> = (0..40).map(|row| format!("row {row}")).collect();
    let grid = Grid::quantiles(&rows, X, 7, 0.05, 0.95).unwrap();
    let curves = individual_curves(&model, &rows, &ids, X, &grid, &settings()).unwrap();
    let partial = partial_dependence(&model, &rows, None, X, &grid, &settings()).unwrap();
    assert_eq!(curves.len(), 40 * grid.len());
    for (at, point) in partial.iter().enumerate() {
        let mean = (0..40).map(|row| curves[row * grid.len() + at].y / 40.0).sum::<f64>();
        assert!((mean - point.y).abs() < 1e-12);
    }
    assert_eq!((curves[0].group_value.as_str(), curves[grid.len()].group_value.as_str()), ("row 0", "row 1"));
    let centred = centred(&curves);
    for (plain, centred) in curves.chunks(grid.len()).zip(centred.chunks(grid.len())) {
        assert_eq!((centred[0].y, centred[0].kind.as_str()), (0.0, "ice_centred"));
        assert!(plain.iter().zip(centred).all(|(a, b)| a.y - plain[0].y == b.y && a.x == b.x));
    }
}

#[test]
fn accumulated_effects_see_only_the_features_own_effect() {
    // Partial dependence would ask for x far from its neighbour, where this model explodes.
    let model = Fake(|x: &[f64]| 3.0 * x[0] + x[1].powi(3) + if (x[0] - x[1]).abs() > 3.0 { 1e6 } else { 0.0 });
    let rows = rows(3_000);
    let grid = Grid::quantiles(&rows, X, 20, 0.0, 1.0).unwrap();
    let points = accumulated_effects(&model, &rows, None, X, &grid, &settings()).unwrap();
    assert_eq!(points.iter().map(|point| point.n).sum::<u64>(), 3_000);
    assert!(points.windows(2).all(|pair| (pair[1].y - pair[0].y - 3.0 * (pair[1].x - pair[0].x)).abs() < 1e-9));
    let effect = |point: &CurvePoint| (point.ci_high.unwrap() - point.ci_low.unwrap()) / 2.0;
    assert!(points.iter().all(|point| effect(point) < 1e-9), "a linear effect does not vary");
    let middle = points.windows(2).map(|pair| pair[1].n as f64 * (pair[0].y + pair[1].y) / 2.0).sum::<f64>();
    assert!((middle / 3_000.0).abs() < 1e-9, "the curve's mean is 0");
}

#[test]
fn accumulated_effects_are_those_of_a_worked_example() {
    let model = Fake(|x: &[f64]| x[0] * x[1]);
    let columns = vec![
        Column::Number(vec![0.0, 1.0, 2.0, 3.0, f64::NAN, 9.0]),
        Column::Number(vec![1.0, 2.0, 4.0, 6.0, 8.0, 8.0]),
    ];
    let rows = Features { n_rows: 6, columns };
    let points = accumulated_effects(&model, &rows, None, X, &Grid::given(&[0.0, 1.0, 3.0]), &settings()).unwrap();
    // Steps: rows 0 and 1 gain (1 + 2) / 2, rows 2 and 3 gain 2 · (4 + 6) / 2; the mean of the curve is (0.75 + 6.5) / 2.
    assert_eq!(xy(&points), [(0.0, -3.625), (1.0, -2.125), (3.0, 7.875)]);
    assert_eq!(points.iter().map(|point| point.n).collect::<Vec<_>>(), [0, 2, 2]);
    let skipped = Grid::given(&[0.0, 1.0, 1.2, 1.4, 3.0]);
    let points = accumulated_effects(&model, &rows, None, X, &skipped, &settings()).unwrap();
    assert_eq!(xy(&points), [(0.0, -3.625), (1.0, -2.125), (3.0, 7.875)], "values without rows are left out");
    let weights = [0.0, 1.0, 3.0, 1.0, 1.0, 1.0];
    let points =
        accumulated_effects(&model, &rows, Some(&weights), X, &Grid::given(&[0.0, 1.0, 3.0]), &settings()).unwrap();
    let gains = [2.0, 2.0 * (3.0 * 4.0 + 6.0) / 4.0];
    let mean = (1.0 * gains[0] / 2.0 + 4.0 * (gains[0] + gains[1] / 2.0)) / 5.0;
    let expected = [-mean, gains[0] - mean, gains[0] + gains[1] - mean];
    assert!(points.iter().zip(expected).all(|(point, y)| (point.y - y).abs() < 1e-12));
    assert!(points[0].ci_low.is_none(), "one row has no spread");
}

#[test]
fn categories_are_compared_in_the_order_of_the_grid() {
    let (rows, model) = (rows(2_000), Fake(|x: &[f64]| x[2].powi(2) + x[1]));
    let grid = Grid::observed(&rows, TEXT).unwrap();
    let partial = partial_dependence(&model, &rows, None, TEXT, &grid, &settings()).unwrap();
    assert!(partial.windows(2).enumerate().all(|(k, pair)| (pair[1].y - pair[0].y - (2 * k + 1) as f64).abs() < 1e-9));
    let ale = accumulated_effects(&model, &rows, None, TEXT, &grid, &settings()).unwrap();
    assert!(ale.windows(2).enumerate().all(|(k, pair)| (pair[1].y - pair[0].y - (2 * k + 1) as f64).abs() < 1e-9));
    assert_eq!(ale.iter().map(|point| point.x).collect::<Vec<_>>(), [0.0, 1.0, 2.0, 3.0, 4.0]);
    let Column::Text(texts) = &rows.columns[2] else { panic!("texts") };
    let mean: f64 = texts.iter().map(|text| ale[text.as_ref().map_or(0, |text| text.len())].y).sum();
    assert!((mean / 2_000.0).abs() < 1e-9, "the curve's mean over the rows is 0");
}

#[test]
fn every_output_has_its_curve_and_a_margin_its_scale() {
    let (rows, model) = (rows(100), Fake(|x: &[f64]| x[0]));
    let both = CurveSettings {
        outputs: vec![CurveOutput { index: 1, name: "yes".into() }, CurveOutput { index: 0, name: "no".into() }],
        scale: Scale::Margin,
        confidence: 0.95,
    };
    let grid = Grid::given(&[1.0, 2.0]);
    let points = partial_dependence(&model, &rows, None, X, &grid, &both).unwrap();
    assert_eq!(
        points.iter().map(|point| (point.output.as_str(), point.y)).collect::<Vec<_>>(),
        [("yes", 10.0), ("yes", 20.0), ("no", -10.0), ("no", -20.0)]
    );
    let ale =
        accumulated_effects(&model, &rows, None, X, &Grid::quantiles(&rows, X, 5, 0.0, 1.0).unwrap(), &both).unwrap();
    assert!(ale[..5].iter().zip(&ale[5..]).all(|(yes, no)| (yes.y + no.y).abs() < 1e-12));
}

#[test]
fn threads_change_no_digit() {
    let (rows, model) = (rows(20_000), Fake(|x: &[f64]| (x[0] * x[1]).sin() + x[2]));
    let grid = Grid::quantiles(&rows, X, 6, 0.0, 1.0).unwrap();
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let partial = partial_dependence(&model, &rows, None, X, &grid, &settings()).unwrap();
            (partial, accumulated_effects(&model, &rows, None, X, &grid, &settings()).unwrap())
        })
    };
    assert_eq!(run(1), run(3));
}

#[test]
fn what_does_not_fit_is_refused() {
    let (rows, model) = (rows(10), Fake(|x: &[f64]| 1.0 / x[0]));
    let grid = Grid::given(&[1.0, 0.0]);
    let partial = |rows: &Features, weights: Option<&[f64]>, varied, grid: &Grid, settings: &CurveSettings| {
        partial_dependence(&model, rows, weights, varied, grid, settings).unwrap_err()
    };
    let none = DependenceError::NoRows { feature: "x".into() };
    assert_eq!(partial(&rows.take(&[]), None, X, &grid, &settings()), none);
    let error = partial(&rows, None, X, &grid, &settings());
    assert!(matches!(error, DependenceError::NotFinite { output: 1, value, .. } if value == f64::INFINITY));
    assert!(matches!(partial(&rows, None, TEXT, &grid, &settings()), DependenceError::GridKind { column: "text", .. }));
    assert_eq!(partial(&rows, Some(&[1.0]), X, &grid, &settings()), DependenceError::Lengths { rows: 10, found: 1 });
    assert_eq!(partial(&rows, Some(&[0.0; 10]), X, &grid, &settings()), DependenceError::NoWeight { sum: 0.0 });
    let beyond = CurveSettings { outputs: vec![CurveOutput { index: 2, name: "2".into() }], ..settings() };
    let error = partial(&rows, None, X, &Grid::given(&[1.0]), &beyond);
    assert_eq!(error, DependenceError::Output { output: 2, found: 2 });
    let constant = Grid::given(&[1.0]);
    let error = accumulated_effects(&model, &rows, None, X, &constant, &settings()).unwrap_err();
    assert!(matches!(error, DependenceError::NoGrid { .. }));
    let error = individual_curves(&model, &rows, &[], X, &constant, &settings()).unwrap_err();
    assert_eq!(error, DependenceError::Lengths { rows: 10, found: 0 });
}

/// PyALE's answer on the same rows and intervals (`tests/golden/sensitivity.json`).
#[test]
fn accumulated_effects_are_those_of_pyale() {
    let known: serde_json::Value =
        serde_json::from_str(include_str!("../../../tests/golden/sensitivity.json")).unwrap();
    let list = |value: &serde_json::Value| -> Vec<f64> {
        value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
    };
    let rows: Vec<Vec<f64>> = known["rows"].as_array().unwrap().iter().map(list).collect();
    let column = |at: usize| Column::Number(rows.iter().map(|row| row[at]).collect());
    let rows = Features { n_rows: rows.len(), columns: (0..3).map(column).collect() };
    let (x, y) = (list(&known["ale"]["x"]), list(&known["ale"]["y"]));
    let model = Fake(|x: &[f64]| x[0] + x[0] * x[1]);
    let found = accumulated_effects(&model, &rows, None, X, &Grid::given(&x), &settings()).unwrap();
    assert_eq!(found.len(), x.len());
    for (point, (x, y)) in found.iter().zip(x.iter().zip(y)) {
        assert!((point.x - x).abs() < 1e-12 && (point.y - y).abs() < 1e-9, "{point:?} is not {y}");
    }
}
