//! How well scores order two classes: ROC and precision–recall.
//!
//! Definitions are scikit-learn's (`roc_auc_score`, `average_precision_score`), with weights; equal scores are one
//! step of the curve, which gives ties half a pair each.

/// Weight of negatives, positives and unlabelled rows at each distinct score, ascending.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Ranking {
    steps: Vec<Step>,
}

/// All rows of one score.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    pub score: f64,
    pub negative: f64,
    pub positive: f64,
    pub unlabelled: f64,
}

/// A point of a curve: the share of negatives and positives at or above `threshold`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// +∞ at the start, where nothing is selected.
    pub threshold: f64,
    pub negative: f64,
    pub positive: f64,
}

impl Ranking {
    /// Adds rows; scores must come in ascending order.
    pub fn push(&mut self, score: f64, weight: f64, label: Option<bool>) {
        if self.steps.last().is_none_or(|last| last.score != score) {
            self.steps.push(Step { score, negative: 0.0, positive: 0.0, unlabelled: 0.0 });
        }
        let Some(last) = self.steps.last_mut() else { return };
        match label {
            Some(true) => last.positive += weight,
            Some(false) => last.negative += weight,
            None => last.unlabelled += weight,
        }
    }

    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Total weight of (negatives, positives).
    pub fn totals(&self) -> (f64, f64) {
        self.steps.iter().fold((0.0, 0.0), |(n, p), step| (n + step.negative, p + step.positive))
    }

    /// Area under the ROC curve: the chance that a positive is scored above a negative, ties counting half.
    /// `None` unless both classes are there.
    pub fn roc_auc(&self) -> Option<f64> {
        roc_auc(self.steps.iter().map(|step| (step.negative, step.positive)))
    }

    /// Average precision Σ (R_k − R_{k−1}) P_k over thresholds from the highest. `None` without positives.
    pub fn average_precision(&self) -> Option<f64> {
        average_precision(self.steps.iter().rev().map(|step| (step.negative, step.positive)))
    }

    /// The curve from "nothing selected" to "all selected", at most `limit` points, both ends kept.
    pub fn curve(&self, limit: usize) -> Vec<Point> {
        let mut point = Point { threshold: f64::INFINITY, negative: 0.0, positive: 0.0 };
        let mut points = vec![point];
        for step in self.steps.iter().rev() {
            point = Point {
                threshold: step.score,
                negative: point.negative + step.negative,
                positive: point.positive + step.positive,
            };
            points.push(point);
        }
        thin(points, limit)
    }
}

/// [`Ranking::roc_auc`] over (negatives, positives) in ascending order of score.
pub fn roc_auc(ascending: impl Iterator<Item = (f64, f64)>) -> Option<f64> {
    let (mut negatives, mut positives, mut pairs) = (0.0, 0.0, 0.0);
    for (negative, positive) in ascending {
        pairs += positive * (negatives + 0.5 * negative);
        negatives += negative;
        positives += positive;
    }
    (negatives > 0.0 && positives > 0.0).then(|| pairs / (negatives * positives))
}

/// [`Ranking::average_precision`] over (negatives, positives) in descending order of score.
pub fn average_precision(descending: impl Iterator<Item = (f64, f64)>) -> Option<f64> {
    let (mut negatives, mut positives, mut sum) = (0.0, 0.0, 0.0);
    for (negative, positive) in descending {
        negatives += negative;
        positives += positive;
        if positive > 0.0 {
            sum += positive * positives / (positives + negatives);
        }
    }
    (positives > 0.0).then(|| sum / positives)
}

/// Evenly spaced members of a list, first and last included.
fn thin<T: Copy>(points: Vec<T>, limit: usize) -> Vec<T> {
    if points.len() <= limit.max(2) {
        return points;
    }
    let last = points.len() - 1;
    (0..limit).map(|i| points[i * last / (limit - 1)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::random::Stream;

    fn ranking(rows: &[(f64, bool)]) -> Ranking {
        let mut sorted = rows.to_vec();
        sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut ranking = Ranking::default();
        sorted.iter().for_each(|&(score, positive)| ranking.push(score, 1.0, Some(positive)));
        ranking
    }

    /// Scores with many ties.
    fn rows(n: u64) -> Vec<(f64, bool)> {
        let stream = Stream::new(6, "ranking");
        (0..n)
            .map(|i| {
                let score = (stream.unit(2 * i) * 20.0).floor() / 20.0;
                (score, stream.unit(2 * i + 1) < 0.2 + 0.6 * score)
            })
            .collect()
    }

    #[test]
    fn auc_is_the_share_of_ordered_pairs() {
        let rows = rows(200);
        let (mut wins, mut pairs) = (0.0, 0.0);
        for &(p, _) in rows.iter().filter(|row| row.1) {
            for &(n, _) in rows.iter().filter(|row| !row.1) {
                pairs += 1.0;
                wins += if p > n { 1.0 } else { 0.5 * f64::from(u8::from(p == n)) };
            }
        }
        assert!((ranking(&rows).roc_auc().unwrap() - wins / pairs).abs() < 1e-12);
    }

    #[test]
    fn average_precision_is_the_sum_over_thresholds() {
        let rows = rows(200);
        let positives = rows.iter().filter(|row| row.1).count() as f64;
        let mut thresholds: Vec<f64> = rows.iter().map(|row| row.0).collect();
        thresholds.sort_by(|a, b| b.total_cmp(a));
        thresholds.dedup();
        let (mut sum, mut before) = (0.0, 0.0);
        for threshold in thresholds {
            let selected: Vec<_> = rows.iter().filter(|row| row.0 >= threshold).collect();
            let hits = selected.iter().filter(|row| row.1).count() as f64;
            sum += (hits / positives - before) * hits / selected.len() as f64;
            before = hits / positives;
        }
        assert!((ranking(&rows).average_precision().unwrap() - sum).abs() < 1e-12);
    }

    #[test]
    fn scikit_learns_own_example() {
        let ranking = ranking(&[(0.1, false), (0.4, false), (0.35, true), (0.8, true)]);
        assert_eq!(ranking.roc_auc(), Some(0.75));
        assert!((ranking.average_precision().unwrap() - 0.8333333333333333).abs() < 1e-15);
    }

    #[test]
    fn one_class_has_no_area() {
        assert_eq!(ranking(&[(0.1, true), (0.2, true)]).roc_auc(), None);
        assert_eq!(ranking(&[(0.1, false)]).average_precision(), None);
        assert_eq!(ranking(&[]).roc_auc(), None);
    }

    #[test]
    fn constant_scores_have_half_the_area_and_the_base_rate_as_precision() {
        let ranking = ranking(&[(0.3, true), (0.3, false), (0.3, false), (0.3, false)]);
        assert_eq!((ranking.roc_auc(), ranking.average_precision()), (Some(0.5), Some(0.25)));
    }

    #[test]
    fn a_curve_keeps_its_ends_and_its_limit() {
        let ranking = ranking(&rows(200));
        let (negatives, positives) = ranking.totals();
        let curve = ranking.curve(7);
        assert_eq!(curve.len(), 7);
        assert_eq!((curve[0].negative, curve[0].positive), (0.0, 0.0));
        assert_eq!((curve[6].negative, curve[6].positive), (negatives, positives));
    }
}
