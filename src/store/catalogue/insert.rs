//! Rows of one run, inserted inside the transaction that commits it.

use std::collections::BTreeSet;

mod confusion;
mod gaps;
mod layers;
mod surrogate;

use sqlx::sqlite::SqliteConnection;
use sqlx::{QueryBuilder, Sqlite};

use crate::audit::{Audit, CurvePoint, Drift, Gate, GroupAttribution, GroupCount, Importance, Metric, Run};

use super::super::StoredFile;
use super::super::chain::{self, Record};
use super::digests;
use super::runs::{decision_name, status_name};

/// SQLite takes at most this many parameters in one statement (SQLITE_MAX_VARIABLE_NUMBER).
const MAX_PARAMETERS: usize = 32_766;

/// In place of the chain's hash until all rows of the run are there.
const NOT_YET: &str = "";

/// What retention leaves of a run.
pub(in crate::store) struct TombstoneRow<'a> {
    pub run_id: &'a str,
    /// Of the run; ties the tombstone to it.
    pub chain_sha256: &'a str,
    pub pruned_at: &'a str,
    /// The run's status before.
    pub status: &'a str,
    pub n_files: u64,
    pub bytes: u64,
    pub reason: &'a str,
    pub tool_version: &'a str,
}

/// A value on its way into a column.
enum Cell<'a> {
    Text(&'a str),
    Real(f64),
    /// Counts come as `u64`; SQLite's integers have a sign.
    Count(u64),
    Null,
}

/// What stands in `runs` beside the audit's own [`Run`].
pub(in crate::store) struct RunRow<'a> {
    pub run: &'a Run,
    pub timings: &'a str,
    pub supersedes: Option<&'a str>,
    pub error: Option<&'a str>,
    pub results: &'a str,
    /// A run that was killed has neither an end nor a verdict; a failed one has no verdict.
    pub finished: bool,
    pub decided: bool,
}

pub(in crate::store) async fn run(connection: &mut SqliteConnection, row: &RunRow<'_>) -> Result<(), sqlx::Error> {
    let run = row.run;
    let columns = "run_id, pipeline, as_of, started_at, finished_at, status, verdict, tool_version, config_sha256,
        model_sha256, data_sha256, prev_run_id, chain_sha256, seed, n_rows, explain_method, explain_scale, timings,
        supersedes, error, results";
    let cells = [
        text(&run.run_id),
        text(&run.pipeline),
        text(&run.as_of),
        text(&run.started_at),
        if row.finished { text(&run.finished_at) } else { Cell::Null },
        text(status_name(run.status)),
        if row.decided { text(decision_name(run.verdict)) } else { Cell::Null },
        text(&run.tool_version),
        text(&run.config_sha256),
        text(&run.model_sha256),
        text(&run.data_sha256),
        optional_text(run.prev_run_id.as_deref()),
        text(NOT_YET),
        Cell::Count(run.seed),
        Cell::Count(run.n_rows),
        text(&run.explain_method),
        text(&run.explain_scale),
        text(row.timings),
        optional_text(row.supersedes),
        optional_text(row.error),
        text(row.results),
    ];
    insert(connection, "runs", columns, [cells]).await?;
    match row.supersedes {
        Some(old) => supersede(connection, old, &run.run_id).await,
        None => Ok(()),
    }
}

/// Records the digests of what the catalogue holds of the run, and chains them to the hash of the run before.
/// Returns the chain's new hash.
pub(in crate::store) async fn proof(
    connection: &mut SqliteConnection,
    run: &Run,
    previous: Option<&str>,
) -> Result<String, sqlx::Error> {
    let (run_id, status) = (run.run_id.as_str(), status_name(run.status));
    let tables = digests::tables(connection).await?;
    let digests = digests::of_run(connection, &tables, run_id, status).await?;
    let rows = digests.iter().map(|d| [text(run_id), text(&d.table), Cell::Count(d.n_rows), text(&d.sha256)]);
    insert(connection, "record_digests", "run_id, table_name, n_rows, sha256", rows).await?;
    let chain_sha256 =
        chain::link(previous, &Record::new(run_id, &digests)).map_err(|e| sqlx::Error::Encode(e.into()))?;
    let sql = "UPDATE runs SET chain_sha256 = ? WHERE run_id = ?";
    sqlx::query(sql).bind(&chain_sha256).bind(run_id).execute(connection).await?;
    Ok(chain_sha256)
}

/// Marks a run as pruned, unless its status is another by now; whether it did.
pub(in crate::store) async fn tombstone(
    connection: &mut SqliteConnection,
    row: &TombstoneRow<'_>,
) -> Result<bool, sqlx::Error> {
    let sql = "UPDATE runs SET status = 'pruned' WHERE run_id = ? AND status = ?";
    let changed = sqlx::query(sql).bind(row.run_id).bind(row.status).execute(&mut *connection).await?;
    if changed.rows_affected() == 0 {
        return Ok(false);
    }
    let columns = [
        ("run_id", row.run_id.to_string()),
        ("pruned_at", row.pruned_at.to_string()),
        ("status", row.status.to_string()),
        ("n_files", row.n_files.to_string()),
        ("bytes", row.bytes.to_string()),
        ("reason", row.reason.to_string()),
        ("tool_version", row.tool_version.to_string()),
    ];
    let sha256 = digests::of_tombstone(&columns, row.chain_sha256);
    let cells = [
        text(row.run_id),
        text(row.pruned_at),
        text(row.status),
        Cell::Count(row.n_files),
        Cell::Count(row.bytes),
        text(row.reason),
        text(row.tool_version),
        text(&sha256),
    ];
    let columns = "run_id, pruned_at, status, n_files, bytes, reason, tool_version, sha256";
    insert(connection, "tombstones", columns, [cells]).await?;
    Ok(true)
}

async fn supersede(connection: &mut SqliteConnection, old: &str, new: &str) -> Result<(), sqlx::Error> {
    let sql = "UPDATE runs SET status = 'superseded', superseded_by = ? WHERE run_id = ? AND status = 'succeeded'";
    sqlx::query(sql).bind(new).bind(old).execute(connection).await.map(drop)
}

pub(in crate::store) async fn artifacts(
    connection: &mut SqliteConnection,
    run_id: &str,
    files: &[StoredFile],
) -> Result<(), sqlx::Error> {
    let columns = "run_id, kind, path, sha256, bytes, n_rows, row_id_type, label_type";
    let rows = files.iter().map(|file| {
        let artifact = &file.artifact;
        [
            text(run_id),
            text(&artifact.kind),
            text(&artifact.path),
            text(&artifact.sha256),
            Cell::Count(artifact.bytes),
            artifact.n_rows.map_or(Cell::Null, Cell::Count),
            optional_text(file.row_id_type),
            optional_text(file.label_type),
        ]
    });
    insert(connection, "artifacts", columns, rows).await
}

/// Everything an audit holds for the tables of results.
pub(in crate::store) async fn results(connection: &mut SqliteConnection, audit: &Audit) -> Result<(), sqlx::Error> {
    let id = audit.run.run_id.as_str();
    insert(connection, "metrics", METRICS, audit.metrics.iter().map(|m| metric(id, m))).await?;
    insert(connection, "group_counts", GROUP_COUNTS, audit.group_counts.iter().map(|c| group_count(id, c))).await?;
    insert(connection, "importance", IMPORTANCE, audit.importance.iter().map(|i| importance(id, i))).await?;
    let attributions = audit.group_attributions.iter().map(|a| group_attribution(id, a));
    insert(connection, "group_attributions", GROUP_ATTRIBUTIONS, attributions).await?;
    let attribution_gaps = audit.attribution_gaps.iter().map(|g| gaps::attribution_gap(id, g));
    insert(connection, "attribution_gaps", gaps::ATTRIBUTION_GAPS, attribution_gaps).await?;
    insert(connection, "proxies", gaps::PROXIES, audit.proxies.iter().map(|p| gaps::proxy(id, p))).await?;
    insert(connection, "layers", layers::LAYERS, audit.layers.iter().map(|l| layers::layer(id, l))).await?;
    let layer_probes = audit.layer_probes.iter().map(|p| layers::layer_probe(id, p));
    insert(connection, "layer_probes", layers::LAYER_PROBES, layer_probes).await?;
    let placed: Vec<surrogate::Placed> = audit.surrogate.iter().flat_map(surrogate::placed).collect();
    let outputs = audit.surrogate.as_ref().map_or(&[][..], |tree| &tree.outputs);
    let nodes = placed.iter().flat_map(|node| surrogate::rows(id, outputs, node));
    insert(connection, "surrogate_nodes", surrogate::SURROGATE_NODES, nodes).await?;
    insert(connection, "confusion", confusion::CONFUSION, confusion::confusion(audit)).await?;
    insert(connection, "gates", GATES, audit.gates.iter().map(|g| gate(id, g))).await?;
    insert(connection, "drift", DRIFT, audit.drift.iter().map(|d| drift(id, d))).await?;
    insert(connection, "curves", CURVES, audit.curves.iter().map(|c| curve(id, c))).await?;
    let tags: BTreeSet<&str> = audit.scope.tags.iter().map(String::as_str).collect();
    insert(connection, "run_tags", "run_id, tag", tags.iter().map(|tag| [text(id), text(tag)])).await
}

/// The model and the data, once per hash.
pub(in crate::store) async fn provenance(connection: &mut SqliteConnection, audit: &Audit) -> Result<(), sqlx::Error> {
    let (run, scope) = (&audit.run, &audit.scope);
    if let Some(model) = scope.model.as_ref().filter(|_| !run.model_sha256.is_empty()) {
        let sql = "INSERT INTO models (sha256, run_id, path, producer, opset, inputs, structure, parameters)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING";
        let query = sqlx::query(sql).bind(&run.model_sha256).bind(&run.run_id).bind(&model.path).bind(&model.producer);
        let query = query.bind(model.opset).bind(signed(model.n_inputs)).bind(&model.structure);
        query.bind(signed(model.parameters)).execute(&mut *connection).await?;
    }
    let sql = "INSERT INTO datasets (sha256, run_id, path, rows, columns, schema)
        VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING";
    let columns: Vec<_> = scope.features.iter().map(|f| serde_json::json!({"name": f.name, "kind": f.kind})).collect();
    let query =
        sqlx::query(sql).bind(&run.data_sha256).bind(&run.run_id).bind(&scope.data_path).bind(signed(run.n_rows));
    let query = query.bind(signed(columns.len() as u64)).bind(serde_json::Value::from(columns).to_string());
    query.execute(connection).await.map(drop)
}

const METRICS: &str = "run_id, metric, attribute, group_value, stratum, reference, output, value, undefined_reason,
    ci_low, ci_high, confidence, p_value, n, n_positive, n_predicted_positive, denominator, pair_a, pair_b, p_adjusted";

fn metric<'a>(run_id: &'a str, m: &'a Metric) -> [Cell<'a>; 20] {
    [
        text(run_id),
        text(&m.metric),
        text(&m.attribute),
        text(&m.group_value),
        text(&m.stratum),
        text(&m.reference),
        text(&m.output),
        real(m.value),
        optional_text(m.undefined_reason.as_deref()),
        real(m.ci_low),
        real(m.ci_high),
        real(m.confidence),
        real(m.p_value),
        Cell::Count(m.n),
        m.n_positive.map_or(Cell::Null, Cell::Count),
        m.n_predicted_positive.map_or(Cell::Null, Cell::Count),
        m.denominator.map_or(Cell::Null, Cell::Count),
        optional_text(m.pair.as_ref().map(|pair| pair.0.as_str())),
        optional_text(m.pair.as_ref().map(|pair| pair.1.as_str())),
        real(m.p_adjusted),
    ]
}

const GROUP_COUNTS: &str = "run_id, attribute, group_value, stratum, output, n, weight, tp, fp, tn, fn";

fn group_count<'a>(run_id: &'a str, c: &'a GroupCount) -> [Cell<'a>; 11] {
    [
        text(run_id),
        text(&c.attribute),
        text(&c.group_value),
        text(&c.stratum),
        text(&c.output),
        Cell::Count(c.n),
        Cell::Real(c.weight),
        real(c.tp),
        real(c.fp),
        real(c.tn),
        real(c.fn_),
    ]
}

const IMPORTANCE: &str = "run_id, method, metric, feature, output, value, std_err, ci_low, ci_high, rank";

fn importance<'a>(run_id: &'a str, i: &'a Importance) -> [Cell<'a>; 10] {
    [
        text(run_id),
        text(&i.method),
        text(&i.metric),
        text(&i.feature),
        text(&i.output),
        Cell::Real(i.value),
        real(i.std_err),
        real(i.ci_low),
        real(i.ci_high),
        Cell::Count(i.rank.into()),
    ]
}

const GROUP_ATTRIBUTIONS: &str = "run_id, attribute, group_value, feature, output, n, mean, mean_abs, std, q05, q25,
    q50, q75, q95, mean_ci_low, mean_ci_high";

fn group_attribution<'a>(run_id: &'a str, a: &'a GroupAttribution) -> [Cell<'a>; 16] {
    [
        text(run_id),
        text(&a.attribute),
        text(&a.group_value),
        text(&a.feature),
        text(&a.output),
        Cell::Count(a.n),
        Cell::Real(a.mean),
        Cell::Real(a.mean_abs),
        Cell::Real(a.std),
        Cell::Real(a.q05),
        Cell::Real(a.q25),
        Cell::Real(a.q50),
        Cell::Real(a.q75),
        Cell::Real(a.q95),
        Cell::Real(a.mean_ci_low),
        Cell::Real(a.mean_ci_high),
    ]
}

const GATES: &str = "run_id, gate, metric, attribute, observed, \"limit\", baseline_value, decision, severity, reason,
    ci_low, ci_high, n";

fn gate<'a>(run_id: &'a str, g: &'a Gate) -> [Cell<'a>; 13] {
    [
        text(run_id),
        text(&g.gate),
        text(&g.metric),
        text(&g.attribute),
        real(g.observed),
        Cell::Real(g.limit),
        real(g.baseline_value),
        text(decision_name(g.decision)),
        text(&g.severity),
        text(&g.reason),
        real(g.ci_low),
        real(g.ci_high),
        Cell::Count(g.n),
    ]
}

const DRIFT: &str = "run_id, subject, feature, measure, value, baseline_run_id";

fn drift<'a>(run_id: &'a str, d: &'a Drift) -> [Cell<'a>; 6] {
    [text(run_id), text(&d.subject), text(&d.feature), text(&d.measure), Cell::Real(d.value), text(&d.baseline_run_id)]
}

const CURVES: &str = "run_id, kind, feature, group_value, output, x, y, n, ci_low, ci_high";

fn curve<'a>(run_id: &'a str, c: &'a CurvePoint) -> [Cell<'a>; 10] {
    [
        text(run_id),
        text(&c.kind),
        text(&c.feature),
        text(&c.group_value),
        text(&c.output),
        Cell::Real(c.x),
        Cell::Real(c.y),
        Cell::Count(c.n),
        real(c.ci_low),
        real(c.ci_high),
    ]
}

/// Inserts rows of `N` cells, many to a statement. `table` and `columns` are constants of this file.
async fn insert<'a, const N: usize>(
    connection: &mut SqliteConnection,
    table: &str,
    columns: &str,
    rows: impl IntoIterator<Item = [Cell<'a>; N]>,
) -> Result<(), sqlx::Error> {
    let mut rows = rows.into_iter().peekable();
    let mut statement = QueryBuilder::<Sqlite>::new("");
    while rows.peek().is_some() {
        statement.reset();
        statement.push(format_args!("INSERT INTO {table} ({columns}) "));
        statement.push_values(rows.by_ref().take(MAX_PARAMETERS / N), |mut tuple, cells| {
            for cell in cells {
                match cell {
                    Cell::Text(value) => tuple.push_bind(value.to_string()),
                    Cell::Real(value) => tuple.push_bind(value),
                    Cell::Count(value) => tuple.push_bind(signed(value)),
                    Cell::Null => tuple.push_bind(None::<String>),
                };
            }
        });
        // Statements differ in length and are used once: not worth a place in the cache.
        statement.build().persistent(false).execute(&mut *connection).await?;
    }
    Ok(())
}

fn text(value: &str) -> Cell<'_> {
    Cell::Text(value)
}

fn optional_text(value: Option<&str>) -> Cell<'_> {
    value.map_or(Cell::Null, Cell::Text)
}

fn real(value: Option<f64>) -> Cell<'static> {
    value.map_or(Cell::Null, Cell::Real)
}

/// The same 64 bits: values beyond `i64::MAX` (only seeds could be) come back with `as u64`.
fn signed(value: u64) -> i64 {
    value as i64
}
