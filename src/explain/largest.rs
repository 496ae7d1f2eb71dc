//! A row's largest attributions one by one, the rest as their sum.

use ndarray::ArrayView1;

/// The feature that stands for the rest.
pub const OTHER: &str = "(other)";

/// What is kept of one row and output: the features one by one and the sum of the rest add up to what all did.
#[derive(Debug, Clone, PartialEq)]
pub struct Kept {
    /// Positions of the features kept, ascending.
    pub features: Vec<usize>,
    /// Positions of the rest, ascending; empty if all are kept.
    pub rest: Vec<usize>,
}

/// The `k` largest of `phi` `[features]` by absolute value, of equals the first; all for `k` = 0.
pub fn largest(phi: ArrayView1<f64>, k: usize) -> Kept {
    let n = phi.len();
    if k == 0 || k >= n {
        return Kept { features: (0..n).collect(), rest: Vec::new() };
    }
    let mut features: Vec<usize> = (0..n).collect();
    features.sort_by(|a, b| phi[*b].abs().total_cmp(&phi[*a].abs()));
    let mut rest = features.split_off(k);
    features.sort_unstable();
    rest.sort_unstable();
    Kept { features, rest }
}

impl Kept {
    /// Sum of the attributions that are not kept; `None` if all are.
    pub fn other(&self, phi: ArrayView1<f64>) -> Option<f64> {
        (!self.rest.is_empty()).then(|| self.rest.iter().map(|feature| phi[*feature]).sum())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn the_largest_stay_in_model_order_and_nothing_is_lost() {
        let phi = array![0.5, -2.0, 0.25, 1.0, -0.5];
        let kept = largest(phi.view(), 3);
        assert_eq!((kept.features.as_slice(), kept.rest.as_slice()), ([0, 1, 3].as_slice(), [2, 4].as_slice()));
        assert_eq!(kept.other(phi.view()), Some(-0.25));
    }

    #[test]
    fn of_equals_the_first_is_kept() {
        let phi = array![1.0, -1.0, 1.0];
        assert_eq!(largest(phi.view(), 2).features, [0, 1]);
    }

    #[test]
    fn zero_and_as_many_as_there_are_keep_all() {
        let phi = array![1.0, 2.0];
        for k in [0, 2, 9] {
            let kept = largest(phi.view(), k);
            assert_eq!((kept.features.len(), kept.other(phi.view())), (2, None));
        }
    }
}
