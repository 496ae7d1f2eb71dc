//! What networks do inside: statistics by layer and group, probes, and which tensors can be asked for.

use crate::project::{DAY, Project, golden, repository};
use serde_json::Value;
use std::fs;

/// The golden network with its rows, three groups of which it is asked about by `[layers]` keys.
fn network(layers: &str) -> (Project, Value) {
    golden_network("layers", layers)
}

fn golden_network(name: &str, layers: &str) -> (Project, Value) {
    let known: Value = serde_json::from_str(&fs::read_to_string(golden(&format!("{name}.json"))).unwrap()).unwrap();
    let columns: Vec<String> = (0..50).map(|at| format!("x{at}")).collect();
    let mut csv = format!("{},kind,label\n", columns.join(","));
    for (at, (row, group)) in
        known["rows"].as_array().unwrap().iter().zip(known["groups"].as_array().unwrap()).enumerate()
    {
        let numbers: Vec<String> = row.as_array().unwrap().iter().map(ToString::to_string).collect();
        csv += &format!("{},{},{}\n", numbers.join(","), group.as_str().unwrap(), at % 2);
    }
    let project = Project::empty();
    project.model(name).write("rows.csv", csv);
    let toml = format!(
        "[pipeline]\nname = \"layers\"\n[data]\npath = \"rows.csv\"\nlabel = \"label\"\n[model]\npath = \"model.onnx\"\n\
         [model.inputs]\nx = {columns:?}\n[explain]\nmethod = \"none\"\n[importance]\nmethods = []\n\
         [layers]\n{layers}\n[fairness]\nattributes = [\"kind\"]\nbootstrap = 0\n\
         [store]\nresults = \"var/results\"\ncatalogue = \"sqlite:var/catalogue.db\"\n"
    );
    project.write("audit.toml", toml);
    (project, known)
}

fn run(project: &Project) {
    project.probity(&["run", "audit.toml", "--as-of", DAY]).expect(0);
}

fn close(found: &Value, expected: &Value, what: &str) {
    let (found, expected) = (found.as_f64().unwrap(), expected.as_f64().unwrap());
    // The network computes in 32 bits.
    assert!((found - expected).abs() <= 2e-6 * expected.abs().max(1.0), "{what}: {found}, expected {expected}");
}

#[test]
fn statistics_by_layer_and_group_are_those_of_numpy() {
    check_statistics("layers");
}

#[test]
fn layers_of_16_bits_are_read_as_they_are() {
    check_statistics("layers_half");
    let (auto, _) = golden_network("layers_half", "");
    run(&auto);
    assert_eq!(auto.query("SELECT layer FROM layers WHERE attribute = ''").len(), 3);
}

fn check_statistics(name: &str) {
    let (project, known) = golden_network(name, "tensors = [\"relu\", \"turned\", \"*tanh\", \"out_add\"]");
    run(&project);
    let found = project.query("SELECT * FROM layers WHERE attribute = '' OR group_value <> ''");
    assert_eq!(found.len(), 16);
    for row in found {
        let (layer, group) = (row["layer"].as_str().unwrap(), row["group_value"].as_str().unwrap());
        let expected = &known["layers"][layer][group];
        for key in ["n", "units", "mean", "std", "zero_fraction", "minimum", "maximum", "dead_units"] {
            close(&row[key], &expected[key], &format!("{layer} {group} {key}"));
        }
    }
    let units = project.query("SELECT layer, unit, mean FROM layer_units ORDER BY layer, unit");
    assert_eq!(units.len(), 3 + 3 + 4 + 1);
    for unit in units {
        let layer = unit["layer"].as_str().unwrap();
        let expected = &known["layers"][layer][""]["unit_means"][unit["unit"].as_u64().unwrap() as usize];
        close(&unit["mean"], expected, &format!("{layer} {unit}"));
    }
}

#[test]
fn auto_takes_the_ends_of_blocks_and_all_whatever_is_computed() {
    let of = |tensors: &str| -> Vec<String> {
        let (project, _) = network(tensors);
        run(&project);
        let layers = project.query(
            "SELECT layer || ' ' || op || ' ' || shape || ' ' || parameters AS told FROM layers WHERE attribute = ''",
        );
        layers.iter().map(|row| row["told"].as_str().unwrap().to_owned()).collect()
    };
    let auto = ["relu Relu [N, 3, 5, 5] 57", "tanh Tanh [N, 4] 304", "logit Add [N, 1] 5"];
    assert_eq!(of(""), auto);
    assert_eq!(of("most = 1"), auto[2..]);
    assert_eq!(of("tensors = \"all\"").len(), 7);
}

#[test]
fn an_unknown_tensor_is_refused_with_the_closest_names() {
    let (project, _) = network("tensors = [\"relu\", \"tanhh\"]");
    let refused = project.probity(&["run", "audit.toml"]).expect(2).stderr.clone();
    assert!(refused.contains("computes no tensor `tanhh`") && refused.contains("`tanh`"), "{refused}");
    assert!(refused.contains("audit.toml"), "{refused}");
    let (project, _) = network("tensors = [\"nothing*\"]");
    project.probity(&["check", "audit.toml"]).expect(2);
}

#[test]
fn a_model_without_layers_is_refused() {
    let (project, _) = network("");
    project.model("rf_binary");
    let toml = fs::read_to_string(project.path("audit.toml")).unwrap();
    let features: Value = serde_json::from_str(&fs::read_to_string(golden("rf_binary.json")).unwrap()).unwrap();
    let names = features["features"].as_array().unwrap();
    let inputs = features["inputs"][0]["name"].as_str().unwrap();
    let columns: Vec<String> = (0..names.len()).map(|at| format!("x{at}")).collect();
    let (before, rest) = toml.split_once("[model.inputs]").unwrap();
    let (_, after) = rest.split_once("[explain]").unwrap();
    project.write("audit.toml", format!("{before}[model.inputs]\n{inputs} = {columns:?}\n[explain]{after}"));
    let refused = project.probity(&["check", "audit.toml"]).expect(2).stderr.clone();
    assert!(refused.contains("no layers to look at") && refused.contains("tree ensemble"), "{refused}");
}

#[test]
fn a_probe_tells_what_the_network_was_told_and_small_groups_stay_unseen() {
    let project = Project::empty();
    for file in ["pipelines/adult-mlp.toml", "data/adult-mlp.onnx", "data/adult.parquet"] {
        project.write(file, fs::read(repository().join(file)).unwrap());
    }
    let quick = ["--set", "explain.rows=5", "--set", "explain.also=[]", "--set", "importance.methods=[]"];
    let run = |more: &[&str]| {
        let arguments = [
            &["run", "pipelines/adult-mlp.toml", "--as-of", DAY, "--set", "data.filter=\"row_id < 3000\""],
            &quick[..],
            more,
        ];
        project.probity(&arguments.concat()).expect(0);
    };
    run(&["--threads", "1"]);
    let query =
        "SELECT layer, attribute, measure, value, ci_low, ci_high FROM layer_probes ORDER BY layer, attribute, measure";
    let one = project.query(query);
    // The first layer sees the column itself.
    let told = "SELECT max(value) FROM layer_probes WHERE attribute = 'sex' AND measure = 'roc_auc'";
    assert!(project.value(told).as_f64().unwrap() > 0.99);
    let separable =
        "SELECT count(*) FROM layers l JOIN layer_probes p ON p.layer = l.layer AND p.attribute = l.attribute
        AND p.measure = 'roc_auc' WHERE l.group_value = '' AND l.separability = p.value";
    assert_eq!(project.value(separable), 9);
    let statistics = "SELECT layer, attribute, group_value, mean, std, zero_fraction, dead_units FROM layers";
    let sums = project.query(statistics);
    run(&["--force", "--threads", "3"]);
    let latest = "run_id = (SELECT run_id FROM runs WHERE status = 'succeeded')";
    assert_eq!(project.query(&query.replace("ORDER", &format!("WHERE {latest} ORDER"))), one);
    assert_eq!(project.query(&format!("{statistics} WHERE {latest}")), sums);
    let shown = project.probity(&["show", "adult-mlp@latest"]).expect(0).stdout.clone();
    assert!(shown.contains("sequential_1/dense_1/Relu:0"), "{shown}");
    // Fewer than 60 of these people are in some group of the race.
    run(&["--force", "--set", "privacy.suppress_below=60"]);
    let json = project.probity(&["show", "adult-mlp@latest", "--format", "json"]).expect(0).json();
    let layers = json["layers"].as_array().unwrap();
    assert!(layers.iter().any(|layer| layer["attribute"] == "race"));
    assert!(!layers.iter().any(|layer| layer["attribute"] == "race" && layer["group_value"] != ""));
    assert!(layers.iter().all(|layer| layer["minimum"].is_null()));
}

#[test]
fn feature_maps_show_cases_where_rows_may_be_seen() {
    let run = |more: &str| {
        let project = Project::empty();
        for file in ["pipelines/mnist-cnn.toml", "data/mnist-cnn.onnx", "data/mnist-cnn.parquet"] {
            project.write(file, fs::read(repository().join(file)).unwrap());
        }
        let quick =
            ["explain.rows=12", "explain.budget=16", "robustness.rows=1", "layers.rows=60", "layers.probes=false"];
        let sets = quick.iter().chain((!more.is_empty()).then_some(&more)).flat_map(|set| ["--set", *set]);
        let arguments = ["run", "pipelines/mnist-cnn.toml", "--as-of", DAY].into_iter().chain(sets);
        let ran = project.probity(&arguments.collect::<Vec<_>>());
        assert!([0, 1].contains(&ran.code), "{}", ran.stderr);
        let audit: Value = serde_json::from_str(&fs::read_to_string(project.stored(&["run.json"])).unwrap()).unwrap();
        (audit, fs::read_to_string(project.stored(&["report", ".html"])).unwrap())
    };
    let (audit, html) = run("");
    let layers = audit["feature_maps"].as_array().unwrap();
    assert!(!layers.is_empty());
    let cases: Vec<&Value> = audit["cases"].as_array().unwrap().iter().map(|case| &case["row_id"]).collect();
    for layer in layers {
        let units = layer["units"].as_array().unwrap();
        assert!(!units.is_empty() && units.len() <= 8);
        assert!(layer["rows"].as_array().unwrap().iter().all(|row| cases.contains(&&row["row_id"])));
        assert!(
            layer["rows"].as_array().unwrap().iter().all(|row| row["maps"].as_array().unwrap().len() == units.len())
        );
    }
    assert_eq!(html.matches("id=\"feature-maps-").count(), layers.len());
    assert!(html.len() < 2_000_000);
    let (audit, html) = run("privacy.suppress_below=3");
    assert!(audit["feature_maps"].is_array(), "the run keeps them, as it keeps cases");
    assert!(!html.contains("feature-maps-") && html.contains("feature maps of single rows"));
    let (audit, html) = run("privacy.drop=[\"pixels\"]");
    assert!(audit["feature_maps"].is_null() && !html.contains("feature-maps-"), "maps show outlines");
}
