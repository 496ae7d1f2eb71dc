//! Results as people and programs want them.

use std::io::Write;
use std::str::FromStr;

use datafusion::arrow::csv;
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::json::writer::{JsonArray, WriterBuilder};
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
        let written = match format {
            QueryFormat::Table => self.write_table(to),
            QueryFormat::Csv => self.write_csv(to),
            QueryFormat::Json => self.write_json(to),
            QueryFormat::Parquet => self.write_parquet(to),
        };
        written.map_err(QueryError::Output)
    }

    fn write_table(&self, to: &mut impl Write) -> Result<(), DataFusionError> {
        let drawn = pretty_format_batches_with_schema(self.schema.clone(), &self.batches)?;
        Ok(writeln!(to, "{drawn}")?)
    }

    fn write_csv(&self, to: &mut impl Write) -> Result<(), DataFusionError> {
        if self.batches.is_empty() {
            // The writer learns the header from the first batch.
            let header = datafusion::arrow::array::RecordBatch::new_empty(self.schema.clone());
            return Ok(csv::Writer::new(to).write(&header)?);
        }
        let mut writer = csv::Writer::new(to);
        Ok(self.batches.iter().try_for_each(|batch| writer.write(batch))?)
    }

    fn write_json(&self, to: &mut impl Write) -> Result<(), DataFusionError> {
        let mut writer = WriterBuilder::new().with_explicit_nulls(true).build::<_, JsonArray>(&mut *to);
        self.batches.iter().try_for_each(|batch| writer.write(batch))?;
        writer.finish()?;
        Ok(writeln!(to)?)
    }

    fn write_parquet(&self, to: &mut (impl Write + Send)) -> Result<(), DataFusionError> {
        let properties = WriterProperties::builder().set_compression(Compression::ZSTD(ZstdLevel::default()));
        let mut writer = ArrowWriter::try_new(to, self.schema.clone(), Some(properties.build()))?;
        for batch in &self.batches {
            writer.write(batch)?;
        }
        writer.close().map(drop).map_err(|e| ArrowError::from(e).into())
    }
}
