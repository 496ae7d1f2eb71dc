//! SQL over the whole history, read-only: the catalogue's tables under their own names, and the row-level tables as
//! one table each over all recorded runs' files.
//!
//! [`query`] plans and runs one statement with DataFusion. `catalogue_table` fetches from SQLite what a statement
//! needs, no more; `row_table` scans exactly the Parquet files that the catalogue names; `joins` suits the plan to what is joined. `named` holds
//! views and named queries, `parameters` binds values to a statement, [`account()`] looks one row up in all that is stored of it. `error` turns what goes wrong into advice,
//! `output` writes results, `cells` reads them. [`query_into`] writes rows while they are computed, so that a result
//! may be larger than memory; [`query`] keeps them.

mod account;
mod catalogue_table;
mod cells;
mod error;
mod joins;
mod named;
mod output;
mod parameters;
mod pushdown;
mod row_table;
#[cfg(test)]
mod tests;

use std::io::Write;
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::DataFusionError;
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::logical_expr::LogicalPlan;
use datafusion::prelude::{DataFrame, SQLOptions, SessionConfig, SessionContext};
use futures::StreamExt;
use tokio::runtime::Runtime;

pub use account::{Account, AccountOf, EarlierRun, Prediction, RowExplanation, Term, account};
pub use error::QueryError;
pub use named::{NamedQuery, named_queries, named_query};
pub use output::QueryFormat;
pub use parameters::Parameter;

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

/// What [`query_into`] wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    pub n_rows: usize,
    /// There were more rows than `max_rows`.
    pub truncated: bool,
}

/// A table and its columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableNames {
    pub table: String,
    pub columns: Vec<String>,
}

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub struct Statement<'a> {
    pub sql: &'a str,
    /// Values for its `$name` places.
    pub parameters: &'a [Parameter],
    /// Row-level tables hold only this pipeline's rows, so that `row_id` has that pipeline's type.
    pub pipeline: Option<&'a str>,
}

impl<'a> From<&'a str> for Statement<'a> {
    fn from(sql: &'a str) -> Self {
        Self { sql, parameters: &[], pipeline: None }
    }
}

/// Answers one SQL statement. Statements that would change anything are refused.
pub fn query<'a>(
    store: &Store,
    statement: impl Into<Statement<'a>>,
    limits: &QueryLimits,
) -> Result<QueryResult, StoreError> {
    let statement = statement.into();
    let (runtime, context) = open(store, statement.pipeline, limits)?;
    let mut batches = Vec::new();
    let keep = |batch: RecordBatch| {
        batches.push(batch);
        Ok(())
    };
    let (schema, written) = runtime.block_on(answer(&context, statement, limits, keep))?;
    // What was planned may differ in nullability from what comes.
    let schema = batches.first().map_or(schema, RecordBatch::schema);
    Ok(QueryResult { schema, batches, truncated: written.truncated })
}

/// Answers one SQL statement and writes each row when it is known. A drawn table is held whole: its columns are as
/// wide as their widest value.
pub fn query_into<'a>(
    store: &Store,
    statement: impl Into<Statement<'a>>,
    limits: &QueryLimits,
    format: QueryFormat,
    to: &mut (impl Write + Send),
) -> Result<Written, StoreError> {
    let statement = statement.into();
    let (runtime, context) = open(store, statement.pipeline, limits)?;
    let mut sink = output::Sink::new(format, to);
    let (schema, written) = runtime.block_on(answer(&context, statement, limits, |batch| sink.write(&batch)))?;
    sink.finish(&schema)?;
    Ok(written)
}

/// Every table and view that a statement may name, for completion.
pub fn names(store: &Store) -> Result<Vec<TableNames>, StoreError> {
    use datafusion::catalog::TableProvider;
    let of = |table: &str, provider: &dyn TableProvider| TableNames {
        table: table.to_string(),
        columns: provider.schema().fields().iter().map(|field| field.name().clone()).collect(),
    };
    let small = catalogue_table::tables(&store.catalogue)?;
    let large = row_table::tables(&store.catalogue, None)?;
    let mut names: Vec<_> = small.iter().map(|table| of(table.name(), table)).collect();
    names.extend(large.iter().map(|table| of(table.name(), table)));
    names.extend(view_names(store)?);
    names.sort_by(|a, b| a.table.cmp(&b.table));
    Ok(names)
}

fn view_names(store: &Store) -> Result<Vec<TableNames>, StoreError> {
    let (runtime, context) = open(store, None, &QueryLimits::default())?;
    let of = async |view: &str| {
        let columns = context.table(view).await.map_err(QueryError::Failed)?;
        let columns = columns.schema().fields().iter().map(|field| field.name().clone()).collect();
        Ok(TableNames { table: view.to_string(), columns })
    };
    named::view_names().map(|view| runtime.block_on(of(view))).collect()
}

/// Everything that a statement is answered with.
fn open(store: &Store, pipeline: Option<&str>, limits: &QueryLimits) -> Result<(Runtime, SessionContext), StoreError> {
    let catalogue_tables = catalogue_table::tables(&store.catalogue)?;
    let row_tables = row_table::tables(&store.catalogue, pipeline)?;
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
    runtime.block_on(named::register_views(&context))?;
    Ok((runtime, context))
}

fn session(limits: &QueryLimits) -> Result<SessionContext, QueryError> {
    let mut config = SessionConfig::new().with_target_partitions(limits.threads.max(1)).with_information_schema(true);
    // One person's rows are few among many: read the filtered columns first, and of the others only what is left.
    config.options_mut().execution.parquet.pushdown_filters = true;
    // Footers take a few kilobytes; DataFusion's own guess would read most files whole to have them.
    config.options_mut().execution.parquet.metadata_size_hint = Some(16 << 10);
    // What a sort keeps back to merge its spilled runs with: a share of what there is, at most DataFusion's own 10 MB.
    let kept_back = limits.memory_bytes / (16 * limits.threads.max(1));
    let options = &mut config.options_mut().execution;
    options.sort_spill_reservation_bytes = options.sort_spill_reservation_bytes.min(kept_back);
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

/// Hands every batch of the answer to `take`, cut to the rows wanted. The schema returned is the planned one.
async fn answer(
    context: &SessionContext,
    statement: Statement<'_>,
    limits: &QueryLimits,
    mut take: impl FnMut(RecordBatch) -> Result<(), QueryError>,
) -> Result<(SchemaRef, Written), QueryError> {
    let explained = |error| error::explain(error, context, limits);
    let frame = context.sql_with_options(statement.sql, read_only()).await.map_err(explained)?;
    let frame = parameters::bind(frame, statement.parameters)?;
    let frame = joins::suited(frame).map_err(explained)?;
    let schema: SchemaRef = Arc::new(frame.schema().as_arrow().clone());
    let (frame, most) = limited(frame, limits.max_rows).map_err(explained)?;
    let mut stream = frame.execute_stream().await.map_err(explained)?;
    let mut written = Written { n_rows: 0, truncated: false };
    while let Some(batch) = stream.next().await {
        let batch = batch.map_err(explained)?;
        let wanted = batch.num_rows().min(most - written.n_rows);
        written.truncated |= wanted < batch.num_rows();
        written.n_rows += wanted;
        if wanted > 0 {
            take(batch.slice(0, wanted))?;
        }
    }
    Ok((schema, written))
}

fn read_only() -> SQLOptions {
    SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false)
}

/// The frame and how many of its rows are wanted. It is asked for one row more, to know whether there are more. Plans
/// shown by EXPLAIN stay whole.
fn limited(frame: DataFrame, max_rows: Option<usize>) -> Result<(DataFrame, usize), DataFusionError> {
    let whole = matches!(
        frame.logical_plan(),
        LogicalPlan::Explain(_) | LogicalPlan::Analyze(_) | LogicalPlan::DescribeTable(_)
    );
    match max_rows {
        Some(max_rows) if !whole => Ok((frame.limit(0, Some(max_rows.saturating_add(1)))?, max_rows)),
        _ => Ok((frame, usize::MAX)),
    }
}
