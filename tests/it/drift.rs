//! A night beside the nights before it: drift, limits on change, and runs that cannot be compared.

use crate::project::{DAY, HEADER, Project, person};
use serde_json::Value;

const NIGHTS: [&str; 4] = [DAY, "2026-11-22", "2026-11-23", "2026-11-24"];

/// 600 people whose income is `shift` higher.
fn people_shifted(shift: f64) -> String {
    let row = |row: usize| {
        let whole = person(row);
        let mut cells: Vec<String> = whole.split(',').map(str::to_owned).collect();
        cells[1] = (cells[1].parse::<f64>().unwrap() + shift).to_string();
        cells.join(",") + "\n"
    };
    format!("{HEADER}\n{}", (0..600).map(row).collect::<String>())
}

/// A project of one pipeline over 600 people, with these gates.
fn project(gates: &str) -> Project {
    let project = Project::new();
    project.write("people.csv", people_shifted(0.0)).append(gates);
    project
}

fn night(project: &Project, at: usize, shift: f64, code: i32) -> Value {
    project.write("people.csv", people_shifted(shift));
    project.probity(&["run", "audit.toml", "--as-of", NIGHTS[at], "--format", "json"]).expect(code).json()
}

fn gate<'a>(run: &'a Value, beginning: &str) -> &'a Value {
    let gates = run["gates"].as_array().unwrap();
    gates.iter().find(|gate| gate["gate"].as_str().unwrap().starts_with(beginning)).unwrap()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

const PSI: &str = "[[gates]]\nmetric = \"psi\"\nmax = 0.25\nseverity = \"warn\"\n";
const CHANGE: &str = "[[gates]]\nmetric = \"selection_rate\"\nmax_change = 0.05\n";

#[test]
fn a_shift_of_one_column_is_found_in_it_and_in_the_scores() {
    let project = project("");
    let first = night(&project, 0, 0.0, 0);
    assert_eq!(project.value("SELECT count(*) AS n FROM drift"), 0);
    let notes = "SELECT count(*) AS n FROM distributions WHERE subject = 'feature' AND feature = 'income'";
    assert!(project.value(notes).as_u64().unwrap() > 10);
    night(&project, 1, 1.5, 0);
    let rows = project.query("SELECT subject, feature, measure, value, baseline_run_id FROM drift");
    let value = |subject: &str, feature: &str, measure: &str| {
        let here = |row: &&Value| row["subject"] == subject && row["feature"] == feature && row["measure"] == measure;
        number(&rows.iter().find(here).unwrap_or_else(|| panic!("{subject} {feature} {measure}"))["value"])
    };
    assert!(rows.iter().all(|row| row["baseline_run_id"] == first["run_id"]));
    assert!((value("feature", "income", "wasserstein") - 1.5).abs() < 1e-9);
    assert!(value("feature", "income", "psi") > 0.25 && value("feature", "income", "ks") > 0.2);
    assert!(value("score", "", "psi") > 0.1 && value("score", "", "js") > 0.1);
    for unmoved in ["children", "debt", "owner", "age"] {
        assert_eq!((value("feature", unmoved, "psi"), value("feature", unmoved, "ks")), (0.0, 0.0), "{unmoved}");
    }
    assert!((0.5..=1.0).contains(&value("attribution", "", "ndcg")));
    assert_eq!(rows.len(), 6 * 4 + 1);
}

#[test]
fn a_first_run_says_that_there_is_nothing_to_compare_with() {
    let project = project(&format!("{PSI}{CHANGE}"));
    let run = night(&project, 0, 0.0, 4);
    for beginning in ["psi", "selection_rate"] {
        let gate = gate(&run, beginning);
        assert_eq!((&gate["decision"], &gate["baseline_value"]), (&"insufficient".into(), &Value::Null));
        assert!(gate["reason"].as_str().unwrap().contains("no earlier run"), "{gate}");
    }
}

#[test]
fn limits_on_change_and_drift_decide() {
    let project = project(&format!("{PSI}{CHANGE}"));
    let first = night(&project, 0, 0.0, 4);
    let still = night(&project, 1, 0.0, 0);
    assert_eq!(number(&gate(&still, "psi")["observed"]), 0.0);
    assert_eq!(gate(&still, "selection_rate")["baseline_value"], gate(&first, "selection_rate")["observed"]);
    let shifted = night(&project, 2, 1.5, 1);
    let (psi, change) = (gate(&shifted, "psi"), gate(&shifted, "selection_rate"));
    assert_eq!((&psi["decision"], &psi["reason"]), (&"fail".into(), &"income".into()));
    assert_eq!((&change["decision"], &change["limit"]), (&"fail".into(), &0.05.into()));
    let moved = number(&change["observed"]) - number(&change["baseline_value"]);
    assert!((number(&change["change"]) - moved).abs() < 1e-12 && moved > 0.05, "{change}");
    assert!(number(&change["change_low"]) < moved && moved < number(&change["change_high"]));
    // The new level is the baseline of the next night.
    night(&project, 3, 1.5, 0);
    let stored = project.query(
        "SELECT g.baseline_value AS b FROM gates g JOIN runs r ON r.run_id = g.run_id
        WHERE g.metric = 'selection_rate' ORDER BY r.as_of",
    );
    assert_eq!(stored[0]["b"], Value::Null);
    assert!(stored[1..].iter().all(|row| row["b"].is_f64()), "{stored:?}");
}

#[test]
fn a_named_baseline_stays_the_baseline() {
    let project = project("");
    let first = night(&project, 0, 0.0, 0);
    night(&project, 1, 1.5, 0);
    let run_id = first["run_id"].as_str().unwrap();
    for name in [run_id, &run_id[..20], &format!("credit@{DAY}")] {
        let gates = CHANGE.replace("max_change", &format!("baseline = \"{name}\"\nmax_change"));
        project.append(&gates);
        let run = night(&project, 2, 1.5, 1);
        let gate = gate(&run, "selection_rate");
        assert_eq!(gate["decision"], "fail", "{name}: {gate}");
        assert!(gate["gate"].as_str().unwrap().contains(name));
        project.edit(&gates, "");
    }
    // Both the run before and the named one have their rows.
    let sql = "SELECT count(DISTINCT baseline_run_id) AS n FROM drift d JOIN runs r ON r.run_id = d.run_id
        WHERE r.as_of = '2026-11-23'";
    assert!(project.value(sql).as_u64().unwrap() >= 2);
}

#[test]
fn a_baseline_that_is_not_there_is_undecided_with_its_reason() {
    let project = project("");
    night(&project, 0, 0.0, 0);
    let named = |name: &str| CHANGE.replace("max_change", &format!("baseline = \"{name}\"\nmax_change"));
    project.append(&named("01990000-0000-7000-8000-000000000000"));
    let run = night(&project, 1, 0.0, 4);
    let reason = gate(&run, "selection_rate")["reason"].as_str().unwrap().to_owned();
    assert!(reason.contains("01990000-0000-7000-8000-000000000000 is not there"), "{reason}");
}

#[test]
fn a_superseded_run_is_no_baseline() {
    let project = project("");
    let first = night(&project, 0, 0.0, 0)["run_id"].as_str().unwrap().to_owned();
    let forced = ["run", "audit.toml", "--as-of", DAY, "--force", "--format", "json"];
    let second = project.probity(&forced).expect(0).json()["run_id"].as_str().unwrap().to_owned();
    assert_eq!(project.value("SELECT count(*) AS n FROM drift"), 0, "a run is not compared with the one it replaces");
    night(&project, 1, 1.5, 0);
    assert_eq!(project.value("SELECT DISTINCT baseline_run_id FROM drift"), second.as_str());
    project.append(&CHANGE.replace("max_change", &format!("baseline = \"{first}\"\nmax_change")));
    let run = night(&project, 2, 1.5, 4);
    let reason = gate(&run, "selection_rate")["reason"].as_str().unwrap().to_owned();
    assert!(reason.contains("superseded"), "{reason}");
}

#[test]
fn a_night_audited_late_is_compared_with_what_came_before_its_day() {
    let project = project("");
    let first = night(&project, 0, 0.0, 0);
    night(&project, 2, 1.5, 0);
    let late = night(&project, 1, 0.0, 0);
    let sql =
        format!("SELECT DISTINCT baseline_run_id FROM drift WHERE run_id = '{}'", late["run_id"].as_str().unwrap());
    assert_eq!(project.value(&sql), first["run_id"]);
}

#[test]
fn a_repeated_run_stays_the_same_run_although_there_are_newer_ones() {
    let project = project(CHANGE);
    let first = night(&project, 0, 0.0, 4);
    night(&project, 1, 0.0, 0);
    let again = night(&project, 0, 0.0, 4);
    assert_eq!((&again["run_id"], &again["gates"]), (&first["run_id"], &first["gates"]));
}

#[test]
fn runs_of_another_schema_task_or_scale_are_not_compared() {
    for (settings, reason) in [
        ("explain.scale=\"probability\"", "another scale of attributions: margin before, probability now"),
        ("data.categorical=[\"children\"]", "another data schema: only before children (number)"),
        ("model.classes=[\"bad\", \"good\"]", "other classes: yes before, good now"),
    ] {
        let project = project(&format!("{PSI}{CHANGE}"));
        night(&project, 0, 0.0, 4);
        let arguments = ["run", "audit.toml", "--as-of", NIGHTS[1], "--format", "json", "--set", settings];
        let run = project.probity(&arguments).expect(4).json();
        for beginning in ["psi", "selection_rate"] {
            let gate = gate(&run, beginning);
            assert_eq!((&gate["decision"], &gate["baseline_value"]), (&"insufficient".into(), &Value::Null));
            assert!(gate["reason"].as_str().unwrap().contains(reason), "{gate}");
        }
        assert_eq!(project.value("SELECT count(*) AS n FROM drift"), 0, "{settings}");
    }
}

#[test]
fn a_gate_may_ask_for_several_breaches_in_a_row() {
    let lenient = "[[gates]]\nmetric = \"accuracy\"\nmin = 0.99\nconsecutive = 3\n";
    let project = project(lenient);
    for (at, code) in [(0, 0), (1, 0), (2, 1), (3, 1)] {
        let run = night(&project, at, 0.0, code);
        assert_eq!(gate(&run, "accuracy ≥ 0.99")["breaches"], at + 1);
    }
}

#[test]
fn scores_recorded_elsewhere_drift_too() {
    let project = Project::new();
    project.write("people.csv", people_shifted(0.0));
    project.edit("[model]\npath = \"model.onnx\"\n\n[model.inputs]\ninput = [\"income\", \"children\", \"debt\", \"owner\", \"age\"]\n", "");
    project.edit("label = \"repaid\"", "label = \"repaid\"\nscore = \"owner\"");
    night(&project, 0, 0.0, 0);
    night(&project, 1, 0.5, 0);
    assert_eq!(project.value("SELECT DISTINCT subject FROM drift"), "score");
    assert_eq!(project.value("SELECT max(value) AS v FROM drift"), 0.0);
}

#[test]
fn gates_that_make_no_sense_are_refused_before_a_run() {
    for (gate, says) in [
        ("metric = \"psi\"\nmax = 0.2\nfeature = \"incom\"", "income, children, debt"),
        ("metric = \"psi\"\nmax = 0.2\nattribute = \"sex\"", "over all rows"),
        ("metric = \"psi\"\nmax_change = 0.2", "is a change already"),
        ("metric = \"psi\"\nmax = 0.2\ndecide_on = \"interval\"", "have none"),
        ("metric = \"accuracy\"\nmin = 0.2\nbaseline = \"previous\"", "compares nothing with it"),
        ("metric = \"accuracy\"\nmin = 0.2\nfeature = \"income\"", "by feature"),
        ("metric = \"accuracy\"\nmin = 0.2\nconsecutive = 0", "consecutive"),
    ] {
        let project = project(&format!("[[gates]]\n{gate}\n"));
        project.run(&[]).expect(2).says(&["audit.toml", says]);
    }
}

// probity compare

fn compare(project: &Project, more: &[&str]) -> crate::project::Ran {
    project.probity(&[&["compare"], more, &["--catalogue", "var/catalogue.db"]].concat())
}

fn names() -> [String; 2] {
    [0, 1].map(|at| format!("credit@{}", NIGHTS[at]))
}

#[test]
fn two_nights_are_laid_side_by_side() {
    let project = project("");
    let (first, second) = (night(&project, 0, 0.0, 0), night(&project, 1, 1.5, 0));
    let [before, now] = names();
    let text = compare(&project, &[&before, &now]);
    for part in
        [first["run_id"].as_str().unwrap(), "accuracy ≥ 0.1", "selection_rate", "apart", "importance", "income", "ndcg"]
    {
        assert!(text.expect(0).stdout.contains(part), "{part} in {}", text.stdout);
    }
    let json = compare(&project, &[&before, &now, "--format", "json"]).expect(0).json();
    assert_eq!((&json["comparable"], &json["now"]["run_id"]), (&true.into(), &second["run_id"]));
    let metrics = json["metrics"].as_array().unwrap();
    let rate = metrics.iter().find(|change| change["metric"] == "selection_rate").unwrap();
    assert!((number(&rate["change"]) - (number(&rate["now"]) - number(&rate["before"]))).abs() < 1e-12);
    assert!(number(&rate["change_low"]) > 0.0 && rate["intervals_overlap"] == false, "{rate}");
    assert!(json["group_gaps"].as_array().unwrap().iter().all(|change| change["attribute"] == "sex"));
    assert_eq!(json["ranks"].as_array().unwrap().len(), 5);
    assert_eq!(json["gates"][0]["now"], "pass");
    // The same drift that the second night stored.
    let stored = project.query("SELECT subject, feature, measure, value, baseline_run_id FROM drift");
    assert_eq!(json["drift"].as_array().unwrap(), &stored);
    compare(&project, &[&before, &now, "--format", "html", "--out", "c.html"]).expect(0);
    let page = std::fs::read_to_string(project.path("c.html")).unwrap();
    for part in ["Comparable", "Population stability index", "Importance ranks", "income"] {
        assert!(page.contains(part), "{part}");
    }
}

#[test]
fn a_run_beside_itself_has_not_changed() {
    let project = project("");
    night(&project, 0, 0.0, 0);
    let json = compare(&project, &["credit@latest", "credit@latest", "--format", "json"]).expect(0).json();
    assert_eq!(json["differences"], serde_json::json!([]));
    for key in ["metrics", "group_gaps", "groups"] {
        let changes = json[key].as_array().unwrap();
        assert!(changes.iter().all(|change| change["change"].is_null() || change["change"] == 0.0), "{key}");
    }
    let drift = json["drift"].as_array().unwrap();
    assert!(drift.iter().all(|row| number(&row["value"]) == if row["measure"] == "ndcg" { 1.0 } else { 0.0 }));
}

#[test]
fn runs_that_differ_in_what_they_measure_have_reasons_and_no_numbers() {
    let project = project("");
    night(&project, 0, 0.0, 0);
    project.edit("positive = \"yes\"", "positive = \"no\"");
    night(&project, 1, 0.0, 0);
    let [before, now] = names();
    let text = compare(&project, &[&before, &now]);
    assert!(text.expect(4).stdout.contains("not comparable\n  other classes: yes before, no now"), "{}", text.stdout);
    assert!(!text.stdout.contains("selection_rate"));
    let json = compare(&project, &[&before, &now, "--format", "json"]).expect(4).json();
    assert_eq!(json["comparable"], false);
    for key in ["metrics", "group_gaps", "groups", "ranks", "drift", "gates"] {
        assert_eq!(json[key], serde_json::json!([]), "{key}");
    }
    let html = compare(&project, &[&before, &now, "--format", "html"]);
    assert!(html.expect(4).stdout.contains("Not comparable"));
}

#[test]
fn a_run_that_is_not_there_or_was_altered_is_not_compared() {
    let project = project("");
    night(&project, 0, 0.0, 0);
    compare(&project, &["nobody@latest", "credit@latest"]).expect(2).says(&["nobody@latest"]);
    let path = project.stored(&["distributions", ".parquet"]);
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    compare(&project, &["credit@latest", "credit@latest"]).expect(3).says(&["altered"]);
}
