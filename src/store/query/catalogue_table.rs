//! A table of the catalogue as DataFusion sees it: columns as SQLite declares them, rows fetched when scanned, only
//! the columns and, where it can tell, only the rows that a statement asks for.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, RecordBatchOptions, StringArray};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::catalog::memory::MemorySourceConfig;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{DataFusionError, Result};
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;
use sqlx::sqlite::{SqliteArguments, SqliteConnectOptions, SqliteRow};
use sqlx::{Arguments, AssertSqlSafe, ConnectOptions, Connection, Row, SqliteConnection};

use super::pushdown::{Condition, Value, condition, quoted};
use crate::store::catalogue::Catalogue;
use crate::store::error::StoreError;

/// Rows fetched at a time: SQLite's rows are many small allocations until they are in columns.
const PAGE_ROWS: i64 = 8192;

#[derive(Debug)]
pub(super) struct CatalogueTable {
    name: String,
    schema: SchemaRef,
    reader: SqliteConnectOptions,
}

/// Every table of the catalogue.
pub(super) fn tables(catalogue: &Catalogue) -> Result<Vec<CatalogueTable>, StoreError> {
    let sql = "SELECT t.name, c.name, c.type, c.\"notnull\" FROM sqlite_schema t, pragma_table_info(t.name) c
        WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY t.name, c.cid";
    let columns: Vec<(String, String, String, bool)> =
        catalogue.with("list tables", async |connection| sqlx::query_as(sql).fetch_all(connection).await)?;
    let tables = columns.chunk_by(|a, b| a.0 == b.0).map(|columns| CatalogueTable {
        name: columns[0].0.clone(),
        schema: Arc::new(Schema::new(columns.iter().map(field).collect::<Vec<_>>())),
        reader: catalogue.reader(),
    });
    Ok(tables.collect())
}

fn field((_, name, declared, required): &(String, String, String, bool)) -> Field {
    let data_type = match declared.as_str() {
        "INTEGER" => DataType::Int64,
        "REAL" => DataType::Float64,
        _ => DataType::Utf8,
    };
    Field::new(name, data_type, !required)
}

impl CatalogueTable {
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    async fn fetch(
        &self,
        schema: &SchemaRef,
        conditions: &[Condition],
        limit: Option<usize>,
    ) -> Result<Vec<RecordBatch>> {
        let mut connection = self.reader.connect().await.map_err(external)?;
        let (mut batches, mut after, mut left) = (Vec::new(), i64::MIN, limit.map_or(i64::MAX, |limit| limit as i64));
        loop {
            let wanted = left.min(PAGE_ROWS);
            let rows = self.page(&mut connection, schema, conditions, after, wanted).await.map_err(external)?;
            let Some(last) = rows.last() else { break };
            after = last.try_get("rowid_").map_err(external)?;
            left -= rows.len() as i64;
            batches.push(batch(schema, &rows)?);
            if (rows.len() as i64) < wanted || left == 0 {
                break;
            }
        }
        connection.close().await.map_err(external)?;
        Ok(batches)
    }

    /// Rows after a row number, in order of the numbers: pages without an offset that grows.
    async fn page(
        &self,
        connection: &mut SqliteConnection,
        schema: &Schema,
        conditions: &[Condition],
        after: i64,
        n: i64,
    ) -> Result<Vec<SqliteRow>, sqlx::Error> {
        let columns: String = schema.fields().iter().map(|field| format!("{}, ", quoted(field.name()))).collect();
        let filters: String = conditions.iter().map(|condition| format!(" AND {}", condition.sql)).collect();
        let sql = format!(
            "SELECT {columns}rowid AS rowid_ FROM {} WHERE rowid > ?{filters} ORDER BY rowid LIMIT ?",
            quoted(&self.name)
        );
        let mut arguments = SqliteArguments::default();
        let values = conditions.iter().flat_map(|condition| &condition.values);
        arguments.add(after).map_err(sqlx::Error::Encode)?;
        for value in values {
            match value {
                Value::Text(text) => arguments.add(text.clone()),
                Value::Integer(number) => arguments.add(*number),
                Value::Real(number) => arguments.add(*number),
            }
            .map_err(sqlx::Error::Encode)?;
        }
        arguments.add(n).map_err(sqlx::Error::Encode)?;
        // Names come from the catalogue's own schema, quoted; what users give is bound.
        sqlx::query_with(AssertSqlSafe(sql), arguments).fetch_all(connection).await
    }
}

#[async_trait]
impl TableProvider for CatalogueTable {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        _state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let schema = match projection {
            Some(columns) => Arc::new(self.schema.project(columns)?),
            None => self.schema.clone(),
        };
        let conditions: Vec<_> = filters.iter().filter_map(|filter| condition(filter, &self.schema)).collect();
        let batches = self.fetch(&schema, &conditions, limit).await?;
        Ok(MemorySourceConfig::try_new_exec(&[batches], schema, None)?)
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        let support = filters.iter().map(|filter| match condition(filter, &self.schema) {
            Some(_) => TableProviderFilterPushDown::Inexact,
            None => TableProviderFilterPushDown::Unsupported,
        });
        Ok(support.collect())
    }
}

fn batch(schema: &SchemaRef, rows: &[SqliteRow]) -> Result<RecordBatch> {
    let columns = schema.fields().iter().enumerate().map(|(i, field)| column(field.data_type(), rows, i));
    let columns = columns.collect::<Result<Vec<_>, _>>().map_err(external)?;
    let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
    Ok(RecordBatch::try_new_with_options(schema.clone(), columns, &options)?)
}

fn column(data_type: &DataType, rows: &[SqliteRow], i: usize) -> Result<ArrayRef, sqlx::Error> {
    Ok(match data_type {
        DataType::Int64 => Arc::new(cells(rows, i).collect::<Result<Int64Array, _>>()?),
        DataType::Float64 => Arc::new(cells(rows, i).collect::<Result<Float64Array, _>>()?),
        _ => Arc::new(cells::<&str>(rows, i).collect::<Result<StringArray, _>>()?),
    })
}

/// Column `i` of every row, `None` = null.
fn cells<'r, T>(rows: &'r [SqliteRow], i: usize) -> impl Iterator<Item = Result<Option<T>, sqlx::Error>>
where
    T: sqlx::Decode<'r, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite>,
{
    rows.iter().map(move |row| row.try_get(i))
}

fn external(error: sqlx::Error) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}
