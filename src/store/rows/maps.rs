//! The `attribution_maps` table: one row for each picture and explained output.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float32Array, Int32Array, ListArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field};
use ndarray::ArrayView3;

use super::FinishedRows;
use super::columns::{self, Ids, Words, id_type, n_ids};
use super::explanations::ExplainedOutputs;
use super::file::{CHUNK_VALUES, Origin, RowFile, misfit};
use super::schema::ATTRIBUTION_MAPS;
use crate::dataset::batch::RowIds;
use crate::store::error::StoreError;

/// Maps of consecutive explained rows.
#[derive(Debug, Clone, Copy)]
pub struct MapBatch<'a> {
    pub ids: &'a RowIds,
    pub outputs: ExplainedOutputs<'a>,
    pub method: &'a str,
    /// In pixels; the same for all batches of a run.
    pub height: usize,
    pub width: usize,
    /// `[rows × outputs × pixels]`, pixels row by row.
    pub values: ArrayView3<'a, f32>,
}

/// Collects chunks and writes them.
#[derive(Debug)]
pub(in crate::store) struct MapFile {
    file: RowFile,
    height: usize,
    width: usize,
    ids: Ids,
    /// Distinct outputs and methods, and keys into them.
    names: Words,
    output: Vec<i32>,
    method: Vec<i32>,
    values: Vec<f32>,
}

impl MapFile {
    pub(in crate::store) fn create(target: &Path, origin: &Origin, first: &MapBatch<'_>) -> Result<Self, StoreError> {
        let id_type = id_type(first.ids);
        Ok(Self {
            file: RowFile::create(target, origin, ATTRIBUTION_MAPS, id_type, None)?,
            height: first.height,
            width: first.width,
            ids: Ids::new(id_type),
            names: Words::default(),
            output: Vec::new(),
            method: Vec::new(),
            values: Vec::new(),
        })
    }

    pub(in crate::store) fn push(&mut self, batch: &MapBatch<'_>) -> Result<(), StoreError> {
        let (n_rows, n_outputs, n_pixels) = batch.values.dim();
        if n_rows != n_ids(batch.ids) || n_pixels != self.height * self.width {
            return Err(misfit(
                ATTRIBUTION_MAPS,
                format!("maps of shape {:?} for {} rows", batch.values.dim(), n_ids(batch.ids)),
            ));
        }
        let outputs: Vec<i32> = batch.outputs.names().iter().map(|name| self.names.key(name)).collect();
        let method = self.names.key(batch.method);
        for (row, maps) in batch.values.outer_iter().enumerate() {
            if !self.ids.push(batch.ids, row, n_outputs) {
                return Err(misfit(ATTRIBUTION_MAPS, "row ids are numbers in one batch and text in another"));
            }
            for (output, map) in maps.rows().into_iter().enumerate() {
                self.output.push(outputs[batch.outputs.key(row, output) as usize]);
                self.method.push(method);
                self.values.extend(map.iter());
            }
            if self.values.len() + n_outputs * n_pixels > CHUNK_VALUES {
                self.write_chunk()?;
            }
        }
        Ok(())
    }

    fn write_chunk(&mut self) -> Result<(), StoreError> {
        let n = self.output.len();
        if n == 0 {
            return Ok(());
        }
        let item = Arc::new(Field::new("item", DataType::Float32, false));
        let lengths = OffsetBuffer::from_lengths(std::iter::repeat_n(self.height * self.width, n));
        let values = Arc::new(Float32Array::from(std::mem::take(&mut self.values)));
        let maps = ListArray::try_new(item, lengths, values, None).map_err(|error| misfit(ATTRIBUTION_MAPS, error))?;
        let names = self.names.texts();
        let size = |size: usize| Arc::new(Int32Array::from(vec![size as i32; n])) as ArrayRef;
        let arrays: Vec<ArrayRef> = vec![
            self.ids.take(),
            columns::keyed(std::mem::take(&mut self.output), &names),
            columns::keyed(std::mem::take(&mut self.method), &names),
            size(self.height),
            size(self.width),
            Arc::new(maps),
        ];
        self.file.write_chunk(arrays)
    }

    pub(in crate::store) fn finish(mut self) -> Result<FinishedRows, StoreError> {
        self.write_chunk()?;
        self.file.finish()
    }
}
