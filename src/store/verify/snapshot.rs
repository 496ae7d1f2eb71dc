//! The catalogue as it stands at one moment, read leniently: what is damaged should be named, not stumbled over.

use std::path::PathBuf;

use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{Connection, Row};

use crate::audit::Artifact;
use crate::store::StoreError;
use crate::store::catalogue::runs::resolve_folder;
use crate::store::catalogue::{Catalogue, digests};
use crate::store::chain::{EarlyRun, TableDigest};

#[derive(Debug)]
pub(super) struct Snapshot {
    /// In order of recording. Of runs that are not checked only their own row is read.
    pub runs: Vec<StoredRun>,
    /// The highest number that any run was ever given; numbers are given without gaps.
    pub last_sequence: i64,
    /// What SQLite finds wrong with the file.
    pub damage: Vec<String>,
}

#[derive(Debug)]
pub(super) struct StoredRun {
    pub sequence: i64,
    /// `runs`, but `status` as it was recorded.
    pub row: EarlyRun,
    /// As it is now.
    pub status: String,
    pub supersedes: Option<String>,
    pub superseded_by: Option<String>,
    pub error: Option<String>,
    pub chain_sha256: String,
    /// Where its files lie.
    pub results: PathBuf,
    pub artifacts: Vec<Artifact>,
    /// Digests as recorded; none for runs from before there were any.
    pub recorded: Vec<TableDigest>,
    /// Digests of what is there.
    pub found: Vec<TableDigest>,
    pub tombstone: Option<Tombstone>,
}

#[derive(Debug)]
pub(super) struct Tombstone {
    /// The run's status before it was pruned.
    pub status: String,
    pub is_whole: bool,
}

impl Snapshot {
    /// The whole catalogue, or in depth `only` one run.
    pub(super) fn read(catalogue: &Catalogue, only: Option<&str>) -> Result<Self, StoreError> {
        catalogue.with("be verified", async |connection| {
            let mut transaction = connection.begin().await?;
            let damage = if only.is_none() { damage(&mut transaction).await? } else { Vec::new() };
            let last_sequence = last_sequence(&mut transaction).await?;
            let mut runs = Vec::new();
            for row in sqlx::query("SELECT * FROM runs ORDER BY sequence").fetch_all(&mut *transaction).await? {
                runs.push(StoredRun::of(&row, catalogue)?);
            }
            let tables = digests::tables(&mut transaction).await?;
            for run in runs.iter_mut().filter(|run| only.is_none_or(|only| run.row.run_id == only)) {
                run.read_details(&mut transaction, &tables).await?;
            }
            transaction.rollback().await?;
            Ok(Self { runs, last_sequence, damage })
        })
    }
}

impl StoredRun {
    fn of(row: &SqliteRow, catalogue: &Catalogue) -> Result<Self, sqlx::Error> {
        let text = |name: &str| Ok::<_, sqlx::Error>(optional(row, name)?.unwrap_or_default());
        let status = text("status")?;
        Ok(Self {
            sequence: number(row, "sequence")?,
            row: EarlyRun {
                run_id: text("run_id")?,
                pipeline: text("pipeline")?,
                as_of: text("as_of")?,
                started_at: text("started_at")?,
                finished_at: text("finished_at")?,
                status: before_superseded(&status),
                verdict: optional(row, "verdict")?.unwrap_or_else(|| "insufficient".to_string()),
                tool_version: text("tool_version")?,
                config_sha256: text("config_sha256")?,
                model_sha256: text("model_sha256")?,
                data_sha256: text("data_sha256")?,
                prev_run_id: optional(row, "prev_run_id")?,
                seed: number(row, "seed")? as u64,
                n_rows: number(row, "n_rows")? as u64,
                explain_method: text("explain_method")?,
                explain_scale: text("explain_scale")?,
            },
            status,
            supersedes: optional(row, "supersedes")?,
            superseded_by: optional(row, "superseded_by")?,
            error: optional(row, "error")?,
            chain_sha256: text("chain_sha256")?,
            results: resolve_folder(catalogue.folder(), &text("results")?),
            artifacts: Vec::new(),
            recorded: Vec::new(),
            found: Vec::new(),
            tombstone: None,
        })
    }

    async fn read_details(&mut self, connection: &mut SqliteConnection, tables: &[String]) -> Result<(), sqlx::Error> {
        let run_id = self.row.run_id.clone();
        let sql = "SELECT * FROM tombstones WHERE run_id = ?";
        if let Some(row) = sqlx::query(sql).bind(&run_id).fetch_optional(&mut *connection).await? {
            let tombstone = Tombstone::of(&row, &self.chain_sha256)?;
            self.row.status = before_superseded(&tombstone.status);
            self.tombstone = Some(tombstone);
        }
        let sql = "SELECT * FROM artifacts WHERE run_id = ? ORDER BY rowid";
        let rows = sqlx::query(sql).bind(&run_id).fetch_all(&mut *connection).await?;
        self.artifacts = rows.iter().map(artifact).collect::<Result<_, _>>()?;
        let sql = "SELECT * FROM record_digests WHERE run_id = ? ORDER BY table_name";
        let rows = sqlx::query(sql).bind(&run_id).fetch_all(&mut *connection).await?;
        self.recorded = rows.iter().map(digest).collect::<Result<_, _>>()?;
        self.found = digests::of_run(connection, tables, &run_id, &self.row.status).await?;
        Ok(())
    }
}

impl Tombstone {
    fn of(row: &SqliteRow, chain_sha256: &str) -> Result<Self, sqlx::Error> {
        let text = |name: &str| Ok::<_, sqlx::Error>(optional(row, name)?.unwrap_or_default());
        let count = |name: &str| Ok::<_, sqlx::Error>(number(row, name)?.to_string());
        let columns = [
            ("run_id", text("run_id")?),
            ("pruned_at", text("pruned_at")?),
            ("status", text("status")?),
            ("n_files", count("n_files")?),
            ("bytes", count("bytes")?),
            ("reason", text("reason")?),
            ("tool_version", text("tool_version")?),
        ];
        let is_whole = text("sha256")? == digests::of_tombstone(&columns, chain_sha256);
        Ok(Self { status: text("status")?, is_whole })
    }
}

/// Only succeeded runs are superseded.
fn before_superseded(status: &str) -> String {
    if status == "superseded" { "succeeded".to_string() } else { status.to_string() }
}

async fn damage(connection: &mut SqliteConnection) -> Result<Vec<String>, sqlx::Error> {
    let whole: Vec<String> = sqlx::query_scalar("PRAGMA integrity_check").fetch_all(&mut *connection).await?;
    let mut damage: Vec<String> = whole.into_iter().filter(|line| line != "ok").collect();
    for row in sqlx::query("PRAGMA foreign_key_check").fetch_all(connection).await? {
        let table = optional(&row, "table")?.unwrap_or_default();
        damage.push(format!("a row of `{table}` names a run that is not there"));
    }
    damage.dedup();
    Ok(damage)
}

async fn last_sequence(connection: &mut SqliteConnection) -> Result<i64, sqlx::Error> {
    let sql = "SELECT seq FROM sqlite_sequence WHERE name = 'runs'";
    Ok(sqlx::query_scalar(sql).fetch_optional(connection).await?.unwrap_or(0))
}

fn digest(row: &SqliteRow) -> Result<TableDigest, sqlx::Error> {
    Ok(TableDigest {
        table: optional(row, "table_name")?.unwrap_or_default(),
        n_rows: number(row, "n_rows")? as u64,
        sha256: optional(row, "sha256")?.unwrap_or_default(),
    })
}

fn artifact(row: &SqliteRow) -> Result<Artifact, sqlx::Error> {
    Ok(Artifact {
        kind: optional(row, "kind")?.unwrap_or_default(),
        path: optional(row, "path")?.unwrap_or_default(),
        sha256: optional(row, "sha256")?.unwrap_or_default(),
        bytes: number(row, "bytes")? as u64,
        n_rows: row.try_get_unchecked::<Option<i64>, _>("n_rows")?.map(|n| n as u64),
    })
}

/// Text that may be null, and may be damaged.
fn optional(row: &SqliteRow, name: &str) -> Result<Option<String>, sqlx::Error> {
    let bytes: Option<&[u8]> = row.try_get_unchecked(name)?;
    Ok(bytes.map(|bytes| String::from_utf8_lossy(bytes).into_owned()))
}

fn number(row: &SqliteRow, name: &str) -> Result<i64, sqlx::Error> {
    row.try_get_unchecked(name)
}
