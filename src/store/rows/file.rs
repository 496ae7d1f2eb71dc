//! One Parquet file of a row-level table.
//!
//! Bytes depend on the rows alone, never on how they arrived: chunks of a fixed number of rows become one page a
//! column, and a fixed number of chunks one row group. Statistics are kept where they prune: on `row_id`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::{DataType, Schema};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesBuilder};
use parquet::schema::types::ColumnPath;

use super::FinishedRows;
use super::schema::{self, IdType, LabelType, ROWS_SCHEMA_VERSION};
use crate::store::error::StoreError;
use crate::store::file::PendingFile;

/// Values (rows of the long table) in a chunk, at most. 2¹⁷ doubles are 1 MiB, so that each byte stream of
/// BYTE_STREAM_SPLIT fills exactly one Zstd block of 128 KiB, whose statistics then fit it.
pub(super) const CHUNK_VALUES: usize = 1 << 17;
/// Chunks in a row group.
const GROUP_CHUNKS: usize = 8;
/// A page ends with its chunk: every chunk but the last is longer than this.
const PAGE_ROWS: usize = CHUNK_VALUES / 2;

/// Where a file belongs and what it says about itself.
#[derive(Debug, Clone)]
pub(in crate::store) struct Origin {
    pub run_id: String,
    pub pipeline: String,
    pub tool_version: String,
}

#[derive(Debug)]
pub(super) struct RowFile {
    writer: ArrowWriter<PendingFile>,
    target: PathBuf,
    table: &'static str,
    columns: Arc<Schema>,
    row_id_type: IdType,
    label_type: Option<LabelType>,
    n_values: u64,
    chunks_in_group: usize,
}

impl RowFile {
    /// `label_type`: of a table that has labels.
    pub(super) fn create(
        target: &Path,
        origin: &Origin,
        table: &'static str,
        row_id_type: IdType,
        label_type: Option<LabelType>,
    ) -> Result<Self, StoreError> {
        let columns = schema::columns(table, row_id_type, label_type.unwrap_or(LabelType::String));
        let columns = columns.ok_or_else(|| misfit(table, "no such table"))?;
        let columns = Arc::new(schema::as_written(&columns));
        let pending = PendingFile::create(target, &origin.run_id)?;
        let options =
            ArrowWriterOptions::new().with_properties(properties(origin, &columns)).with_skip_arrow_metadata(true);
        let writer = ArrowWriter::try_new_with_options(pending, columns.clone(), options)
            .map_err(|e| StoreError::parquet(target, e))?;
        let target = target.to_path_buf();
        Ok(Self { writer, target, table, columns, row_id_type, label_type, n_values: 0, chunks_in_group: 0 })
    }

    /// Writes the table's columns in order.
    pub(super) fn write_chunk(&mut self, columns: Vec<ArrayRef>) -> Result<(), StoreError> {
        let chunk = RecordBatch::try_new(self.columns.clone(), columns).map_err(|error| misfit(self.table, error))?;
        self.writer.write(&chunk).map_err(|e| StoreError::parquet(&self.target, e))?;
        self.n_values += chunk.num_rows() as u64;
        self.chunks_in_group += 1;
        if self.chunks_in_group == GROUP_CHUNKS {
            self.writer.flush().map_err(|e| StoreError::parquet(&self.target, e))?;
            self.chunks_in_group = 0;
        }
        Ok(())
    }

    pub(super) fn finish(self) -> Result<FinishedRows, StoreError> {
        let pending = self.writer.into_inner().map_err(|e| StoreError::parquet(&self.target, e))?;
        let (file, n_rows) = (pending.sync()?, self.n_values);
        Ok(FinishedRows { table: self.table, file, n_rows, row_id_type: self.row_id_type, label_type: self.label_type })
    }
}

/// What does not fit the table.
pub(super) fn misfit(table: &'static str, reason: impl ToString) -> StoreError {
    StoreError::Batch { table, reason: reason.to_string() }
}

fn properties(origin: &Origin, columns: &Schema) -> WriterProperties {
    let mut builder = WriterProperties::builder()
        .set_created_by("probity".to_string())
        .set_key_value_metadata(Some(about(origin)))
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_statistics_enabled(EnabledStatistics::None)
        .set_column_statistics_enabled(ColumnPath::from("row_id"), EnabledStatistics::Page)
        .set_max_row_group_row_count(None)
        .set_data_page_row_count_limit(PAGE_ROWS)
        .set_data_page_size_limit(usize::MAX)
        .set_write_batch_size(CHUNK_VALUES);
    for field in columns.fields() {
        builder = encode(builder, field.name(), field.data_type());
    }
    builder.build()
}

/// Ids rise, so their differences are small; measured doubles share their exponents but not their digits; the rest
/// repeats and is left to dictionaries.
fn encode(builder: WriterPropertiesBuilder, name: &str, data_type: &DataType) -> WriterPropertiesBuilder {
    let column = ColumnPath::from(name);
    let encoding = match (name, data_type) {
        ("row_id", DataType::Int64) => Encoding::DELTA_BINARY_PACKED,
        ("row_id", _) => Encoding::DELTA_BYTE_ARRAY,
        ("attribution" | "std_err" | "score" | "margin" | "value", DataType::Float64) => Encoding::BYTE_STREAM_SPLIT,
        _ => return builder,
    };
    builder.set_column_dictionary_enabled(column.clone(), false).set_column_encoding(column, encoding)
}

/// Key of an entry of a file's own metadata: `run_id`, `pipeline`, `tool_version` or `schema_version`.
pub(in crate::store) fn metadata_key(entry: &str) -> String {
    format!("probity.{entry}")
}

fn about(origin: &Origin) -> Vec<KeyValue> {
    let entry = |key: &str, value: &str| KeyValue::new(metadata_key(key), value.to_string());
    vec![
        entry("run_id", &origin.run_id),
        entry("pipeline", &origin.pipeline),
        entry("tool_version", &origin.tool_version),
        entry("schema_version", &ROWS_SCHEMA_VERSION.to_string()),
    ]
}
