//! How far a tree follows the model, on rows that it was not grown on.

use super::super::local::Decide;
use crate::stats::ExactSum;
use crate::stats::intervals::{Interval, Proportion, normal_quantile, student_quantile, wilson};
use ndarray::{Array2, Axis};

/// A value with its interval, or why there is none.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Measured {
    pub value: Option<f64>,
    pub undefined: Option<&'static str>,
    pub interval: Option<Interval>,
    /// Rows that it rests on.
    pub n: usize,
}

/// What a tree is worth.
#[derive(Debug, Clone, PartialEq)]
pub struct Fidelity {
    /// R² of the scores; with several outputs, of all of them: 1 − Σ (score − tree)² / Σ (score − mean)².
    pub r2: Measured,
    /// The same for each output, where there are several.
    pub r2_by_output: Vec<Measured>,
    /// Share of rows on which tree and model decide alike; `None` for regressions.
    pub agreement: Option<Measured>,
    /// Of the rows that the model decides for a class, the share that the tree does too; where there are several outputs.
    pub agreement_by_class: Vec<Measured>,
    /// Share of the model's commonest decision: what a tree without a split would agree on.
    pub commonest: Option<f64>,
}

/// Held-out rows.
pub struct Judged {
    /// `[rows × outputs]` of the model.
    pub scores: Array2<f64>,
    /// `[rows × outputs]` of the tree.
    pub followed: Array2<f64>,
    pub weights: Vec<f64>,
    pub confidence: f64,
}

impl Judged {
    pub fn fidelity(&self, decide: Option<Decide>) -> Fidelity {
        let outputs: Vec<usize> = (0..self.scores.ncols()).collect();
        let several = outputs.len() > 1;
        let each = || outputs.iter().filter(|_| several);
        let decisions = decide.map(|decide| {
            let of = |scores: &Array2<f64>| scores.rows().into_iter().map(decide).collect::<Vec<u32>>();
            (of(&self.scores), of(&self.followed))
        });
        let agreement = decisions.as_ref().map(|(model, tree)| self.agreement(model, tree, None));
        let by_class = |(model, tree): &(Vec<u32>, Vec<u32>)| {
            each().map(|class| self.agreement(model, tree, Some(*class as u32))).collect()
        };
        Fidelity {
            r2: self.r2(&outputs),
            r2_by_output: each().map(|output| self.r2(&[*output])).collect(),
            agreement,
            agreement_by_class: decisions.as_ref().map(by_class).unwrap_or_default(),
            commonest: decisions.as_ref().and_then(|(model, _)| self.commonest(model)),
        }
    }

    /// R² = 1 − A / B, A the mean squared miss and B the variance of the scores, summed over `outputs`. Its standard error
    /// is that of the mean of its influence function −(a − A) / B + A (b − B) / B².
    fn r2(&self, outputs: &[usize]) -> Measured {
        let n = self.weights.len();
        let undefined = |why| Measured { undefined: Some(why), n, ..Measured::default() };
        if n < 2 {
            return undefined("fewer than two rows are held out");
        }
        let means = self.scores.axis_iter(Axis(1)).map(|scores| self.mean(|row| scores[row])).collect::<Vec<f64>>();
        let over = |part: &dyn Fn(usize) -> f64| outputs.iter().map(|output| part(*output)).sum::<f64>();
        let miss = |row: usize| over(&|output| (self.scores[[row, output]] - self.followed[[row, output]]).powi(2));
        let spread = |row: usize| over(&|output| (self.scores[[row, output]] - means[output]).powi(2));
        let (a, b) = (self.mean(miss), self.mean(spread));
        // Scores that are equal leave only rounding.
        if b <= 1e-24 * over(&|output| means[output].powi(2)) {
            return undefined("the model gives all held-out rows the same score");
        }
        let influence = |row: usize| -(miss(row) - a) / b + a * (spread(row) - b) / (b * b);
        let value = 1.0 - a / b;
        let effective = self.effective();
        let half = (effective > 1.0).then(|| {
            let total: f64 = self.weights.iter().sum();
            let squares = sum((0..n).map(|row| (self.weights[row] * influence(row)).powi(2)));
            let std_err = squares.sqrt() / total * (effective / (effective - 1.0)).sqrt();
            student_quantile(self.confidence, effective - 1.0) * std_err
        });
        let interval = half.map(|half| Interval { low: value - half, high: (value + half).min(1.0) });
        Measured { value: Some(value), undefined: None, interval, n }
    }

    /// Among rows that the model decides for `class`, or among all.
    fn agreement(&self, model: &[u32], tree: &[u32], class: Option<u32>) -> Measured {
        let rows: Vec<usize> = (0..model.len()).filter(|row| class.is_none_or(|class| model[*row] == class)).collect();
        let n = rows.len();
        if n == 0 {
            let why = if class.is_some() { "no held-out row is decided so" } else { "no rows are held out" };
            return Measured { undefined: Some(why), n, ..Measured::default() };
        }
        let weight = sum(rows.iter().map(|row| self.weights[*row]));
        let squares = sum(rows.iter().map(|row| self.weights[*row].powi(2)));
        let alike = sum(rows.iter().filter(|row| model[**row] == tree[**row]).map(|row| self.weights[*row]));
        let (share, trials) = (alike / weight, weight * weight / squares);
        let interval = wilson(Proportion { successes: share * trials, trials }, normal_quantile(self.confidence));
        Measured { value: Some(share), undefined: None, interval: Some(interval), n }
    }

    fn commonest(&self, decisions: &[u32]) -> Option<f64> {
        let classes = decisions.iter().max()? + 1;
        let of =
            |class: u32| sum((0..decisions.len()).filter(|row| decisions[*row] == class).map(|row| self.weights[row]));
        (0..classes).map(of).max_by(f64::total_cmp).map(|most| most / sum(self.weights.iter().copied()))
    }

    fn mean(&self, of: impl Fn(usize) -> f64) -> f64 {
        let weighted = sum((0..self.weights.len()).map(|row| self.weights[row] * of(row)));
        weighted / sum(self.weights.iter().copied())
    }

    /// Kish's effective number of rows.
    fn effective(&self) -> f64 {
        sum(self.weights.iter().copied()).powi(2) / sum(self.weights.iter().map(|weight| weight * weight))
    }
}

/// Exact, whatever the order.
fn sum(numbers: impl Iterator<Item = f64>) -> f64 {
    let mut sum = ExactSum::default();
    numbers.for_each(|number| sum.add(number));
    sum.value()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::random::Stream;
    use ndarray::{ArrayView1, array};

    fn judged(scores: Array2<f64>, followed: Array2<f64>) -> Judged {
        let weights = vec![1.0; scores.nrows()];
        Judged { scores, followed, weights, confidence: 0.95 }
    }

    fn largest(scores: ArrayView1<f64>) -> u32 {
        (0..scores.len()).fold(0, |best, at| if scores[at] > scores[best] { at } else { best }) as u32
    }

    #[test]
    fn r2_is_one_of_itself_and_none_of_the_mean() {
        let scores = array![[0.1], [0.4], [0.9], [0.2]];
        let itself = judged(scores.clone(), scores.clone()).fidelity(None);
        assert_eq!((itself.r2.value, itself.r2.interval.unwrap().high), (Some(1.0), 1.0));
        let mean = judged(scores, Array2::from_elem((4, 1), 0.4)).fidelity(None).r2;
        assert!(mean.value.unwrap().abs() < 1e-15);
        let equal = judged(Array2::from_elem((4, 1), 0.3), Array2::from_elem((4, 1), 0.3)).fidelity(None).r2;
        assert_eq!((equal.value, equal.undefined.is_some()), (None, true));
    }

    #[test]
    fn decisions_are_counted_by_class_and_against_the_commonest() {
        let scores = array![[0.7, 0.3, 0.0], [0.6, 0.4, 0.0], [0.2, 0.8, 0.0], [0.6, 0.4, 0.0]];
        let tree = array![[0.9, 0.1, 0.0], [0.3, 0.7, 0.0], [0.3, 0.7, 0.0], [0.9, 0.1, 0.0]];
        let found = judged(scores, tree).fidelity(Some(&largest));
        assert_eq!(found.agreement.unwrap().value, Some(0.75));
        assert_eq!(found.commonest, Some(0.75));
        let classes: Vec<(Option<f64>, usize)> = found.agreement_by_class.iter().map(|m| (m.value, m.n)).collect();
        assert_eq!(classes, [(Some(2.0 / 3.0), 3), (Some(1.0), 1), (None, 0)]);
        assert_eq!(found.agreement_by_class[2].undefined, Some("no held-out row is decided so"));
        assert_eq!(found.r2_by_output[2].undefined, Some("the model gives all held-out rows the same score"));
    }

    #[test]
    fn equal_weights_change_nothing_and_whole_ones_move_values_as_repeated_rows() {
        let scores = array![[0.1], [0.4], [0.9], [0.2]];
        let tree = array![[0.2], [0.3], [0.8], [0.3]];
        let plain = judged(scores.clone(), tree.clone());
        let doubled = Judged { weights: vec![2.0; 4], ..judged(scores.clone(), tree.clone()) };
        assert!((plain.r2(&[0]).interval.unwrap().low - doubled.r2(&[0]).interval.unwrap().low).abs() < 1e-12);
        let heavier = Judged { weights: vec![1.0, 2.0, 1.0, 1.0], ..judged(scores, tree) };
        let again = judged(array![[0.1], [0.4], [0.4], [0.9], [0.2]], array![[0.2], [0.3], [0.3], [0.8], [0.3]]);
        assert!((heavier.r2(&[0]).value.unwrap() - again.r2(&[0]).value.unwrap()).abs() < 1e-12);
    }

    #[test]
    fn nominal_intervals_of_r2_hold_the_true_value() {
        // Scores z, followed by b z with b = 0.6: R² is 1 − 0.16 of standard normal scores.
        let (studies, rows) = (600, 200);
        let holds = |study: u64| {
            let stream = Stream::new(study, "r2 of surrogates");
            let scores = Array2::from_shape_fn((rows, 1), |(row, _)| stream.normal(row as u64));
            let noise = Stream::new(study, "noise");
            let tree =
                Array2::from_shape_fn((rows, 1), |(row, _)| 0.6 * scores[[row, 0]] + 0.3 * noise.normal(row as u64));
            let interval = judged(scores, tree).r2(&[0]).interval.unwrap();
            let truth = 1.0 - 0.16 - 0.09;
            interval.low <= truth && truth <= interval.high
        };
        let held = (0..studies).filter(|study| holds(*study)).count() as f64 / studies as f64;
        assert!((held - 0.95).abs() < 0.03, "{held}");
    }
}
