//! A run's report shows the nights before it as they were known then, whatever becomes of them later.

use crate::project::{Project, people_with};
use serde_json::Value;
use std::fs;

fn night(project: &Project, day: &str, limit: &str, code: i32) -> Value {
    let set = format!("gates=[{{metric = \"accuracy\", min = {limit}}}]");
    project.probity(&["run", "audit.toml", "--as-of", day, "--set", &set, "--format", "json"]).expect(code).json()
}

fn report(project: &Project, run: &str) -> String {
    project.probity(&["report", run, "--out", "drawn"]).expect(0);
    fs::read_to_string(project.path("drawn/audit.html")).unwrap()
}

fn history(project: &Project, run: &Value) -> Vec<Value> {
    let id = run["run_id"].as_str().unwrap();
    let path = project.path(&format!("var/results/reports/pipeline=credit/{id}/run.json"));
    let audit: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    audit["history"].as_array().cloned().unwrap_or_default()
}

fn days(history: &[Value]) -> Vec<&str> {
    history.iter().map(|night| night["as_of"].as_str().unwrap()).collect()
}

#[test]
fn a_run_keeps_the_nights_before_it_and_its_report_never_changes() {
    let project = Project::new();
    let first = night(&project, "2026-11-18", "0.1", 0);
    assert_eq!(days(&history(&project, &first)), [""; 0]);
    night(&project, "2026-11-19", "0.99", 1);
    let third = night(&project, "2026-11-20", "0.99", 1);
    assert_eq!(days(&history(&project, &third)), ["2026-11-18", "2026-11-19"]);
    let before = report(&project, "credit@2026-11-20");
    assert!(before.contains("failed for the second night in a row, since 19 November 2026"), "the streak is told");
    let id = third["run_id"].as_str().unwrap();
    let stored = project.path(&format!("var/results/reports/pipeline=credit/{id}/audit.html"));
    assert!(fs::read_to_string(stored).unwrap() == before, "the stored report is the one drawn again");

    // Later nights, an earlier one audited late, one replaced, and pruning: none of them was known to the third.
    night(&project, "2026-11-21", "0.2", 0);
    night(&project, "2026-11-17", "0.2", 0);
    let forced = ["run", "audit.toml", "--as-of", "2026-11-21", "--set", "gates=[{metric = \"accuracy\", min = 0.2}]"];
    project.probity(&[&forced[..], &["--force"]].concat()).expect(0);
    assert!(report(&project, "credit@2026-11-20") == before);

    let last = night(&project, "2026-11-22", "0.2", 0);
    let kept = history(&project, &last);
    assert_eq!(days(&kept), ["2026-11-17", "2026-11-18", "2026-11-19", "2026-11-20", "2026-11-21"]);
    let of_forced = project.value("SELECT run_id FROM runs WHERE supersedes IS NOT NULL");
    assert_eq!(kept[4]["run_id"], of_forced);
    let drawn = report(&project, "credit@2026-11-22");
    project.probity(&["prune", "--keep", "1", "--yes"]).expect(0);
    assert!(report(&project, "credit@2026-11-22") == drawn, "what is pruned stays in the history");
    let after = night(&project, "2026-11-23", "0.2", 0);
    let kept = history(&project, &after);
    assert_eq!(days(&kept).len(), 6);
    assert!(kept.iter().all(|night| night["gates"].as_array().unwrap().len() == 1), "{kept:?}");
}

#[test]
fn a_night_whose_record_is_lost_keeps_its_verdict_alone() {
    let project = Project::new();
    let first = night(&project, "2026-11-18", "0.1", 0);
    night(&project, "2026-11-19", "0.1", 0);
    for lost in ["2026-11-18", "2026-11-19"] {
        let id = project.value(&format!("SELECT run_id FROM runs WHERE as_of = '{lost}'"));
        let id = id.as_str().unwrap();
        fs::remove_file(project.path(&format!("var/results/reports/pipeline=credit/{id}/run.json"))).unwrap();
    }
    let third = night(&project, "2026-11-20", "0.1", 0);
    let kept = history(&project, &third);
    assert_eq!((days(&kept), &kept[0]["run_id"]), (vec!["2026-11-18", "2026-11-19"], &first["run_id"]));
    assert!(kept.iter().all(|night| night["verdict"] == "pass" && night["gates"].as_array().unwrap().is_empty()));
    report(&project, "credit@2026-11-20");
}

#[test]
fn what_a_night_withheld_stays_withheld_in_later_reports() {
    let project = Project::new();
    let rare = |row: usize, old: &str| if row < 4 { "Other".to_owned() } else { old.to_owned() };
    project.write("people.csv", people_with("sex", rare));
    project.append("[[gates]]\nmetric = \"demographic_parity_ratio\"\nattribute = \"sex\"\nmin = 0.1\n");
    let run = |day: &str, limit: &str| {
        let set = format!("privacy.suppress_below={limit}");
        let ran = project.probity(&["run", "audit.toml", "--as-of", day, "--set", &set, "--format", "json"]);
        assert!([0, 1, 4].contains(&ran.code), "{}", ran.stderr);
        ran.json()
    };
    run("2026-11-18", "0");
    run("2026-11-19", "5");
    let stricter = run("2026-11-20", "8");
    let gate = |night: &Value| night["gates"][1].clone();
    let kept = history(&project, &stricter);
    assert!(gate(&kept[0])["value"].is_number(), "published then: {}", kept[0]);
    assert_eq!((&gate(&kept[1])["value"], &gate(&kept[1])["withheld"]), (&Value::Null, &true.into()));
    // In print, the night under a laxer limit keeps its decisions alone.
    let published = project.probity(&["report", "credit@2026-11-20", "--format", "json", "--out", "drawn"]);
    published.expect(0);
    let told: Value = serde_json::from_slice(&fs::read(project.path("drawn/audit.json")).unwrap()).unwrap();
    let kept = told["audit"]["history"].as_array().unwrap();
    assert!(kept.iter().all(|night| gate(night)["value"].is_null() && gate(night)["withheld"] == true));
    assert!(told["withheld"].to_string().contains("numbers of earlier nights, published under a lower limit"));
}
