//! Models that nobody feeds, or whose scores are no numbers.

use super::{refused, refused_late};
use crate::project::{AUDIT, Project, people_with};

#[test]
fn an_input_that_nobody_feeds_is_named_with_a_line_to_paste() {
    let project = Project::new();
    project.edit("[model.inputs]\ninput = [\"income\", \"children\", \"debt\", \"owner\", \"age\"]", "");
    refused(&project, &["audit.toml", "nobody feeds the model's input `input`", "[model.inputs]", "\"income\""]);
}

#[test]
fn too_few_columns_for_a_matrix_are_counted() {
    let project = Project::new();
    project.edit(", \"age\"]", "]");
    refused(&project, &["audit.toml", "takes 5 numbers a row, 4 are given"]);
}

#[test]
fn a_score_that_is_not_a_number_names_the_row() {
    let project = Project::new();
    project.model("mlp").edit(", \"age\"]", "]");
    project
        .write("people.csv", people_with("debt", |row, debt| if row == 41 { String::new() } else { debt.to_owned() }));
    refused_late(&project, &["audit.toml", "row 41", "NaN", "[data] filter"]);
}

#[test]
fn an_infinite_score_names_the_row() {
    let project = Project::new();
    project
        .model("linear_regression")
        .edit("positive = \"yes\"", "")
        .edit("label = \"repaid\"", "")
        .edit("metric = \"accuracy\"\nmin = 0.1", "metric = \"mean_score\"\nmin = -1000.0");
    project.write(
        "people.csv",
        people_with("debt", |row, debt| if row == 41 { "1e300".to_owned() } else { debt.to_owned() }),
    );
    project.edit("[model]", "[explain]\nmethod = \"none\"\n[model]");
    refused_late(&project, &["audit.toml", "row 41", "inf"]);
}

#[test]
fn a_missing_value_under_a_linear_model_names_the_column() {
    let project = Project::new();
    project.model("logistic_zipmap");
    project
        .write("people.csv", people_with("debt", |row, debt| if row == 41 { String::new() } else { debt.to_owned() }));
    refused_late(&project, &["audit.toml", "`debt`", "missing"]);
}

#[test]
fn a_recorded_score_that_is_missing_or_infinite_names_the_row() {
    for score in ["", "inf", "NaN"] {
        let project = Project::new();
        let rows = people_with("weight", |row, _| if row == 23 { score.to_owned() } else { "0.5".to_owned() });
        project.write("people.csv", rows.replace("weight", "score")).write("audit.toml", recorded());
        refused_late(&project, &["audit.toml", "column `score`", "row 23", "finite score"]);
    }
}

#[test]
fn a_recorded_score_that_is_no_probability_is_refused_for_decisions() {
    let project = Project::new();
    let rows = people_with("weight", |row, _| if row == 23 { "7.5".to_owned() } else { "0.5".to_owned() });
    project.write("people.csv", rows.replace("weight", "score")).write("audit.toml", recorded());
    refused_late(&project, &["audit.toml", "score of row 23 is 7.5", "from 0 to 1"]);
}

fn recorded() -> String {
    let text = AUDIT;
    let (start, end) = (text.find("[model]").unwrap(), text.find("[fairness]").unwrap());
    format!("{}{}", &text[..start].replace("[data]", "[data]\nscore = \"score\""), &text[end..])
}
