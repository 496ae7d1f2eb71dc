//! Shapley and Owen values of a game whose payoffs are known for every coalition.

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

/// Owen values from all 2^k payoffs; adds φ to `phi`, `[k]`.
///
/// Players of one cluster act together towards the other clusters: orders of arrival in which a cluster's members
/// stand side by side, all equally likely (Owen 1977). `cluster[player]` names each player's cluster.
pub fn add_owen(payoffs: &[f64], cluster: &[usize], phi: &mut [f64]) {
    let unions = unions(cluster);
    let across = orders(unions.len());
    for (at, union) in unions.iter().enumerate() {
        let others: Vec<usize> = unions.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, m)| *m).collect();
        let within = orders(union.count_ones() as usize);
        for present in 0..1_usize << others.len() {
            let outside: usize =
                others.iter().enumerate().filter(|(bit, _)| present >> bit & 1 == 1).map(|(_, m)| m).sum();
            let weight = across[present.count_ones() as usize];
            add_within(payoffs, outside, *union, &within, weight, phi);
        }
    }
}

/// Shapley values among the members of one union while the players in `outside` are present.
fn add_within(payoffs: &[f64], outside: usize, union: usize, weights: &[f64], scale: f64, phi: &mut [f64]) {
    let mut inside = union;
    loop {
        for player in (0..phi.len()).filter(|player| (union & !inside) >> player & 1 == 1) {
            let gain = payoffs[outside | inside | 1 << player] - payoffs[outside | inside];
            phi[player] += scale * weights[inside.count_ones() as usize] * gain;
        }
        if inside == 0 {
            break;
        }
        inside = (inside - 1) & union;
    }
}

/// The clusters as bit masks over the players, in order of their first member.
fn unions(cluster: &[usize]) -> Vec<usize> {
    let mut names: Vec<usize> = Vec::new();
    let mut masks: Vec<usize> = Vec::new();
    for (player, name) in cluster.iter().enumerate() {
        match names.iter().position(|known| known == name) {
            Some(at) => masks[at] |= 1 << player,
            None => {
                names.push(*name);
                masks.push(1 << player);
            }
        }
    }
    masks
}

/// Share of the k! orders in which a given player arrives right behind a given set of s players: s!(k−s−1)!/k!.
fn orders(k: usize) -> Vec<f64> {
    let mut weights = Vec::with_capacity(k);
    let mut weight = 1.0 / k as f64;
    for size in 0..k {
        weights.push(weight);
        weight *= (size + 1) as f64 / (k - size - 1).max(1) as f64;
    }
    weights
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explain::game::random::Draws;

    fn random_payoffs(k: usize, seed: u64) -> Vec<f64> {
        let mut draws = Draws::new(seed, "payoffs", &[]);
        (0..1 << k).map(|_| 50.0 + draws.below(1_000_000) as f64 / 1e5).collect()
    }

    fn shapley(payoffs: &[f64], k: usize) -> Vec<f64> {
        let mut phi = vec![0.0; k];
        add_shapley(&mut payoffs.to_vec(), &mut phi);
        phi
    }

    fn owen(payoffs: &[f64], cluster: &[usize]) -> Vec<f64> {
        let mut phi = vec![0.0; cluster.len()];
        add_owen(payoffs, cluster, &mut phi);
        phi
    }

    /// Mean marginal contribution over all orders that `admits`.
    fn by_orders(payoffs: &[f64], k: usize, admits: &dyn Fn(&[usize]) -> bool) -> Vec<f64> {
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

    fn side_by_side(order: &[usize], cluster: &[usize]) -> bool {
        let seen: Vec<usize> = order.iter().map(|player| cluster[*player]).collect();
        let changes = seen.windows(2).filter(|pair| pair[0] != pair[1]).count();
        let n_clusters = seen.iter().collect::<std::collections::BTreeSet<_>>().len();
        changes + 1 == n_clusters
    }

    fn assert_close(actual: &[f64], expected: &[f64]) {
        let worst = actual.iter().zip(expected).map(|(a, e)| (a - e).abs()).fold(0.0, f64::max);
        assert!(worst < 1e-11, "{actual:?} is not {expected:?}");
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
        add_owen(&[3.0], &[], &mut phi);
    }

    #[test]
    fn owen_values_are_means_over_the_orders_that_keep_clusters_together() {
        for cluster in [vec![0, 0, 1, 2, 1], vec![4, 4, 4, 1, 1, 9], vec![0, 1, 0, 1]] {
            let k = cluster.len();
            let payoffs = random_payoffs(k, 7 * k as u64);
            let expected = by_orders(&payoffs, k, &|order| side_by_side(order, &cluster));
            assert_close(&owen(&payoffs, &cluster), &expected);
        }
    }

    #[test]
    fn owen_values_of_singletons_and_of_one_cluster_are_shapley_values() {
        let payoffs = random_payoffs(5, 3);
        assert_close(&owen(&payoffs, &[0, 1, 2, 3, 4]), &shapley(&payoffs, 5));
        assert_close(&owen(&payoffs, &[8; 5]), &shapley(&payoffs, 5));
    }
}
