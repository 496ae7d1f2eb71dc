//! Random orders and picks that depend on what they are for, never on who draws them first.

use crate::stats::random::Stream;

/// Consecutive draws from a [`Stream`], which stays the same for any number of threads and any batch size.
#[derive(Debug, Clone)]
pub struct Draws {
    stream: Stream,
    next: u64,
}

impl Draws {
    /// The draws for `purpose` under the run's seed, and for one part of it: such as a row and a background row.
    pub fn new(seed: u64, purpose: &str, part: &[u64]) -> Self {
        let stream = part.iter().fold(Stream::new(seed, purpose), |stream, index| stream.child(*index));
        Self { stream, next: 0 }
    }

    /// Uniform in `0..n` without bias (Lemire, ACM TOMACS 2019: multiply and reject); 0 for `n` ≤ 1.
    pub fn below(&mut self, n: usize) -> usize {
        let n = n.max(1) as u64;
        let rejected = n.wrapping_neg() % n;
        loop {
            let product = u128::from(self.stream.at(self.next)) * u128::from(n);
            self.next += 1;
            if product as u64 >= rejected {
                return (product >> 64) as usize;
            }
        }
    }

    /// Uniform in [0, 1).
    pub fn unit(&mut self) -> f64 {
        self.next += 1;
        self.stream.unit(self.next - 1)
    }

    /// Puts the items into a uniformly random order (Fisher–Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_depend_on_seed_purpose_and_every_part_in_order() {
        let first = |seed, purpose, part: &[u64]| Draws::new(seed, purpose, part).below(usize::MAX);
        let draws = [
            first(1, "a", &[1, 2]),
            first(1, "a", &[2, 1]),
            first(1, "a", &[1]),
            first(1, "a", &[]),
            first(1, "b", &[1, 2]),
            first(2, "a", &[1, 2]),
        ];
        let distinct: std::collections::BTreeSet<usize> = draws.into_iter().collect();
        assert_eq!(distinct.len(), draws.len());
        assert_eq!(first(1, "a", &[1, 2]), draws[0]);
    }

    #[test]
    fn every_number_below_the_limit_is_equally_likely() {
        let mut counts = [0_u32; 7];
        let mut draws = Draws::new(5, "counts", &[]);
        for _ in 0..70_000 {
            counts[draws.below(7)] += 1;
        }
        // Standard deviation of each count is 93: five of them.
        assert!(counts.iter().all(|count| count.abs_diff(10_000) < 465), "{counts:?}");
        assert_eq!((draws.below(0), draws.below(1)), (0, 0));
    }

    #[test]
    fn all_orders_of_three_items_are_equally_likely() {
        let mut counts = std::collections::BTreeMap::new();
        let mut draws = Draws::new(9, "orders", &[]);
        for _ in 0..60_000 {
            let mut items = [0, 1, 2];
            draws.shuffle(&mut items);
            *counts.entry(items).or_insert(0_u32) += 1;
        }
        assert_eq!(counts.len(), 6);
        assert!(counts.values().all(|count| count.abs_diff(10_000) < 457), "{counts:?}");
    }
}
