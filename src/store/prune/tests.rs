//! Histories that were shortened.

use super::*;
use crate::store::tests::{Place, audit, commit, run_id, write_rows};

const TODAY: &str = "2026-11-22";

/// Five nights of one pipeline and one of another.
fn history() -> (Place, Store) {
    let place = Place::new();
    let store = place.open();
    for night in 1..=5 {
        commit(&store, "adult", &format!("2026-11-{:02}", 10 + night), night);
    }
    commit(&store, "german", "2020-01-01", 6);
    (place, store)
}

fn ids(plan: &PruningPlan) -> Vec<String> {
    plan.runs.iter().map(|doomed| doomed.run.run_id.clone()).collect()
}

fn planned(store: &Store, policy: &Policy) -> Vec<String> {
    ids(&store.plan_pruning(policy, TODAY).unwrap())
}

#[test]
fn the_latest_runs_of_each_pipeline_are_kept_by_number() {
    let (_place, store) = history();
    let keep = |keep| Policy { keep: Some(keep), ..Default::default() };
    assert_eq!(planned(&store, &keep(3)), [run_id(1), run_id(2)]);
    assert_eq!(planned(&store, &keep(5)), [""; 0]);
    let all_but_latest = [1, 2, 3, 4].map(run_id);
    assert_eq!(planned(&store, &keep(1)), all_but_latest);
    assert_eq!(planned(&store, &keep(0)), all_but_latest, "the latest succeeded run always stays");
}

#[test]
fn runs_are_kept_by_age_but_never_the_last_good_one() {
    let (_place, store) = history();
    let days = |days| Policy { keep_days: Some(days), ..Default::default() };
    assert_eq!(planned(&store, &days(8)), [1, 2, 3].map(run_id), "eight days ago is still kept");
    assert_eq!(planned(&store, &days(u32::MAX)), [""; 0]);
    assert!(!planned(&store, &days(0)).contains(&run_id(6)));
    let both = Policy { keep: Some(1), keep_days: Some(9), ..Default::default() };
    assert_eq!(planned(&store, &both), [1, 2].map(run_id), "what either rule keeps stays");
    assert_eq!(planned(&store, &Policy::default()), [""; 0]);
    let other = Policy { keep: Some(1), pipeline: Some("german".into()), ..Default::default() };
    assert_eq!(planned(&store, &other), [""; 0]);
}

#[test]
fn failed_and_tagged_runs_can_be_spared() {
    let place = Place::new();
    let store = place.open();
    for (n, change) in [(1, "pass"), (2, "verdict"), (3, "tag"), (4, "pass")] {
        let lock = store.lock("adult").unwrap();
        let mut writer = store.begin(&lock, &run_id(n), &format!("2026-11-1{n}")).unwrap();
        write_rows(&mut writer, 0, 5);
        let mut audit = audit(&run_id(n), "adult", &format!("2026-11-1{n}"));
        match change {
            "verdict" => audit.run.verdict = Decision::Fail,
            "tag" => audit.scope.tags = vec!["quarterly".into()],
            _ => {}
        }
        writer.commit(&mut audit, &[], None).unwrap();
    }
    {
        let lock = store.lock("adult").unwrap();
        let writer = store.begin(&lock, &run_id(5), "2026-11-10").unwrap();
        writer.fail(&audit(&run_id(5), "adult", "2026-11-10").run, "broke").unwrap();
    }
    let policy = Policy { keep: Some(1), ..Default::default() };
    assert_eq!(planned(&store, &policy), [5, 1, 2, 3].map(run_id));
    let spare = Policy { keep_failed: true, ..policy.clone() };
    assert_eq!(planned(&store, &spare), [1, 3].map(run_id));
    let spare = Policy { keep_tags: vec!["x".into(), "quarterly".into()], ..policy };
    assert_eq!(planned(&store, &spare), [5, 1, 2].map(run_id));
}

#[test]
fn a_plan_removes_nothing_and_pruning_leaves_a_clean_history() {
    let (place, store) = history();
    let before = place.files();
    let plan = store.plan_pruning(&Policy { keep: Some(2), ..Default::default() }, TODAY).unwrap();
    assert_eq!((plan.runs.len(), plan.n_files(), plan.n_kept), (3, 12, 3));
    let bytes: u64 = before
        .iter()
        .filter(|name| plan.runs.iter().any(|doomed| name.contains(&doomed.run.run_id)))
        .map(|name| fs::metadata(place.results().join(name)).unwrap().len())
        .sum();
    assert_eq!(plan.bytes(), bytes);
    assert_eq!(place.files(), before);
    let gone = store.prune(&plan).unwrap();
    assert_eq!(ids(&gone), ids(&plan));
    assert_eq!(place.files().len(), before.len() - 12);
    assert!(!place.results().join("explanations/pipeline=adult/run_date=2026-11-11").exists());
    let found = store.verify(None).unwrap();
    assert!(found.is_clean() && found.notes.is_empty(), "{found:#?}");
    let run = store.run(&run_id(1)).unwrap();
    assert_eq!(run.status, Status::Pruned);
    assert_eq!(store.artifacts(&run).unwrap().len(), 4, "hashes stay");
    let error = store.audit(&run).unwrap_err();
    assert!(error.to_string().contains("pruned"), "{error}");
    assert_eq!(ids(&store.prune(&plan).unwrap()), [""; 0], "a plan is carried out once");
    assert_eq!(commit(&store, "adult", "2026-11-23", 9).run_id, run_id(9));
    assert!(store.verify(None).unwrap().is_clean());
}

#[test]
fn what_a_killed_pruning_left_the_next_run_removes() {
    let (place, store) = history();
    let plan = store.plan_pruning(&Policy { keep: Some(1), ..Default::default() }, TODAY).unwrap();
    let before = place.files().len();
    store.bury(&plan).unwrap();
    assert_eq!(place.files().len(), before);
    let found = store.verify(None).unwrap();
    assert!(found.is_clean() && found.notes.len() == 16, "{found:#?}");
    commit(&store, "german", "2026-11-23", 8);
    assert_eq!(place.files().len(), before + 4, "another pipeline's files are not its business");
    commit(&store, "adult", "2026-11-23", 9);
    assert_eq!(place.files().len(), before + 8 - 16);
    assert!(store.verify(None).unwrap().notes.is_empty());
}

#[test]
fn nothing_goes_while_a_run_is_in_progress() {
    let (place, store) = history();
    let plan = store.plan_pruning(&Policy { keep: Some(1), ..Default::default() }, TODAY).unwrap();
    let _running = store.lock("adult").unwrap();
    assert_eq!(store.prune(&plan).unwrap_err().exit_code(), 75);
    assert_eq!(place.files().len(), 24);
    assert!(store.runs(RunFilter { status: Some(Status::Pruned), ..Default::default() }).unwrap().is_empty());
}
