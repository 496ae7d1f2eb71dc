//! The model in miniature: a decision tree of four levels that is fitted to the model's scores, and how far it follows
//! them.
//!
//! A `sample` of scored rows is drawn while they pass. Two thirds of it grow the tree (`tree`: CART by Breiman,
//! Friedman, Olshen and Stone 1984, on raw `columns`, each split the best of all, found in `split`); the others tell
//! how faithful it is (`fidelity`), which rows that it was grown on could not.

mod columns;
mod fidelity;
mod sample;
mod split;
#[cfg(test)]
mod testing;
mod tree;

pub use columns::{Category, Columns, Values};
pub use fidelity::{Fidelity, Measured};
pub use sample::{SCORED, Scored, ScoredSample};
pub use split::{Split, Test};
pub use tree::{Limits, Node, Tree};

use super::local::Decide;
use crate::explain::game::random::Draws;
use ndarray::{Array2, ArrayView2};

/// Levels of splits.
pub const DEPTH: usize = 4;
/// Sampled rows that a leaf has at least.
pub const LEAST_ROWS: usize = 5;

/// A tree and what it is worth.
#[derive(Debug, Clone)]
pub struct Surrogate {
    /// Its columns are those of the rows, with the categories that tests name.
    pub columns: Columns,
    pub tree: Tree,
    pub n_fitted: usize,
    pub fidelity: Fidelity,
}

/// Fits a tree to the scores of `scored` and measures on a third of the rows, held out, how well it follows them.
/// `None` where no column can be split: pictures and lists of numbers are passed over.
///
/// `is_category`: per column, whether its numbers are codes without an order. `decide`: the decision that scores of a
/// row make; `None` for regressions. `confidence` is that of the intervals.
pub fn surrogate(
    scored: &Scored,
    is_category: &[bool],
    limits: Limits,
    decide: Option<Decide>,
    confidence: f64,
    seed: u64,
) -> Option<Surrogate> {
    let columns = Columns::new(&scored.features, is_category);
    if columns.list.iter().all(Option::is_none) {
        return None;
    }
    let n_rows = scored.features.n_rows;
    let outputs = scored.scores.len() / n_rows.max(1);
    let scores = ArrayView2::from_shape((n_rows, outputs), &scored.scores).ok()?;
    let weights = scored.weights.clone().unwrap_or_else(|| vec![1.0; n_rows]);
    let (fitted, held_out) = divided(&weights, seed);
    let tree = Tree::fit(&columns, scores, &weights, fitted.clone(), limits);
    let followed = tree.predict(&columns, &held_out);
    let judged = fidelity::Judged {
        scores: take(scores, &held_out),
        followed,
        weights: held_out.iter().map(|row| weights[*row]).collect(),
        confidence,
    };
    let fidelity = judged.fidelity(decide);
    Some(Surrogate { columns, tree, n_fitted: fitted.len(), fidelity })
}

/// Rows that count, two thirds of them to grow a tree and the others to judge it, at random; each in data order.
fn divided(weights: &[f64], seed: u64) -> (Vec<usize>, Vec<usize>) {
    let mut rows: Vec<usize> = (0..weights.len()).filter(|row| weights[*row] > 0.0).collect();
    Draws::new(seed, "surrogate rows", &[]).shuffle(&mut rows);
    let mut held_out = rows.split_off((2 * rows.len()).div_ceil(3));
    rows.sort_unstable();
    held_out.sort_unstable();
    (rows, held_out)
}

fn take(scores: ArrayView2<f64>, rows: &[usize]) -> Array2<f64> {
    scores.select(ndarray::Axis(0), rows)
}

#[cfg(test)]
mod tests {
    use super::testing::{numbers, scored};
    use super::*;
    use crate::dataset::batch::{Column, Features};
    use ndarray::ArrayView1;

    const LIMITS: Limits = Limits { depth: DEPTH, least_rows: LEAST_ROWS };

    #[test]
    fn a_model_that_is_a_small_tree_is_followed_exactly() {
        let x = numbers(2_000, 3);
        let step = |row: usize| f64::from(u8::from(x[0][row] > 0.3)) + 2.0 * f64::from(u8::from(x[1][row] > 0.6));
        let scored = scored(&x, step);
        let decide = |scores: ArrayView1<f64>| u32::from(scores[0] >= 1.5);
        let found = surrogate(&scored, &[false; 3], LIMITS, Some(&decide), 0.95, 7).unwrap();
        // Held-out rows between a threshold and the grown rows' midpoint are the only ones that can be missed.
        assert!(found.fidelity.r2.value.unwrap() > 0.99, "{:?}", found.fidelity);
        assert!(found.fidelity.agreement.as_ref().unwrap().value.unwrap() > 0.99);
        assert_eq!((found.n_fitted, found.fidelity.r2.n), (1_334, 666));
    }

    #[test]
    fn scores_that_are_noise_are_followed_by_no_tree() {
        let x = numbers(3_000, 2);
        let noise = numbers(3_000, 3).remove(2);
        let found = surrogate(&scored(&x, |row| noise[row]), &[false; 2], LIMITS, None, 0.95, 7).unwrap();
        let r2 = &found.fidelity.r2;
        assert!(r2.interval.unwrap().low < 0.0 && r2.value.unwrap() < 0.02, "{r2:?}");
        assert!(found.fidelity.agreement.is_none(), "a regression decides nothing");
    }

    #[test]
    fn the_same_rows_make_the_same_tree_on_any_number_of_threads() {
        let x = numbers(900, 4);
        let scored = scored(&x, |row| x[0][row] * x[1][row] + x[2][row]);
        let on = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| surrogate(&scored, &[false; 4], LIMITS, None, 0.95, 3).unwrap().tree)
        };
        assert_eq!(on(1), on(3));
    }

    #[test]
    fn pictures_alone_have_no_tree_and_rows_without_weight_do_not_count() {
        let columns = vec![Column::Tensor { width: 0, values: Vec::new() }];
        let rows = Scored {
            features: Features { n_rows: 3, columns },
            scores: vec![0.1, 0.2, 0.3],
            weights: None,
            n_total: 3,
        };
        assert!(surrogate(&rows, &[false], LIMITS, None, 0.95, 1).is_none());
        let (fitted, held_out) = divided(&[1.0, 0.0, 1.0, 1.0], 1);
        assert_eq!((fitted.len(), held_out.len()), (2, 1));
        assert!(!fitted.contains(&1) && !held_out.contains(&1));
    }

    #[test]
    fn one_row_is_a_leaf_and_its_worth_is_not_known() {
        let found = surrogate(&scored(&[vec![1.0]], |_| 0.5), &[false], LIMITS, None, 0.95, 1).unwrap();
        assert_eq!(found.tree.nodes.len(), 1);
        assert!(found.fidelity.r2.value.is_none() && found.fidelity.r2.undefined.is_some());
    }
}
