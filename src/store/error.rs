//! What can go wrong in the store, each with the place and what to do.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::query::QueryError;

#[derive(Debug, Error)]
pub enum StoreError {
    #[error("`{address}` is no catalogue address ({reason}): write `sqlite:PATH`")]
    Address { address: String, reason: &'static str },
    #[error("there is no catalogue at {}: `probity run` makes one, `--catalogue` names another", path.display())]
    NoCatalogue { path: PathBuf },
    #[error("{} is not a probity catalogue ({reason}): name another with `--catalogue`, or move the file away", path.display())]
    NotACatalogue { path: PathBuf, reason: String },
    #[error(
        "the catalogue {} has schema version {found}, this probity knows {known}: use the probity that wrote it, or a newer one",
        path.display()
    )]
    NewerCatalogue { path: PathBuf, found: i64, known: i64 },
    #[error("the catalogue {} is read-only: make the file and its folder writable, or name another with `--catalogue`", path.display())]
    ReadOnlyCatalogue { path: PathBuf },
    #[error("cannot {action} {}: {source}; make the folder writable or name another in [store]", path.display())]
    Unwritable { action: &'static str, path: PathBuf, source: io::Error },
    #[error("the disk that holds {} is full: free some space and run again", path.display())]
    DiskFull { path: PathBuf },
    #[error("cannot {action} {}: {source}", path.display())]
    Io { action: &'static str, path: PathBuf, source: io::Error },
    #[error("the catalogue {} could not {action}: {source}", path.display())]
    Catalogue { action: &'static str, path: PathBuf, source: sqlx::Error },
    #[error("the catalogue {} holds {column} = `{found}` in `{table}`, which this probity does not know", path.display())]
    UnknownValue { path: PathBuf, table: &'static str, column: &'static str, found: String },
    #[error("cannot write the Parquet file {}: {source}", path.display())]
    Parquet { path: PathBuf, source: parquet::errors::ParquetError },
    #[error(
        "pipeline `{pipeline}` is being run by process {holder}: wait until it has finished, with `--wait SECONDS` here"
    )]
    Locked { pipeline: String, holder: String },
    #[error("`{found}` cannot be a {what}: {rule}")]
    Name { what: &'static str, found: String, rule: &'static str },
    #[error("no run `{selector}`: {hint}")]
    NoSuchRun { selector: String, hint: String },
    #[error("`{prefix}` begins the ids of several runs ({}): give more of it", candidates.join(", "))]
    AmbiguousRun { prefix: String, candidates: Vec<String> },
    #[error("run {run_id} ({status}) has no stored audit: {reason}")]
    NoAudit { run_id: String, status: &'static str, reason: String },
    #[error("{} is missing, though run {run_id} stored it: restore it from a backup", path.display())]
    MissingFile { run_id: String, path: PathBuf },
    #[error("{} was altered after run {run_id} stored it (SHA-256 {found}, stored as {expected})", path.display())]
    AlteredFile { run_id: String, path: PathBuf, expected: String, found: String },
    #[error("the audit {} has schema version {found}, this probity knows {known}: use a newer one", path.display())]
    NewerAudit { path: PathBuf, found: u64, known: u32 },
    #[error("the audit {} cannot be read: {source}", path.display())]
    UnreadableAudit { path: PathBuf, source: serde_json::Error },
    #[error("the audit cannot be stored: {0}")]
    NotStorable(String),
    #[error("rows for `{table}` do not fit together: {reason}")]
    Batch { table: &'static str, reason: String },
    #[error(transparent)]
    Query(#[from] QueryError),
}

impl StoreError {
    /// The process's exit code: 75 for a held lock, 2 for what the user can put right, 3 for what broke while running.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Locked { .. } => 75,
            Self::Io { .. }
            | Self::Catalogue { .. }
            | Self::UnknownValue { .. }
            | Self::Parquet { .. }
            | Self::MissingFile { .. }
            | Self::AlteredFile { .. }
            | Self::UnreadableAudit { .. }
            | Self::NotStorable(_)
            | Self::Batch { .. } => 3,
            Self::Query(error) => error.exit_code(),
            _ => 2,
        }
    }

    /// An input or output error, told apart by what the user can do about it.
    pub(super) fn io(action: &'static str, path: &Path, source: io::Error) -> Self {
        let path = path.to_path_buf();
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull { path },
            io::ErrorKind::PermissionDenied
            | io::ErrorKind::ReadOnlyFilesystem
            | io::ErrorKind::NotADirectory
            | io::ErrorKind::AlreadyExists => Self::Unwritable { action, path, source },
            _ => Self::Io { action, path, source },
        }
    }

    /// A Parquet error; the file system's errors inside keep their meaning.
    pub(super) fn parquet(path: &Path, source: parquet::errors::ParquetError) -> Self {
        use parquet::errors::ParquetError;
        match source {
            ParquetError::External(inner) => match inner.downcast::<io::Error>() {
                Ok(error) => Self::io("write", path, *error),
                Err(inner) => Self::Parquet { path: path.to_path_buf(), source: ParquetError::External(inner) },
            },
            source => Self::Parquet { path: path.to_path_buf(), source },
        }
    }

    /// A database error; SQLite's result codes tell what the user can put right (<https://sqlite.org/rescode.html>).
    pub(super) fn sqlite(action: &'static str, path: &Path, source: sqlx::Error) -> Self {
        const READONLY: i64 = 8;
        const FULL: i64 = 13;
        const CANTOPEN: i64 = 14;
        const NOTADB: i64 = 26;
        const CORRUPT: i64 = 11;
        let code = source.as_database_error().and_then(|error| error.code()?.parse::<i64>().ok());
        let path = path.to_path_buf();
        // The low byte is the primary code, whatever the extended one adds.
        match code.map(|code| code & 0xff) {
            Some(READONLY) => Self::ReadOnlyCatalogue { path },
            Some(FULL) => Self::DiskFull { path },
            Some(CANTOPEN) => {
                Self::Unwritable { action: "open the catalogue", path, source: io::Error::other(source.to_string()) }
            }
            Some(NOTADB) => Self::NotACatalogue { path, reason: "the file is not a SQLite database".into() },
            Some(CORRUPT) => Self::NotACatalogue { path, reason: "the SQLite database is damaged".into() },
            _ => Self::Catalogue { action, path, source },
        }
    }
}
