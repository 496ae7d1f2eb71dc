//! The `mean_maps` table: one row for each class that pictures were decided for, and for each group.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float32Array, Int32Array, Int64Array, ListArray, StringDictionaryBuilder};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, Int32Type};

use super::FinishedRows;
use super::file::{Origin, RowFile, misfit};
use super::schema::{IdType, MEAN_MAPS};
use crate::audit::StoredMeanMap;
use crate::store::error::StoreError;

/// Writes all of them; they are few, and small.
pub(in crate::store) fn write(
    target: &Path,
    origin: &Origin,
    maps: &[StoredMeanMap],
) -> Result<FinishedRows, StoreError> {
    // There is no `row_id`; the type only tells row-level files from others in the catalogue.
    let mut file = RowFile::create(target, origin, MEAN_MAPS, IdType::String, None)?;
    file.write_chunk(arrays(maps)?)?;
    file.finish()
}

fn arrays(maps: &[StoredMeanMap]) -> Result<Vec<ArrayRef>, StoreError> {
    let words = |of: fn(&StoredMeanMap) -> &str| -> ArrayRef {
        let mut words = StringDictionaryBuilder::<Int32Type>::new();
        maps.iter().for_each(|map| words.append_value(of(map)));
        Arc::new(words.finish())
    };
    let sizes = |of: fn(&StoredMeanMap) -> u64| -> ArrayRef {
        Arc::new(Int32Array::from_iter_values(maps.iter().map(|map| of(map) as i32)))
    };
    let item = Arc::new(Field::new("item", DataType::Float32, false));
    let lengths = OffsetBuffer::from_lengths(maps.iter().map(|map| map.values.len()));
    let values = Float32Array::from_iter_values(maps.iter().flat_map(|map| map.values.iter().copied()));
    Ok(vec![
        words(|map| &map.attribute),
        words(|map| &map.group_value),
        Arc::new(Int64Array::from_iter_values(maps.iter().map(|map| map.n as i64))),
        sizes(|map| map.height),
        sizes(|map| map.width),
        sizes(|map| map.step),
        Arc::new(ListArray::try_new(item, lengths, Arc::new(values), None).map_err(|error| misfit(MEAN_MAPS, error))?),
    ])
}
