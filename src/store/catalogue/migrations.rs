//! Schema versions, append-only: migration `i` brings a catalogue from version `i` to `i + 1`.
//!
//! The version stands in `PRAGMA user_version`, and `PRAGMA application_id` tells a catalogue from other programs'
//! databases. Each migration file says why it is there.

use std::path::Path;

use sqlx::sqlite::SqliteConnection;
use sqlx::{AssertSqlSafe, Connection};

use super::super::error::StoreError;

pub(super) const ALL: &[&str] = &[
    include_str!("../../../migrations/0001_history.sql"),
    include_str!("../../../migrations/0002_adjusted_p_values.sql"),
];

/// "prob" in ASCII.
const APPLICATION_ID: i64 = 0x7072_6f62;

/// What a database file says about itself.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found {
    application_id: i64,
    version: i64,
    n_objects: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Empty,
    Older,
    Current,
}

pub(super) async fn inspect(connection: &mut SqliteConnection) -> Result<Found, sqlx::Error> {
    let mut number = async |sql: &'static str| sqlx::query_scalar::<_, i64>(sql).fetch_one(&mut *connection).await;
    Ok(Found {
        application_id: number("PRAGMA application_id").await?,
        version: number("PRAGMA user_version").await?,
        n_objects: number("SELECT count(*) FROM sqlite_schema").await?,
    })
}

/// Whether the file is a catalogue that `known` migrations can bring up to date.
pub(super) fn check(path: &Path, found: Found, known: &[&str]) -> Result<State, StoreError> {
    let known = known.len() as i64;
    match found {
        Found { application_id: 0, version: 0, n_objects: 0 } => Ok(State::Empty),
        Found { application_id, .. } if application_id != APPLICATION_ID => Err(StoreError::NotACatalogue {
            path: path.to_path_buf(),
            reason: "it is another program's SQLite database".into(),
        }),
        Found { version, .. } if version > known => {
            Err(StoreError::NewerCatalogue { path: path.to_path_buf(), found: version, known })
        }
        Found { version, .. } if version == known => Ok(State::Current),
        _ => Ok(State::Older),
    }
}

/// Applies what is missing, in one transaction; an older catalogue is copied beside itself first.
pub(super) async fn upgrade(
    connection: &mut SqliteConnection,
    path: &Path,
    found: Found,
    known: &[&'static str],
) -> Result<(), sqlx::Error> {
    let missing = known.iter().skip(found.version as usize);
    if missing.len() == 0 {
        return Ok(());
    }
    if found.version > 0 {
        back_up(connection, path, found.version).await?;
    }
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    for migration in missing {
        sqlx::raw_sql(*migration).execute(&mut *transaction).await?;
    }
    let mark = format!("PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {}", known.len());
    sqlx::raw_sql(AssertSqlSafe(mark)).execute(&mut *transaction).await?;
    transaction.commit().await
}

async fn back_up(connection: &mut SqliteConnection, path: &Path, version: i64) -> Result<(), sqlx::Error> {
    let stamp = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%S%6fZ");
    let copy = super::beside(path, &format!(".v{version}-{stamp}.bak"));
    sqlx::query("VACUUM INTO ?").bind(copy.to_string_lossy().into_owned()).execute(connection).await?;
    Ok(())
}
