//! The `local_fits` table: one row for each row of the data and output that a surrogate stands in for.

use std::path::Path;

use arrow::array::ArrayRef;
use ndarray::ArrayView2;

use super::FinishedRows;
use super::columns::{self, Ids, Words, id_type, n_ids};
use super::explanations::ExplainedOutputs;
use super::file::{CHUNK_VALUES, Origin, RowFile, misfit};
use super::schema::LOCAL_FITS;
use crate::dataset::batch::RowIds;
use crate::explain::lime::LocalFit;
use crate::store::error::StoreError;

/// Surrogates of consecutive explained rows.
#[derive(Debug, Clone, Copy)]
pub struct LocalFitBatch<'a> {
    pub ids: &'a RowIds,
    pub outputs: ExplainedOutputs<'a>,
    pub method: &'a str,
    /// `[rows × outputs]`; one output where each row has its own.
    pub fits: ArrayView2<'a, LocalFit>,
}

/// Collects chunks and writes them. Texts are kept as they come: surrogates are fitted to few rows.
#[derive(Debug)]
pub(in crate::store) struct LocalFitFile {
    file: RowFile,
    ids: Ids,
    /// Distinct outputs and methods, and keys into them.
    names: Words,
    output: Vec<i32>,
    method: Vec<i32>,
    intercept: Vec<f64>,
    local_prediction: Vec<f64>,
    r2: Vec<f64>,
    stability: Vec<f64>,
}

impl LocalFitFile {
    pub(in crate::store) fn create(
        target: &Path,
        origin: &Origin,
        first: &LocalFitBatch<'_>,
    ) -> Result<Self, StoreError> {
        let id_type = id_type(first.ids);
        Ok(Self {
            file: RowFile::create(target, origin, LOCAL_FITS, id_type, None)?,
            ids: Ids::new(id_type),
            names: Words::default(),
            output: Vec::new(),
            method: Vec::new(),
            intercept: Vec::new(),
            local_prediction: Vec::new(),
            r2: Vec::new(),
            stability: Vec::new(),
        })
    }

    pub(in crate::store) fn push(&mut self, batch: &LocalFitBatch<'_>) -> Result<(), StoreError> {
        let n_outputs = batch.outputs.per_row();
        if batch.fits.dim() != (n_ids(batch.ids), n_outputs) {
            return Err(misfit(
                LOCAL_FITS,
                format!("{} ids, but fits of shape {:?}", n_ids(batch.ids), batch.fits.dim()),
            ));
        }
        let outputs: Vec<i32> = batch.outputs.names().iter().map(|name| self.names.key(name)).collect();
        let method = self.names.key(batch.method);
        for (row, fits) in batch.fits.outer_iter().enumerate() {
            if !self.ids.push(batch.ids, row, n_outputs) {
                return Err(misfit(LOCAL_FITS, "row ids are numbers in one batch and text in another"));
            }
            for (at, fit) in fits.iter().enumerate() {
                self.output.push(outputs[batch.outputs.key(row, at) as usize]);
                self.method.push(method);
                self.intercept.push(fit.intercept);
                self.local_prediction.push(fit.local_prediction);
                self.r2.push(fit.r2.unwrap_or(f64::NAN));
                self.stability.push(fit.stability.unwrap_or(f64::NAN));
            }
            // Whole rows only: a chunk's size does not depend on the batches that rows came in.
            if self.intercept.len() + n_outputs > CHUNK_VALUES {
                self.write_chunk()?;
            }
        }
        Ok(())
    }

    fn write_chunk(&mut self) -> Result<(), StoreError> {
        if self.intercept.is_empty() {
            return Ok(());
        }
        let names = self.names.texts();
        let arrays: Vec<ArrayRef> = vec![
            self.ids.take(),
            columns::keyed(std::mem::take(&mut self.output), &names),
            columns::keyed(std::mem::take(&mut self.method), &names),
            columns::numbers(std::mem::take(&mut self.intercept)),
            columns::numbers(std::mem::take(&mut self.local_prediction)),
            columns::numbers_or_null(std::mem::take(&mut self.r2)),
            columns::numbers_or_null(std::mem::take(&mut self.stability)),
        ];
        self.file.write_chunk(arrays)
    }

    pub(in crate::store) fn finish(mut self) -> Result<FinishedRows, StoreError> {
        self.write_chunk()?;
        self.file.finish()
    }
}
