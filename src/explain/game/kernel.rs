//! KernelSHAP as published, to compare with: coalitions drawn with replacement by the Shapley kernel.
//!
//! Lundberg and Lee (2017, section 4.1) draw coalitions in proportion to the kernel and solve the weighted regression on
//! them. As in their program, sizes of which the draws would hold every coalition anyway are enumerated, each draw
//! brings its complement, and a coalition drawn again adds to its weight instead of being asked for again. One set of
//! coalitions serves all background rows, so the values of a row are those of its mean game.

use super::coalition::Coalitions;
use super::random::Draws;
use super::regression::{Estimate, Pairs};
use super::strata::Stratum;
use ndarray::{Array1, ArrayView1, s};
use std::collections::HashMap;

/// Draws for each coalition that is still wanted, after which too many repeat themselves.
const MOST_TRIES: usize = 4;

/// Coalitions drawn for one row.
#[derive(Debug)]
pub struct Design {
    pairs: Pairs,
    /// Pairs of enumerated sizes; the drawn ones follow.
    n_whole: usize,
    /// How often each drawn pair was drawn.
    counts: Array1<f64>,
}

impl Design {
    /// Asks for at most `budget` coalitions beside ∅ and N for `k` ≥ 2 players. `None` if they do not determine every
    /// player's value.
    pub fn draw(k: usize, budget: usize, draws: &mut Draws) -> Option<Self> {
        let mut open: Vec<Stratum> = (1..=k / 2).map(|size| Stratum::new(k, size)).collect();
        let (mut drawn, mut weight, mut left) = (Vec::new(), Vec::new(), budget / 2);
        while let Some(stratum) = open.first().copied() {
            let share = stratum.kernel(k) / open.iter().map(|stratum| stratum.kernel(k)).sum::<f64>();
            if (left as f64 * share) < stratum.population as f64 * (1.0 - 1e-8) {
                break;
            }
            let whole = stratum.enumerate(k);
            weight.extend(std::iter::repeat_n(stratum.kernel(k) / whole.len() as f64, whole.len()));
            left -= whole.len();
            drawn.extend(whole);
            open.remove(0);
        }
        let n_whole = drawn.len();
        let counts = sample(k, &open, left, draws, &mut drawn);
        let mass = open.iter().map(|stratum| stratum.kernel(k)).sum::<f64>() / counts.sum();
        weight.extend(counts.iter().map(|count| count * mass));
        Some(Self { pairs: Pairs::new(k, &drawn, &weight.into())?, n_whole, counts })
    }

    pub fn coalitions(&self) -> &Coalitions {
        self.pairs.coalitions()
    }

    /// Shapley values from the payoffs of [`Design::coalitions`], in their order, with the variance of independent draws.
    pub fn estimate(&self, payoffs: ArrayView1<f64>) -> Estimate {
        let (phi, residual) = self.pairs.solve(payoffs);
        let n = self.counts.sum();
        let spread = |influence: ArrayView1<f64>| {
            let drawn = influence.slice(s![self.n_whole..]);
            let squares: f64 = drawn.iter().zip(&self.counts).map(|(sum, count)| sum * sum / count).sum();
            if n > 1.0 { (squares - drawn.sum().powi(2) / n).max(0.0) * n / (n - 1.0) } else { squares }
        };
        Estimate { variance: self.pairs.variance(&residual, spread), phi }
    }
}

/// Draws pairs of the open sizes by their kernel weights until `wanted` different ones are found; adds them to `drawn`
/// and says how often each came.
fn sample(k: usize, open: &[Stratum], wanted: usize, draws: &mut Draws, drawn: &mut Vec<Vec<usize>>) -> Array1<f64> {
    let mut limits: Vec<f64> = open.iter().map(|stratum| stratum.kernel(k)).collect();
    for size in 1..limits.len() {
        limits[size] += limits[size - 1];
    }
    let mut counts: Vec<f64> = Vec::new();
    let mut known: HashMap<Vec<usize>, usize> = HashMap::new();
    let Some(total) = limits.last().copied() else { return Array1::zeros(0) };
    for _ in 0..wanted.saturating_mul(MOST_TRIES) {
        if counts.len() == wanted {
            break;
        }
        let at = draws.unit() * total;
        let size = limits.partition_point(|limit| *limit <= at).min(open.len() - 1);
        let members = open[size].one(k, draws);
        match known.get(&members) {
            Some(pair) => counts[*pair] += 1.0,
            None => {
                known.insert(members.clone(), counts.len());
                drawn.push(members);
                counts.push(1.0);
            }
        }
    }
    counts.into()
}

#[cfg(test)]
mod tests {
    use super::super::exact::add_shapley;
    use super::*;

    /// A smooth function of a weighted sum and a pair that only counts together.
    fn payoff(k: usize, mask: usize) -> f64 {
        let sum: f64 = (0..k).filter(|player| mask >> player & 1 == 1).map(|player| (player as f64 - 3.5) * 0.3).sum();
        2.0 + 1.0 / (1.0 + (-sum).exp()) + if mask & 0b11 == 0b11 { 0.5 } else { 0.0 }
    }

    fn shapley(k: usize) -> Vec<f64> {
        let (mut payoffs, mut phi): (Vec<f64>, _) = ((0..1 << k).map(|mask| payoff(k, mask)).collect(), vec![0.0; k]);
        add_shapley(&mut payoffs, &mut phi);
        phi
    }

    fn estimate(k: usize, budget: usize, seed: u64) -> (Estimate, usize) {
        let design = Design::draw(k, budget, &mut Draws::new(seed, "test", &[])).unwrap();
        let coalitions = design.coalitions();
        let mask = |at| (0..k).filter(|player| coalitions.contains(*player, at)).map(|player| 1 << player).sum();
        let payoffs: Array1<f64> = (0..coalitions.len()).map(|at| payoff(k, mask(at))).collect();
        (design.estimate(payoffs.view()), coalitions.len())
    }

    #[test]
    fn a_budget_for_every_coalition_enumerates_them() {
        for k in [2, 5, 8] {
            let (found, n) = estimate(k, 1 << k, 1);
            assert_eq!(n, 1 << k);
            assert!(found.phi.iter().zip(shapley(k)).all(|(phi, exact)| (phi - exact).abs() < 1e-12));
            assert!(found.variance.iter().all(|variance| *variance == 0.0));
        }
    }

    #[test]
    fn values_add_up_and_no_coalition_is_asked_for_twice() {
        for (k, budget) in [(8, 60), (11, 200), (12, 2048)] {
            let (found, n) = estimate(k, budget, 3);
            assert!((found.phi.sum() - (payoff(k, (1 << k) - 1) - payoff(k, 0))).abs() < 1e-11);
            assert!(n <= budget + 2 && n > budget / 2, "{n} of {budget}");
            let design = Design::draw(k, budget, &mut Draws::new(3, "test", &[])).unwrap();
            let member = |at: usize| (0..k).map(|player| design.coalitions().contains(player, at)).collect::<Vec<_>>();
            let distinct: std::collections::BTreeSet<Vec<bool>> = (0..n).map(member).collect();
            assert_eq!(distinct.len(), n);
        }
    }

    #[test]
    fn errors_have_the_size_that_is_reported_and_no_bias() {
        let (k, n_seeds) = (10, 400);
        let exact = shapley(k);
        let (mut squares, mut variance, mut sum) = (0.0, 0.0, vec![0.0; k]);
        for seed in 0..n_seeds {
            let (found, _) = estimate(k, 200, seed);
            for player in 0..k {
                let error = found.phi[player] - exact[player];
                squares += error * error;
                sum[player] += error;
            }
            variance += found.variance.sum();
        }
        let ratio = squares / variance;
        assert!((0.8..1.25).contains(&ratio), "{ratio}");
        let std_err = (squares / (k as f64 * n_seeds as f64)).sqrt();
        let bias = sum.iter().map(|sum: &f64| (sum / n_seeds as f64).abs()).fold(0.0, f64::max);
        assert!(bias < 0.25 * std_err, "{bias} of {std_err}");
    }
}
