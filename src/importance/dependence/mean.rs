//! Weighted means of parts that are put together in order.

use crate::stats::Interval;

/// Mean and spread of weighted numbers (West 1979; parts merge as in Chan, Golub and LeVeque 1983).
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct WeightedMean {
    pub n: u64,
    pub weight: f64,
    weight2: f64,
    pub mean: f64,
    /// Σ w (x − mean)².
    squares: f64,
}

impl WeightedMean {
    /// Numbers of weight 1 each.
    pub fn of(numbers: &[f64]) -> Self {
        let n = numbers.len() as f64;
        if numbers.is_empty() {
            return Self::default();
        }
        let mean = sum(numbers, |x| x) / n;
        let squares = sum(numbers, |x| (x - mean) * (x - mean));
        Self { n: numbers.len() as u64, weight: n, weight2: n, mean, squares }
    }

    /// Rows of weight 0 do not count.
    pub fn update(&mut self, x: f64, weight: f64) {
        if weight > 0.0 {
            self.merge(&Self { n: 1, weight, weight2: weight * weight, mean: x, squares: 0.0 });
        }
    }

    pub fn merge(&mut self, other: &Self) {
        if other.n == 0 {
            return;
        }
        let weight = self.weight + other.weight;
        let difference = other.mean - self.mean;
        self.mean += difference * (other.weight / weight);
        self.squares += other.squares + difference * difference * (self.weight * other.weight / weight);
        self.weight = weight;
        self.weight2 += other.weight2;
        self.n += other.n;
    }

    /// Variance of the mean, for the effective number of rows (Σw)² / Σw² (Kish 1965); `None` for one row or less.
    pub fn variance_of_mean(&self) -> Option<f64> {
        let effective = self.weight * self.weight / self.weight2;
        (effective > 1.0 + 1e-9).then(|| self.squares / self.weight / (effective - 1.0))
    }

    /// Variance within parts of equal weights, over all of them; `None` where none has two rows.
    pub fn pooled_variance(parts: &[Self]) -> Option<f64> {
        let freedom: u64 = parts.iter().map(|part| part.n.saturating_sub(1)).sum();
        (freedom > 0).then(|| parts.iter().map(|part| part.squares).sum::<f64>() / freedom as f64)
    }

    /// Normal interval of the mean; `z` is the normal quantile.
    pub fn interval(&self, z: f64) -> Option<Interval> {
        self.variance_of_mean().map(|variance| Interval::around(self.mean, z * variance.sqrt()))
    }
}

/// Σ term(x), in as many parts as processors add at once.
fn sum(numbers: &[f64], term: impl Fn(f64) -> f64) -> f64 {
    const PARTS: usize = 16;
    let (chunks, rest) = numbers.as_chunks::<PARTS>();
    let mut sums = [0.0; PARTS];
    for chunk in chunks {
        sums.iter_mut().zip(chunk).for_each(|(sum, x)| *sum += term(*x));
    }
    sums.iter_mut().zip(rest).for_each(|(sum, x)| *sum += term(*x));
    sums.iter().sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mean(numbers: &[(f64, f64)]) -> WeightedMean {
        let mut mean = WeightedMean::default();
        numbers.iter().for_each(|(x, weight)| mean.update(*x, *weight));
        mean
    }

    #[test]
    fn equal_weights_give_the_textbook_standard_error() {
        let numbers = [2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0];
        for weight in [1.0, 3.0] {
            let found = mean(&numbers.map(|x| (x, weight)));
            assert!((found.mean - 5.0).abs() < 1e-14);
            assert!((found.variance_of_mean().unwrap() - 32.0 / 7.0 / 8.0).abs() < 1e-14);
        }
    }

    #[test]
    fn parts_merge_to_the_whole_and_a_large_offset_costs_nothing() {
        let numbers: Vec<(f64, f64)> = (0..999).map(|i| (1e9 + f64::from(i % 7), f64::from(i % 4))).collect();
        let whole = mean(&numbers);
        let mut parts = mean(&numbers[..400]);
        parts.merge(&mean(&[]));
        parts.merge(&mean(&numbers[400..]));
        let weight: f64 = numbers.iter().map(|(_, w)| w).sum();
        let center = numbers.iter().map(|(x, w)| (x - 1e9) * w).sum::<f64>() / weight;
        let squares: f64 = numbers.iter().map(|(x, w)| w * (x - 1e9 - center).powi(2)).sum();
        for found in [whole, parts] {
            assert!((found.mean - 1e9 - center).abs() < 1e-6 && (found.squares - squares).abs() < 1e-3);
            assert_eq!(found.n, numbers.iter().filter(|(_, w)| *w > 0.0).count() as u64);
        }
    }

    #[test]
    fn one_row_has_no_interval() {
        assert_eq!(mean(&[(3.0, 2.0)]).interval(1.96), None);
        assert_eq!(mean(&[]).variance_of_mean(), None);
        assert_eq!(mean(&[(3.0, 2.0), (3.0, 1.0)]).interval(1.96), Some(Interval { low: 3.0, high: 3.0 }));
    }
}
