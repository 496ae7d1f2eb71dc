//! The `distributions` table: one row for each cell of values of a column or a score, with its bin.
//!
//! It has no row of the data in it, yet as many rows as a wide audit has cells: too many for the catalogue, night
//! after night.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, Float64Array, Int32Array, Int64Array, RecordBatch, StringArray, StringDictionaryBuilder,
};
use arrow::datatypes::Int32Type;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::FinishedRows;
use super::columns::numbers_or_null;
use super::file::{Origin, RowFile, misfit};
use super::schema::{DISTRIBUTIONS, IdType};
use crate::audit::{CellValue, Distribution, DistributionCell};
use crate::store::error::StoreError;

/// Writes all distributions of a run, in their order.
pub(in crate::store) fn write(
    target: &Path,
    origin: &Origin,
    distributions: &[Distribution],
) -> Result<FinishedRows, StoreError> {
    // There is no `row_id`; the type only tells row-level files from others in the catalogue.
    let mut file = RowFile::create(target, origin, DISTRIBUTIONS, IdType::String, None)?;
    for distribution in distributions {
        file.write_chunk(arrays(distribution))?;
    }
    file.finish()
}

fn arrays(distribution: &Distribution) -> Vec<ArrayRef> {
    let cells = &distribution.cells;
    let texts = |text: &dyn Fn(&DistributionCell) -> Option<String>| -> ArrayRef {
        let mut column = StringDictionaryBuilder::<Int32Type>::new();
        cells.iter().for_each(|cell| column.append_option(text(cell)));
        Arc::new(column.finish())
    };
    let number = |cell: &DistributionCell| match cell.value {
        CellValue::Number(value) => value,
        _ => f64::NAN,
    };
    let category = |cell: &DistributionCell| match &cell.value {
        CellValue::Category(name) => Some(name.clone()),
        _ => None,
    };
    vec![
        texts(&|_| Some(distribution.subject.clone())),
        texts(&|_| Some(distribution.feature.clone())),
        Arc::new(Int32Array::from(vec![distribution.coarseness as i32; cells.len()])),
        texts(&|cell| Some(kind(&cell.value).to_owned())),
        Arc::new(Int32Array::from_iter_values(cells.iter().map(|cell| cell.bin as i32))),
        numbers_or_null(cells.iter().map(number).collect()),
        texts(&category),
        Arc::new(Int64Array::from_iter_values(cells.iter().map(|cell| cell.n as i64))),
        Arc::new(Float64Array::from_iter_values(cells.iter().map(|cell| cell.weight))),
    ]
}

fn kind(value: &CellValue) -> &'static str {
    match value {
        CellValue::Number(_) => "number",
        CellValue::Category(_) => "category",
        CellValue::Missing => "missing",
        CellValue::Infinite => "infinite",
    }
}

/// Reads what [`write`] wrote.
pub(in crate::store) fn read(path: &Path) -> Result<Vec<Distribution>, StoreError> {
    let file = File::open(path).map_err(|e| StoreError::io("read", path, e))?;
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).and_then(|builder| builder.build());
    let mut distributions: Vec<Distribution> = Vec::new();
    for batch in reader.map_err(|e| StoreError::parquet(path, e))? {
        let batch = batch.map_err(|error| misfit(DISTRIBUTIONS, error))?;
        let columns = Columns::of(&batch)
            .ok_or_else(|| misfit(DISTRIBUTIONS, format!("{} has other columns", path.display())))?;
        for row in 0..batch.num_rows() {
            let (subject, feature) = (columns.subject.value(row), columns.feature.value(row));
            if distributions
                .last()
                .is_none_or(|last| (last.subject.as_str(), last.feature.as_str()) != (subject, feature))
            {
                let coarseness = columns.coarseness.value(row) as u32;
                let (subject, feature) = (subject.to_owned(), feature.to_owned());
                distributions.push(Distribution { subject, feature, coarseness, cells: Vec::new() });
            }
            if let Some(last) = distributions.last_mut() {
                last.cells.push(columns.cell(row));
            }
        }
    }
    Ok(distributions)
}

/// The columns of a batch.
struct Columns<'a> {
    subject: &'a StringArray,
    feature: &'a StringArray,
    coarseness: &'a Int32Array,
    kind: &'a StringArray,
    bin: &'a Int32Array,
    value: &'a Float64Array,
    category: &'a StringArray,
    n: &'a Int64Array,
    weight: &'a Float64Array,
}

impl<'a> Columns<'a> {
    fn of(batch: &'a RecordBatch) -> Option<Self> {
        fn column<'a, T: 'static>(batch: &'a RecordBatch, name: &str) -> Option<&'a T> {
            batch.column_by_name(name)?.as_any().downcast_ref()
        }
        Some(Self {
            subject: column(batch, "subject")?,
            feature: column(batch, "feature")?,
            coarseness: column(batch, "coarseness")?,
            kind: column(batch, "kind")?,
            bin: column(batch, "bin")?,
            value: column(batch, "value")?,
            category: column(batch, "category")?,
            n: column(batch, "n")?,
            weight: column(batch, "weight")?,
        })
    }

    fn cell(&self, row: usize) -> DistributionCell {
        let value = match self.kind.value(row) {
            "number" => CellValue::Number(self.value.value(row)),
            "category" => CellValue::Category(self.category.value(row).to_owned()),
            "missing" => CellValue::Missing,
            _ => CellValue::Infinite,
        };
        let (bin, n) = (self.bin.value(row) as u32, self.n.value(row).unsigned_abs());
        DistributionCell { value, bin, n, weight: self.weight.value(row) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(value: CellValue, bin: u32, weight: f64) -> DistributionCell {
        DistributionCell { value, bin, n: 3, weight }
    }

    #[test]
    fn distributions_are_read_as_they_were_written() {
        let written = vec![
            Distribution {
                subject: "feature".into(),
                feature: "age".into(),
                coarseness: 40,
                cells: vec![
                    cell(CellValue::Number(-0.1), 0, 0.3),
                    cell(CellValue::Number(1e300), 1, 2.5),
                    cell(CellValue::Missing, 2, 1.0),
                    cell(CellValue::Infinite, 3, 1.0),
                ],
            },
            Distribution {
                subject: "feature".into(),
                feature: "job, \"x\"\n".into(),
                coarseness: 0,
                cells: vec![cell(CellValue::Category(String::new()), 0, 1.0), cell(CellValue::Missing, 1, 0.0)],
            },
        ];
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("d.parquet");
        let (run_id, pipeline, tool_version) = ("r".into(), "p".into(), "0".into());
        let finished = write(&target, &Origin { run_id, pipeline, tool_version }, &written).unwrap();
        assert_eq!(finished.n_rows, 6);
        finished.file.publish().unwrap();
        assert_eq!(read(&target).unwrap(), written);
    }

    #[test]
    fn another_file_is_no_distribution() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("d.parquet");
        std::fs::write(&path, b"not parquet").unwrap();
        assert!(read(&path).is_err());
    }
}
