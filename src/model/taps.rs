//! A model that shows what it computes inside: tensors as outputs of a session of their own.
//!
//! Outputs keep ONNX Runtime from fusing what computes them, so scores never come from here.

use super::error::ModelError;
use super::feed::Feed;
use super::pool::Pool;
use super::predictor::PredictError;
use super::{Model, onnx};
use crate::dataset::Features;
use half::{bf16, f16};
use ort::value::{DynValue, PrimitiveTensorElementType, TensorElementType};
use std::ops::Range;

/// Memory that one run may take for the tensors that are looked at.
const RUN_BYTES: usize = 64 << 20;
/// Beyond this, a run only gets longer.
const MOST_ROWS: usize = 1024;
/// Rows of two trial runs: the dimension that follows is the batch.
const TRIED_ROWS: [usize; 2] = [2, 3];

/// Sessions that return tensors from inside a model.
pub struct Taps {
    name: String,
    pool: Pool,
    feed: Feed,
    tapped: Vec<Tapped>,
    rows_at_once: usize,
}

/// A tensor that is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tapped {
    pub tensor: String,
    /// Behind the batch.
    pub dims: Vec<usize>,
}

/// A tensor that cannot be looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Untapped {
    pub tensor: String,
    pub reason: String,
}

impl Model {
    /// Opens the model with these tensors as its outputs, as far as they hold numbers for each row, and says of the
    /// others why not. `features` are any rows.
    ///
    /// # Errors
    /// ONNX Runtime rejects the edited model, or cannot run it on these rows.
    pub fn taps(
        &self,
        feed: &Feed,
        features: &Features,
        tensors: &[&str],
        threads: usize,
    ) -> Result<(Taps, Vec<Untapped>), ModelError> {
        let (mut tapped, mut untapped) = (Vec::new(), Vec::new());
        let trial = self.tap(feed, tensors, 1)?;
        let first = features.take(&[0]);
        let sizes = feed.fixed_batch().map_or(TRIED_ROWS, |rows| [rows, rows]);
        let shapes = sizes.map(|rows| trial.shapes(&first, tensors, rows));
        let [some, more] = shapes.map(|shapes| shapes.map_err(|error| self.rejected(&error)));
        let (some, more) = (some?, more?);
        for (at, tensor) in tensors.iter().enumerate() {
            match rows_first(&some[at], &more[at], sizes) {
                Ok(dims) => tapped.push(Tapped { tensor: (*tensor).to_owned(), dims }),
                Err(reason) => untapped.push(Untapped { tensor: (*tensor).to_owned(), reason }),
            }
        }
        let kept: Vec<&str> = tapped.iter().map(|tapped| tapped.tensor.as_str()).collect();
        let width: usize = tapped.iter().map(Tapped::width).sum();
        let taps = match kept.is_empty() {
            true => trial,
            false => self.tap(feed, &kept, threads)?,
        };
        // A power of two: rows meet the same neighbours wherever a run begins.
        let rows = (RUN_BYTES / (4 * width.max(1))).clamp(1, MOST_ROWS);
        let rows_at_once = feed.fixed_batch().unwrap_or(1 << rows.ilog2());
        Ok((Taps { tapped, rows_at_once, ..taps }, untapped))
    }

    fn tap(&self, feed: &Feed, tensors: &[&str], threads: usize) -> Result<Taps, ModelError> {
        let edited = onnx::with_outputs(&self.bytes, tensors).map_err(|error| self.rejected(&error))?;
        let pool = Pool::open(&self.name, &edited, threads)?;
        Ok(Taps { name: self.name.clone(), pool, feed: feed.clone(), tapped: Vec::new(), rows_at_once: 1 })
    }

    fn rejected(&self, error: &dyn std::fmt::Display) -> ModelError {
        ModelError::Rejected { model: self.name.clone(), reason: error.to_string() }
    }
}

impl Tapped {
    /// Numbers per row.
    pub fn width(&self) -> usize {
        self.dims.iter().product()
    }
}

impl Taps {
    /// In the order in which they were asked for.
    pub fn tapped(&self) -> &[Tapped] {
        &self.tapped
    }

    /// Rows that one run should have.
    pub fn rows_at_once(&self) -> usize {
        self.rows_at_once
    }

    /// One run of one session, of at most [`Taps::rows_at_once`] rows: of every tapped tensor its numbers, row by row.
    ///
    /// # Errors
    /// ONNX Runtime cannot run these rows, or a tensor has another shape than it had for others.
    pub fn run(&self, features: &Features, rows: Range<usize>) -> Result<Vec<Vec<f32>>, PredictError> {
        let n_rows = rows.len();
        let padded = self.feed.fixed_batch().unwrap_or(n_rows);
        let broken = |message: String| PredictError::Runtime { n_rows, message };
        let values = self.feed.values(features, rows, padded).map_err(|error| broken(error.to_string()))?;
        self.pool.with(|session| {
            let outputs = session.run(values).map_err(|error| broken(error.to_string()))?;
            let read = |tapped: &Tapped| {
                let of = |problem: String| broken(format!("{}: tensor `{}` {problem}", self.name, tapped.tensor));
                let value = outputs.get(&tapped.tensor).ok_or_else(|| of("is not returned".to_owned()))?;
                let (dims, mut values) = numbers(value).map_err(of)?;
                if dims.first() != Some(&padded) || dims[1..] != tapped.dims {
                    let expected = &tapped.dims;
                    return Err(of(format!("has shape {dims:?} for {padded} rows, and had {expected:?} a row before")));
                }
                values.truncate(n_rows * tapped.width());
                Ok(values)
            };
            self.tapped.iter().map(read).collect()
        })
    }

    /// What the first row, repeated, gives for each tensor: its dimensions, or why it is no tensor of numbers.
    fn shapes(
        &self,
        first: &Features,
        tensors: &[&str],
        rows: usize,
    ) -> Result<Vec<Result<Vec<usize>, String>>, PredictError> {
        let broken = |error: ort::Error| PredictError::Runtime { n_rows: rows, message: error.to_string() };
        let values = self.feed.values(first, 0..1, rows).map_err(broken)?;
        self.pool.with(|session| {
            let outputs = session.run(values).map_err(broken)?;
            let shape = |tensor: &&str| {
                let value = outputs.get(tensor).ok_or_else(|| "is not returned".to_owned())?;
                numbers(value).map(|(dims, _)| dims)
            };
            Ok(tensors.iter().map(shape).collect())
        })
    }
}

/// Dimensions behind the batch, which must be the first.
fn rows_first(
    some: &Result<Vec<usize>, String>,
    more: &Result<Vec<usize>, String>,
    sizes: [usize; 2],
) -> Result<Vec<usize>, String> {
    let (some, more) = (some.as_ref().map_err(String::clone)?, more.as_ref().map_err(String::clone)?);
    let by_row = some.first() == Some(&sizes[0]) && more.first() == Some(&sizes[1]);
    match by_row && some[1..] == more[1..] && some.iter().all(|dim| *dim > 0) {
        true => Ok(some[1..].to_vec()),
        false => Err(format!("has shape {more:?} for {} rows: its first dimension is not the rows", sizes[1])),
    }
}

/// A floating tensor's dimensions and numbers. Those of 64 bits are rounded, those of 16 are what they are: a cast in the
/// graph would be merged with others there, and give numbers that the tensor never held.
fn numbers(value: &DynValue) -> Result<(Vec<usize>, Vec<f32>), String> {
    let element = value.dtype().tensor_type().ok_or("is not a tensor")?;
    match element {
        TensorElementType::Float32 => read::<f32>(value, |value| value),
        TensorElementType::Float64 => read::<f64>(value, |value| value as f32),
        TensorElementType::Float16 => read(value, f16::to_f32),
        TensorElementType::Bfloat16 => read(value, bf16::to_f32),
        other => Err(format!("holds {other}, not floating-point numbers")),
    }
}

fn read<T: PrimitiveTensorElementType + Copy>(
    value: &DynValue,
    number: impl Fn(T) -> f32,
) -> Result<(Vec<usize>, Vec<f32>), String> {
    let (shape, values) = value.try_extract_tensor::<T>().map_err(|error| error.to_string())?;
    let sizes = shape.iter().map(|size| usize::try_from(*size).unwrap_or(0)).collect();
    Ok((sizes, values.iter().map(|value| number(*value)).collect()))
}
