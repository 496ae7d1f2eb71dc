//! Rows against their digests, digests against the chain, runs against each other.

use std::collections::BTreeMap;

use super::snapshot::{Snapshot, StoredRun};
use super::{Problem, ProblemKind, Verification};
use crate::store::catalogue::runs::RunSummary;
use crate::store::chain::{self, EarlyRecord, Record};

/// Checks all runs, or `only` one and its link to the run before.
pub(super) fn check(snapshot: &Snapshot, only: Option<&RunSummary>, found: &mut Verification) {
    let damage = |reason: &String| {
        Problem::of_catalogue(ProblemKind::CatalogueDamaged, format!("the catalogue's file is damaged: {reason}"))
    };
    found.problems.extend(snapshot.damage.iter().map(damage));
    let superseding = superseding(snapshot);
    let mut before: BTreeMap<&str, &StoredRun> = BTreeMap::new();
    for run in &snapshot.runs {
        let previous = before.insert(&run.row.pipeline, run);
        if only.is_none_or(|only| only.run_id == run.row.run_id) {
            check_link(run, previous, found);
            check_rows(run, found);
            check_status(run, &superseding, found);
        }
    }
    if only.is_none() {
        check_numbers(snapshot, found);
    }
}

/// Old run → the run that says it replaced it.
fn superseding(snapshot: &Snapshot) -> BTreeMap<&str, &str> {
    let pairs = snapshot.runs.iter().filter_map(|run| Some((run.supersedes.as_deref()?, run.row.run_id.as_str())));
    pairs.collect()
}

fn problem(kind: ProblemKind, run: &StoredRun, table: Option<&str>, message: String) -> Problem {
    let (run_id, pipeline) = (Some(run.row.run_id.clone()), Some(run.row.pipeline.clone()));
    Problem { kind, run_id, pipeline, table: table.map(str::to_string), path: None, message }
}

fn check_link(run: &StoredRun, previous: Option<&StoredRun>, found: &mut Verification) {
    let mut broken = |message| found.problems.push(problem(ProblemKind::ChainBroken, run, Some("runs"), message));
    let before = previous.map(|previous| previous.row.run_id.as_str());
    if run.row.prev_run_id.as_deref() != before {
        let named = |run: Option<&str>| run.map_or("none".to_string(), |run| format!("run {run}"));
        let (says, is) = (named(run.row.prev_run_id.as_deref()), named(before));
        broken(format!("the chain is broken: it follows {says}, but the pipeline's run before it is {is}"));
    }
    let hash_before = previous.map(|previous| previous.chain_sha256.as_str());
    let expected = match run.recorded.is_empty() {
        false => chain::link(hash_before, &Record::new(&run.row.run_id, &run.recorded)),
        true => {
            let (supersedes, error) = (run.supersedes.as_deref(), run.error.as_deref());
            chain::link(hash_before, &EarlyRecord::new(&run.row, supersedes, error, &run.artifacts))
        }
    };
    if !expected.is_ok_and(|expected| expected == run.chain_sha256) {
        broken(
            "the chain is broken: `chain_sha256` does not follow from this run's record and the hash of the run \
             before; one of the three was altered"
                .to_string(),
        );
    }
}

fn check_rows(run: &StoredRun, found: &mut Verification) {
    if run.recorded.is_empty() {
        found.notes.push(format!(
            "run {} was recorded before rows had digests: its files and its row in `runs` are proved, not its other rows",
            run.row.run_id
        ));
        return;
    }
    let by_table = |digests: &[chain::TableDigest]| -> BTreeMap<String, (u64, String)> {
        digests.iter().map(|digest| (digest.table.clone(), (digest.n_rows, digest.sha256.clone()))).collect()
    };
    let (recorded, there) = (by_table(&run.recorded), by_table(&run.found));
    let none = (0, String::new());
    for table in recorded.keys().chain(there.keys().filter(|table| !recorded.contains_key(*table))) {
        let (was, is) = (recorded.get(table).unwrap_or(&none), there.get(table).unwrap_or(&none));
        let message = match (was.0, is.0) {
            _ if was == is => continue,
            (was, is) if was != is => format!("`{table}` was altered: {was} rows were recorded, {is} are there"),
            (n, _) => format!("`{table}` was altered: its {n} rows are not those recorded"),
        };
        found.problems.push(problem(ProblemKind::RowsAltered, run, Some(table), message));
    }
}

fn check_status(run: &StoredRun, superseding: &BTreeMap<&str, &str>, found: &mut Verification) {
    let mut altered = |table: &str, message: String| {
        found.problems.push(problem(ProblemKind::StatusAltered, run, Some(table), message));
    };
    let replaced_by = superseding.get(run.row.run_id.as_str()).copied();
    if run.superseded_by.as_deref() != replaced_by {
        let named = |run: Option<&str>| run.map_or("no run".to_string(), |run| format!("run {run}"));
        let (says, is) = (named(run.superseded_by.as_deref()), named(replaced_by));
        altered("runs", format!("it names {says} as its successor, but {is} replaced it"));
    }
    let before = match (&run.tombstone, run.status.as_str()) {
        (Some(tombstone), "pruned") => {
            if !tombstone.is_whole {
                altered("tombstones", "its tombstone was altered".to_string());
            }
            tombstone.status.as_str()
        }
        (Some(_), status) => {
            return altered("runs", format!("its status is `{status}`, though a tombstone says that it was pruned"));
        }
        (None, "pruned") => {
            return altered("tombstones", "its status is `pruned`, but it has no tombstone".to_string());
        }
        (None, status) => status,
    };
    if (before == "superseded") != replaced_by.is_some() {
        altered("runs", format!("its status is `{before}`, which is not whether another run replaced it"));
    }
}

fn check_numbers(snapshot: &Snapshot, found: &mut Verification) {
    let mut expected = 1;
    let mut removed = |from: i64, to: i64| {
        let which = if from == to { format!("number {from}") } else { format!("numbers {from} to {to}") };
        let message = format!("a run was removed from the catalogue: {which} of `sequence` is missing");
        found.problems.push(Problem::of_catalogue(ProblemKind::RunRemoved, message));
    };
    for run in &snapshot.runs {
        if run.sequence > expected {
            removed(expected, run.sequence - 1);
        }
        expected = run.sequence + 1;
    }
    if snapshot.last_sequence >= expected {
        removed(expected, snapshot.last_sequence);
    }
}
