//! How well surrogates fit, over all explained rows.

use crate::audit::FitSummary;
use crate::explain::lime::LocalFit;
use crate::stats::ExactSum;

/// Sums over surrogates; a method without surrogates leaves it empty.
#[derive(Debug, Default)]
pub struct Fits {
    n: u64,
    r2: Mean,
    stability: Mean,
    largest_miss: f64,
}

#[derive(Debug, Default)]
struct Mean {
    n: u64,
    sum: ExactSum,
}

impl Mean {
    fn update(&mut self, value: Option<f64>) {
        if let Some(value) = value {
            self.n += 1;
            self.sum.add(value);
        }
    }

    fn value(&self) -> Option<f64> {
        (self.n > 0).then(|| self.sum.value() / self.n as f64)
    }
}

impl Fits {
    /// Takes in the surrogate of a row that the model scores as `score`.
    pub fn update(&mut self, fit: &LocalFit, score: f64) {
        self.n += 1;
        self.r2.update(fit.r2);
        self.stability.update(fit.stability);
        self.largest_miss = self.largest_miss.max((fit.local_prediction - score).abs());
    }

    pub fn summary(&self) -> Option<FitSummary> {
        (self.n > 0).then(|| FitSummary {
            n: self.n,
            mean_r2: self.r2.value(),
            mean_stability: self.stability.value(),
            largest_miss: self.largest_miss,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn undefined_fits_are_counted_and_not_averaged() {
        let fit = |r2| LocalFit { intercept: 0.0, local_prediction: 0.5, r2, stability: None };
        let mut fits = Fits::default();
        assert_eq!(fits.summary(), None);
        fits.update(&fit(Some(0.25)), 0.5);
        fits.update(&fit(Some(0.75)), 0.125);
        fits.update(&fit(None), 0.75);
        let found = fits.summary().unwrap();
        assert_eq!((found.n, found.mean_r2, found.mean_stability, found.largest_miss), (3, Some(0.5), None, 0.375));
    }
}
