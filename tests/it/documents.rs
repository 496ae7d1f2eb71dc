//! Documents of a run: what each holds, what it asks for, and what is made again from the store.

use crate::project::Project;
use serde_json::Value;
use std::fs;

const ALL: [&str; 6] = ["audit", "nyc-ll144", "adverse-action", "model-risk", "eu-ai-act", "model-card"];

const REPORT: &str = r#"
[report]
templates = ["audit", "nyc-ll144", "adverse-action", "model-risk", "eu-ai-act", "model-card"]
reasons_version = "2026-01"
reasons_per_decision = 2
[report.fields]
intended_use = "Small loans <b>only</b>"
distribution_date = "2026-03-01"
[report.reasons]
debt = "Debt beside this loan"
"#;

fn told() -> Project {
    let project = Project::new();
    project.append(REPORT).ran(0);
    project
}

fn page(project: &Project, template: &str) -> String {
    fs::read_to_string(project.stored(&[&format!("/{template}.html")])).unwrap()
}

#[test]
fn a_run_stores_every_document_that_the_pipeline_lists() {
    let project = told();
    for name in ALL {
        let page = page(&project, name);
        assert!(page.contains("not legal advice"), "{name}");
        assert!(!page.contains("<b>only</b>"), "{name}");
    }
    let kinds = project.query("SELECT kind FROM artifacts WHERE kind LIKE 'report:%' ORDER BY kind");
    assert_eq!(kinds.len(), 7, "{kinds:?}");
}

#[test]
fn a_field_is_shown_or_the_key_that_provides_it() {
    let project = told();
    let card = page(&project, "model-card");
    assert!(card.contains("Small loans &lt;b&gt;only&lt;"), "the field is text");
    for key in ["[report.fields] limitations", "[report.fields] training_data", "[pipeline] owner"] {
        assert!(card.contains(&format!("not provided</span> <code>{key}</code>")), "{key}");
    }
    assert!(page(&project, "nyc-ll144").contains("2026-03-01"));
}

/// Every key that a document names must be one that the TOML knows.
#[test]
fn every_field_that_a_document_asks_for_can_be_given() {
    let project = Project::new();
    let schema = project.probity(&["schema"]).json();
    let known = schema["$defs"]["Fields"]["properties"].as_object().unwrap();
    let text = fs::read_to_string(crate::project::repository().join("templates/documents.json")).unwrap();
    let documents: Value = serde_json::from_str(&text).unwrap();
    let mut asked = std::collections::BTreeSet::new();
    for document in documents.as_object().unwrap().values() {
        for part in document["outline"].as_array().unwrap() {
            let fields = part["fields"].as_array().into_iter().flatten();
            asked.extend(fields.map(|field| field["key"].as_str().unwrap().to_owned()));
        }
    }
    let answered = |key: &String| known.contains_key(key) || ["owner", "version"].contains(&key.as_str());
    assert!(asked.iter().all(answered), "{asked:?}");
    assert!(known.keys().all(|key| asked.contains(key)), "a field that no document asks for: {known:?}");
}

#[test]
fn unknown_fields_and_reasons_are_refused_with_what_was_meant() {
    let project = Project::new();
    let ran = project.append("[report.fields]\nintended_us = \"x\"\n").run(&[]);
    assert!(ran.expect(2).stderr.contains("did you mean `intended_use`"), "{}", ran.stderr);
    let project = Project::new();
    let ran = project.append("[report.reasons]\ndept = \"x\"\n").run(&[]);
    assert!(ran.expect(2).stderr.contains("did you mean `debt`"), "{}", ran.stderr);
}

/// The reasons by the stored attributions, computed here once more.
#[test]
fn reasons_are_the_features_that_pushed_furthest_away_from_the_favourable_decision() {
    let project = told();
    let audit: Value = serde_json::from_slice(&fs::read(project.stored(&["run.json"])).unwrap()).unwrap();
    let adverse = &audit["adverse"];
    let unfavourable = project.query("SELECT row_id FROM predictions WHERE score < 0.5");
    assert_eq!(adverse["n_adverse"], unfavourable.len());
    let rows = adverse["rows"].as_array().unwrap();
    assert!(!rows.is_empty());
    for row in rows {
        let id = row["row_id"].as_str().unwrap();
        let found = project.query(&format!(
            "SELECT feature FROM explanations WHERE row_id = {id} AND attribution < 0 ORDER BY attribution LIMIT 2"
        ));
        let features: Vec<&Value> =
            row["reasons"].as_array().unwrap().iter().map(|reason| &reason["feature"]).collect();
        assert_eq!(features, found.iter().map(|row| &row["feature"]).collect::<Vec<_>>(), "row {id}");
    }
    let page = page(&project, "adverse-action");
    assert!(page.contains("debt: Debt beside this loan") && page.contains("[report.reasons] income"));
    assert!(page.contains("version 2026-01"));
}

#[test]
fn reasons_turn_with_the_favourable_class() {
    let project = told();
    project.edit("positive = \"yes\"", "positive = \"yes\"\nfavourable = \"no\"").ran(0);
    let n = project.value(
        "SELECT count(*) AS n FROM predictions JOIN runs USING (run_id) WHERE score >= 0.5 AND config_sha256 = \
         (SELECT config_sha256 FROM runs ORDER BY run_id DESC LIMIT 1)",
    );
    let shown =
        project.probity(&["show", "credit@latest", "--format", "json", "--catalogue", "var/catalogue.db"]).json();
    assert_eq!(shown["adverse"]["n_adverse"], n);
    let pushed_up =
        |row: &Value| row["reasons"].as_array().unwrap().iter().all(|r| r["attribution"].as_f64() > Some(0.0));
    assert!(shown["adverse"]["rows"].as_array().unwrap().iter().all(pushed_up));
}

#[test]
fn impact_ratios_are_rates_over_the_highest_rate_and_small_categories_can_be_left_out() {
    let project = told();
    let ratio = project.value(
        "SELECT value FROM metrics WHERE metric = 'impact_ratio' AND attribute = 'sex' AND group_value = 'Female'",
    );
    let shown = format!("<bdi>{:.2}</bdi>", ratio.as_f64().unwrap());
    assert!(page(&project, "nyc-ll144").contains(&shown), "{shown}");
    assert!(page(&project, "nyc-ll144").contains("Rows of unknown category: 0"));
    let project = Project::new();
    project.append(&REPORT.replace("reasons_version", "least_share = 0.4\nreasons_version")).ran(0);
    let page = page(&project, "nyc-ll144");
    assert!(page.contains("under 40.0\u{a0}% of rows: left out of the ratios") && page.contains("left out</bdi>"));
}

#[test]
fn every_document_is_made_again_in_every_format() {
    let project = told();
    let report = |more: &[&str]| {
        let base = ["report", "credit@latest", "--out", "again", "--catalogue", "var/catalogue.db"];
        project.probity(&[&base[..], more].concat())
    };
    for name in ALL {
        report(&["--template", name]).expect(0);
        let again = fs::read_to_string(project.path(&format!("again/{name}.html"))).unwrap();
        assert_eq!(again, page(&project, name), "{name}");
        report(&["--template", name, "--format", "json"]).expect(0);
        let json: Value =
            serde_json::from_str(&fs::read_to_string(project.path(&format!("again/{name}.json"))).unwrap()).unwrap();
        assert_eq!((json["template"].as_str(), json["audit"]["run"]["n_rows"].as_u64()), (Some(name), Some(60)));
        report(&["--template", name, "--format", "md"]).expect(0);
        let markdown = fs::read_to_string(project.path(&format!("again/{name}.md"))).unwrap();
        assert!(
            markdown.starts_with("# credit") && markdown.contains("| n |") | markdown.contains("| Rows |"),
            "{name}"
        );
    }
    let card = fs::read(project.stored(&["/model-card.json"])).unwrap();
    assert_eq!(card, fs::read(project.path("again/model-card.json")).unwrap());
    let unknown = report(&["--template", "model-crad", "--format", "md"]);
    assert!(unknown.expect(2).stderr.contains("model-card"), "{}", unknown.stderr);
}

#[test]
fn a_folder_of_templates_declares_a_document_of_its_own() {
    let project = told();
    let text = r#"{"board": {"kind": "For the board", "notice": "One page.", "outline": [
        {"id": "use", "title": "Use", "fields": [{"key": "intended_use", "name": "What for"}]}, {"section": "gates"}]}}"#;
    project.write("mine/documents.json", text);
    let made = |template: &str| {
        project.probity(&[
            "report",
            "credit@latest",
            "--template",
            template,
            "--templates",
            "mine",
            "--catalogue",
            "var/catalogue.db",
        ])
    };
    made("board").expect(0);
    let page = fs::read_to_string(project.path("board.html")).unwrap();
    assert!(page.contains("For the board") && page.contains("What for") && page.contains("accuracy ≥ 0.1"));
    assert!(!page.contains("id=\"performance\""));
    project.write("mine/documents.json", "{\"board\": {\n}");
    assert!(made("board").expect(2).stderr.contains("line 2"));
}

#[test]
fn documents_of_a_suppressed_run_list_no_single_rows() {
    let project = Project::new();
    project.append(REPORT).append("[privacy]\nsuppress_below = 5\n").ran(0);
    let page = page(&project, "adverse-action");
    assert!(page.contains("Suppression log") && page.contains("reasons row by row"));
    assert!(!page.contains("Unfavourable decisions with their principal reasons"));
}
