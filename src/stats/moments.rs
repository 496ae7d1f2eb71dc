//! Count, mean and spread of numbers.

use super::{Accumulator, ExactSum};

/// Sums from which mean and variance follow, exact and independent of order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Moments {
    n: u64,
    sum: ExactSum,
    squares: ExactSum,
}

/// Mean and spread of at least one number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Summary {
    pub n: u64,
    pub mean: f64,
    /// Σ(x − mean)² / n.
    pub population_variance: f64,
}

impl Summary {
    /// Square root of Σ(x − mean)² / n.
    pub fn population_std(&self) -> f64 {
        self.population_variance.sqrt()
    }

    /// Standard error of the mean, from the variance with n − 1; `None` for fewer than two numbers.
    pub fn std_err(&self) -> Option<f64> {
        (self.n > 1).then(|| (self.population_variance / (self.n - 1) as f64).sqrt())
    }
}

impl Accumulator for Moments {
    type Item<'a> = f64;
    /// `None` for no numbers.
    type Output = Option<Summary>;

    fn update(&mut self, x: f64) {
        self.n += 1;
        self.sum.add(x);
        self.squares.add(x * x);
    }

    fn merge(&mut self, other: Self) {
        self.n += other.n;
        self.sum.merge(other.sum);
        self.squares.merge(other.squares);
    }

    fn finish(&self) -> Option<Summary> {
        let n = self.n as f64;
        let mean = self.sum.value() / n;
        // Rounding can leave a tiny negative difference for constant numbers.
        let population_variance = (self.squares.value() / n - mean * mean).max(0.0);
        (self.n > 0).then_some(Summary { n: self.n, mean, population_variance })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moments(numbers: &[f64]) -> Moments {
        let mut moments = Moments::default();
        numbers.iter().for_each(|&x| moments.update(x));
        moments
    }

    #[test]
    fn mean_and_spread_of_a_worked_example() {
        let summary = moments(&[2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0]).finish().unwrap();
        assert_eq!((summary.n, summary.mean, summary.population_std()), (8, 5.0, 2.0));
        assert!((summary.std_err().unwrap() - (32.0f64 / 7.0 / 8.0).sqrt()).abs() < 1e-15);
    }

    #[test]
    fn merging_parts_equals_the_whole() {
        let numbers: Vec<f64> = (0..1_000).map(|i| (f64::from(i) * 0.37).sin()).collect();
        let mut parts = moments(&numbers[700..]);
        parts.merge(moments(&[]));
        parts.merge(moments(&numbers[..700]));
        assert_eq!(parts.finish(), moments(&numbers).finish());
    }

    #[test]
    fn no_numbers_have_no_mean_and_one_number_no_standard_error() {
        assert_eq!(moments(&[]).finish(), None);
        let one = moments(&[3.0]).finish().unwrap();
        assert_eq!((one.mean, one.population_std(), one.std_err()), (3.0, 0.0, None));
    }

    #[test]
    fn a_constant_column_has_no_spread() {
        assert_eq!(moments(&[0.1; 1_000]).finish().unwrap().population_std(), 0.0);
    }
}
