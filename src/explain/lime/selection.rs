//! Which features a surrogate may use.

use super::lasso::lasso_path;
use super::products::Centred;
use super::surrogate::coefficients;
use super::sweep::sweep;
use super::{Choice, Selection};
use ndarray::ArrayView1;

/// Up to this many features are chosen one by one where the way is left open.
const MOST_FORWARD: usize = 6;
/// Penalty of the regression that ranks features by their weights.
const RANKING_RIDGE: f64 = 0.01;

/// Positions of the chosen features, ascending; `own` is the row's design.
pub(super) fn select(centred: &Centred, output: usize, own: ArrayView1<f64>, choice: Choice) -> Vec<usize> {
    let Choice::Best { k, by } = choice else { return (0..centred.n_features).collect() };
    let mut chosen = match by {
        Selection::Auto if k <= MOST_FORWARD => forward(centred, output, k),
        Selection::Forward => forward(centred, output, k),
        Selection::Auto | Selection::HighestWeights => highest_weights(centred, output, own, k),
        Selection::LassoPath => by_lasso_path(centred, output, k),
    };
    chosen.sort_unstable();
    chosen
}

/// Each time the feature that takes most from what is unexplained.
fn forward(centred: &Centred, output: usize, k: usize) -> Vec<usize> {
    let (p, y) = (centred.n_features, centred.n_features + output);
    let mut products = centred.products.clone();
    let mut chosen: Vec<usize> = Vec::new();
    while chosen.len() < k.min(p) {
        let gain = |j: usize| products[[j, y]] * products[[j, y]] / products[[j, j]];
        // A feature that repeats the chosen ones leaves a pivot of rounding errors, whose gain means nothing.
        let is_new = |j: &usize| products[[*j, *j]] > 1e-10 * centred.products[[*j, *j]];
        let candidates = (0..p).filter(|j| !chosen.contains(j)).filter(is_new);
        let best = candidates.reduce(|best, j| if gain(j) > gain(best) { j } else { best });
        let Some(best) = best.filter(|best| sweep(&mut products, *best, centred.products[[*best, *best]])) else {
            break;
        };
        chosen.push(best);
    }
    chosen
}

fn highest_weights(centred: &Centred, output: usize, own: ArrayView1<f64>, k: usize) -> Vec<usize> {
    let all: Vec<usize> = (0..centred.n_features).collect();
    let weights = coefficients(centred, output, &all, RANKING_RIDGE);
    let mut ranked = all;
    let contribution = |j: usize| (weights[j] * own[j]).abs();
    ranked.sort_by(|a, b| contribution(*b).total_cmp(&contribution(*a)));
    ranked.truncate(k);
    ranked
}

/// The features in use at the last point of the path that uses at most `k`.
fn by_lasso_path(centred: &Centred, output: usize, k: usize) -> Vec<usize> {
    let path = lasso_path(centred.xx(), centred.xy(output));
    let used = path.iter().rev().map(|beta| (0..beta.len()).filter(|j| beta[*j] != 0.0).collect::<Vec<usize>>());
    used.into_iter().find(|used| used.len() <= k).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explain::lime::products::Products;
    use crate::stats::random::Stream;
    use ndarray::{Array1, Array2};

    /// y = 5 x₃ − 3 x₁ + x₀ + noise over binary features; x₄ repeats x₃.
    fn centred() -> Centred {
        let stream = Stream::new(6, "selection");
        let mut design =
            Array2::from_shape_fn((3_000, 5), |(i, j)| f64::from(u8::from(stream.unit((i * 5 + j) as u64) < 0.4)));
        let repeated = design.column(3).to_owned();
        design.column_mut(4).assign(&repeated);
        design.row_mut(0).fill(1.0);
        let score = |i: usize| {
            let x = design.row(i);
            5.0 * x[3] - 3.0 * x[1] + x[0] + 0.1 * stream.normal(40_000 + i as u64)
        };
        let scores = Array2::from_shape_fn((3_000, 1), |(i, _)| score(i));
        Products::of(design.view(), scores.view(), 2.0).with(5, |_| 1.0)
    }

    fn chosen(k: usize, by: Selection) -> Vec<usize> {
        select(&centred(), 0, Array1::ones(5).view(), Choice::Best { k, by })
    }

    #[test]
    fn every_way_finds_the_features_that_matter() {
        assert_eq!(chosen(1, Selection::Forward), [3]);
        assert_eq!(chosen(2, Selection::Forward), [1, 3]);
        assert_eq!(chosen(3, Selection::Forward), [0, 1, 3]);
        assert_eq!(chosen(2, Selection::Auto), [1, 3]);
        let lasso = chosen(3, Selection::LassoPath);
        assert!(lasso.contains(&1) && (lasso.contains(&3) || lasso.contains(&4)), "{lasso:?}");
        // Ridge divides the weight of a repeated feature.
        assert_eq!(chosen(3, Selection::HighestWeights), [1, 3, 4]);
    }

    #[test]
    fn repeated_features_are_chosen_once_and_more_than_all_is_all() {
        assert_eq!(chosen(9, Selection::Forward), [0, 1, 2, 3]);
        assert_eq!(chosen(9, Selection::Auto), [0, 1, 2, 3, 4]);
        assert_eq!(select(&centred(), 0, Array1::ones(5).view(), Choice::All), [0, 1, 2, 3, 4]);
    }
}
