//! Regression on cross products by sweeping (Goodnight, The American Statistician 1979).

use ndarray::{Array2, ArrayView1, ArrayView2};

/// A pivot below this share of the variable's own product is rounding: the variable repeats others.
const LEAST_PIVOT: f64 = 1e-10;

/// Takes variable `k` into the regression: afterwards the columns of variables not taken in hold the coefficients of
/// those taken in, and the products of what these leave unexplained. False, with nothing changed, if `k` repeats them.
pub(super) fn sweep(products: &mut Array2<f64>, k: usize, own: f64) -> bool {
    let pivot = products[[k, k]];
    if pivot.is_nan() || pivot <= LEAST_PIVOT * own {
        return false;
    }
    let row = products.row(k).to_owned();
    let column = products.column(k).to_owned();
    for i in (0..products.nrows()).filter(|i| *i != k) {
        products.row_mut(i).scaled_add(-column[i] / pivot, &row);
        products[[i, k]] = -column[i] / pivot;
    }
    products.row_mut(k).mapv_inplace(|x| x / pivot);
    products[[k, k]] = 1.0 / pivot;
    true
}

/// The solution of a symmetric positive definite system; variables that repeat earlier ones are 0.
pub(super) fn solve(matrix: ArrayView2<f64>, right: ArrayView1<f64>) -> Vec<f64> {
    let n = right.len();
    let mut products = Array2::zeros((n + 1, n + 1));
    products.slice_mut(ndarray::s![..n, ..n]).assign(&matrix);
    products.slice_mut(ndarray::s![..n, n]).assign(&right);
    products.slice_mut(ndarray::s![n, ..n]).assign(&right);
    let taken: Vec<bool> = (0..n).map(|k| sweep(&mut products, k, matrix[[k, k]])).collect();
    (0..n).map(|k| if taken[k] { products[[k, n]] } else { 0.0 }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::random::Stream;
    use ndarray::{Array1, array};

    #[test]
    fn a_solution_solves_its_system() {
        let stream = Stream::new(8, "sweep");
        for n in [1, 2, 5, 20] {
            let factor = Array2::from_shape_fn((n, n), |(i, j)| stream.normal((i * n + j) as u64));
            let matrix = factor.dot(&factor.t()) + Array2::<f64>::eye(n);
            let right = Array1::from_shape_fn(n, |i| stream.normal(1_000 + i as u64));
            let found = Array1::from(solve(matrix.view(), right.view()));
            assert!((matrix.dot(&found) - &right).iter().all(|rest| rest.abs() < 1e-10), "n = {n}");
        }
    }

    #[test]
    fn a_repeated_or_constant_variable_gets_nothing() {
        let matrix = array![[2.0, 2.0, 0.0], [2.0, 2.0, 0.0], [0.0, 0.0, 0.0]];
        assert_eq!(solve(matrix.view(), array![3.0, 3.0, 0.0].view()), [1.5, 0.0, 0.0]);
    }
}
