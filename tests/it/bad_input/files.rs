//! Files that are missing, empty, truncated or something else than their name says.

use super::refused;
use crate::project::{N_PEOPLE, Project, Ran, golden, people, repository};
use std::fs;

#[test]
fn a_missing_data_file_is_named_with_its_key() {
    let project = Project::new();
    project.edit("people.csv", "nobody.csv");
    refused(&project, &["audit.toml", "nobody.csv", "no file there", "[data] path"]);
}

#[test]
fn a_missing_model_is_named_with_its_key() {
    let project = Project::new();
    project.edit("model.onnx", "nothing.onnx");
    refused(&project, &["audit.toml", "nothing.onnx", "no such file", "[model] path"]);
}

#[test]
fn a_missing_pipeline_file_is_named() {
    let project = Project::empty();
    let ran = project.probity(&["run", "nothing.toml"]);
    ran.expect(2).says(&["nothing.toml", "no such file"]);
    assert!(project.files().is_empty());
}

#[test]
fn a_pattern_that_matches_nothing_is_named() {
    let project = Project::new();
    project.edit("people.csv", "nights/*.csv");
    refused(&project, &["nights/*.csv", "no file there", "[data] path"]);
}

#[test]
fn a_text_file_called_parquet_is_not_a_parquet_file() {
    let project = Project::new();
    project.edit("people.csv", "people.parquet").write("people.parquet", people(N_PEOPLE));
    refused(&project, &["people.parquet", "not a Parquet file"]);
}

#[test]
fn a_file_of_an_unknown_format_is_told_which_there_are() {
    let project = Project::new();
    project.edit("people.csv", "people.xlsx").write("people.xlsx", people(N_PEOPLE));
    refused(&project, &["people.xlsx", "cannot tell the format", ".parquet", ".csv"]);
}

#[test]
fn a_text_file_called_onnx_is_not_a_model() {
    let project = Project::new();
    project.write("model.onnx", people(N_PEOPLE));
    refused(&project, &["model.onnx", "not an ONNX file", "export the model to ONNX"]);
}

#[test]
fn an_empty_model_file_is_not_a_model() {
    let project = Project::new();
    project.write("model.onnx", "");
    refused(&project, &["model.onnx", "the file is empty"]);
}

#[test]
fn a_truncated_parquet_file_is_refused_wherever_it_ends() {
    let whole = fs::read(repository().join("data/german-credit.parquet")).unwrap();
    for kept in [4, 11, 1_000, whole.len() / 2, whole.len() - 1] {
        let project = Project::new();
        project.edit("people.csv", "people.parquet").write("people.parquet", &whole[..kept]);
        refused(&project, &["people.parquet", "truncated", "copy it again"]);
    }
}

#[test]
fn a_parquet_file_with_a_damaged_footer_is_refused() {
    let mut bytes = fs::read(repository().join("data/german-credit.parquet")).unwrap();
    let end = bytes.len();
    bytes[end - 600..end - 8].fill(0xff);
    let project = Project::new();
    project.edit("people.csv", "people.parquet").write("people.parquet", bytes);
    refused(&project, &["people.parquet"]);
}

#[test]
fn a_truncated_model_is_refused_wherever_it_ends() {
    let whole = fs::read(golden("xgb_binary.onnx")).unwrap();
    for kept in [10, 500, whole.len() / 2, whole.len() - 1] {
        let project = Project::new();
        project.write("model.onnx", &whole[..kept]);
        refused(&project, &["model.onnx", "truncated"]);
    }
}

#[test]
fn a_missing_onnx_runtime_is_one_clear_error() {
    let project = Project::new();
    let before = project.files();
    let ran = Ran::of(
        project.command(&["run", "audit.toml"]).env("ORT_DYLIB_PATH", "/nowhere/libonnxruntime.so").output().unwrap(),
    );
    ran.expect(2).says(&["ORT_DYLIB_PATH", "/nowhere/libonnxruntime.so", "no such file"]);
    assert_eq!(project.files(), before);
}

#[test]
fn a_library_that_is_not_onnx_runtime_is_one_clear_error() {
    let project = Project::new();
    project.write("libother.so", "not a library");
    let before = project.files();
    let ran = Ran::of(
        project.command(&["run", "audit.toml"]).env("ORT_DYLIB_PATH", project.path("libother.so")).output().unwrap(),
    );
    ran.expect(2).says(&["libother.so", "make onnxruntime", "ORT_DYLIB_PATH"]);
    assert_eq!(project.files(), before);
}
