//! A seeded sample of scored rows with their groups: what looks at rows side by side, or scores them again, works on it.

use crate::dataset::batch::{Column, Features};
use crate::stats::random::Stream;

/// Rows kept: shares of 20,000 rows have standard errors below 0.4 percentage points.
pub const PEOPLE: usize = 20_000;

/// Scored rows in data order.
#[derive(Debug, Clone, PartialEq)]
pub struct People {
    pub features: Features,
    /// `codes[column][row]` of the group columns.
    pub codes: Vec<Vec<u32>>,
    /// Row-major `[rows × outputs]`.
    pub scores: Vec<f64>,
    /// Empty for regressions.
    pub decisions: Vec<u32>,
    /// Rows the sample was drawn from.
    pub n_total: u64,
}

impl People {
    pub fn n_rows(&self) -> usize {
        self.features.n_rows
    }

    /// The rows at these positions.
    pub fn take(&self, rows: &[usize]) -> Self {
        let outputs = self.scores.len() / self.n_rows().max(1);
        let of = |row: &usize| &self.scores[row * outputs..(row + 1) * outputs];
        Self {
            features: self.features.take(rows),
            codes: self.codes.iter().map(|column| pick(column, rows)).collect(),
            scores: rows.iter().flat_map(of).copied().collect(),
            decisions: if self.decisions.is_empty() { Vec::new() } else { pick(&self.decisions, rows) },
            n_total: self.n_total,
        }
    }

    /// At most `most` rows, evenly spaced: as random as the sample itself.
    pub fn thinned(&self, most: usize) -> Self {
        let n = self.n_rows();
        let kept = n.min(most);
        self.take(&(0..kept).map(|i| i * n / kept).collect::<Vec<_>>())
    }

    fn append(&mut self, more: Self) {
        self.features.append(more.features);
        self.codes.iter_mut().zip(more.codes).for_each(|(mine, theirs)| mine.extend(theirs));
        self.scores.extend(more.scores);
        self.decisions.extend(more.decisions);
    }
}

fn pick(from: &[u32], rows: &[usize]) -> Vec<u32> {
    rows.iter().map(|row| from[*row]).collect()
}

/// Draws [`People`] from batches in any order: the rows whose hash of (seed, position) is smallest.
#[derive(Debug, Clone)]
pub struct PeopleSample {
    cap: usize,
    stream: Stream,
    n_total: u64,
    /// No row with a larger key can be among the kept.
    bound: u64,
    /// `(hash, position)` of the rows below.
    keys: Vec<(u64, u64)>,
    rows: Option<People>,
}

impl PeopleSample {
    /// Keeps at most `cap` rows (at least one).
    pub fn new(cap: usize, seed: u64) -> Self {
        let stream = Stream::new(seed, "people");
        Self { cap: cap.max(1), stream, n_total: 0, bound: u64::MAX, keys: Vec::new(), rows: None }
    }

    /// Considers a batch whose first row stands at `first_row` of the data. Pictures are left empty: rows are not told
    /// apart by them.
    pub fn update(
        &mut self,
        first_row: u64,
        features: &Features,
        codes: &[Vec<u32>],
        scores: &[f64],
        decisions: &[u32],
    ) {
        let n = codes.first().map_or(features.n_rows, Vec::len);
        let outputs = scores.len() / n.max(1);
        self.n_total += n as u64;
        let mut chosen = Vec::new();
        for row in 0..n {
            let position = first_row + row as u64;
            let key = self.stream.at(position);
            if key <= self.bound {
                self.keys.push((key, position));
                chosen.push(row);
            }
        }
        let columns = features.columns.iter().map(|column| match column {
            Column::Tensor { .. } => Column::Tensor { width: 0, values: Vec::new() },
            column => column.take(&chosen),
        });
        let features = Features { n_rows: chosen.len(), columns: columns.collect() };
        let more = People {
            features,
            codes: codes.iter().map(|column| pick(column, &chosen)).collect(),
            scores: chosen.iter().flat_map(|row| &scores[row * outputs..(row + 1) * outputs]).copied().collect(),
            decisions: if decisions.is_empty() { Vec::new() } else { pick(decisions, &chosen) },
            n_total: 0,
        };
        match &mut self.rows {
            Some(rows) => rows.append(more),
            None => self.rows = Some(more),
        }
        if self.keys.len() > 2 * self.cap {
            self.prune();
        }
    }

    /// The sample in data order; `None` without rows.
    pub fn finish(mut self) -> Option<People> {
        self.prune();
        let mut order: Vec<usize> = (0..self.keys.len()).collect();
        order.sort_by_key(|at| self.keys[*at].1);
        let rows = self.rows.filter(|rows| rows.n_rows() > 0)?;
        Some(People { n_total: self.n_total, ..rows.take(&order) })
    }

    fn prune(&mut self) {
        let Some(rows) = self.rows.as_mut().filter(|_| self.keys.len() > self.cap) else { return };
        let mut order: Vec<usize> = (0..self.keys.len()).collect();
        order.select_nth_unstable_by_key(self.cap - 1, |at| self.keys[*at]);
        order.truncate(self.cap);
        self.bound = order.iter().map(|at| self.keys[*at].0).max().unwrap_or(u64::MAX);
        *rows = rows.take(&order);
        self.keys = order.iter().map(|at| self.keys[*at]).collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(sizes: &[u64]) -> People {
        let mut sample = PeopleSample::new(40, 5);
        let mut first = 0;
        for size in sizes {
            let rows = first..first + size;
            let numbers: Vec<f64> = rows.clone().map(|row| row as f64).collect();
            let features = Features { n_rows: *size as usize, columns: vec![Column::Number(numbers.clone())] };
            let scores: Vec<f64> = numbers.iter().flat_map(|x| [*x, -*x]).collect();
            let codes = [rows.map(|row| row as u32).collect()];
            sample.update(first, &features, &codes, &scores, &codes[0]);
            first += size;
        }
        sample.finish().unwrap()
    }

    #[test]
    fn batches_change_nothing_and_rows_stay_whole() {
        let whole = sample(&[1_000]);
        assert_eq!(whole, sample(&[1, 9, 90, 400, 500]));
        assert_eq!((whole.n_rows(), whole.n_total), (40, 1_000));
        for (at, row) in whole.codes[0].iter().enumerate() {
            assert_eq!(whole.scores[2 * at..2 * at + 2], [f64::from(*row), -f64::from(*row)]);
            assert_eq!(whole.decisions[at], *row);
        }
        assert!(whole.codes[0].is_sorted());
        let few = whole.thinned(7);
        assert_eq!((few.n_rows(), few.codes[0][0], few.scores.len()), (7, whole.codes[0][0], 14));
    }

    #[test]
    fn few_rows_are_all_kept_and_none_make_no_sample() {
        assert_eq!(sample(&[12]).n_rows(), 12);
        assert_eq!(PeopleSample::new(5, 1).finish(), None);
    }
}
