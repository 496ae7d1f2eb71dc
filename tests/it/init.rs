//! First drafts of pipelines.

use crate::project::{Project, people, repository};
use std::fs;

fn data(file: &str) -> String {
    repository().join("data").join(file).display().to_string()
}

fn drafted(model: &str, rows: &str, label: &str, out: &str) -> (Project, String) {
    let project = Project::empty();
    let arguments = ["init", "--model", &data(model), "--data", &data(rows), "--label", label, "--out", out];
    project.probity(&arguments).expect(0);
    let text = fs::read_to_string(project.path(out)).unwrap();
    (project, text)
}

#[test]
fn drafts_for_the_shipped_models_pass_check_and_run() {
    for (model, rows, label, says) in [
        (
            "adult.onnx",
            "adult.parquet",
            "income",
            &[
                "positive = \">50K\"",
                "task = \"binary\"",
                "\"race\", \"sex\", [\"race\", \"sex\"]",
                "bins = [25, 45, 65]",
                "id = \"row_id\"",
            ][..],
        ),
        (
            "german-credit.onnx",
            "german-credit.parquet",
            "credit_risk",
            &["positive = \"good\"", "the model names it", "\"sex\", \"age_group\""][..],
        ),
        (
            "diabetes.onnx",
            "diabetes.csv",
            "progression",
            &["task = \"regression\"", "sex = [\"sex code 1\", \"sex code 2\"]"][..],
        ),
    ] {
        let (project, text) = drafted(model, rows, label, "draft.toml");
        for part in says {
            assert!(text.contains(part), "{model}: {part} is missing in\n{text}");
        }
        project.probity(&["check", "draft.toml"]).expect(0);
        if rows != "adult.parquet" {
            project.probity(&["run", "draft.toml", "--set", "fairness.bootstrap=20", "--no-report"]).expect(0);
        }
    }
}

#[test]
fn gates_of_a_draft_become_a_pipeline_when_they_are_uncommented() {
    for (model, rows, label) in [
        ("german-credit.onnx", "german-credit.parquet", "credit_risk"),
        ("diabetes.onnx", "diabetes.csv", "progression"),
    ] {
        let (project, text) = drafted(model, rows, label, "draft.toml");
        let at = text.find("# [[gates]]").unwrap();
        let (before, gates) = text.split_at(at);
        let gates: String =
            gates.lines().map(|line| line.trim_start_matches('#').trim_start().to_owned() + "\n").collect();
        let gates = gates.split("Where results").next().unwrap();
        project.write("draft.toml", format!("{before}{gates}"));
        project.probity(&["check", "draft.toml"]).expect(0);
        assert!(gates.matches("[[gates]]").count() >= 2, "{gates}");
    }
}

#[test]
fn nothing_is_overwritten() {
    let (project, _) = drafted("diabetes.onnx", "diabetes.csv", "progression", "mine.toml");
    project.write("mine.toml", "mine");
    let again = ["init", "--model", &data("diabetes.onnx"), "--data", &data("diabetes.csv"), "--out", "mine.toml"];
    project.probity(&again).expect(2).says(&["mine.toml is there already", "--out"]);
    assert_eq!(fs::read_to_string(project.path("mine.toml")).unwrap(), "mine");
}

#[test]
fn paths_are_relative_to_the_draft_and_the_name_is_the_models() {
    let project = Project::new();
    project.write("in/My Rows.csv", people(60)).write("pipelines/.keep", "");
    fs::rename(project.path("model.onnx"), project.path("in/Credit_Model.onnx")).unwrap();
    let init = [
        "init",
        "--model",
        "in/Credit_Model.onnx",
        "--data",
        "in/My Rows.csv",
        "--label",
        "repaid",
        "--out",
        "pipelines/a.toml",
    ];
    let said = project.probity(&init);
    assert_eq!(said.expect(0).stdout, "pipelines/a.toml\n");
    let text = fs::read_to_string(project.path("pipelines/a.toml")).unwrap();
    for part in [
        "name = \"credit-model\"",
        "path = \"../in/My Rows.csv\"",
        "path = \"../in/Credit_Model.onnx\"",
        "positive = \"yes\"",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    let without = ["init", "--model", "in/Credit_Model.onnx", "--data", "in/My Rows.csv"];
    project.probity(&without).expect(0).says(&["no --label was given"]);
    assert!(project.path("credit-model.toml").is_file());
}

#[test]
fn what_cannot_be_opened_leaves_no_draft() {
    let project = Project::new();
    let init = |model: &str, rows: &str, label: &str| {
        project.probity(&["init", "--model", model, "--data", rows, "--label", label, "--out", "new.toml"])
    };
    init("nowhere.onnx", "people.csv", "repaid").expect(2).says(&["nowhere.onnx"]);
    init("model.onnx", "nowhere.csv", "repaid").expect(2).says(&["nowhere.csv"]);
    init("model.onnx", "people.csv", "repayed").expect(2).says(&["`repayed`", "--label", "did you mean `repaid`?"]);
    project.write("broken.onnx", "this is no model");
    init("broken.onnx", "people.csv", "repaid").expect(2);
    assert!(!project.path("new.toml").exists());
}
