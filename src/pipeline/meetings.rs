//! Interactions of the explained rows: written as they come, summarised by pair.

use crate::audit::{Importance, MOST_PAIRS};
use crate::explain::tree::Interactions;
use crate::stats::ExactSum;

/// A pair, with the sums of its |φ_ab| and of their squares.
type Summed<'a> = (&'a (u32, u32), &'a (ExactSum, ExactSum));

/// Sums of |φ_ab| by output and pair.
#[derive(Debug, Default)]
pub struct Meetings {
    pairs: Vec<(u32, u32)>,
    n_rows: u64,
    /// `[output × pairs + pair]`.
    sums: Vec<(ExactSum, ExactSum)>,
}

impl Meetings {
    pub fn update(&mut self, interactions: &Interactions) {
        let (n_rows, n_outputs, n_pairs) = interactions.values.dim();
        self.pairs.clone_from(&interactions.pairs);
        self.sums.resize_with(n_outputs * n_pairs, Default::default);
        for row in interactions.values.outer_iter() {
            for ((absolute, squares), value) in self.sums.iter_mut().zip(row.iter()) {
                absolute.add(value.abs());
                squares.add(value * value);
            }
        }
        self.n_rows += n_rows as u64;
    }

    /// Mean |φ_ab| of every pair of different features that meet, then mean |φ_aa| of every feature alone, the largest
    /// first; method "interaction".
    pub fn importance(&self, outputs: &[String], features: &[String]) -> Vec<Importance> {
        let n_pairs = self.pairs.len().max(1);
        let of_output = |(output, sums): (&String, &[(ExactSum, ExactSum)])| {
            let (alone, pairs): (Vec<_>, Vec<_>) = self.pairs.iter().zip(sums).partition(|((a, b), _)| a == b);
            let ranked = |found: Vec<Summed>| {
                let row = |(pair, sums): Summed| self.row(*pair, sums, output, features);
                let mut rows: Vec<Importance> = found.into_iter().map(row).collect();
                rows.sort_by(|a, b| b.value.total_cmp(&a.value));
                rows.truncate(MOST_PAIRS);
                rows.iter_mut().zip(1..).for_each(|(row, rank)| row.rank = rank);
                rows
            };
            [ranked(pairs), ranked(alone)].concat()
        };
        outputs.iter().zip(self.sums.chunks(n_pairs)).flat_map(of_output).collect()
    }

    fn row(&self, (a, b): (u32, u32), sums: &(ExactSum, ExactSum), output: &str, features: &[String]) -> Importance {
        let n = self.n_rows as f64;
        let mean = sums.0.value() / n;
        let variance = (sums.1.value() / n - mean * mean).max(0.0);
        let std_err = (self.n_rows > 1).then(|| (variance / (n - 1.0)).sqrt());
        Importance {
            method: "interaction".to_owned(),
            metric: if a == b { "mean_abs_main_effect" } else { "mean_abs_interaction" }.to_owned(),
            feature: match a == b {
                true => features[a as usize].clone(),
                false => format!("{} × {}", features[a as usize], features[b as usize]),
            },
            output: output.to_owned(),
            value: mean,
            std_err,
            ci_low: None,
            ci_high: None,
            rank: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn pairs_are_ranked_by_their_mean_size_and_main_effects_among_themselves() {
        let mut meetings = Meetings::default();
        let values = array![[[5.0, -1.0, 2.0]], [[5.0, 3.0, -1.0]]];
        meetings.update(&Interactions { pairs: vec![(0, 0), (0, 1), (0, 2)], values });
        let names = ["a", "b", "c"].map(str::to_owned);
        let rows = meetings.importance(&["1".to_owned()], &names);
        let told: Vec<_> = rows.iter().map(|row| (row.feature.as_str(), row.value, row.rank)).collect();
        assert_eq!(told, [("a × b", 2.0, 1), ("a × c", 1.5, 2), ("a", 5.0, 1)]);
        assert_eq!(rows[2].metric, "mean_abs_main_effect");
    }
}
