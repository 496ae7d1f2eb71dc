//! Metrics of predicted probabilities and decisions.

use super::metric::{Metric, Task, Truth};
use crate::stats::Ranking;
use ndarray::ArrayView2;

const ONE_CLASS: &str = "all rows are of one class";

/// A classification metric of `scores`, `[rows × outputs]`, against `labels`, `[rows]`, none missing.
pub(super) fn value(
    metric: Metric,
    labels: &[Option<u32>],
    truth: Truth,
    scores: ArrayView2<f64>,
) -> Result<f64, String> {
    let rows = Rows::new(labels, truth, scores)?;
    let positive = rows.classes - 1;
    // One class of a binary model tells all there is to tell.
    let by_class = |of: &dyn Fn(usize) -> Option<f64>| match truth.task {
        Task::Binary => of(positive).ok_or_else(|| ONE_CLASS.to_string()),
        _ => rows.mean_over_classes(of),
    };
    match metric {
        Metric::RocAuc => by_class(&|class| rows.ranking(class).roc_auc()),
        Metric::AveragePrecision => by_class(&|class| rows.average_precision(class)),
        Metric::Accuracy => Ok(rows.mean(&|row| f64::from(u8::from(rows.decision[row] == rows.class(row))))),
        Metric::BalancedAccuracy => rows.mean_over_classes(&|class| rows.recall(class)),
        Metric::F1 => by_class(&|class| rows.f1(class)),
        Metric::LogLoss => Ok(rows.mean(&|row| -rows.share(row).clamp(f64::EPSILON, 1.0 - f64::EPSILON).ln())),
        Metric::Brier => Ok(rows.mean(&|row| rows.brier(row))),
        Metric::Mse | Metric::Rmse | Metric::Mae | Metric::R2 => {
            Err("it is for values, the labels are classes".to_string())
        }
    }
}

/// The rows with their classes, weights and scores.
struct Rows<'a> {
    labels: &'a [Option<u32>],
    truth: Truth<'a>,
    scores: ArrayView2<'a, f64>,
    /// At least 2: a model with one output gives the probability of class 1.
    classes: usize,
    /// Class decided for, `[rows]`.
    decision: Vec<usize>,
    /// Sum of the weights.
    total: f64,
}

impl<'a> Rows<'a> {
    fn new(labels: &'a [Option<u32>], truth: Truth<'a>, scores: ArrayView2<'a, f64>) -> Result<Self, String> {
        let classes = scores.ncols().max(2);
        let mut rows = Self { labels, truth, scores, classes, decision: vec![], total: 0.0 };
        rows.decision = (0..labels.len()).map(|row| rows.decide(row)).collect();
        rows.total = (0..labels.len()).map(|row| rows.weight(row)).sum();
        if rows.total > 0.0 { Ok(rows) } else { Err("the rows' weights sum to 0".to_string()) }
    }

    fn weight(&self, row: usize) -> f64 {
        self.truth.weights.map_or(1.0, |weights| weights[row])
    }

    /// Rows without a label were left out of the sample.
    fn class(&self, row: usize) -> usize {
        self.labels[row].map_or(usize::MAX, |class| class as usize)
    }

    fn probability(&self, row: usize, class: usize) -> f64 {
        match (self.scores.ncols(), class) {
            (1, 0) => 1.0 - self.scores[[row, 0]],
            (1, _) => self.scores[[row, 0]],
            _ => self.scores[[row, class]],
        }
    }

    /// Probability of the row's own class as a share of all classes'; 0 where they all are.
    fn share(&self, row: usize) -> f64 {
        let total: f64 = (0..self.classes).map(|class| self.probability(row, class)).sum();
        if total > 0.0 { self.probability(row, self.class(row)) / total } else { 0.0 }
    }

    fn decide(&self, row: usize) -> usize {
        if self.truth.task == Task::Binary {
            return usize::from(self.probability(row, self.classes - 1) >= self.truth.threshold);
        }
        // The first of equal classes, as numpy's argmax.
        (0..self.classes).rev().fold(self.classes - 1, |best, class| {
            if self.probability(row, class) >= self.probability(row, best) { class } else { best }
        })
    }

    fn mean(&self, of: &dyn Fn(usize) -> f64) -> f64 {
        (0..self.labels.len()).map(|row| self.weight(row) * of(row)).sum::<f64>() / self.total
    }

    /// Mean over the classes for which the value is defined.
    fn mean_over_classes(&self, of: &dyn Fn(usize) -> Option<f64>) -> Result<f64, String> {
        let values: Vec<f64> = (0..self.classes).filter_map(of).collect();
        if values.is_empty() {
            return Err(ONE_CLASS.to_string());
        }
        Ok(values.iter().sum::<f64>() / values.len() as f64)
    }

    fn brier(&self, row: usize) -> f64 {
        let miss =
            |class: usize| (self.probability(row, class) - f64::from(u8::from(class == self.class(row)))).powi(2);
        match self.truth.task {
            Task::Binary => miss(self.classes - 1),
            _ => (0..self.classes).map(miss).sum(),
        }
    }

    /// Weights of rows that are (labelled, decided) this class.
    fn sum_where(&self, keep: &dyn Fn(bool, bool) -> bool, class: usize) -> f64 {
        let kept = |row: &usize| keep(self.class(*row) == class, self.decision[*row] == class);
        (0..self.labels.len()).filter(kept).map(|row| self.weight(row)).sum()
    }

    fn recall(&self, class: usize) -> Option<f64> {
        let labelled = self.sum_where(&|labelled, _| labelled, class);
        (labelled > 0.0).then(|| self.sum_where(&|labelled, decided| labelled && decided, class) / labelled)
    }

    /// `None` without a row of this class: then it does not depend on the model being right.
    fn f1(&self, class: usize) -> Option<f64> {
        let labelled = self.sum_where(&|labelled, _| labelled, class);
        let decided = self.sum_where(&|_, decided| decided, class);
        let both = self.sum_where(&|labelled, decided| labelled && decided, class);
        (labelled > 0.0).then(|| 2.0 * both / (labelled + decided))
    }

    /// How the scores order one class against the rest.
    fn ranking(&self, class: usize) -> Ranking {
        let mut order: Vec<usize> = (0..self.labels.len()).collect();
        order.sort_by(|a, b| self.probability(*a, class).total_cmp(&self.probability(*b, class)));
        let mut ranking = Ranking::default();
        for row in order {
            ranking.push(self.probability(row, class), self.weight(row), Some(self.class(row) == class));
        }
        ranking
    }

    /// Without rows of both kinds there is nothing to tell apart.
    fn average_precision(&self, class: usize) -> Option<f64> {
        let ranking = self.ranking(class);
        let (others, members) = ranking.totals();
        ranking.average_precision().filter(|_| others > 0.0 && members > 0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::batch::Labels;
    use crate::explain::game::random::Draws;
    use ndarray::{Array2, array};

    fn of(
        metric: Metric,
        task: Task,
        labels: &[u32],
        scores: &Array2<f64>,
        weights: Option<&[f64]>,
    ) -> Result<f64, String> {
        let labels = Labels::Class(labels.iter().copied().map(Some).collect());
        metric.value(Truth { labels: &labels, weights, task, threshold: 0.5 }, scores.view())
    }

    fn binary(metric: Metric, labels: &[u32], positive: &[f64]) -> Result<f64, String> {
        let scores =
            Array2::from_shape_fn(
                (positive.len(), 2),
                |(row, class)| {
                    if class == 1 { positive[row] } else { 1.0 - positive[row] }
                },
            );
        of(metric, Task::Binary, labels, &scores, None)
    }

    fn assert_close(found: Result<f64, String>, expected: f64) {
        let found = found.unwrap();
        assert!((found - expected).abs() < 1e-14, "{found} is not {expected}");
    }

    #[test]
    fn ranking_metrics_are_those_of_the_textbook() {
        // Four rows: of the four pairs three are in order; precision is 1 at recall ½ and ⅔ at recall 1.
        let (labels, scores) = ([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]);
        assert_close(binary(Metric::RocAuc, &labels, &scores), 0.75);
        assert_close(binary(Metric::AveragePrecision, &labels, &scores), 0.5 + 0.5 * 2.0 / 3.0);
    }

    #[test]
    fn area_under_the_curve_counts_pairs_and_half_of_ties() {
        let mut draws = Draws::new(3, "rows", &[]);
        let labels: Vec<u32> = (0..60).map(|_| draws.below(2) as u32).collect();
        let scores: Vec<f64> = (0..60).map(|_| draws.below(8) as f64 / 8.0).collect();
        let (mut wins, mut pairs) = (0.0, 0.0);
        for positive in (0..60).filter(|row| labels[*row] == 1) {
            for negative in (0..60).filter(|row| labels[*row] == 0) {
                pairs += 1.0;
                wins += if scores[positive] > scores[negative] { 1.0 } else { 0.0 };
                wins += if scores[positive] == scores[negative] { 0.5 } else { 0.0 };
            }
        }
        assert_close(binary(Metric::RocAuc, &labels, &scores), wins / pairs);
    }

    #[test]
    fn a_score_at_the_threshold_decides_for_the_positive_class() {
        let (labels, scores) = ([1, 0, 0, 1, 1], [0.5, 0.5, 0.2, 0.9, 0.1]);
        assert_close(binary(Metric::Accuracy, &labels, &scores), 0.6);
        assert_close(binary(Metric::BalancedAccuracy, &labels, &scores), (2.0 / 3.0 + 0.5) / 2.0);
        assert_close(binary(Metric::F1, &labels, &scores), 4.0 / 6.0);
    }

    #[test]
    fn probabilities_are_scored_by_logarithm_and_square() {
        let (labels, scores) = ([1, 0], [0.8, 0.4]);
        assert_close(binary(Metric::LogLoss, &labels, &scores), -(0.8_f64.ln() + 0.6_f64.ln()) / 2.0);
        assert_close(binary(Metric::Brier, &labels, &scores), (0.04 + 0.16) / 2.0);
        let certain_and_wrong = binary(Metric::LogLoss, &[1], &[0.0]).unwrap();
        assert!((certain_and_wrong - 52.0 * 2.0_f64.ln()).abs() < 1e-9);
    }

    #[test]
    fn one_output_is_the_positive_class() {
        let (labels, positive) = ([1, 0, 1, 0], [0.8, 0.4, 0.3, 0.1]);
        let single = Array2::from_shape_vec((4, 1), positive.to_vec()).unwrap();
        for metric in [Metric::RocAuc, Metric::Accuracy, Metric::F1, Metric::LogLoss, Metric::Brier] {
            assert_close(of(metric, Task::Binary, &labels, &single, None), binary(metric, &labels, &positive).unwrap());
        }
    }

    #[test]
    fn classes_count_alike() {
        let labels = [0, 1, 2, 2];
        let scores = array![[0.6, 0.3, 0.1], [0.5, 0.25, 0.25], [0.2, 0.2, 0.6], [0.5, 0.0, 0.5]];
        let of = |metric| of(metric, Task::Multiclass, &labels, &scores, None);
        assert_close(of(Metric::Accuracy), 0.5);
        assert_close(of(Metric::BalancedAccuracy), (1.0 + 0.0 + 0.5) / 3.0);
        assert_close(of(Metric::F1), (2.0 / 4.0 + 0.0 + 2.0 / 3.0) / 3.0);
        assert_close(of(Metric::LogLoss), -(0.6_f64.ln() + 0.25_f64.ln() + 0.6_f64.ln() + 0.5_f64.ln()) / 4.0);
        let brier = (0.16 + 0.09 + 0.01) + (0.25 + 0.5625 + 0.0625) + (0.04 + 0.04 + 0.16) + (0.25 + 0.25);
        assert_close(of(Metric::Brier), brier / 4.0);
        // Class 0: above all. Class 1: above 0.2 and 0, below 0.3. Class 2: above both.
        assert_close(of(Metric::RocAuc), (1.0 + 2.0 / 3.0 + 1.0) / 3.0);
    }

    #[test]
    fn a_weight_counts_a_row_as_often() {
        let labels = [1, 0, 1, 0, 1];
        let scores = array![[0.8], [0.4], [0.3], [0.7], [0.6]];
        let weights = [1.0, 2.0, 0.0, 3.0, 2.0];
        let repeated = [0, 1, 1, 3, 3, 3, 4, 4];
        let labels_repeated: Vec<u32> = repeated.iter().map(|row| labels[*row]).collect();
        let scores_repeated = scores.select(ndarray::Axis(0), &repeated);
        for metric in [
            Metric::RocAuc,
            Metric::AveragePrecision,
            Metric::Accuracy,
            Metric::BalancedAccuracy,
            Metric::F1,
            Metric::LogLoss,
            Metric::Brier,
        ] {
            let expected = of(metric, Task::Binary, &labels_repeated, &scores_repeated, None).unwrap();
            assert_close(of(metric, Task::Binary, &labels, &scores, Some(&weights)), expected);
        }
    }

    #[test]
    fn one_class_has_no_ranking() {
        for metric in [Metric::RocAuc, Metric::AveragePrecision] {
            for class in [0, 1] {
                assert!(binary(metric, &[class, class], &[0.3, 0.6]).unwrap_err().contains("one class"));
            }
        }
        assert!(binary(Metric::F1, &[0, 0], &[0.3, 0.6]).unwrap_err().contains("one class"));
        let weightless = of(Metric::Accuracy, Task::Binary, &[0, 1], &array![[0.3], [0.6]], Some(&[0.0, 0.0]));
        assert!(weightless.unwrap_err().contains("weights"));
    }
}
