//! Dependence curves through the binary: against scores of made-up rows, what is stored, shown, said and refused.

use crate::project::{N_PEOPLE, Project, golden};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// What ONNX Runtime's float32 scores are repeated to.
const SCORE_TOLERANCE: f64 = 1e-6;

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        number => number.to_string(),
    }
}

/// A known model with its rows, audited for these curves.
fn project(name: &str, importance: &str) -> (Project, Vec<String>, Vec<Vec<Value>>) {
    let known: Value =
        serde_json::from_str(&std::fs::read_to_string(golden(&format!("{name}.json"))).unwrap()).unwrap();
    let features: Vec<String> = known["features"].as_array().unwrap().iter().map(text).collect();
    let rows: Vec<Vec<Value>> =
        known["rows"].as_array().unwrap().iter().map(|row| row.as_array().unwrap().clone()).collect();
    let inputs = known["inputs"].as_array().unwrap();
    let matrix = match inputs.as_slice() {
        [input] => format!("[model.inputs]\n{} = {features:?}\n", input["name"]),
        _ => String::new(),
    };
    let mut csv = format!("id,{}\n", features.join(","));
    for (at, row) in rows.iter().enumerate() {
        let _ = writeln!(csv, "row {at},{}", row.iter().map(cell).collect::<Vec<_>>().join(","));
    }
    let project = Project::empty();
    project.model(name).write("rows.csv", csv).write(
        "audit.toml",
        format!(
            "[pipeline]\nname = \"curves\"\n[data]\npath = \"rows.csv\"\nid = \"id\"\n[model]\npath = \"model.onnx\"\n{matrix}\
             [explain]\nmethod = \"none\"\n[importance]\n{importance}\n\
             [store]\nresults = \"var/results\"\ncatalogue = \"sqlite:var/catalogue.db\"\n"
        ),
    );
    (project, features, rows)
}

/// Mean scores by (feature, category or x, output), from scoring every row with every value in it.
fn asked(project: &Project, features: &[String], rows: &[Vec<Value>]) -> BTreeMap<(String, String, String), f64> {
    let mut csv = format!("id,{}\n", features.join(","));
    for (column, feature) in features.iter().enumerate() {
        let values: BTreeSet<String> = rows.iter().map(|row| cell(&row[column])).collect();
        for value in values {
            for (at, row) in rows.iter().enumerate() {
                let mut cells: Vec<String> = row.iter().map(cell).collect();
                cells[column].clone_from(&value);
                let _ = writeln!(csv, "{feature}|{value}|{at},{}", cells.join(","));
            }
        }
    }
    project.write("rows.csv", csv).edit("[importance]\nmethods = [\"pdp\"]", "[importance]\nmethods = []");
    project.run(&["--no-report"]).expect(0);
    let mut sums: BTreeMap<(String, String, String), f64> = BTreeMap::new();
    for found in
        project.query("SELECT row_id, output, score FROM predictions JOIN runs USING (run_id) WHERE n_rows > 12")
    {
        let id = text(&found["row_id"]);
        let parts: Vec<&str> = id.split('|').collect();
        let key = (parts[0].to_owned(), parts[1].to_owned(), text(&found["output"]));
        *sums.entry(key).or_default() += number(&found["score"]) / rows.len() as f64;
    }
    sums
}

#[test]
fn partial_dependence_read_off_the_trees_is_the_mean_score_of_changed_rows() {
    // Softmax, logistic with missing values, doubles, other comparisons, and one-hot texts behind preprocessing.
    for name in ["xgb_multiclass", "lgbm_binary", "rf_regression_double", "catboost_binary", "pipeline_strings"] {
        let (project, features, rows) = project(name, "methods = [\"pdp\"]");
        project.ran(0);
        let curves =
            project.query("SELECT kind, feature, group_value, output, x, y, n FROM curves WHERE kind LIKE 'pdp%'");
        let known = asked(&project, &features, &rows);
        assert_eq!(curves.len(), known.len(), "{name}: every value that occurs, missing ones too");
        for curve in curves {
            let category = text(&curve["group_value"]);
            let x = match (curve["kind"].as_str().unwrap(), category.is_empty()) {
                ("pdp_missing", _) => String::new(),
                (_, false) => category,
                (_, true) => curve["x"].to_string(),
            };
            let near = |key: &String| match (key.parse::<f64>(), x.parse::<f64>()) {
                (Ok(key), Ok(x)) => key == x,
                _ => *key == x,
            };
            let (feature, output) = (text(&curve["feature"]), text(&curve["output"]));
            let found = known.iter().find(|((f, v, o), _)| *f == feature && *o == output && near(v));
            let mean = found.unwrap_or_else(|| panic!("{name}: {feature} at {x}")).1;
            assert!((number(&curve["y"]) - mean).abs() < SCORE_TOLERANCE, "{name}: {curve} is not {mean}");
            assert_eq!(number(&curve["n"]), 12.0);
        }
    }
}

#[test]
fn every_piece_of_the_trees_is_drawn_by_both_its_ends() {
    let (project, ..) = project("xgb_binary", "methods = [\"pdp\"]\ngrid = \"thresholds\"");
    project.ran(0);
    let curve = project.query("SELECT x, y FROM curves WHERE kind = 'pdp' AND feature = 'income' ORDER BY x");
    let points: Vec<(f64, f64)> = curve.iter().map(|point| (number(&point["x"]), number(&point["y"]))).collect();
    let is_flat = |before: (f64, f64), after: (f64, f64)| before.1 == after.1;
    let is_jump = |before: (f64, f64), after: (f64, f64)| (before.0 as f32).next_up() == after.0 as f32;
    for pair in points.windows(2) {
        assert!(pair[0].0 < pair[1].0, "numbers ascend");
        assert!(is_flat(pair[0], pair[1]) || is_jump(pair[0], pair[1]), "{pair:?}: between two pieces lies no number");
    }
    assert!(points.windows(2).filter(|pair| is_jump(pair[0], pair[1])).count() > 3);
}

fn people(importance: &str) -> Project {
    let project = Project::new();
    project.edit("repeats = 2", importance);
    project
}

const ALL: &str = "methods = [\"attribution\", \"pdp\", \"ale\", \"ice\"]\n\
                   pairs = [[\"income\", \"debt\"], [\"owner\", \"age\"]]\nbudget = 4000";

#[test]
fn curves_of_columns_pairs_and_single_rows_are_stored_and_shown() {
    let project = people(ALL);
    project.edit("positive = \"yes\"", "positive = \"yes\"\ncategorical = [\"owner\", \"children\"]").ran(0);
    let kinds = project.query("SELECT kind, count(DISTINCT feature) AS n FROM curves GROUP BY kind ORDER BY kind");
    let kinds: BTreeMap<String, f64> = kinds.iter().map(|row| (text(&row["kind"]), number(&row["n"]))).collect();
    for (kind, n) in
        [("ale", 5.0), ("ale_pair", 2.0), ("ice", 5.0), ("ice_centred", 5.0), ("pdp", 5.0), ("pdp_pair", 2.0)]
    {
        assert_eq!(kinds[kind], n, "{kind}");
    }
    // Numbers stand before categories, whatever the order in the TOML.
    let pairs = project.query("SELECT DISTINCT feature FROM curves WHERE kind = 'ale_pair' ORDER BY feature");
    assert_eq!(pairs.iter().map(|row| text(&row["feature"])).collect::<Vec<_>>(), ["age × owner", "income × debt"]);
    let owners = project.query("SELECT DISTINCT group_value AS g FROM curves WHERE feature = 'age × owner' ORDER BY g");
    assert_eq!(owners.iter().map(|row| text(&row["g"])).collect::<Vec<_>>(), ["0", "1"]);
    let centred = project.value(
        "SELECT max(abs(c.y - (i.y - f.y))) AS d FROM curves c JOIN curves i USING (feature, group_value, x) \
         JOIN (SELECT feature, group_value, y, x FROM curves k WHERE kind = 'ice' AND x = \
         (SELECT min(x) FROM curves m WHERE m.kind = 'ice' AND m.feature = k.feature)) f USING (feature, group_value) \
         WHERE c.kind = 'ice_centred' AND i.kind = 'ice'",
    );
    assert!(number(&centred) < 1e-12, "a centred curve is less its beginning: {centred}");
    let rows = project.value("SELECT min(n) AS n FROM curves WHERE kind = 'pdp'");
    assert_eq!(number(&rows), N_PEOPLE as f64);
    let html = std::fs::read_to_string(project.stored(&["audit.html"])).unwrap();
    for words in ["Effects of columns", "Second-order effect of income × debt", "Single rows along", "fig-pdp_pair-1"]
    {
        assert!(html.contains(words), "the report shows {words}");
    }
}

#[test]
fn check_says_what_curves_cost() {
    let project = people(ALL);
    let said = project.probity(&["check", "audit.toml"]);
    let said = &said.expect(0).stdout;
    for words in
        ["pdp: 0 model evaluations; the trees tell", "ale: 0 model evaluations, 600 of the structure", "ice: 0 model"]
    {
        assert!(said.contains(words), "{words} in\n{said}");
    }
    project.model("mlp").edit(", \"age\"]", "]").edit(", [\"owner\", \"age\"]", "");
    let said = project.probity(&["check", "audit.toml"]);
    let said = &said.expect(0).stdout;
    for (asked, n) in [("ale", 480), ("ale of income × debt", 240)] {
        let words = format!("{asked}: {n} model evaluations, less than 0.1 s on one core\n");
        assert!(said.contains(&words), "{words} in\n{said}");
    }
}

#[test]
fn curves_do_not_depend_on_threads_or_batches() {
    let curves = |arguments: &[&str]| {
        let project = people(ALL);
        project.run(arguments).expect(0);
        project.query(
            "SELECT kind, feature, group_value, output, x, y, n, ci_low, ci_high FROM curves ORDER BY 1, 2, 3, 4, 5",
        )
    };
    let known = curves(&["--threads", "1"]);
    assert_eq!(known, curves(&["--threads", "2", "--batch-rows", "1024"]));
}

#[test]
fn points_and_pairs_that_cannot_be_drawn_are_refused() {
    let cases = [
        ("methods = [\"pdp\"]\ngrid = { incom = [1, 2] }", "did you mean `income`"),
        ("methods = [\"pdp\"]\ngrid = { income = [\"low\"] }", "`low` is not a number"),
        ("methods = [\"pdp\"]\ngrid = { income = [] }", "no point is given for `income`"),
        ("methods = [\"permutation\"]\npairs = [[\"income\", \"debt\"]]", "names neither"),
        ("methods = [\"ale\"]\npairs = [[\"income\", \"income\"]]", "no joint curve with itself"),
        ("methods = [\"ale\"]\npairs = [[\"income\", \"sex\"]]", "which does not feed the model"),
    ];
    for (importance, words) in cases {
        people(importance).run(&[]).expect(2).says(&[words]);
    }
    let network = people("methods = [\"pdp\"]\ngrid = \"thresholds\"");
    network.model("mlp").edit(", \"age\"]", "]");
    network.run(&[]).expect(2).says(&["asks for the thresholds of trees"]);
    let categories = people("methods = [\"ale\"]\npairs = [[\"owner\", \"children\"]]");
    categories.edit("positive = \"yes\"", "positive = \"yes\"\ncategorical = [\"owner\", \"children\"]");
    categories.run(&[]).expect(2).says(&["need a column of numbers"]);
}
