//! Rows held in memory: a random sample that depends on the seed and the data, not on how the data came in.

use super::drawing::{Drawing, Rows, pick};
use super::error::ImportanceError;
use crate::dataset::batch::{Batch, Features, Labels};
use crate::stats::random::Stream;

/// Rows kept unless told otherwise: a permutation importance of 0.001 of accuracy stands out from 20,000 rows.
pub const DEFAULT_CAP: usize = 20_000;

/// Labelled rows of the data in data order, at most as many as asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    pub features: Features,
    /// None missing.
    pub labels: Labels,
    pub weights: Option<Vec<f64>>,
    /// Labelled rows the sample was drawn from.
    pub n_total: u64,
}

/// Draws a [`Sample`] from batches in any order: all sets of labelled rows are equally likely, and batches or partial
/// samples may be merged at will.
#[derive(Debug, Clone)]
pub struct Reservoir(Drawing<Sample>);

impl Reservoir {
    /// Keeps at most `cap` rows (at least one).
    pub fn new(cap: usize, seed: u64) -> Self {
        Self(Drawing::new(cap, Stream::new(seed, "importance sample")))
    }

    /// Considers the rows of a batch that have a label.
    ///
    /// # Errors
    /// A batch without labels.
    pub fn update(&mut self, batch: &Batch) -> Result<(), ImportanceError> {
        let labels = batch.labels.as_ref().ok_or(ImportanceError::NoLabels)?;
        let labelled = (0..batch.features.n_rows).filter(|row| is_known(labels, *row));
        let chosen = self.0.choose(batch.first_row, labelled);
        self.0.append(take(&batch.features, labels, batch.weights.as_deref(), &chosen));
        Ok(())
    }

    /// Adds the rows of another sample with the same cap and seed.
    pub fn merge(&mut self, other: Self) {
        self.0.merge(other.0);
    }

    /// The sample.
    ///
    /// # Errors
    /// No row had a label.
    pub fn finish(self) -> Result<Sample, ImportanceError> {
        let (rows, n_total) = self.0.finish().ok_or(ImportanceError::NoRows)?;
        Ok(Sample { n_total, ..rows })
    }
}

impl Rows for Sample {
    fn take(&self, rows: &[usize]) -> Self {
        take(&self.features, &self.labels, self.weights.as_deref(), rows)
    }

    fn append(&mut self, more: Sample) {
        let (n_rows, n_more) = (self.features.n_rows, more.features.n_rows);
        self.features.append(more.features);
        match (&mut self.labels, more.labels) {
            (Labels::Class(mine), Labels::Class(theirs)) => mine.extend(theirs),
            (Labels::Value(mine), Labels::Value(theirs)) => mine.extend(theirs),
            _ => {}
        }
        if self.weights.is_some() || more.weights.is_some() {
            let weights = self.weights.get_or_insert_with(|| vec![1.0; n_rows]);
            weights.extend(more.weights.unwrap_or_else(|| vec![1.0; n_more]));
        }
    }
}

fn is_known(labels: &Labels, row: usize) -> bool {
    match labels {
        Labels::Class(classes) => classes[row].is_some(),
        Labels::Value(values) => !values[row].is_nan(),
    }
}

/// The rows at these positions, in this order.
fn take(features: &Features, labels: &Labels, weights: Option<&[f64]>, rows: &[usize]) -> Sample {
    let (n_rows, features) = (features.n_rows, features.take(rows));
    let labels = match labels {
        Labels::Class(classes) => Labels::Class(pick(classes, n_rows, rows)),
        Labels::Value(values) => Labels::Value(pick(values, n_rows, rows)),
    };
    let weights = weights.map(|weights| pick(weights, n_rows, rows));
    Sample { features, labels, weights, n_total: 0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::batch::{Column, RowIds};
    use std::sync::Arc;

    /// Rows `first..end`; every seventh without a label.
    fn batch(first: u64, end: u64) -> Batch {
        let rows = || first..end;
        let columns = vec![
            Column::Number(rows().map(|row| row as f64).collect()),
            Column::Text(rows().map(|row| (row % 3 > 0).then(|| Arc::from(row.to_string()))).collect()),
            Column::Tensor { width: 2, values: rows().flat_map(|row| [row as f32, -(row as f32)]).collect() },
        ];
        Batch {
            first_row: first,
            ids: RowIds::Int(rows().map(|row| row as i64).collect()),
            features: Features { n_rows: (end - first) as usize, columns },
            labels: Some(Labels::Class(rows().map(|row| (row % 7 > 0).then_some((row % 2) as u32)).collect())),
            weights: Some(rows().map(|row| row as f64 / 2.0).collect()),
            recorded: None,
            codes: vec![],
        }
    }

    fn sample(cap: usize, seed: u64, sizes: &[u64]) -> Sample {
        let mut sample = Reservoir::new(cap, seed);
        let mut first = 0;
        for size in sizes {
            sample.update(&batch(first, first + size)).unwrap();
            first += size;
        }
        sample.finish().unwrap()
    }

    fn positions(sample: &Sample) -> Vec<f64> {
        match &sample.features.columns[0] {
            Column::Number(values) => values.clone(),
            _ => vec![],
        }
    }

    #[test]
    fn batches_and_merges_change_nothing() {
        let whole = sample(50, 3, &[1000]);
        assert_eq!(whole, sample(50, 3, &[1, 9, 90, 400, 500]));
        assert_eq!(whole, sample(50, 3, &[10; 100]));
        let (mut left, mut right) = (Reservoir::new(50, 3), Reservoir::new(50, 3));
        left.update(&batch(0, 300)).unwrap();
        right.update(&batch(300, 1000)).unwrap();
        right.merge(left);
        assert_eq!(whole, right.finish().unwrap());
        assert_eq!(whole.n_total, 857);
    }

    #[test]
    fn rows_stay_whole_and_in_order() {
        let sample = sample(50, 4, &[1000]);
        let positions = positions(&sample);
        assert!(positions.len() == 50 && positions.is_sorted());
        for (at, position) in positions.iter().enumerate() {
            let row = *position as u64;
            let alone = batch(row, row + 1);
            let mine = take(&sample.features, &sample.labels, sample.weights.as_deref(), &[at]);
            assert_eq!((mine.features, Some(mine.labels), mine.weights), (alone.features, alone.labels, alone.weights));
        }
    }

    #[test]
    fn few_rows_are_all_kept_and_those_without_a_label_are_not() {
        assert_eq!(positions(&sample(50, 1, &[10])), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 9.0]);
    }

    #[test]
    fn every_row_is_equally_likely() {
        let mut counts = [0_u32; 20];
        for seed in 0..4_000 {
            positions(&sample(5, seed, &[20])).iter().for_each(|row| counts[*row as usize] += 1);
        }
        let labelled: Vec<u32> = (0..20).filter(|row| row % 7 > 0).map(|row| counts[row]).collect();
        let expected = 4_000 * 5 / labelled.len() as u32;
        assert!(labelled.iter().all(|count| count.abs_diff(expected) < 5 * 31), "{labelled:?}");
    }

    #[test]
    fn no_labels_make_no_sample() {
        let mut unlabelled = batch(0, 3);
        unlabelled.labels = None;
        assert_eq!(Reservoir::new(5, 1).update(&unlabelled), Err(ImportanceError::NoLabels));
        assert_eq!(Reservoir::new(5, 1).finish(), Err(ImportanceError::NoRows));
        let mut missing = Reservoir::new(5, 1);
        missing.update(&batch(0, 1)).unwrap();
        assert_eq!(missing.finish(), Err(ImportanceError::NoRows));
    }
}
