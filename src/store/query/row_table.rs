//! A row-level table as DataFusion sees it: exactly the files that the catalogue names, of runs that are not pruned.
//!
//! `run_id`, `pipeline` and `run_date` are columns that each file has one value of; filters on them choose files
//! before any is opened, and `row_id` chooses pages inside by the statistics that files carry. How many rows a file has
//! is known from the catalogue, which is what joins are ordered by: the smaller side is the one that is kept.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringViewArray};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::config::TableParquetOptions;
use datafusion::common::stats::Precision;
use datafusion::common::{DFSchema, DataFusionError, Result, ScalarValue, Statistics};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::object_store::path::Path as ObjectPath;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, Row};

use super::QueryError;
use crate::store::catalogue::Catalogue;
use crate::store::catalogue::runs::resolve_folder;
use crate::store::error::StoreError;
use crate::store::rows::{self, IdType, LabelType};

/// Columns that hold for a whole file.
const FILE_COLUMNS: [&str; 3] = ["run_id", "pipeline", "run_date"];

#[derive(Debug)]
pub(super) struct RowTable {
    name: &'static str,
    /// Columns inside the files.
    columns: SchemaRef,
    /// Those, then [`FILE_COLUMNS`].
    schema: SchemaRef,
    files: Vec<StoredRows>,
    /// Where relative results folders start.
    catalogue_folder: PathBuf,
}

/// A file of a row-level table.
#[derive(Debug)]
struct StoredRows {
    kind: String,
    /// Relative to `results`.
    path: String,
    bytes: i64,
    n_rows: Option<i64>,
    row_id_type: String,
    label_type: Option<String>,
    run_id: String,
    pipeline: String,
    as_of: String,
    /// As recorded: relative to the catalogue's folder, or absolute.
    results: String,
}

impl FromRow<'_, SqliteRow> for StoredRows {
    fn from_row(row: &SqliteRow) -> sqlx::Result<Self> {
        Ok(Self {
            kind: row.try_get("kind")?,
            path: row.try_get("path")?,
            bytes: row.try_get("bytes")?,
            n_rows: row.try_get("n_rows")?,
            row_id_type: row.try_get("row_id_type")?,
            label_type: row.try_get("label_type")?,
            run_id: row.try_get("run_id")?,
            pipeline: row.try_get("pipeline")?,
            as_of: row.try_get("as_of")?,
            results: row.try_get("results")?,
        })
    }
}

/// Every row-level table, of one pipeline where it is given; one that no run has written is empty.
pub(super) fn tables(catalogue: &Catalogue, pipeline: Option<&str>) -> Result<Vec<RowTable>, StoreError> {
    let sql = "SELECT kind, path, bytes, artifacts.n_rows, row_id_type, label_type, run_id, pipeline, as_of, results
        FROM artifacts JOIN runs USING (run_id)
        WHERE status IN ('succeeded', 'superseded') AND row_id_type IS NOT NULL AND (?1 IS NULL OR pipeline = ?1)
        ORDER BY sequence, artifacts.rowid";
    let mut files: Vec<StoredRows> = catalogue
        .with("list files", async |connection| sqlx::query_as(sql).bind(pipeline).fetch_all(connection).await)?;
    let mut tables = Vec::new();
    for name in rows::TABLES {
        let (mine, rest) = files.into_iter().partition(|file| file.kind == name);
        files = rest;
        tables.extend(RowTable::new(name, catalogue.folder(), mine));
    }
    Ok(tables)
}

impl RowTable {
    fn new(name: &'static str, catalogue_folder: &Path, files: Vec<StoredRows>) -> Option<Self> {
        // Where pipelines differ, text can hold both.
        let any = |text: fn(&StoredRows) -> bool| files.iter().any(text);
        let id = if any(|file| file.row_id_type == IdType::String.name()) { IdType::String } else { IdType::Int64 };
        let number = LabelType::Double.name();
        let numeric = any(|file| file.label_type.as_deref() == Some(LabelType::Double.name()))
            && files.iter().all(|file| file.label_type.as_deref().is_none_or(|label| label == number));
        let label = if numeric { LabelType::Double } else { LabelType::String };
        let columns: Vec<_> = rows::columns(name, id, label)?.fields().iter().map(|field| as_read(field)).collect();
        let schema = columns.iter().cloned().chain(FILE_COLUMNS.map(file_column)).collect::<Vec<_>>();
        let (columns, schema) = (Arc::new(Schema::new(columns)), Arc::new(Schema::new(schema)));
        Some(Self { name, columns, schema, files, catalogue_folder: catalogue_folder.to_path_buf() })
    }

    pub(super) fn name(&self) -> &'static str {
        self.name
    }

    /// Files whose own values pass every filter that is about those alone.
    fn chosen(&self, state: &dyn Session, filters: &[Expr]) -> Result<Vec<&StoredRows>> {
        let schema = Schema::new(FILE_COLUMNS.map(file_column).to_vec());
        let columns: [fn(&StoredRows) -> &str; 3] = [|file| &file.run_id, |file| &file.pipeline, |file| &file.as_of];
        let arrays = columns
            .map(|value| -> ArrayRef { Arc::new(StringViewArray::from_iter_values(self.files.iter().map(value))) });
        let values = RecordBatch::try_new(Arc::new(schema.clone()), arrays.to_vec())?;
        let schema = DFSchema::try_from(schema)?;
        let mut chosen = vec![true; self.files.len()];
        for filter in filters.iter().filter(|filter| about_files(filter)) {
            let passes = state.create_physical_expr(unqualified(filter)?, &schema)?.evaluate(&values)?;
            let passes = passes.into_array(self.files.len())?;
            let passes = passes.as_boolean();
            chosen.iter_mut().enumerate().for_each(|(i, kept)| *kept &= passes.is_valid(i) && passes.value(i));
        }
        Ok(self.files.iter().zip(chosen).filter_map(|(file, kept)| kept.then_some(file)).collect())
    }

    fn partitioned(&self, file: &StoredRows) -> Result<PartitionedFile> {
        let path = std::path::absolute(resolve_folder(&self.catalogue_folder, &file.results).join(&file.path))?;
        if !path.exists() {
            let missing = QueryError::MissingFile { run_id: file.run_id.clone(), path };
            return Err(DataFusionError::External(Box::new(missing)));
        }
        let location = ObjectPath::from_absolute_path(path).map_err(|e| DataFusionError::External(Box::new(e)))?;
        let values =
            [&file.run_id, &file.pipeline, &file.as_of].map(|value| ScalarValue::Utf8View(Some(value.clone())));
        let mut partitioned = PartitionedFile::new(String::new(), file.bytes.unsigned_abs());
        partitioned.object_meta.location = location;
        Ok(partitioned.with_partition_values(values.to_vec()))
    }
}

#[async_trait]
impl TableProvider for RowTable {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let files = self.chosen(state, filters)?;
        if files.is_empty() {
            let schema = match projection {
                Some(columns) => Arc::new(self.schema.project(columns)?),
                None => self.schema.clone(),
            };
            return Ok(Arc::new(EmptyExec::new(schema)));
        }
        let statistics = Statistics { num_rows: n_rows(&files), ..Statistics::new_unknown(&self.schema) };
        let files = files.into_iter().map(|file| self.partitioned(file)).collect::<Result<Vec<_>>>()?;
        let groups = FileGroup::new(files).split_files(state.config().target_partitions());
        let of_file: Vec<_> = FILE_COLUMNS.iter().map(|name| Arc::new(file_column(name))).collect();
        let schema = TableSchema::builder(self.columns.clone()).with_table_partition_cols(of_file).build();
        let options =
            TableParquetOptions { global: state.config_options().execution.parquet.clone(), ..Default::default() };
        let source = ParquetSource::new(schema).with_table_parquet_options(options);
        let scan = FileScanConfigBuilder::new(ObjectStoreUrl::local_filesystem(), Arc::new(source))
            .with_file_groups(groups)
            .with_statistics(statistics)
            .with_projection_indices(projection.cloned())?
            .with_limit(limit)
            .build();
        Ok(DataSourceExec::from_data_source(scan))
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        let support = filters.iter().map(|filter| match about_files(filter) {
            true => TableProviderFilterPushDown::Exact,
            false => TableProviderFilterPushDown::Inexact,
        });
        Ok(support.collect())
    }
}

/// Text as views, which DataFusion compares and groups faster; nothing required, as later versions may add columns.
fn as_read(field: &Field) -> Field {
    match field.data_type() {
        DataType::Utf8 => Field::new(field.name(), DataType::Utf8View, true),
        other => Field::new(field.name(), other.clone(), true),
    }
}

/// A view too: one value a file costs no more than its length, however many rows repeat it.
fn file_column(name: &str) -> Field {
    Field::new(name, DataType::Utf8View, false)
}

/// Estimated, so that counting still reads the files.
fn n_rows(files: &[&StoredRows]) -> Precision<usize> {
    let rows = files.iter().map(|file| file.n_rows.and_then(|n| usize::try_from(n).ok()));
    rows.sum::<Option<usize>>().map_or(Precision::Absent, Precision::Inexact)
}

fn about_files(filter: &Expr) -> bool {
    let columns = filter.column_refs();
    !columns.is_empty()
        && !filter.is_volatile()
        && columns.iter().all(|column| FILE_COLUMNS.contains(&column.name.as_str()))
}

/// The filter with bare column names: the values it is tried on belong to no table.
fn unqualified(filter: &Expr) -> Result<Expr> {
    use datafusion::common::tree_node::{Transformed, TreeNode};
    let renamed = filter.clone().transform(|expr| match expr {
        Expr::Column(column) => Ok(Transformed::yes(Expr::Column(datafusion::common::Column::from_name(column.name)))),
        other => Ok(Transformed::no(other)),
    });
    Ok(renamed?.data)
}
