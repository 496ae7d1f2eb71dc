//! The catalogue: one SQLite file with what every run found out, read by `sqlite3` as well.
//!
//! Connections and the runtime that drives them stay in this room; callers see plain functions. Writers open the
//! database in WAL mode with full synchronisation and wait for each other, so parallel pipelines share one catalogue.

pub(super) mod digests;
pub(super) mod insert;
mod migrations;
pub(super) mod runs;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection};
use tokio::runtime::{Builder, Runtime};

use super::error::StoreError;
use super::lock::PipelineLock;
use migrations::Migration;

/// A night's transactions last milliseconds; who waits this long waits for something broken.
const BUSY_TIMEOUT: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub(super) struct Catalogue {
    path: PathBuf,
    runtime: Runtime,
    /// `None` only while closing.
    connection: Mutex<Option<SqliteConnection>>,
    read_only: bool,
}

impl Catalogue {
    /// Opens the catalogue for writing: makes it where there is none, upgrades an older one after a backup.
    pub(super) fn open(path: &Path) -> Result<Self, StoreError> {
        Self::open_with(path, migrations::ALL)
    }

    fn open_with(path: &Path, known: &'static [Migration]) -> Result<Self, StoreError> {
        let folder = folder_of(path);
        fs::create_dir_all(folder).map_err(|e| StoreError::io("make the folder", folder, e))?;
        // SQLite's own waiting does not cover the switch to WAL, so first comers take turns.
        let _turn = PipelineLock::acquire(&locks_folder(path), ".opening", BUSY_TIMEOUT)?;
        let options = writing(path);
        let catalogue = Self::connect(path, options, false)?;
        catalogue.with("be opened", async |connection| migrations::inspect(connection).await).and_then(|found| {
            migrations::check(path, found, known)?;
            catalogue.with("be upgraded", async |connection| migrations::upgrade(connection, path, found, known).await)
        })?;
        catalogue.probe_writing()?;
        Ok(catalogue)
    }

    /// Opens an existing catalogue for reading. An older one is upgraded first, since its columns would be missing.
    pub(super) fn open_read_only(path: &Path) -> Result<Self, StoreError> {
        if !path.exists() {
            return Err(StoreError::NoCatalogue { path: path.to_path_buf() });
        }
        let catalogue = Self::connect_read_only(path)?;
        let found = catalogue.with("be opened", async |connection| migrations::inspect(connection).await)?;
        if migrations::check(path, found, migrations::ALL)? == migrations::State::Current {
            return Ok(catalogue);
        }
        drop(catalogue);
        drop(Self::open(path)?);
        Self::connect_read_only(path)
    }

    fn connect_read_only(path: &Path) -> Result<Self, StoreError> {
        let opened = Self::connect(path, reading(path), true).and_then(|catalogue| {
            catalogue.with("be opened", async |connection| migrations::inspect(connection).await)?;
            Ok(catalogue)
        });
        match opened {
            // A WAL database needs side files even to be read. In a folder where they cannot be made nobody writes
            // either, so the file may be read as it stands.
            Err(StoreError::Unwritable { .. } | StoreError::ReadOnlyCatalogue { .. })
                if !beside(path, "-wal").exists() =>
            {
                Self::connect(path, reading(path).immutable(true), true)
            }
            opened => opened,
        }
    }

    fn connect(path: &Path, options: SqliteConnectOptions, read_only: bool) -> Result<Self, StoreError> {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|e| StoreError::io("start the runtime for", path, e))?;
        let connection = runtime.block_on(options.connect());
        let connection = connection.map_err(|e| StoreError::sqlite("be opened", path, e))?;
        Ok(Self { path: path.to_path_buf(), runtime, connection: Mutex::new(Some(connection)), read_only })
    }

    /// A second connection that reads, for use on another runtime.
    pub(super) fn reader(&self) -> SqliteConnectOptions {
        reading(&self.path)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn folder(&self) -> &Path {
        folder_of(&self.path)
    }

    /// Where locks and marks of runs in progress lie.
    pub(super) fn locks_folder(&self) -> PathBuf {
        locks_folder(&self.path)
    }

    pub(super) fn require_writing(&self) -> Result<(), StoreError> {
        if self.read_only { Err(StoreError::ReadOnlyCatalogue { path: self.path.clone() }) } else { Ok(()) }
    }

    /// Runs `work` on the connection; `action` completes "the catalogue could not …".
    pub(super) fn with<R>(
        &self,
        action: &'static str,
        work: impl AsyncFnOnce(&mut SqliteConnection) -> Result<R, sqlx::Error>,
    ) -> Result<R, StoreError> {
        // A panic elsewhere cannot leave the connection half changed: open transactions roll back when dropped.
        let mut connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let done = match connection.as_mut() {
            Some(connection) => self.runtime.block_on(work(connection)),
            None => Err(sqlx::Error::WorkerCrashed),
        };
        done.map_err(|e| StoreError::sqlite(action, &self.path, e))
    }

    /// Runs `work` in one transaction that takes the write lock at once.
    pub(super) fn transaction<R>(
        &self,
        action: &'static str,
        work: impl AsyncFnOnce(&mut SqliteConnection) -> Result<R, sqlx::Error>,
    ) -> Result<R, StoreError> {
        self.with(action, async |connection| {
            let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
            let result = work(&mut transaction).await?;
            transaction.commit().await?;
            Ok(result)
        })
    }

    /// SQLite quietly opens a file that it may not write; better to know before hours of work than after.
    fn probe_writing(&self) -> Result<(), StoreError> {
        self.with("be written", async |connection| connection.begin_with("BEGIN IMMEDIATE").await?.rollback().await)
    }
}

impl Drop for Catalogue {
    /// Closes in order, so that the write-ahead log is merged and the one file is the whole catalogue.
    fn drop(&mut self) {
        let connection = self.connection.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(connection) = connection {
            let _ = self.runtime.block_on(connection.close());
        }
    }
}

fn writing(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(BUSY_TIMEOUT)
}

fn reading(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new().filename(path).read_only(true).busy_timeout(BUSY_TIMEOUT)
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

fn locks_folder(path: &Path) -> PathBuf {
    beside(path, ".locks")
}

/// `path` with `suffix` after its whole name.
fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_os_string();
    name.push(suffix);
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &[Migration] =
        &[Migration { version: 3, sql: "CREATE TABLE a (x INTEGER) STRICT; INSERT INTO a VALUES (7);" }];
    /// Numbers in between are not used.
    const NEW: &[Migration] = &[OLD[0], Migration { version: 7, sql: "ALTER TABLE a ADD COLUMN y TEXT;" }];

    fn count(catalogue: &Catalogue, sql: &'static str) -> i64 {
        catalogue.with("count", async |connection| sqlx::query_scalar(sql).fetch_one(connection).await).unwrap()
    }

    #[test]
    fn a_new_catalogue_has_the_tables_of_the_contract() {
        let folder = tempfile::tempdir().unwrap();
        let catalogue = Catalogue::open(&folder.path().join("deep/er/catalogue.db")).unwrap();
        let tables = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name IN ('runs', 'metrics',
            'group_counts', 'importance', 'group_attributions', 'gates', 'drift', 'curves', 'artifacts', 'models',
            'datasets', 'layers')";
        assert_eq!(count(&catalogue, tables), 12);
        assert_eq!(count(&catalogue, "PRAGMA foreign_keys"), 1);
        assert_eq!(count(&catalogue, "PRAGMA synchronous"), 2);
    }

    #[test]
    fn an_older_catalogue_is_upgraded_after_a_backup() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("catalogue.db");
        drop(Catalogue::open_with(&path, OLD).unwrap());
        let upgraded = Catalogue::open_with(&path, NEW).unwrap();
        assert_eq!(count(&upgraded, "SELECT count(*) FROM a WHERE x = 7 AND y IS NULL"), 1);
        assert_eq!(count(&upgraded, "PRAGMA user_version"), 7);
        let backup = Catalogue::open_with(&folder.path().join("catalogue.db.backup-v3"), OLD).unwrap();
        assert_eq!(count(&backup, "SELECT count(*) FROM a WHERE x = 7"), 1);
    }

    #[test]
    fn a_backup_is_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("catalogue.db");
        let earlier = folder.path().join("catalogue.db.backup-v3");
        fs::write(&earlier, "precious").unwrap();
        drop(Catalogue::open_with(&path, OLD).unwrap());
        drop(Catalogue::open_with(&path, NEW).unwrap());
        assert_eq!(fs::read_to_string(&earlier).unwrap(), "precious");
        let names = fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
        assert_eq!(names.filter(|name| name.starts_with("catalogue.db.backup-v3-")).count(), 1);
    }

    #[test]
    fn a_failed_upgrade_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("catalogue.db");
        drop(Catalogue::open_with(&path, OLD).unwrap());
        const BROKEN: &[Migration] =
            &[OLD[0], Migration { version: 4, sql: "ALTER TABLE a ADD COLUMN y TEXT; SELECT nonsense;" }];
        Catalogue::open_with(&path, BROKEN).unwrap_err();
        let catalogue = Catalogue::open_with(&path, OLD).unwrap();
        assert_eq!(count(&catalogue, "SELECT count(*) FROM pragma_table_info('a')"), 1);
    }

    #[test]
    fn a_newer_catalogue_is_refused_and_untouched() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("catalogue.db");
        drop(Catalogue::open_with(&path, NEW).unwrap());
        let error = Catalogue::open_with(&path, OLD).unwrap_err();
        assert!(matches!(error, StoreError::NewerCatalogue { found: 7, known: 3, .. }), "{error}");
        assert_eq!(error.exit_code(), 2);
        assert!(Catalogue::open_with(&path, NEW).is_ok());
    }

    #[test]
    fn a_file_that_is_no_database_is_refused_and_untouched() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("catalogue.db");
        let text = "this is no database, although it is long enough to look like one".repeat(40);
        fs::write(&path, &text).unwrap();
        for error in [Catalogue::open(&path).unwrap_err(), Catalogue::open_read_only(&path).unwrap_err()] {
            assert!(matches!(error, StoreError::NotACatalogue { .. }), "{error}");
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }

    #[test]
    fn another_programs_database_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("other.db");
        let other = Catalogue::connect(&path, writing(&path), false).unwrap();
        count(&other, "CREATE TABLE songs (title TEXT); SELECT 1");
        drop(other);
        let error = Catalogue::open(&path).unwrap_err();
        assert!(matches!(error, StoreError::NotACatalogue { .. }), "{error}");
    }

    #[test]
    fn reading_needs_an_existing_catalogue_and_writes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("catalogue.db");
        assert!(matches!(Catalogue::open_read_only(&path).unwrap_err(), StoreError::NoCatalogue { .. }));
        assert!(!path.exists());
        drop(Catalogue::open(&path).unwrap());
        let catalogue = Catalogue::open_read_only(&path).unwrap();
        let write = catalogue
            .transaction("be written", async |connection| sqlx::query("DELETE FROM runs").execute(connection).await);
        assert!(matches!(write.unwrap_err(), StoreError::ReadOnlyCatalogue { .. }));
        assert!(matches!(catalogue.require_writing().unwrap_err(), StoreError::ReadOnlyCatalogue { .. }));
    }

    #[test]
    fn first_comers_do_not_disturb_each_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("catalogue.db");
        std::thread::scope(|scope| {
            let openings: Vec<_> = (0..8).map(|_| scope.spawn(|| Catalogue::open(&path).map(drop))).collect();
            for opening in openings {
                opening.join().unwrap().unwrap();
            }
        });
    }
}
