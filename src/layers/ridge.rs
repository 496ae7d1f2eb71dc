//! Ridge regression on standardised inputs, for one or several targets at once.

use crate::stats::cholesky::{factor, solve};
use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis};

/// Weight of the squared coefficients.
const ALPHA: f64 = 1.0;

/// A fitted linear map.
#[derive(Debug, Clone)]
pub(super) struct Ridge {
    /// Mean and spread of each input over the rows it was fitted on.
    centre: Array1<f64>,
    scale: Array1<f64>,
    /// `[inputs × targets]`.
    coefficients: Array2<f64>,
    intercepts: Array1<f64>,
}

impl Ridge {
    /// Minimises Σ w·(y − a − xᵀb)² + |b|² over standardised inputs; `x` `[rows × inputs]`, `y` `[rows × targets]`.
    /// `None` where the numbers do not allow it (not finite).
    pub fn fit(x: ArrayView2<f64>, y: ArrayView2<f64>, weights: ArrayView1<f64>) -> Option<Self> {
        let centre = x.mean_axis(Axis(0))?;
        // An input that is constant but for rounding is not blown up.
        let rounding = x.nrows() as f64 * f64::EPSILON;
        let scale = ndarray::Zip::from(&x.std_axis(Axis(0), 0.0))
            .and(&centre)
            .map_collect(|std, centre| if *std > rounding * centre.abs() { *std } else { 1.0 });
        let standardised = (&x - &centre) / &scale;
        let total = weights.sum();
        let weigh = |values: ArrayView2<f64>| weights.dot(&values) / total;
        let (x_mean, y_mean) = (weigh(standardised.view()), weigh(y));
        let roots = weights.mapv(f64::sqrt).insert_axis(Axis(1));
        let x = (standardised - &x_mean) * &roots;
        let y = (&y - &y_mean) * &roots;
        let mut products = x.t().dot(&x);
        products.diag_mut().mapv_inplace(|own| own + ALPHA);
        let coefficients = solve(&factor(products)?, x.t().dot(&y));
        let intercepts = y_mean - x_mean.dot(&coefficients);
        Some(Self { centre, scale, coefficients, intercepts })
    }

    /// `[rows × targets]`.
    pub fn predict(&self, x: ArrayView2<f64>) -> Array2<f64> {
        ((&x - &self.centre) / &self.scale).dot(&self.coefficients) + &self.intercepts
    }
}
