//! How simple a model is: facts of it, a tree in its place and gates on both, through the binary.

use crate::project::{N_PEOPLE, Project};

const SURROGATE: &str = "[importance]\nmethods = [\"attribution\", \"permutation\", \"surrogate\"]";

fn with_surrogate() -> Project {
    let project = Project::new();
    project.edit("[importance]", SURROGATE);
    project
}

#[test]
fn facts_of_the_model_are_stored_told_and_drawn() {
    let project = with_surrogate();
    project.ran(0);
    let facts = project.query("SELECT metric, value, n FROM metrics WHERE attribute = '(model)' ORDER BY metric");
    let names: Vec<&str> = facts.iter().map(|fact| fact["metric"].as_str().unwrap()).collect();
    let expected = [
        "depth",
        "effective_features",
        "features_used",
        "leaves",
        "operators",
        "parameters",
        "surrogate_fidelity",
        "surrogate_r2",
        "trees",
    ];
    assert_eq!(names, expected);
    let value = |name: &str| facts.iter().find(|fact| fact["metric"] == name).unwrap()["value"].as_f64().unwrap();
    assert!(value("effective_features") > 1.0 && value("effective_features") <= value("features_used"));
    assert!((0.0..=1.0).contains(&value("surrogate_fidelity")) && value("surrogate_r2") <= 1.0);
    let nodes = project.query("SELECT * FROM surrogate_nodes ORDER BY node");
    assert!(nodes[0]["branch"] == "" && nodes[0]["n"] == (2 * N_PEOPLE).div_ceil(3));
    let leaves: f64 = nodes.iter().filter(|node| node["feature"].is_null()).map(|n| n["share"].as_f64().unwrap()).sum();
    assert!((leaves - 1.0).abs() < 1e-12, "leaves share all rows");
    let html = std::fs::read_to_string(project.stored(&["audit.html"])).unwrap();
    for part in ["How simple is the model", "The model as a small tree", "Effective number of features"] {
        assert!(html.contains(part), "the report says {part:?}");
    }
    let shown = project.probity(&["show", "credit@latest"]);
    shown.expect(0);
    assert!(shown.stdout.contains("fitted to the model's scores of 40 rows"), "{}", shown.stdout);
    let inspected = project.probity(&["inspect", "model.onnx", "--format", "json"]);
    assert!(inspected.stdout.contains("\"features_used\""), "{}", inspected.stdout);
}

#[test]
fn gates_on_facts_are_decided_and_one_on_the_tree_asks_for_it() {
    let project = Project::new();
    project.append("[[gates]]\nmetric = \"leaves\"\nmax = 1\nseverity = \"warn\"\n");
    project.append("[[gates]]\nmetric = \"depth\"\nmax = 60\n");
    project.append(
        "[[gates]]\nmetric = \"surrogate_fidelity\"\nmin = 0.99\ndecide_on = \"interval\"\nseverity = \"warn\"\n",
    );
    project.ran(0);
    let gates = project.query("SELECT metric, decision, n FROM gates WHERE metric <> 'accuracy' ORDER BY metric");
    let decided: Vec<(&str, &str)> =
        gates.iter().map(|gate| (gate["metric"].as_str().unwrap(), gate["decision"].as_str().unwrap())).collect();
    // 20 rows are held out of 60, and 30 are asked for.
    assert_eq!(decided, [("depth", "pass"), ("leaves", "fail"), ("surrogate_fidelity", "insufficient")]);
    assert_eq!(gates[2]["n"], 20);
}

#[test]
fn a_model_without_trees_has_a_reason_instead_of_a_depth() {
    let project = Project::new();
    project.model("mlp").edit(", \"age\"]", "]").append("[[gates]]\nmetric = \"depth\"\nmax = 6\n");
    project.ran(4);
    let reason = project.value("SELECT undefined_reason FROM metrics WHERE metric = 'depth'");
    assert_eq!(reason, "the model is no tree ensemble");
    assert!(project.value("SELECT value FROM metrics WHERE metric = 'parameters'").as_f64().unwrap() > 1.0);
}

#[test]
fn a_gate_on_the_model_over_groups_is_refused_with_its_place() {
    let project = Project::new();
    project.append("[[gates]]\nmetric = \"leaves\"\nattribute = \"sex\"\nmax = 1\n");
    project.run(&[]).expect(2).says(&["leaves", "fact of the model as a whole", "leave the attribute out"]);
    let project = Project::new();
    project.append("[[gates]]\nmetric = \"surrogate_fidelty\"\nmin = 0.5\n");
    project.run(&[]).expect(2).says(&["surrogate_fidelity"]);
}

#[test]
fn columns_are_shuffled_in_groups_and_within_strata() {
    let project = Project::new();
    project.edit(
        "[importance]",
        "[[importance.groups]]\nname = \"money\"\ncolumns = [\"income\", \"debt\"]\n\n[importance]\nstrata = [\"owner\"]",
    );
    project.ran(0);
    let rows = project.query("SELECT method, feature, value FROM importance WHERE method LIKE 'permutation%'");
    let of = |method: &str| rows.iter().filter(|row| row["method"] == method).collect::<Vec<_>>();
    assert_eq!([of("permutation").len(), of("permutation_conditional").len()], [5, 5]);
    assert_eq!(of("permutation_groups")[0]["feature"], "money");
    assert_eq!(of("permutation_groups_conditional").len(), 1);
    let own = of("permutation_conditional").into_iter().find(|row| row["feature"] == "owner").unwrap();
    assert_eq!(own["value"], 0.0, "within strata of itself a column moves nothing");
    let html = std::fs::read_to_string(project.stored(&["audit.html"])).unwrap();
    for part in ["Permutation importance of groups", "within strata", "agree in `owner`: 2 strata of 60 rows"] {
        assert!(html.contains(part), "the report says {part:?}");
    }
}

#[test]
fn groups_and_strata_of_what_the_model_does_not_see_are_refused() {
    let project = Project::new();
    project.edit(
        "[importance]",
        "[[importance.groups]]\nname = \"a\"\ncolumns = [\"incom\"]\n\n[importance]\nstrata = [\"sex\"]",
    );
    project.run(&[]).expect(2).says(&["`incom` does not feed the model", "income", "`sex` does not feed the model"]);
}

#[test]
fn values_of_dropped_columns_are_not_in_the_tree() {
    let project = with_surrogate();
    project.append("[privacy]\ndrop = [\"income\", \"children\", \"debt\", \"owner\", \"age\"]\n");
    project.ran(0);
    let told = project.query("SELECT feature, threshold FROM surrogate_nodes WHERE feature IS NOT NULL");
    assert!(!told.is_empty() && told.iter().all(|node| node["threshold"].is_null()), "{told:?}");
}

#[test]
fn neither_threads_nor_batches_change_the_tree() {
    let nodes = |arguments: &[&str]| {
        let project = with_surrogate();
        project.run(arguments).expect(0);
        project.query("SELECT node, feature, threshold, value, share FROM surrogate_nodes ORDER BY node")
    };
    assert_eq!(nodes(&["--threads", "1"]), nodes(&["--threads", "2", "--batch-rows", "1024"]));
}
