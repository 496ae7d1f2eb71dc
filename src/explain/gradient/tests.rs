use super::{GradientError, GradientExplainer, Method, Rules};
use crate::dataset::{Column, Features};
use crate::explain::game;
use crate::explain::game::{GameExplainer, Players};
use crate::model::differentiable::{Differentiable, Gradients, Stretch};
use crate::model::predictor::{PredictError, Predictor, Scores};
use ndarray::{Array2, ArrayView2, Axis};

/// Two outputs over three numbers: a rectified sum, and a product beside a square.
struct Kinked {
    layout: Vec<Stretch>,
}

impl Kinked {
    fn new() -> Self {
        Self { layout: (0..3).map(|at| Stretch { numbers: at..at + 1, column: at, cell: 0 }).collect() }
    }

    fn scores(x: &[f64]) -> [f64; 2] {
        [(2.0 * x[0] - x[1] - 0.3).max(0.0) + 0.5 * x[2], x[0] * x[1] + x[2] * x[2]]
    }

    fn slopes(x: &[f64], output: usize) -> [f64; 3] {
        let on = f64::from(u8::from(2.0 * x[0] - x[1] - 0.3 > 0.0));
        match output {
            0 => [2.0 * on, -on, 0.5],
            _ => [x[1], x[0], 2.0 * x[2]],
        }
    }
}

impl Differentiable for Kinked {
    fn width(&self) -> usize {
        3
    }

    fn layout(&self) -> &[Stretch] {
        &self.layout
    }

    fn most_points(&self) -> usize {
        50
    }

    fn points(&self, features: &Features) -> Result<Array2<f64>, PredictError> {
        Ok(Array2::from_shape_fn((features.n_rows, 3), |(row, column)| match &features.columns[column] {
            Column::Number(values) => values[row],
            _ => f64::NAN,
        }))
    }

    fn gradients(&self, points: ArrayView2<f64>, outputs: &[usize]) -> Result<Gradients, PredictError> {
        let of = |row: usize| points.row(row).to_vec();
        Ok(Gradients {
            scores: Array2::from_shape_fn((points.nrows(), 2), |(row, output)| Self::scores(&of(row))[output]),
            gradients: Array2::from_shape_fn((points.nrows(), 3), |(row, at)| Self::slopes(&of(row), outputs[row])[at]),
        })
    }

    fn combined(&self, points: ArrayView2<f64>, weights: ArrayView2<f64>) -> Result<Gradients, PredictError> {
        let of = |output| self.gradients(points, &vec![output; points.nrows()]);
        let (mut first, second) = (of(0)?, of(1)?);
        let weight = |output: usize| weights.column(output).insert_axis(Axis(1)).to_owned();
        first.gradients = &first.gradients * &weight(0) + &second.gradients * &weight(1);
        Ok(first)
    }

    fn multipliers(
        &self,
        points: ArrayView2<f64>,
        references: ArrayView2<f64>,
        outputs: &[usize],
    ) -> Result<Gradients, PredictError> {
        let mut found = self.gradients(points, outputs)?;
        for (row, mut slopes) in found.gradients.rows_mut().into_iter().enumerate() {
            let (x, z) = (points.row(row), references.row(row));
            let [inner, other] = [x, z].map(|x| 2.0 * x[0] - x[1] - 0.3);
            let share = if inner == other { 0.0 } else { (inner.max(0.0) - other.max(0.0)) / (inner - other) };
            let of_output = match outputs[row] {
                0 => [2.0 * share, -share, 0.5],
                _ => [(x[1] + z[1]) / 2.0, (x[0] + z[0]) / 2.0, x[2] + z[2]],
            };
            slopes.iter_mut().zip(of_output).for_each(|(slope, value)| *slope = value);
        }
        Ok(found)
    }
}

impl Predictor for Kinked {
    fn predict(&self, features: &Features) -> Result<Scores, PredictError> {
        let points = self.points(features)?;
        let scores = self.gradients(points.view(), &vec![0; points.nrows()])?.scores;
        Ok(Scores { probability: scores, margin: None })
    }
}

fn features(rows: &[[f64; 3]]) -> Features {
    let column = |at: usize| Column::Number(rows.iter().map(|row| row[at]).collect());
    Features { n_rows: rows.len(), columns: (0..3).map(column).collect() }
}

fn players() -> Players {
    Players::columns(&["a", "b", "c"].map(String::from))
}

fn rules(method: Method) -> Rules {
    Rules { method, outputs: vec![0, 1], budget: 2048, seed: 1, map: None }
}

fn rows() -> Features {
    features(&[[1.0, 0.4, -0.5], [0.1, 0.6, 2.0], [0.0, 0.0, 0.0], [-1.0, -2.5, 1.0]])
}

fn background() -> Features {
    features(&[[0.0, 0.5, 1.0], [0.9, -0.4, 0.2], [-0.3, 0.0, 0.0], [0.2, 0.2, -1.5], [1.4, 1.1, 0.1]])
}

const KEYS: [u64; 4] = [0, 1, 2, 3];

#[test]
fn integrals_and_multipliers_add_up_to_the_change_of_the_score() {
    let model = Kinked::new();
    for method in [Method::Integrated, Method::Expected, Method::Deep] {
        let explainer = GradientExplainer::new(&model, &background(), &players(), rules(method)).unwrap();
        let found = explainer.explain(&rows(), &KEYS, None).unwrap().attributions;
        let gaps = found.phi.sum_axis(Axis(2)) + &found.base - model.predict(&rows()).unwrap().probability;
        assert!(gaps.iter().all(|gap| gap.abs() < 2e-3), "{method:?}: {gaps}");
    }
}

#[test]
fn a_line_across_a_kink_is_integrated_by_hand() {
    // From (0, 0, 0) to (1, 0, 0) the rectifier opens at t = 0.15: ∂f/∂a is 2 on the remaining 0.85.
    let model = Kinked::new();
    let explainer =
        GradientExplainer::new(&model, &features(&[[0.0; 3]]), &players(), rules(Method::Integrated)).unwrap();
    let found = explainer.explain(&features(&[[1.0, 0.0, 0.0]]), &[0], None).unwrap().attributions;
    assert!((found.phi[[0, 0, 0]] - 1.7).abs() < 1e-3, "{}", found.phi);
    assert_eq!((found.phi[[0, 0, 1]], found.phi[[0, 0, 2]]), (0.0, 0.0));
}

#[test]
fn of_a_product_and_a_square_every_method_gives_the_shapley_values() {
    let model = Kinked::new();
    let (rows, background) = (rows(), background());
    let rules_of =
        game::Rules { method: game::Method::Exact, scale: game::Scale::Probability, outputs: vec![1], seed: 0 };
    let exact = GameExplainer::new(&model, &background, players(), rules_of).unwrap().explain(&rows, &KEYS).unwrap();
    for method in [Method::Expected, Method::Deep] {
        let rules = Rules { outputs: vec![1], ..rules(method) };
        let explainer = GradientExplainer::new(&model, &background, &players(), rules).unwrap();
        let found = explainer.explain(&rows, &KEYS, None).unwrap().attributions;
        assert!((&found.phi - &exact.phi).iter().all(|gap| gap.abs() < 1e-9), "{method:?}: {}", found.phi);
    }
}

#[test]
fn a_small_budget_is_kept_and_misses_more() {
    let model = Kinked::new();
    let gap = |budget: usize| {
        let rules = Rules { outputs: vec![0], budget, ..rules(Method::Integrated) };
        let explainer = GradientExplainer::new(&model, &features(&[[0.0; 3]]), &players(), rules).unwrap();
        let found = explainer.explain(&features(&[[1.0, 0.2, 0.0]]), &[0], None).unwrap().attributions;
        (found.phi.sum() + found.base[[0, 0]] - 1.5).abs()
    };
    assert!(gap(2048) < 1e-3 && gap(3) > gap(2048));
}

#[test]
fn gradient_times_input_is_the_tangent() {
    let model = Kinked::new();
    let explainer = GradientExplainer::new(&model, &background(), &players(), rules(Method::Input)).unwrap();
    let found = explainer.explain(&rows(), &KEYS, None).unwrap().attributions;
    assert_eq!(found.phi.slice(ndarray::s![0, 1, ..]).to_vec(), [0.4, 0.4, 0.5]);
    assert!((found.base[[0, 1]] - (0.65 - 1.3)).abs() < 1e-12);
}

#[test]
fn smoothed_gradients_of_a_straight_score_are_its_gradients() {
    let model = Kinked::new();
    let of = |method| {
        let explainer = GradientExplainer::new(&model, &background(), &players(), rules(method)).unwrap();
        explainer.explain(&rows(), &KEYS, None).unwrap().attributions
    };
    let (smooth, plain) = (of(Method::Smooth), of(Method::Input));
    // The third number's way through the first output is straight; through the second its mean slope has noise.
    assert!((smooth.phi[[0, 0, 2]] - plain.phi[[0, 0, 2]]).abs() < 1e-12);
    assert!((smooth.phi[[1, 1, 2]] - plain.phi[[1, 1, 2]]).abs() < 4.0 * 2.0 * 2.0 * 0.15 * 2.5 / 50_f64.sqrt());
    assert_ne!(smooth.phi[[1, 1, 2]], plain.phi[[1, 1, 2]]);
}

#[test]
fn neither_batch_nor_company_changes_a_digit() {
    let model = Kinked::new();
    for method in [Method::Input, Method::Smooth, Method::Integrated, Method::Expected, Method::Deep] {
        let explainer = GradientExplainer::new(&model, &background(), &players(), rules(method)).unwrap();
        let all = explainer.explain(&rows(), &KEYS, None).unwrap().attributions;
        let decisions = explainer.explain(&rows(), &KEYS, Some(&[0, 1, 1, 0])).unwrap().attributions;
        for row in 0..4 {
            let alone = explainer.explain(&rows().take(&[row]), &[row as u64], None).unwrap().attributions;
            assert_eq!(alone.phi.index_axis(Axis(0), 0), all.phi.index_axis(Axis(0), row), "{method:?}");
            let own = decisions.phi.slice(ndarray::s![row, 0, ..]);
            assert_eq!(own, all.phi.slice(ndarray::s![row, [0, 1, 1, 0][row], ..]), "{method:?}");
        }
    }
}

#[test]
fn columns_that_play_together_share_their_sum() {
    let model = Kinked::new();
    let names = ["a", "b", "c"].map(String::from);
    let grouped = Players::grouped(&names, &[("ac".to_owned(), vec!["a".to_owned(), "c".to_owned()])]).unwrap();
    let of = |players: &Players| {
        let explainer = GradientExplainer::new(&model, &background(), players, rules(Method::Integrated)).unwrap();
        explainer.explain(&rows(), &KEYS, None).unwrap().attributions
    };
    let (single, joined) = (of(&players()), of(&grouped));
    assert!((joined.phi[[0, 0, 0]] - single.phi[[0, 0, 0]] - single.phi[[0, 0, 2]]).abs() < 1e-12);
    assert_eq!(joined.phi[[0, 0, 1]], single.phi[[0, 0, 1]]);
}

#[test]
fn missing_values_are_refused_by_place() {
    let model = Kinked::new();
    let explainer = GradientExplainer::new(&model, &background(), &players(), rules(Method::Input)).unwrap();
    let error = explainer.explain(&features(&[[0.0; 3], [0.0, f64::NAN, 0.0]]), &[7, 8], None).unwrap_err();
    assert!(matches!(error, GradientError::NotFinite { column: 1, .. }) && error.to_string().contains("row 8"));
    let empty = GradientExplainer::new(&model, &features(&[]), &players(), rules(Method::Input));
    assert!(matches!(empty.err(), Some(GradientError::NoBackground)));
}
