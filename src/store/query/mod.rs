//! SQL over the whole history, read-only: the catalogue's tables under their own names, and the row-level tables as
//! one table each over all recorded runs' files.
//!
//! [`query`] plans and runs one statement with DataFusion. `catalogue_table` fetches from SQLite what a statement
//! needs, no more; `row_table` scans exactly the Parquet files that the catalogue names. `error` turns what goes
//! wrong into advice, `output` prints results.

mod catalogue_table;
mod error;
mod output;
mod pushdown;
mod row_table;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::DataFusionError;
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::logical_expr::LogicalPlan;
use datafusion::prelude::{DataFrame, SQLOptions, SessionConfig, SessionContext};

pub use error::QueryError;
pub use output::QueryFormat;

use super::{Store, StoreError};

/// What a statement may use.
#[derive(Debug, Clone, Copy)]
pub struct QueryLimits {
    /// Rows of the result, all where `None`.
    pub max_rows: Option<usize>,
    /// Memory for sorting, grouping and joining; more than that spills to temporary files.
    pub memory_bytes: usize,
    pub threads: usize,
}

impl Default for QueryLimits {
    fn default() -> Self {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        Self { max_rows: None, memory_bytes: 1 << 30, threads }
    }
}

/// A statement's answer.
#[derive(Debug, Clone)]
pub struct QueryResult {
    schema: SchemaRef,
    batches: Vec<RecordBatch>,
    /// There were more rows than `max_rows`.
    pub truncated: bool,
}

impl QueryResult {
    pub fn n_rows(&self) -> usize {
        self.batches.iter().map(RecordBatch::num_rows).sum()
    }

    pub fn column_names(&self) -> Vec<&str> {
        self.schema.fields().iter().map(|field| field.name().as_str()).collect()
    }
}

/// Answers one SQL statement. Statements that would change anything are refused.
pub fn query(store: &Store, sql: &str, limits: &QueryLimits) -> Result<QueryResult, StoreError> {
    let catalogue_tables = catalogue_table::tables(&store.catalogue)?;
    let row_tables = row_table::tables(&store.catalogue)?;
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(limits.threads.max(1)).enable_all().build();
    let runtime = runtime.map_err(|e| QueryError::Failed(DataFusionError::IoError(e)))?;
    let context = session(limits)?;
    for table in catalogue_tables {
        let name = table.name().to_string();
        register(&context, &name, Arc::new(table))?;
    }
    for table in row_tables {
        register(&context, table.name(), Arc::new(table))?;
    }
    Ok(runtime.block_on(answer(&context, sql, limits))?)
}

fn session(limits: &QueryLimits) -> Result<SessionContext, QueryError> {
    let mut config = SessionConfig::new().with_target_partitions(limits.threads.max(1)).with_information_schema(true);
    // One person's rows are few among many: read the filtered columns first, and of the others only what is left.
    config.options_mut().execution.parquet.pushdown_filters = true;
    let memory = Arc::new(FairSpillPool::new(limits.memory_bytes));
    let runtime = RuntimeEnvBuilder::new().with_memory_pool(memory).build_arc();
    Ok(SessionContext::new_with_config_rt(config, runtime.map_err(QueryError::Failed)?))
}

fn register(
    context: &SessionContext,
    name: &str,
    table: Arc<dyn datafusion::catalog::TableProvider>,
) -> Result<(), QueryError> {
    context.register_table(name, table).map(drop).map_err(QueryError::Failed)
}

async fn answer(context: &SessionContext, sql: &str, limits: &QueryLimits) -> Result<QueryResult, QueryError> {
    let explained = |error| error::explain(error, context, limits);
    let frame = context.sql_with_options(sql, read_only()).await.map_err(explained)?;
    let schema: SchemaRef = Arc::new(frame.schema().as_arrow().clone());
    let batches = limited(frame, limits.max_rows).map_err(explained)?.collect().await.map_err(explained)?;
    // What was planned may differ in nullability from what comes.
    let schema = batches.first().map_or(schema, RecordBatch::schema);
    Ok(cut(QueryResult { schema, batches, truncated: false }, limits.max_rows))
}

fn read_only() -> SQLOptions {
    SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false)
}

/// Asks for one row more than wanted, to know whether there are more. Plans shown by EXPLAIN stay whole.
fn limited(frame: DataFrame, max_rows: Option<usize>) -> Result<DataFrame, DataFusionError> {
    let whole = matches!(
        frame.logical_plan(),
        LogicalPlan::Explain(_) | LogicalPlan::Analyze(_) | LogicalPlan::DescribeTable(_)
    );
    match max_rows {
        Some(max_rows) if !whole => frame.limit(0, Some(max_rows.saturating_add(1))),
        _ => Ok(frame),
    }
}

fn cut(mut result: QueryResult, max_rows: Option<usize>) -> QueryResult {
    let mut left = max_rows.unwrap_or(usize::MAX);
    result.truncated = result.n_rows() > left;
    result.batches.retain_mut(|batch| {
        *batch = batch.slice(0, batch.num_rows().min(left));
        left -= batch.num_rows();
        batch.num_rows() > 0
    });
    result
}
