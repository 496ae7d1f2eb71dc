//! Shapley weights of products of indicator functions, and the slope of the logistic link between two margins.

/// `s! (n − 1 − s)! / n!`: the chance that a player joins right after a given set of `s` of the other `n − 1` players.
#[derive(Debug, Clone)]
pub(super) struct Weights {
    rows: Vec<Box<[f64]>>,
}

impl Weights {
    /// Weights for games of up to `n_players` players.
    pub fn up_to(n_players: usize) -> Self {
        let mut binomials = vec![1.0];
        let mut rows = vec![Box::from([])];
        for n in 1..=n_players {
            rows.push(binomials.iter().map(|choices| 1.0 / (n as f64 * choices)).collect());
            let pascal = |s: usize| if s == 0 || s == n { 1.0 } else { binomials[s - 1] + binomials[s] };
            binomials = (0..=n).map(pascal).collect();
        }
        Self { rows }
    }

    /// Weight of joining a set of `before` among `n` players; `before < n`.
    #[inline]
    pub fn join(&self, n: usize, before: usize) -> f64 {
        self.rows[n][before]
    }
}

/// `(σ(a) − σ(b)) / (a − b)`, its limit σ′(a) where both are equal: how a margin difference becomes a difference of
/// probabilities. Written with hyperbolic functions so that nearly equal margins lose no digits.
pub(super) fn logistic_slope(a: f64, b: f64) -> f64 {
    let half = 0.5 * (a - b);
    if half.abs() > 20.0 {
        return (logistic(a) - logistic(b)) / (a - b);
    }
    let stretch = if half.abs() < 1e-4 { 1.0 + half * half / 6.0 } else { half.sinh() / half };
    // 4 cosh(a/2) cosh(b/2) = 2 cosh((a + b)/2) + 2 cosh((a − b)/2)
    stretch / (2.0 * (0.5 * (a + b)).cosh() + 2.0 * half.cosh())
}

pub(super) fn logistic(margin: f64) -> f64 {
    1.0 / (1.0 + (-margin).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_factorials() {
        let weights = Weights::up_to(6);
        let factorial = |n: usize| (1..=n).product::<usize>() as f64;
        for n in 1..=6 {
            for s in 0..n {
                let expected = factorial(s) * factorial(n - 1 - s) / factorial(n);
                assert!((weights.join(n, s) - expected).abs() < 1e-16, "n = {n}, s = {s}");
            }
        }
    }

    #[test]
    fn the_slope_joins_the_two_probabilities() {
        for (a, b) in [(0.0, 1.0), (-3.0, 2.5), (700.0, -700.0), (40.0, 38.0), (-900.0, 3.0)] {
            let gap = logistic(a) - logistic(b);
            assert!((logistic_slope(a, b) * (a - b) - gap).abs() < 1e-15, "{a} {b}");
        }
    }

    #[test]
    fn equal_margins_have_the_derivative_as_slope() {
        for margin in [-2.0_f64, 0.0, 0.3, 15.0] {
            let p = logistic(margin);
            assert!((logistic_slope(margin, margin) - p * (1.0 - p)).abs() < 1e-15);
            assert!((logistic_slope(margin, margin + 1e-9) - p * (1.0 - p)).abs() < 1e-9);
        }
    }
}
