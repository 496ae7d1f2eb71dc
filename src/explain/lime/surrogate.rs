//! The local linear model.

use super::products::Centred;
use super::sweep::solve;
use super::{LimeSettings, LocalFit, selection};
use ndarray::{Array1, ArrayView1, Axis};

/// A ridge regression of one output on the design.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Surrogate {
    /// Of every feature, 0 for those not chosen.
    pub coefficients: Vec<f64>,
    pub fit: LocalFit,
}

/// Coefficients of the chosen features in min Σ w (y − b − xβ)² + α‖β‖², as scikit-learn's `Ridge` with sample weights.
pub(super) fn coefficients(centred: &Centred, output: usize, chosen: &[usize], alpha: f64) -> Vec<f64> {
    let mut xx = centred.xx().select(Axis(0), chosen).select(Axis(1), chosen);
    xx.diag_mut().mapv_inplace(|x| x + alpha);
    let xy = centred.xy(output).select(Axis(0), chosen);
    let mut all = vec![0.0; centred.n_features];
    chosen.iter().zip(solve(xx.view(), xy.view())).for_each(|(j, beta)| all[*j] = beta);
    all
}

impl Surrogate {
    /// `own` is the row's design, `score` the model's own answer for it, both of which the sums leave out.
    pub fn fit(centred: &Centred, output: usize, own: ArrayView1<f64>, score: f64, settings: &LimeSettings) -> Self {
        let chosen = selection::select(centred, output, own, settings.features);
        let beta = Array1::from(coefficients(centred, output, &chosen, settings.ridge));
        let p = centred.n_features;
        // At the row itself the centred design is 0 − mean, for the design is less the row's own.
        let local_prediction = score + centred.mean[p + output] - beta.dot(&centred.mean.slice(ndarray::s![..p]));
        let intercept = local_prediction - beta.dot(&own);
        let r2 = r2(centred, output, &beta);
        let fit = LocalFit { intercept, local_prediction, r2, stability: None };
        Self { coefficients: beta.to_vec(), fit }
    }
}

/// 1 − Σ w (y − ŷ)² / Σ w (y − ȳ)²; `None` where all y are one.
fn r2(centred: &Centred, output: usize, beta: &Array1<f64>) -> Option<f64> {
    let total = centred.yy(output);
    let explained = 2.0 * beta.dot(&centred.xy(output)) - beta.dot(&centred.xx().dot(beta));
    (total > 0.0).then(|| explained / total)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explain::game::Scale;
    use crate::explain::lime::products::Products;
    use crate::stats::random::Stream;
    use ndarray::Array2;

    fn neighbourhood(n: usize) -> (Array2<f64>, Array2<f64>) {
        let stream = Stream::new(7, "surrogate");
        let mut design =
            Array2::from_shape_fn((n, 3), |(i, j)| f64::from(u8::from(stream.at((i * 3 + j) as u64) % 3 < 1)));
        design.row_mut(0).fill(1.0);
        let score = |i: usize| (design[[i, 0]] + 2.0 * design[[i, 1]] * design[[i, 2]] + 50.0) * 0.1;
        let scores = Array2::from_shape_fn((n, 1), |(i, _)| score(i));
        (design, scores)
    }

    fn surrogate(design: &Array2<f64>, scores: &Array2<f64>, ridge: f64) -> Surrogate {
        let settings = LimeSettings { ridge, ..LimeSettings::new(vec![0], Scale::Probability, 1) };
        let centred = Products::of(design.view(), scores.view(), 1.3).with(design.ncols(), |_| 1.0);
        Surrogate::fit(&centred, 0, design.row(0), scores[[0, 0]], &settings)
    }

    /// Gradient of Σ w (y − b − xβ)² + α‖β‖² and the weighted R², row by row.
    fn check(design: &Array2<f64>, scores: &Array2<f64>, ridge: f64, found: &Surrogate) {
        let (n, p) = design.dim();
        let (mut gradient, mut residual2, mut total, mut sums) = (vec![0.0; p + 1], 0.0, 0.0, (0.0, 0.0));
        let distance2 = |i: usize| (0..p).map(|j| (design[[i, j]] - design[[0, j]]).powi(2)).sum::<f64>();
        let weight = |i: usize| (-distance2(i) / 1.3_f64.powi(2)).exp().sqrt();
        (0..n).for_each(|i| sums = (sums.0 + weight(i), sums.1 + weight(i) * scores[[i, 0]]));
        for i in 0..n {
            let answer: f64 = found.fit.intercept + (0..p).map(|j| design[[i, j]] * found.coefficients[j]).sum::<f64>();
            let rest = scores[[i, 0]] - answer;
            gradient[p] += weight(i) * rest;
            (0..p).for_each(|j| gradient[j] += weight(i) * rest * design[[i, j]]);
            residual2 += weight(i) * rest * rest;
            total += weight(i) * (scores[[i, 0]] - sums.1 / sums.0).powi(2);
        }
        (0..p).for_each(|j| gradient[j] -= ridge * found.coefficients[j]);
        assert!(gradient.iter().all(|g| g.abs() < 1e-9), "{gradient:?}");
        assert!((found.fit.r2.unwrap() - (1.0 - residual2 / total)).abs() < 1e-10);
    }

    #[test]
    fn a_surrogate_is_the_weighted_ridge_regression() {
        let (design, scores) = neighbourhood(400);
        for ridge in [1e-6, 1.0, 30.0] {
            let found = surrogate(&design, &scores, ridge);
            check(&design, &scores, ridge, &found);
            let sum = found.fit.intercept + found.coefficients.iter().sum::<f64>();
            assert!((sum - found.fit.local_prediction).abs() < 1e-12);
        }
    }

    #[test]
    fn a_constant_model_has_no_weights_and_no_r2() {
        let (design, scores) = neighbourhood(200);
        let found = surrogate(&design, &scores.mapv(|_| 0.3), 1.0);
        assert_eq!((found.coefficients, found.fit.r2), (vec![0.0; 3], None));
        assert_eq!((found.fit.intercept, found.fit.local_prediction), (0.3, 0.3));
    }
}
