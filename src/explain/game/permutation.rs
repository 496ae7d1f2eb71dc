//! Orders of arrival: sampled permutations, each walked forwards and backwards.
//!
//! A player's Shapley value is its mean marginal contribution over all orders of arrival (Castro, Gómez and Tejada
//! 2009). An order and its reverse (antithetic pair: Mitchell, Cooper, Frank and Holmes, JMLR 2022) share the noise of
//! a player's early and late arrival. Σφ = v(N) − v(∅) holds along every walk. Orders that keep the members of a
//! cluster side by side give Owen values.

use super::coalition::Coalitions;
use super::random::Draws;
use super::regression::Estimate;
use ndarray::{Array1, ArrayView1};
use std::collections::HashMap;

/// Sampled orders of one game and the coalitions on their way, each asked for once.
#[derive(Debug)]
pub struct Walks {
    coalitions: Coalitions,
    orders: Vec<Vec<usize>>,
    /// `steps[order][direction][arrived]`: coalition after that many arrivals, from ∅ to N.
    steps: Vec<[Vec<u32>; 2]>,
}

impl Walks {
    /// Fewest coalitions beside ∅ and N for `k` players: two orders, without which there is no standard error.
    pub fn least_budget(k: usize) -> usize {
        4 * k.saturating_sub(1)
    }

    /// Draws as many orders of `k` ≥ 2 players as `budget` coalitions beside ∅ and N pay for, both directions.
    ///
    /// `cluster[player]` names the group whose members arrive side by side; all different for Shapley values.
    pub fn draw(cluster: &[usize], budget: usize, draws: &mut Draws) -> Self {
        let k = cluster.len();
        let n_orders = (budget / (2 * (k - 1))).max(2);
        let orders: Vec<Vec<usize>> = (0..n_orders).map(|_| order(cluster, draws)).collect();
        let mut members: Vec<Vec<usize>> = vec![vec![], (0..k).collect()];
        let mut known = HashMap::new();
        let mut steps = Vec::with_capacity(n_orders);
        for order in &orders {
            let reverse: Vec<usize> = order.iter().rev().copied().collect();
            steps.push([walk(order, &mut members, &mut known), walk(&reverse, &mut members, &mut known)]);
        }
        let mut coalitions = Coalitions::empty(k, members.len());
        for (at, members) in members.iter().enumerate() {
            members.iter().for_each(|player| coalitions.insert(*player, at));
        }
        Self { coalitions, orders, steps }
    }

    pub fn coalitions(&self) -> &Coalitions {
        &self.coalitions
    }

    /// Mean contributions over the orders from the payoffs of [`Walks::coalitions`], and the variance of that mean.
    pub fn estimate(&self, payoffs: ArrayView1<f64>) -> Estimate {
        let k = self.coalitions.n_players();
        let n = self.orders.len() as f64;
        let (mut mean, mut squares) = (Array1::<f64>::zeros(k), Array1::<f64>::zeros(k));
        for (seen, (order, [there, back])) in self.orders.iter().zip(&self.steps).enumerate() {
            for (arrived, player) in order.iter().enumerate() {
                let early = payoffs[there[arrived + 1] as usize] - payoffs[there[arrived] as usize];
                let late = payoffs[back[k - arrived] as usize] - payoffs[back[k - arrived - 1] as usize];
                // Welford's running mean and sum of squares.
                let beyond = (early + late) / 2.0 - mean[*player];
                mean[*player] += beyond / (seen + 1) as f64;
                squares[*player] += beyond * beyond * seen as f64 / (seen + 1) as f64;
            }
        }
        Estimate { phi: mean, variance: squares / ((n - 1.0) * n) }
    }
}

/// A random order of all players in which clusters stay together.
fn order(cluster: &[usize], draws: &mut Draws) -> Vec<usize> {
    let mut order: Vec<usize> = (0..cluster.len()).collect();
    draws.shuffle(&mut order);
    // Clusters in random order: each placed by a draw of its own, independent of its size.
    let mut names = cluster.to_vec();
    names.sort_unstable();
    names.dedup();
    if names.len() < cluster.len() {
        draws.shuffle(&mut names);
        order.sort_by_key(|player| names.iter().position(|name| *name == cluster[*player]));
    }
    order
}

/// The coalitions on the way from ∅ to N, added to `members` where they are new.
fn walk(order: &[usize], members: &mut Vec<Vec<usize>>, known: &mut HashMap<u64, u32>) -> Vec<u32> {
    let k = order.len();
    let mut steps = vec![0];
    let mut mask = 0_u64;
    for arrived in 1..k {
        let fresh = members.len() as u32;
        // Beyond 64 players two walks hardly ever meet: not worth the look.
        let at = if k <= 64 {
            mask |= 1 << order[arrived - 1];
            *known.entry(mask).or_insert(fresh)
        } else {
            fresh
        };
        if at == fresh {
            members.push(order[..arrived].to_vec());
        }
        steps.push(at);
    }
    steps.push(1);
    steps
}

#[cfg(test)]
mod tests {
    use super::super::exact::add_shapley;
    use super::super::owen::Arrangement;
    use super::*;

    fn payoff(mask: usize) -> f64 {
        let sum: f64 = (0..8).filter(|player| mask >> player & 1 == 1).map(|player| (player as f64 - 2.5) * 0.4).sum();
        1.0 / (1.0 + (-sum).exp()) + if mask & 0b101 == 0b101 { 0.3 } else { 0.0 }
    }

    fn ask(walks: &Walks) -> Array1<f64> {
        let coalitions = walks.coalitions();
        let mask = |at| (0..coalitions.n_players()).filter(|p| coalitions.contains(*p, at)).map(|p| 1 << p).sum();
        (0..coalitions.len()).map(|at| payoff(mask(at))).collect()
    }

    fn shapley(k: usize) -> Vec<f64> {
        let (mut payoffs, mut phi): (Vec<f64>, _) = ((0..1 << k).map(payoff).collect(), vec![0.0; k]);
        add_shapley(&mut payoffs, &mut phi);
        phi
    }

    /// Mean squared error over mean reported variance, and the largest bias in standard errors of its own.
    ///
    /// Pooled, since the variance of a few orders is itself uncertain and can be 0.
    fn calibration(cluster: &[usize], expected: &[f64]) -> (f64, f64) {
        let (mut squares, mut variance, mut sum) = (0.0, 0.0, [0.0; 8]);
        let n_seeds = 1_000;
        for seed in 0..n_seeds {
            let walks = Walks::draw(cluster, 200, &mut Draws::new(seed, "test", &[]));
            let estimate = walks.estimate(ask(&walks).view());
            for player in 0..8 {
                let error = estimate.phi[player] - expected[player];
                squares += error * error;
                sum[player] += error;
            }
            variance += estimate.variance.sum();
        }
        let std_err = (squares / 8.0).sqrt();
        (squares / variance, sum.iter().map(|sum: &f64| sum.abs() / std_err).fold(0.0, f64::max))
    }

    #[test]
    fn errors_have_the_size_that_is_reported_and_no_bias() {
        let (ratio, bias) = calibration(&[0, 1, 2, 3, 4, 5, 6, 7], &shapley(8));
        assert!((0.9..1.1).contains(&ratio) && bias < 4.0, "ratio {ratio}, bias {bias}");
    }

    #[test]
    fn clustered_orders_give_owen_values() {
        let cluster = [0, 0, 1, 1, 1, 2, 3, 3];
        let arrangement = Arrangement::new(&cluster);
        let coalitions = arrangement.coalitions();
        let mask = |at| (0..8).filter(|p| coalitions.contains(*p, at)).map(|p| 1 << p).sum();
        let payoffs: Array1<f64> = (0..coalitions.len()).map(|at| payoff(mask(at))).collect();
        let owen = arrangement.values(payoffs.view());
        let (ratio, bias) = calibration(&cluster, &owen);
        assert!((0.9..1.1).contains(&ratio) && bias < 4.0, "ratio {ratio}, bias {bias}");
    }

    #[test]
    fn values_add_up_exactly() {
        let walks = Walks::draw(&[0, 1, 2, 3, 4, 5, 6, 7], Walks::least_budget(8), &mut Draws::new(1, "test", &[]));
        let sum = walks.estimate(ask(&walks).view()).phi.sum();
        assert!((sum - (payoff(255) - payoff(0))).abs() < 1e-12);
        assert!(walks.coalitions().len() <= Walks::least_budget(8) + 2);
    }

    #[test]
    fn no_coalition_is_asked_for_twice_and_the_budget_holds() {
        let walks = Walks::draw(&[0, 1, 2, 3, 4, 5, 6, 7], 150, &mut Draws::new(3, "test", &[]));
        let coalitions = walks.coalitions();
        let masks: std::collections::BTreeSet<Vec<bool>> =
            (0..coalitions.len()).map(|at| (0..8).map(|p| coalitions.contains(p, at)).collect()).collect();
        assert_eq!(masks.len(), coalitions.len());
        assert!(coalitions.len() <= 152);
    }

    #[test]
    fn two_players_take_both_orders() {
        let walks = Walks::draw(&[0, 1], 4, &mut Draws::new(3, "test", &[]));
        let estimate = walks.estimate(ask(&walks).view());
        for (phi, expected) in estimate.phi.iter().zip(shapley(2)) {
            assert!((phi - expected).abs() < 1e-12);
        }
    }
}
