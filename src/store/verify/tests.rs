//! Histories that were tampered with.

use std::fs;
use std::path::{Path, PathBuf};

use sqlx::{AssertSqlSafe, Row};

use super::*;
use crate::audit::*;
use crate::store::tests::{Place, audit, commit, run_id, write_rows};
use crate::store::{Report, RunFilter};

/// A run with rows in every table of results.
pub(in crate::store) fn commit_rich(store: &Store, pipeline: &str, as_of: &str, n: u32, supersedes: Option<&str>) {
    let lock = store.lock(pipeline).unwrap();
    let mut writer = store.begin(&lock, &run_id(n), as_of).unwrap();
    write_rows(&mut writer, 0, 5);
    let mut audit = audit(&run_id(n), pipeline, as_of);
    audit.scope.tags = vec!["quarterly".into(), "eu".into(), "eu".into()];
    audit.group_attributions = vec![GroupAttribution {
        attribute: "sex".into(),
        group_value: "Female".into(),
        feature: "age".into(),
        output: "1".into(),
        n: 3,
        mean: 0.5,
        mean_abs: 0.75,
        std: 0.1,
        q05: -1.0,
        q25: -0.5,
        q50: 0.0,
        q75: 0.5,
        q95: 1.0,
        mean_ci_low: 0.4,
        mean_ci_high: 0.6,
    }];
    audit.drift = vec![Drift {
        subject: "score".into(),
        feature: String::new(),
        measure: "psi".into(),
        value: 0.125,
        baseline_run_id: run_id(1),
    }];
    audit.curves = vec![CurvePoint {
        kind: "roc".into(),
        feature: String::new(),
        group_value: String::new(),
        output: "1".into(),
        x: 0.25,
        y: 0.5,
        n: 4,
        ci_low: None,
        ci_high: Some(0.75),
    }];
    let reports = [Report { template: "audit", html: b"<html>" }];
    writer.commit(&mut audit, &reports, supersedes).unwrap();
}

/// Two nights of one pipeline, the second run again, and a failed run of another.
fn history() -> Place {
    let place = Place::new();
    let store = place.open();
    commit_rich(&store, "adult", "2026-11-20", 1, None);
    commit_rich(&store, "adult", "2026-11-21", 2, None);
    commit_rich(&store, "adult", "2026-11-21", 3, Some(&run_id(2)));
    let lock = store.lock("german").unwrap();
    let writer = store.begin(&lock, &run_id(4), "2026-11-21").unwrap();
    writer.fail(&audit(&run_id(4), "german", "2026-11-21").run, "the model broke").unwrap();
    place
}

fn verified(place: &Place) -> Verification {
    Store::open_read_only(&place.catalogue()).unwrap().verify(None).unwrap()
}

fn kinds(found: &Verification) -> Vec<ProblemKind> {
    let mut kinds: Vec<_> = found.problems.iter().map(|problem| problem.kind).collect();
    kinds.sort();
    kinds.dedup();
    kinds
}

/// Changes the catalogue behind everyone's back.
fn tamper(place: &Place, sql: &str) {
    let store = place.open();
    let quiet = "PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON;";
    let sql = format!("{quiet} {sql}");
    store.catalogue.with("be altered", async |c| sqlx::raw_sql(AssertSqlSafe(sql)).execute(c).await).unwrap();
}

/// Seeded positions in a file.
fn positions(length: usize, n: usize, seed: u64) -> impl Iterator<Item = usize> {
    (0..n as u64).map(move |i| {
        let mixed = (seed ^ i.wrapping_mul(0x9e37_79b9_7f4a_7c15)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        (mixed ^ mixed >> 31) as usize % length
    })
}

#[test]
fn an_untouched_history_is_clean() {
    let place = history();
    let found = verified(&place);
    assert!(found.is_clean(), "{found:#?}");
    assert_eq!((found.n_runs, found.n_files, found.notes.len()), (4, 13, 0));
    let store = place.open();
    for run in store.runs(RunFilter::default()).unwrap() {
        let found = store.verify(Some(&run)).unwrap();
        assert!(found.is_clean() && found.n_runs == 1, "{found:#?}");
    }
}

#[test]
fn any_flipped_byte_of_any_stored_file_is_found() {
    let place = history();
    for (seed, name) in place.files().iter().enumerate() {
        let path = place.results().join(name);
        let whole = fs::read(&path).unwrap();
        for at in positions(whole.len(), 12, seed as u64).chain([0, whole.len() - 1]) {
            let mut altered = whole.clone();
            altered[at] ^= 1 << (at % 8);
            fs::write(&path, altered).unwrap();
            let found = verified(&place);
            assert_eq!(kinds(&found), [ProblemKind::AlteredFile], "{name}, byte {at}");
            assert_eq!(found.problems[0].path.as_ref().unwrap().canonicalize().unwrap(), path.canonicalize().unwrap());
        }
        fs::write(&path, whole).unwrap();
    }
    assert!(verified(&place).is_clean());
}

/// Every cell of every table about runs, as (table, row number, column, type).
fn cells(store: &Store) -> Vec<(String, i64, String, String)> {
    store
        .catalogue
        .with("list cells", async |connection| {
            let sql = "SELECT t.name, c.name, c.type FROM sqlite_schema t JOIN pragma_table_info(t.name) c
                WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite%'";
            let columns: Vec<(String, String, String)> = sqlx::query_as(sql).fetch_all(&mut *connection).await?;
            let mut cells = Vec::new();
            for (table, column, kind) in columns {
                let sql = format!("SELECT rowid FROM {table}");
                for row in sqlx::query_scalar::<_, i64>(AssertSqlSafe(sql)).fetch_all(&mut *connection).await? {
                    cells.push((table.clone(), row, column.clone(), kind.clone()));
                }
            }
            Ok(cells)
        })
        .unwrap()
}

#[test]
fn any_altered_column_of_any_row_of_a_run_is_found() {
    let place = history();
    let store = place.open();
    prune_first(&store);
    let cells = cells(&store);
    drop(store);
    let database = place.folder().join("catalogue.db");
    let whole = fs::read(&database).unwrap();
    assert!(verified(&place).is_clean());
    for table in ["runs", "metrics", "gates", "drift", "curves", "tombstones", "run_tags", "record_digests", "models"] {
        assert!(cells.iter().any(|cell| cell.0 == table), "{table} has rows");
    }
    for (table, row, column, kind) in cells {
        let other = match kind.as_str() {
            "INTEGER" => format!("coalesce(\"{column}\" + 1000, 0)"),
            "REAL" => format!("coalesce(\"{column}\" * (1 + 1e-15) + 1e-300, 0.5)"),
            // The first character is another one, so statuses become what no run has.
            _ => format!("coalesce('~' || substr(\"{column}\", 2), '~')"),
        };
        tamper(&place, &format!("UPDATE {table} SET \"{column}\" = {other} WHERE rowid = {row}"));
        assert!(!verified(&place).is_clean(), "{table}.{column} of row {row} was altered unseen");
        fs::write(&database, &whole).unwrap();
    }
}

/// Retention lets the superseded run go.
fn prune_first(store: &Store) {
    let policy = crate::store::prune::Policy { keep: Some(1), ..Default::default() };
    let plan = store.plan_pruning(&policy, "2026-11-22").unwrap();
    assert!(!plan.runs.is_empty());
    store.prune(&plan).unwrap();
}

#[test]
fn any_flipped_byte_of_the_catalogue_is_found_or_changes_no_row() {
    let place = history();
    let database = place.folder().join("catalogue.db");
    let whole = fs::read(&database).unwrap();
    let before = dump(&place).unwrap();
    let (mut found, mut harmless) = (0, 0);
    for at in positions(whole.len(), 400, 99) {
        let mut altered = whole.clone();
        altered[at] ^= 1 << (at % 8);
        fs::write(&database, altered).unwrap();
        let verified = Store::open_read_only(&place.catalogue()).and_then(|store| store.verify(None));
        match verified.is_ok_and(|verified| verified.is_clean()) {
            true => {
                assert_eq!(dump(&place).as_ref(), Some(&before), "byte {at} changed a row unseen");
                harmless += 1;
            }
            false => found += 1,
        }
        for side in ["-wal", "-shm"] {
            let _ = fs::remove_file(place.folder().join(format!("catalogue.db{side}")));
        }
        fs::write(&database, &whole).unwrap();
    }
    assert!(found > 20 && harmless > 0, "{found} found, {harmless} in unused space");
}

/// Every row of every table as text, read without the code under test.
fn dump(place: &Place) -> Option<String> {
    let store = Store::open_read_only(&place.catalogue()).ok()?;
    store
        .catalogue
        .with("be dumped", async |connection| {
            let sql = "SELECT t.name, group_concat('quote(\"' || c.name || '\")', ' || ')
                FROM sqlite_schema t JOIN pragma_table_info(t.name) c WHERE t.type = 'table' GROUP BY 1 ORDER BY 1";
            let tables: Vec<(String, String)> = sqlx::query_as(sql).fetch_all(&mut *connection).await?;
            let mut text = String::new();
            for (table, columns) in tables {
                let sql = format!("SELECT {columns} FROM {table} ORDER BY rowid");
                for row in sqlx::query(AssertSqlSafe(sql)).fetch_all(&mut *connection).await? {
                    text += &format!("{table} {}\n", row.try_get::<String, _>(0)?);
                }
            }
            Ok(text)
        })
        .ok()
}

#[test]
fn what_is_missing_is_named() {
    let place = history();
    let gone = place.files().into_iter().find(|name| name.starts_with("explanations/")).unwrap();
    fs::remove_file(place.results().join(&gone)).unwrap();
    let found = verified(&place);
    assert_eq!(kinds(&found), [ProblemKind::MissingFile]);
    assert!(found.problems[0].path.as_ref().unwrap().ends_with(&gone));
    assert_eq!(found.problems[0].pipeline.as_deref(), Some("adult"));
}

#[test]
fn files_that_nobody_recorded_are_named() {
    let place = history();
    let strays = ["notes.txt", "explanations/pipeline=adult/run_date=2026-11-20/extra.parquet", "reports/x/y.html"];
    for stray in strays {
        let path = place.results().join(stray);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "?").unwrap();
    }
    let found = verified(&place);
    assert_eq!(kinds(&found), [ProblemKind::ForeignFile]);
    assert_eq!(found.problems.len(), 3);
}

#[test]
fn runs_in_progress_are_not_foreign() {
    let place = history();
    let store = place.open();
    let lock = store.lock("adult").unwrap();
    let mut writer = store.begin(&lock, &run_id(9), "2026-11-22").unwrap();
    write_rows(&mut writer, 0, 5);
    let found = verified(&place);
    assert!(found.is_clean() && found.notes.len() == 2, "{found:#?}");
}

#[test]
fn two_files_that_changed_places_are_told_by_their_own_word() {
    let place = history();
    let files = place.files();
    let [a, b] = [&files[0], &files[1]].map(|name| place.results().join(name));
    let (first, second) = (fs::read(&a).unwrap(), fs::read(&b).unwrap());
    fs::write(&a, second).unwrap();
    fs::write(&b, first).unwrap();
    let found = verified(&place);
    assert_eq!(found.problems.len(), 2);
    assert!(found.problems.iter().all(|problem| problem.message.contains("it is of run ")), "{found:#?}");
}

#[test]
fn what_was_altered_is_named_with_its_table() {
    let place = history();
    tamper(&place, "UPDATE metrics SET value = 0.9 WHERE metric = 'accuracy' AND run_id LIKE '%1'");
    tamper(&place, "DELETE FROM gates WHERE run_id LIKE '%3'");
    tamper(&place, "INSERT INTO drift SELECT * FROM drift WHERE run_id LIKE '%2'");
    let found = verified(&place);
    let named: Vec<_> = found
        .problems
        .iter()
        .map(|problem| (problem.kind, problem.run_id.clone().unwrap(), problem.table.clone().unwrap()))
        .collect();
    let altered = |n, table: &str| (ProblemKind::RowsAltered, run_id(n), table.to_string());
    assert_eq!(named, [altered(1, "metrics"), altered(2, "drift"), altered(3, "gates")]);
    assert!(found.problems[1].message.contains("1 rows were recorded, 2 are there"), "{found:#?}");
}

#[test]
fn a_removed_run_leaves_a_gap() {
    for (victim, kind) in [(2, ProblemKind::RunRemoved), (4, ProblemKind::RunRemoved)] {
        let place = history();
        let id = run_id(victim);
        let store = place.open();
        let tables =
            ["runs", "metrics", "group_counts", "importance", "group_attributions", "gates", "drift", "curves"]
                .into_iter()
                .chain(["artifacts", "models", "datasets", "record_digests", "run_tags"]);
        drop(store);
        tamper(&place, &tables.map(|t| format!("DELETE FROM {t} WHERE run_id = '{id}';")).collect::<String>());
        let found = verified(&place);
        assert!(kinds(&found).contains(&kind), "{victim}: {found:#?}");
        assert!(kinds(&found).contains(&ProblemKind::ForeignFile), "its files are nobody's now");
    }
}

#[test]
fn the_order_of_rows_and_later_columns_do_not_matter() {
    let place = history();
    tamper(&place, "ALTER TABLE metrics ADD COLUMN later REAL; CREATE TABLE more (run_id TEXT, x REAL) STRICT");
    let sorted = "CREATE TEMP TABLE t AS SELECT * FROM metrics ORDER BY metric DESC, run_id DESC;
        DELETE FROM metrics; INSERT INTO metrics SELECT * FROM t; VACUUM";
    tamper(&place, sorted);
    assert!(verified(&place).is_clean());
    tamper(&place, "UPDATE metrics SET later = 1 WHERE metric = 'accuracy'");
    assert!(!verified(&place).is_clean());
}

#[test]
fn the_chain_can_be_recomputed_by_anyone() {
    use sha2::{Digest, Sha256};
    let place = Place::new();
    let store = place.open();
    let first = commit(&store, "adult", "2026-11-21", 1);
    let second = commit(&store, "adult", "2026-11-22", 2);
    let value = |sql: &'static str| {
        store.catalogue.with("read", async |c| sqlx::query_scalar::<_, String>(sql).fetch_one(c).await).unwrap()
    };
    let hex = |text: String| crate::store::file::hex(&Sha256::digest(text));
    let tables = value(
        "SELECT '[' || group_concat('{\"table\":\"' || table_name || '\",\"n_rows\":' || n_rows || ',\"sha256\":\"' || sha256 || '\"}')
            || ']' FROM (SELECT * FROM record_digests WHERE run_id LIKE '%2' ORDER BY table_name)",
    );
    let record = format!(r#"{{"version":2,"run_id":"{}","tables":{tables}}}"#, run_id(2));
    assert_eq!(hex(format!("{}{record}", first.chain_sha256)), second.chain_sha256);
    // One row, by hand: `importance` of a run has only this one.
    let id = run_id(2);
    let row = format!(
        "ci_high r 16 {:016x}\nci_low r 16 {:016x}\nfeature t 3 age\nmethod t 11 attribution\n\
         metric t 20 mean_abs_attribution\noutput t 1 1\nrank i 1 1\nrun_id t 36 {id}\nvalue r 16 {:016x}\n",
        0.3f64.to_bits(),
        0.2f64.to_bits(),
        0.25f64.to_bits()
    );
    let table = hex(format!("{}\n", hex(row)));
    assert_eq!(value("SELECT sha256 FROM record_digests WHERE run_id LIKE '%2' AND table_name = 'importance'"), table);
}

#[test]
fn a_damaged_catalogue_is_a_finding() {
    let place = history();
    let database = place.folder().join("catalogue.db");
    let mut bytes = fs::read(&database).unwrap();
    // Pages behind the schema's own.
    let middle = bytes.len() / 2;
    bytes[middle..middle + 3 * 4096].fill(0xff);
    fs::write(&database, bytes).unwrap();
    let found = verified(&place);
    assert!(kinds(&found).contains(&ProblemKind::CatalogueDamaged), "{found:#?}");
}

#[test]
fn a_results_folder_that_holds_the_catalogue_may_hold_other_things() {
    let folder = tempfile::tempdir().unwrap();
    let catalogue = format!("sqlite:{}", folder.path().join("catalogue.db").display());
    let store = Store::open(&catalogue, folder.path()).unwrap();
    commit(&store, "adult", "2026-11-21", 1);
    fs::write(folder.path().join("people.csv"), "id").unwrap();
    assert!(store.verify(None).unwrap().is_clean());
    let stray: PathBuf = folder.path().join("predictions").join("stray.parquet");
    fs::write(&stray, "?").unwrap();
    assert_eq!(kinds(&store.verify(None).unwrap()), [ProblemKind::ForeignFile]);
    assert!(Path::new(&stray).exists(), "nothing is removed");
}
