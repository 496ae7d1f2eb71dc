//! Reference rows: read once, before anything is explained.

use super::error::PlanError;
use crate::dataset::{Features, Reader, Selection, Source};
use crate::stats::Accumulator;
use crate::stats::random::RowSample;

/// Rows kept of a background that asks for all: beyond it a seeded sample stands for them, and the run says so.
pub const MOST_ROWS: u64 = 200_000;

#[derive(Debug, Clone)]
pub struct Background {
    /// In data order.
    pub features: Features,
    /// Rows the sample was drawn from.
    pub n_total: u64,
    /// For the reader of the report: "the evaluation data", or the file.
    pub source: String,
    /// Positions in the data, ascending; `None` = all.
    chosen: Option<Vec<u64>>,
}

impl Background {
    /// Whether no row of the data is left out.
    pub fn is_whole(&self) -> bool {
        self.chosen.is_none()
    }

    /// The rows that a smaller sample of the same seed would have: the smallest of these rows' hashes.
    pub fn fewer(&self, n_rows: u64, seed: u64) -> Features {
        let Some(fewer) = choose(self.n_total, n_rows.min(self.features.n_rows as u64), seed, PURPOSE) else {
            return self.features.clone();
        };
        let place = |row: &u64| match &self.chosen {
            Some(chosen) => chosen.partition_point(|at| at < row),
            None => *row as usize,
        };
        self.features.take(&fewer.iter().map(place).collect::<Vec<_>>())
    }
}

/// What the rows are drawn for, as part of the seed.
const PURPOSE: &str = "background";

/// Reads all rows, or a simple random sample of `n_rows` of them.
pub fn sample(
    source: &Source,
    selection: &Selection,
    n_rows: u64,
    seed: u64,
    name: &str,
    batch_rows: usize,
) -> Result<Background, PlanError> {
    let selection =
        Selection { features: selection.features.clone(), filter: selection.filter.clone(), ..Default::default() };
    let n_total = Reader::count(source, &selection)?;
    let chosen = choose(n_total, n_rows, seed, PURPOSE);
    let mut features = Features { n_rows: 0, columns: Vec::new() };
    for batch in Reader::start(source, &selection, batch_rows)? {
        let batch = batch?;
        let rows = match &chosen {
            None => batch.features,
            Some(chosen) => batch.features.take(&within(Some(chosen), batch.first_row, batch.features.n_rows)),
        };
        match features.columns.is_empty() {
            true => features = rows,
            false => features.append(rows),
        }
    }
    Ok(Background { features, n_total, source: name.to_owned(), chosen })
}

/// Rows of the data drawn with the seed, ascending; `None` = all.
pub fn choose(n_total: u64, n_rows: u64, seed: u64, purpose: &str) -> Option<Vec<u64>> {
    if n_rows >= n_total {
        return None;
    }
    let mut sample = RowSample::new(seed, purpose, n_rows as usize);
    (0..n_total).for_each(|row| sample.update(row));
    Some(sample.finish())
}

/// Positions within a batch of the chosen rows that lie in it; `None` = all are chosen.
pub fn within(chosen: Option<&[u64]>, first_row: u64, n_rows: usize) -> Vec<usize> {
    let Some(chosen) = chosen else { return (0..n_rows).collect() };
    let from = chosen.partition_point(|row| *row < first_row);
    let until = chosen.partition_point(|row| *row < first_row + n_rows as u64);
    chosen[from..until].iter().map(|row| (row - first_row) as usize).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::Column;

    /// As [`sample`] draws them from data whose only column is the row's number.
    fn drawn(n_total: u64, n_rows: u64) -> Background {
        let chosen = choose(n_total, n_rows, 7, PURPOSE);
        let numbers: Vec<f64> = match &chosen {
            Some(chosen) => chosen.iter().map(|row| *row as f64).collect(),
            None => (0..n_total).map(|row| row as f64).collect(),
        };
        let features = Features { n_rows: numbers.len(), columns: vec![Column::Number(numbers)] };
        Background { features, n_total, source: "the evaluation data".to_owned(), chosen }
    }

    #[test]
    fn fewer_rows_are_those_of_a_smaller_sample_with_the_same_seed() {
        for (n_total, n_rows) in [(1_000, 300), (300, 300), (300, 1_000)] {
            for fewer in [1, 50, 299, 300, 5_000] {
                let kept = fewer.min(n_rows);
                assert_eq!(
                    drawn(n_total, n_rows).fewer(fewer, 7),
                    drawn(n_total, kept).features,
                    "{n_total} {n_rows} {fewer}"
                );
            }
        }
    }
}
