//! How the scores of two groups lie to each other: cross-group ranking, the area between ROC curves, the distance of
//! distributions.
//!
//! All are functions of the weights at each distinct score of the two groups together ([`align`]); a bootstrap that
//! bins both groups alike hands its bins in as they are.

use super::hypothesis::kolmogorov;
use super::ranking::{Ranking, Step, roc_auc};
use std::cmp::Ordering;

/// Weights of two groups at one score.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Pair {
    pub a: Weights,
    pub b: Weights,
}

/// Weights of one group at one score.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Weights {
    pub negative: f64,
    pub positive: f64,
    pub unlabelled: f64,
}

impl Weights {
    fn all(&self) -> f64 {
        self.negative + self.positive + self.unlabelled
    }
}

impl From<&Step> for Weights {
    fn from(step: &Step) -> Self {
        Self { negative: step.negative, positive: step.positive, unlabelled: step.unlabelled }
    }
}

/// Both groups' weights at every score of either, ascending.
pub fn align(a: &Ranking, b: &Ranking) -> Vec<Pair> {
    let (mut a, mut b) = (a.steps().iter().peekable(), b.steps().iter().peekable());
    let mut pairs = Vec::new();
    loop {
        let order = match (a.peek(), b.peek()) {
            (Some(mine), Some(theirs)) => mine.score.total_cmp(&theirs.score),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => return pairs,
        };
        pairs.push(Pair {
            a: if order.is_le() { a.next().map(Weights::from).unwrap_or_default() } else { Weights::default() },
            b: if order.is_ge() { b.next().map(Weights::from).unwrap_or_default() } else { Weights::default() },
        });
    }
}

/// xAUC (Kallus and Zhou 2019): the chance that a positive of `a` is scored above a negative of `b`, ties counting
/// half. `None` without positives of the one or negatives of the other.
pub fn cross_auc(pairs: &[Pair]) -> Option<f64> {
    roc_auc(pairs.iter().map(|pair| (pair.b.negative, pair.a.positive)))
}

/// [`cross_auc`] with the groups exchanged.
pub fn cross_auc_turned(pairs: &[Pair]) -> Option<f64> {
    roc_auc(pairs.iter().map(|pair| (pair.a.negative, pair.b.positive)))
}

/// ABROCA (Gardner, Brooks and Baker 2019): the area between the two groups' ROC curves, each drawn straight between
/// its thresholds. `None` unless both groups have both classes.
pub fn area_between_roc(pairs: &[Pair]) -> Option<f64> {
    let totals = pairs.iter().fold([0.0; 4], |[na, pa, nb, pb], pair| {
        [na + pair.a.negative, pa + pair.a.positive, nb + pair.b.negative, pb + pair.b.positive]
    });
    if totals.iter().any(|total| *total <= 0.0) {
        return None;
    }
    let [na, pa, nb, pb] = totals;
    let mut a = Curve::new(pairs.iter().rev().map(move |pair| (pair.a.negative / na, pair.a.positive / pa)));
    let mut b = Curve::new(pairs.iter().rev().map(move |pair| (pair.b.negative / nb, pair.b.positive / pb)));
    let (mut area, mut x) = (0.0, 0.0);
    while x < 1.0 {
        a.reach(x);
        b.reach(x);
        let next = a.end.0.min(b.end.0).min(1.0);
        // The last corners may lie below 1 by rounding.
        let next = if next > x { next } else { 1.0 };
        area += between((next - x).max(0.0), a.at(x) - b.at(x), a.at(next) - b.at(next));
        x = next;
    }
    Some(area)
}

/// ∫ |d| over a stretch of length `width` on which d goes straight from `from` to `to`.
fn between(width: f64, from: f64, to: f64) -> f64 {
    if from * to >= 0.0 {
        return width * (from.abs() + to.abs()) / 2.0;
    }
    // It crosses zero: two triangles.
    width * (from * from + to * to) / (2.0 * (from.abs() + to.abs()))
}

/// A ROC curve walked from left to right, one straight piece at a time.
struct Curve<I> {
    steps: I,
    start: (f64, f64),
    end: (f64, f64),
}

impl<I: Iterator<Item = (f64, f64)>> Curve<I> {
    fn new(steps: I) -> Self {
        Self { steps, start: (0.0, 0.0), end: (0.0, 0.0) }
    }

    /// Moves on until the piece reaches beyond `x`: where it rises straight up, the upper end counts.
    fn reach(&mut self, x: f64) {
        while self.end.0 <= x {
            let Some((right, up)) = self.steps.next() else { return };
            self.start = self.end;
            self.end = (self.end.0 + right, self.end.1 + up);
        }
    }

    fn at(&self, x: f64) -> f64 {
        let ((x0, y0), (x1, y1)) = (self.start, self.end);
        if x1 > x0 { y0 + (y1 - y0) * ((x - x0) / (x1 - x0)).clamp(0.0, 1.0) } else { y1 }
    }
}

/// Kolmogorov–Smirnov distance: the largest |F_a − F_b| of the distributions of all scores. `None` without weight.
pub fn distance(pairs: &[Pair]) -> Option<f64> {
    let (a, b) = pairs.iter().fold((0.0, 0.0), |(a, b), pair| (a + pair.a.all(), b + pair.b.all()));
    if a <= 0.0 || b <= 0.0 {
        return None;
    }
    let (mut below_a, mut below_b, mut largest) = (0.0, 0.0, 0.0f64);
    for pair in pairs {
        below_a += pair.a.all() / a;
        below_b += pair.b.all() / b;
        largest = largest.max((below_a - below_b).abs());
    }
    Some(largest.min(1.0))
}

/// p-value of a distance between samples of `n_a` and `n_b` (effective) rows, asymptotically.
pub fn distance_p_value(distance: f64, n_a: f64, n_b: f64) -> f64 {
    kolmogorov(distance * (n_a * n_b / (n_a + n_b)).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::random::Stream;

    type Row = (f64, Option<bool>);

    fn ranking(rows: &[Row]) -> Ranking {
        let mut sorted = rows.to_vec();
        sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut ranking = Ranking::default();
        sorted.iter().for_each(|&(score, label)| ranking.push(score, 1.0, label));
        ranking
    }

    /// Scores with ties; every eleventh row has no label.
    fn rows(n: u64, seed: u64, slope: f64) -> Vec<Row> {
        let stream = Stream::new(seed, "score gap");
        (0..n)
            .map(|i| {
                let score = (stream.unit(2 * i) * 30.0).floor() / 30.0;
                (score, (i % 11 > 0).then_some(stream.unit(2 * i + 1) < 0.1 + slope * score))
            })
            .collect()
    }

    #[test]
    fn cross_auc_is_the_share_of_ordered_pairs_of_two_groups() {
        let (a, b) = (rows(150, 1, 0.8), rows(90, 2, 0.3));
        let brute = |positives: &[Row], negatives: &[Row]| {
            let (mut wins, mut pairs) = (0.0, 0.0);
            for p in positives.iter().filter(|row| row.1 == Some(true)) {
                for n in negatives.iter().filter(|row| row.1 == Some(false)) {
                    pairs += 1.0;
                    wins += if p.0 > n.0 { 1.0 } else { 0.5 * f64::from(u8::from(p.0 == n.0)) };
                }
            }
            wins / pairs
        };
        let pairs = align(&ranking(&a), &ranking(&b));
        assert!((cross_auc(&pairs).unwrap() - brute(&a, &b)).abs() < 1e-12);
        assert!((cross_auc_turned(&pairs).unwrap() - brute(&b, &a)).abs() < 1e-12);
    }

    #[test]
    fn area_between_curves_is_the_integral_over_a_fine_grid() {
        let (a, b) = (rows(150, 3, 0.9), rows(120, 4, 0.2));
        let height = |ranking: &Ranking, x: f64| {
            let (n, p) = ranking.totals();
            let curve = ranking.curve(usize::MAX);
            let (left, right) = (
                curve.iter().rfind(|point| point.negative / n <= x).unwrap(),
                curve.iter().find(|point| point.negative / n > x),
            );
            let right = right.unwrap_or(left);
            let width = right.negative - left.negative;
            let share = if width > 0.0 { (x * n - left.negative) / width } else { 0.0 };
            (left.positive + (right.positive - left.positive) * share) / p
        };
        let (ra, rb) = (ranking(&a), ranking(&b));
        let steps = 200_000;
        let grid: f64 = (0..steps)
            .map(|k| {
                let x = (f64::from(k) + 0.5) / f64::from(steps);
                (height(&ra, x) - height(&rb, x)).abs() / f64::from(steps)
            })
            .sum();
        let area = area_between_roc(&align(&ra, &rb)).unwrap();
        assert!((area - grid).abs() < 1e-5, "{area} {grid}");
        assert!((area_between_roc(&align(&rb, &ra)).unwrap() - area).abs() < 1e-12);
    }

    #[test]
    fn curves_on_one_side_of_each_other_enclose_the_difference_of_their_areas() {
        // Perfect order against constant scores: 1 − 1/2.
        let perfect = ranking(&[(0.1, Some(false)), (0.2, Some(false)), (0.8, Some(true)), (0.9, Some(true))]);
        let constant = ranking(&[(0.3, Some(false)), (0.3, Some(true))]);
        assert_eq!(area_between_roc(&align(&perfect, &constant)), Some(0.5));
        assert_eq!(area_between_roc(&align(&perfect, &perfect)), Some(0.0));
    }

    #[test]
    fn distance_is_the_largest_gap_of_the_distribution_functions() {
        let (a, b) = (rows(80, 5, 0.5), rows(130, 6, 0.5));
        let b: Vec<Row> = b.into_iter().map(|(score, label)| (score * score, label)).collect();
        let below = |rows: &[Row], x: f64| rows.iter().filter(|row| row.0 <= x).count() as f64 / rows.len() as f64;
        let brute = a.iter().chain(&b).map(|row| (below(&a, row.0) - below(&b, row.0)).abs()).fold(0.0, f64::max);
        assert!((distance(&align(&ranking(&a), &ranking(&b))).unwrap() - brute).abs() < 1e-12);
    }

    #[test]
    fn what_is_missing_makes_it_undefined() {
        let (both, positives) = (rows(60, 7, 0.5), [(0.2, Some(true)), (0.7, Some(true))]);
        let pairs = align(&ranking(&both), &ranking(&positives));
        assert_eq!((cross_auc(&pairs), area_between_roc(&pairs)), (None, None));
        assert!(cross_auc_turned(&pairs).is_some() && distance(&pairs).is_some());
        assert_eq!(distance(&align(&ranking(&both), &Ranking::default())), None);
    }
}
