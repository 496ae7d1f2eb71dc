use super::*;
use crate::dataset::batch::{Column, Features};
use crate::model::predictor::{PredictError, Predictor, Scores};
use crate::stats::random::Stream;
use std::sync::Mutex;

/// A model of number columns; a text column counts as 1 where it is "yes", else 0. Its margin is twice its score.
struct Fake<F>(F);

impl<F: Fn(&[f64]) -> f64 + Sync> Predictor for Fake<F> {
    fn predict(&self, features: &Features) -> Result<Scores, PredictError> {
        let cell = |column: &Column, row: usize| match column {
            Column::Number(numbers) => numbers[row],
            Column::Text(texts) => f64::from(u8::from(texts[row].as_deref() == Some("yes"))),
            Column::Tensor { .. } => f64::NAN,
        };
        let score = |row: usize| {
            let cells: Vec<f64> = features.columns.iter().map(|column| cell(column, row)).collect();
            (self.0)(&cells)
        };
        let positive: Vec<f64> = (0..features.n_rows).map(score).collect();
        let probability =
            Array2::from_shape_fn(
                (features.n_rows, 2),
                |(row, output)| if output == 1 { positive[row] } else { 1.0 - positive[row] },
            );
        Ok(Scores { margin: Some(&probability * 2.0), probability })
    }
}

/// A number, a code of three, a text, a number with missing cells.
fn training(n: usize) -> Features {
    let stream = Stream::new(11, "training");
    let number = |column: u64| (0..n).map(move |row| 40.0 + 10.0 * stream.child(column).normal(row as u64));
    let codes = (0..n).map(|row| (stream.child(7).at(row as u64) % 3) as f64);
    let text = |row: usize| match stream.child(8).at(row as u64) % 4 {
        0 => None,
        1 => Some("no".into()),
        _ => Some("yes".into()),
    };
    let gaps = number(2).enumerate().map(|(row, x)| if row % 5 == 0 { f64::NAN } else { x });
    Features {
        n_rows: n,
        columns: vec![
            Column::Number(number(1).collect()),
            Column::Number(codes.collect()),
            Column::Text((0..n).map(text).collect()),
            Column::Number(gaps.collect()),
        ],
    }
}

fn columns() -> Vec<LimeColumn> {
    let column = |name: &str, categorical, levels: &[&str]| LimeColumn {
        name: name.into(),
        categorical,
        levels: levels.iter().map(|level| (*level).to_string()).collect(),
    };
    vec![
        column("age", false, &[]),
        column("race", true, &["Black", "White", "Other"]),
        column("married", false, &[]),
        column("income", false, &[]),
    ]
}

fn model(x: &[f64]) -> f64 {
    let income = if x[3].is_nan() { 0.1 } else { 0.004 * x[3] };
    0.3 * f64::from(u8::from(x[0] > 45.0)) + 0.2 * x[2] + income - 0.05 * f64::from(u8::from(x[1] == 2.0))
}

fn settings() -> LimeSettings {
    LimeSettings { samples: 3_000, ..LimeSettings::new(vec![1], Scale::Probability, 3) }
}

fn keys(rows: &Features) -> Vec<u64> {
    (0..rows.n_rows as u64).collect()
}

fn explained(settings: &LimeSettings, n_rows: usize) -> LimeResult {
    let (training, model) = (training(800), Fake(model));
    let explainer = LimeExplainer::new(&model, &training, &columns(), settings.clone()).unwrap();
    let rows = training.take(&(0..n_rows).collect::<Vec<_>>());
    explainer.explain(&rows, &keys(&rows)).unwrap()
}

#[test]
fn weights_and_intercept_sum_to_the_local_prediction() {
    for discretiser in [Discretiser::Quartile, Discretiser::Decile, Discretiser::Off] {
        let by = Selection::Auto;
        for features in [Choice::All, Choice::Best { k: 2, by }] {
            let found = explained(&LimeSettings { discretiser, features, outputs: vec![1, 0], ..settings() }, 20);
            for (at, fit) in found.fits.indexed_iter() {
                let phi = found.attributions.phi.slice(ndarray::s![at.0, at.1, ..]);
                assert!((phi.sum() + found.attributions.base[at] - fit.local_prediction).abs() < 1e-12);
                assert!(phi.iter().filter(|phi| **phi != 0.0).count() <= if features == Choice::All { 4 } else { 2 });
                assert!(fit.r2.is_some_and(|r2| r2 > 0.0 && r2 <= 1.0));
            }
        }
    }
}

#[test]
fn the_two_classes_of_a_probability_have_opposite_weights_and_a_margin_scales_them() {
    let found = explained(&LimeSettings { outputs: vec![0, 1], ..settings() }, 5);
    let margin = explained(&LimeSettings { scale: Scale::Margin, ..settings() }, 5);
    for row in 0..5 {
        for feature in 0..4 {
            let (no, yes) = (found.attributions.phi[[row, 0, feature]], found.attributions.phi[[row, 1, feature]]);
            assert!((no + yes).abs() < 1e-12);
            assert!((margin.attributions.phi[[row, 0, feature]] - 2.0 * yes).abs() < 1e-12);
        }
        assert_eq!(found.fits[[row, 0]].stability, found.fits[[row, 1]].stability);
    }
}

#[test]
fn additive_effects_of_categories_are_found() {
    // A tiny penalty and a model additive in the design itself leave nothing to approximate.
    let additive = Fake(|x: &[f64]| 0.2 * x[2] + if x[3].is_nan() { 0.25 } else { 0.0 });
    let (training, settings) = (training(800), LimeSettings { ridge: 1e-9, ..settings() });
    let explainer = LimeExplainer::new(&additive, &training, &columns(), settings).unwrap();
    let Column::Text(texts) = &training.columns[2] else { panic!("texts") };
    let married: Vec<usize> = (0..800).filter(|row| texts[*row].as_deref() == Some("yes") && row % 5 == 0).collect();
    let rows = training.take(&married[..8]);
    let found = explainer.explain(&rows, &keys(&rows)).unwrap();
    for row in 0..8 {
        let expected = [0.0, 0.0, 0.2, 0.25];
        assert!(expected.iter().enumerate().all(|(j, e)| (found.attributions.phi[[row, 0, j]] - e).abs() < 1e-8));
        assert!(found.attributions.base[[row, 0]].abs() < 1e-8);
        assert!((found.fits[[row, 0]].r2.unwrap() - 1.0).abs() < 1e-8);
        assert_eq!(found.terms[row][3], "income is missing");
    }
}

#[test]
fn without_bins_a_linear_model_is_its_own_surrogate() {
    let linear = Fake(|x: &[f64]| 0.5 + 0.01 * x[0]);
    let numbers = Features { n_rows: 800, columns: training(800).columns[..1].to_vec() };
    for around in [Around::Data, Around::Row] {
        let settings = LimeSettings { discretiser: Discretiser::Off, around, ridge: 1e-9, ..settings() };
        let explainer = LimeExplainer::new(&linear, &numbers, &columns()[..1], settings).unwrap();
        let rows = Features { n_rows: 1, columns: vec![Column::Number(vec![70.0])] };
        let found = explainer.explain(&rows, &[0]).unwrap();
        let Column::Number(training) = &numbers.columns[0] else { panic!("numbers") };
        let mean = training.iter().sum::<f64>() / 800.0;
        assert!((found.fits[[0, 0]].local_prediction - 1.2).abs() < 1e-8);
        assert!((found.attributions.phi[[0, 0, 0]] - 0.01 * (70.0 - mean)).abs() < 1e-7);
        assert_eq!(found.terms[0], ["age = 70"]);
    }
}

#[test]
fn terms_say_what_the_row_is() {
    let found = explained(&settings(), 60);
    for row in found.terms {
        assert!(row[0].starts_with("age <= ") || row[0].contains(" < age <= ") || row[0].starts_with("age > "));
        assert!(["race = Black", "race = White", "race = Other"].contains(&row[1].as_str()));
        assert!(["married = yes", "married = no", "married is missing"].contains(&row[2].as_str()));
    }
}

#[test]
fn threads_and_batches_change_no_digit() {
    let (training, model) = (training(300), Fake(model));
    for stability in [Stability::Resampled { replicates: 5 }, Stability::Seeds { further: 2 }] {
        let settings = LimeSettings { stability, samples: 400, ..settings() };
        let explainer = LimeExplainer::new(&model, &training, &columns(), settings).unwrap();
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| explainer.explain(&training, &keys(&training))).unwrap()
        };
        let whole = run(1);
        assert_eq!(whole, run(3));
        let part = explainer.explain(&training.take(&[7, 250]), &[7, 250]).unwrap();
        for (at, row) in [7, 250].into_iter().enumerate() {
            assert_eq!(part.fits.row(at), whole.fits.row(row));
            let of = |found: &LimeResult, row| found.attributions.phi.index_axis(ndarray::Axis(0), row).to_owned();
            assert_eq!(of(&part, at), of(&whole, row));
        }
    }
}

#[test]
fn resampling_tells_how_far_other_seeds_move_the_weights() {
    let base = LimeSettings { samples: 1_000, ..settings() };
    let resampled = explained(&LimeSettings { stability: Stability::Resampled { replicates: 60 }, ..base.clone() }, 30);
    let seeds = explained(&LimeSettings { stability: Stability::Seeds { further: 40 }, ..base.clone() }, 30);
    let mean = |found: &LimeResult| found.attributions.std_err.as_ref().unwrap().mean().unwrap();
    let ratio = mean(&resampled) / mean(&seeds);
    assert!((0.85..1.15).contains(&ratio), "{ratio}");
    let stability = |found: &LimeResult| found.fits.iter().map(|fit| fit.stability.unwrap()).sum::<f64>() / 30.0;
    assert!((stability(&resampled) - stability(&seeds)).abs() < 0.06);
    let none = explained(&LimeSettings { stability: Stability::NotAsked, ..base }, 2);
    assert_eq!((none.attributions.std_err, none.fits[[0, 0]].stability), (None, None));
}

#[test]
fn the_model_is_asked_as_often_as_announced_and_about_the_row_itself_first() {
    let asked = Mutex::new(Vec::new());
    let watched = Fake(|x: &[f64]| {
        asked.lock().unwrap().push(x[0]);
        0.5
    });
    let training = training(100);
    let stability = Stability::Seeds { further: 2 };
    let settings = LimeSettings { samples: 9_000, stability, ..settings() };
    let explainer = LimeExplainer::new(&watched, &training, &columns(), settings).unwrap();
    let row = training.take(&[3]);
    let found = explainer.explain(&row, &[3]).unwrap();
    let asked = asked.lock().unwrap();
    assert_eq!((asked.len() as u64, explainer.evaluations(1)), (27_000, 27_000));
    let Column::Number(ages) = &row.columns[0] else { panic!("numbers") };
    assert_eq!(asked[0], ages[0]);
    assert_eq!((found.fits[[0, 0]].local_prediction, found.fits[[0, 0]].r2), (0.5, None));
    assert_eq!(found.fits[[0, 0]].stability, Some(1.0));
}

#[test]
fn what_does_not_fit_is_refused() {
    let (training, model) = (training(50), Fake(model));
    let refused = |training: &Features, columns: &[LimeColumn], settings| {
        LimeExplainer::new(&model, training, columns, settings).err().unwrap()
    };
    let empty = training.take(&[]);
    assert_eq!(refused(&empty, &columns(), settings()), LimeError::NoBackground);
    let error = refused(&training, &columns()[1..], settings());
    assert_eq!(error, LimeError::Described { described: 3, found: 4 });
    let error = refused(&training, &columns(), LimeSettings { outputs: vec![], ..settings() });
    assert_eq!(error, LimeError::NoOutputs);
    let error = refused(&training, &columns(), LimeSettings { samples: 10, ..settings() });
    assert_eq!(error, LimeError::Samples { samples: 10, columns: 4, least: 50 });
    for bad in [
        LimeSettings { kernel_width: Some(0.0), ..settings() },
        LimeSettings { kernel_width: Some(f64::NAN), ..settings() },
        LimeSettings { ridge: -1.0, ..settings() },
    ] {
        assert!(matches!(refused(&training, &columns(), bad), LimeError::Setting { .. }));
    }

    let explainer = LimeExplainer::new(&model, &training, &columns(), settings()).unwrap();
    assert_eq!(explainer.explain(&training, &[1]), Err(LimeError::Keys { rows: 50, keys: 1 }));
    let mut swapped = training.take(&[0]);
    swapped.columns.swap(0, 2);
    let error = LimeError::Columns { column: "age".into(), rows: "text", background: "a number" };
    assert_eq!(explainer.explain(&swapped, &[0]), Err(error));
    let beyond = LimeSettings { outputs: vec![2], ..settings() };
    let explainer = LimeExplainer::new(&model, &training, &columns(), beyond).unwrap();
    let row = training.take(&[0]);
    assert_eq!(explainer.explain(&row, &[0]), Err(LimeError::Output { output: 2, found: 2 }));
    let broken = Fake(|x: &[f64]| 1.0 / (x[1] - 1.0));
    let explainer = LimeExplainer::new(&broken, &training, &columns(), settings()).unwrap();
    assert!(matches!(explainer.explain(&row, &[9]), Err(LimeError::NotFinite { row: 9, output: 1, .. })));
}
