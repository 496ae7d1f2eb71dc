//! The pipeline file and the command line.

use super::{refused, refused_when};
use crate::project::{AUDIT, Project};

#[test]
fn a_threshold_outside_0_to_1_is_refused() {
    for threshold in ["1.5", "-0.1"] {
        let project = Project::new();
        project.edit("[model]", &format!("[model]\nthreshold = {threshold}"));
        refused(&project, &["audit.toml:13", "`model.threshold`", "between 0 and 1"]);
    }
}

#[test]
fn toml_that_is_no_toml_is_shown_with_its_line() {
    let project = Project::new();
    project.edit("seed = 7", "seed = = 7");
    refused(&project, &["audit.toml:4:8", "not valid TOML"]);
}

#[test]
fn an_unknown_key_is_shown_with_what_was_meant() {
    let project = Project::new();
    project.edit("bootstrap", "bootstrp");
    refused(&project, &["audit.toml", "unknown key `bootstrp` in [fairness]", "did you mean `bootstrap`?"]);
}

#[test]
fn all_mistakes_of_a_file_are_shown_at_once() {
    let project = Project::new();
    project.edit("bootstrap", "bootstrp").edit("repeats = 2", "repeats = -2").edit("seed = 7", "seed = 7\nsede = 8");
    refused(&project, &["audit.toml has 3 errors", "`bootstrp`", "`importance.repeats` = -2", "`sede`"]);
}

#[test]
fn all_columns_that_are_missing_are_shown_at_once() {
    let project = Project::new();
    project.edit("label = \"repaid\"", "label = \"paid_back\"").edit("id = \"id\"", "id = \"person\"");
    refused(&project, &["audit.toml has 2 errors", "`paid_back`", "`person`"]);
}

#[test]
fn a_gate_on_an_unknown_metric_is_refused() {
    let project = Project::new();
    project.edit("metric = \"accuracy\"", "metric = \"acuracy\"");
    refused(&project, &["audit.toml", "acuracy", "did you mean accuracy"]);
}

#[test]
fn a_gate_between_groups_without_an_attribute_is_refused() {
    let project = Project::new();
    project.edit("metric = \"accuracy\"", "metric = \"demographic_parity_ratio\"");
    refused(&project, &["audit.toml", "demographic_parity_ratio", "attribute"]);
}

#[test]
fn a_gate_of_another_task_is_refused() {
    let project = Project::new();
    project.edit("metric = \"accuracy\"", "metric = \"rmse\"");
    refused(&project, &["audit.toml", "rmse", "binary audits do not have"]);
}

#[test]
fn a_gate_within_strata_without_strata_is_refused() {
    let project = Project::new();
    project.edit("metric = \"accuracy\"", "metric = \"conditional_odds_ratio\"\nattribute = \"sex\"");
    refused(&project, &["audit.toml", "conditional_odds_ratio", "within strata", "[fairness] strata"]);
}

#[test]
fn a_threshold_for_a_model_of_several_classes_is_refused() {
    let project = Project::new();
    project.model("rf_multiclass").edit("positive = \"yes\"", "").edit("[model]", "[model]\nthreshold = 0.4");
    refused(&project, &["audit.toml", "threshold = 0.4 has no meaning for a multiclass model", "leave it out"]);
}

#[test]
fn two_pipelines_of_one_name_are_refused_before_either_runs() {
    let project = Project::new();
    project.write("second.toml", AUDIT);
    refused_when(&project, &["second.toml and audit.toml", "`credit`", "rename one"], &["second.toml"]);
}

#[test]
fn a_mistake_in_the_second_pipeline_keeps_the_first_from_running() {
    let project = Project::new();
    project.write("second.toml", AUDIT.replace("credit", "loans").replace("seed", "sede"));
    refused_when(&project, &["second.toml", "`sede`"], &["second.toml"]);
}

#[test]
fn a_day_that_is_none_is_refused() {
    for day in ["tomorrow", "2026-02-30", "21.11.2026", ""] {
        let project = Project::new();
        let before = project.files();
        let ran = project.probity(&["run", "audit.toml", "--as-of", day]);
        ran.expect(2).says(&["--as-of", "2026-11-21"]);
        assert_eq!(project.files(), before);
    }
}

#[test]
fn a_key_set_on_the_command_line_is_checked_as_if_typed() {
    let project = Project::new();
    refused_when(&project, &["--set", "modle.threshold", "did you mean `model`?"], &["--set", "modle.threshold=0.5"]);
    refused_when(&project, &["--set", "threshold", "key.path=value"], &["--set", "threshold"]);
    refused_when(&project, &["--set", "between 0 and 1"], &["--set", "model.threshold=2"]);
}

#[test]
fn an_unknown_option_is_refused() {
    let project = Project::new();
    refused_when(&project, &["--treads", "--threads"], &["--treads", "2"]);
}

#[test]
fn what_is_not_available_yet_is_refused_and_never_ignored() {
    let project = Project::new();
    project.edit("results = \"var/results\"", "results = \"s3://bucket/results\"");
    refused(&project, &["audit.toml", "store.results", "s3://bucket/results", "not available yet"]);
}
