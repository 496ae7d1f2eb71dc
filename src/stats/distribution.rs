//! Which scores occurred how often, by cell and by outcome: the one record that ranking measures need.
//!
//! Scores are exact while the distinct (cell, tag, score) keys stay within a cap. Beyond it low mantissa bits are
//! dropped from all scores, one more at a time, until the keys fit. The number of bits dropped is the smallest that
//! fits the whole multiset, whatever the order of rows, batches and merges.

use super::Accumulator;
use super::groups::MixHasher;
use super::quantiles::{from_ordered_bits, ordered_bits};
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hash, Hasher};

/// Distinct keys kept before scores are coarsened.
pub const DEFAULT_CAP: usize = 1 << 18;
/// All bits of the mantissa: exponents are never dropped.
const MAX_DROPPED: u32 = 52;
/// Weights are summed as integers of 2^-64, so that their order does not matter.
const WEIGHT_UNIT: f64 = 1.0 / 18_446_744_073_709_551_616.0;

/// One scored row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scored {
    pub cell: u32,
    /// What else is known of the row (label and decision), as a small number.
    pub tag: u8,
    /// Finite.
    pub score: f64,
    /// Row weight, between 0 and 1e9.
    pub weight: f64,
}

/// Rows of one cell, tag and score.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mass {
    pub cell: u32,
    pub tag: u8,
    pub score: f64,
    pub n: u64,
    pub weight: f64,
}

/// Accumulates [`Scored`] rows.
#[derive(Debug, Clone)]
pub struct ScoreDistribution {
    cap: usize,
    /// Low bits of the ordered score that are dropped.
    dropped: u32,
    masses: HashMap<Key, Count, BuildHasherDefault<MixHasher>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    score: u64,
    cell_and_tag: u64,
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.score ^ self.cell_and_tag.rotate_right(20));
    }
}

#[derive(Debug, Clone, Copy, Default)]
struct Count {
    n: u64,
    weight: u128,
}

impl Default for ScoreDistribution {
    fn default() -> Self {
        Self::with_cap(DEFAULT_CAP)
    }
}

impl ScoreDistribution {
    /// Keeps at most `cap` distinct keys, but never drops exponent bits.
    pub fn with_cap(cap: usize) -> Self {
        Self { cap, dropped: 0, masses: HashMap::default() }
    }

    /// Bits by which scores had to be coarsened: 0 = exact.
    pub fn dropped_bits(&self) -> u32 {
        self.dropped
    }

    /// Renames the cells: `cells[old]` is the new number.
    pub fn relabel(&mut self, cells: &[u32]) {
        let old = std::mem::take(&mut self.masses);
        for (key, count) in old {
            let (cell, tag) = ((key.cell_and_tag >> 8) as usize, key.cell_and_tag & 0xff);
            self.add(Key { cell_and_tag: u64::from(cells[cell]) << 8 | tag, ..key }, count);
        }
    }

    fn add(&mut self, key: Key, count: Count) {
        let key = Key { score: key.score >> self.dropped << self.dropped, ..key };
        let mass = self.masses.entry(key).or_default();
        mass.n += count.n;
        mass.weight += count.weight;
    }

    fn coarsen_when_many(&mut self) {
        while self.masses.len() > self.cap && self.dropped < MAX_DROPPED {
            self.dropped = (self.lowest_difference() + 1).clamp(self.dropped + 1, MAX_DROPPED);
            let old = std::mem::take(&mut self.masses);
            old.into_iter().for_each(|(key, count)| self.add(key, count));
        }
    }

    /// The lowest bit in which any two scores differ: dropping bits below it would merge nothing. Scores that were
    /// computed in float32 differ in none of the lowest 29.
    fn lowest_difference(&self) -> u32 {
        let first = self.masses.keys().next().map_or(0, |key| key.score);
        self.masses.keys().fold(0, |bits, key| bits | (key.score ^ first)).trailing_zeros()
    }

    /// The score that stands for a key: itself while exact, else the middle of its bin.
    fn score(&self, ordered: u64) -> f64 {
        match self.dropped.checked_sub(1) {
            Some(bit) if from_ordered_bits(ordered) != 0.0 => from_ordered_bits(ordered | 1 << bit),
            _ => from_ordered_bits(ordered),
        }
    }
}

fn to_units(weight: f64) -> u128 {
    if weight == 1.0 { 1 << 64 } else { (weight / WEIGHT_UNIT) as u128 }
}

impl Accumulator for ScoreDistribution {
    type Item<'a> = Scored;
    /// Ascending by score; the order of equal scores says nothing.
    type Output = Vec<Mass>;

    fn update(&mut self, row: Scored) {
        let key = Key { score: ordered_bits(row.score), cell_and_tag: u64::from(row.cell) << 8 | u64::from(row.tag) };
        self.add(key, Count { n: 1, weight: to_units(row.weight) });
        self.coarsen_when_many();
    }

    fn merge(&mut self, other: Self) {
        if other.dropped > self.dropped {
            self.dropped = other.dropped;
            let old = std::mem::take(&mut self.masses);
            old.into_iter().for_each(|(key, count)| self.add(key, count));
        }
        other.masses.into_iter().for_each(|(key, count)| self.add(key, count));
        self.coarsen_when_many();
    }

    fn finish(&self) -> Vec<Mass> {
        let mut masses: Vec<(Key, Count)> = self.masses.iter().map(|(&key, &count)| (key, count)).collect();
        masses.sort_unstable_by_key(|&(key, _)| key);
        masses
            .into_iter()
            .map(|(key, count)| Mass {
                cell: (key.cell_and_tag >> 8) as u32,
                tag: key.cell_and_tag as u8,
                score: self.score(key.score),
                n: count.n,
                weight: count.weight as f64 * WEIGHT_UNIT,
            })
            .collect()
    }
}

/// The weighted median of masses in ascending order: the middle score, or the mean of the two middle ones.
pub fn median<'a>(masses: impl Iterator<Item = &'a Mass> + Clone) -> Option<f64> {
    let half = masses.clone().map(|mass| mass.weight).sum::<f64>() / 2.0;
    let mut below = 0.0;
    let mut lower = None;
    for mass in masses.filter(|mass| mass.weight > 0.0) {
        if let Some(lower) = lower {
            return Some((lower + mass.score) / 2.0);
        }
        below += mass.weight;
        if below > half {
            return Some(mass.score);
        }
        if below == half {
            lower = Some(mass.score);
        }
    }
    lower
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::random::Stream;

    fn rows(n: u64) -> Vec<Scored> {
        let stream = Stream::new(5, "scores");
        (0..n)
            .map(|i| Scored {
                cell: (stream.at(4 * i) % 3) as u32,
                tag: (stream.at(4 * i + 1) % 2) as u8,
                score: stream.unit(4 * i + 2),
                weight: 0.5 + stream.unit(4 * i + 3),
            })
            .collect()
    }

    fn distribution(rows: &[Scored], cap: usize) -> ScoreDistribution {
        let mut distribution = ScoreDistribution::with_cap(cap);
        rows.iter().for_each(|&row| distribution.update(row));
        distribution
    }

    #[test]
    fn equal_scores_share_a_mass() {
        let row = Scored { cell: 1, tag: 2, score: 0.25, weight: 2.5 };
        let masses = distribution(&[row, row, Scored { score: -0.0, ..row }, Scored { score: 0.0, ..row }], 100);
        let masses = masses.finish();
        assert_eq!(masses.len(), 2);
        assert_eq!(masses[1], Mass { cell: 1, tag: 2, score: 0.25, n: 2, weight: 5.0 });
        assert_eq!((masses[0].score, masses[0].n), (0.0, 2));
    }

    #[test]
    fn any_split_gives_the_same_masses_exact_or_coarsened() {
        let rows = rows(3_000);
        for cap in [10_000, 1_000, 100] {
            let whole = distribution(&rows, cap);
            for size in [1, 100, 1_700] {
                let mut parts = ScoreDistribution::with_cap(cap);
                rows.chunks(size).rev().for_each(|part| parts.merge(distribution(part, cap)));
                assert_eq!(parts.dropped_bits(), whole.dropped_bits());
                assert_eq!(parts.finish(), whole.finish(), "cap {cap}, parts of {size}");
            }
        }
    }

    #[test]
    fn the_cap_holds_and_no_row_is_lost() {
        let rows = rows(3_000);
        let coarse = distribution(&rows, 500);
        assert!(coarse.dropped_bits() > 0);
        let masses = coarse.finish();
        assert!(masses.len() <= 500);
        assert_eq!(masses.iter().map(|mass| mass.n).sum::<u64>(), 3_000);
        let weight: f64 = rows.iter().map(|row| row.weight).sum();
        assert!((masses.iter().map(|mass| mass.weight).sum::<f64>() - weight).abs() < 1e-9);
    }

    #[test]
    fn the_bits_dropped_are_the_fewest_that_fit() {
        let rows = rows(3_000);
        let dropped = distribution(&rows, 500).dropped_bits();
        let distinct_after = |bits: u32| {
            let key = |row: &Scored| (row.cell, row.tag, ordered_bits(row.score) >> bits);
            rows.iter().map(key).collect::<std::collections::BTreeSet<_>>().len()
        };
        assert!(distinct_after(dropped) <= 500 && distinct_after(dropped - 1) > 500);
    }

    #[test]
    fn relabelling_moves_cells() {
        let mut distribution = distribution(&[Scored { cell: 0, tag: 1, score: 0.5, weight: 1.0 }], 10);
        distribution.relabel(&[7]);
        assert_eq!(distribution.finish()[0].cell, 7);
    }

    #[test]
    fn the_median_is_numpys_for_equal_weights() {
        let median_of = |scores: &[f64]| {
            let rows: Vec<Scored> =
                scores.iter().map(|&score| Scored { cell: 0, tag: 0, score, weight: 1.0 }).collect();
            median(distribution(&rows, 100).finish().iter())
        };
        assert_eq!(median_of(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median_of(&[3.0, 1.0, 2.0, 5.0]), Some(2.5));
        assert_eq!(median_of(&[1.0, 1.0, 1.0, 5.0]), Some(1.0));
        assert_eq!(median_of(&[]), None);
    }
}
