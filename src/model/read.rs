//! Output tensors → a matrix of numbers, `[rows × columns]`.

use super::signature::{Element, Port};
use half::{bf16, f16};
use ndarray::Array2;
use ort::value::{DynMapValueType, DynValue, TensorElementType};

/// Reads a named output of a run: a tensor (one column if it has one dimension), or a ZipMap's sequence of maps.
pub(super) fn matrix(port: &Port, value: &DynValue, n_rows: usize, classes: &[String]) -> Result<Array2<f64>, String> {
    match port.element {
        Element::ClassMaps => class_maps(value, n_rows, classes),
        _ => tensor(value, n_rows),
    }
}

/// A tensor of numbers, `[rows × whatever stands behind]`.
pub(super) fn numbers(value: &DynValue, n_rows: usize) -> Result<Array2<f64>, String> {
    tensor(value, n_rows)
}

fn tensor(value: &DynValue, n_rows: usize) -> Result<Array2<f64>, String> {
    let element = value.dtype().tensor_type().ok_or("it is not a tensor")?;
    let numbers: Vec<f64> = match element {
        TensorElementType::Float32 => widened::<f32>(value)?,
        TensorElementType::Float64 => widened::<f64>(value)?,
        TensorElementType::Float16 => widened::<f16>(value)?,
        TensorElementType::Bfloat16 => widened::<bf16>(value)?,
        TensorElementType::Int32 => widened::<i32>(value)?,
        TensorElementType::Int64 => {
            let (_, values) = value.try_extract_tensor::<i64>().map_err(|error| error.to_string())?;
            values.iter().map(|value| *value as f64).collect()
        }
        other => return Err(format!("its elements are {other}, not numbers")),
    };
    if n_rows == 0 || !numbers.len().is_multiple_of(n_rows) {
        return Err(format!("it gave {} numbers for {n_rows} rows", numbers.len()));
    }
    Array2::from_shape_vec((n_rows, numbers.len() / n_rows), numbers).map_err(|error| error.to_string())
}

fn widened<T: ort::value::PrimitiveTensorElementType + Copy + Into<f64>>(value: &DynValue) -> Result<Vec<f64>, String> {
    let (_, values) = value.try_extract_tensor::<T>().map_err(|error| error.to_string())?;
    Ok(values.iter().map(|value| (*value).into()).collect())
}

/// One map per row; columns in the order of `classes`.
fn class_maps(value: &DynValue, n_rows: usize, classes: &[String]) -> Result<Array2<f64>, String> {
    let maps = value.try_extract_sequence::<DynMapValueType>().map_err(|error| error.to_string())?;
    if maps.len() != n_rows {
        return Err(format!("it gave {} maps for {n_rows} rows", maps.len()));
    }
    let mut out = Array2::zeros((n_rows, classes.len()));
    for (row, map) in maps.iter().enumerate() {
        for (class, score) in entries(map)? {
            let at = classes.iter().position(|known| *known == class);
            let at = at.ok_or_else(|| format!("it names a class `{class}` that the model does not declare"))?;
            out[[row, at]] = score;
        }
    }
    Ok(out)
}

/// Classes of the first map, sorted as the converter declares them (by number, else by text).
pub(super) fn class_names(value: &DynValue) -> Result<Vec<String>, String> {
    let maps = value.try_extract_sequence::<DynMapValueType>().map_err(|error| error.to_string())?;
    let first = maps.first().ok_or("it gave no map")?;
    let mut names: Vec<String> = entries(first)?.into_iter().map(|(class, _)| class).collect();
    match names.iter().all(|name| name.parse::<i64>().is_ok()) {
        true => names.sort_by_key(|name| name.parse::<i64>().unwrap_or(0)),
        false => names.sort(),
    }
    Ok(names)
}

fn entries(map: &ort::value::DynMap) -> Result<Vec<(String, f64)>, String> {
    if let Ok(entries) = map.try_extract_key_values::<i64, f32>() {
        return Ok(entries.into_iter().map(|(class, score)| (class.to_string(), f64::from(score))).collect());
    }
    let entries = map.try_extract_key_values::<String, f32>().map_err(|error| error.to_string())?;
    Ok(entries.into_iter().map(|(class, score)| (class, f64::from(score))).collect())
}
