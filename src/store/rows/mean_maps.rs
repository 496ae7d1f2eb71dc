//! The `mean_maps` table: one row for each class that pictures were decided for, and for each group.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float32Array, Int32Array, Int64Array, ListArray, RecordBatch, StringDictionaryBuilder};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, Int32Type};

use super::FinishedRows;
use super::file::{Origin, RowFile};
use super::schema::{self, IdType, LabelType, MEAN_MAPS};
use crate::audit::StoredMeanMap;
use crate::store::error::StoreError;

/// Writes all of them; they are few, and small.
pub(in crate::store) fn write(
    target: &Path,
    origin: &Origin,
    maps: &[StoredMeanMap],
) -> Result<FinishedRows, StoreError> {
    // There is no `row_id`; the type only tells row-level files from others in the catalogue.
    let (id_type, label) = (IdType::String, LabelType::String);
    let columns = schema::columns(MEAN_MAPS, id_type, label).ok_or_else(|| misfit("no such table"))?;
    let mut file = RowFile::create(target, origin, &columns)?;
    let chunk = RecordBatch::try_new(file.columns(), arrays(maps)?).map_err(misfit)?;
    file.write_chunk(&chunk)?;
    let (file, n_rows) = file.finish()?;
    Ok(FinishedRows { table: MEAN_MAPS, file, n_rows, row_id_type: id_type, label_type: None })
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
        Arc::new(ListArray::try_new(item, lengths, Arc::new(values), None).map_err(misfit)?),
    ])
}

fn misfit(reason: impl ToString) -> StoreError {
    StoreError::Batch { table: MEAN_MAPS, reason: reason.to_string() }
}
