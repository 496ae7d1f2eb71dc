//! Coalitions by size: how many of each size to ask for, and which.

use super::random::Draws;
use std::collections::HashSet;

/// Coalitions of one size together with their complements, counted in pairs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stratum {
    /// Players in the smaller coalition of a pair.
    pub size: usize,
    /// Sum of the leverage scores over the sum for other sizes: 1, and ½ for the middle size, which pairs with itself.
    pub share: f64,
    /// Pairs there are; `u64::MAX` if more.
    pub population: u64,
    /// Pairs to draw, and the position of the first among those of all strata.
    pub drawn: usize,
    pub first: usize,
}

impl Stratum {
    /// The pairs whose smaller coalition has `size` of `k` players, none of them drawn.
    pub fn new(k: usize, size: usize) -> Self {
        let middle = 2 * size == k;
        let coalitions = binomial(k, size);
        let population = if middle { coalitions / 2 } else { coalitions };
        Self { size, share: if middle { 0.5 } else { 1.0 }, population, drawn: 0, first: 0 }
    }

    /// Weight of the size under the Shapley kernel, summed over its coalitions, but for a factor that all sizes share.
    pub fn kernel(&self, k: usize) -> f64 {
        self.share / (self.size * (k - self.size)) as f64
    }

    /// Whether every pair is drawn.
    pub fn is_whole(&self) -> bool {
        self.drawn as u64 >= self.population
    }

    /// The drawn coalitions as ascending players, each at most once, all equally likely.
    pub fn draw(&self, k: usize, draws: &mut Draws) -> Vec<Vec<usize>> {
        if self.drawn as u64 > self.population / 2 {
            let mut all = self.enumerate(k);
            draws.shuffle(&mut all);
            all.truncate(self.drawn);
            return all;
        }
        let mut seen = HashSet::with_capacity(self.drawn);
        let mut drawn = Vec::with_capacity(self.drawn);
        while drawn.len() < self.drawn {
            let members = self.one(k, draws);
            if seen.insert(members.clone()) {
                drawn.push(members);
            }
        }
        drawn
    }

    /// Player 0 stands for its side in the middle size, so that no pair comes twice.
    fn fixed(&self) -> usize {
        usize::from(self.share < 1.0)
    }

    /// One of the coalitions as ascending players, all equally likely.
    pub fn one(&self, k: usize, draws: &mut Draws) -> Vec<usize> {
        let fixed = self.fixed();
        let mut members: Vec<usize> = (0..fixed).collect();
        // Floyd's sample without replacement (Bentley and Floyd 1987).
        for last in k - self.size + fixed..k {
            let candidate = fixed + draws.below(last + 1 - fixed);
            members.push(if members.contains(&candidate) { last } else { candidate });
        }
        members.sort_unstable();
        members
    }

    /// All of the coalitions as ascending players.
    pub fn enumerate(&self, k: usize) -> Vec<Vec<usize>> {
        let fixed = self.fixed();
        let mut members: Vec<usize> = (0..self.size).collect();
        let mut all = vec![members.clone()];
        while let Some(at) = (fixed..self.size).rev().find(|at| members[*at] < k - self.size + at) {
            members[at] += 1;
            for next in at + 1..self.size {
                members[next] = members[next - 1] + 1;
            }
            all.push(members.clone());
        }
        all
    }
}

/// Shares `n_pairs` among the sizes 1..=k/2 in proportion to their leverage, never more than a size has; what one
/// size cannot take goes to the others. Sizes that get nothing are left out.
pub fn allocate(k: usize, n_pairs: usize) -> Vec<Stratum> {
    let mut strata: Vec<Stratum> = (1..=k / 2).map(|size| Stratum::new(k, size)).collect();
    let mut left = n_pairs;
    loop {
        let open = || (0..strata.len()).filter(|at| !strata[*at].is_whole());
        let unit = left as f64 / open().map(|at| strata[at].share).sum::<f64>();
        let exhausted: Vec<usize> =
            open().filter(|at| strata[*at].population as f64 <= unit * strata[*at].share).collect();
        if exhausted.is_empty() {
            let open = open().collect::<Vec<_>>();
            share_out(&mut strata, &open, unit, left);
            break;
        }
        for at in exhausted {
            strata[at].drawn = strata[at].population as usize;
            left -= strata[at].drawn;
        }
    }
    strata.retain(|stratum| stratum.drawn > 0);
    let mut first = 0;
    for stratum in &mut strata {
        stratum.first = first;
        first += stratum.drawn;
    }
    strata
}

/// Rounds proportional shares down to whole pairs; the smallest sizes get what that leaves.
fn share_out(strata: &mut [Stratum], open: &[usize], unit: f64, mut left: usize) {
    for at in open {
        strata[*at].drawn = (unit * strata[*at].share) as usize;
        left -= strata[*at].drawn;
    }
    for at in open.iter().take(left) {
        strata[*at].drawn += 1;
    }
}

/// C(n, k); `u64::MAX` if larger.
fn binomial(n: usize, k: usize) -> u64 {
    let mut count: u128 = 1;
    for step in 0..k as u128 {
        // A product that fits, divided exactly: every prefix is itself a binomial coefficient.
        count = match count.checked_mul(n as u128 - step) {
            Some(product) => product / (step + 1),
            None => return u64::MAX,
        };
    }
    u64::try_from(count).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn binomial_coefficients_saturate() {
        assert_eq!(binomial(10, 3), 120);
        assert_eq!(binomial(12, 6), 924);
        assert_eq!(binomial(5, 0), 1);
        assert_eq!(binomial(60, 30), 118_264_581_564_861_424);
        assert_eq!(binomial(784, 392), u64::MAX);
    }

    #[test]
    fn the_whole_budget_is_shared_and_small_sizes_are_taken_whole() {
        let strata = allocate(12, 1023);
        assert_eq!(strata.iter().map(|stratum| stratum.drawn).sum::<usize>(), 1023);
        assert_eq!(strata[0].drawn, 12);
        assert_eq!(strata[1].drawn, 66);
        let expected = (1023.0 - 12.0 - 66.0 - 220.0) / 2.5;
        assert!(strata[3..5].iter().all(|stratum| (stratum.drawn as f64 - expected).abs() <= 1.0), "{strata:?}");
        assert!((strata[5].drawn as f64 - expected / 2.0).abs() <= 1.0);
        assert_eq!(strata[4].first, strata[3].first + strata[3].drawn);
    }

    #[test]
    fn more_than_everything_is_everything() {
        for k in 2..9_usize {
            let strata = allocate(k, 10_000);
            assert!(strata.iter().all(Stratum::is_whole));
            assert_eq!(strata.iter().map(|stratum| stratum.drawn).sum::<usize>(), (1 << (k - 1)) - 1);
        }
    }

    #[test]
    fn drawn_coalitions_are_distinct_have_their_size_and_are_no_complements() {
        let mut draws = Draws::new(1, "test", &[]);
        for (k, size, drawn) in
            [(8, 4, 35), (8, 4, 20), (8, 4, 10), (9, 3, 84), (9, 3, 30), (40, 20, 100), (1000, 500, 3)]
        {
            let stratum = Stratum { drawn, ..Stratum::new(k, size) };
            let all = stratum.draw(k, &mut draws);
            let distinct: BTreeSet<Vec<usize>> = all.iter().cloned().collect();
            assert_eq!((all.len(), distinct.len()), (drawn, drawn));
            for members in &all {
                assert!(members.len() == size && members.is_sorted() && members[size - 1] < k);
                let complement: Vec<usize> = (0..k).filter(|player| !members.contains(player)).collect();
                assert!(!distinct.contains(&complement));
            }
        }
    }

    #[test]
    fn every_coalition_of_a_size_is_equally_likely() {
        let mut draws = Draws::new(2, "test", &[]);
        for (k, size) in [(6, 2), (6, 3)] {
            let stratum = Stratum { drawn: 3, ..Stratum::new(k, size) };
            let mut counts = std::collections::BTreeMap::new();
            for members in (0..20_000).flat_map(|_| stratum.draw(k, &mut draws)) {
                *counts.entry(members).or_insert(0.0) += 1.0;
            }
            let expected = 60_000.0 / stratum.population as f64;
            assert_eq!(counts.len() as u64, stratum.population);
            assert!(counts.values().all(|count: &f64| (count - expected).abs() < 5.0 * expected.sqrt()), "{counts:?}");
        }
    }
}
