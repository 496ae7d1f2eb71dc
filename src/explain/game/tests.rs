//! The explainer against the definition, by brute force over fake models.

use super::random::Draws;
use super::*;
use crate::dataset::batch::{Column, Features};
use crate::explain::Attributions;
use crate::model::predictor::{MatrixPredictor, PredictError, Predictor, Scores, Wanted};
use ndarray::{Array2, Array3};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// One cell as a number: texts by their length, missing as −3, tensors by their weighted sum.
fn cell(column: &Column, row: usize) -> f64 {
    match column {
        Column::Number(values) if values[row].is_nan() => -3.0,
        Column::Number(values) => values[row],
        Column::Text(values) => values[row].as_ref().map_or(-3.0, |text| text.len() as f64),
        Column::Tensor { width, values } => values[row * width..][..*width]
            .iter()
            .enumerate()
            .map(|(at, value)| (at + 1) as f64 * f64::from(*value))
            .sum(),
    }
}

fn number_row(features: &Features, row: usize) -> Vec<f64> {
    features.columns.iter().map(|column| cell(column, row)).collect()
}

/// A model from a function of the row's numbers to its outputs; the margin is twice the probability.
struct Fake<F> {
    outputs: usize,
    function: F,
    n_scored: AtomicUsize,
    most_rows: AtomicUsize,
}

impl<F: Fn(&[f64]) -> Vec<f64> + Sync> Fake<F> {
    fn new(outputs: usize, function: F) -> Self {
        Self { outputs, function, n_scored: AtomicUsize::new(0), most_rows: AtomicUsize::new(0) }
    }
}

impl<F: Fn(&[f64]) -> Vec<f64> + Sync> Predictor for Fake<F> {
    fn predict(&self, features: &Features) -> Result<Scores, PredictError> {
        self.n_scored.fetch_add(features.n_rows, Ordering::Relaxed);
        self.most_rows.fetch_max(features.n_rows, Ordering::Relaxed);
        let mut probability = Array2::zeros((features.n_rows, self.outputs));
        for (row, mut scores) in probability.rows_mut().into_iter().enumerate() {
            scores.assign(&ndarray::Array1::from((self.function)(&number_row(features, row))));
        }
        Ok(Scores { margin: Some(&probability * 2.0), probability })
    }
}

/// Products, steps and a smooth function of all columns: interactions of every order.
fn tangled(x: &[f64]) -> f64 {
    let sum: f64 = x.iter().enumerate().map(|(at, value)| value * ((at * 7 % 5) as f64 - 1.7)).sum();
    let step = if x[0] > 0.3 { 1.5 } else { -0.5 };
    10.0 + step * x[x.len() - 1] + 3.0 / (1.0 + (-sum).exp()) + x.iter().product::<f64>()
}

fn random_numbers(n_rows: usize, n_columns: usize, seed: u64) -> Features {
    let mut draws = Draws::new(seed, "numbers", &[]);
    // Few distinct values, so that rows and background often agree; some are missing.
    let mut value = || match draws.below(6) {
        0 => f64::NAN,
        level => level as f64 / 4.0 - 0.5,
    };
    let columns = (0..n_columns).map(|_| Column::Number((0..n_rows).map(|_| value()).collect())).collect();
    Features { n_rows, columns }
}

fn mixed_kinds(n_rows: usize, seed: u64) -> Features {
    let mut features = random_numbers(n_rows, 3, seed);
    let mut draws = Draws::new(seed, "kinds", &[]);
    let words = [None, Some("a"), Some("bb"), Some("ccc")];
    features.columns.push(Column::Text((0..n_rows).map(|_| words[draws.below(4)].map(Arc::from)).collect()));
    let values = (0..n_rows * 4).map(|_| draws.below(3) as f32 / 2.0).collect();
    features.columns.push(Column::Tensor { width: 4, values });
    features
}

fn names(n: usize) -> Vec<String> {
    (0..n).map(|at| format!("x{at}")).collect()
}

fn one_each(features: &Features) -> Players {
    Players::columns(&names(features.columns.len()))
}

fn rules(method: Method) -> Rules {
    Rules { method, scale: Scale::Probability, outputs: vec![0], seed: 7 }
}

fn keys(rows: &Features) -> Vec<u64> {
    (100..100 + rows.n_rows as u64).collect()
}

fn explain(
    model: &dyn Predictor,
    rows: &Features,
    background: &Features,
    players: Players,
    rules: Rules,
) -> Attributions {
    GameExplainer::new(model, background, players, rules).unwrap().explain(rows, &keys(rows)).unwrap()
}

/// The definition: mean over the background of f at each mixed row, then the weighted sum over all coalitions.
fn by_definition(
    function: &dyn Fn(&[f64]) -> f64,
    x: &[f64],
    background: &[Vec<f64>],
    groups: &[Vec<usize>],
) -> (Vec<f64>, f64) {
    let p = groups.len();
    let payoff = |coalition: usize| -> f64 {
        let mixed = |z: &Vec<f64>| {
            let mut row = z.clone();
            for (_, columns) in groups.iter().enumerate().filter(|(player, _)| coalition >> player & 1 == 1) {
                columns.iter().for_each(|column| row[*column] = x[*column]);
            }
            function(&row)
        };
        background.iter().map(mixed).sum::<f64>() / background.len() as f64
    };
    let payoffs: Vec<f64> = (0..1 << p).map(payoff).collect();
    let factorial = |n: usize| (1..=n).map(|at| at as f64).product::<f64>();
    let mut phi = vec![0.0; p];
    for coalition in 0..1_usize << p {
        let size = coalition.count_ones() as usize;
        for player in (0..p).filter(|player| coalition >> player & 1 == 0) {
            let weight = factorial(size) * factorial(p - size - 1) / factorial(p);
            phi[player] += weight * (payoffs[coalition | 1 << player] - payoffs[coalition]);
        }
    }
    (phi, payoffs[0])
}

fn number_rows(features: &Features) -> Vec<Vec<f64>> {
    (0..features.n_rows).map(|row| number_row(features, row)).collect()
}

fn assert_definition(
    found: &Attributions,
    function: &dyn Fn(&[f64]) -> f64,
    rows: &Features,
    background: &Features,
    groups: &[Vec<usize>],
) {
    let background = number_rows(background);
    for (row, x) in number_rows(rows).iter().enumerate() {
        let (phi, base) = by_definition(function, x, &background, groups);
        for (player, expected) in phi.iter().enumerate() {
            let found = found.phi[[row, 0, player]];
            assert!((found - expected).abs() < 1e-11, "row {row}, player {player}: {found} is not {expected}");
        }
        assert!((found.base[[row, 0]] - base).abs() < 1e-11);
        assert!((found.phi.slice(ndarray::s![row, 0, ..]).sum() + base - function(x)).abs() < 1e-9);
    }
}

fn alone(p: usize) -> Vec<Vec<usize>> {
    (0..p).map(|column| vec![column]).collect()
}

#[test]
fn exact_values_are_the_definition() {
    for p in 1..=8 {
        let (rows, background) = (random_numbers(4, p, p as u64), random_numbers(9, p, 50 + p as u64));
        let model = Fake::new(1, |x| vec![tangled(x)]);
        let found = explain(&model, &rows, &background, one_each(&rows), rules(Method::Exact));
        assert_definition(&found, &tangled, &rows, &background, &alone(p));
        assert_eq!(found.std_err, None);
    }
}

#[test]
fn a_budget_for_all_coalitions_gives_the_definition_too() {
    let p = 6;
    let (rows, background) = (random_numbers(3, p, 1), random_numbers(7, p, 2));
    for method in [Method::Kernel { budget: 62 }, Method::Permutation { budget: 62 }] {
        let model = Fake::new(1, |x| vec![tangled(x)]);
        let found = explain(&model, &rows, &background, one_each(&rows), rules(method));
        assert_definition(&found, &tangled, &rows, &background, &alone(p));
        assert!(found.std_err.unwrap().iter().all(|error| *error == 0.0));
    }
}

#[test]
fn texts_tensors_and_missing_values_take_part() {
    let (rows, background) = (mixed_kinds(4, 3), mixed_kinds(6, 4));
    let model = Fake::new(1, |x| vec![tangled(x)]);
    let found = explain(&model, &rows, &background, one_each(&rows), rules(Method::Exact));
    assert_definition(&found, &tangled, &rows, &background, &alone(5));
}

#[test]
fn grouped_columns_come_and_go_together() {
    let (rows, background) = (mixed_kinds(4, 5), mixed_kinds(6, 6));
    let players =
        Players::grouped(&names(5), &[("pair".to_string(), vec!["x0".to_string(), "x3".to_string()])]).unwrap();
    let model = Fake::new(1, |x| vec![tangled(x)]);
    let found = explain(&model, &rows, &background, players, rules(Method::Exact));
    assert_definition(&found, &tangled, &rows, &background, &[vec![0, 3], vec![1], vec![2], vec![4]]);
}

#[test]
fn patches_of_a_tensor_are_players() {
    let image =
        |values: Vec<f32>| Features { n_rows: values.len() / 4, columns: vec![Column::Tensor { width: 4, values }] };
    let rows = image(vec![1.0, 0.5, 0.0, 2.0]);
    let background = image(vec![0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0]);
    let found = explain(&Pixels, &rows, &background, Players::patches((2, 2, 1), true, (1, 1)), rules(Method::Exact));
    let pixels = |x: &[f64]| tangled(x);
    let background = [vec![0.0; 4], vec![1.0, 1.0, 0.0, 0.0]];
    let (phi, base) = by_definition(&pixels, &[1.0, 0.5, 0.0, 2.0], &background, &alone(4));
    for (player, expected) in phi.iter().enumerate() {
        assert!((found.phi[[0, 0, player]] - expected).abs() < 1e-12);
    }
    assert!((found.base[[0, 0]] - base).abs() < 1e-12);
}

/// A model over the numbers of one tensor column.
struct Pixels;

impl Predictor for Pixels {
    fn predict(&self, features: &Features) -> Result<Scores, PredictError> {
        let Column::Tensor { width, values } = &features.columns[0] else { panic!("a tensor") };
        let score = |pixels: &[f32]| tangled(&pixels.iter().map(|pixel| f64::from(*pixel)).collect::<Vec<_>>());
        let scores: Vec<f64> = values.chunks(*width).map(score).collect();
        let probability = Array2::from_shape_vec((features.n_rows, 1), scores).unwrap();
        Ok(Scores { probability, margin: None })
    }
}

/// The same model, which also takes its rows as a matrix.
struct OnMatrix<F>(Fake<F>);

impl<F: Fn(&[f64]) -> Vec<f64> + Sync> Predictor for OnMatrix<F> {
    fn predict(&self, _: &Features) -> Result<Scores, PredictError> {
        panic!("rows are built in place")
    }

    fn on_matrix(&self) -> Option<&dyn MatrixPredictor> {
        Some(self)
    }
}

impl<F: Fn(&[f64]) -> Vec<f64> + Sync> MatrixPredictor for OnMatrix<F> {
    fn predict_matrix(
        &self,
        values: &[f32],
        n_rows: usize,
        wanted: Wanted,
    ) -> Result<Option<Array2<f64>>, PredictError> {
        let width = values.len() / n_rows;
        let column =
            |at| Column::Number(values.iter().skip(at).step_by(width).map(|value| f64::from(*value)).collect());
        let scores = self.0.predict(&Features { n_rows, columns: (0..width).map(column).collect() })?;
        Ok(if wanted == Wanted::Margin { scores.margin } else { Some(scores.probability) })
    }
}

#[test]
fn rows_built_in_place_are_the_same_rows() {
    let single = |mut features: Features| {
        features.columns.iter_mut().for_each(|column| {
            let Column::Number(values) = column else { panic!("a number") };
            values.iter_mut().for_each(|value| *value = f64::from(*value as f32));
        });
        features
    };
    let function = |x: &[f64]| vec![tangled(x), x.iter().sum()];
    // Fourteen players are more than one call holds.
    for (rows, background) in [
        (single(distinct_numbers(1, 14, 51)), single(distinct_numbers(2, 14, 52))),
        (random_numbers(4, 7, 53), random_numbers(9, 7, 54)),
    ] {
        let n = rows.columns.len();
        let groups = [("both".to_string(), vec!["x1".to_string(), "x4".to_string()])];
        let clusters: Vec<usize> = (0..n).map(|player| player / 3).collect();
        for (players, method) in [
            (one_each(&rows), Method::Exact),
            (Players::grouped(&names(n), &groups).unwrap(), Method::Exact),
            (one_each(&rows).clustered(clusters).unwrap(), Method::Exact),
            (one_each(&rows), Method::Kernel { budget: 60 }),
            (one_each(&rows), Method::ShapleyKernel { budget: 60 }),
            (one_each(&rows), Method::Permutation { budget: 60 }),
        ] {
            let scale = if method == Method::Exact { Scale::Margin } else { Scale::Probability };
            let rules = Rules { outputs: vec![0, 1], scale, ..rules(method) };
            let by_column = Fake::new(2, function);
            let in_place = OnMatrix(Fake::new(2, function));
            let expected = explain(&by_column, &rows, &background, players.clone(), rules.clone());
            let explainer = GameExplainer::new(&in_place, &background, players, rules).unwrap();
            assert_eq!(explainer.explain(&rows, &keys(&rows)).unwrap(), expected, "{method:?}");
            assert!(in_place.0.most_rows.load(Ordering::Relaxed) <= chunk_rows(&background));
            let small = explainer.with_chunk_rows(100).explain(&rows, &keys(&rows)).unwrap();
            assert_eq!(small, expected, "{method:?}");
            let n_scored = [&by_column, &in_place.0].map(|model| model.n_scored.load(Ordering::Relaxed));
            assert_eq!(2 * n_scored[0], n_scored[1]);
        }
    }
}

#[test]
fn all_outputs_come_from_the_same_scores_and_the_margin_is_another_scale() {
    let (rows, background) = (random_numbers(3, 4, 8), random_numbers(5, 4, 9));
    let model = Fake::new(3, |x| vec![x[0], tangled(x), -tangled(x)]);
    let both = Rules { outputs: vec![2, 1], ..rules(Method::Exact) };
    let found = explain(&model, &rows, &background, one_each(&rows), both.clone());
    let n_scored = model.n_scored.load(Ordering::Relaxed);
    let margin = explain(&model, &rows, &background, one_each(&rows), Rules { scale: Scale::Margin, ..both });
    assert_eq!(model.n_scored.load(Ordering::Relaxed), 2 * n_scored);
    for (phi, twice) in found.phi.iter().zip(&margin.phi) {
        assert!((2.0 * phi - twice).abs() < 1e-12);
    }
    for row in 0..3 {
        for player in 0..4 {
            assert_eq!(found.phi[[row, 0, player]], -found.phi[[row, 1, player]]);
        }
    }
}

#[test]
fn a_column_that_the_model_ignores_gets_nothing() {
    let (rows, background) = (random_numbers(5, 5, 11), random_numbers(8, 5, 12));
    let model = Fake::new(1, |x| vec![tangled(&[x[0], x[1], x[3], x[4]])]);
    for method in [Method::Exact, Method::Permutation { budget: 20 }] {
        let found = explain(&model, &rows, &background, one_each(&rows), rules(method));
        assert!(found.phi.slice(ndarray::s![.., .., 2]).iter().all(|phi| phi.abs() < 1e-12));
    }
}

#[test]
fn columns_that_the_model_treats_alike_get_the_same() {
    let mut rows = random_numbers(5, 4, 13);
    let mut background = random_numbers(8, 4, 14);
    rows.columns[2] = rows.columns[1].clone();
    background.columns[2] = background.columns[1].clone();
    let model = Fake::new(1, |x| vec![tangled(&[x[0], x[1] + x[2], x[1] * x[2], x[3]])]);
    let found = explain(&model, &rows, &background, one_each(&rows), rules(Method::Exact));
    for row in 0..5 {
        assert!((found.phi[[row, 0, 1]] - found.phi[[row, 0, 2]]).abs() < 1e-12);
    }
}

#[test]
fn values_of_a_sum_of_models_are_sums_of_values() {
    let (rows, background) = (random_numbers(5, 9, 15), random_numbers(4, 9, 16));
    let second = |x: &[f64]| (x[1] * x[2]).abs() - x[7];
    for method in [
        Method::Exact,
        Method::Kernel { budget: 60 },
        Method::ShapleyKernel { budget: 60 },
        Method::Permutation { budget: 60 },
    ] {
        let of = |function: &(dyn Fn(&[f64]) -> f64 + Sync)| {
            let model = Fake::new(1, |x: &[f64]| vec![function(x)]);
            explain(&model, &rows, &background, one_each(&rows), rules(method)).phi
        };
        let (a, b, sum) = (of(&tangled), of(&second), of(&|x| 2.0 * tangled(x) + second(x)));
        assert!(Array3::from(2.0 * a + b - sum).iter().all(|gap| gap.abs() < 1e-10));
    }
}

#[test]
fn sampled_values_add_up_and_err_as_they_say() {
    let (rows, background) = (distinct_numbers(12, 10, 17), distinct_numbers(6, 10, 18));
    let model = Fake::new(1, |x| vec![tangled(x)]);
    let exact = explain(&model, &rows, &background, one_each(&rows), rules(Method::Exact));
    for (method, most) in [
        (Method::Kernel { budget: 120 }, 1.6),
        (Method::ShapleyKernel { budget: 120 }, 1.6),
        (Method::Permutation { budget: 120 }, 1.6),
    ] {
        let mut z_squared = Vec::new();
        for seed in 0..10 {
            let found = explain(&model, &rows, &background, one_each(&rows), Rules { seed, ..rules(method) });
            let gaps = (&found.phi - &exact.phi).sum_axis(ndarray::Axis(2));
            assert!(gaps.iter().all(|gap| gap.abs() < 1e-9));
            let std_err = found.std_err.unwrap();
            z_squared.extend(
                found.phi.iter().zip(&exact.phi).zip(&std_err).map(|((a, b), error)| ((a - b) / error).powi(2)),
            );
        }
        let mean = z_squared.iter().sum::<f64>() / z_squared.len() as f64;
        assert!((0.5..most).contains(&mean), "{method:?}: mean squared standardised error {mean}");
    }
}

/// No two cells of a column agree: nothing drops out.
fn distinct_numbers(n_rows: usize, n_columns: usize, seed: u64) -> Features {
    let mut draws = Draws::new(seed, "distinct", &[]);
    let mut value = || draws.below(1 << 30) as f64 / f64::from(1 << 29) - 1.0;
    let columns = (0..n_columns).map(|_| Column::Number((0..n_rows).map(|_| value()).collect())).collect();
    Features { n_rows, columns }
}

#[test]
fn a_larger_budget_errs_less() {
    let (rows, background) = (distinct_numbers(10, 10, 19), distinct_numbers(3, 10, 20));
    let model = Fake::new(1, |x| vec![tangled(x)]);
    let exact = explain(&model, &rows, &background, one_each(&rows), rules(Method::Exact)).phi;
    let error = |method| {
        let phi = explain(&model, &rows, &background, one_each(&rows), rules(method)).phi;
        (phi - &exact).mapv(|gap| gap * gap).sum().sqrt()
    };
    let kernel = [60, 240, 900].map(|budget| error(Method::Kernel { budget }));
    assert!(kernel[0] > 1.5 * kernel[1] && kernel[1] > 2.0 * kernel[2], "{kernel:?}");
    let published = [60, 240, 900].map(|budget| error(Method::ShapleyKernel { budget }));
    assert!(published[0] > 1.5 * published[1] && published[1] > 2.0 * published[2], "{published:?}");
    let permutation = [60, 240, 960].map(|budget| error(Method::Permutation { budget }));
    assert!(permutation[0] > 1.4 * permutation[1] && permutation[1] > 1.4 * permutation[2], "{permutation:?}");
}

/// A model of `n` columns in which every function of five columns interacts in all orders, and its exact values: those of
/// the functions' own games of five players, added up.
struct Overlapping {
    n: usize,
    subsets: Vec<[usize; 5]>,
}

impl Overlapping {
    fn new(n: usize, seed: u64) -> Self {
        let mut draws = Draws::new(seed, "subsets", &[]);
        let subset = |_| {
            let mut all: Vec<usize> = (0..n).collect();
            draws.shuffle(&mut all);
            [all[0], all[1], all[2], all[3], all[4]]
        };
        Self { n, subsets: (0..n / 2).map(subset).collect() }
    }

    fn part(x: &[f64]) -> f64 {
        let step = if x[0] + x[1] > 0.2 { 1.0 } else { -0.5 };
        step * x[2] + 2.0 / (1.0 + (-3.0 * (x[1] - x[3] + x[4])).exp()) + x[0] * x[3] * x[4]
    }

    fn score(&self, x: &[f64]) -> f64 {
        self.subsets.iter().map(|subset| Self::part(&subset.map(|column| x[column]))).sum()
    }

    fn exact(&self, x: &[f64], background: &[Vec<f64>]) -> Vec<f64> {
        let mut phi = vec![0.0; self.n];
        for subset in &self.subsets {
            let cut = |row: &[f64]| subset.map(|column| row[column]).to_vec();
            let background: Vec<Vec<f64>> = background.iter().map(|row| cut(row)).collect();
            let (part, _) = by_definition(&Self::part, &cut(x), &background, &alone(5));
            subset.iter().zip(part).for_each(|(column, part)| phi[*column] += part);
        }
        phi
    }
}

/// Root mean squared errors of leverage-score sampling and of KernelSHAP as published, over seeds, rows and players.
fn errors_beside_published(n: usize, n_background: usize, budget: usize, seeds: u64) -> (f64, f64) {
    let model = Overlapping::new(n, 5);
    let (rows, background) = (distinct_numbers(2, n, 41), distinct_numbers(n_background, n, 42));
    let numbers: Vec<Vec<f64>> = (0..n_background).map(|row| number_row(&background, row)).collect();
    let exact: Vec<Vec<f64>> = (0..2).map(|row| model.exact(&number_row(&rows, row), &numbers)).collect();
    let fake = Fake::new(1, |x| vec![model.score(x)]);
    let error = |method| {
        let mut squares = 0.0;
        for seed in 0..seeds {
            let found = explain(&fake, &rows, &background, one_each(&rows), Rules { seed, ..rules(method) });
            for (row, exact) in exact.iter().enumerate() {
                squares += (0..n).map(|player| (found.phi[[row, 0, player]] - exact[player]).powi(2)).sum::<f64>();
            }
        }
        (squares / (2 * n) as f64 / seeds as f64).sqrt()
    };
    (error(Method::Kernel { budget }), error(Method::ShapleyKernel { budget }))
}

#[test]
fn leverage_sampling_errs_far_less_than_the_published_at_the_same_budget() {
    let (leverage, published) = errors_beside_published(22, 100, 256, 2);
    assert!(3.0 * leverage < published, "{leverage} against {published}");
}

/// Prints what `docs/performance.md` quotes: `cargo test --release errors_at_the_default_budget -- --ignored --nocapture`.
#[test]
#[ignore = "a measurement of minutes"]
fn errors_at_the_default_budget() {
    for n in [20, 25, 30, 60] {
        let (leverage, published) = errors_beside_published(n, 100, 2_048, 3);
        let ratio = published / leverage;
        println!("{n} players: leverage {leverage:.2e}, published {published:.2e}, ratio {ratio:.1}");
    }
}

#[test]
fn clusters_give_owen_values_by_enumeration_and_by_orders() {
    let (rows, background) = (distinct_numbers(4, 6, 21), distinct_numbers(3, 6, 22));
    let model = Fake::new(1, |x| vec![tangled(x)]);
    let players = || one_each(&rows).clustered(vec![0, 0, 1, 1, 1, 2]).unwrap();
    let exact = explain(&model, &rows, &background, players(), rules(Method::Exact));
    let (mut squares, mut variance) = (0.0, 0.0);
    for seed in 0..50 {
        let rules = Rules { seed, ..rules(Method::Permutation { budget: 30 }) };
        let sampled = explain(&model, &rows, &background, players(), rules);
        squares += (&sampled.phi - &exact.phi).mapv(|gap| gap * gap).sum();
        variance += sampled.std_err.unwrap().mapv(|error| error * error).sum();
    }
    assert!((0.8..1.25).contains(&(squares / variance)), "{squares} against {variance}");
    let shapley = explain(&model, &rows, &background, one_each(&rows), rules(Method::Exact));
    assert!((&exact.phi - &shapley.phi).iter().any(|gap| gap.abs() > 0.01));
    // A cluster's total is its value as one player.
    let groups =
        [("c0".to_string(), vec!["x0".to_string(), "x1".to_string()]), ("c1".to_string(), names(5)[2..].to_vec())];
    let grouped =
        explain(&model, &rows, &background, Players::grouped(&names(6), &groups).unwrap(), rules(Method::Exact));
    for row in 0..4 {
        let total = exact.phi[[row, 0, 2]] + exact.phi[[row, 0, 3]] + exact.phi[[row, 0, 4]];
        assert!((total - grouped.phi[[row, 0, 1]]).abs() < 1e-11);
    }
}

#[test]
fn twenty_players_in_clusters_can_be_enumerated() {
    let (rows, background) = (distinct_numbers(2, 20, 31), distinct_numbers(3, 20, 32));
    // Within a cluster of four everything interacts; across clusters the model adds.
    let within = |x: &[f64]| x.iter().product::<f64>() + (x[0] - 2.0 * x[3]).tanh();
    let model = Fake::new(1, move |x| vec![x.chunks(4).map(within).sum()]);
    let cluster: Vec<usize> = (0..20).map(|player| player / 4).collect();
    let found = explain(&model, &rows, &background, one_each(&rows).clustered(cluster).unwrap(), rules(Method::Exact));
    assert!(model.n_scored.load(Ordering::Relaxed) <= 2 * 3 * (32 + 5 * 16 * 14));
    let background: Vec<Vec<f64>> = (0..3).map(|row| number_row(&background, row)).collect();
    for row in 0..2 {
        let x = number_row(&rows, row);
        for first in (0..20).step_by(4) {
            let cut = |row: &[f64]| row[first..first + 4].to_vec();
            let others: Vec<Vec<f64>> = background.iter().map(|row| cut(row)).collect();
            let (phi, _) = by_definition(&within, &cut(&x), &others, &alone(4));
            for (player, expected) in phi.iter().enumerate() {
                assert!((found.phi[[row, 0, first + player]] - expected).abs() < 1e-11);
            }
        }
    }
}

#[test]
fn threads_chunks_and_batches_change_no_bit() {
    let (rows, background) = (distinct_numbers(7, 11, 23), distinct_numbers(20, 11, 24));
    let model = Fake::new(2, |x| vec![tangled(x), x[3].sin()]);
    for method in [
        Method::Exact,
        Method::Kernel { budget: 300 },
        Method::ShapleyKernel { budget: 300 },
        Method::Permutation { budget: 300 },
    ] {
        let rules = Rules { outputs: vec![0, 1], ..rules(method) };
        let run = |threads, chunk: Option<usize>| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let explainer = GameExplainer::new(&model, &background, one_each(&rows), rules.clone()).unwrap();
            let explainer = match chunk {
                Some(rows) => explainer.with_chunk_rows(rows),
                None => explainer,
            };
            pool.install(|| explainer.explain(&rows, &keys(&rows))).unwrap()
        };
        let one = run(1, None);
        assert_eq!(one, run(2, None));
        assert_eq!(one, run(2, Some(1)));
        assert_eq!(one, run(1, Some(777)));
        assert_eq!(one, run(2, Some(1 << 20)));
        let single = Features { n_rows: 1, columns: rows.columns.iter().map(|column| row_of(column, 5)).collect() };
        let explainer = GameExplainer::new(&model, &background, one_each(&rows), rules.clone()).unwrap();
        let alone = explainer.explain(&single, &[keys(&rows)[5]]).unwrap();
        assert_eq!(alone.phi.row_at(0), one.phi.row_at(5));
    }
}

trait RowAt {
    fn row_at(&self, row: usize) -> ndarray::ArrayView2<'_, f64>;
}

impl RowAt for Array3<f64> {
    fn row_at(&self, row: usize) -> ndarray::ArrayView2<'_, f64> {
        self.index_axis(ndarray::Axis(0), row)
    }
}

fn row_of(column: &Column, row: usize) -> Column {
    match column {
        Column::Number(values) => Column::Number(vec![values[row]]),
        Column::Text(values) => Column::Text(vec![values[row].clone()]),
        Column::Tensor { width, values } => {
            Column::Tensor { width: *width, values: values[row * width..][..*width].to_vec() }
        }
    }
}

#[test]
fn no_more_is_asked_than_announced_and_never_more_than_the_budget() {
    let (rows, background) = (random_numbers(6, 12, 25), random_numbers(10, 12, 26));
    for method in [
        Method::Exact,
        Method::Kernel { budget: 100 },
        Method::ShapleyKernel { budget: 100 },
        Method::Permutation { budget: 100 },
    ] {
        let model = Fake::new(1, |x| vec![tangled(x)]);
        let explainer = GameExplainer::new(&model, &background, one_each(&rows), rules(method)).unwrap();
        let announced = explainer.evaluations(&rows, &keys(&rows)).unwrap() as usize;
        explainer.explain(&rows, &keys(&rows)).unwrap();
        let asked = model.n_scored.load(Ordering::Relaxed);
        assert!(asked <= announced && 2 * asked > announced, "{asked} of {announced}");
        assert!(method == Method::Exact || announced <= 6 * 10 * 102);
        assert!(model.most_rows.load(Ordering::Relaxed) <= chunk_rows(&background));
    }
}

#[test]
fn a_row_that_is_the_background_has_nothing_to_explain() {
    let background = random_numbers(1, 4, 27);
    for method in [Method::Exact, Method::Kernel { budget: 2 }, Method::Permutation { budget: 2 }] {
        let model = Fake::new(1, |x| vec![tangled(x)]);
        let found = explain(&model, &background, &background, one_each(&background), rules(method));
        assert!(found.phi.iter().all(|phi| *phi == 0.0));
        assert_eq!(found.base[[0, 0]], tangled(&number_row(&background, 0)));
        assert_eq!(model.n_scored.load(Ordering::Relaxed), 1);
    }
}

#[test]
fn no_rows_are_explained_by_nothing() {
    let background = random_numbers(3, 4, 28);
    let model = Fake::new(1, |x| vec![tangled(x)]);
    let found = explain(&model, &random_numbers(0, 4, 1), &background, one_each(&background), rules(Method::Exact));
    assert_eq!(found.phi.dim(), (0, 1, 4));
}

fn refused(model: &dyn Predictor, rows: &Features, background: &Features, rules: Rules) -> GameError {
    let explained = GameExplainer::new(model, background, one_each(background), rules);
    explained.and_then(|explainer| explainer.explain(rows, &keys(rows))).unwrap_err()
}

#[test]
fn what_cannot_be_enumerated_or_afforded_is_refused_before_scoring() {
    let (rows, background) = (distinct_numbers(2, 17, 1), distinct_numbers(2, 17, 2));
    let model = Fake::new(1, |x| vec![tangled(x)]);
    let exact = refused(&model, &rows, &background, rules(Method::Exact));
    assert_eq!(exact, GameError::TooManyPlayers { row: 100, found: 17, coalitions: 1 << 17 });
    assert!(exact.to_string().contains("\"kernel\""));
    let kernel = refused(&model, &rows, &background, rules(Method::Kernel { budget: 50 }));
    assert_eq!(kernel, GameError::Budget { row: 100, budget: 50, players: 17, least: 68 });
    let permutation = refused(&model, &rows, &background, rules(Method::Permutation { budget: 50 }));
    assert_eq!(permutation, GameError::Budget { row: 100, budget: 50, players: 17, least: 64 });
    assert_eq!(model.n_scored.load(Ordering::Relaxed), 0);
}

#[test]
fn settings_and_data_that_do_not_fit_are_refused() {
    let (rows, background) = (random_numbers(2, 3, 1), random_numbers(2, 3, 2));
    let model = Fake::new(1, |x| vec![tangled(x)]);
    let exact = || rules(Method::Exact);
    assert_eq!(refused(&model, &rows, &random_numbers(0, 3, 1), exact()), GameError::NoBackground);
    assert_eq!(refused(&model, &rows, &background, Rules { outputs: vec![], ..exact() }), GameError::NoOutputs);
    let output = refused(&model, &rows, &background, Rules { outputs: vec![1], ..exact() });
    assert_eq!(output, GameError::Output { output: 1, found: 1 });
    assert!(matches!(
        refused(&model, &random_numbers(2, 4, 1), &background, exact()),
        GameError::Columns { column: 3, .. }
    ));
    let explainer = GameExplainer::new(&model, &background, one_each(&background), exact()).unwrap();
    assert_eq!(explainer.explain(&rows, &[1]).unwrap_err(), GameError::Keys { rows: 2, keys: 1 });
    let clustered = one_each(&background).clustered(vec![0, 0, 1]).unwrap();
    let kernel = GameExplainer::new(&model, &background, clustered, rules(Method::Kernel { budget: 9 }));
    assert!(matches!(kernel, Err(GameError::Clusters)));
}

#[test]
fn scores_that_cannot_be_explained_are_refused() {
    let (rows, background) = (distinct_numbers(2, 3, 1), distinct_numbers(2, 3, 2));
    let infinite = Fake::new(1, |x| vec![if x[0] > -2.0 { f64::INFINITY } else { 0.0 }]);
    let error = refused(&infinite, &rows, &background, rules(Method::Exact));
    assert!(matches!(error, GameError::NotFinite { row: 100, output: 0, scale: "probability", .. }));
    let image = Features { n_rows: 1, columns: vec![Column::Tensor { width: 2, values: vec![0.0, 1.0] }] };
    let margin = Rules { scale: Scale::Margin, ..rules(Method::Exact) };
    assert_eq!(refused(&Pixels, &image, &image, margin), GameError::NoMargin);
}
