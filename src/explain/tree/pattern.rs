//! Shapley values of one leaf for every pattern of agreement, from the weights of absent coalitions.
//!
//! For a leaf of value 1 with k players, a coalition S of players who take the row's values pays
//! `[S ⊆ A] · G[k \ S]`, where A is the row's pattern (who agrees) and `G[R]` the weight of "all of R agree" when they
//! are absent: a product of cover shares (path-dependent) or the share of background rows whose pattern contains R
//! (interventional). Every Shapley value of a pattern is then a sum over its subsets, so one subset-sum transform gives
//! the values of all 2^k patterns (Woodelf, arXiv 2511.09376).

use super::kernel::LANES;
use super::weights::Weights;

/// What is attributed: to single players, or to players and to pairs of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    Players,
    /// Players first, then pairs in the order of [`pairs_of`].
    Pairs,
}

impl Target {
    /// Values a game of `k` players has.
    pub fn n_values(self, k: usize) -> usize {
        match self {
            Target::Players => k,
            Target::Pairs => k + k * k.saturating_sub(1) / 2,
        }
    }
}

/// Pairs `(a, b)` with a < b among `k` players, in the order of stored values.
pub(super) fn pairs_of(k: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..k).flat_map(move |a| (a + 1..k).map(move |b| (a, b)))
}

/// Position of (a, b), a < b, in [`pairs_of`]`(k)`.
pub(super) fn pair_index(k: usize, a: usize, b: usize) -> usize {
    a * (2 * k - a - 1) / 2 + (b - a - 1)
}

/// G for independent players who agree with chance `covers[i]` when absent, `[2^k]`.
pub(super) fn absent_from_covers(covers: &[f64]) -> Vec<f64> {
    let mut weights = Vec::with_capacity(1 << covers.len());
    weights.push(1.0);
    for cover in covers {
        for without in 0..weights.len() {
            weights.push(weights[without] * cover);
        }
    }
    weights
}

/// G from the number of background rows of each pattern: superset sums, divided by the number of rows.
pub(super) fn absent_from_counts(mut counts: Vec<f64>, n_rows: f64) -> Vec<f64> {
    let mut bit = 1;
    while bit < counts.len() {
        for pattern in (0..counts.len()).filter(|pattern| pattern & bit == 0) {
            counts[pattern] += counts[pattern | bit];
        }
        bit <<= 1;
    }
    counts.iter_mut().for_each(|count| *count /= n_rows);
    counts
}

/// Width of one pattern's values, padded to whole registers.
pub(super) fn padded(n_values: usize) -> usize {
    n_values.next_multiple_of(LANES)
}

/// Writes the values of every pattern, `[2^k × width]`, of a leaf of value 1 with absent weights `absent` `[2^k]`.
///
/// `lanes` says where in a row each of the values stands; `width` is a whole number of registers that holds them all.
pub(super) fn pattern_values(
    target: Target,
    lanes: &[usize],
    absent: &[f64],
    weights: &Weights,
    values: &mut Vec<f64>,
) {
    let k = absent.len().trailing_zeros() as usize;
    let width = padded(lanes.iter().max().map_or(0, |last| last + 1));
    values.clear();
    values.resize(absent.len() * width, 0.0);
    let full = absent.len() - 1;
    for (present, row) in values.chunks_exact_mut(width.max(1)).enumerate() {
        let weight = absent[full ^ present];
        if weight != 0.0 {
            terms(target, (k, lanes), present, weight, weights, row);
        }
    }
    add_subsets(values, width);
}

/// What coalition `present` adds to each value, given that it pays `weight`.
fn terms(
    target: Target,
    (k, lanes): (usize, &[usize]),
    present: usize,
    weight: f64,
    weights: &Weights,
    out: &mut [f64],
) {
    let size = present.count_ones() as usize;
    let joined = if size > 0 { weight * weights.join(k, size - 1) } else { 0.0 };
    let left_out = if size < k { -weight * weights.join(k, size) } else { 0.0 };
    for (player, lane) in lanes[..k].iter().enumerate() {
        out[*lane] = if present >> player & 1 == 1 { joined } else { left_out };
    }
    if target == Target::Players || k < 2 {
        return;
    }
    let pair = |before: Option<usize>| {
        before.filter(|before| *before + 1 < k).map_or(0.0, |before| weights.join(k - 1, before))
    };
    let by_members =
        [weight * pair(Some(size)), -weight * pair(size.checked_sub(1)), weight * pair(size.checked_sub(2))];
    for ((a, b), lane) in pairs_of(k).zip(&lanes[k..]) {
        out[*lane] = by_members[(present >> a & 1) + (present >> b & 1)];
    }
}

/// `values[pattern] = Σ values[subset]` over all subsets, for rows of `width`.
fn add_subsets(values: &mut [f64], width: usize) {
    let mut step = width;
    while step > 0 && step < values.len() {
        for pair in values.chunks_exact_mut(2 * step) {
            let (without, with) = pair.split_at_mut(step);
            with.iter_mut().zip(without).for_each(|(with, without)| *with += *without);
        }
        step *= 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Shapley values by their definition, for pattern `agree`.
    fn by_definition(k: usize, absent: &[f64], agree: usize, player: usize) -> f64 {
        let weights = Weights::up_to(k);
        let full = (1 << k) - 1;
        let pays = |s: usize| if s & !agree == 0 { absent[full ^ s] } else { 0.0 };
        (0..1usize << k)
            .filter(|s| s >> player & 1 == 0)
            .map(|s| weights.join(k, s.count_ones() as usize) * (pays(s | 1 << player) - pays(s)))
            .sum()
    }

    #[test]
    fn every_pattern_has_its_shapley_values() {
        for k in 0..=6 {
            let covers: Vec<f64> = (0..k).map(|i| 0.1 + 0.13 * i as f64).collect();
            let absent = absent_from_covers(&covers);
            let mut values = vec![];
            let lanes: Vec<usize> = (0..k).collect();
            pattern_values(Target::Players, &lanes, &absent, &Weights::up_to(k), &mut values);
            for agree in 0..1 << k {
                for player in 0..k {
                    let expected = by_definition(k, &absent, agree, player);
                    assert!((values[agree * padded(k) + player] - expected).abs() < 1e-15);
                }
            }
        }
    }

    #[test]
    fn counts_become_shares_of_supersets() {
        let absent = absent_from_counts(vec![1.0, 2.0, 3.0, 4.0], 10.0);
        assert_eq!(absent, vec![1.0, 0.6, 0.7, 0.4]);
    }

    #[test]
    fn pairs_come_in_order() {
        assert_eq!(pairs_of(3).collect::<Vec<_>>(), vec![(0, 1), (0, 2), (1, 2)]);
        assert_eq!(pairs_of(0).count() + pairs_of(1).count(), 0);
    }
}
