//! A result's columns as plain values, for answers that are more than a table.

use datafusion::arrow::array::AsArray;
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Float64Type};

use super::{QueryError, QueryResult};

impl QueryResult {
    /// A column's values as text; numbers as they are printed.
    pub fn texts(&self, column: &str) -> Result<Vec<Option<String>>, QueryError> {
        let mut values = Vec::new();
        for batch in &self.batches {
            let column = cast(of(batch.column_by_name(column), column)?, &DataType::Utf8).map_err(failed)?;
            values.extend(column.as_string::<i32>().iter().map(|text| text.map(str::to_string)));
        }
        Ok(values)
    }

    /// A column's values as numbers; what is no number is an error.
    pub fn numbers(&self, column: &str) -> Result<Vec<Option<f64>>, QueryError> {
        let mut values = Vec::new();
        for batch in &self.batches {
            let column = cast(of(batch.column_by_name(column), column)?, &DataType::Float64).map_err(failed)?;
            values.extend(column.as_primitive::<Float64Type>().iter());
        }
        Ok(values)
    }
}

fn of<'a, T: ?Sized>(found: Option<&'a T>, name: &str) -> Result<&'a T, QueryError> {
    found.ok_or_else(|| QueryError::UnknownColumn { name: name.to_string(), hint: String::new() })
}

fn failed(error: datafusion::arrow::error::ArrowError) -> QueryError {
    QueryError::Failed(error.into())
}
