//! Rows of a batch that are explained together.

use super::scoring::ScoredBatch;
use crate::dataset::{Batch, Features, Labels, RowIds};
use crate::plan::Plan;
use ndarray::{Array2, Axis};
use std::borrow::Cow;

/// The rows of a batch that are explained.
pub(super) struct PartOfBatch<'a> {
    /// Positions within the batch.
    pub rows: Vec<usize>,
    /// Positions in the data.
    pub keys: Vec<u64>,
    pub ids: Cow<'a, RowIds>,
    pub features: Cow<'a, Features>,
    pub inner: Option<Array2<f64>>,
}

impl<'a> PartOfBatch<'a> {
    pub fn new(batch: &'a Batch, scored: &ScoredBatch, rows: Vec<usize>) -> Self {
        let all = rows.iter().copied().eq(0..batch.features.n_rows);
        let inner = scored.inner.as_ref();
        Self {
            keys: rows.iter().map(|row| batch.first_row + *row as u64).collect(),
            ids: if all { Cow::Borrowed(&batch.ids) } else { Cow::Owned(batch.ids.take(&rows)) },
            features: if all { Cow::Borrowed(&batch.features) } else { Cow::Owned(batch.features.take(&rows)) },
            inner: inner.map(|inner| if all { inner.clone() } else { inner.select(Axis(0), &rows) }),
            rows,
        }
    }
}

/// A row's label for a reader; `None` where it has none.
pub(super) fn label_text(plan: &Plan, batch: &Batch, row: usize) -> Option<String> {
    match batch.labels.as_ref()? {
        Labels::Class(classes) => classes[row].and_then(|class| plan.classes.get(class as usize).cloned()),
        Labels::Value(values) => (!values[row].is_nan()).then(|| crate::store::number_text(values[row])),
    }
}
