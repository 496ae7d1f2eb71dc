//! Results as people and programs want them.

use std::io::Write;
use std::str::FromStr;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::csv;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::json::writer::{JsonArray, Writer, WriterBuilder};
use datafusion::arrow::util::pretty::pretty_format_batches_with_schema;
use datafusion::common::DataFusionError;
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::basic::{Compression, ZstdLevel};
use datafusion::parquet::file::properties::WriterProperties;

use super::{QueryError, QueryResult};

/// How a result is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueryFormat {
    /// A table drawn with lines, for reading.
    Table,
    /// With a header; null is the empty field.
    Csv,
    /// One array of objects; null is null.
    Json,
    Parquet,
}

impl FromStr for QueryFormat {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        match name {
            "table" => Ok(Self::Table),
            "csv" => Ok(Self::Csv),
            "json" => Ok(Self::Json),
            "parquet" => Ok(Self::Parquet),
            _ => Err(format!("no format `{name}`: use table, csv, json or parquet")),
        }
    }
}

impl QueryResult {
    /// Writes the whole result.
    pub fn write(&self, format: QueryFormat, to: &mut (impl Write + Send)) -> Result<(), QueryError> {
        let mut sink = Sink::new(format, to);
        self.batches.iter().try_for_each(|batch| sink.write(batch))?;
        sink.finish(&self.schema)
    }
}

/// Writes batches as they come, and what belongs around them. Nothing is begun before the first batch or the end: what
/// cannot be answered leaves no header behind.
pub(super) struct Sink<'a, W: Write + Send> {
    format: QueryFormat,
    state: State<'a, W>,
}

enum State<'a, W: Write + Send> {
    Waiting(&'a mut W),
    Table(Vec<RecordBatch>, &'a mut W),
    Csv(Box<csv::Writer<&'a mut W>>),
    Json(Writer<&'a mut W, JsonArray>),
    Parquet(Box<ArrowWriter<&'a mut W>>),
    /// Between two states, and after an error.
    Broken,
}

impl<'a, W: Write + Send> Sink<'a, W> {
    pub(super) fn new(format: QueryFormat, to: &'a mut W) -> Self {
        Self { format, state: State::Waiting(to) }
    }

    pub(super) fn write(&mut self, batch: &RecordBatch) -> Result<(), QueryError> {
        self.begin(&batch.schema()).and_then(|()| self.put(batch)).map_err(QueryError::Output)
    }

    /// The end of the result, of which `schema` is known where there was no row.
    pub(super) fn finish(mut self, schema: &SchemaRef) -> Result<(), QueryError> {
        self.begin(schema).and_then(|()| self.end(schema)).map_err(QueryError::Output)
    }

    fn begin(&mut self, schema: &SchemaRef) -> Result<(), DataFusionError> {
        self.state = match std::mem::replace(&mut self.state, State::Broken) {
            State::Waiting(to) => match self.format {
                QueryFormat::Table => State::Table(Vec::new(), to),
                QueryFormat::Csv => {
                    let mut writer = csv::Writer::new(to);
                    // The writer learns the header from the first batch, and there may be none.
                    writer.write(&RecordBatch::new_empty(schema.clone()))?;
                    State::Csv(Box::new(writer))
                }
                QueryFormat::Json => State::Json(WriterBuilder::new().with_explicit_nulls(true).build(to)),
                QueryFormat::Parquet => {
                    let zstd = Compression::ZSTD(ZstdLevel::default());
                    let properties = WriterProperties::builder().set_compression(zstd).build();
                    State::Parquet(Box::new(ArrowWriter::try_new(to, schema.clone(), Some(properties))?))
                }
            },
            begun => begun,
        };
        Ok(())
    }

    fn put(&mut self, batch: &RecordBatch) -> Result<(), DataFusionError> {
        match &mut self.state {
            State::Table(batches, _) => batches.push(batch.clone()),
            State::Csv(writer) => writer.write(batch)?,
            State::Json(writer) => writer.write(batch)?,
            State::Parquet(writer) => writer.write(batch)?,
            State::Waiting(_) | State::Broken => {}
        }
        Ok(())
    }

    fn end(self, schema: &SchemaRef) -> Result<(), DataFusionError> {
        match self.state {
            State::Table(batches, to) => {
                let schema = batches.first().map_or_else(|| schema.clone(), RecordBatch::schema);
                writeln!(to, "{}", pretty_format_batches_with_schema(schema, &batches)?)?;
            }
            State::Csv(writer) => writer.into_inner().flush()?,
            State::Json(mut writer) => {
                writer.finish()?;
                writeln!(writer.into_inner())?;
            }
            State::Parquet(writer) => drop(writer.close()?),
            State::Waiting(_) | State::Broken => {}
        }
        Ok(())
    }
}
