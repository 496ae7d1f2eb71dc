//! Shapley values as a weighted regression on pairs of complementary coalitions.
//!
//! Shapley values minimise Σ_S w(|S|)·(v(S) − v(∅) − Σ_{i∈S} φ_i)² over all coalitions subject to Σφ = v(N) − v(∅), with
//! w(s) = (k−1)/(C(k,s)·s·(k−s)) (Charnes, Golany, Keane and Rousseau 1988; the Shapley kernel of Lundberg and Lee 2017).
//! On a sample in which S always comes with its complement, sum and difference of a pair separate: the sum is settled by
//! the constraint, which therefore holds exactly, and each pair gives one equation for the differences.

use super::coalition::Coalitions;
use crate::stats::cholesky::{factor, solve};
use ndarray::{Array1, Array2, ArrayView1, Axis};

/// Drawn pairs of k players, and the linear map from their payoffs to Shapley values.
#[derive(Debug)]
pub struct Pairs {
    /// ∅, N, then S and its complement for each pair.
    coalitions: Coalitions,
    /// `[k × pairs]`: ½ where the player is in S, −½ where not.
    sign: Array2<f64>,
    /// `[k × pairs]`: from what the pairs say beyond an equal split to what the players get beyond it.
    solve: Array2<f64>,
}

/// φ of one game and output, and the variance that comes from not having asked for every coalition.
#[derive(Debug, Clone, PartialEq)]
pub struct Estimate {
    pub phi: Array1<f64>,
    pub variance: Array1<f64>,
}

impl Pairs {
    /// One coalition of each pair as its players, and the pairs' weights: the Shapley kernel over what was drawn.
    /// `None` if the pairs do not determine every player's value.
    pub fn new(k: usize, drawn: &[Vec<usize>], weight: &Array1<f64>) -> Option<Self> {
        let mut coalitions = Coalitions::empty(k, 2 + 2 * drawn.len());
        let mut sign = Array2::from_elem((k, drawn.len()), -0.5);
        for (pair, members) in drawn.iter().enumerate() {
            members.iter().for_each(|player| sign[[*player, pair]] = 0.5);
        }
        for player in 0..k {
            coalitions.insert(player, 1);
            for pair in 0..drawn.len() {
                coalitions.insert(player, 2 + 2 * pair + usize::from(sign[[player, pair]] < 0.0));
            }
        }
        let solve = solver(&sign, weight)?;
        Some(Self { coalitions, sign, solve })
    }

    pub fn coalitions(&self) -> &Coalitions {
        &self.coalitions
    }

    /// Memory taken, in bytes.
    pub fn bytes(&self) -> usize {
        self.coalitions.bytes() + 2 * self.sign.len() * size_of::<f64>()
    }

    /// Values from the payoffs of [`Pairs::coalitions`], in their order, and what each pair says beyond them.
    pub fn solve(&self, payoffs: ArrayView1<f64>) -> (Array1<f64>, Array1<f64>) {
        let k = self.sign.nrows() as f64;
        let equal = (payoffs[1] - payoffs[0]) / k;
        // What each pair says, less what it would say if all players were worth the same.
        let mut beyond: Array1<f64> =
            (0..self.sign.ncols()).map(|pair| (payoffs[2 + 2 * pair] - payoffs[3 + 2 * pair]) / 2.0).collect();
        beyond.scaled_add(-equal, &self.sign.sum_axis(Axis(0)));
        let part = self.solve.dot(&beyond);
        let residual = beyond - self.sign.t().dot(&part);
        (part + equal, residual)
    }

    /// Linearised variance of the values: `spread` is told each pair's influence on a player's value and says how far
    /// their sum varies with the draw. Enlarged for the values fitted to the same pairs.
    pub fn variance(&self, residual: &Array1<f64>, spread: impl Fn(ArrayView1<f64>) -> f64) -> Array1<f64> {
        let (k, n_pairs) = self.sign.dim();
        let lost = n_pairs as f64 / (n_pairs + 1 - k).max(1) as f64;
        (0..k).map(|player| lost * spread((&self.solve.row(player) * residual).view())).collect()
    }
}

/// `[k × pairs]`: the map from pair equations to players' values, (A Ω Aᵀ)⁻¹ A Ω on the plane Σφ = 0.
///
/// A is `sign` less its mean over the players, Ω the pairs' weights.
fn solver(sign: &Array2<f64>, weight: &Array1<f64>) -> Option<Array2<f64>> {
    let k = sign.nrows();
    let centred = sign - &sign.mean_axis(Axis(0))?;
    let weighted = &centred * weight;
    let mut normal = weighted.dot(&centred.t());
    // The direction in which all players gain alike is settled elsewhere: any positive curvature will do there.
    let curvature = normal.diag().sum() / k as f64;
    normal += curvature / k as f64;
    Some(solve(&factor(normal)?, weighted))
}
