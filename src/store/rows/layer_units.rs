//! The `layer_units` table: one row for each channel or neuron of the layers that were looked at.
//!
//! It has no row of the data in it, yet wide networks have more units than belong into the catalogue.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Int64Array, StringDictionaryBuilder};
use arrow::datatypes::Int32Type;

use super::FinishedRows;
use super::columns::numbers_or_null;
use super::file::{Origin, RowFile};
use super::schema::{IdType, LAYER_UNITS};
use crate::audit::LayerUnit;
use crate::store::error::StoreError;

/// Rows of a chunk.
const CHUNK: usize = 1 << 16;

/// Writes all units, layer by layer.
pub(in crate::store) fn write(target: &Path, origin: &Origin, units: &[LayerUnit]) -> Result<FinishedRows, StoreError> {
    // There is no `row_id`; the type only tells row-level files from others in the catalogue.
    let mut file = RowFile::create(target, origin, LAYER_UNITS, IdType::String, None)?;
    for units in units.chunks(CHUNK) {
        file.write_chunk(arrays(units))?;
    }
    file.finish()
}

fn arrays(units: &[LayerUnit]) -> Vec<ArrayRef> {
    let mut layers = StringDictionaryBuilder::<Int32Type>::new();
    units.iter().for_each(|unit| layers.append_value(&unit.layer));
    let counts = |of: fn(&LayerUnit) -> u64| Arc::new(Int64Array::from_iter_values(units.iter().map(|u| of(u) as i64)));
    let numbers =
        |of: fn(&LayerUnit) -> Option<f64>| numbers_or_null(units.iter().map(|u| of(u).unwrap_or(f64::NAN)).collect());
    vec![
        Arc::new(layers.finish()),
        counts(|unit| unit.unit),
        counts(|unit| unit.n),
        numbers(|unit| unit.mean),
        numbers(|unit| unit.std),
        numbers(|unit| unit.zero_fraction),
        numbers(|unit| unit.minimum),
        numbers(|unit| unit.maximum),
        Arc::new(units.iter().map(|unit| unit.is_dead).collect::<BooleanArray>()),
    ]
}
