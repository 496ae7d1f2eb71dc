//! Interval of an area under the ROC curve, also where the classes are told apart without a mistake.

use super::Interval;

/// Newcombe's interval of an AUC from `n_positive` and `n_negative` rows (Statistics in Medicine 2006, method 5): all
/// values that lie within `z` of their own standard errors, by the variance of Hanley and McNeil (1982) with (m + n)/2
/// in place of either number.
pub fn auc_interval(auc: f64, n_positive: u64, n_negative: u64, z: f64) -> Interval {
    let (m, n) = (n_positive as f64, n_negative as f64);
    let more = (m + n) / 2.0 - 1.0;
    let std_err = |a: f64| {
        let spread = 1.0 + more * (1.0 - a) / (2.0 - a) + more * a / (1.0 + a);
        (a * (1.0 - a) * spread / (m * n)).max(0.0).sqrt()
    };
    let end = |mut far: f64| {
        let mut near = auc;
        // 60 halvings leave nothing of the unit interval.
        for _ in 0..60 {
            let middle = (near + far) / 2.0;
            match (auc - middle).abs() <= z * std_err(middle) {
                true => near = middle,
                false => far = middle,
            }
        }
        near
    };
    Interval { low: end(0.0), high: end(1.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_lie_z_standard_errors_away() {
        let interval = auc_interval(0.8, 40, 60, 1.96);
        let variance = |a: f64| a * (1.0 - a) * (1.0 + 49.0 * (1.0 - a) / (2.0 - a) + 49.0 * a / (1.0 + a)) / 2_400.0;
        for end in [interval.low, interval.high] {
            assert!(((0.8 - end).abs() - 1.96 * variance(end).sqrt()).abs() < 1e-9, "{end}");
        }
        assert!(interval.low < 0.8 && interval.high > 0.8);
    }

    #[test]
    fn a_perfect_separation_of_few_rows_is_no_certainty() {
        let few = auc_interval(1.0, 5, 5, 1.96);
        assert!(few.high == 1.0 && few.low < 0.75, "{few:?}");
        assert!(auc_interval(1.0, 500, 500, 1.96).low > 0.99);
        assert_eq!(auc_interval(0.0, 50, 50, 1.96).low, 0.0);
    }
}
