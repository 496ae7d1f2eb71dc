//! What cannot be audited: one clear message, exit code 2, nothing written.

use crate::project::{N_PEOPLE, Project, Ran, golden, people, people_with, skipped};
use std::fs;

/// Runs what must be refused before anything is opened for writing: the code, the words, no trace.
fn refused(project: &Project, parts: &[&str]) {
    refused_when(project, parts, &[]);
}

fn refused_when(project: &Project, parts: &[&str], more: &[&str]) {
    let before = project.files();
    let ran = project.run(more);
    ran.expect(2).says(parts);
    assert_eq!(ran.stdout, "", "data on stdout though there is none");
    assert_clear(&ran);
    assert_eq!(project.files(), before, "something was left behind");
}

/// Runs what only shows while rows are read or stored: the code, the words, no result, no run in the catalogue.
fn refused_late(project: &Project, parts: &[&str]) {
    let before = project.files();
    let ran = project.run(&[]);
    ran.expect(2).says(parts);
    assert_eq!(ran.stdout, "", "data on stdout though there is none");
    assert_clear(&ran);
    assert_eq!(project.results(), Vec::<String>::new());
    let new = project.files().into_iter().filter(|file| !before.contains(file));
    let others: Vec<_> = new.filter(|file| !file.starts_with("var/catalogue.db")).collect();
    assert_eq!(others, Vec::<String>::new());
    if project.path("var/catalogue.db").exists() {
        assert_eq!(project.query("SELECT run_id FROM runs"), Vec::<serde_json::Value>::new());
    }
}

/// No panic, no source location, no dump of somebody's internals.
fn assert_clear(ran: &Ran) {
    for noise in ["panicked", "RUST_BACKTRACE", "src/", "Some(", "Err(", "unwrap"] {
        assert!(!ran.stderr.contains(noise), "{noise} in: {}", ran.stderr);
    }
}

// The files

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
    let whole = fs::read(crate::project::repository().join("data/german-credit.parquet")).unwrap();
    for kept in [4, 11, 1_000, whole.len() / 2, whole.len() - 1] {
        let project = Project::new();
        project.edit("people.csv", "people.parquet").write("people.parquet", &whole[..kept]);
        refused(&project, &["people.parquet", "truncated", "copy it again"]);
    }
}

#[test]
fn a_parquet_file_with_a_damaged_footer_is_refused() {
    let mut bytes = fs::read(crate::project::repository().join("data/german-credit.parquet")).unwrap();
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

// The rows

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

// The columns

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

// The model

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
    let text = crate::project::AUDIT;
    let (start, end) = (text.find("[model]").unwrap(), text.find("[fairness]").unwrap());
    format!("{}{}", &text[..start].replace("[data]", "[data]\nscore = \"score\""), &text[end..])
}

// The pipeline file and the command line

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
fn two_pipelines_of_one_name_are_refused_before_either_runs() {
    let project = Project::new();
    project.write("second.toml", crate::project::AUDIT);
    refused_when(&project, &["second.toml and audit.toml", "`credit`", "rename one"], &["second.toml"]);
}

#[test]
fn a_mistake_in_the_second_pipeline_keeps_the_first_from_running() {
    let project = Project::new();
    project.write("second.toml", crate::project::AUDIT.replace("credit", "loans").replace("seed", "sede"));
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
    project.append("[layers]\ntensors = \"all\"");
    refused(&project, &["audit.toml", "layers", "not available yet"]);
}

// Where results go

#[test]
fn a_results_folder_that_cannot_be_made_is_named_with_its_key() {
    let project = Project::new();
    project.edit("var/results", "people.csv/results");
    refused_late(&project, &["people.csv/results", "[store]"]);
}

#[test]
fn a_catalogue_that_is_no_database_is_left_alone() {
    let project = Project::new();
    project.write("var/catalogue.db", "not a database, but somebody's notes. ".repeat(200));
    let before = fs::read(project.path("var/catalogue.db")).unwrap();
    let ran = project.run(&[]);
    ran.expect(2).says(&["catalogue.db", "not a probity catalogue"]);
    assert_eq!(fs::read(project.path("var/catalogue.db")).unwrap(), before);
    assert!(project.results().is_empty());
}

#[test]
fn a_catalogue_of_a_newer_version_is_left_alone() {
    let project = Project::new();
    project.ran(0);
    let path = project.path("var/catalogue.db");
    // SQLite's user version stands at byte 60 (https://sqlite.org/fileformat.html#the_database_header).
    let mut bytes = fs::read(&path).unwrap();
    bytes[60..64].copy_from_slice(&99_u32.to_be_bytes());
    fs::write(&path, &bytes).unwrap();
    let before = project.files();
    let ran = project.run(&["--force"]);
    ran.expect(2).says(&["catalogue.db", "schema version 99", "newer"]);
    assert_eq!(fs::read(&path).unwrap(), bytes);
    assert_eq!(project.files(), before);
    for verb in [vec!["runs"], vec!["show", "credit@latest"], vec!["query", "SELECT 1"]] {
        let arguments = [verb.as_slice(), &["--catalogue", "var/catalogue.db"]].concat();
        project.probity(&arguments).expect(2).says(&["schema version 99"]);
    }
}

#[test]
fn a_catalogue_that_is_not_there_is_named_to_those_who_only_read() {
    let project = Project::empty();
    let ran = project.probity(&["runs", "--catalogue", "nowhere.db"]);
    ran.expect(2).says(&["no catalogue at nowhere.db", "probity run"]);
    assert!(project.files().is_empty());
}

#[cfg(unix)]
mod permissions {
    use super::*;
    use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
    use std::os::unix::process::CommandExt;
    use std::path::Path;

    const NOBODY: u32 = 65_534;

    fn chmod(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    fn owned_by_nobody(folder: &Path) {
        chown(folder, Some(NOBODY), Some(NOBODY)).unwrap();
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { owned_by_nobody(&path) } else { chown(&path, Some(NOBODY), Some(NOBODY)).unwrap() }
        }
    }

    /// Permissions do not bind the superuser, so for them the binary runs as nobody. `None` where it cannot.
    fn run_as_bound_by_permissions(project: &Project, test: &str, more: &[&str]) -> Option<Ran> {
        let mut command = project.command(&[&["run", "audit.toml", "--as-of", crate::project::DAY], more].concat());
        let superuser = fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0);
        if superuser {
            command.uid(NOBODY).gid(NOBODY);
        }
        match command.output() {
            Ok(output) => Some(Ran::of(output)),
            Err(error) => {
                skipped(test, &format!("the binary cannot be run as another user: {error}"));
                None
            }
        }
    }

    fn bound_project() -> Project {
        let project = Project::new();
        if fs::metadata(project.folder()).unwrap().uid() == 0 {
            owned_by_nobody(project.folder());
        }
        project
    }

    #[test]
    fn a_results_folder_that_cannot_be_written_is_named_with_its_key() {
        let project = bound_project();
        fs::create_dir_all(project.path("var/results")).unwrap();
        if fs::metadata(project.folder()).unwrap().uid() == NOBODY {
            owned_by_nobody(project.folder());
        }
        chmod(&project.path("var/results"), 0o555);
        let ran = run_as_bound_by_permissions(&project, "an unwritable results folder", &[]);
        chmod(&project.path("var/results"), 0o755);
        let Some(ran) = ran else { return };
        ran.expect(2).says(&["var/results", "make the folder writable", "[store]"]);
        assert!(project.results().is_empty());
        assert!(!project.path("var/catalogue.db").exists() || project.query("SELECT * FROM runs").is_empty());
    }

    #[test]
    fn a_read_only_catalogue_is_refused_and_left_as_it_was() {
        let project = bound_project();
        let Some(first) = run_as_bound_by_permissions(&project, "a read-only catalogue", &[]) else { return };
        first.expect(0);
        let path = project.path("var/catalogue.db");
        let (before, results) = (fs::read(&path).unwrap(), project.results());
        chmod(&path, 0o444);
        let again = run_as_bound_by_permissions(&project, "a read-only catalogue", &["--force"]).unwrap();
        again.expect(2).says(&["catalogue.db", "read-only"]);
        assert!(fs::read(&path).unwrap() == before, "the catalogue was altered");
        assert_eq!(project.results(), results);
    }

    #[test]
    fn a_read_only_catalogue_folder_is_refused() {
        let project = bound_project();
        let Some(first) = run_as_bound_by_permissions(&project, "a read-only catalogue folder", &[]) else { return };
        first.expect(0);
        let results = project.results();
        chmod(&project.path("var/catalogue.db"), 0o444);
        chmod(&project.path("var"), 0o555);
        let again = run_as_bound_by_permissions(&project, "a read-only catalogue folder", &["--force"]);
        chmod(&project.path("var"), 0o755);
        again.unwrap().expect(2).says(&["var/catalogue.db"]);
        assert_eq!(project.results(), results);
    }
}

/// A small file system that is full before the run is stored.
#[cfg(target_os = "linux")]
mod full_disk {
    use super::*;
    use std::path::PathBuf;
    use std::process::Command;

    struct Mounted(PathBuf);

    impl Mounted {
        fn tmpfs(at: PathBuf, bytes: usize) -> Result<Self, String> {
            fs::create_dir_all(&at).unwrap();
            let size = format!("size={bytes}");
            let done = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(&at).output();
            match done {
                Ok(output) if output.status.success() => Ok(Self(at)),
                Ok(output) => Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
                Err(error) => Err(error.to_string()),
            }
        }
    }

    impl Drop for Mounted {
        fn drop(&mut self) {
            Command::new("umount").arg("-l").arg(&self.0).status().ok();
        }
    }

    #[test]
    fn a_full_results_disk_is_named_and_nothing_remains_on_it() {
        let project = Project::new();
        let mounted = match Mounted::tmpfs(project.path("var/results"), 16 * 1024) {
            Ok(mounted) => mounted,
            Err(why) => return skipped("a full disk", &format!("no small file system can be mounted here: {why}")),
        };
        project.run(&[]).expect(2).says(&["full", "free some space"]);
        assert_eq!(project.results(), Vec::<String>::new());
        let succeeded = project.query("SELECT * FROM runs WHERE status = 'succeeded'");
        assert!(succeeded.is_empty(), "{succeeded:?}");
        drop(mounted);
        project.ran(0);
    }
}
