//! What can be wrong with the data, said so that it can be mended.

use std::path::PathBuf;

#[derive(Debug, thiserror::Error)]
pub enum DataError {
    #[error("{path}: {reason}", path = path.display())]
    Unreadable { path: PathBuf, reason: String },
    #[error("{path}: no file there; check [data] path (relative paths start at the TOML's folder)", path = path.display())]
    NotFound { path: PathBuf },
    #[error(
        "{path}: cannot tell the format from the name; use .parquet, .csv, .ndjson, .jsonl, .arrow, .ipc or .feather",
        path = path.display()
    )]
    UnknownFormat { path: PathBuf },
    #[error("{path}: has no rows{hint}", path = path.display())]
    Empty { path: PathBuf, hint: &'static str },
    #[error(
        "{path}: no value in any of {n_rows} rows of `{columns}`; fill it in the data, or take it out of the pipeline",
        path = path.display()
    )]
    NoValues { path: PathBuf, columns: String, n_rows: u64 },
    #[error("{path}: no column `{column}` (asked for by {asked_by}){suggestion}; it has: {columns}", path = path.display())]
    NoColumn { path: PathBuf, column: String, asked_by: String, suggestion: String, columns: String },
    #[error("column `{column}`: {found}; {advice}")]
    Column { column: String, found: String, advice: String },
    #[error(transparent)]
    Row(Box<RowError>),
    #[error("[data] filter `{filter}`: {reason}")]
    Filter { filter: String, reason: String },
}

/// One row that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("{path}: row {row_id}, column `{column}`: {found}; {advice}", path = path.display())]
pub struct RowError {
    pub path: PathBuf,
    pub row_id: String,
    pub column: String,
    pub found: String,
    pub advice: String,
}

impl DataError {
    pub(super) fn column(column: &str, found: impl Into<String>, advice: impl Into<String>) -> Self {
        DataError::Column { column: column.to_owned(), found: found.into(), advice: advice.into() }
    }
}
