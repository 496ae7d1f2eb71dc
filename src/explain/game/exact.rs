//! Shapley values of a game whose payoffs are known for every coalition.

/// Shapley values from all 2^k payoffs, `payoffs[mask]`; adds φ to `phi`, `[k]`.
///
/// φ_i = Σ_{S∌i} w(|S|)·(v(S∪i) − v(S)) with w(s) = s!(k−s−1)!/k! (Shapley 1953). Collected by coalition this is
/// φ_i = Σ_{S∋i} (w(|S|−1) + w(|S|))·v(S) − Σ_S w(|S|)·v(S): one weighted table, whose half sums are taken by
/// folding the table player by player. Cost 3·2^k instead of k·2^k.
///
/// `payoffs` serves as working memory and is overwritten.
pub fn add_shapley(payoffs: &mut [f64], phi: &mut [f64]) {
    let k = phi.len();
    let weights = orders(k);
    let empty = payoffs[0];
    let mut total = 0.0;
    for (mask, payoff) in payoffs.iter_mut().enumerate() {
        let size = mask.count_ones() as usize;
        let without = weights.get(size).copied().unwrap_or(0.0);
        let with = if size == 0 { 0.0 } else { weights[size - 1] };
        // Measured from the empty coalition, so that a large constant costs no digits.
        let value = *payoff - empty;
        total += without * value;
        *payoff = (with + without) * value;
    }
    for player in (0..k).rev() {
        let (low, high) = payoffs[..2 << player].split_at_mut(1 << player);
        phi[player] += high.iter().sum::<f64>() - total;
        low.iter_mut().zip(high).for_each(|(low, high)| *low += *high);
    }
}

/// Share of the k! orders in which a given player arrives right behind a given set of s players: s!(k−s−1)!/k!.
pub(super) fn orders(k: usize) -> Vec<f64> {
    let mut weights = Vec::with_capacity(k);
    let mut weight = 1.0 / k as f64;
    for size in 0..k {
        weights.push(weight);
        weight *= (size + 1) as f64 / (k - size - 1).max(1) as f64;
    }
    weights
}

/// Brute force, for the tests of whatever solves games.
#[cfg(test)]
pub(super) mod testing {
    use crate::explain::game::random::Draws;

    /// Payoffs of all 2^k coalitions.
    pub fn random_payoffs(k: usize, seed: u64) -> Vec<f64> {
        let mut draws = Draws::new(seed, "payoffs", &[]);
        (0..1 << k).map(|_| 50.0 + draws.below(1_000_000) as f64 / 1e5).collect()
    }

    /// Mean marginal contribution over all orders that `admits`.
    pub fn by_orders(payoffs: &[f64], k: usize, admits: &dyn Fn(&[usize]) -> bool) -> Vec<f64> {
        let (mut phi, mut n_orders) = (vec![0.0; k], 0.0);
        for order in permutations(&(0..k).collect::<Vec<_>>()).into_iter().filter(|order| admits(order)) {
            n_orders += 1.0;
            let mut mask = 0;
            for player in order {
                phi[player] += payoffs[mask | 1 << player] - payoffs[mask];
                mask |= 1 << player;
            }
        }
        phi.iter().map(|sum| sum / n_orders).collect()
    }

    fn permutations(items: &[usize]) -> Vec<Vec<usize>> {
        if items.is_empty() {
            return vec![vec![]];
        }
        let mut all = Vec::new();
        for &first in items {
            let rest: Vec<usize> = items.iter().copied().filter(|item| *item != first).collect();
            for mut tail in permutations(&rest) {
                tail.insert(0, first);
                all.push(tail);
            }
        }
        all
    }

    pub fn assert_close(actual: &[f64], expected: &[f64]) {
        let worst = actual.iter().zip(expected).map(|(a, e)| (a - e).abs()).fold(0.0, f64::max);
        assert!(worst < 1e-11, "{actual:?} is not {expected:?}");
    }
}

#[cfg(test)]
mod tests {
    use super::testing::{assert_close, by_orders, random_payoffs};
    use super::*;

    fn shapley(payoffs: &[f64], k: usize) -> Vec<f64> {
        let mut phi = vec![0.0; k];
        add_shapley(&mut payoffs.to_vec(), &mut phi);
        phi
    }

    #[test]
    fn folding_gives_the_mean_over_all_orders() {
        for k in 1..=6 {
            let payoffs = random_payoffs(k, k as u64);
            assert_close(&shapley(&payoffs, k), &by_orders(&payoffs, k, &|_| true));
        }
    }

    #[test]
    fn contributions_add_up_to_the_grand_coalition() {
        for k in 1..=14 {
            let payoffs = random_payoffs(k, 100 + k as u64);
            let sum: f64 = shapley(&payoffs, k).iter().sum();
            assert!((sum - (payoffs[(1 << k) - 1] - payoffs[0])).abs() < 1e-11);
        }
    }

    #[test]
    fn nobody_is_left_out_of_a_game_without_players() {
        let mut phi: [f64; 0] = [];
        add_shapley(&mut [3.0], &mut phi);
    }
}
