//! Digests of a run's rows in the catalogue: what the chain vouches for beside the files.
//!
//! A row is the text of its columns that are not null, in order of their names, each as `name type length value` and
//! a line feed: type `i` and decimal digits, `r` and the sixteen hexadecimal digits of a double's bits, or `t` and the
//! text; the length is in bytes. A table's digest is the SHA-256 of the hexadecimal SHA-256 of its rows, sorted, each
//! with a line feed. So neither the order of rows nor columns and tables that come with later versions matter.

use sha2::{Digest, Sha256};
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{AssertSqlSafe, Column, Row, TypeInfo, ValueRef};

use super::super::chain::TableDigest;
use super::super::file::hex;

/// Tables about runs that are written after a run is recorded, or hold the record itself.
const AFTERWARDS: [&str; 2] = ["record_digests", "tombstones"];
/// Columns of `runs` that may change after a run is recorded, or hold the record itself. `status` is covered as it was
/// recorded.
const RUNS_AFTERWARDS: [&str; 2] = ["chain_sha256", "superseded_by"];

/// A row's columns that are not null, by name.
type Cells = Vec<(String, Vec<u8>)>;

/// Every table whose rows belong to runs.
pub(in crate::store) async fn tables(connection: &mut SqliteConnection) -> Result<Vec<String>, sqlx::Error> {
    let sql = "SELECT t.name FROM sqlite_schema t JOIN pragma_table_info(t.name) c
        WHERE t.type = 'table' AND c.name = 'run_id' ORDER BY t.name";
    let found: Vec<String> = sqlx::query_scalar(sql).fetch_all(connection).await?;
    Ok(found.into_iter().filter(|table| !AFTERWARDS.contains(&table.as_str())).collect())
}

/// Digests of what `tables` hold of a run; tables that hold nothing of it are left out. `status` is the run's status
/// when it was recorded.
pub(in crate::store) async fn of_run(
    connection: &mut SqliteConnection,
    tables: &[String],
    run_id: &str,
    status: &str,
) -> Result<Vec<TableDigest>, sqlx::Error> {
    let mut digests = Vec::new();
    for table in tables {
        // Table names come from the catalogue's own schema.
        let sql = format!("SELECT * FROM \"{}\" WHERE run_id = ?", table.replace('"', "\"\""));
        let rows = sqlx::query(AssertSqlSafe(sql)).bind(run_id).fetch_all(&mut *connection).await?;
        let cells = rows.iter().map(cells).collect::<Result<Vec<_>, _>>()?;
        let cells = cells.into_iter().map(|cells| if table == "runs" { as_recorded(cells, status) } else { cells });
        if !rows.is_empty() {
            let (n_rows, sha256) = (rows.len() as u64, of_rows(cells));
            digests.push(TableDigest { table: table.clone(), n_rows, sha256 });
        }
    }
    Ok(digests)
}

/// Digest of a tombstone: its columns and the hash of the run that it stands for, all as text, as the one row of a
/// table.
pub(in crate::store) fn of_tombstone(columns: &[(&str, String)], chain_sha256: &str) -> String {
    let cell = |name: &str, text: &str| (name.to_string(), encoded('t', text.as_bytes()));
    let mut cells: Cells = columns.iter().map(|(name, text)| cell(name, text)).collect();
    cells.push(cell("chain_sha256", chain_sha256));
    of_rows([cells].into_iter())
}

fn of_rows(rows: impl Iterator<Item = Cells>) -> String {
    let mut digests: Vec<String> = rows.map(|cells| hex(&of_row(cells))).collect();
    digests.sort_unstable();
    let mut whole = Sha256::new();
    for digest in digests {
        whole.update(digest);
        whole.update("\n");
    }
    hex(&whole.finalize())
}

fn of_row(mut cells: Cells) -> [u8; 32] {
    cells.sort_unstable();
    let mut row = Sha256::new();
    for (name, value) in cells {
        row.update(name);
        row.update(value);
    }
    row.finalize().into()
}

fn cells(row: &SqliteRow) -> Result<Cells, sqlx::Error> {
    let mut cells = Vec::new();
    for (at, column) in row.columns().iter().enumerate() {
        if let Some(value) = cell(row, at)? {
            cells.push((column.name().to_string(), value));
        }
    }
    Ok(cells)
}

fn cell(row: &SqliteRow, at: usize) -> Result<Option<Vec<u8>>, sqlx::Error> {
    let value = row.try_get_raw(at)?;
    if value.is_null() {
        return Ok(None);
    }
    let kind = value.type_info().name().to_string();
    Ok(Some(match kind.as_str() {
        "INTEGER" => encoded('i', row.try_get_unchecked::<i64, _>(at)?.to_string().as_bytes()),
        "REAL" => encoded('r', format!("{:016x}", row.try_get_unchecked::<f64, _>(at)?.to_bits()).as_bytes()),
        // Bytes, not text: a damaged file may hold what is no text.
        _ => encoded('t', row.try_get_unchecked::<&[u8], _>(at)?),
    }))
}

/// ` type length value` and a line feed.
fn encoded(kind: char, value: &[u8]) -> Vec<u8> {
    let mut bytes = format!(" {kind} {} ", value.len()).into_bytes();
    bytes.extend_from_slice(value);
    bytes.push(b'\n');
    bytes
}

fn as_recorded(mut cells: Cells, status: &str) -> Cells {
    cells.retain(|(name, _)| !RUNS_AFTERWARDS.contains(&name.as_str()) && name != "status");
    cells.push(("status".to_string(), encoded('t', status.as_bytes())));
    cells
}
