//! Laws, and captum's numbers, for occlusion.

use super::*;
use crate::explain::game::Scale;
use crate::model::predictor::{PredictError, Predictor, Scores};
use std::sync::Arc;

/// Of numbers a, b and a text c: 2a − b + [c = "x"] and a·b.
struct Table;

impl Predictor for Table {
    fn predict(&self, features: &Features) -> Result<Scores, PredictError> {
        let [Column::Number(a), Column::Number(b), Column::Text(c)] = features.columns.as_slice() else {
            panic!("two numbers and a text")
        };
        let is_x = |row: usize| f64::from(u8::from(c[row].as_deref() == Some("x")));
        let score = |(row, output): (usize, usize)| match output {
            0 => 2.0 * a[row] - b[row] + is_x(row),
            _ => a[row] * b[row],
        };
        Ok(Scores { probability: Array2::from_shape_fn((features.n_rows, 2), score), margin: None })
    }
}

fn table(a: &[f64], b: &[f64], c: &[&str]) -> Features {
    let texts = c.iter().map(|text| Some(Arc::from(*text))).collect();
    let columns = vec![Column::Number(a.to_vec()), Column::Number(b.to_vec()), Column::Text(texts)];
    Features { n_rows: a.len(), columns }
}

#[test]
fn a_column_counts_what_the_score_loses_on_average_without_it() {
    let background = table(&[0.0, 2.0], &[1.0, 5.0], &["x", "y"]);
    let rows = table(&[3.0, 1.0], &[2.0, 3.0], &["x", "y"]);
    let players = Players::columns(&["a", "b", "c"].map(String::from));
    let asker = Asker { predictor: &Table, scale: Scale::Probability };
    let explainer = OcclusionExplainer::new(asker, &background, players, None, vec![0, 1]).unwrap();
    let found = explainer.explain(&rows, &[0, 1], None).unwrap().attributions;
    // 2·(3 − 1), −(2 − 3), 1 − ½ of the first row; 3·2 − 1·2 and 3·2 − 3·3 of the product.
    assert_eq!(found.phi.slice(s![0, 0, ..]).to_vec(), [4.0, 1.0, 0.5]);
    assert_eq!(found.phi.slice(s![0, 1, ..]).to_vec(), [4.0, -3.0, 0.0]);
    let scores = Table.predict(&rows).unwrap().probability;
    let sums = found.phi.sum_axis(ndarray::Axis(2)) + &found.base;
    assert!((sums - scores).iter().all(|gap| gap.abs() < 1e-12));
    let decided = explainer.explain(&rows, &[0, 1], Some(&[1, 0])).unwrap().attributions;
    assert_eq!(decided.phi.slice(s![0, 0, ..]), found.phi.slice(s![0, 1, ..]));
    assert_eq!(decided.phi.slice(s![1, 0, ..]), found.phi.slice(s![1, 0, ..]));
    assert_eq!(explainer.evaluations_per_row(), 7);
}

/// A weighted sum of pixels.
struct Weighted(Vec<f32>);

impl Predictor for Weighted {
    fn predict(&self, features: &Features) -> Result<Scores, PredictError> {
        let score =
            |row: usize| -> f64 { cells(features, 0, row).iter().zip(&self.0).map(|(x, w)| f64::from(x * w)).sum() };
        Ok(Scores { probability: Array2::from_shape_fn((features.n_rows, 1), |(row, _)| score(row)), margin: None })
    }
}

fn pictures(n: usize, rows: &[f32]) -> Features {
    let values = rows.iter().flat_map(|value| vec![*value; n]).collect();
    Features { n_rows: rows.len(), columns: vec![Column::Tensor { width: n, values }] }
}

fn windows(height: usize, width: usize, size: (usize, usize), stride: (usize, usize)) -> Windows {
    let picture = Picture { height, width, channels: 1, channels_last: true };
    Windows { column: 0, picture, size, stride }
}

#[test]
fn a_pixel_has_the_mean_change_over_the_windows_that_cover_it() {
    let weights: Vec<f32> = (0..15).map(|at| (at * at % 7) as f32).collect();
    let model = Weighted(weights.clone());
    let asker = Asker { predictor: &model, scale: Scale::Probability };
    for (size, stride) in [((1, 1), (1, 1)), ((2, 2), (1, 1)), ((2, 2), (2, 2)), ((3, 5), (1, 1)), ((2, 3), (1, 2))] {
        let windows = windows(3, 5, size, stride);
        let players = Players::columns(&["picture".to_owned()]);
        // Baselines 1 and 3 have the mean 2, the picture is 6 everywhere.
        let explainer =
            OcclusionExplainer::new(asker, &pictures(15, &[1.0, 3.0]), players, Some(windows), vec![0]).unwrap();
        let found = explainer.explain(&pictures(15, &[6.0]), &[0], None).unwrap();
        let maps = found.maps.unwrap();
        for pixel in 0..15 {
            let covering: Vec<f64> = windows
                .corners()
                .into_iter()
                .filter(|corner| windows.pixels(*corner).any(|covered| covered == pixel))
                .map(|corner| windows.pixels(corner).map(|covered| 4.0 * f64::from(weights[covered])).sum())
                .collect();
            let expected = covering.iter().sum::<f64>() / covering.len() as f64;
            assert!((f64::from(maps[[0, 0, pixel]]) - expected).abs() < 1e-4, "{size:?} {stride:?} {pixel}");
        }
        let whole: f64 = weights.iter().map(|weight| 4.0 * f64::from(*weight)).sum();
        assert!((found.attributions.phi[[0, 0, 0]] - whole).abs() < 1e-9);
    }
}

#[test]
fn windows_reach_every_pixel_and_the_last_ones_over_the_border() {
    assert_eq!(windows(5, 5, (2, 2), (2, 2)).corners().len(), 9);
    assert_eq!(windows(28, 28, (7, 7), (4, 4)).corners().len(), 49);
    assert_eq!(windows(2, 2, (9, 9), (4, 4)).corners(), [(0, 0)]);
    let all = windows(5, 7, (2, 3), (2, 3));
    let covered: std::collections::BTreeSet<usize> = all.corners().into_iter().flat_map(|c| all.pixels(c)).collect();
    assert_eq!(covered.len(), 35);
}

/// Of two channels of 5 × 6 pixels: a weighted sum and the square of another.
struct Squared;

/// The numbers of the golden file.
fn numbers(step: usize) -> Vec<f32> {
    (0..60).map(|at| ((at * step % 17) as f32 - 8.0) / 8.0).collect()
}

impl Predictor for Squared {
    fn predict(&self, features: &Features) -> Result<Scores, PredictError> {
        let dot = |row: usize, weights: &[f32]| -> f64 {
            cells(features, 0, row).iter().zip(weights).map(|(x, w)| f64::from(*x) * f64::from(*w)).sum()
        };
        let (linear, squared) = (numbers(5), numbers(3));
        let score = |(row, _): (usize, usize)| dot(row, &linear) + dot(row, &squared).powi(2);
        Ok(Scores { probability: Array2::from_shape_fn((features.n_rows, 1), score), margin: None })
    }
}

#[test]
fn maps_are_those_of_captum() {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/occlusion.json")).unwrap();
    let golden: serde_json::Value = serde_json::from_str(&text).unwrap();
    let tensor = |values| Features { n_rows: 1, columns: vec![Column::Tensor { width: 60, values }] };
    let picture = Picture { height: 5, width: 6, channels: 2, channels_last: false };
    let asker = Asker { predictor: &Squared, scale: Scale::Probability };
    let cases = golden["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 5);
    for case in cases {
        let pair = |key: &str| [0, 1].map(|at| case[key][at].as_u64().unwrap() as usize);
        let ([a, b], [c, d]) = (pair("window"), pair("stride"));
        let windows = Windows { column: 0, picture, size: (a, b), stride: (c, d) };
        let players = Players::columns(&["picture".to_owned()]);
        let explainer = OcclusionExplainer::new(asker, &tensor(numbers(11)), players, Some(windows), vec![0]).unwrap();
        let maps = explainer.explain(&tensor(numbers(7)), &[0], None).unwrap().maps.unwrap();
        for (at, expected) in case["map"].as_array().unwrap().iter().enumerate() {
            let gap = f64::from(maps[[0, 0, at]]) - expected.as_f64().unwrap();
            assert!(gap.abs() < 1e-4, "{case}: pixel {at} is {gap} away");
        }
    }
}
