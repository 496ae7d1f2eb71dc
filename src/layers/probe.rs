//! How well a linear model that sees only a layer tells the label, or a group, on rows it was not fitted on.
//!
//! Linear probes (Alain and Bengio 2016): ridge regression on standardised numbers of the layer. Classes are coded +1
//! against −1, each against the rest, and weighted so that all count alike; a row belongs to the class with the largest
//! value. What is reported is chance where the layer does not hold the answer in a linear form: it may in another.

use super::ridge::Ridge;
use crate::stats::bootstrap::{Redraws, percentile_interval};
use crate::stats::intervals::{Proportion, normal_quantile, wilson};
use crate::stats::random::Stream;
use crate::stats::{Interval, Ranking, auc_interval};
use ndarray::{Array1, Array2, ArrayView2, Axis};

/// Rows that a class must have to take part.
pub const LEAST_ROWS: usize = 10;
/// Most classes of one probe.
pub const MOST_CLASSES: usize = 200;
/// Share of each class's rows that the probe is asked about.
const HELD_OUT: f64 = 0.3;
/// Replicates behind the interval of R².
const REPLICATES: usize = 400;

/// What is to be told.
#[derive(Debug, Clone, Copy)]
pub enum Target<'a> {
    /// `None` = unknown: the row takes no part.
    Classes(&'a [Option<u32>]),
    /// NaN = unknown.
    Values(&'a [f64]),
}

/// A fitted probe's answers.
#[derive(Debug, Clone, PartialEq)]
pub struct ProbeResult {
    pub n_train: u64,
    pub n_test: u64,
    /// 0 for values.
    pub n_classes: u64,
    pub measures: Vec<Measured>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// "balanced_accuracy" and "roc_auc" of classes, "r2" of values.
    pub measure: &'static str,
    pub value: f64,
    pub interval: Option<Interval>,
    /// What is reached without looking: by always answering the largest class, by any order, by the mean.
    pub baseline: f64,
}

/// Why there is no probe.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Undefined {
    #[error("fewer than two classes have {LEAST_ROWS} rows in the sample")]
    FewClasses,
    #[error("more than {MOST_CLASSES} classes")]
    ManyClasses,
    #[error("fewer than {} rows with a value", 2 * LEAST_ROWS)]
    FewRows,
    #[error("all rows have the same value")]
    OneValue,
    #[error("the layer's numbers are not finite")]
    NotFinite,
}

/// Rows for fitting and for asking, by position.
struct Split {
    train: Vec<usize>,
    test: Vec<usize>,
}

/// Fits and asks; `x` `[rows × inputs]`, `keys` are the rows' positions in the data, which decide with the seed what is
/// held out.
///
/// # Errors
/// There is too little to fit on.
pub fn probe(
    x: ArrayView2<f32>,
    target: Target,
    keys: &[u64],
    seed: u64,
    confidence: f64,
) -> Result<ProbeResult, Undefined> {
    let stream = Stream::new(seed, "layer probe");
    let finite: Vec<bool> = x.rows().into_iter().map(|row| row.iter().all(|x| x.is_finite())).collect();
    if !finite.contains(&true) {
        return Err(Undefined::NotFinite);
    }
    match target {
        Target::Classes(classes) => {
            let (known, n_classes) = known_classes(classes, &finite)?;
            let split = split(&known, keys, stream);
            of_classes(x, &known, n_classes, &split, confidence)
        }
        Target::Values(values) => {
            let known: Vec<Option<u32>> =
                values.iter().zip(&finite).map(|(value, finite)| (value.is_finite() && *finite).then_some(0)).collect();
            of_values(x, values, &split(&known, keys, stream), stream, confidence)
        }
    }
}

/// Classes with enough rows, numbered anew in their order.
fn known_classes(classes: &[Option<u32>], finite: &[bool]) -> Result<(Vec<Option<u32>>, usize), Undefined> {
    let mut counts = std::collections::BTreeMap::<u32, usize>::new();
    let known = || classes.iter().zip(finite).map(|(class, finite)| class.filter(|_| *finite));
    known().flatten().for_each(|class| *counts.entry(class).or_default() += 1);
    let kept: Vec<u32> = counts.into_iter().filter(|(_, n)| *n >= LEAST_ROWS).map(|(class, _)| class).collect();
    match kept.len() {
        0 | 1 => Err(Undefined::FewClasses),
        n if n > MOST_CLASSES => Err(Undefined::ManyClasses),
        n => Ok((known().map(|class| Some(kept.binary_search(&class?).ok()? as u32)).collect(), n)),
    }
}

/// Holds out the same share of every class: the rows whose hash is smallest.
fn split(classes: &[Option<u32>], keys: &[u64], stream: Stream) -> Split {
    let mut by_class = std::collections::BTreeMap::<u32, Vec<(u64, usize)>>::new();
    for (row, class) in classes.iter().enumerate() {
        if let Some(class) = class {
            by_class.entry(*class).or_default().push((stream.at(keys[row]), row));
        }
    }
    let mut split = Split { train: Vec::new(), test: Vec::new() };
    for mut rows in by_class.into_values() {
        rows.sort_unstable();
        let held_out = ((HELD_OUT * rows.len() as f64).round() as usize).max(1);
        split.test.extend(rows[..held_out].iter().map(|(_, row)| row));
        split.train.extend(rows[held_out..].iter().map(|(_, row)| row));
    }
    split.test.sort_unstable();
    split.train.sort_unstable();
    split
}

fn take(x: ArrayView2<f32>, rows: &[usize]) -> Array2<f64> {
    x.select(Axis(0), rows).mapv(f64::from)
}

fn of_classes(
    x: ArrayView2<f32>,
    classes: &[Option<u32>],
    n_classes: usize,
    split: &Split,
    confidence: f64,
) -> Result<ProbeResult, Undefined> {
    let of =
        |rows: &[usize]| -> Vec<usize> { rows.iter().filter_map(|row| classes[*row]).map(|c| c as usize).collect() };
    let (train, test) = (of(&split.train), of(&split.test));
    let scores = class_scores(take(x, &split.train).view(), &train, n_classes, take(x, &split.test).view());
    let scores = scores.ok_or(Undefined::NotFinite)?;
    let z = normal_quantile(confidence);
    Ok(ProbeResult {
        n_train: train.len() as u64,
        n_test: test.len() as u64,
        n_classes: n_classes as u64,
        measures: vec![balanced_accuracy(&scores, &test, n_classes, z), macro_auc(&scores, &test, n_classes, z)],
    })
}

/// `[rows × classes]`: values of each class against the rest; two classes have opposite ones.
fn class_scores(
    x: ArrayView2<f64>,
    classes: &[usize],
    n_classes: usize,
    asked: ArrayView2<f64>,
) -> Option<Array2<f64>> {
    let mut counts = vec![0.0; n_classes];
    classes.iter().for_each(|class| counts[*class] += 1.0);
    let n = classes.len() as f64;
    let weights: Array1<f64> = classes.iter().map(|class| n / (n_classes as f64 * counts[*class])).collect();
    let y = Array2::from_shape_fn((classes.len(), n_classes), |(row, class)| match classes[row] == class {
        true => 1.0,
        false => -1.0,
    });
    Some(Ridge::fit(x, y.view(), weights.view())?.predict(asked))
}

/// Mean share of each class's rows that are recognised. The shares rest on different rows, so their Wilson intervals
/// combine as those of independent estimates (MOVER: Zou and Donner 2008).
fn balanced_accuracy(scores: &Array2<f64>, classes: &[usize], n_classes: usize, z: f64) -> Measured {
    let mut right = vec![0.0; n_classes];
    let mut all = vec![0.0; n_classes];
    for (row, class) in scores.rows().into_iter().zip(classes) {
        // The first of equals.
        let answer = (0..n_classes).rev().max_by(|a, b| row[*a].total_cmp(&row[*b]));
        all[*class] += 1.0;
        right[*class] += f64::from(u8::from(answer == Some(*class)));
    }
    let k = n_classes as f64;
    let (mut value, mut below, mut above) = (0.0, 0.0, 0.0);
    for (successes, trials) in right.into_iter().zip(all) {
        let share = Proportion { successes, trials };
        let interval = wilson(share, z);
        value += share.share() / k;
        below += ((share.share() - interval.low) / k).powi(2);
        above += ((interval.high - share.share()) / k).powi(2);
    }
    let interval = Interval { low: value - below.sqrt(), high: value + above.sqrt() };
    Measured { measure: "balanced_accuracy", value, interval: Some(interval), baseline: 1.0 / k }
}

/// Mean AUC of each class against the rest. Those rest on the same rows, so the ends of their intervals are averaged,
/// which holds whatever their dependence.
fn macro_auc(scores: &Array2<f64>, classes: &[usize], n_classes: usize, z: f64) -> Measured {
    // Of two classes one says all.
    let asked = if n_classes == 2 { 1..2 } else { 0..n_classes };
    let k = asked.len() as f64;
    let (mut value, mut low, mut high) = (0.0, 0.0, 0.0);
    for class in asked {
        let mut answers: Vec<(f64, bool)> =
            scores.column(class).iter().zip(classes).map(|(score, own)| (*score, *own == class)).collect();
        answers.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut ranking = Ranking::default();
        answers.iter().for_each(|(score, own)| ranking.push(*score, 1.0, Some(*own)));
        let positives = answers.iter().filter(|(_, own)| *own).count() as u64;
        // Rows of both are held out.
        let auc = ranking.roc_auc().unwrap_or(0.5);
        let interval = auc_interval(auc, positives, classes.len() as u64 - positives, z);
        value += auc / k;
        low += interval.low / k;
        high += interval.high / k;
    }
    Measured { measure: "roc_auc", value, interval: Some(Interval { low, high }), baseline: 0.5 }
}

fn of_values(
    x: ArrayView2<f32>,
    values: &[f64],
    split: &Split,
    stream: Stream,
    confidence: f64,
) -> Result<ProbeResult, Undefined> {
    if split.train.len() + split.test.len() < 2 * LEAST_ROWS {
        return Err(Undefined::FewRows);
    }
    let of = |rows: &[usize]| -> Array1<f64> { rows.iter().map(|row| values[*row]).collect() };
    let (train, test) = (of(&split.train), of(&split.test));
    let fitted =
        Ridge::fit(take(x, &split.train).view(), train.view().insert_axis(Axis(1)), Array1::ones(train.len()).view());
    let predicted = fitted.ok_or(Undefined::NotFinite)?.predict(take(x, &split.test).view());
    let predicted = predicted.column(0);
    let explained = |weights: &[f64]| {
        let weights = Array1::from(weights.to_vec());
        let mean = weights.dot(&test) / weights.sum();
        let spread = weights.dot(&test.mapv(|y| (y - mean).powi(2)));
        let missed = weights.dot(&(&test - &predicted).mapv(|gap| gap.powi(2)));
        if spread > 0.0 { 1.0 - missed / spread } else { f64::NAN }
    };
    let value = explained(&vec![1.0; test.len()]);
    if value.is_nan() {
        return Err(Undefined::OneValue);
    }
    let mut redraws = Redraws::default();
    let once = redraws.prepare(1.0, 1.0);
    let stream = stream.child(1);
    let replicate = |at: usize| {
        let row = |row: usize| redraws.draw(once, stream.child(at as u64), row as u64);
        explained(&(0..test.len()).map(row).collect::<Vec<_>>())
    };
    let mut replicates: Vec<f64> = (0..REPLICATES).map(replicate).collect();
    let interval = percentile_interval(value, &mut replicates, confidence);
    Ok(ProbeResult {
        n_train: train.len() as u64,
        n_test: test.len() as u64,
        n_classes: 0,
        measures: vec![Measured { measure: "r2", value, interval, baseline: 0.0 }],
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn golden() -> Value {
        serde_json::from_str(include_str!("../../tests/golden/probes.json")).unwrap()
    }

    fn numbers(value: &Value) -> Vec<f64> {
        value.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
    }

    fn matrix(value: &Value) -> Array2<f64> {
        let rows: Vec<Vec<f64>> = value.as_array().unwrap().iter().map(numbers).collect();
        let columns = rows[0].len();
        Array2::from_shape_vec((rows.len(), columns), rows.concat()).unwrap()
    }

    fn rows(value: &Value) -> Vec<usize> {
        numbers(value).into_iter().map(|row| row as usize).collect()
    }

    #[test]
    fn values_and_measures_are_those_of_scikit_learn() {
        let golden = golden();
        let x = matrix(&golden["x"]);
        let (train, test) = (rows(&golden["train"]), rows(&golden["test"]));
        for (case, n_classes) in [("binary", 2), ("several", 4)] {
            let known = &golden[case];
            let y = rows(&known["y"]);
            let of = |rows: &[usize]| -> Vec<usize> { rows.iter().map(|row| y[*row]).collect() };
            let (fitted, asked) = (x.select(Axis(0), &train), x.select(Axis(0), &test));
            let scores = class_scores(fitted.view(), &of(&train), n_classes, asked.view()).unwrap();
            let expected = matrix(&known["scores"]);
            let mine = if n_classes == 2 { scores.select(Axis(1), &[1]) } else { scores.clone() };
            assert!((&mine - &expected).iter().all(|gap| gap.abs() < 1e-9), "{case}: {mine} is not {expected}");
            let found = [
                balanced_accuracy(&scores, &of(&test), n_classes, 1.96),
                macro_auc(&scores, &of(&test), n_classes, 1.96),
            ];
            for measured in found {
                let expected = known[measured.measure].as_f64().unwrap();
                assert!((measured.value - expected).abs() < 1e-12, "{case}: {measured:?}, expected {expected}");
            }
        }
        let y = numbers(&golden["value"]["y"]);
        let split = Split { train, test };
        let found = of_values(x.mapv(|x| x as f32).view(), &y, &split, Stream::new(1, "test"), 0.95).unwrap();
        // The inputs are rounded to 32 bits on the way.
        assert!((found.measures[0].value - golden["value"]["r2"].as_f64().unwrap()).abs() < 1e-6);
    }

    /// 600 rows of 5 normal numbers, and their keys.
    fn drawn() -> (Array2<f32>, Vec<u64>) {
        let stream = Stream::new(6, "probe");
        (Array2::from_shape_fn((600, 5), |(row, at)| stream.normal((row * 5 + at) as u64) as f32), (0..600).collect())
    }

    fn holds(measured: &Measured, value: f64) -> bool {
        measured.interval.is_some_and(|interval| interval.low <= value && value <= interval.high)
    }

    #[test]
    fn what_is_linear_in_the_layer_is_told_and_what_is_random_is_not() {
        let (x, keys) = drawn();
        // A gap between the classes: the line between them need not be known exactly.
        let mut x = x;
        let side: Vec<bool> = x.rows().into_iter().map(|row| 2.0 * row[0] - row[3] > 0.5).collect();
        for (row, side) in x.rows_mut().into_iter().zip(&side) {
            let step = if *side { 2.0 } else { -2.0 };
            ndarray::Zip::from(row).and(&ndarray::array![2.0_f32, 0.0, 0.0, -1.0, 0.0]).for_each(|x, b| *x += step * b);
        }
        let linear: Vec<Option<u32>> = side.iter().map(|side| Some(u32::from(*side))).collect();
        let found = probe(x.view(), Target::Classes(&linear), &keys, 1, 0.95).unwrap();
        for measured in &found.measures {
            assert!(measured.value == 1.0 && measured.interval.unwrap().low > 0.94, "{measured:?}");
        }
        assert_eq!((found.n_train + found.n_test, found.n_classes), (600, 2));
        let stream = Stream::new(2, "labels");
        // In 19 of 20 of many draws the baseline lies within; these are three of them.
        for n_classes in [2, 3, 5] {
            let random: Vec<Option<u32>> = (0..600).map(|row| Some((stream.at(row) % n_classes) as u32)).collect();
            let found = probe(x.view(), Target::Classes(&random), &keys, 1, 0.95).unwrap();
            assert!(found.measures.iter().all(|measured| holds(measured, measured.baseline)), "{found:?}");
        }
    }

    #[test]
    fn values_that_are_linear_are_explained_and_random_ones_are_not() {
        let (x, keys) = drawn();
        let linear: Vec<f64> = x.rows().into_iter().map(|row| f64::from(3.0 * row[1] - row[2] + 7.0)).collect();
        let found = probe(x.view(), Target::Values(&linear), &keys, 1, 0.95).unwrap();
        assert!(found.measures[0].value > 0.999, "{found:?}");
        let stream = Stream::new(2, "labels");
        let random: Vec<f64> = (0..600).map(|row| stream.normal(row)).collect();
        let found = probe(x.view(), Target::Values(&random), &keys, 1, 0.95).unwrap();
        assert!(holds(&found.measures[0], 0.0), "{found:?}");
    }

    #[test]
    fn rare_classes_and_unknown_rows_take_no_part() {
        let (x, keys) = drawn();
        let mut classes: Vec<Option<u32>> = (0..600).map(|row| Some(row % 2 * 3)).collect();
        classes[..9].fill(Some(1));
        classes[9..20].fill(None);
        let found = probe(x.view(), Target::Classes(&classes), &keys, 1, 0.95).unwrap();
        assert_eq!((found.n_train + found.n_test, found.n_classes), (580, 2));
        let few = probe(x.view(), Target::Classes(&vec![Some(1); 600]), &keys, 1, 0.95);
        assert_eq!(few, Err(Undefined::FewClasses));
        let many: Vec<f64> = vec![f64::NAN; 600];
        assert_eq!(probe(x.view(), Target::Values(&many), &keys, 1, 0.95), Err(Undefined::FewRows));
        assert_eq!(probe(x.view(), Target::Values(&[4.0; 600]), &keys, 1, 0.95), Err(Undefined::OneValue));
        let broken = Array2::from_elem((600, 2), f32::NAN);
        assert_eq!(probe(broken.view(), Target::Classes(&classes), &keys, 1, 0.95), Err(Undefined::NotFinite));
    }

    #[test]
    fn the_same_seed_holds_out_the_same_rows_of_every_class() {
        let keys: Vec<u64> = (0..100).collect();
        let classes: Vec<Option<u32>> = (0..100).map(|row| Some(u32::from(row < 20))).collect();
        let split = |seed| super::split(&classes, &keys, Stream::new(seed, "layer probe"));
        assert_eq!(split(1).test, split(1).test);
        assert_ne!(split(1).test, split(2).test);
        assert_eq!(split(1).test.iter().filter(|row| **row < 20).count(), 6);
        assert_eq!((split(1).test.len(), split(1).train.len()), (30, 70));
    }

    #[test]
    fn an_input_that_is_constant_where_it_was_fitted_moves_nothing() {
        let (mut x, keys) = drawn();
        x.column_mut(4).fill(0.1);
        let classes: Vec<Option<u32>> = (0..600).map(|row| Some(u32::from(x[[row, 0]] > 0.0))).collect();
        let without = x.slice(ndarray::s![.., ..4]).to_owned();
        let found = probe(x.view(), Target::Classes(&classes), &keys, 1, 0.95).unwrap();
        let expected = probe(without.view(), Target::Classes(&classes), &keys, 1, 0.95).unwrap();
        assert!((found.measures[0].value - expected.measures[0].value).abs() < 1e-12);
    }
}
