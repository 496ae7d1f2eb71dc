//! Schema versions, append-only: a migration brings a catalogue to the version that its file's number says. Numbers
//! rise, and some are skipped.
//!
//! The version stands in `PRAGMA user_version`, and `PRAGMA application_id` tells a catalogue from other programs'
//! databases. Each migration file says why it is there.

use std::path::Path;

use sqlx::sqlite::SqliteConnection;
use sqlx::{AssertSqlSafe, Connection};

use super::super::error::StoreError;
use super::super::fault::{self, Place};

/// One step of the schema.
#[derive(Debug, Clone, Copy)]
pub(super) struct Migration {
    /// Of the catalogue afterwards.
    pub version: i64,
    pub sql: &'static str,
}

pub(super) const ALL: &[Migration] = &[
    Migration { version: 1, sql: include_str!("../../../migrations/0001_history.sql") },
    Migration { version: 2, sql: include_str!("../../../migrations/0002_adjusted_p_values.sql") },
    Migration { version: 10, sql: include_str!("../../../migrations/0010_proof.sql") },
    Migration { version: 11, sql: include_str!("../../../migrations/0011_gaps_and_proxies.sql") },
    Migration { version: 12, sql: include_str!("../../../migrations/0012_layers.sql") },
    Migration { version: 13, sql: include_str!("../../../migrations/0013_surrogate_nodes.sql") },
    Migration { version: 14, sql: include_str!("../../../migrations/0014_confusion.sql") },
];

fn latest(known: &[Migration]) -> i64 {
    known.last().map_or(0, |migration| migration.version)
}

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
pub(super) fn check(path: &Path, found: Found, known: &[Migration]) -> Result<State, StoreError> {
    let known = latest(known);
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
    known: &[Migration],
) -> Result<(), sqlx::Error> {
    let missing = known.iter().filter(|migration| migration.version > found.version);
    if missing.clone().next().is_none() {
        return Ok(());
    }
    if found.version > 0 {
        back_up(connection, path, found.version).await?;
        fault::reach(Place::BackedUp);
    }
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    for migration in missing {
        sqlx::raw_sql(migration.sql).execute(&mut *transaction).await?;
    }
    let mark = format!("PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {}", latest(known));
    sqlx::raw_sql(AssertSqlSafe(mark)).execute(&mut *transaction).await?;
    transaction.commit().await
}

/// Copies to `catalogue.db.backup-v1`, with the moment after it where an earlier upgrade left one of that name.
async fn back_up(connection: &mut SqliteConnection, path: &Path, version: i64) -> Result<(), sqlx::Error> {
    let mut copy = super::beside(path, &format!(".backup-v{version}"));
    if copy.exists() {
        let stamp = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%S%6fZ");
        copy = super::beside(path, &format!(".backup-v{version}-{stamp}"));
    }
    sqlx::query("VACUUM INTO ?").bind(copy.to_string_lossy().into_owned()).execute(connection).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_rise_and_each_file_says_why_and_bears_its_number() {
        assert!(ALL.windows(2).all(|pair| pair[0].version < pair[1].version));
        assert!(ALL.iter().all(|migration| migration.sql.starts_with("-- Why: ")));
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
        let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let mut found: Vec<(i64, String)> = files
            .map(|path| {
                let name = path.file_name().unwrap().to_string_lossy().into_owned();
                (name.split('_').next().unwrap().parse().unwrap(), std::fs::read_to_string(&path).unwrap())
            })
            .collect();
        found.sort();
        let known: Vec<_> = ALL.iter().map(|migration| (migration.version, migration.sql.to_string())).collect();
        assert!(found == known, "migrations on disk and in the list differ");
    }
}
