//! Networks are explained by their gradients, and pictures become maps.

use crate::project::{DAY, Project, repository};
use std::fs;

/// A shipped pipeline with its data.
fn shipped(name: &str, files: &[&str]) -> Project {
    let project = Project::empty();
    let toml = format!("pipelines/{name}.toml");
    for file in [toml.as_str()].iter().chain(files) {
        project.write(file, fs::read(repository().join(file)).unwrap());
    }
    project
}

fn run(project: &Project, name: &str, more: &[&str]) {
    let toml = format!("pipelines/{name}.toml");
    let arguments = [&["run", toml.as_str(), "--as-of", DAY, "--format", "json"], more].concat();
    assert_eq!(project.probity(&arguments).expect(0).json()["verdict"], "pass");
}

#[test]
fn digits_have_a_map_each_that_adds_up_to_their_attribution() {
    let project = shipped("mnist-cnn", &["data/mnist-cnn.onnx", "data/mnist-cnn.parquet"]);
    run(&project, "mnist-cnn", &["--set", "explain.rows=20"]);
    let maps = project.query("SELECT row_id, output, method, height, width FROM attribution_maps ORDER BY row_id");
    assert_eq!(maps.len(), 20);
    assert!(
        maps.iter().all(|map| map["height"] == 28 && map["width"] == 28 && map["method"] == "integrated_gradients")
    );
    let gap = "SELECT max(abs(e.attribution + e.base_value - p.score)) AS gap FROM explanations e
        JOIN predictions p ON p.row_id = e.row_id AND p.output = e.output WHERE p.predicted";
    assert!(project.value(gap).as_f64().unwrap() < 2e-3);
    let missed = "SELECT max(abs(e.attribution - m.total)) FROM explanations e JOIN
        (SELECT row_id, sum(pixel) AS total FROM (SELECT row_id, unnest(\"values\") AS pixel FROM attribution_maps)
         GROUP BY row_id) m ON m.row_id = e.row_id";
    assert!(project.value(missed).as_f64().unwrap() < 1e-4);
}

#[test]
fn patches_of_a_digit_are_players_that_add_up() {
    let project = shipped("mnist-cnn", &["data/mnist-cnn.onnx", "data/mnist-cnn.parquet"]);
    let more = ["--set", "explain.rows=2", "--set", "explain.method=\"exact\"", "--set", "data.image.patch=[14, 7]"];
    run(&project, "mnist-cnn", &more);
    let features = project.query("SELECT DISTINCT feature FROM explanations ORDER BY feature");
    assert_eq!(features.len(), 8);
    assert_eq!(features[7]["feature"], "patch_1_3");
    let gap = "SELECT max(abs(e.total + e.base - p.score)) AS gap FROM predictions p JOIN
        (SELECT row_id, output, sum(attribution) AS total, min(base_value) AS base FROM explanations
         GROUP BY row_id, output) e ON p.row_id = e.row_id AND p.output = e.output";
    assert!(project.value(gap).as_f64().unwrap() < 1e-9);
}

#[test]
fn superpixels_of_a_digit_have_weights_that_add_up_to_the_surrogate() {
    let project = shipped("mnist-cnn", &["data/mnist-cnn.onnx", "data/mnist-cnn.parquet"]);
    let lime = ["--set", "explain.method=\"lime\"", "--set", "explain.baseline=\"background\""];
    let few = ["--set", "explain.rows=6", "--set", "explain.budget=400", "--set", "explain.lime.segments=30"];
    let hide = ["--set", "explain.lime.hide_color=0", "--threads", "1"];
    run(&project, "mnist-cnn", &[&lime[..], &few[..], &hide[..]].concat());
    let maps = project.query("SELECT height, width, method FROM attribution_maps");
    assert_eq!(maps.len(), 6);
    assert!(maps.iter().all(|map| map["height"] == 28 && map["width"] == 28 && map["method"] == "lime"));
    let missed = "SELECT max(abs(e.attribution - m.total)) FROM explanations e JOIN
        (SELECT row_id, sum(pixel) AS total FROM (SELECT row_id, unnest(\"values\") AS pixel FROM attribution_maps)
         GROUP BY row_id) m ON m.row_id = e.row_id";
    assert!(project.value(missed).as_f64().unwrap() < 1e-4);
    let gap = "SELECT max(abs(e.attribution + e.base_value - f.local_prediction)) FROM explanations e
        JOIN local_fits f ON f.row_id = e.row_id AND f.output = e.output";
    assert!(project.value(gap).as_f64().unwrap() < 1e-9);
    // Ink makes a digit: without any, the surrogate says less than with all of it.
    let fits = project.query("SELECT r2, local_prediction, intercept FROM local_fits");
    assert_eq!(fits.len(), 6);
    for fit in &fits {
        assert!(fit["r2"].as_f64().unwrap() > 0.2, "{fit}");
        assert!(fit["local_prediction"].as_f64() > fit["intercept"].as_f64(), "{fit}");
    }
}

#[test]
fn a_network_of_a_table_is_explained_by_three_methods_that_add_up() {
    let project = shipped("adult-mlp", &["data/adult-mlp.onnx", "data/adult.parquet"]);
    run(&project, "adult-mlp", &["--set", "explain.rows=100", "--set", "data.filter=\"row_id < 3000\""]);
    for (method, allowed) in [("integrated_gradients", 0.05), ("expected_gradients", 0.05), ("deep", 1e-4)] {
        let gap = format!(
            "SELECT max(abs(e.total + e.base - p.margin)) AS gap FROM predictions p JOIN
                (SELECT row_id, sum(attribution) AS total, min(base_value) AS base FROM explanations
                 WHERE method = '{method}' GROUP BY row_id) e ON p.row_id = e.row_id"
        );
        let found = project.value(&gap).as_f64().unwrap();
        assert!(found < allowed, "{method} misses {found}");
    }
}

#[test]
fn an_operator_without_a_gradient_is_named_with_what_to_do() {
    let project = shipped("diabetes", &["data/diabetes.onnx", "data/diabetes.csv"]);
    let refused = project.probity(&["check", "pipelines/diabetes.toml", "--set", "explain.method=\"deep\""]);
    let said = &refused.expect(2).stderr;
    assert!(said.contains("TreeEnsembleRegressor") && said.contains("kernel"), "{said}");
}
