//! The `interactions` table: one row for each row of the data, explained output and pair of features that meet.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, StringArray};
use ndarray::ArrayView3;

use super::FinishedRows;
use super::columns::{self, Ids, id_type, n_ids};
use super::file::{CHUNK_VALUES, Origin, RowFile, misfit};
use super::schema::INTERACTIONS;
use crate::dataset::batch::RowIds;
use crate::store::error::StoreError;

/// Interaction values of consecutive explained rows.
#[derive(Debug, Clone, Copy)]
pub struct InteractionBatch<'a> {
    pub ids: &'a RowIds,
    /// In the order of the values; the same for all batches of a run.
    pub outputs: &'a [String],
    /// Raw columns or players, in model order.
    pub features: &'a [String],
    /// Positions in `features`, `(a, b)` with a ≤ b; the same for all batches of a run.
    pub pairs: &'a [(u32, u32)],
    /// `[rows × outputs × pairs]`: the symmetric pair's total, for a = b the main effect.
    pub values: ArrayView3<'a, f64>,
}

/// Collects chunks and writes them.
#[derive(Debug)]
pub(in crate::store) struct InteractionFile {
    file: RowFile,
    outputs: Arc<StringArray>,
    features: Arc<StringArray>,
    pairs: Vec<(u32, u32)>,
    n_rows: usize,
    ids: Ids,
    value: Vec<f64>,
}

impl InteractionFile {
    pub(in crate::store) fn create(
        target: &Path,
        origin: &Origin,
        first: &InteractionBatch<'_>,
    ) -> Result<Self, StoreError> {
        let id_type = id_type(first.ids);
        Ok(Self {
            file: RowFile::create(target, origin, INTERACTIONS, id_type, None)?,
            outputs: columns::names(first.outputs),
            features: columns::names(first.features),
            pairs: first.pairs.to_vec(),
            n_rows: 0,
            ids: Ids::new(id_type),
            value: Vec::new(),
        })
    }

    pub(in crate::store) fn push(&mut self, batch: &InteractionBatch<'_>) -> Result<(), StoreError> {
        let per_row = self.outputs.len() * self.pairs.len();
        let shape = (n_ids(batch.ids), self.outputs.len(), self.pairs.len());
        if batch.values.dim() != shape || batch.pairs != self.pairs {
            return Err(misfit(
                INTERACTIONS,
                format!("values of shape {:?} where {shape:?} was expected", batch.values.dim()),
            ));
        }
        let rows_per_chunk = (CHUNK_VALUES / per_row.max(1)).max(1);
        for (row, values) in batch.values.outer_iter().enumerate() {
            if !self.ids.push(batch.ids, row, per_row) {
                return Err(misfit(INTERACTIONS, "row ids are numbers in one batch and text in another"));
            }
            self.value.extend(values.iter());
            self.n_rows += 1;
            if self.n_rows == rows_per_chunk {
                self.write_chunk()?;
            }
        }
        Ok(())
    }

    fn write_chunk(&mut self) -> Result<(), StoreError> {
        let n = self.value.len();
        if n == 0 {
            return Ok(());
        }
        let n_pairs = self.pairs.len();
        let output = (0..n).map(|at| (at / n_pairs % self.outputs.len()) as i32).collect();
        let side = |pick: fn(&(u32, u32)) -> u32| (0..n).map(|at| pick(&self.pairs[at % n_pairs]) as i32).collect();
        let arrays: Vec<ArrayRef> = vec![
            self.ids.take(),
            columns::keyed(output, &self.outputs),
            columns::keyed(side(|pair| pair.0), &self.features),
            columns::keyed(side(|pair| pair.1), &self.features),
            columns::numbers(std::mem::take(&mut self.value)),
        ];
        self.n_rows = 0;
        self.file.write_chunk(arrays)
    }

    pub(in crate::store) fn finish(mut self) -> Result<FinishedRows, StoreError> {
        self.write_chunk()?;
        self.file.finish()
    }
}
