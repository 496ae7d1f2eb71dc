//! Tests of two proportions, and of many at once.

use super::intervals::Proportion;
use statrs::distribution::{ContinuousCDF, Normal};
use statrs::function::factorial::ln_factorial;

/// Two-sided p-value of a standard normal statistic.
pub fn two_sided(z: f64) -> f64 {
    (2.0 * Normal::standard().sf(z.abs())).min(1.0)
}

/// Two-sample Z test of equal proportions with the pooled variance. `None` if the pooled share is 0 or 1: there is
/// nothing to compare.
pub fn two_proportions(a: Proportion, b: Proportion) -> Option<f64> {
    let pooled = (a.successes + b.successes) / (a.trials + b.trials);
    let variance = pooled * (1.0 - pooled) * (1.0 / a.trials + 1.0 / b.trials);
    (variance > 0.0).then(|| two_sided((a.share() - b.share()) / variance.sqrt()))
}

/// Fisher's exact test of a 2 × 2 table, two-sided: the probability of all tables with the same margins that are not
/// more likely than this one (as R's `fisher.test` and SciPy's `fisher_exact`).
pub fn fisher_exact(a_successes: u64, a_trials: u64, b_successes: u64, b_trials: u64) -> f64 {
    let successes = a_successes + b_successes;
    let all = ln_choose(a_trials + b_trials, successes);
    let ln_probability = |x: u64| ln_choose(a_trials, x) + ln_choose(b_trials, successes - x) - all;
    // A relative margin, as in R: tables as likely as this one must count although rounding may split them.
    let observed = ln_probability(a_successes) + 1e-7;
    let possible = successes.saturating_sub(b_trials)..=successes.min(a_trials);
    possible.map(ln_probability).filter(|&p| p <= observed).map(f64::exp).sum::<f64>().min(1.0)
}

fn ln_choose(n: u64, k: u64) -> f64 {
    ln_factorial(n) - ln_factorial(k) - ln_factorial(n - k)
}

/// Chance that a Brownian bridge leaves ±x: the limit of Kolmogorov–Smirnov's test, 2 Σ (−1)^(k−1) exp(−2 k² x²).
pub fn kolmogorov(x: f64) -> f64 {
    // Below, the chance differs from 1 by less than 1e-13 and the series would not converge.
    if x < 0.2 {
        return 1.0;
    }
    let term = |k: i32| f64::from(1 - 2 * ((k + 1) % 2)) * (-2.0 * (f64::from(k) * x).powi(2)).exp();
    (2.0 * (1..=100).map(term).sum::<f64>()).clamp(0.0, 1.0)
}

/// Compares two proportions: Fisher's exact test where an expected count is below five, else the Z test.
/// Weighted counts are rounded for Fisher's test.
pub fn compare_proportions(a: Proportion, b: Proportion) -> Option<f64> {
    let pooled = (a.successes + b.successes) / (a.trials + b.trials);
    let smallest = a.trials.min(b.trials) * pooled.min(1.0 - pooled);
    if smallest >= 5.0 {
        return two_proportions(a, b);
    }
    let whole = |p: Proportion| {
        let trials = p.trials.round().max(1.0);
        ((p.successes.round().min(trials)) as u64, trials as u64)
    };
    let ((xa, na), (xb, nb)) = (whole(a), whole(b));
    Some(fisher_exact(xa, na, xb, nb))
}

/// Benjamini–Hochberg adjusted p-values (1995), in the order given: rejecting those ≤ q keeps the expected share of
/// false rejections at or below q.
pub fn benjamini_hochberg(p_values: &[f64]) -> Vec<f64> {
    let m = p_values.len();
    let mut order: Vec<usize> = (0..m).collect();
    order.sort_by(|&i, &j| p_values[j].total_cmp(&p_values[i]));
    let mut adjusted = vec![1.0; m];
    let mut smallest: f64 = 1.0;
    for (below, &i) in order.iter().enumerate() {
        smallest = smallest.min(p_values[i] * m as f64 / (m - below) as f64);
        adjusted[i] = smallest;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(successes: f64, trials: f64) -> Proportion {
        Proportion { successes, trials }
    }

    #[test]
    fn z_test_of_a_worked_example() {
        // Pooled share 0.25, standard error √(0.25 · 0.75 · 0.02), z = 0.1 / 0.0612 = 1.633.
        let p = two_proportions(of(30.0, 100.0), of(20.0, 100.0)).unwrap();
        assert!((p - 0.10247043485974937).abs() < 1e-9, "{p}");
        assert_eq!(two_proportions(of(0.0, 10.0), of(0.0, 10.0)), None);
    }

    #[test]
    fn fisher_tastes_tea() {
        // Fisher's own example: 3 of 4 against 1 of 4.
        assert!((fisher_exact(3, 4, 1, 4) - 34.0 / 70.0).abs() < 1e-12);
        assert!((fisher_exact(4, 4, 0, 4) - 2.0 / 70.0).abs() < 1e-12);
    }

    #[test]
    fn fisher_sums_the_tables_that_are_not_more_likely() {
        let (na, nb, k) = (7u64, 9u64, 6u64);
        let choose = |n: u64, k: u64| (0..k).fold(1.0, |c, i| c * (n - i) as f64 / (i + 1) as f64);
        let table = |x: u64| choose(na, x) * choose(nb, k - x) / choose(na + nb, k);
        for x in 0..=k {
            let expected: f64 = (0..=k).map(table).filter(|&p| p <= table(x) * (1.0 + 1e-7)).sum();
            assert!((fisher_exact(x, na, k - x, nb) - expected).abs() < 1e-9, "{x}");
        }
    }

    #[test]
    fn kolmogorovs_distribution_is_the_tables() {
        // Critical values of the 10 %, 5 % and 1 % levels.
        for (x, p) in [(1.2238478702170825, 0.1), (1.3580986393225505, 0.05), (1.6276236115189515, 0.01)] {
            assert!((kolmogorov(x) - p).abs() < 1e-9, "{x}");
        }
        assert_eq!((kolmogorov(0.0), kolmogorov(0.2) > 1.0 - 1e-11), (1.0, true));
    }

    #[test]
    fn small_cells_use_fisher_and_large_ones_z() {
        assert_eq!(compare_proportions(of(3.0, 4.0), of(1.0, 4.0)), Some(fisher_exact(3, 4, 1, 4)));
        let (a, b) = (of(30.0, 100.0), of(20.0, 100.0));
        assert_eq!(compare_proportions(a, b), two_proportions(a, b));
        assert_eq!(compare_proportions(of(0.0, 50.0), of(0.0, 50.0)), Some(1.0));
    }

    #[test]
    fn benjamini_hochberg_of_a_worked_example() {
        let adjusted = benjamini_hochberg(&[0.01, 0.04, 0.03, 0.005]);
        let expected = [0.02, 0.04, 0.04, 0.02];
        assert!(adjusted.iter().zip(expected).all(|(a, e)| (a - e).abs() < 1e-15), "{adjusted:?}");
        assert!(benjamini_hochberg(&[]).is_empty());
    }
}
