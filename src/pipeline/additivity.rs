//! How far attributions and base value miss the scores they explain.

use crate::stats::ExactSum;
use ndarray::Array2;

/// Largest and mean |Σφ + base − score| over explained rows and outputs.
#[derive(Debug, Default)]
pub struct Additivity {
    n: u64,
    sum: ExactSum,
    largest: f64,
}

impl Additivity {
    /// `gaps` `[rows × outputs]`; NaN = not explained.
    pub fn update(&mut self, gaps: &Array2<f64>) {
        for gap in gaps.iter().filter(|gap| !gap.is_nan()) {
            self.n += 1;
            self.sum.add(*gap);
            self.largest = self.largest.max(*gap);
        }
    }

    /// `None` where there was nothing to compare with.
    pub fn largest(&self) -> Option<f64> {
        (self.n > 0).then_some(self.largest)
    }

    /// `None` where there was nothing to compare with.
    pub fn mean(&self) -> Option<f64> {
        (self.n > 0).then(|| self.sum.value() / self.n as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn rows_that_are_not_explained_do_not_count() {
        let mut additivity = Additivity::default();
        assert_eq!((additivity.largest(), additivity.mean()), (None, None));
        additivity.update(&array![[0.5, f64::NAN], [f64::NAN, f64::NAN]]);
        additivity.update(&array![[0.25, 0.0]]);
        assert_eq!((additivity.largest(), additivity.mean()), (Some(0.5), Some(0.25)));
    }
}
