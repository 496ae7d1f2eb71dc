//! Raw columns → the model's input tensors.

use super::signature::{Element, Port};
use crate::dataset::{Column, Features};
use half::f16;
use ndarray::Array2;
use ort::session::SessionInputValue;
use ort::value::Tensor;
use std::ops::Range;

/// Which raw columns make up which input, for one model.
#[derive(Debug, Clone, PartialEq)]
pub struct Feed {
    pub inputs: Vec<FedInput>,
}

/// One input tensor `[rows, …]`, filled row-major from columns.
#[derive(Debug, Clone, PartialEq)]
pub struct FedInput {
    pub port: Port,
    /// Positions in [`Features::columns`].
    pub columns: Vec<usize>,
}

impl Feed {
    /// The number of rows that every run must have, where an input's batch dimension is fixed.
    pub fn fixed_batch(&self) -> Option<usize> {
        self.inputs.iter().find_map(|input| input.port.dims.first().copied().flatten()).filter(|rows| *rows > 0)
    }

    /// The input that takes every column of the data in order as one row-major matrix of single precision, where that is
    /// all the model takes.
    pub(super) fn matrix(&self, n_columns: usize) -> Option<&FedInput> {
        let [input] = self.inputs.as_slice() else { return None };
        let in_order = input.columns.iter().copied().eq(0..n_columns);
        let flat = matches!(input.port.dims.as_slice(), [None, _]);
        (in_order && flat && input.port.element == Element::F32).then_some(input)
    }

    /// Input values for `rows` of a batch; with `padded` rows in all, the last row repeated.
    pub(super) fn values(
        &self,
        features: &Features,
        rows: Range<usize>,
        padded: usize,
    ) -> ort::Result<Vec<(&str, SessionInputValue<'static>)>> {
        self.inputs.iter().map(|input| Ok((input.port.name.as_str(), input.value(features, &rows, padded)?))).collect()
    }
}

impl FedInput {
    fn value(
        &self,
        features: &Features,
        rows: &Range<usize>,
        padded: usize,
    ) -> ort::Result<SessionInputValue<'static>> {
        let shape = self.shape(features, padded);
        let rows = Rows { range: rows, padded };
        Ok(match self.port.element {
            Element::Text => Tensor::from_string_array((shape, self.texts(features, rows).as_slice()))?.into(),
            Element::F16 => Tensor::from_array((shape, self.numbers(features, rows, f16::from_f64)))?.into(),
            Element::F32 => Tensor::from_array((shape, self.numbers(features, rows, |x| x as f32)))?.into(),
            Element::I64 => Tensor::from_array((shape, self.numbers(features, rows, |x| x as i64)))?.into(),
            Element::I32 => Tensor::from_array((shape, self.numbers(features, rows, |x| x as i32)))?.into(),
            Element::U8 => Tensor::from_array((shape, self.numbers(features, rows, |x| x as u8)))?.into(),
            Element::Bool => Tensor::from_array((shape, self.numbers(features, rows, |x| x != 0.0)))?.into(),
            _ => Tensor::from_array((shape, self.numbers(features, rows, |x| x)))?.into(),
        })
    }

    /// The batch, then the declared dimensions; one dynamic dimension takes what the columns give.
    fn shape(&self, features: &Features, n_rows: usize) -> Vec<i64> {
        self.shape_of(self.columns.iter().map(|column| features.columns[*column].width()).sum(), n_rows)
    }

    /// The same for `width` numbers a row.
    pub(super) fn shape_of(&self, width: usize, n_rows: usize) -> Vec<i64> {
        let declared = &self.port.dims[1.min(self.port.dims.len())..];
        let known: usize = declared.iter().flatten().product();
        let dynamic = width / known.max(1);
        let rest = declared.iter().map(|dim| dim.unwrap_or(dynamic) as i64);
        std::iter::once(n_rows as i64).chain(rest).collect()
    }

    /// All rows as numbers, `[rows × width]`.
    pub(super) fn matrix(&self, features: &Features) -> Array2<f64> {
        let rows = Rows { range: &(0..features.n_rows), padded: features.n_rows };
        let numbers = self.numbers(features, rows, |x| x);
        let width = numbers.len() / features.n_rows.max(1);
        Array2::from_shape_vec((features.n_rows, width), numbers).unwrap_or_else(|_| Array2::zeros((0, 0)))
    }

    fn numbers<T: Copy + Default>(&self, features: &Features, rows: Rows, convert: impl Fn(f64) -> T) -> Vec<T> {
        let width: usize = self.columns.iter().map(|column| features.columns[*column].width()).sum();
        let mut out = vec![T::default(); rows.padded * width];
        let mut offset = 0;
        for column in &self.columns {
            let column = &features.columns[*column];
            match column {
                Column::Number(values) => {
                    for (at, row) in rows.iter().enumerate() {
                        out[at * width + offset] = convert(values[row]);
                    }
                }
                Column::Tensor { width: inner, values } => {
                    for (at, row) in rows.iter().enumerate() {
                        let from = &values[row * inner..(row + 1) * inner];
                        let to = &mut out[at * width + offset..at * width + offset + inner];
                        to.iter_mut().zip(from).for_each(|(to, from)| *to = convert(f64::from(*from)));
                    }
                }
                Column::Text(_) => {}
            }
            offset += column.width();
        }
        out
    }

    fn texts(&self, features: &Features, rows: Rows) -> Vec<String> {
        let mut out = Vec::with_capacity(rows.padded * self.columns.len());
        for row in rows.iter() {
            for column in &self.columns {
                out.push(match &features.columns[*column] {
                    Column::Text(values) => values[row].as_deref().unwrap_or_default().to_owned(),
                    Column::Number(values) => values[row].to_string(),
                    Column::Tensor { .. } => String::new(),
                });
            }
        }
        out
    }
}

/// Rows of a batch, the last repeated up to a fixed number.
#[derive(Clone, Copy)]
struct Rows<'a> {
    range: &'a Range<usize>,
    padded: usize,
}

impl Rows<'_> {
    fn iter(self) -> impl Iterator<Item = usize> {
        let (start, last) = (self.range.start, self.range.end.saturating_sub(1));
        (0..self.padded).map(move |at| (start + at).min(last))
    }
}

impl Column {
    /// Numbers per row.
    pub fn width(&self) -> usize {
        match self {
            Column::Tensor { width, .. } => *width,
            _ => 1,
        }
    }
}
