//! The `predictions` table: one row for each row of the data and output.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, Float64Array, StringArray};
use ndarray::ArrayView2;

use super::columns::{self, Ids};
use super::file::{CHUNK_VALUES, Origin, RowFile, misfit};
use super::schema::{LabelType, PREDICTIONS};
use super::{FinishedRows, columns::id_type};
use crate::dataset::batch::RowIds;
use crate::store::error::StoreError;

/// Scores of consecutive rows of the data.
#[derive(Debug, Clone, Copy)]
pub struct PredictionBatch<'a> {
    pub ids: &'a RowIds,
    /// In model order; the same for all batches of a run.
    pub outputs: &'a [String],
    /// `[rows × outputs]`, probability or value.
    pub score: ArrayView2<'a, f64>,
    /// `[rows × outputs]`, NaN = none for that output.
    pub margin: Option<ArrayView2<'a, f64>>,
    /// `[rows × outputs]`: this output is the decision. `None` where nothing is decided (regression).
    pub predicted: Option<ArrayView2<'a, bool>>,
    pub label: LabelColumn<'a>,
    /// One a row.
    pub weight: Option<&'a [f64]>,
    /// `[rows × outputs]`: how far attributions and base value miss the score they explain; NaN = not explained.
    pub additivity_gap: Option<ArrayView2<'a, f64>>,
}

/// What the data says the answer was.
#[derive(Debug, Clone, Copy)]
pub enum LabelColumn<'a> {
    /// Position in `names`, `None` = missing.
    Class {
        index: &'a [Option<u32>],
        names: &'a [String],
    },
    /// NaN = missing.
    Value(&'a [f64]),
    Absent,
}

impl LabelColumn<'_> {
    fn label_type(&self) -> LabelType {
        match self {
            Self::Value(_) => LabelType::Double,
            Self::Class { .. } | Self::Absent => LabelType::String,
        }
    }

    fn fits(&self, n_rows: usize) -> bool {
        match self {
            Self::Class { index, names } => {
                index.len() == n_rows && index.iter().flatten().all(|class| (*class as usize) < names.len())
            }
            Self::Value(values) => values.len() == n_rows,
            Self::Absent => true,
        }
    }
}

/// Collects chunks and writes them.
#[derive(Debug)]
pub(in crate::store) struct PredictionFile {
    file: RowFile,
    label_type: LabelType,
    outputs: Arc<StringArray>,
    classes: Arc<StringArray>,
    rows_per_chunk: usize,
    n_rows: usize,
    ids: Ids,
    score: Vec<f64>,
    margin: Vec<f64>,
    predicted: Vec<Option<bool>>,
    label: Labels,
    weight: Vec<f64>,
    additivity_gap: Vec<f64>,
}

#[derive(Debug)]
enum Labels {
    Class(Vec<i32>),
    Value(Vec<f64>),
}

impl PredictionFile {
    /// The first batch settles types and names.
    pub(in crate::store) fn create(
        target: &Path,
        origin: &Origin,
        first: &PredictionBatch<'_>,
    ) -> Result<Self, StoreError> {
        check(first)?;
        let (id_type, label_type) = (id_type(first.ids), first.label.label_type());
        let classes = if let LabelColumn::Class { names, .. } = first.label { names } else { &[] };
        Ok(Self {
            file: RowFile::create(target, origin, PREDICTIONS, id_type, Some(label_type))?,
            label_type,
            outputs: columns::names(first.outputs),
            classes: columns::names(classes),
            rows_per_chunk: (CHUNK_VALUES / first.outputs.len()).max(1),
            n_rows: 0,
            ids: Ids::new(id_type),
            score: Vec::new(),
            margin: Vec::new(),
            predicted: Vec::new(),
            label: Labels::new(label_type),
            weight: Vec::new(),
            additivity_gap: Vec::new(),
        })
    }

    pub(in crate::store) fn push(&mut self, batch: &PredictionBatch<'_>) -> Result<(), StoreError> {
        check(batch)?;
        self.check_same(batch)?;
        for row in 0..batch.score.nrows() {
            self.push_row(batch, row)?;
            if self.n_rows == self.rows_per_chunk {
                self.write_chunk()?;
            }
        }
        Ok(())
    }

    fn check_same(&self, batch: &PredictionBatch<'_>) -> Result<(), StoreError> {
        if !self.outputs.iter().flatten().eq(batch.outputs.iter().map(String::as_str)) {
            return Err(misfit(PREDICTIONS, "outputs differ between batches"));
        }
        if self.label_type != batch.label.label_type() {
            return Err(misfit(PREDICTIONS, "labels differ in type between batches"));
        }
        match batch.label {
            LabelColumn::Class { names, .. } if !self.classes.iter().flatten().eq(names.iter().map(String::as_str)) => {
                Err(misfit(PREDICTIONS, "label classes differ between batches"))
            }
            _ => Ok(()),
        }
    }

    fn push_row(&mut self, batch: &PredictionBatch<'_>, row: usize) -> Result<(), StoreError> {
        let n_outputs = batch.outputs.len();
        if !self.ids.push(batch.ids, row, n_outputs) {
            return Err(misfit(PREDICTIONS, "row ids are numbers in one batch and text in another"));
        }
        for output in 0..n_outputs {
            self.score.push(batch.score[[row, output]]);
            self.margin.push(batch.margin.map_or(f64::NAN, |margin| margin[[row, output]]));
            self.predicted.push(batch.predicted.map(|predicted| predicted[[row, output]]));
            self.weight.push(batch.weight.map_or(f64::NAN, |weight| weight[row]));
            self.additivity_gap.push(batch.additivity_gap.map_or(f64::NAN, |gap| gap[[row, output]]));
            self.label.push(&batch.label, row);
        }
        self.n_rows += 1;
        Ok(())
    }

    fn write_chunk(&mut self) -> Result<(), StoreError> {
        let n_outputs = self.outputs.len();
        let keys = (0..self.n_rows * n_outputs).map(|i| (i % n_outputs) as i32).collect();
        let arrays: Vec<ArrayRef> = vec![
            self.ids.take(),
            columns::keyed(keys, &self.outputs),
            columns::numbers(std::mem::take(&mut self.score)),
            columns::numbers_or_null(std::mem::take(&mut self.margin)),
            Arc::new(BooleanArray::from(std::mem::take(&mut self.predicted))),
            self.label.take(&self.classes),
            columns::numbers_or_null(std::mem::take(&mut self.weight)),
            columns::numbers_or_null(std::mem::take(&mut self.additivity_gap)),
        ];
        self.n_rows = 0;
        self.file.write_chunk(arrays)
    }

    pub(in crate::store) fn finish(mut self) -> Result<FinishedRows, StoreError> {
        if self.n_rows > 0 {
            self.write_chunk()?;
        }
        self.file.finish()
    }
}

impl Labels {
    fn new(label_type: LabelType) -> Self {
        match label_type {
            LabelType::Double => Self::Value(Vec::new()),
            LabelType::String => Self::Class(Vec::new()),
        }
    }

    /// The file's and the batch's label types are the same by now.
    fn push(&mut self, label: &LabelColumn<'_>, row: usize) {
        match (self, label) {
            (Self::Class(keys), LabelColumn::Class { index, .. }) => {
                keys.push(index[row].map_or(-1, |class| class as i32))
            }
            (Self::Value(column), LabelColumn::Value(values)) => column.push(values[row]),
            (Self::Class(keys), _) => keys.push(-1),
            (Self::Value(column), _) => column.push(f64::NAN),
        }
    }

    fn take(&mut self, classes: &Arc<StringArray>) -> ArrayRef {
        match self {
            Self::Class(keys) => columns::keyed_or_null(std::mem::take(keys), classes),
            Self::Value(values) => {
                let values = std::mem::take(values);
                Arc::new(Float64Array::from_iter(values.into_iter().map(|value| (!value.is_nan()).then_some(value))))
            }
        }
    }
}

fn check(batch: &PredictionBatch<'_>) -> Result<(), StoreError> {
    let shape = (columns::n_ids(batch.ids), batch.outputs.len());
    let fits = batch.score.dim() == shape
        && batch.margin.is_none_or(|margin| margin.dim() == shape)
        && batch.predicted.is_none_or(|predicted| predicted.dim() == shape)
        && batch.weight.is_none_or(|weight| weight.len() == shape.0)
        && batch.additivity_gap.is_none_or(|gap| gap.dim() == shape)
        && batch.label.fits(shape.0);
    match fits && !batch.outputs.is_empty() {
        true => Ok(()),
        false => {
            Err(misfit(PREDICTIONS, format!("{} ids and {} outputs, but columns of another shape", shape.0, shape.1)))
        }
    }
}
