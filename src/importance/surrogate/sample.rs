//! Scored rows in memory: a seeded sample of bounded size.

use super::super::drawing::{Drawing, Rows, pick};
use crate::dataset::batch::Features;
use crate::stats::random::Stream;

/// Rows kept: 20,000 grow the tree, 10,000 judge it.
pub const SCORED: usize = 30_000;

/// Scored rows in data order.
#[derive(Debug, Clone, PartialEq)]
pub struct Scored {
    /// Raw columns in model order; pictures and lists are left empty.
    pub features: Features,
    /// Row-major `[rows × outputs]`, as the model reports.
    pub scores: Vec<f64>,
    /// All 1 where `None`.
    pub weights: Option<Vec<f64>>,
    /// Rows the sample was drawn from.
    pub n_total: u64,
}

impl Rows for Scored {
    fn append(&mut self, more: Self) {
        self.features.append(more.features);
        self.scores.extend(more.scores);
        // Rows of one data file all have weights, or none has.
        if let (Some(mine), Some(theirs)) = (&mut self.weights, more.weights) {
            mine.extend(theirs);
        }
    }

    fn take(&self, rows: &[usize]) -> Self {
        taken(&self.features, &self.scores, self.weights.as_deref(), rows)
    }
}

fn taken(features: &Features, scores: &[f64], weights: Option<&[f64]>, rows: &[usize]) -> Scored {
    let n_rows = features.n_rows;
    Scored {
        features: features.take_without_tensors(rows),
        scores: pick(scores, n_rows, rows),
        weights: weights.map(|weights| pick(weights, n_rows, rows)),
        n_total: 0,
    }
}

/// Draws [`Scored`] from batches in any order.
#[derive(Debug, Clone)]
pub struct ScoredSample(Drawing<Scored>);

impl ScoredSample {
    /// Keeps at most `cap` rows (at least one).
    pub fn new(cap: usize, seed: u64) -> Self {
        Self(Drawing::new(cap, Stream::new(seed, "scored sample")))
    }

    /// Considers a batch whose first row stands at `first_row` of the data; `scores` are row-major.
    pub fn update(&mut self, first_row: u64, features: &Features, scores: &[f64], weights: Option<&[f64]>) {
        let chosen = self.0.choose(first_row, 0..features.n_rows);
        self.0.append(taken(features, scores, weights, &chosen));
    }

    /// The sample in data order; `None` without rows.
    pub fn finish(self) -> Option<Scored> {
        self.0.finish().map(|(rows, n_total)| Scored { n_total, ..rows })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::batch::Column;

    fn sample(sizes: &[u64]) -> Scored {
        let mut sample = ScoredSample::new(40, 5);
        let mut first = 0;
        for size in sizes {
            let numbers: Vec<f64> = (first..first + size).map(|row| row as f64).collect();
            let picture = Column::Tensor { width: 1, values: vec![0.0; *size as usize] };
            let features = Features { n_rows: *size as usize, columns: vec![Column::Number(numbers.clone()), picture] };
            let scores: Vec<f64> = numbers.iter().flat_map(|x| [*x, -*x]).collect();
            sample.update(first, &features, &scores, Some(&numbers));
            first += size;
        }
        sample.finish().unwrap()
    }

    #[test]
    fn batches_change_nothing_and_rows_stay_whole() {
        let whole = sample(&[1_000]);
        assert_eq!(whole, sample(&[1, 9, 90, 400, 500]));
        assert_eq!((whole.features.n_rows, whole.n_total), (40, 1_000));
        let Column::Number(rows) = &whole.features.columns[0] else { panic!("numbers") };
        for (at, row) in rows.iter().enumerate() {
            assert_eq!(whole.scores[2 * at..2 * at + 2], [*row, -*row]);
        }
        assert_eq!(whole.weights.as_ref().unwrap(), rows);
        assert!(rows.is_sorted());
    }
}
