//! Metrics of predicted values.

use super::metric::Metric;
use ndarray::ArrayView1;

/// A regression metric of `scores` against `labels`, both `[rows]`, without missing values.
pub(super) fn value(
    metric: Metric,
    labels: &[f64],
    weights: Option<&[f64]>,
    scores: ArrayView1<f64>,
) -> Result<f64, String> {
    let weight = |row: usize| weights.map_or(1.0, |weights| weights[row]);
    let total: f64 = (0..labels.len()).map(weight).sum();
    if total <= 0.0 {
        return Err("the rows' weights sum to 0".to_string());
    }
    let mean = |of: &dyn Fn(usize) -> f64| (0..labels.len()).map(|row| weight(row) * of(row)).sum::<f64>() / total;
    let mse = || mean(&|row| (labels[row] - scores[row]).powi(2));
    match metric {
        Metric::Mse => Ok(mse()),
        Metric::Rmse => Ok(mse().sqrt()),
        Metric::Mae => Ok(mean(&|row| (labels[row] - scores[row]).abs())),
        Metric::R2 => {
            let centre = mean(&|row| labels[row]);
            let spread = mean(&|row| (labels[row] - centre).powi(2));
            if spread > 0.0 { Ok(1.0 - mse() / spread) } else { Err("all labels are equal".to_string()) }
        }
        _ => Err("it is for classes, the labels are values".to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LABELS: [f64; 4] = [3.0, -0.5, 2.0, 7.0];
    const SCORES: [f64; 4] = [2.5, 0.0, 2.0, 8.0];

    fn of(metric: Metric, weights: Option<&[f64]>) -> f64 {
        value(metric, &LABELS, weights, ArrayView1::from(&SCORES)).unwrap()
    }

    #[test]
    fn values_are_those_of_the_textbook() {
        // The example in scikit-learn's documentation of r2_score: 0.948608…
        assert!((of(Metric::R2, None) - (1.0 - 1.5 / 29.1875)).abs() < 1e-15);
        assert!((of(Metric::Mse, None) - 0.375).abs() < 1e-15);
        assert!((of(Metric::Rmse, None) - 0.375_f64.sqrt()).abs() < 1e-15);
        assert!((of(Metric::Mae, None) - 0.5).abs() < 1e-15);
    }

    #[test]
    fn a_weight_counts_a_row_as_often() {
        let weights = [1.0, 3.0, 0.0, 2.0];
        let repeated: Vec<usize> = vec![0, 1, 1, 1, 3, 3];
        let labels: Vec<f64> = repeated.iter().map(|row| LABELS[*row]).collect();
        let scores: Vec<f64> = repeated.iter().map(|row| SCORES[*row]).collect();
        for metric in [Metric::Mse, Metric::Rmse, Metric::Mae, Metric::R2] {
            let expected = value(metric, &labels, None, ArrayView1::from(&scores)).unwrap();
            assert!((of(metric, Some(&weights)) - expected).abs() < 1e-14);
        }
    }

    #[test]
    fn equal_labels_have_no_r2() {
        let error = value(Metric::R2, &[1.0, 1.0], None, ArrayView1::from(&[0.0, 1.0])).unwrap_err();
        assert!(error.contains("equal"));
    }
}
