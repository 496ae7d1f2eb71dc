//! Columns that are missing, of the wrong type, doubled, empty, or hold what cannot be.

use super::{refused, refused_late};
use crate::project::{N_PEOPLE, Project, people, people_with};

#[test]
fn a_missing_label_column_is_named_with_its_key_and_what_is_near() {
    let project = Project::new();
    project.edit("label = \"repaid\"", "label = \"repayed\"");
    refused(&project, &["audit.toml:9", "no column `repayed`", "did you mean `repaid`?", "people.csv has: id, income"]);
}

#[test]
fn a_missing_input_column_is_named_with_the_input_it_was_to_feed() {
    let project = Project::new();
    project.edit("\"debt\"", "\"depth\"");
    refused(&project, &["audit.toml", "no column `depth`", "input `input`", "people.csv has"]);
}

#[test]
fn a_missing_group_column_is_named_with_its_key() {
    let project = Project::new();
    project.edit("attributes = [\"sex\"]", "attributes = [\"gender\"]").edit("sex = \"Male\"", "gender = \"Male\"");
    refused(&project, &["audit.toml", "no column `gender`", "attributes"]);
}

#[test]
fn text_where_the_model_takes_numbers_is_refused_with_the_way_out() {
    let project = Project::new();
    project.edit("\"debt\"", "\"sex\"");
    refused(&project, &["column `sex` holds text", "input `input` takes float32", "[data.encode]"]);
}

#[test]
fn a_number_column_with_a_word_in_it_is_refused() {
    let project = Project::new();
    project.write(
        "people.csv",
        people_with("debt", |row, debt| if row == 40 { "much".to_owned() } else { debt.to_owned() }),
    );
    refused(&project, &["column `debt` holds text", "input `input` takes float32"]);
}

#[test]
fn a_word_beyond_the_rows_that_tell_the_types_is_refused() {
    let project = Project::new();
    let many = people(10_500).replacen("\n10400,", "\n10400,much", 1);
    project.write("people.csv", many);
    refused(&project, &["people.csv", "income"]);
}

#[test]
fn a_duplicated_column_is_refused_though_the_reader_could_rename_it() {
    let project = Project::new();
    let twice: String =
        people(N_PEOPLE).lines().map(|line| format!("{line},{}\n", line.split(',').nth(1).unwrap())).collect();
    project.write("people.csv", twice);
    refused(&project, &["people.csv", "`income`", "twice"]);
}

#[test]
fn a_column_that_feeds_an_input_twice_is_refused() {
    let project = Project::new();
    project.edit("\"debt\"", "\"income\"");
    refused(&project, &["audit.toml", "input `input` takes column `income` twice"]);
}

#[test]
fn an_input_column_without_a_single_value_is_refused() {
    let project = Project::new();
    project.write("people.csv", people_with("debt", |_, _| String::new()));
    refused(&project, &["`debt`", "no value in any of 60 rows"]);
}

#[test]
fn an_input_column_without_a_value_among_the_filtered_rows_is_refused() {
    let project = Project::new();
    project
        .write("people.csv", people_with("debt", |row, debt| if row < 30 { String::new() } else { debt.to_owned() }));
    project.edit("[model]", "filter = \"id < 30\"\n[model]");
    refused(&project, &["`debt`", "no value in any of 30 rows"]);
}

#[test]
fn a_label_column_without_a_single_value_is_refused() {
    let project = Project::new();
    project.write("people.csv", people_with("repaid", |_, _| String::new()));
    refused(&project, &["`repaid`", "no value in any of 60 rows"]);
}

#[test]
fn a_group_column_without_a_single_value_is_refused() {
    let project = Project::new();
    project.write("people.csv", people_with("sex", |_, _| String::new()));
    refused(&project, &["people.csv", "`sex`", "no value in any of 60 rows"]);
}

#[test]
fn a_label_with_a_third_value_is_refused() {
    let project = Project::new();
    project.write(
        "people.csv",
        people_with("repaid", |row, repaid| if row == 50 { "maybe".to_owned() } else { repaid.to_owned() }),
    );
    refused_late(&project, &["audit.toml", "column `repaid`", "`maybe` and `no`", "[data] positive"]);
}

#[test]
fn a_label_of_which_no_row_is_positive_is_refused() {
    let project = Project::new();
    project.edit("positive = \"yes\"", "positive = \"Yes\"");
    refused_late(&project, &["`repaid`", "`Yes`", "[data] positive"]);
}

#[test]
fn a_class_that_the_model_does_not_know_is_refused() {
    let project = Project::new();
    project.model("rf_multiclass").edit("positive = \"yes\"", "").edit("reference = { sex = \"Male\" }", "");
    project.write(
        "people.csv",
        people_with("repaid", |row, _| if row == 7 { "5".to_owned() } else { (row % 3).to_string() }),
    );
    refused_late(&project, &["column `repaid`", "unexpected label value `5`", "classes are 0, 1, 2"]);
}

#[test]
fn a_negative_weight_is_refused() {
    let project = Project::new();
    project.edit("[model]", "weight = \"weight\"\n[model]");
    project.write(
        "people.csv",
        people_with("weight", |row, weight| if row == 9 { "-0.5".to_owned() } else { weight.to_owned() }),
    );
    refused_late(&project, &["audit.toml", "column `weight`", "-0.5", "0 or more"]);
}

#[test]
fn a_missing_weight_is_refused() {
    let project = Project::new();
    project.edit("[model]", "weight = \"weight\"\n[model]");
    project.write(
        "people.csv",
        people_with("weight", |row, weight| if row == 9 { String::new() } else { weight.to_owned() }),
    );
    refused_late(&project, &["audit.toml", "column `weight`", "0 or more"]);
}

#[test]
fn a_weight_that_is_not_a_number_is_refused() {
    let project = Project::new();
    project.edit("[model]", "weight = \"weight\"\n[model]");
    project.write(
        "people.csv",
        people_with("weight", |row, weight| if row == 9 { "NaN".to_owned() } else { weight.to_owned() }),
    );
    refused_late(&project, &["audit.toml", "column `weight`", "0 or more"]);
}

#[test]
fn ten_thousand_groups_are_refused_with_the_way_out() {
    let project = Project::new();
    project.write("people.csv", people(10_000));
    project.edit("attributes = [\"sex\"]", "attributes = [\"sex\", \"id\"]");
    refused_late(&project, &["audit.toml", "column `id`", "more than 1000 different values", "identifier", "bins"]);
}

#[test]
fn a_group_without_positive_labels_leaves_a_gate_undecided_and_says_why() {
    let project = Project::new();
    let women = |row: usize| row.is_multiple_of(3);
    project.write(
        "people.csv",
        people_with("repaid", |row, repaid| if women(row) { "no".to_owned() } else { repaid.to_owned() }),
    );
    project.edit("metric = \"accuracy\"", "metric = \"recall_ratio\"\nattribute = \"sex\"").ran(4);
    let gate = &project.query("SELECT decision, reason FROM gates")[0];
    assert_eq!(gate["decision"], "insufficient");
    assert!(gate["reason"].as_str().unwrap().contains("fewer than two groups where the metric is defined"), "{gate}");
    let reason =
        project.value("SELECT undefined_reason FROM metrics WHERE metric = 'recall' AND group_value = 'Female'");
    assert_eq!(reason, "no positive labels in the group");
}

#[test]
fn a_missing_row_id_is_refused() {
    let project = Project::new();
    project.write("people.csv", people_with("id", |row, id| if row == 9 { String::new() } else { id.to_owned() }));
    refused_late(&project, &["column `id`", "missing row ids"]);
}

#[test]
fn a_group_column_with_one_value_is_refused() {
    let project = Project::new();
    project.write("people.csv", people_with("sex", |_, _| "Male".to_owned()));
    refused_late(&project, &["audit.toml", "sex has one group only (Male)", "nothing to compare"]);
}

#[test]
fn a_reference_group_that_is_not_in_the_data_is_refused() {
    let project = Project::new();
    project.edit("sex = \"Male\"", "sex = \"Men\"");
    refused_late(&project, &["audit.toml", "\"Men\"", "not in the data", "Female, Male"]);
}

#[test]
fn a_missing_value_where_the_model_takes_whole_numbers_is_refused() {
    let project = Project::new();
    project.model("tree_int64");
    project
        .write("people.csv", people_with("debt", |row, debt| if row == 9 { String::new() } else { debt.to_owned() }));
    refused_late(&project, &["column `debt`", "cannot take a missing value"]);
}
