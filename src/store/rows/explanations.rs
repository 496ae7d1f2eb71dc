//! The `explanations` table: one row for each row of the data, explained output and feature.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, StringArray};
use ndarray::ArrayView1;

use super::FinishedRows;
use super::columns::{self, Ids, Words, id_type, n_ids};
use super::file::{CHUNK_VALUES, Origin, RowFile, misfit};
use super::schema::EXPLANATIONS;
use super::values::{FeatureValues, MISSING, ValueTexts};
use crate::dataset::batch::RowIds;
use crate::explain::{Attributions, OTHER, largest};
use crate::store::error::StoreError;

/// Attributions of consecutive explained rows.
#[derive(Debug, Clone, Copy)]
pub struct ExplanationBatch<'a> {
    pub ids: &'a RowIds,
    pub outputs: ExplainedOutputs<'a>,
    pub method: &'a str,
    /// Raw columns or players, in model order.
    pub features: &'a [String],
    /// One a feature, each of as many rows as there are ids.
    pub values: &'a [FeatureValues<'a>],
    /// `[rows × outputs × features]`; one output where each row has its own.
    pub attributions: &'a Attributions,
    /// So many of the largest attributions are stored one by one, the rest as the feature "(other)"; 0 = all.
    pub top_k: usize,
    /// What each attribution is for, `[rows][features]`, where the method says so (LIME).
    pub terms: Option<&'a [Vec<String>]>,
}

/// Which output the attributions of a row explain.
#[derive(Debug, Clone, Copy)]
pub enum ExplainedOutputs<'a> {
    /// The same for every row, in the order of the attributions.
    Same(&'a [String]),
    /// One a row (its decision, say): `index[row]` counts into `names`.
    PerRow { names: &'a [String], index: &'a [u32] },
}

/// Binary digits kept of an attribution beside the leading one. The relative error is at most 2⁻³⁷ (7·10⁻¹²), below
/// what methods' own rounding and the models' single-precision leaves allow to mean anything; whole, the digits after
/// that are noise that no compression shortens, and cost two bytes a value.
pub(in crate::store) const KEPT_DIGITS: u32 = 36;

/// Collects chunks and writes them.
#[derive(Debug)]
pub(in crate::store) struct ExplanationFile {
    file: RowFile,
    section: Section,
    n_rows: usize,
    ids: Ids,
    output: Vec<i32>,
    feature: Vec<i32>,
    value: Vec<i32>,
    texts: ValueTexts,
    attribution: Vec<f64>,
    base_value: Vec<f64>,
    std_err: Vec<f64>,
    term: Vec<i32>,
    terms: Words,
    /// Keys of one row's terms; empty where there are none.
    row_terms: Vec<i32>,
    /// Keys of one row's feature values, kept to use its memory again.
    row_values: Vec<i32>,
}

/// What stays the same from batch to batch of one method.
#[derive(Debug)]
struct Section {
    method: Arc<StringArray>,
    outputs: Arc<StringArray>,
    /// Every feature, then "(other)".
    features: Arc<StringArray>,
    /// Features stored of each row and output.
    n_stored: usize,
    /// Outputs explained of each row.
    n_outputs: usize,
    sampled: bool,
    has_terms: bool,
}

impl ExplanationFile {
    pub(in crate::store) fn create(
        target: &Path,
        origin: &Origin,
        first: &ExplanationBatch<'_>,
    ) -> Result<Self, StoreError> {
        check(first)?;
        let id_type = id_type(first.ids);
        Ok(Self {
            file: RowFile::create(target, origin, EXPLANATIONS, id_type, None)?,
            section: Section::of(first),
            n_rows: 0,
            ids: Ids::new(id_type),
            output: Vec::new(),
            feature: Vec::new(),
            value: Vec::new(),
            texts: ValueTexts::default(),
            attribution: Vec::new(),
            base_value: Vec::new(),
            std_err: Vec::new(),
            term: Vec::new(),
            terms: Words::default(),
            row_terms: Vec::new(),
            row_values: Vec::new(),
        })
    }

    /// A batch of another method, or of other outputs or features, begins a new section of the file.
    pub(in crate::store) fn push(&mut self, batch: &ExplanationBatch<'_>) -> Result<(), StoreError> {
        check(batch)?;
        if !self.section.holds(batch) {
            self.write_chunk()?;
            self.section = Section::of(batch);
        }
        let rows_per_chunk = self.section.rows_per_chunk();
        for row in 0..n_ids(batch.ids) {
            self.push_row(batch, row)?;
            if self.n_rows == rows_per_chunk {
                self.write_chunk()?;
            }
        }
        Ok(())
    }

    fn push_row(&mut self, batch: &ExplanationBatch<'_>, row: usize) -> Result<(), StoreError> {
        let (n_outputs, n_stored) = (self.section.n_outputs, self.section.n_stored);
        if !self.ids.push(batch.ids, row, n_outputs * n_stored) {
            return Err(misfit(EXPLANATIONS, "row ids are numbers in one batch and text in another"));
        }
        self.row_terms.clear();
        self.row_terms.extend(batch.terms.iter().flat_map(|terms| &terms[row]).map(|term| self.terms.key(term)));
        self.row_values.clear();
        for (feature, values) in batch.values.iter().enumerate() {
            self.row_values.push(self.texts.key(feature, values, row));
        }
        for output in 0..n_outputs {
            let key = batch.outputs.key(row, output);
            self.output.extend(std::iter::repeat_n(key, n_stored));
            self.base_value.extend(std::iter::repeat_n(batch.attributions.base[[row, output]], n_stored));
            let phi = batch.attributions.phi.slice(ndarray::s![row, output, ..]);
            let std_err = batch.attributions.std_err.as_ref();
            let std_err = std_err.map(|std_err| std_err.slice(ndarray::s![row, output, ..]));
            match n_stored == batch.features.len() {
                true => self.push_all(phi, std_err),
                false => self.push_largest(phi, std_err, batch.top_k),
            }
        }
        self.n_rows += 1;
        Ok(())
    }

    fn push_all(&mut self, phi: ArrayView1<f64>, std_err: Option<ArrayView1<f64>>) {
        self.feature.extend(0..phi.len() as i32);
        self.value.extend_from_slice(&self.row_values);
        self.term.extend_from_slice(&self.row_terms);
        self.attribution.extend(phi.iter().map(|phi| shorten(*phi)));
        self.std_err.extend(std_err.iter().flatten().map(|error| shorten(*error)));
    }

    /// The errors of the rest are not independent: their sum bounds that of the sum.
    fn push_largest(&mut self, phi: ArrayView1<f64>, std_err: Option<ArrayView1<f64>>, k: usize) {
        let kept = largest(phi, k);
        self.feature.extend(kept.features.iter().map(|feature| *feature as i32).chain([phi.len() as i32]));
        self.value.extend(kept.features.iter().map(|feature| self.row_values[*feature]).chain([MISSING]));
        if !self.row_terms.is_empty() {
            self.term.extend(kept.features.iter().map(|feature| self.row_terms[*feature]).chain([MISSING]));
        }
        let stored = kept.features.iter().map(|feature| phi[*feature]).chain(kept.other(phi));
        self.attribution.extend(stored.map(shorten));
        if let Some(std_err) = std_err {
            let bound = kept.rest.iter().map(|feature| std_err[*feature]).sum();
            let stored = kept.features.iter().map(|feature| std_err[*feature]).chain([bound]);
            self.std_err.extend(stored.map(shorten));
        }
    }

    fn write_chunk(&mut self) -> Result<(), StoreError> {
        let n = self.attribution.len();
        if n == 0 {
            return Ok(());
        }
        let std_err = if self.section.sampled { std::mem::take(&mut self.std_err) } else { vec![f64::NAN; n] };
        let terms = match self.term.is_empty() {
            true => columns::null_text(n),
            false => columns::keyed_or_null(std::mem::take(&mut self.term), &self.terms.take()),
        };
        let arrays: Vec<ArrayRef> = vec![
            self.ids.take(),
            columns::keyed(std::mem::take(&mut self.output), &self.section.outputs),
            columns::keyed(vec![0; n], &self.section.method),
            columns::keyed(std::mem::take(&mut self.feature), &self.section.features),
            columns::keyed_or_null(std::mem::take(&mut self.value), &self.texts.take()),
            terms,
            columns::numbers(std::mem::take(&mut self.attribution)),
            columns::numbers(std::mem::take(&mut self.base_value)),
            columns::numbers_or_null(std_err),
        ];
        self.n_rows = 0;
        self.file.write_chunk(arrays)
    }

    pub(in crate::store) fn finish(mut self) -> Result<FinishedRows, StoreError> {
        self.write_chunk()?;
        self.file.finish()
    }
}

impl Section {
    fn of(batch: &ExplanationBatch<'_>) -> Self {
        let features: Vec<String> = batch.features.iter().cloned().chain([OTHER.to_owned()]).collect();
        Self {
            method: columns::names(&[batch.method.to_string()]),
            outputs: columns::names(batch.outputs.names()),
            features: columns::names(&features),
            n_stored: n_stored(batch),
            n_outputs: batch.outputs.per_row(),
            sampled: batch.attributions.std_err.is_some(),
            has_terms: batch.terms.is_some(),
        }
    }

    fn holds(&self, batch: &ExplanationBatch<'_>) -> bool {
        let same = |mine: &StringArray, theirs: &[String]| mine.iter().flatten().eq(theirs.iter().map(String::as_str));
        let features = self.features.iter().flatten().take(self.features.len() - 1);
        self.method.value(0) == batch.method
            && self.n_outputs == batch.outputs.per_row()
            && self.sampled == batch.attributions.std_err.is_some()
            && self.has_terms == batch.terms.is_some()
            && same(&self.outputs, batch.outputs.names())
            && self.n_stored == n_stored(batch)
            && features.eq(batch.features.iter().map(String::as_str))
    }

    fn rows_per_chunk(&self) -> usize {
        (CHUNK_VALUES / (self.n_outputs * self.n_stored)).max(1)
    }
}

impl<'a> ExplainedOutputs<'a> {
    pub(super) fn names(&self) -> &'a [String] {
        match *self {
            Self::Same(names) | Self::PerRow { names, .. } => names,
        }
    }

    pub(super) fn per_row(&self) -> usize {
        match self {
            Self::Same(names) => names.len(),
            Self::PerRow { .. } => 1,
        }
    }

    pub(super) fn key(&self, row: usize, output: usize) -> i32 {
        match self {
            Self::Same(_) => output as i32,
            Self::PerRow { index, .. } => index[row] as i32,
        }
    }

    fn fits(&self, n_rows: usize) -> bool {
        match self {
            Self::Same(_) => true,
            Self::PerRow { names, index } => {
                index.len() == n_rows && index.iter().all(|output| (*output as usize) < names.len())
            }
        }
    }
}

/// Features stored of each row and output: all, or the largest and the rest.
fn n_stored(batch: &ExplanationBatch<'_>) -> usize {
    match batch.top_k {
        k if k > 0 && k < batch.features.len() => k + 1,
        _ => batch.features.len(),
    }
}

/// Rounds to [`KEPT_DIGITS`] binary digits, halves away from zero; what is no finite number stays as it is.
fn shorten(value: f64) -> f64 {
    const DROPPED: u32 = f64::MANTISSA_DIGITS - 1 - KEPT_DIGITS;
    // Adding half a unit may carry into the exponent, which is what rounding up to the next power of two means.
    let rounded = f64::from_bits((value.to_bits() + (1 << (DROPPED - 1))) & !((1 << DROPPED) - 1));
    if rounded.is_finite() { rounded } else { value }
}

fn check(batch: &ExplanationBatch<'_>) -> Result<(), StoreError> {
    let (n_rows, n_outputs, n_features) = (n_ids(batch.ids), batch.outputs.per_row(), batch.features.len());
    let attributions = batch.attributions;
    let shape = (n_rows, n_outputs, n_features);
    let fits = attributions.phi.dim() == shape
        && attributions.base.dim() == (n_rows, n_outputs)
        && attributions.std_err.as_ref().is_none_or(|std_err| std_err.dim() == shape)
        && batch.values.len() == n_features
        && batch.values.iter().all(|values| values.n_rows() == n_rows)
        && batch.terms.is_none_or(|terms| terms.len() == n_rows && terms.iter().all(|row| row.len() == n_features))
        && batch.outputs.fits(n_rows);
    match fits && n_outputs > 0 && n_features > 0 {
        true => Ok(()),
        false => Err(misfit(
            EXPLANATIONS,
            format!(
                "{n_rows} ids, {n_outputs} outputs and {n_features} features, but attributions of shape {:?} and values of another",
                attributions.phi.dim()
            ),
        )),
    }
}
