//! Threads and batches decide how fast an audit is, never what it finds: not in one digit, not in one byte.

use crate::project::{AUDIT, DAY, Project, people};
use serde_json::Value;
use std::fs;

const RUN_ID: &str = "01a20171-0e20-70a5-8c47-3f16bedc5f27";
/// Several batches of the smaller size, the last one short.
const N_ROWS: usize = 4_500;

/// Tables whose rows do not speak of the moment of the run.
const TABLES: [&str; 10] = [
    "metrics",
    "group_counts",
    "importance",
    "group_attributions",
    "gates",
    "drift",
    "curves",
    "models",
    "datasets",
    "layers",
];

fn audited(toml: &str, model: &str, arguments: &[&str]) -> Project {
    let project = Project::empty();
    project.model(model).write("people.csv", people(N_ROWS)).write("audit.toml", toml);
    let all = [&["run", "audit.toml", "--as-of", DAY], arguments].concat();
    let output = project.command(&all).env("PROBITY_RUN_ID", RUN_ID).output().unwrap();
    crate::project::Ran::of(output).expect(0);
    project
}

/// The run's record without what is about the moment and the machine.
fn record(project: &Project) -> Value {
    let mut audit: Value = serde_json::from_slice(&fs::read(project.stored(&["run.json"])).unwrap()).unwrap();
    audit["timings"] = Value::Null;
    audit["run"]["started_at"] = Value::Null;
    audit["run"]["finished_at"] = Value::Null;
    audit
}

fn assert_same(toml: &str, model: &str) {
    let variants: [&[&str]; 4] = [
        &["--threads", "1", "--batch-rows", "1000"],
        &["--threads", "2", "--batch-rows", "1000"],
        &["--threads", "1", "--batch-rows", "50000"],
        &["--threads", "2", "--batch-rows", "50000"],
    ];
    let first = audited(toml, model, variants[0]);
    assert_eq!(
        first.value("SELECT count(*) AS n FROM predictions WHERE row_id >= 0").as_u64().unwrap() % N_ROWS as u64,
        0
    );
    for arguments in &variants[1..] {
        let other = audited(toml, model, arguments);
        for table in ["/predictions/", "/explanations/"] {
            let bytes = |project: &Project| fs::read(project.stored(&[table])).unwrap();
            assert!(bytes(&first) == bytes(&other), "{table} differs with {arguments:?}");
        }
        for table in known_tables(&first) {
            let rows = |project: &Project| project.query(&format!("SELECT * FROM {table}"));
            assert_eq!(rows(&first), rows(&other), "{table} differs with {arguments:?}");
        }
        assert!(record(&first) == record(&other), "run.json differs with {arguments:?}");
    }
}

/// Of [`TABLES`], those that this version has.
fn known_tables(project: &Project) -> Vec<&'static str> {
    let shown = project.query("SHOW TABLES");
    let known: Vec<&str> = shown.iter().filter_map(|row| row["table_name"].as_str()).collect();
    let tables: Vec<_> = TABLES.into_iter().filter(|table| known.contains(table)).collect();
    assert!(tables.len() >= 8, "{known:?}");
    tables
}

#[test]
fn trees_are_explained_the_same_on_any_threads_and_batches() {
    let toml = AUDIT.replace("[model]", "weight = \"weight\"\n[model]");
    assert_same(&toml, "xgb_binary");
}

#[test]
fn enumerated_networks_are_explained_the_same_on_any_threads_and_batches() {
    let explain = "[explain]\nmethod = \"exact\"\nrows = 1500\n[background]\nrows = 20\n[importance]";
    let toml = AUDIT.replace("[importance]", explain).replace(", \"age\"]", "]");
    assert_same(&toml, "mlp");
}

#[test]
fn further_methods_are_explained_the_same_on_any_threads_and_batches() {
    let explain = "[[explain.also]]\nmethod = \"lime\"\nrows = 400\nbudget = 150\n\
                   [[explain.also]]\nmethod = \"tree_path_dependent\"\n[importance]\nbudget = 3000\nmethods = [\"attribution\", \"sage\", \"sobol\", \"morris\", \"interaction\", \"sensitivity\", \"faithfulness\"]";
    let toml = AUDIT.replace("[importance]", explain);
    assert_same(&toml, "xgb_binary");
    let fits =
        |arguments: &[&str]| fs::read(audited(&toml, "xgb_binary", arguments).stored(&["/local_fits/"])).unwrap();
    assert!(fits(&["--threads", "1", "--batch-rows", "1000"]) == fits(&["--threads", "2", "--batch-rows", "50000"]));
}

#[test]
fn networks_whose_scores_depend_on_the_batch_are_scored_in_the_same_blocks() {
    let toml = AUDIT
        .replace("[importance]", "[explain]\nmethod = \"exact\"\nrows = 200\n[background]\nrows = 10\n[importance]");
    assert_same(&toml.replace(", \"age\"]", "]"), "mlp_int8");
}

#[test]
fn sampled_explanations_depend_on_the_seed_alone() {
    let explain = "[explain]\nmethod = \"kernel\"\nrows = 300\nbudget = 12\n[background]\nrows = 10\n[importance]";
    let toml = AUDIT.replace("[importance]", explain).replace(", \"age\"]", "]");
    assert_same(&toml, "mlp");
    let bytes = |toml: &str| fs::read(audited(toml, "mlp", &[]).stored(&["/explanations/"])).unwrap();
    assert!(bytes(&toml) != bytes(&toml.replace("seed = 7", "seed = 8")), "another seed, another sample");
}

#[test]
fn several_classes_are_explained_the_same_on_any_threads_and_batches() {
    let toml = AUDIT
        .replace("positive = \"yes\"", "")
        .replace("label = \"repaid\"", "label = \"owner\"")
        .replace("reference = { sex = \"Male\" }", "");
    assert_same(&toml, "rf_multiclass");
}
