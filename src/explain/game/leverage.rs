//! Which coalitions to ask for when all are too many: paired leverage-score sampling.
//!
//! Shapley values solve a weighted least-squares problem over all coalitions (Charnes et al. 1988). Leverage SHAP
//! (Musco and Witter, arXiv 2410.01917) solves it on coalitions drawn by their leverage scores, 1/C(k, |S|): every
//! size gets the same number of draws, small sizes are taken whole, and S always comes with its complement.
//!
//! Two choices differ from the paper's algorithm. The number of draws of each size is fixed instead of random, which
//! spends the budget exactly and takes one source of noise away. And since a [`Design`] depends on the number of
//! players alone, it is factorised once and used for every game of that size, each with its players in a fresh
//! random order. Sum and difference of a pair separate: the sum is settled by Σφ = v(N) − v(∅), which therefore holds
//! exactly, and each pair gives one equation for the differences.

use super::coalition::Coalitions;
use super::random::Draws;
use super::strata::{Stratum, allocate};
use ndarray::{Array1, Array2, ArrayView1, Axis};

/// Coalitions drawn for games of k players, and the linear map from their payoffs to Shapley values.
#[derive(Debug)]
pub struct Design {
    /// ∅, N, then S and its complement for each pair.
    coalitions: Coalitions,
    /// `[k × pairs]`: ½ where the player is in S, −½ where not.
    sign: Array2<f64>,
    /// `[k × pairs]`: from what the pairs say beyond an equal split to what the players get beyond it.
    solve: Array2<f64>,
    strata: Vec<Stratum>,
}

/// φ of one game and output, and the variance that comes from not having asked for every coalition.
#[derive(Debug, Clone, PartialEq)]
pub struct Estimate {
    pub phi: Array1<f64>,
    pub variance: Array1<f64>,
}

impl Design {
    /// Fewest coalitions beside ∅ and N from which the values of `k` players can be told: twice as many pairs as players.
    pub fn least_budget(k: usize) -> usize {
        4 * k
    }

    /// Draws at most `budget` coalitions beside ∅ and N for `k` ≥ 2 players. `None` if the draws do not determine every player's
    /// value, which needs a budget below [`Design::least_budget`].
    pub fn draw(k: usize, budget: usize, seed: u64) -> Option<Self> {
        let strata = allocate(k, budget / 2);
        let mut draws = Draws::new(seed, "leverage design", &[k as u64]);
        let drawn: Vec<Vec<usize>> = strata.iter().flat_map(|stratum| stratum.draw(k, &mut draws)).collect();
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
        let solve = solver(&sign, &strata)?;
        Some(Self { coalitions, sign, solve, strata })
    }

    pub fn coalitions(&self) -> &Coalitions {
        &self.coalitions
    }

    /// Memory taken, in bytes.
    pub fn bytes(&self) -> usize {
        self.coalitions.bytes() + 2 * self.sign.len() * size_of::<f64>()
    }

    /// Shapley values from the payoffs of [`Design::coalitions`], in their order.
    pub fn estimate(&self, payoffs: ArrayView1<f64>) -> Estimate {
        let k = self.sign.nrows() as f64;
        let equal = (payoffs[1] - payoffs[0]) / k;
        // What each pair says, less what it would say if all players were worth the same.
        let mut beyond: Array1<f64> =
            (0..self.sign.ncols()).map(|pair| (payoffs[2 + 2 * pair] - payoffs[3 + 2 * pair]) / 2.0).collect();
        beyond.scaled_add(-equal, &self.sign.sum_axis(Axis(0)));
        let part = self.solve.dot(&beyond);
        let residual = beyond - self.sign.t().dot(&part);
        Estimate { variance: self.variance(&residual), phi: part + equal }
    }

    /// Linearised variance of the regression over a finite population: per stratum, the spread of each pair's
    /// influence on φ times the share of the population not drawn (Särndal, Swensson and Wretman 1992, ch. 5).
    fn variance(&self, residual: &Array1<f64>) -> Array1<f64> {
        let (k, n_pairs) = self.sign.dim();
        let lost = n_pairs as f64 / (n_pairs + 1 - k).max(1) as f64;
        let one = |player: usize| -> f64 {
            let influence = &self.solve.row(player) * residual;
            self.strata.iter().map(|stratum| spread(stratum, &influence)).sum()
        };
        (0..k).map(|player| lost * one(player)).collect()
    }
}

/// Variance of the sum of a stratum's influences under drawing without replacement.
fn spread(stratum: &Stratum, influence: &Array1<f64>) -> f64 {
    if stratum.is_whole() {
        return 0.0;
    }
    let drawn = stratum.drawn as f64;
    let mine = influence.slice(ndarray::s![stratum.first..stratum.first + stratum.drawn]);
    let squares = mine.dot(&mine);
    // One draw tells nothing about its spread: its square bounds it.
    let spread = match stratum.drawn {
        1 => squares,
        _ => (squares - mine.sum().powi(2) / drawn).max(0.0) * drawn / (drawn - 1.0),
    };
    spread * (1.0 - drawn / stratum.population as f64)
}

/// `[k × pairs]`: the map from pair equations to players' values, (A Ω Aᵀ)⁻¹ A Ω on the plane Σφ = 0.
///
/// A is `sign` less its mean over the players. Weights are the Shapley kernel's, (k−1)/(C(k,s)·s·(k−s)), over the
/// probability of being drawn.
fn solver(sign: &Array2<f64>, strata: &[Stratum]) -> Option<Array2<f64>> {
    let (k, n_pairs) = sign.dim();
    let centred = sign - &sign.mean_axis(Axis(0))?;
    let mut weight = Array1::zeros(n_pairs);
    for stratum in strata {
        let (size, other) = (stratum.size as f64, (k - stratum.size) as f64);
        weight
            .slice_mut(ndarray::s![stratum.first..stratum.first + stratum.drawn])
            .fill(stratum.share / (size * other * stratum.drawn as f64));
    }
    let weighted = &centred * &weight;
    let mut normal = weighted.dot(&centred.t());
    // The direction in which all players gain alike is settled elsewhere: any positive curvature will do there.
    let curvature = normal.diag().sum() / k as f64;
    normal += curvature / k as f64;
    let factor = cholesky(normal)?;
    Some(solve_cholesky(&factor, weighted))
}

/// Lower factor of a positive definite matrix; `None` if it is not (or only by rounding).
fn cholesky(mut matrix: Array2<f64>) -> Option<Array2<f64>> {
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
fn solve_cholesky(factor: &Array2<f64>, mut right: Array2<f64>) -> Array2<f64> {
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
    use super::super::exact::add_shapley;
    use super::*;

    /// A game with interactions of every order: additive, pairwise and a smooth function of a weighted sum.
    fn game(k: usize, seed: u64) -> impl Fn(usize) -> f64 {
        let mut draws = Draws::new(seed, "game", &[k as u64]);
        let weight: Vec<f64> = (0..k).map(|_| draws.below(2001) as f64 / 1000.0 - 1.0).collect();
        move |mask| {
            let sum: f64 = (0..k).filter(|player| mask >> player & 1 == 1).map(|player| weight[player]).sum();
            let pair = if mask & 3 == 3 { 0.7 } else { 0.0 };
            4.0 + 1.0 / (1.0 + (-2.0 * sum).exp()) + pair
        }
    }

    fn exact(k: usize, game: &dyn Fn(usize) -> f64) -> Vec<f64> {
        let mut payoffs: Vec<f64> = (0..1 << k).map(game).collect();
        let mut phi = vec![0.0; k];
        add_shapley(&mut payoffs, &mut phi);
        phi
    }

    fn ask(design: &Design, game: &dyn Fn(usize) -> f64) -> Array1<f64> {
        let coalitions = design.coalitions();
        let mask =
            |at: usize| (0..coalitions.n_players()).filter(|p| coalitions.contains(*p, at)).map(|p| 1 << p).sum();
        (0..coalitions.len()).map(|at| game(mask(at))).collect()
    }

    #[test]
    fn asking_for_every_coalition_gives_the_shapley_values() {
        for k in 2..=9 {
            let game = game(k, 1);
            let design = Design::draw(k, (1 << k).max(Design::least_budget(k)), 7).unwrap();
            assert_eq!(design.coalitions().len(), 1 << k);
            let estimate = design.estimate(ask(&design, &game).view());
            for (phi, expected) in estimate.phi.iter().zip(exact(k, &game)) {
                assert!((phi - expected).abs() < 1e-12, "{k} players: {phi} is not {expected}");
            }
            assert!(estimate.variance.iter().all(|variance| *variance == 0.0));
        }
    }

    #[test]
    fn the_first_two_coalitions_are_nobody_and_everybody_and_pairs_are_complements() {
        let design = Design::draw(9, 100, 3).unwrap();
        let coalitions = design.coalitions();
        assert_eq!(coalitions.len(), 102);
        for player in 0..9 {
            assert!(!coalitions.contains(player, 0) && coalitions.contains(player, 1));
            for pair in 1..coalitions.len() / 2 {
                assert_ne!(coalitions.contains(player, 2 * pair), coalitions.contains(player, 2 * pair + 1));
            }
        }
    }

    #[test]
    fn values_add_up_exactly_whatever_the_budget() {
        for (k, budget) in [(5, 20), (10, 40), (10, 301), (13, 2048)] {
            let game = game(k, 2);
            let design = Design::draw(k, budget, 11).unwrap();
            let payoffs = ask(&design, &game);
            let sum = design.estimate(payoffs.view()).phi.sum();
            assert!((sum - (payoffs[1] - payoffs[0])).abs() < 1e-12);
        }
    }

    #[test]
    fn an_additive_game_is_read_off_without_error() {
        let design = Design::draw(12, 60, 1).unwrap();
        let payoffs =
            ask(&design, &|mask| (0..12).filter(|p| mask >> p & 1 == 1).map(|p| p as f64 - 3.0).sum::<f64>() + 9.0);
        let estimate = design.estimate(payoffs.view());
        for (player, phi) in estimate.phi.iter().enumerate() {
            assert!((phi - (player as f64 - 3.0)).abs() < 1e-11);
        }
        assert!(estimate.variance.iter().all(|variance| *variance < 1e-20));
    }

    #[test]
    fn errors_have_the_size_that_is_reported() {
        let k = 12;
        let game = game(k, 5);
        let expected = exact(k, &game);
        let mut z_squared = Vec::new();
        for seed in 0..200 {
            let design = Design::draw(k, 400, seed).unwrap();
            let estimate = design.estimate(ask(&design, &game).view());
            for (player, expected) in expected.iter().enumerate() {
                z_squared.push((estimate.phi[player] - expected).powi(2) / estimate.variance[player]);
            }
        }
        let mean = z_squared.iter().sum::<f64>() / z_squared.len() as f64;
        assert!((0.8..1.25).contains(&mean), "mean squared standardised error {mean}");
        let beyond = z_squared.iter().filter(|z| **z > 9.0).count() as f64 / z_squared.len() as f64;
        assert!(beyond < 0.015, "{beyond} beyond three standard errors");
    }

    #[test]
    fn many_players_need_no_more_than_the_least_budget() {
        for k in [20, 61, 150] {
            let design = Design::draw(k, Design::least_budget(k), 4).unwrap();
            assert!(design.coalitions().len() <= Design::least_budget(k) + 2);
        }
    }

    #[test]
    fn too_few_pairs_are_refused() {
        assert!(Design::draw(10, 12, 1).is_none());
    }
}
