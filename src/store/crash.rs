//! Processes that die on the way into the history: what is there afterwards, and what the next one makes of it.

use std::path::Path;
use std::process::Command;

use super::fault::{DIES_AT, Place};
use super::prune::Policy;
use super::query::{QueryFormat, QueryLimits, query};
use super::tests::{Place as Folder, commit, run_id};
use super::*;

const FOLDER: &str = "PROBITY_TEST_FOLDER";
const TASK: &str = "PROBITY_TEST_TASK";
const KILLED: i32 = 137;

/// Not a test: what a process of its own does until it dies.
#[test]
#[ignore = "started by other tests in a process of its own"]
fn a_process_of_its_own() {
    let Ok(folder) = std::env::var(FOLDER) else { return };
    let catalogue = format!("sqlite:{folder}/catalogue.db");
    let store = Store::open(&catalogue, &Path::new(&folder).join("results")).unwrap();
    match std::env::var(TASK).unwrap().as_str() {
        "run" => drop(commit(&store, "adult", "2026-11-22", 2)),
        "fail" => {
            let lock = store.lock("adult").unwrap();
            let writer = store.begin(&lock, &run_id(2), "2026-11-22").unwrap();
            writer.fail(&tests::audit(&run_id(2), "adult", "2026-11-22").run, "the model broke").unwrap();
        }
        "prune" => drop(store.prune(&plan(&store)).unwrap()),
        task => panic!("no task {task}"),
    }
    fault::reach(Place::Done);
}

fn plan(store: &Store) -> prune::PruningPlan {
    store.plan_pruning(&Policy { keep: Some(1), ..Default::default() }, "2026-11-23").unwrap()
}

fn dies(folder: &Folder, task: &str, at: Place) {
    let status = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "store::crash::a_process_of_its_own", "--ignored", "--quiet"])
        .env(FOLDER, folder.folder())
        .env(TASK, task)
        .env(DIES_AT, format!("{at:?}"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&status.stdout).into_owned() + &String::from_utf8_lossy(&status.stderr);
    assert_eq!(status.status.code(), Some(KILLED), "{task} does not pass {at:?}: {said}");
}

fn rows(store: &Store) -> String {
    let sql = "SELECT run_id, count(*) AS n FROM explanations GROUP BY run_id ORDER BY run_id";
    let mut text = Vec::new();
    query(store, sql, &QueryLimits::default()).unwrap().write(QueryFormat::Csv, &mut text).unwrap();
    String::from_utf8(text).unwrap()
}

fn statuses(store: &Store) -> Vec<(String, Status)> {
    let runs = store.runs(RunFilter::default()).unwrap();
    runs.into_iter().rev().map(|run| (run.run_id, run.status)).collect()
}

/// Nothing is missing, altered or foreign, and nothing awaits cleaning.
fn assert_spotless(store: &Store) {
    let found = store.verify(None).unwrap();
    assert!(found.is_clean() && found.notes.is_empty(), "{found:#?}");
}

#[test]
fn a_run_may_die_anywhere_on_its_way_into_the_history() {
    let before = [Place::Marked, Place::StagedOne, Place::Staged, Place::NamedOne, Place::Named, Place::Synced];
    let before = before.into_iter().chain([Place::Inserted]).map(|place| (place, false));
    for (place, is_whole) in before.chain([(Place::Recorded, true), (Place::Done, true)]) {
        let folder = Folder::new();
        let first = commit(&folder.open(), "adult", "2026-11-21", 1);
        dies(&folder, "run", place);
        let store = folder.open();
        let found = store.verify(None).unwrap();
        assert!(found.is_clean(), "{place:?}: {found:#?}");
        assert_eq!(store.run(&run_id(1)).unwrap().chain_sha256, first.chain_sha256, "{place:?}");
        let expected = if is_whole { vec![run_id(1), run_id(2)] } else { vec![run_id(1)] };
        let listed: String = expected.iter().map(|run| format!("{run},20\n")).collect();
        assert_eq!(rows(&store), format!("run_id,n\n{listed}"), "{place:?}");
        commit(&store, "adult", "2026-11-23", 3);
        let became = if is_whole { Status::Succeeded } else { Status::Aborted };
        let all = [(run_id(1), Status::Succeeded), (run_id(2), became), (run_id(3), Status::Succeeded)];
        assert_eq!(statuses(&store), all, "{place:?}");
        assert_spotless(&store);
        assert_eq!(folder.files().len(), if is_whole { 12 } else { 8 }, "{place:?}: {:?}", folder.files());
    }
}

#[test]
fn a_recovery_may_die_too() {
    let folder = Folder::new();
    commit(&folder.open(), "adult", "2026-11-21", 1);
    dies(&folder, "run", Place::Synced);
    // The second process finds the first one's leftovers under the same run id, as a scheduler's retry might.
    dies(&folder, "run", Place::Cleaned);
    let store = folder.open();
    assert!(store.verify(None).unwrap().is_clean());
    commit(&store, "adult", "2026-11-23", 3);
    let all = [(run_id(1), Status::Succeeded), (run_id(2), Status::Aborted), (run_id(3), Status::Succeeded)];
    assert_eq!(statuses(&store), all);
    assert_spotless(&store);
}

#[test]
fn a_failure_may_die_before_it_is_recorded() {
    for (place, became) in [
        (Place::Named, Status::Aborted),
        (Place::Synced, Status::Aborted),
        (Place::Inserted, Status::Aborted),
        (Place::Recorded, Status::Failed),
    ] {
        let folder = Folder::new();
        dies(&folder, "fail", place);
        let store = folder.open();
        assert!(store.verify(None).unwrap().is_clean(), "{place:?}");
        commit(&store, "adult", "2026-11-23", 3);
        assert_eq!(statuses(&store), [(run_id(2), became), (run_id(3), Status::Succeeded)], "{place:?}");
        assert_spotless(&store);
    }
}

#[test]
fn a_pruning_may_die_anywhere() {
    for place in [Place::Buried, Place::RemovedRows, Place::Done] {
        let folder = Folder::new();
        for night in 1..=3 {
            commit(&folder.open(), "adult", &format!("2026-11-{:02}", 10 + night), night);
        }
        dies(&folder, "prune", place);
        let store = folder.open();
        let found = store.verify(None).unwrap();
        assert!(found.is_clean(), "{place:?}: {found:#?}");
        assert_eq!(rows(&store), format!("run_id,n\n{},20\n", run_id(3)), "{place:?}");
        commit(&store, "adult", "2026-11-23", 4);
        assert_spotless(&store);
        assert_eq!(folder.files().len(), 8, "{place:?}: {:?}", folder.files());
    }
}

/// A catalogue of version 1 with its runs, as it was written then.
const VERSION_1: &str = include_str!("../../tests/golden/catalogue-v1.sql");

fn old_catalogue() -> Folder {
    use sqlx::{ConnectOptions, Connection};
    let folder = Folder::new();
    let options = sqlx::sqlite::SqliteConnectOptions::new();
    let options = options.filename(folder.folder().join("catalogue.db")).create_if_missing(true).foreign_keys(false);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut connection = options.connect().await.unwrap();
        sqlx::raw_sql(VERSION_1).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    });
    folder
}

#[test]
fn a_catalogue_of_the_first_version_is_upgraded_and_its_chain_still_holds() {
    let folder = old_catalogue();
    let store = folder.open();
    assert!(folder.folder().join("catalogue.db.backup-v1").is_file());
    let found = store.verify(None).unwrap();
    // Only the catalogue was kept, not the files.
    assert!(found.problems.iter().all(|problem| problem.kind == verify::ProblemKind::MissingFile), "{found:#?}");
    assert_eq!((found.n_runs, found.problems.len()), (7, 24));
    let early = found.notes.iter().filter(|note| note.contains("before rows had digests"));
    assert_eq!(early.count(), 7);
    assert_eq!(statuses(&store).iter().filter(|(_, status)| *status == Status::Aborted).count(), 1);
    let committed = commit(&store, "credit", "2026-12-01", 9);
    let run = store.run(&committed.run_id).unwrap();
    assert!(run.prev_run_id.is_some() && store.verify(Some(&run)).unwrap().is_clean());
}

#[test]
fn an_altered_run_of_the_first_version_is_found() {
    let folder = old_catalogue();
    let store = folder.open();
    for change in ["UPDATE runs SET verdict = 'pass'", "UPDATE artifacts SET sha256 = 'x'", "UPDATE runs SET seed = 8"]
    {
        let alter = format!("{change} WHERE run_id = (SELECT run_id FROM runs ORDER BY sequence LIMIT 1)");
        let alter = sqlx::AssertSqlSafe(alter);
        store.catalogue.with("be altered", async |c| sqlx::raw_sql(alter).execute(c).await).unwrap();
        let found = store.verify(None).unwrap();
        assert!(found.problems.iter().any(|p| p.kind == verify::ProblemKind::ChainBroken), "{change}: {found:#?}");
    }
}

#[test]
fn an_upgrade_may_die_after_its_backup() {
    let folder = old_catalogue();
    dies(&folder, "run", Place::BackedUp);
    let store = folder.open();
    assert_eq!(statuses(&store).len(), 7);
    commit(&store, "adult", "2026-11-22", 2);
    assert!(store.verify(Some(&store.run(&run_id(2)).unwrap())).unwrap().is_clean());
}
