//! One polars column → numbers, texts or tensors, as the model's input wants them.

use super::batch::{Column, RowIds};
use super::error::{DataError, RowError};
use super::picture::{self, Picture};
use polars::prelude::*;
use rayon::prelude::*;
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

/// A raw input column and what the model takes.
#[derive(Debug, Clone, PartialEq)]
pub struct FeatureSpec {
    pub column: String,
    pub want: Want,
    /// Category → code, from `[data.encode]`; a value that is not listed becomes missing and is counted.
    pub encode: Option<HashMap<String, f64>>,
    /// The model has no way to take a missing value (whole numbers, strings).
    pub refuse_missing: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Want {
    Number,
    Text,
    /// A list of `width` numbers, or a picture of as many, scaled.
    Tensor {
        width: usize,
        scale: ImageScale,
        /// Where the numbers are those of a picture.
        picture: Option<Picture>,
    },
}

/// `(value × scale − mean) / std`, mean and std per channel of `channels_last` or channel-first data.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ImageScale {
    pub scale: Option<f64>,
    pub mean: Vec<f64>,
    pub std: Vec<f64>,
    pub channels_last: bool,
}

/// How rows of a batch are called where one of them is wrong.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rows<'a> {
    pub path: &'a Path,
    pub ids: &'a RowIds,
}

impl Rows<'_> {
    fn wrong(&self, row: usize, series: &Series, found: String, advice: String) -> DataError {
        let row_id = if row < self.ids.len() { self.ids.text(row) } else { row.to_string() };
        let (path, column) = (self.path.to_owned(), series.name().to_string());
        DataError::Row(Box::new(RowError { path, row_id, column, found, advice }))
    }
}

impl FeatureSpec {
    /// Reads the column of a batch; counts values that `[data.encode]` does not list into `unlisted`.
    pub(super) fn read(&self, series: &Series, rows: Rows, unlisted: &mut u64) -> Result<Column, DataError> {
        let column = match (&self.want, &self.encode) {
            (Want::Number, Some(codes)) => Column::Number(encoded(series, codes, unlisted)?),
            (Want::Number, None) => Column::Number(numbers(series)?),
            (Want::Text, _) => Column::Text(texts(series)?),
            (Want::Tensor { width, scale, picture }, _) => {
                let values = match (series.dtype(), picture) {
                    (DataType::Binary, Some(picture)) => pictures(series, picture, scale, rows)?,
                    _ => tensors(series, *width, scale, rows)?,
                };
                Column::Tensor { width: *width, values }
            }
        };
        self.check_missing(&column)?;
        Ok(column)
    }

    fn check_missing(&self, column: &Column) -> Result<(), DataError> {
        if !self.refuse_missing {
            return Ok(());
        }
        match n_missing(column) {
            0 => Ok(()),
            n => Err(DataError::column(
                &self.column,
                format!("{n} missing values in one batch, but the model's input cannot take a missing value"),
                "fill them in the data, or leave these rows out with [data] filter",
            )),
        }
    }
}

/// Missing entries of a column.
pub fn n_missing(column: &Column) -> usize {
    match column {
        Column::Number(values) => values.iter().filter(|value| value.is_nan()).count(),
        Column::Text(values) => values.iter().filter(|value| value.is_none()).count(),
        Column::Tensor { .. } => 0,
    }
}

pub(super) fn series(frame: &DataFrame, column: &str) -> Result<Series, DataError> {
    frame
        .column(column)
        .map(|column| column.as_materialized_series().clone())
        .map_err(|_| DataError::column(column, "not in this batch", "give every file the same columns"))
}

/// Numbers, booleans (0, 1) and dates (days, or seconds for times of day, since 1970-01-01); null becomes NaN.
pub(super) fn numbers(series: &Series) -> Result<Vec<f64>, DataError> {
    let name = series.name();
    let fail =
        |found: String| DataError::column(name, found, "give numbers here, or map its categories in [data.encode]");
    let series = match series.dtype() {
        DataType::Datetime(unit, _) => {
            let per_second = match unit {
                TimeUnit::Nanoseconds => 1e9,
                TimeUnit::Microseconds => 1e6,
                TimeUnit::Milliseconds => 1e3,
            };
            let ticks = cast(series, &DataType::Int64).and_then(|ticks| cast(&ticks, &DataType::Float64));
            ticks.map(|ticks| ticks / per_second)
        }
        DataType::Date => cast(series, &DataType::Int32).and_then(|days| cast(&days, &DataType::Float64)),
        DataType::Float64 => Ok(series.clone()),
        dtype if dtype.is_primitive_numeric() || dtype.is_bool() || dtype.is_decimal() || *dtype == DataType::Null => {
            cast(series, &DataType::Float64)
        }
        other => return Err(fail(format!("{other} values where the model takes numbers"))),
    };
    let series = series.map_err(|error| fail(error.to_string()))?;
    let values = series.f64().map_err(|error| fail(error.to_string()))?;
    Ok(values.iter().map(|value| value.unwrap_or(f64::NAN)).collect())
}

fn cast(series: &Series, dtype: &DataType) -> PolarsResult<Series> {
    series.cast(dtype)
}

/// Strings and categories as they are; whole numbers and booleans as they are written; null stays missing.
pub(super) fn texts(series: &Series) -> Result<Vec<Option<Arc<str>>>, DataError> {
    let name = series.name();
    let fail =
        |error: PolarsError| DataError::column(name, error.to_string(), "give text, whole numbers or booleans here");
    if series.dtype().is_bool() {
        let flags = series.bool().map_err(fail)?;
        let written = [Arc::<str>::from("false"), Arc::from("true")];
        return Ok(flags.iter().map(|flag| flag.map(|flag| written[usize::from(flag)].clone())).collect());
    }
    if series.dtype().is_float() {
        let mut intern = Interner::default();
        return Ok(numbers(series)?
            .iter()
            .map(|value| (!value.is_nan()).then(|| intern.get(&value.to_string())))
            .collect());
    }
    let strings = series.cast(&DataType::String).map_err(fail)?;
    let mut intern = Interner::default();
    Ok(strings.str().map_err(fail)?.iter().map(|text| text.map(|text| intern.get(text))).collect())
}

/// One allocation per distinct text of a batch.
#[derive(Default)]
struct Interner {
    seen: HashMap<String, Arc<str>>,
}

impl Interner {
    fn get(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.seen.get(text) {
            return known.clone();
        }
        let new = Arc::<str>::from(text);
        self.seen.insert(text.to_owned(), new.clone());
        new
    }
}

fn encoded(series: &Series, codes: &HashMap<String, f64>, unlisted: &mut u64) -> Result<Vec<f64>, DataError> {
    let code = |text: &Option<Arc<str>>| text.as_ref().map(|text| codes.get(&**text).copied());
    Ok(texts(series)?
        .iter()
        .map(|text| match code(text) {
            Some(Some(code)) => code,
            Some(None) => {
                *unlisted += 1;
                f64::NAN
            }
            None => f64::NAN,
        })
        .collect())
}

/// Decodes PNG and JPEG bytes on all threads; of several broken pictures the first row's is told.
fn pictures(series: &Series, picture: &Picture, scale: &ImageScale, rows: Rows) -> Result<Vec<f32>, DataError> {
    let width = picture.n_numbers();
    let bytes = series.binary().map_err(|error| DataError::column(series.name(), error.to_string(), "give bytes"))?;
    let bytes: Vec<Option<&[u8]>> = bytes.iter().collect();
    let mut values = vec![0.0; bytes.len() * width];
    let wrong = values.par_chunks_mut(width.max(1)).zip(&bytes).enumerate().find_map_first(|(row, (into, bytes))| {
        let Some(bytes) = bytes else { return Some((row, "no picture".to_owned())) };
        let scaled = |at: usize, value: f64| scale.apply(at, width, value);
        picture::write(bytes, picture, scaled, into).err().map(|error| (row, error.to_string()))
    });
    match wrong {
        None => Ok(values),
        Some((row, found)) => {
            let Picture { height, width, channels, .. } = picture;
            let advice =
                format!("give every row a PNG or JPEG picture of {height} × {width} pixels, {channels} channel(s)");
            Err(rows.wrong(row, series, found, advice))
        }
    }
}

fn tensors(series: &Series, width: usize, scale: &ImageScale, rows: Rows) -> Result<Vec<f32>, DataError> {
    let advice = || format!("give {width} numbers in every row");
    let fail = |found: String| DataError::column(series.name(), found, advice());
    let listed = match series.dtype() {
        DataType::Array(inner, _) => series.cast(&DataType::List(inner.clone())).map_err(|e| fail(e.to_string()))?,
        _ => series.clone(),
    };
    let lists =
        listed.list().map_err(|_| fail(format!("{} values where lists of numbers are needed", series.dtype())))?;
    let mut values = Vec::with_capacity(lists.len() * width);
    for (row, list) in lists.amortized_iter().enumerate() {
        let list = list.ok_or_else(|| rows.wrong(row, series, "no list".to_owned(), advice()))?;
        let numbers = numbers(list.as_ref())?;
        if numbers.len() != width {
            return Err(rows.wrong(row, series, format!("a list of {} numbers", numbers.len()), advice()));
        }
        values.extend(numbers.iter().enumerate().map(|(at, value)| scale.apply(at, width, *value) as f32));
    }
    Ok(values)
}

impl ImageScale {
    /// The number of the file behind a number of the model's; 0 where the scale is 0.
    pub fn undo(&self, at: usize, width: usize, value: f64) -> f64 {
        let scale = self.scale.unwrap_or(1.0);
        let (mean, std) = self.of_channel(at, width);
        if scale == 0.0 { 0.0 } else { (value * std + mean) / scale }
    }

    /// Mean and deviation of the channel that the number at a position belongs to.
    fn of_channel(&self, at: usize, width: usize) -> (f64, f64) {
        let channels = self.mean.len().max(self.std.len()).max(1);
        let channel = if self.channels_last { at % channels } else { at / (width / channels).max(1) };
        (self.mean.get(channel).copied().unwrap_or(0.0), self.std.get(channel).copied().unwrap_or(1.0))
    }

    fn apply(&self, at: usize, width: usize, value: f64) -> f64 {
        let scaled = value * self.scale.unwrap_or(1.0);
        if self.mean.is_empty() && self.std.is_empty() {
            return scaled;
        }
        let (mean, std) = self.of_channel(at, width);
        (scaled - mean) / std
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nulls_become_nan_and_booleans_numbers() {
        let numbers = |series: Series| super::numbers(&series).unwrap();
        assert!(numbers(Series::new("x".into(), [None, Some(2i32)]))[0].is_nan());
        assert_eq!(numbers(Series::new("x".into(), [true, false])), [1.0, 0.0]);
    }

    #[test]
    fn dates_are_days_and_times_are_seconds() {
        let days = Series::new("d".into(), [1i32, 365]).cast(&DataType::Date).unwrap();
        assert_eq!(numbers(&days).unwrap(), [1.0, 365.0]);
        let times =
            Series::new("t".into(), [1_500i64]).cast(&DataType::Datetime(TimeUnit::Milliseconds, None)).unwrap();
        assert_eq!(numbers(&times).unwrap(), [1.5]);
    }

    #[test]
    fn text_is_not_a_number() {
        let error = numbers(&Series::new("job".into(), ["x"])).unwrap_err();
        assert!(error.to_string().contains("[data.encode]"), "{error}");
    }

    #[test]
    fn a_value_that_is_not_listed_becomes_missing_and_is_counted() {
        let codes = HashMap::from([("a".to_owned(), 0.0), ("b".to_owned(), 1.0)]);
        let mut unlisted = 0;
        let values = encoded(&Series::new("x".into(), [Some("b"), Some("z"), None]), &codes, &mut unlisted).unwrap();
        assert_eq!((values[0], values[1].is_nan(), values[2].is_nan(), unlisted), (1.0, true, true, 1));
    }

    #[test]
    fn lists_are_scaled_into_tensors() {
        let rows = Series::new("p".into(), [Series::new("".into(), [0u8, 255]), Series::new("".into(), [51u8, 0])]);
        let scale = ImageScale { scale: Some(1.0 / 255.0), ..Default::default() };
        let ids = RowIds::Int(vec![40, 41]);
        let named = Rows { path: Path::new("d.parquet"), ids: &ids };
        assert_eq!(tensors(&rows, 2, &scale, named).unwrap(), [0.0, 1.0, 0.2, 0.0]);
        let error = tensors(&rows, 3, &scale, named).unwrap_err().to_string();
        assert!(error.starts_with("d.parquet: row 40, column `p`: a list of 2 numbers"), "{error}");
    }
}
