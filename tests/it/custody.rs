//! What is kept can be proved, shortened, and asked about a single row.

use crate::project::{DAY, Project, Ran};
use std::fs;

fn asked(project: &Project, arguments: &[&str]) -> Ran {
    project.probity(&[arguments, &["--catalogue", "var/catalogue.db"]].concat())
}

fn nights(days: &[&str]) -> Project {
    let project = Project::new();
    for day in days {
        project.probity(&["run", "audit.toml", "--as-of", day]).expect(0);
    }
    project
}

// verify

#[test]
fn an_untouched_history_verifies() {
    let project = nights(&["2026-11-20", DAY]);
    let verified = asked(&project, &["verify"]);
    let all = format!("2 runs and {} files", project.results().len());
    assert!(verified.expect(0).stdout.contains(&all), "{}", verified.stdout);
    let as_json = asked(&project, &["verify", "--format", "json"]).expect(0).json();
    assert_eq!((&as_json["clean"], &as_json["problems"]), (&true.into(), &serde_json::json!([])));
    let one = asked(&project, &["verify", "credit@2026-11-20"]);
    let half = format!("1 run and {} files", project.results().len() / 2);
    assert!(one.expect(0).stdout.contains(&half), "{}", one.stdout);
    asked(&project, &["verify", "nobody@latest"]).expect(2);
}

#[test]
fn what_is_wrong_is_said_exactly_and_is_code_1() {
    let project = nights(&["2026-11-20", DAY]);
    let altered = project.stored(&["/explanations/", DAY]);
    let mut bytes = fs::read(&altered).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&altered, bytes).unwrap();
    let missing = project.stored(&["/predictions/", "2026-11-20"]);
    fs::remove_file(&missing).unwrap();
    project.write("var/results/reports/stray.html", "?");
    let verified = asked(&project, &["verify"]);
    for part in ["the file was altered", "the file is missing", "stray.html", "3 things are wrong"] {
        assert!(verified.expect(1).stdout.contains(part), "{part} in {}", verified.stdout);
    }
    let name = altered.strip_prefix(project.folder()).unwrap().display().to_string();
    assert!(verified.stdout.contains(&name), "{name} in {}", verified.stdout);
    let as_json = asked(&project, &["verify", "--format", "json"]).expect(1).json();
    let mut kinds: Vec<&str> =
        as_json["problems"].as_array().unwrap().iter().map(|problem| problem["kind"].as_str().unwrap()).collect();
    kinds.sort_unstable();
    assert_eq!(kinds, ["altered_file", "foreign_file", "missing_file"]);
    asked(&project, &["verify", &format!("credit@{DAY}")]).expect(1);
}

// prune

#[test]
fn pruning_first_only_says_what_would_go() {
    let project = nights(&["2020-01-01", "2020-01-02", DAY]);
    let before = project.results();
    let said = asked(&project, &["prune", "--keep", "1"]);
    let n_files = before.len() / 3 * 2;
    for part in ["2020-01-01", "2020-01-02", &format!("2 runs, {n_files} files"), "--yes"] {
        assert!(said.expect(0).stdout.contains(part), "{part} in {}", said.stdout);
    }
    assert_eq!(project.results(), before);
    let gone = asked(&project, &["prune", "--older-than", "90d", "--yes", "--format", "json"]).expect(0).json();
    assert_eq!((&gone["removed"], &gone["n_files"]), (&true.into(), &n_files.into()));
    assert_eq!(project.results().len(), before.len() - n_files);
    let statuses: Vec<_> = project.query("SELECT status FROM runs ORDER BY sequence");
    assert_eq!(statuses.iter().map(|row| &row["status"]).collect::<Vec<_>>(), ["pruned", "pruned", "succeeded"]);
    asked(&project, &["verify"]).expect(0);
    asked(&project, &["show", "credit@2020-01-01"]).expect(2).says(&["pruned", "retention"]);
    assert!(asked(&project, &["prune", "--keep", "1"]).expect(0).stdout.contains("nothing to remove"));
    project.probity(&["run", "audit.toml", "--as-of", "2026-11-22"]).expect(0);
    asked(&project, &["verify"]).expect(0);
}

#[test]
fn pruning_asks_for_a_rule() {
    let project = nights(&[DAY]);
    asked(&project, &["prune", "--yes"]).expect(2);
    asked(&project, &["prune", "--keep", "many"]).expect(2).says(&["90d, 12w or 7y"]);
    project.probity(&["prune", "--keep", "1", "--yes", "--catalogue", "nowhere.db"]).expect(2);
    assert!(!project.path("nowhere.db").exists());
}

#[test]
fn tagged_runs_can_be_kept() {
    let project = Project::new();
    project.edit("seed = 7", "seed = 7\ntags = [\"quarterly\"]");
    project.probity(&["run", "audit.toml", "--as-of", "2020-01-01"]).expect(0);
    project.edit("tags = [\"quarterly\"]", "").ran(0);
    let kept = asked(&project, &["prune", "--keep", "1", "--keep-tag", "quarterly"]);
    assert!(kept.expect(0).stdout.contains("nothing to remove"), "{}", kept.stdout);
    assert!(asked(&project, &["prune", "--keep", "1"]).expect(0).stdout.contains("2020-01-01"));
}

// explain

#[test]
fn one_decision_is_explained_from_what_is_stored() {
    let project = nights(&["2026-11-20", DAY]);
    for gone in ["people.csv", "model.onnx", "audit.toml"] {
        fs::remove_file(project.path(gone)).unwrap();
    }
    let told = asked(&project, &["explain", "credit@latest", "--row", "17", "--format", "json"]).expect(0).json();
    let sql = format!(
        "SELECT feature, feature_value, attribution, base_value FROM explanations
         WHERE run_date = '{DAY}' AND row_id = 17 ORDER BY abs(attribution) DESC, feature"
    );
    let stored = project.query(&sql);
    let explanation = &told["explanations"][0];
    let terms = explanation["terms"].as_array().unwrap();
    assert_eq!(terms.len(), stored.len());
    for (term, row) in terms.iter().zip(&stored) {
        for key in ["feature", "feature_value", "attribution"] {
            assert_eq!(term[key], row[key], "{key}");
        }
    }
    assert_eq!(explanation["base_value"], stored[0]["base_value"]);
    let prediction = &told["predictions"][0];
    let gap = explanation["explained_score"].as_f64().unwrap() - prediction["margin"].as_f64().unwrap();
    assert!(gap.abs() < 1e-9, "{told:#}");
    assert_eq!(told["decision"], if prediction["predicted"] == true { "yes" } else { "not yes" });
    assert_eq!(told["earlier"].as_array().unwrap().len(), 1);
    assert_eq!(told["earlier"][0]["as_of"], "2026-11-20");
    assert_eq!(told["earlier"][0]["score"], prediction["score"]);
    // Reasons against the favourable outcome pull the score of that outcome down.
    let sign = if told["favourable"] == explanation["output"] { -1.0 } else { 1.0 };
    let reasons = explanation["reasons"].as_array().unwrap();
    assert!(!reasons.is_empty() && reasons.len() <= 4);
    for reason in reasons {
        assert!(reason["attribution"].as_f64().unwrap() * sign > 0.0, "{reason}");
    }
}

#[test]
fn an_explanation_is_told_as_text_and_as_a_page() {
    let project = nights(&[DAY]);
    let told = asked(&project, &["explain", "credit@latest", "--row", "17"]);
    for part in ["row 17", "explained by tree", "(base value)", "(explained score)", "income", "decision: "] {
        assert!(told.expect(0).stdout.contains(part), "{part} in {}", told.stdout);
    }
    let page = asked(&project, &["explain", "credit@latest", "--row", "17", "--format", "html"]);
    for part in ["<!doctype html>", "Row 17", "Principal reasons", "income"] {
        assert!(page.expect(0).stdout.contains(part), "{part}");
    }
    assert_eq!(page.stdout.matches("<script").count(), 1, "that of the page, named by its hash");
    assert!(page.stdout.contains("script-src 'sha256-"));
}

#[test]
fn a_row_that_cannot_be_explained_is_told_why() {
    let project = Project::new();
    project.append("[explain]\nrows = 5\n").ran(0);
    let explained = project.value("SELECT min(row_id) AS r FROM explanations").as_i64().unwrap();
    let sql = "SELECT min(row_id) AS r FROM predictions WHERE row_id NOT IN (SELECT row_id FROM explanations)";
    let unexplained = project.value(sql).as_i64().unwrap();
    let explain = |row: &str| asked(&project, &["explain", "credit@latest", "--row", row]);
    explain(&explained.to_string()).expect(0);
    explain(&unexplained.to_string()).expect(2).says(&["scored", "not explained", "a sample of the rows"]);
    explain("4711").expect(2).says(&["no row `4711`", "60 rows"]);
    explain("ann").expect(2).says(&["no row `ann`", "numbers"]);
    explain("-1").expect(2).says(&["no row `-1`"]);
    let row = explained.to_string();
    let other = ["explain", "credit@latest", "--row", &row, "--method", "lime"];
    asked(&project, &other).expect(2).says(&["`lime`", "there is tree"]);
}
