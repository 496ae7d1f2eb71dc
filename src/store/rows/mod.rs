//! Row-level tables: long Parquet files that pandas, DuckDB and `probity query` read without knowing us.
//!
//! Batches come as the pipeline has them; values are gathered into chunks of a fixed size, so that a file's bytes
//! depend on its rows and not on the batches they came in.

mod columns;
pub(super) mod distributions;
mod explanations;
mod file;
mod interactions;
pub(super) mod layer_units;
mod local_fits;
mod maps;
pub(super) mod mean_maps;
mod predictions;
mod schema;
mod values;

pub use explanations::{ExplainedOutputs, ExplanationBatch};
pub use interactions::InteractionBatch;
pub use local_fits::LocalFitBatch;
pub use maps::MapBatch;
pub use predictions::{LabelColumn, PredictionBatch};
pub use schema::ROWS_SCHEMA_VERSION;
pub use values::{FeatureValues, number_text};

pub(super) use explanations::ExplanationFile;
pub(super) use file::{Origin, metadata_key};
pub(super) use interactions::InteractionFile;
pub(super) use local_fits::LocalFitFile;
pub(super) use maps::MapFile;
pub(super) use predictions::PredictionFile;
pub(super) use schema::{IdType, LabelType, TABLES, columns};

use super::file::SyncedFile;

/// A finished row-level file, under its temporary name.
#[derive(Debug)]
pub(super) struct FinishedRows {
    pub table: &'static str,
    pub file: SyncedFile,
    pub n_rows: u64,
    pub row_id_type: IdType,
    pub label_type: Option<LabelType>,
}
