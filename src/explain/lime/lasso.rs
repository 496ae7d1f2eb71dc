//! The lasso path by least angle regression (Efron, Hastie, Johnstone and Tibshirani 2004), from cross products.

use super::sweep::solve;
use ndarray::{Array1, ArrayView1, ArrayView2};

/// Correlations and coefficients below this share of the largest are rounding.
const TINY: f64 = 1e-12;
/// Steps allowed for each feature; a path rarely takes more than one or two.
const STEPS_PER_FEATURE: usize = 16;

/// Coefficients of min ½‖y − Xβ‖² + λ‖β‖₁ wherever a feature joins or leaves as λ falls from its largest useful value
/// to 0: the first entry is all 0, the last the least-squares solution. `xx` = XᵀX, `xy` = Xᵀy, both centred.
pub(super) fn lasso_path(xx: ArrayView2<f64>, xy: ArrayView1<f64>) -> Vec<Array1<f64>> {
    let p = xy.len();
    let largest = xy.iter().fold(0.0_f64, |most, c| most.max(c.abs()));
    let mut path = vec![Array1::zeros(p)];
    let mut active: Vec<usize> = Vec::new();
    let mut left = None;
    for _ in 0..STEPS_PER_FEATURE * p {
        let beta = &path[path.len() - 1];
        let correlation = &xy - &xx.dot(beta);
        let lambda = correlation.iter().fold(0.0_f64, |most, c| most.max(c.abs()));
        if lambda <= TINY * largest {
            break;
        }
        let joins = |j: &usize| correlation[*j].abs() >= lambda * (1.0 - 1e-9) && Some(*j) != left;
        let joining: Vec<usize> = (0..p).filter(|j| !active.contains(j)).filter(joins).collect();
        active.extend(joining);
        let Some((step, direction)) = next_step(xx, &correlation, lambda, &active, beta, left) else { break };
        let mut next = beta.clone();
        active.iter().zip(&direction).for_each(|(j, d)| next[*j] += step * d);
        left = crossing(beta, &active, &direction, step);
        if let Some(j) = left {
            next[j] = 0.0;
            active.retain(|other| *other != j);
        }
        path.push(next);
    }
    path
}

/// How far all active features move, and where to: until another is as correlated with the rest, one of them is 0 again,
/// or nothing is left.
fn next_step(
    xx: ArrayView2<f64>,
    correlation: &Array1<f64>,
    lambda: f64,
    active: &[usize],
    beta: &Array1<f64>,
    left: Option<usize>,
) -> Option<(f64, Vec<f64>)> {
    let signs: Array1<f64> = active.iter().map(|j| correlation[*j].signum()).collect();
    let of_active = xx.select(ndarray::Axis(0), active).select(ndarray::Axis(1), active);
    let direction = solve(of_active.view(), signs.view());
    let mut step = lambda;
    for j in (0..correlation.len()).filter(|j| !active.contains(j)) {
        let fall: f64 = active.iter().zip(&direction).map(|(i, d)| xx[[j, *i]] * d).sum();
        let (up, down) = ((lambda - correlation[j]) / (1.0 - fall), (lambda + correlation[j]) / (1.0 + fall));
        // One that has just left starts at the bound, from which it falls back: it can only meet the other.
        let meets = match left {
            Some(own) if own == j && correlation[j] > 0.0 => [down, down],
            Some(own) if own == j => [up, up],
            _ => [up, down],
        };
        step = meets.into_iter().filter(|at| *at > TINY * lambda).fold(step, f64::min);
    }
    for (j, d) in active.iter().zip(&direction) {
        let zero = -beta[*j] / d;
        if zero > 0.0 {
            step = step.min(zero);
        }
    }
    (!active.is_empty() && step.is_finite()).then_some((step, direction))
}

/// The active feature whose coefficient this step takes to 0.
fn crossing(beta: &Array1<f64>, active: &[usize], direction: &[f64], step: f64) -> Option<usize> {
    let is_zero = |(j, d): &(&usize, &f64)| -beta[**j] / **d > 0.0 && -beta[**j] / **d <= step * (1.0 + 1e-12);
    active.iter().zip(direction).find(is_zero).map(|(j, _)| *j)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::random::Stream;
    use ndarray::Array2;

    /// Correlated features, so that some leave the path again.
    fn products(n: usize, p: usize, seed: u64) -> (Array2<f64>, Array1<f64>) {
        let stream = Stream::new(seed, "lasso");
        let mixing = Array2::from_shape_fn((p, p), |(i, j)| stream.normal((90_000 + i * p + j) as u64));
        let x = Array2::from_shape_fn((n, p), |(i, j)| stream.normal((i * p + j) as u64)).dot(&mixing);
        let y = Array1::from_shape_fn(n, |i| x.row(i).sum() + 3.0 * stream.normal((50_000 + i) as u64));
        (x.t().dot(&x), x.t().dot(&y))
    }

    /// How far β is from the minimum's conditions: the correlation of a feature in use is ±λ with the sign of its
    /// coefficient, that of the others at most λ.
    fn violation(correlation: &Array1<f64>, beta: &Array1<f64>, lambda: f64) -> f64 {
        let of = |(c, b): (&f64, &f64)| {
            if *b == 0.0 { (c.abs() - lambda).max(0.0) } else { (c - lambda * b.signum()).abs() }
        };
        correlation.iter().zip(beta).map(of).fold(0.0, f64::max)
    }

    #[test]
    fn every_point_of_the_path_minimises_the_lasso() {
        let mut n_left = 0;
        for seed in 0..30 {
            let (xx, xy) = products(40, 6, seed);
            let path = lasso_path(xx.view(), xy.view());
            let largest = xy.iter().fold(0.0_f64, |most, c| most.max(c.abs()));
            for beta in &path {
                let correlation = &xy - &xx.dot(beta);
                let lambda = correlation.iter().fold(0.0_f64, |most, c| most.max(c.abs()));
                let violation = violation(&correlation, beta, lambda);
                assert!(violation < 1e-8 * largest, "seed {seed}: {beta} {correlation}");
            }
            let sizes: Vec<usize> = path.iter().map(|beta| beta.iter().filter(|b| **b != 0.0).count()).collect();
            n_left += sizes.windows(2).filter(|pair| pair[1] <= pair[0]).count();
            let last = &xy - &xx.dot(&path[path.len() - 1]);
            assert!(last.iter().all(|c| c.abs() < 1e-9 * xy[0].abs().max(1.0)), "least squares at the end");
        }
        assert!(n_left > 0, "no feature ever left a path");
    }

    #[test]
    fn features_that_say_nothing_make_no_path() {
        let path = lasso_path(Array2::zeros((3, 3)).view(), Array1::zeros(3).view());
        assert_eq!(path, [Array1::<f64>::zeros(3)]);
    }
}
