//! Which coalitions to ask for when all are too many: paired leverage-score sampling.
//!
//! Leverage SHAP (Musco and Witter, arXiv 2410.01917) solves the regression behind Shapley values on coalitions drawn by
//! their leverage scores, 1/C(k, |S|): every size gets the same number of draws, small sizes are taken whole, and S
//! always comes with its complement.
//!
//! Two choices differ from the paper's algorithm. The number of draws of each size is fixed instead of random, which
//! spends the budget exactly and takes one source of noise away. And since a [`Design`] depends on the number of
//! players alone, it is factorised once and used for every game of that size, each with its players in a fresh
//! random order.

use super::coalition::Coalitions;
use super::random::Draws;
use super::regression::{Estimate, Pairs};
use super::strata::{Stratum, allocate};
use ndarray::{Array1, ArrayView1};

/// Coalitions drawn for games of k players.
#[derive(Debug)]
pub struct Design {
    pairs: Pairs,
    strata: Vec<Stratum>,
}

impl Design {
    /// Fewest coalitions beside ∅ and N from which the values of `k` players can be told: twice as many pairs as players.
    pub fn least_budget(k: usize) -> usize {
        4 * k
    }

    /// Draws at most `budget` coalitions beside ∅ and N for `k` ≥ 2 players. `None` if the draws do not determine every
    /// player's value, which needs a budget below [`Design::least_budget`].
    pub fn draw(k: usize, budget: usize, seed: u64) -> Option<Self> {
        let strata = allocate(k, budget / 2);
        let mut draws = Draws::new(seed, "leverage design", &[k as u64]);
        let drawn: Vec<Vec<usize>> = strata.iter().flat_map(|stratum| stratum.draw(k, &mut draws)).collect();
        // The Shapley kernel over the probability of being drawn.
        let each = |stratum: &Stratum| std::iter::repeat_n(stratum.kernel(k) / stratum.drawn as f64, stratum.drawn);
        let weight: Array1<f64> = strata.iter().flat_map(each).collect();
        Some(Self { pairs: Pairs::new(k, &drawn, &weight)?, strata })
    }

    pub fn coalitions(&self) -> &Coalitions {
        self.pairs.coalitions()
    }

    /// Memory taken, in bytes.
    pub fn bytes(&self) -> usize {
        self.pairs.bytes()
    }

    /// Shapley values from the payoffs of [`Design::coalitions`], in their order.
    ///
    /// The variance is that of the regression over a finite population: per stratum, the spread of each pair's
    /// influence on φ times the share of the population not drawn (Särndal, Swensson and Wretman 1992, ch. 5).
    pub fn estimate(&self, payoffs: ArrayView1<f64>) -> Estimate {
        let (phi, residual) = self.pairs.solve(payoffs);
        let spread = |influence: ArrayView1<f64>| self.strata.iter().map(|stratum| spread(stratum, influence)).sum();
        Estimate { variance: self.pairs.variance(&residual, spread), phi }
    }
}

/// Variance of the sum of a stratum's influences under drawing without replacement.
fn spread(stratum: &Stratum, influence: ArrayView1<f64>) -> f64 {
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
