//! Attacks along gradients: what small changes turn, whom, and which gates that breaches.

use crate::project::{DAY, Project, repository};
use std::fs;

fn shipped(name: &str, files: &[&str]) -> Project {
    let project = Project::empty();
    let toml = format!("pipelines/{name}.toml");
    for file in [toml.as_str()].iter().chain(files) {
        project.write(file, fs::read(repository().join(file)).unwrap());
    }
    project
}

fn network() -> Project {
    shipped("adult-mlp", &["data/adult-mlp.onnx", "data/adult.parquet"])
}

/// The network attacked, and nothing else that takes long.
const QUICK: &[&str] = &[
    "run",
    "pipelines/adult-mlp.toml",
    "--as-of",
    DAY,
    "--set",
    "explain.method=\"none\"",
    "--set",
    "explain.also=[]",
    "--set",
    "importance.methods=[]",
    "--set",
    "data.filter=\"row_id < 1500\"",
    "--set",
    "robustness.rows=300",
];

const CURVES: &str = "SELECT kind, feature, group_value, x, y, n FROM curves
    WHERE kind LIKE 'adversarial%' OR kind = 'robust_accuracy' ORDER BY kind, feature, group_value, x";

#[test]
fn larger_changes_turn_more_decisions_and_the_metric_is_that_of_the_gates_size() {
    let project = network();
    project.probity(QUICK).expect(0);
    let points = project.query(CURVES);
    let of = |kind: &str, feature: &str| -> Vec<(f64, f64)> {
        let wanted = points.iter().filter(|point| point["kind"] == kind && point["feature"] == feature);
        wanted.map(|point| (point["x"].as_f64().unwrap(), point["y"].as_f64().unwrap())).collect()
    };
    let (turned, step) = (of("adversarial_flip_rate", ""), of("adversarial_flip_rate_fgsm", ""));
    assert_eq!(turned.iter().map(|point| point.0).collect::<Vec<_>>(), [0.0, 0.05, 0.1, 0.25, 0.5]);
    assert_eq!(turned[0].1, 0.0);
    assert!(turned.is_sorted_by(|a, b| a.1 <= b.1) && turned[4].1 > 0.1, "{turned:?}");
    assert!(turned.iter().zip(&step).all(|(any, step)| any.1 >= step.1));
    assert!(of("robust_accuracy", "").is_sorted_by(|a, b| a.1 >= b.1));
    let metric = |name: &str, attribute: &str, group: &str| {
        let query = format!(
            "SELECT value FROM metrics WHERE metric = '{name}' AND attribute = '{attribute}' AND group_value = '{group}'"
        );
        project.value(&query).as_f64().unwrap()
    };
    assert_eq!(metric("adversarial_flip_rate", "", ""), turned[2].1);
    let [female, male] = ["Female", "Male"].map(|group| metric("adversarial_flip_rate", "sex", group));
    let difference = metric("adversarial_flip_rate_difference", "sex", "");
    assert!((difference - (male - female).abs()).abs() < 1e-12);
    let rows = "SELECT sum(n) FROM metrics WHERE metric = 'adversarial_flip_rate' AND attribute = 'sex'";
    assert_eq!(project.value(rows), 300);
    let report = fs::read_to_string(project.stored(&["audit.html"])).unwrap();
    assert!(report.contains("Decisions under attack") && report.contains("Decisions turned by sex"));
    assert!(report.contains("Attacks changed") && report.contains("rows, drawn with the seed"));
}

#[test]
fn check_counts_what_attacks_ask_of_the_model() {
    let project = network();
    let check = |more: &[&str]| {
        let quick = ["check", "pipelines/adult-mlp.toml", "--set", "robustness.rows=300"];
        project.probity(&[&quick, more].concat()).expect(0).stdout.clone()
    };
    // Five sizes, one of which is no change: 300 rows × (1 + 5) scores and one gradient.
    let told = check(&["--set", "robustness.attack=\"fgsm\""]);
    let words = "robustness   fgsm on 300 rows: up to 1,800 model evaluations and 300 gradients, ";
    assert!(told.contains(words), "{told}");
    // Four sizes × (2 + 2) starts × 4 steps, and every start has a first point.
    let told = check(&["--set", "robustness.steps=4", "--set", "robustness.restarts=2"]);
    let words = "robustness   pgd on 300 rows: up to 25,800 model evaluations and 19,500 gradients, ";
    assert!(told.contains(words), "{told}");
    assert!(told.contains(" on one core\n"), "{told}");
}

#[test]
fn threads_and_batches_change_no_digit_of_an_attack() {
    let found = |more: &[&str]| {
        let project = network();
        project.probity(&[QUICK, more].concat()).expect(0);
        project.query(CURVES)
    };
    assert_eq!(found(&["--threads", "1"]), found(&["--threads", "3", "--batch-rows", "1024"]));
}

#[test]
fn a_gate_on_turned_decisions_fails_the_run() {
    let project = network();
    let gate = "gates=[{ metric = \"adversarial_flip_rate\", max = 0.0001 }]";
    let run = project.probity(&[QUICK, &["--set", gate, "--set", "robustness.attack=\"fgsm\""]].concat());
    assert!(run.expect(1).stdout.contains("adversarial_flip_rate"));
}

#[test]
fn pictures_are_attacked_within_their_range() {
    let project = shipped("mnist-cnn", &["data/mnist-cnn.onnx", "data/mnist-cnn.parquet"]);
    let quick = ["--set", "explain.method=\"none\"", "--set", "importance.methods=[]", "--set", "robustness.rows=20"];
    let run = ["run", "pipelines/mnist-cnn.toml", "--as-of", DAY, "--set", "robustness.epsilon=[0.1, 1]"];
    project.probity(&[&run[..], &quick].concat()).expect(0);
    let last = "SELECT y FROM curves WHERE kind = 'adversarial_flip_rate' AND feature = '' AND x = 1";
    assert_eq!(project.value(last), 1.0, "a picture that may become any other turns");
}

/// A network of four numbers on made-up rows.
const TABLE: &str = r#"
[pipeline]
name = "attacked"

[data]
path = "attacked.csv"
label = "label"
positive = "yes"

[model]
path = "attacked.onnx"
classes = ["no", "yes"]

[model.inputs]
x = ["a", "b", "c", "d"]

[explain]
method = "none"

[importance]
methods = []

[fairness]
attributes = ["region"]
bootstrap = 0

[store]
results = "var/results"
catalogue = "sqlite:var/catalogue.db"
"#;

/// FGSM equals the toolbox's in every group at every size; PGD, which climbs from more points, never finds less.
fn compare_with_the_toolbox(project: &Project, golden: &serde_json::Value) {
    let points = project.query(CURVES);
    let mut compared = 0;
    for (group, n) in golden["n"].as_object().unwrap() {
        for (at, epsilon) in golden["epsilon"].as_array().unwrap().iter().enumerate() {
            let counted = |kind: &str| {
                let is_it = |point: &&serde_json::Value| {
                    point["kind"] == kind && point["group_value"] == group.as_str() && point["x"] == *epsilon
                };
                let point = points.iter().find(is_it).unwrap_or_else(|| panic!("no {kind} of `{group}` at {epsilon}"));
                assert_eq!(point["n"], *n, "{group}");
                (point["y"].as_f64().unwrap() * n.as_f64().unwrap()).round() as u64
            };
            let theirs = |attack: &str| golden[attack][group][at].as_u64().unwrap();
            assert_eq!(counted("adversarial_flip_rate_fgsm"), theirs("fgsm"), "`{group}` at {epsilon}");
            let (found, known) = (counted("adversarial_flip_rate"), theirs("pgd"));
            assert!(found >= known, "`{group}` at {epsilon}: {found} turned, the toolbox turns {known}");
            compared += usize::from(known > 0);
        }
    }
    assert!(compared > 8);
}

#[test]
fn attacks_turn_what_those_of_the_adversarial_robustness_toolbox_turn() {
    let file = |name: &str| fs::read(repository().join("tests/golden").join(name)).unwrap();
    let golden: serde_json::Value = serde_json::from_slice(&file("attacks.json")).unwrap();
    let asked = |compared: &serde_json::Value, more: &str| {
        let (epsilon, steps) = (&compared["epsilon"], &golden["steps"]);
        format!("robustness={{ epsilon = {epsilon}, steps = {steps}, restarts = 0, rows = \"all\"{more} }}")
    };
    let table = Project::empty();
    table.write("attacked.toml", TABLE);
    for name in ["attacked.csv", "attacked.onnx"] {
        table.write(name, file(name));
    }
    let run = ["run", "attacked.toml", "--as-of", DAY, "--set", &asked(&golden["table"], "")];
    table.probity(&run).expect(0);
    compare_with_the_toolbox(&table, &golden["table"]);
    let digits = shipped("mnist-cnn", &["data/mnist-cnn.onnx", "data/mnist-cnn.parquet"]);
    let filter = format!("data.filter=\"{}\"", golden["pictures"]["filter"].as_str().unwrap());
    let robustness = asked(&golden["pictures"], ", range = { pixels = [0, 1] }");
    let quick = ["--set", "explain.method=\"none\"", "--set", "importance.methods=[]", "--set", "layers.maps=0"];
    let run = ["run", "pipelines/mnist-cnn.toml", "--as-of", DAY, "--set", &filter, "--set", &robustness];
    digits.probity(&[&run[..], &quick].concat()).expect(0);
    compare_with_the_toolbox(&digits, &golden["pictures"]);
}

#[test]
fn what_cannot_be_attacked_is_refused_with_what_to_do() {
    let diabetes = shipped("diabetes", &["data/diabetes.onnx", "data/diabetes.csv"]);
    let check = ["check", "pipelines/diabetes.toml", "--set", "robustness.epsilon=0.1"];
    assert!(diabetes.probity(&check).expect(2).stderr.contains("a regression makes no decisions"));
    let german = shipped("german-credit", &["data/german-credit.onnx", "data/german-credit.parquet"]);
    let check = ["check", "pipelines/german-credit.toml", "--set", "robustness.epsilon=0.1"];
    let columns = ["--set", "robustness.columns=[\"duration_months\"]"];
    let said = german.probity(&[&check[..], &columns].concat()).expect(2).stderr.clone();
    assert!(said.contains("no gradient to attack along") && said.contains("sensitivity"), "{said}");
    let gate = "gates=[{ metric = \"robust_accuracy\", min = 0.5 }]";
    let said = german.probity(&["check", "pipelines/german-credit.toml", "--set", gate]).expect(2).stderr.clone();
    assert!(said.contains("there is no [robustness]"), "{said}");
    let network = network();
    let refused = |more: &[&str]| {
        network.probity(&[&["check", "pipelines/adult-mlp.toml"], more].concat()).expect(2).stderr.clone()
    };
    let said = refused(&["--set", "robustness.columns=[\"agee\"]"]);
    assert!(said.contains("`agee` does not feed the model; did you mean `age`?"), "{said}");
    let said = refused(&["--set", "robustness.gate_epsilon=0.3"]);
    assert!(said.contains("0.3 is not among the sizes"), "{said}");
    let said = refused(&["--set", "robustness.range={ age = [90, 17] }"]);
    assert!(said.contains("holds no number"), "{said}");
    let said = refused(&["--set", "robustness={ epsilon = 0.1 }"]);
    assert!(said.contains("every column holds whole numbers"), "{said}");
    let said = refused(&["--set", "robustness.epsilon=[0.1, -1]"]);
    assert!(said.contains("-1 is no size"), "{said}");
}
