//! Data without rows, filters that are none.

use super::refused;
use crate::project::{Project, people};

#[test]
fn a_file_of_nothing_but_a_header_has_no_rows() {
    let project = Project::new();
    project.write("people.csv", people(0));
    refused(&project, &["audit.toml", "people.csv", "no rows"]);
}

#[test]
fn a_file_of_no_bytes_has_no_data() {
    let project = Project::new();
    project.write("people.csv", "");
    refused(&project, &["audit.toml", "people.csv", "no data"]);
}

#[test]
fn a_filter_that_nobody_passes_leaves_no_rows() {
    let project = Project::new();
    project.edit("[model]", "filter = \"income > 1000\"\n[model]");
    refused(&project, &["people.csv", "no rows", "[data] filter"]);
}

#[test]
fn a_filter_that_is_not_sql_is_shown() {
    let project = Project::new();
    project.edit("[model]", "filter = \"income >\"\n[model]");
    refused(&project, &["[data] filter", "income >"]);
}

#[test]
fn a_filter_over_an_unknown_column_is_shown() {
    let project = Project::new();
    project.edit("[model]", "filter = \"incme > 0\"\n[model]");
    refused(&project, &["incme", "[data] filter", "did you mean `income`?"]);
}
