//! Symmetric positive definite systems by Cholesky's factor.

use ndarray::{Array2, Axis};

/// Lower factor of a positive definite matrix; `None` if it is not (or only by rounding).
pub fn factor(mut matrix: Array2<f64>) -> Option<Array2<f64>> {
    let n = matrix.nrows();
    let least = 1e-10 * matrix.diag().iter().copied().fold(0.0, f64::max);
    for column in 0..n {
        for row in column..n {
            let known = matrix.slice(ndarray::s![row, ..column]).dot(&matrix.slice(ndarray::s![column, ..column]));
            let rest = matrix[[row, column]] - known;
            if row > column {
                matrix[[row, column]] = rest / matrix[[column, column]];
            } else if rest > least {
                matrix[[column, column]] = rest.sqrt();
            } else {
                return None;
            }
        }
    }
    Some(matrix)
}

/// Solves L Lᵀ X = B, row by row of all right-hand sides at once.
pub fn solve(factor: &Array2<f64>, mut right: Array2<f64>) -> Array2<f64> {
    let n = factor.nrows();
    for row in 0..n {
        let (known, mut rest) = right.view_mut().split_at(Axis(0), row);
        let mut here = rest.row_mut(0);
        here -= &factor.slice(ndarray::s![row, ..row]).dot(&known);
        here /= factor[[row, row]];
    }
    for row in (0..n).rev() {
        let (mut rest, known) = right.view_mut().split_at(Axis(0), row + 1);
        let mut here = rest.row_mut(row);
        here -= &factor.slice(ndarray::s![row + 1.., row]).dot(&known);
        here /= factor[[row, row]];
    }
    right
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::random::Stream;

    #[test]
    fn solutions_solve_their_systems() {
        let stream = Stream::new(4, "cholesky");
        for n in [1, 2, 5, 30] {
            let random = Array2::from_shape_fn((n, n), |(i, j)| stream.normal((i * n + j) as u64));
            let matrix = random.dot(&random.t()) + Array2::<f64>::eye(n);
            let right = Array2::from_shape_fn((n, 3), |(i, j)| stream.normal((5_000 + i * 3 + j) as u64));
            let found = solve(&factor(matrix.clone()).unwrap(), right.clone());
            assert!((matrix.dot(&found) - right).iter().all(|rest| rest.abs() < 1e-9), "n = {n}");
        }
    }

    #[test]
    fn what_is_not_positive_definite_has_no_factor() {
        assert_eq!(factor(ndarray::array![[1.0, 1.0], [1.0, 1.0]]), None);
        assert_eq!(factor(ndarray::array![[f64::NAN]]), None);
    }
}
