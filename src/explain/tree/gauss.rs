//! Gauss–Legendre quadrature on [0, 1].

use std::f64::consts::PI;

/// Points strictly inside (0, 1) and weights that sum to 1; exact for polynomials of degree `2 n − 1`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Rule {
    pub points: Vec<f64>,
    pub weights: Vec<f64>,
}

impl Rule {
    /// The rule with `n` points, by Newton's method on the Legendre polynomial.
    pub fn new(n: usize) -> Self {
        let roots: Vec<(f64, f64)> = (0..n).map(|at| root(n, at)).collect();
        let points = roots.iter().map(|(x, _)| 0.5 * (1.0 - x)).collect();
        let weights = roots.iter().map(|(x, slope)| 1.0 / ((1.0 - x * x) * slope * slope)).collect();
        Self { points, weights }
    }
}

/// The root at position `at` (from +1 downwards) of the Legendre polynomial of degree `n`, and its slope there.
fn root(n: usize, at: usize) -> (f64, f64) {
    // Tricomi's start is close enough that Newton converges in a few steps.
    let mut x = (PI * (at as f64 + 0.75) / (n as f64 + 0.5)).cos();
    for _ in 0..100 {
        let (value, slope) = legendre(n, x);
        let step = value / slope;
        x -= step;
        if step.abs() < 1e-16 {
            break;
        }
    }
    (x, legendre(n, x).1)
}

/// Value and slope of the Legendre polynomial of degree `n` at `x` inside (−1, 1), by Bonnet's recursion.
fn legendre(n: usize, x: f64) -> (f64, f64) {
    let (mut before, mut value) = (1.0, x);
    for degree in 2..=n {
        let degree = degree as f64;
        (before, value) = (value, ((2.0 * degree - 1.0) * x * value - (degree - 1.0) * before) / degree);
    }
    (value, n as f64 * (x * value - before) / (x * x - 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn polynomials_up_to_the_order_are_integrated_exactly() {
        for n in 1..=40 {
            let rule = Rule::new(n);
            for degree in 0..2 * n {
                let terms = rule.points.iter().zip(&rule.weights).map(|(t, w)| w * t.powi(degree as i32));
                let found: f64 = terms.sum();
                assert!((found - 1.0 / (degree as f64 + 1.0)).abs() < 1e-15, "{n} points, degree {degree}: {found}");
            }
        }
    }

    #[test]
    fn points_lie_inside_and_are_symmetric() {
        let rule = Rule::new(31);
        assert!(rule.points.iter().all(|t| 0.0 < *t && *t < 1.0));
        rule.points.iter().zip(rule.points.iter().rev()).for_each(|(a, b)| assert!((a + b - 1.0).abs() < 1e-15));
    }
}
