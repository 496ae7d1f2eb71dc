//! The `runs` table: reading it, and finding the run that a user means.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::Serialize;
use sqlx::Row;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use crate::audit::{Artifact, Decision, Status};

use super::super::error::StoreError;
use super::Catalogue;

/// One row of `runs`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunSummary {
    pub run_id: String,
    pub pipeline: String,
    /// `YYYY-MM-DD`.
    pub as_of: String,
    /// RFC 3339, UTC.
    pub started_at: String,
    /// `None` for runs that were killed.
    pub finished_at: Option<String>,
    pub status: Status,
    /// `None` for runs that did not finish.
    pub verdict: Option<Decision>,
    pub tool_version: String,
    pub config_sha256: String,
    pub model_sha256: String,
    pub data_sha256: String,
    /// The pipeline's run recorded before this one, whatever became of it.
    pub prev_run_id: Option<String>,
    pub chain_sha256: String,
    pub n_rows: u64,
    pub explain_method: String,
    pub explain_scale: String,
    pub supersedes: Option<String>,
    pub superseded_by: Option<String>,
    /// Why a failed or aborted run ended.
    pub error: Option<String>,
    /// The folder its files lie in, as recorded (see `results` in `runs`).
    #[serde(skip)]
    pub(in crate::store) results: PathBuf,
}

/// Which runs to list; everything by default.
#[derive(Debug, Clone, Copy, Default)]
pub struct RunFilter<'a> {
    pub pipeline: Option<&'a str>,
    pub status: Option<Status>,
    pub limit: Option<u32>,
}

/// What makes two runs the same computation.
#[derive(Debug, Clone, Copy)]
pub struct Inputs<'a> {
    pub pipeline: &'a str,
    pub as_of: &'a str,
    pub config_sha256: &'a str,
    pub model_sha256: &'a str,
    pub data_sha256: &'a str,
    pub tool_version: &'a str,
}

const COLUMNS: &str = "SELECT run_id, pipeline, as_of, started_at, finished_at, status, verdict, tool_version,
    config_sha256, model_sha256, data_sha256, prev_run_id, chain_sha256, n_rows, explain_method, explain_scale,
    supersedes, superseded_by, error, results FROM runs ";

/// A condition and its parameters, in order.
struct Condition<'a> {
    sql: &'static str,
    values: &'a [&'a str],
}

impl Catalogue {
    /// Runs, the last recorded first.
    pub(in crate::store) fn runs(&self, filter: RunFilter<'_>) -> Result<Vec<RunSummary>, StoreError> {
        let limit = filter.limit.map_or(-1, i64::from).to_string();
        let (pipeline, status) = (filter.pipeline.unwrap_or(""), filter.status.map_or("", status_name));
        self.select(Condition {
            sql: "WHERE (?1 = '' OR pipeline = ?1) AND (?2 = '' OR status = ?2) ORDER BY sequence DESC LIMIT cast(?3 AS INTEGER)",
            values: &[pipeline, status, &limit],
        })
    }

    pub(in crate::store) fn by_id(&self, run_id: &str) -> Result<Option<RunSummary>, StoreError> {
        self.first(Condition { sql: "WHERE run_id = ?1", values: &[run_id] })
    }

    /// The run that the pipeline recorded last, whatever became of it: the link of the chain.
    pub(in crate::store) fn last_recorded(&self, pipeline: &str) -> Result<Option<RunSummary>, StoreError> {
        self.first(Condition { sql: "WHERE pipeline = ?1 ORDER BY sequence DESC LIMIT 1", values: &[pipeline] })
    }

    /// The succeeded run of the latest date, and of that date the last recorded.
    pub(in crate::store) fn latest_succeeded(&self, pipeline: &str) -> Result<Option<RunSummary>, StoreError> {
        self.first(Condition {
            sql: "WHERE pipeline = ?1 AND status = 'succeeded' ORDER BY as_of DESC, sequence DESC LIMIT 1",
            values: &[pipeline],
        })
    }

    /// The succeeded run of the latest date up to `as_of`, and of that date the last recorded; never `instead_of`.
    pub(in crate::store) fn succeeded_before(
        &self,
        pipeline: &str,
        as_of: &str,
        instead_of: Option<&str>,
    ) -> Result<Option<RunSummary>, StoreError> {
        self.first(Condition {
            sql: "WHERE pipeline = ?1 AND as_of <= ?2 AND run_id <> ?3 AND status = 'succeeded'
                ORDER BY as_of DESC, sequence DESC LIMIT 1",
            values: &[pipeline, as_of, instead_of.unwrap_or("")],
        })
    }

    pub(in crate::store) fn find_same(&self, inputs: Inputs<'_>) -> Result<Option<RunSummary>, StoreError> {
        self.first(Condition {
            sql: "WHERE pipeline = ?1 AND as_of = ?2 AND config_sha256 = ?3 AND model_sha256 = ?4 AND data_sha256 = ?5
                AND tool_version = ?6 AND status = 'succeeded' ORDER BY sequence DESC LIMIT 1",
            values: &[
                inputs.pipeline,
                inputs.as_of,
                inputs.config_sha256,
                inputs.model_sha256,
                inputs.data_sha256,
                inputs.tool_version,
            ],
        })
    }

    /// The run meant by a run id, a unique beginning of one, `PIPELINE@latest` or `PIPELINE@DATE`.
    pub(in crate::store) fn resolve(&self, selector: &str) -> Result<RunSummary, StoreError> {
        match selector.split_once('@') {
            Some((pipeline, "latest")) => {
                self.latest_succeeded(pipeline)?.ok_or_else(|| self.unknown(selector, pipeline))
            }
            Some((pipeline, date)) => self.of_date(pipeline, date)?.ok_or_else(|| self.unknown(selector, pipeline)),
            None => self.by_prefix(selector),
        }
    }

    fn of_date(&self, pipeline: &str, date: &str) -> Result<Option<RunSummary>, StoreError> {
        // A succeeded run stands for its night; failed ones are found where there is no other.
        self.first(Condition {
            sql: "WHERE pipeline = ?1 AND as_of = ?2 ORDER BY status = 'succeeded' DESC, sequence DESC LIMIT 1",
            values: &[pipeline, date],
        })
    }

    fn by_prefix(&self, prefix: &str) -> Result<RunSummary, StoreError> {
        let mut found = self.select(Condition {
            sql: "WHERE substr(run_id, 1, length(?1)) = ?1 AND ?1 <> '' ORDER BY sequence DESC LIMIT 6",
            values: &[&prefix.to_ascii_lowercase()],
        })?;
        match found.len() {
            0 => Err(self.unknown(prefix, prefix)),
            1 => Ok(found.remove(0)),
            _ => {
                let candidates = found.into_iter().map(|run| run.run_id).collect();
                Err(StoreError::AmbiguousRun { prefix: prefix.to_string(), candidates })
            }
        }
    }

    fn unknown(&self, selector: &str, pipeline: &str) -> StoreError {
        match self.pipelines() {
            Ok(pipelines) => StoreError::NoSuchRun { selector: selector.to_string(), hint: hint(pipeline, &pipelines) },
            Err(error) => error,
        }
    }

    fn pipelines(&self) -> Result<Vec<String>, StoreError> {
        self.with("list pipelines", async |connection| {
            sqlx::query_scalar("SELECT DISTINCT pipeline FROM runs ORDER BY pipeline").fetch_all(connection).await
        })
    }

    /// Runs with one of the tags.
    pub(in crate::store) fn tagged(&self, tags: &[String]) -> Result<BTreeSet<String>, StoreError> {
        let mut found = BTreeSet::new();
        for tag in tags {
            let runs: Vec<String> = self.with("list tags", async |connection| {
                let sql = "SELECT run_id FROM run_tags WHERE tag = ?";
                sqlx::query_scalar(sql).bind(tag).fetch_all(connection).await
            })?;
            found.extend(runs);
        }
        Ok(found)
    }

    /// Number and bytes of each run's files; runs without files are left out.
    pub(in crate::store) fn stored_sizes(&self) -> Result<BTreeMap<String, (usize, u64)>, StoreError> {
        let rows: Vec<(String, i64, i64)> = self.with("list files", async |connection| {
            let sql = "SELECT run_id, count(*), sum(bytes) FROM artifacts GROUP BY run_id";
            sqlx::query_as(sql).fetch_all(connection).await
        })?;
        Ok(rows.into_iter().map(|(run_id, n, bytes)| (run_id, (n as usize, bytes.unsigned_abs()))).collect())
    }

    /// Every results folder that a run's files were written to.
    pub(in crate::store) fn results_folders(&self) -> Result<Vec<PathBuf>, StoreError> {
        let recorded: Vec<String> = self.with("list results folders", async |connection| {
            sqlx::query_scalar("SELECT DISTINCT results FROM runs ORDER BY results").fetch_all(connection).await
        })?;
        Ok(recorded.iter().map(|folder| resolve_folder(self.folder(), folder)).collect())
    }

    /// The run's files, in the order they were recorded.
    pub(in crate::store) fn artifacts(&self, run_id: &str) -> Result<Vec<Artifact>, StoreError> {
        let rows = self.with("list files", async |connection| {
            let sql = "SELECT kind, path, sha256, bytes, n_rows FROM artifacts WHERE run_id = ? ORDER BY rowid";
            sqlx::query(sql).bind(run_id).fetch_all(connection).await
        })?;
        rows.iter().map(artifact).collect::<Result<_, _>>().map_err(|e| self.unreadable(e))
    }

    /// Stored reports of every run of a pipeline that was not pruned, by run.
    pub(in crate::store) fn reports_of(&self, pipeline: &str) -> Result<BTreeMap<String, Vec<Artifact>>, StoreError> {
        let rows = self.with("list reports", async |connection| {
            let sql =
                "SELECT run_id, kind, path, sha256, bytes, artifacts.n_rows FROM artifacts JOIN runs USING (run_id)
                WHERE pipeline = ? AND status <> 'pruned' AND kind LIKE 'report:%' ORDER BY artifacts.rowid";
            sqlx::query(sql).bind(pipeline).fetch_all(connection).await
        })?;
        let mut reports: BTreeMap<String, Vec<Artifact>> = BTreeMap::new();
        for row in &rows {
            let run_id: String = row.try_get("run_id").map_err(|e| self.unreadable(e))?;
            reports.entry(run_id).or_default().push(artifact(row).map_err(|e| self.unreadable(e))?);
        }
        Ok(reports)
    }

    fn first(&self, condition: Condition<'_>) -> Result<Option<RunSummary>, StoreError> {
        Ok(self.select(condition)?.into_iter().next())
    }

    fn select(&self, condition: Condition<'_>) -> Result<Vec<RunSummary>, StoreError> {
        let rows = self.with("list runs", async |connection| fetch(connection, &condition).await)?;
        rows.iter().map(|row| self.summary(row)).collect()
    }

    fn summary(&self, row: &SqliteRow) -> Result<RunSummary, StoreError> {
        let text = |column: &str| row.try_get::<String, _>(column).map_err(|e| self.unreadable(e));
        let optional = |column: &str| row.try_get::<Option<String>, _>(column).map_err(|e| self.unreadable(e));
        let n_rows: i64 = row.try_get("n_rows").map_err(|e| self.unreadable(e))?;
        Ok(RunSummary {
            run_id: text("run_id")?,
            pipeline: text("pipeline")?,
            as_of: text("as_of")?,
            started_at: text("started_at")?,
            finished_at: optional("finished_at")?,
            status: self.known("status", text("status")?, &STATUSES)?,
            verdict: optional("verdict")?.map(|found| self.known("verdict", found, &DECISIONS)).transpose()?,
            tool_version: text("tool_version")?,
            config_sha256: text("config_sha256")?,
            model_sha256: text("model_sha256")?,
            data_sha256: text("data_sha256")?,
            prev_run_id: optional("prev_run_id")?,
            chain_sha256: text("chain_sha256")?,
            n_rows: n_rows.unsigned_abs(),
            explain_method: text("explain_method")?,
            explain_scale: text("explain_scale")?,
            supersedes: optional("supersedes")?,
            superseded_by: optional("superseded_by")?,
            error: optional("error")?,
            results: resolve_folder(self.folder(), &text("results")?),
        })
    }

    fn known<T: Copy>(&self, column: &'static str, found: String, names: &[(T, &str)]) -> Result<T, StoreError> {
        let value = names.iter().find(|(_, name)| *name == found).map(|(value, _)| *value);
        value.ok_or_else(|| StoreError::UnknownValue { path: self.path.clone(), table: "runs", column, found })
    }

    fn unreadable(&self, source: sqlx::Error) -> StoreError {
        StoreError::sqlite("read a row", &self.path, source)
    }
}

async fn fetch(connection: &mut SqliteConnection, condition: &Condition<'_>) -> Result<Vec<SqliteRow>, sqlx::Error> {
    // Both parts are constants of this file; what users give is bound.
    let mut query = sqlx::query(sqlx::AssertSqlSafe(format!("{COLUMNS}{}", condition.sql)));
    for value in condition.values {
        query = query.bind(value.to_string());
    }
    query.fetch_all(connection).await
}

fn artifact(row: &SqliteRow) -> Result<Artifact, sqlx::Error> {
    Ok(Artifact {
        kind: row.try_get("kind")?,
        path: row.try_get("path")?,
        sha256: row.try_get("sha256")?,
        bytes: row.try_get::<i64, _>("bytes")?.unsigned_abs(),
        n_rows: row.try_get::<Option<i64>, _>("n_rows")?.map(i64::unsigned_abs),
    })
}

/// A recorded results folder: relative ones start at the catalogue's folder.
pub(in crate::store) fn resolve_folder(catalogue_folder: &Path, recorded: &str) -> PathBuf {
    catalogue_folder.join(recorded)
}

fn hint(pipeline: &str, pipelines: &[String]) -> String {
    let near =
        pipelines.iter().max_by(|a, b| strsim::jaro_winkler(pipeline, a).total_cmp(&strsim::jaro_winkler(pipeline, b)));
    match near {
        None => "the catalogue holds no run yet".to_string(),
        Some(near) if near == pipeline => format!("`probity runs` lists what `{pipeline}` has run"),
        Some(near) if strsim::jaro_winkler(pipeline, near) > 0.8 => format!("did you mean `{near}@latest`?"),
        Some(_) => "give a run id, the beginning of one, PIPELINE@latest or PIPELINE@DATE; `probity runs` lists them"
            .to_string(),
    }
}

const STATUSES: [(Status, &str); 5] = [
    (Status::Succeeded, "succeeded"),
    (Status::Failed, "failed"),
    (Status::Aborted, "aborted"),
    (Status::Superseded, "superseded"),
    (Status::Pruned, "pruned"),
];

const DECISIONS: [(Decision, &str); 3] =
    [(Decision::Pass, "pass"), (Decision::Fail, "fail"), (Decision::Insufficient, "insufficient")];

pub(in crate::store) fn status_name(status: Status) -> &'static str {
    STATUSES.iter().find(|(known, _)| *known == status).map_or("", |(_, name)| name)
}

pub(in crate::store) fn decision_name(decision: Decision) -> &'static str {
    DECISIONS.iter().find(|(known, _)| *known == decision).map_or("", |(_, name)| name)
}
