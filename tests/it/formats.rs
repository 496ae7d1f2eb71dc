//! The same rows from any format, in any number of files, of any column types, get the same scores.

use crate::project::{AUDIT, N_PEOPLE, Project, people, people_with};
use polars::prelude::*;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Cursor;
use std::path::Path;

fn frame() -> DataFrame {
    CsvReader::new(Cursor::new(people(N_PEOPLE).into_bytes())).finish().unwrap()
}

fn parquet(frame: &DataFrame, path: &Path) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    ParquetWriter::new(File::create(path).unwrap()).finish(&mut frame.clone()).unwrap();
}

/// Scores by row id, as they are written.
fn scores(project: &Project) -> BTreeMap<String, Value> {
    let rows = project.query("SELECT row_id, score, margin FROM predictions");
    let by_id: BTreeMap<_, _> =
        rows.iter().map(|row| (row["row_id"].to_string(), serde_json::json!([row["score"], row["margin"]]))).collect();
    assert_eq!(by_id.len(), rows.len(), "a row id stands twice");
    by_id
}

/// Metrics but for the agreement of methods: what is shuffled depends on where rows stand, and folders move them.
fn measured(project: &Project) -> Vec<Value> {
    project.query(
        "SELECT metric, attribute, group_value, value, n FROM metrics WHERE attribute <> '(methods)'
         ORDER BY metric, attribute, group_value",
    )
}

fn reference() -> Project {
    let project = Project::new();
    project.ran(0);
    project
}

/// Audits `path` and finds what the CSV file gives.
fn assert_same(project: &Project, path: &str) {
    project.edit("people.csv", path).ran(0);
    let known = reference();
    assert_eq!(scores(project), scores(&known));
    let (found, expected) = (measured(project), measured(&known));
    assert_eq!(found.len(), expected.len());
    found.iter().zip(&expected).for_each(|(found, expected)| assert_eq!(found, expected));
}

#[test]
fn parquet_gives_the_scores_of_csv() {
    let project = Project::new();
    parquet(&frame(), &project.path("people.parquet"));
    assert_same(&project, "people.parquet");
}

#[test]
fn ndjson_gives_the_scores_of_csv() {
    let project = Project::new();
    let file = File::create(project.path("people.ndjson")).unwrap();
    JsonWriter::new(file).with_json_format(JsonFormat::JsonLines).finish(&mut frame()).unwrap();
    assert_same(&project, "people.ndjson");
}

#[test]
fn arrow_ipc_gives_the_scores_of_csv() {
    let project = Project::new();
    IpcWriter::new(File::create(project.path("people.arrow")).unwrap()).finish(&mut frame()).unwrap();
    assert_same(&project, "people.arrow");
}

#[test]
fn several_files_of_a_pattern_are_read_in_the_order_of_their_names() {
    for extension in ["parquet", "csv"] {
        let project = Project::new();
        let frame = frame();
        for (at, (offset, length)) in [(0, 25), (25, 30), (55, 5)].into_iter().enumerate() {
            let (mut part, path) =
                (frame.slice(offset, length), project.path(&format!("nights/part-{at}.{extension}")));
            match extension {
                "csv" => {
                    fs::create_dir_all(path.parent().unwrap()).unwrap();
                    CsvWriter::new(File::create(path).unwrap()).finish(&mut part).unwrap();
                }
                _ => parquet(&part, &path),
            }
        }
        assert_same(&project, &format!("nights/part-*.{extension}"));
        let ids: Vec<_> =
            project.query("SELECT row_id FROM predictions").iter().map(|row| row["row_id"].as_i64().unwrap()).collect();
        assert_eq!(ids, (0..N_PEOPLE as i64).collect::<Vec<_>>());
    }
}

#[test]
fn folders_named_after_values_are_a_column() {
    let project = Project::new();
    for sex in ["Female", "Male"] {
        let part = frame().lazy().filter(col("sex").eq(lit(sex))).drop(cols(["sex"])).collect().unwrap();
        parquet(&part, &project.path(&format!("people/sex={sex}/part.parquet")));
    }
    assert_same(&project, "people");
}

#[test]
fn a_filter_leaves_rows_out_of_everything() {
    let project = Project::new();
    project
        .edit("[model]", "filter = \"sex = 'Male' AND NOT income BETWEEN -1 AND 1 OR id IN (0, 3)\"\n[model]")
        .edit("bootstrap = 100", "min_group_rows = 1")
        .ran(0);
    let (all, kept) = (scores(&reference()), scores(&project));
    let wanted: BTreeMap<_, _> = all.into_iter().filter(|(id, _)| passes(id.parse().unwrap())).collect();
    assert!(kept.len() > 20 && kept.len() < 40, "{}", kept.len());
    assert_eq!(kept, wanted);
    assert_eq!(project.value("SELECT n FROM group_counts WHERE attribute = 'sex' AND group_value = 'Female'"), 2);
    assert_eq!(project.value("SELECT n_rows FROM runs").as_u64(), Some(kept.len() as u64));
}

fn passes(row: usize) -> bool {
    let person = crate::project::person(row);
    let cells: Vec<&str> = person.split(',').collect();
    let income: f64 = cells[1].parse().unwrap();
    cells[6] == "Male" && !(-1.0..=1.0).contains(&income) || row == 0 || row == 3
}

#[test]
fn weights_change_rates_and_not_scores() {
    let project = Project::new();
    project.edit("[model]", "weight = \"weight\"\n[model]").ran(0);
    assert_eq!(scores(&project), scores(&reference()));
    let weight = |row: usize| 1.0 + (row % 4) as f64 / 2.0;
    let total: f64 = (0..N_PEOPLE).map(weight).sum();
    assert_eq!(project.value("SELECT weight FROM group_counts WHERE attribute = ''").as_f64(), Some(total));
    let repaid: f64 = (0..N_PEOPLE).filter(|row| (row * 5 + row / 7) % 2 == 1).map(weight).sum();
    let rate =
        project.value("SELECT value FROM metrics WHERE metric = 'base_rate' AND attribute = ''").as_f64().unwrap();
    assert!((rate - repaid / total).abs() < 1e-12, "{rate}");
    let stored = project.query("SELECT row_id, weight FROM predictions WHERE row_id < 4 ORDER BY row_id");
    assert_eq!(stored.iter().map(|row| row["weight"].as_f64().unwrap()).collect::<Vec<_>>(), [1.0, 1.5, 2.0, 2.5]);
}

#[test]
fn a_weight_counts_like_repeated_rows() {
    let repeats = |row: usize| 1 + row % 3;
    let weighted = Project::new();
    weighted.write("people.csv", people_with("weight", |row, _| repeats(row).to_string()));
    weighted.edit("[model]", "weight = \"weight\"\n[model]").ran(0);
    let repeated = Project::new();
    let text = people(N_PEOPLE);
    let mut lines = text.lines();
    let header = lines.next().unwrap().to_owned() + "\n";
    let rows: String = lines.enumerate().map(|(row, line)| (line.to_owned() + "\n").repeat(repeats(row))).collect();
    repeated.write("people.csv", header + &rows).ran(0);
    let sql = "SELECT metric, attribute, group_value, value FROM metrics WHERE metric IN
        ('selection_rate', 'base_rate', 'accuracy', 'recall', 'roc_auc', 'mean_score', 'demographic_parity_ratio')
        ORDER BY metric, attribute, group_value";
    let (weighted, repeated) = (weighted.query(sql), repeated.query(sql));
    assert_eq!(weighted.len(), repeated.len());
    for (one, other) in weighted.iter().zip(&repeated) {
        let (a, b) = (one["value"].as_f64().unwrap(), other["value"].as_f64().unwrap());
        assert!((a - b).abs() < 1e-12, "{one} {other}");
    }
}

#[test]
fn ids_are_whole_numbers_or_text_as_in_the_data_or_row_numbers() {
    let named = Project::new();
    named.write("people.csv", people_with("id", |row, _| format!("person-{row:03}"))).ran(0);
    assert_eq!(named.query("SELECT row_id FROM predictions LIMIT 1")[0]["row_id"], "person-000");
    let numbered = Project::new();
    numbered.write("people.csv", people_with("id", |row, _| (row * 10 + 7).to_string())).ran(0);
    assert_eq!(numbered.query("SELECT row_id FROM explanations LIMIT 1")[0]["row_id"], 7);
    let anonymous = Project::new();
    anonymous.edit("id = \"id\"\n", "").ran(0);
    assert_eq!(scores(&anonymous), scores(&reference()));
}

#[test]
fn booleans_are_zero_and_one() {
    let project = Project::new();
    project.write("people.csv", people_with("owner", |_, owner| (owner == "1").to_string())).ran(0);
    assert_eq!(scores(&project), scores(&reference()));
}

#[test]
fn dates_are_days_where_the_model_takes_numbers() {
    let date = |row: usize| format!("1970-{:02}-{:02}", 1 + row % 3, 1 + row % 28);
    let days = |row: usize| [0, 31, 59][row % 3] + row % 28;
    let dated = Project::new();
    dated.write("people.csv", people_with("debt", |row, _| date(row))).ran(0);
    let counted = Project::new();
    counted.write("people.csv", people_with("debt", |row, _| days(row).to_string())).ran(0);
    assert_eq!(scores(&dated), scores(&counted));
}

#[test]
fn categories_of_a_dictionary_are_read_as_their_texts() {
    use arrow::array::{ArrayRef, DictionaryArray, Float64Array, Int64Array, RecordBatch, StringArray};
    use arrow::datatypes::Int32Type;
    use std::sync::Arc;
    let project = Project::new();
    let frame = frame();
    let numbers = |name: &str| {
        let column = frame.column(name).unwrap().cast(&DataType::Float64).unwrap();
        Arc::new(Float64Array::from_iter(column.f64().unwrap().iter())) as ArrayRef
    };
    let texts =
        |name: &str| frame.column(name).unwrap().str().unwrap().iter().flatten().map(str::to_owned).collect::<Vec<_>>();
    let sex: DictionaryArray<Int32Type> = texts("sex").iter().map(String::as_str).collect();
    let batch = RecordBatch::try_from_iter([
        ("id", Arc::new(Int64Array::from_iter_values(0..N_PEOPLE as i64)) as ArrayRef),
        ("income", numbers("income")),
        ("children", numbers("children")),
        ("debt", numbers("debt")),
        ("owner", numbers("owner")),
        ("age", numbers("age")),
        ("sex", Arc::new(sex)),
        ("repaid", Arc::new(StringArray::from(texts("repaid")))),
    ])
    .unwrap();
    let file = File::create(project.path("people.parquet")).unwrap();
    let mut writer = parquet::arrow::ArrowWriter::try_new(file, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    assert_same(&project, "people.parquet");
}

#[test]
fn missing_values_reach_models_that_take_them() {
    let project = Project::new();
    project
        .write(
            "people.csv",
            people_with("debt", |row, debt| if row % 4 == 0 { String::new() } else { debt.to_owned() }),
        )
        .ran(0);
    let (all, found) = (scores(&reference()), scores(&project));
    let changed = all.keys().filter(|id| all[*id] != found[*id]).map(|id| id.parse::<usize>().unwrap() % 4);
    let changed: Vec<_> = changed.collect();
    assert!(!changed.is_empty() && changed.iter().all(|rest| *rest == 0), "{changed:?}");
    let sql = "SELECT feature_value FROM explanations WHERE feature = 'debt' AND row_id IN (0, 1) ORDER BY row_id";
    let values = project.query(sql);
    assert_eq!((&values[0]["feature_value"], &values[1]["feature_value"]), (&Value::Null, &"1.625".into()));
}

/// Owner as text, which the model knows as 0 and 1.
fn encoded(categories: &str) -> Project {
    let project = Project::new();
    let owner = |row: usize, owner: &str| match (row, owner) {
        (17, _) => "rents a boat".to_owned(),
        (_, "1") => "owner".to_owned(),
        _ => "tenant".to_owned(),
    };
    project.write("people.csv", people_with("owner", owner));
    project.edit("[model]", &format!("[data.encode]\nowner = [{categories}]\n[model]"));
    project
}

#[test]
fn categories_are_encoded_by_their_place_and_shown_by_their_name() {
    let project = encoded("\"tenant\", \"owner\", \"rents a boat\"");
    let ran = project.run(&[]);
    assert!(!ran.expect(0).stdout.contains("not listed"), "{}", ran.stdout);
    let (all, found) = (scores(&reference()), scores(&project));
    let same = all.keys().filter(|id| *id != "17").all(|id| all[id] == found[id]);
    assert!(same);
    let shown =
        project.query("SELECT DISTINCT feature_value FROM explanations WHERE feature = 'owner' ORDER BY feature_value");
    let shown: Vec<_> = shown.iter().map(|row| row["feature_value"].as_str().unwrap()).collect();
    assert_eq!(shown, ["owner", "rents a boat", "tenant"]);
}

#[test]
fn a_category_that_is_not_listed_becomes_missing_and_the_run_says_so() {
    let project = encoded("\"tenant\", \"owner\"");
    let ran = project.run(&[]);
    assert!(ran.expect(0).stdout.contains("1 values of `owner` are not listed in [data.encode]"), "{}", ran.stdout);
    let missing = Project::new();
    missing
        .write(
            "people.csv",
            people_with("owner", |row, owner| if row == 17 { String::new() } else { owner.to_owned() }),
        )
        .ran(0);
    assert_eq!(scores(&project), scores(&missing));
}

#[test]
fn labels_are_recognised_however_the_truth_is_written() {
    let values =
        |project: &Project| project.value("SELECT value FROM metrics WHERE metric = 'accuracy' AND attribute = ''");
    let known = values(&reference());
    for (yes, no) in [("1", "0"), ("true", "false"), ("1.0", "0.0")] {
        let project = Project::new();
        project
            .write("people.csv", people_with("repaid", |_, repaid| if repaid == "yes" { yes } else { no }.to_owned()));
        project.edit("positive = \"yes\"\n", "").ran(0);
        assert_eq!(values(&project), known, "{yes}/{no}");
    }
}

#[test]
fn a_row_without_a_label_counts_for_scores_alone() {
    let project = Project::new();
    project.write(
        "people.csv",
        people_with("repaid", |row, repaid| if row < 10 { String::new() } else { repaid.to_owned() }),
    );
    let ran = project.run(&["--format", "json"]).expect(0).json();
    assert_eq!(ran["gates"][0]["n"], 50, "rows of evidence for accuracy");
    let stored = fs::read_to_string(project.stored(&["audit.html"])).unwrap();
    assert!(stored.contains("10 rows have no label"));
    assert_eq!(scores(&project), scores(&reference()));
    let sql = "SELECT n, tp + fp + tn + fn AS decided FROM group_counts WHERE attribute = ''";
    assert_eq!(project.query(sql), [serde_json::json!({"n": 60, "decided": 50.0})]);
    let rate = |row: usize| f64::from(u8::from((row * 5 + row / 7) % 2 == 1));
    let known = (10..N_PEOPLE).map(rate).sum::<f64>() / 50.0;
    let found =
        project.value("SELECT value FROM metrics WHERE metric = 'base_rate' AND attribute = ''").as_f64().unwrap();
    assert!((found - known).abs() < 1e-12, "{found}");
}

#[test]
fn a_pipeline_without_labels_measures_what_needs_none() {
    let project = Project::empty();
    let toml = AUDIT.replace("label = \"repaid\"\npositive = \"yes\"", "").replace("accuracy", "selection_rate");
    project.model("xgb_binary").write("people.csv", people(N_PEOPLE)).write("audit.toml", toml).ran(0);
    let metrics = project.query("SELECT DISTINCT metric FROM metrics WHERE value IS NOT NULL");
    let names: Vec<_> = metrics.iter().map(|row| row["metric"].as_str().unwrap()).collect();
    assert!(names.contains(&"selection_rate") && names.contains(&"demographic_parity_ratio"), "{names:?}");
    assert!(!names.contains(&"accuracy") && !names.contains(&"true_positive_rate"), "{names:?}");
}

#[test]
fn variables_of_the_environment_stand_for_paths() {
    let project = Project::new();
    project.edit("people.csv", "${PEOPLE:-nobody.csv}");
    let with = |value: &str| {
        let mut command = project.command(&["run", "audit.toml"]);
        crate::project::Ran::of(command.env("PEOPLE", value).output().unwrap())
    };
    with("people.csv").expect(0);
    project.run(&[]).expect(2).says(&["nobody.csv"]);
}
