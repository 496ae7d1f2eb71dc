//! The shipped pipelines run as they are, pass, and speak of people by readable names.

use crate::project::{DAY, Project, repository};
use serde_json::Value;
use std::fs;
use std::path::Path;

/// A copy of the shipped pipelines and their data, away from the checkout's own history.
fn shipped() -> Project {
    let project = Project::empty();
    for folder in ["pipelines", "data"] {
        for entry in fs::read_dir(repository().join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                let name = path.file_name().unwrap().to_string_lossy().into_owned();
                project.write(&format!("{folder}/{name}"), fs::read(&path).unwrap());
            }
        }
    }
    project
}

fn run(project: &Project, name: &str, more: &[&str]) -> Value {
    let toml = format!("pipelines/{name}.toml");
    let arguments = [&["run", toml.as_str(), "--as-of", DAY, "--format", "json"], more].concat();
    let run = project.probity(&arguments).expect(0).json();
    assert_eq!((&run["pipeline"], &run["verdict"]), (&name.into(), &"pass".into()));
    run
}

fn report(project: &Project, run: &Value) -> String {
    let html = fs::read_to_string(project.folder().join(run["report"].as_str().unwrap())).unwrap();
    assert!(html.starts_with("<!") || html.starts_with("<html"), "an HTML page");
    for request in ["http://", "src=\"//", "@import", "<link"] {
        let outside = html.replace("http://www.w3.org", "");
        assert!(!outside.contains(request), "the report asks for something outside itself: {request}");
    }
    html
}

fn assert_names(html: &str, wanted: &[&str], codes: &[&str]) {
    for name in wanted {
        assert!(html.contains(name), "{name} is not in the report");
    }
    for code in codes {
        assert!(!html.contains(code), "{code} is in the report");
    }
}

#[test]
fn adult_income_runs_and_names_people_readably() {
    let project = shipped();
    let run = run(&project, "adult-income", &["--set", "importance.repeats=1"]);
    assert_eq!(run["n_rows"], 16_281);
    let html = report(&project, &run);
    let names =
        ["Female", "Male", "Black", "Asian-Pac-Islander", "25–44", "≥65", "&gt;50K", "marital_status", "Never-married"];
    assert_names(&html, &names, &["sex = 0", "sex = 1", "race = 4", "race = 2", "marital_status = 2"]);
    let groups = project.query("SELECT DISTINCT group_value FROM group_counts WHERE attribute = 'sex,race'");
    assert_eq!(groups.len(), 10);
    assert!(groups.iter().any(|row| row["group_value"] == "Female,Black"), "{groups:?}");
    assert_eq!(project.value("SELECT explain_method FROM runs"), "tree");
    let values = project.query("SELECT DISTINCT feature_value FROM explanations WHERE feature = 'sex'");
    assert_eq!(values.len(), 2);
    assert!(
        values.iter().all(|row| ["Female", "Male"].contains(&row["feature_value"].as_str().unwrap())),
        "{values:?}"
    );
}

#[test]
fn german_credit_runs_and_names_people_readably() {
    let project = shipped();
    let run = run(&project, "german-credit", &[]);
    assert_eq!(run["n_rows"], 400);
    assert_names(
        &report(&project, &run),
        &["female", "male", "25 or younger", "over 25", "good", "purpose"],
        &["purpose_", "sex = 0"],
    );
    let features = project.query("SELECT DISTINCT feature FROM explanations");
    assert!(features.iter().any(|row| row["feature"] == "purpose"), "players are raw columns: {features:?}");
}

#[test]
fn diabetes_runs_and_names_people_readably() {
    let project = shipped();
    let run = run(&project, "diabetes", &[]);
    assert_eq!(run["n_rows"], 221);
    assert_names(&report(&project, &run), &["sex code 1", "sex code 2", "bmi", "40–54", "progression"], &["sex = 0"]);
    let metrics = project.query("SELECT metric FROM metrics WHERE attribute = '' AND metric IN ('mae', 'rmse', 'r2')");
    assert_eq!(metrics.len(), 3);
}

#[test]
fn attributions_of_the_shipped_pipelines_add_up_to_the_margin() {
    let project = shipped();
    for name in ["german-credit", "diabetes"] {
        run(&project, name, &[]);
        let sql = format!(
            "SELECT max(abs(e.total + e.base - p.margin)) AS gap FROM predictions p JOIN
                (SELECT row_id, sum(attribution) AS total, min(base_value) AS base FROM explanations
                 WHERE pipeline = '{name}' AND method = 'tree' GROUP BY row_id) e
             ON e.row_id = p.row_id WHERE p.pipeline = '{name}'"
        );
        assert!(project.value(&sql).as_f64().unwrap() < 1e-9, "{name}");
    }
}

#[test]
fn every_shipped_pipeline_passes_check_and_names_its_schema() {
    let project = shipped();
    let mut n_pipelines = 0;
    for entry in fs::read_dir(repository().join("pipelines")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            let text = fs::read_to_string(&path).unwrap();
            assert!(text.starts_with("#:schema ./pipeline.schema.json\n"), "{}", path.display());
            let name = Path::new("pipelines").join(path.file_name().unwrap());
            project.probity(&["check", name.to_str().unwrap()]).expect(0);
            n_pipelines += 1;
        }
    }
    assert!(n_pipelines >= 3);
}

#[test]
fn the_schema_beside_the_pipelines_is_the_binarys_own() {
    let printed = Project::empty().probity(&["schema"]).expect(0).json();
    let shipped = fs::read_to_string(repository().join("pipelines/pipeline.schema.json")).unwrap();
    let shipped: Value = serde_json::from_str(&shipped).unwrap();
    assert!(printed == shipped, "run `probity schema > pipelines/pipeline.schema.json`");
}

#[test]
fn inspect_says_what_the_shipped_models_are() {
    let project = shipped();
    let adult = project.probity(&["inspect", "data/adult.onnx"]);
    for part in ["input", "float32", "12", "probabilities", "TreeEnsembleClassifier"] {
        assert!(adult.expect(0).stdout.contains(part), "{part} in {}", adult.stdout);
    }
    let credit = project.probity(&["inspect", "data/german-credit.onnx", "--format", "json"]).expect(0).json();
    assert!(credit.to_string().contains("purpose"), "{credit}");
    project.probity(&["inspect", "data/README.md"]).expect(2).says(&["README.md", "not an ONNX file"]);
}

#[test]
fn inspect_draws_a_network_with_its_shapes_and_counts_what_a_row_costs() {
    let project = shipped();
    let picture = project.path("structure.svg");
    let args = ["inspect", "data/mnist-cnn.onnx", "--format", "json", "--svg", picture.to_str().unwrap()];
    let cnn = project.probity(&args).expect(0).json();
    // 3 × 3 kernels of 8 channels at 26 × 26 places, then 1,352 × 32 and 32 × 10 weights.
    assert_eq!(cnn["multiply_adds"], 8 * 9 * 26 * 26 + 1_352 * 32 + 320);
    assert_eq!(cnn["parameters"], 43_706);
    let drawn = fs::read_to_string(picture).unwrap();
    for part in ["Conv 3×3", "[N, 8, 26, 26]", "43,296", "[N, 1352]", "Add, Softmax", "Not drawn: 6 operators"] {
        assert!(drawn.contains(part), "{part} in {drawn}");
    }
    let nowhere = project.path("no/such/folder.svg");
    let refused = project.probity(&["inspect", "data/mnist-cnn.onnx", "--svg", nowhere.to_str().unwrap()]);
    refused.expect(2).says(&["--svg", "folder.svg"]);
}

#[test]
fn enumeration_on_the_margin_finds_what_the_tree_engines_find() {
    let attributions = |method: &str| {
        let project = shipped();
        let method = format!("explain.method={method:?}");
        let more = ["--set", &method, "--set", "explain.scale=\"margin\"", "--set", "explain.rows=12"];
        run(&project, "adult-income", &[&more[..], &["--set", "background.rows=30"]].concat());
        let rows = project.query("SELECT attribution FROM explanations ORDER BY row_id, feature");
        rows.iter().map(|row| row["attribution"].as_f64().unwrap()).collect::<Vec<f64>>()
    };
    let (closed, enumerated) = (attributions("tree"), attributions("exact"));
    assert_eq!((closed.len(), enumerated.len()), (12 * 12, 12 * 12));
    let gap = closed.iter().zip(&enumerated).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    assert!(gap < 1e-9 && closed.iter().any(|value| value.abs() > 0.1), "{gap}");
}
