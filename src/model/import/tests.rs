//! Small graphs, from bytes to structure; expected numbers are worked by hand after ONNX Runtime's rules.

use super::*;
use crate::forest::Link;
use crate::model::onnx::proto::{AttributeProto, NodeProto, ValueInfoProto};
use crate::model::onnx::testing::{
    decoded, double_input, double_tensor, float_input, floats, graph, input, int, int_tensor, ints, ml, node, output,
    stump_attributes, tensor, tensor_attribute, text, texts,
};
use crate::model::onnx::{ElementType, Graph};

fn built(nodes: Vec<NodeProto>, inputs: Vec<ValueInfoProto>, outputs: &[&str]) -> Graph {
    decoded(graph(nodes, inputs, outputs.iter().map(|name| output(name)).collect()))
}

fn forest(graph: &Graph) -> ForestModel {
    match recognise(graph) {
        Structure::Forest(model) => model,
        other => panic!("not a forest: {other:?}"),
    }
}

fn linear(graph: &Graph) -> LinearModel {
    match recognise(graph) {
        Structure::Linear(model) => model,
        other => panic!("not linear: {other:?}"),
    }
}

fn why(graph: &Graph) -> String {
    match recognise(graph) {
        Structure::Opaque { why } => why,
        other => panic!("not opaque: {other:?}"),
    }
}

/// A copy of attributes with some replaced or added.
fn with(mut attributes: Vec<AttributeProto>, changes: Vec<AttributeProto>) -> Vec<AttributeProto> {
    attributes.retain(|each| changes.iter().all(|change| change.name != each.name));
    attributes.extend(changes);
    attributes
}

fn regressor(attributes: Vec<AttributeProto>) -> Graph {
    built(vec![ml("TreeEnsembleRegressor", &["x"], &["y"], attributes)], vec![float_input("x", 1)], &["y"])
}

/// `x[0] <= 0.5`: votes by class for the leaf where it holds and where it does not.
fn classifier(yes: &[(i64, f32)], no: &[(i64, f32)], n_classes: i64, changes: Vec<AttributeProto>) -> Graph {
    let votes: Vec<(i64, i64, f32)> =
        yes.iter().map(|(id, w)| (1, *id, *w)).chain(no.iter().map(|(id, w)| (2, *id, *w))).collect();
    let column = |get: fn(&(i64, i64, f32)) -> i64| votes.iter().map(get).collect::<Vec<_>>();
    let attributes = vec![
        ints("class_treeids", &vec![0; votes.len()]),
        ints("class_nodeids", &column(|vote| vote.0)),
        ints("class_ids", &column(|vote| vote.1)),
        floats("class_weights", &votes.iter().map(|vote| vote.2).collect::<Vec<_>>()),
        ints("classlabels_int64s", &(0..n_classes).collect::<Vec<_>>()),
    ];
    let attributes = with(with(stump_attributes("BRANCH_LEQ", 0.5), attributes), changes);
    built(
        vec![ml("TreeEnsembleClassifier", &["x"], &["label", "p"], attributes)],
        vec![float_input("x", 1)],
        &["label", "p"],
    )
}

fn reported(model: &ForestModel, x: &[f64]) -> Vec<f64> {
    model.report.reported(&model.margin(x))
}

fn close(found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len(), "{found:?} {expected:?}");
    for (f, e) in found.iter().zip(expected) {
        assert!((f - e).abs() < 1e-6, "{found:?} {expected:?}");
    }
}

const BELOW_ON_ABOVE_MISSING: [f64; 4] = [0.0, 0.5, 1.0, f64::NAN];

#[test]
fn every_branch_mode_decides_on_below_above_exactly_on_the_threshold_and_missing() {
    for (mode, expected) in [
        ("BRANCH_LEQ", [-1.0, -1.0, 2.0, 2.0]),
        ("BRANCH_LT", [-1.0, 2.0, 2.0, 2.0]),
        ("BRANCH_GTE", [2.0, -1.0, -1.0, 2.0]),
        ("BRANCH_GT", [2.0, 2.0, -1.0, 2.0]),
        ("BRANCH_EQ", [2.0, -1.0, 2.0, 2.0]),
        // NaN differs from the threshold.
        ("BRANCH_NEQ", [-1.0, 2.0, -1.0, -1.0]),
    ] {
        let model = forest(&regressor(stump_attributes(mode, 0.5)));
        assert_eq!(BELOW_ON_ABOVE_MISSING.map(|x| model.margin(&[x])[0]), expected, "{mode}");
        let tracked = with(stump_attributes(mode, 0.5), vec![ints("nodes_missing_value_tracks_true", &[1, 0, 0])]);
        assert_eq!(forest(&regressor(tracked)).margin(&[f64::NAN]), [-1.0], "{mode}");
    }
}

#[test]
fn modes_may_differ_from_node_to_node() {
    // x <= 0.5 ? 1 : (x > 2 ? 10 : 100)
    let attributes = vec![
        ints("nodes_treeids", &[0; 5]),
        ints("nodes_nodeids", &[0, 1, 2, 3, 4]),
        ints("nodes_featureids", &[0; 5]),
        texts("nodes_modes", &["BRANCH_LEQ", "LEAF", "BRANCH_GT", "LEAF", "LEAF"]),
        floats("nodes_values", &[0.5, 0.0, 2.0, 0.0, 0.0]),
        ints("nodes_truenodeids", &[1, 0, 3, 0, 0]),
        ints("nodes_falsenodeids", &[2, 0, 4, 0, 0]),
        ints("target_treeids", &[0; 3]),
        ints("target_nodeids", &[1, 3, 4]),
        ints("target_ids", &[0; 3]),
        floats("target_weights", &[1.0, 10.0, 100.0]),
        int("n_targets", 1),
    ];
    let model = forest(&regressor(attributes));
    assert_eq!([0.5, 0.6, 2.0, 2.1].map(|x| model.margin(&[x])[0]), [1.0, 100.0, 100.0, 10.0]);
    assert_eq!(model.origins, [TreeOrigin { tree_id: 0, node_ids: vec![0, 1, 2, 3, 4], hitrates: vec![] }]);
}

#[test]
fn thresholds_are_compared_at_the_precision_of_the_input() {
    let attributes = stump_attributes("BRANCH_LEQ", 0.1);
    let single = forest(&regressor(attributes.clone()));
    let double = forest(&built(
        vec![ml("TreeEnsembleRegressor", &["x"], &["y"], attributes)],
        vec![double_input("x", 1)],
        &["y"],
    ));
    assert_eq!((single.input.element, double.input.element), (ElementType::Float, ElementType::Double));
    // Between 0.1f and the next float32: on the threshold once rounded.
    let x = f64::from(0.1_f32) + 1e-10;
    assert_eq!(single.margin(&[single.input.round(x)]), [-1.0]);
    assert_eq!(double.margin(&[double.input.round(x)]), [2.0]);
}

#[test]
fn double_tensors_keep_their_digits() {
    let threshold = 0.1 + 1e-12;
    let mut attributes = with(
        stump_attributes("BRANCH_LEQ", 0.0),
        vec![
            tensor_attribute("nodes_values_as_tensor", double_tensor("", &[threshold, 0.0, 0.0])),
            tensor_attribute("target_weights_as_tensor", double_tensor("", &[1.0 / 3.0, 2.0])),
            tensor_attribute("base_values_as_tensor", double_tensor("", &[1e-9])),
        ],
    );
    attributes.retain(|each| each.name != "nodes_values" && each.name != "target_weights");
    let model = forest(&built(
        vec![ml("TreeEnsembleRegressor", &["x"], &["y"], attributes)],
        vec![double_input("x", 1)],
        &["y"],
    ));
    assert_eq!(model.margin(&[threshold]), [1e-9 + 1.0 / 3.0]);
    assert_eq!(model.margin(&[threshold.next_up()]), [1e-9 + 2.0]);
}

#[test]
fn an_average_divides_the_trees_but_not_the_base_value() {
    let two_trees = vec![
        ints("nodes_treeids", &[0, 1]),
        ints("nodes_nodeids", &[0, 0]),
        ints("nodes_featureids", &[0, 0]),
        texts("nodes_modes", &["LEAF", "LEAF"]),
        floats("nodes_values", &[0.0, 0.0]),
        ints("nodes_truenodeids", &[0, 0]),
        ints("nodes_falsenodeids", &[0, 0]),
        ints("target_treeids", &[0, 1]),
        ints("target_nodeids", &[0, 0]),
        ints("target_ids", &[0, 0]),
        floats("target_weights", &[3.0, 5.0]),
        floats("base_values", &[10.0]),
        int("n_targets", 1),
    ];
    let of = |aggregate| regressor(with(two_trees.clone(), vec![text("aggregate_function", aggregate)]));
    assert_eq!(forest(&of("SUM")).margin(&[0.0]), [18.0]);
    assert_eq!(forest(&of("AVERAGE")).margin(&[0.0]), [14.0]);
    for refused in ["MIN", "MAX"] {
        let why = why(&of(refused));
        assert!(why.contains("`TreeEnsembleRegressor`") && why.contains(refused), "{why}");
    }
}

#[test]
fn a_leaf_without_weight_adds_its_node_value_to_a_single_output() {
    let changes = vec![
        floats("nodes_values", &[0.5, 0.0, 7.0]),
        ints("target_treeids", &[0]),
        ints("target_nodeids", &[1]),
        ints("target_ids", &[0]),
        floats("target_weights", &[-1.0]),
    ];
    let model = forest(&regressor(with(stump_attributes("BRANCH_LEQ", 0.5), changes)));
    assert_eq!([0.0, 1.0].map(|x| model.margin(&[x])[0]), [-1.0, 7.0]);
}

#[test]
fn links_are_not_applied_to_a_single_target() {
    for transform in ["LOGISTIC", "SOFTMAX"] {
        let model =
            forest(&regressor(with(stump_attributes("BRANCH_LEQ", 0.5), vec![text("post_transform", transform)])));
        assert_eq!(reported(&model, &[0.0]), [-1.0]);
        assert_eq!(model.binary_margin_output(), None);
    }
}

#[test]
fn one_stored_class_becomes_two_probabilities() {
    let sigma = |x: f64| 1.0 / (1.0 + (-x).exp());
    let logistic = || vec![text("post_transform", "LOGISTIC"), floats("base_values", &[0.25])];
    let model = forest(&classifier(&[(0, -0.7)], &[(0, 0.3)], 2, logistic()));
    assert_eq!((model.forest.n_outputs, model.forest.link), (1, Link::Logistic));
    assert_eq!(model.binary_margin_output(), Some(0));
    close(&model.margin(&[0.0]), &[-0.45]);
    close(&reported(&model, &[1.0]), &[1.0 - sigma(0.55), sigma(0.55)]);
    // Without a link, positive weights are probabilities and mixed ones raw scores.
    let model = forest(&classifier(&[(0, 0.7)], &[(0, 0.3)], 2, vec![]));
    close(&reported(&model, &[0.0]), &[0.3, 0.7]);
    let model = forest(&classifier(&[(0, -0.7)], &[(0, 0.3)], 2, vec![text("post_transform", "SOFTMAX")]));
    close(&reported(&model, &[0.0]), &[0.7, -0.7]);
}

#[test]
fn a_second_class_alone_leaves_the_first_at_zero() {
    let model = forest(&classifier(&[(1, -0.7)], &[(1, 0.3)], 2, vec![text("post_transform", "SOFTMAX")]));
    let e = (-0.7_f64).exp();
    close(&reported(&model, &[0.0]), &[1.0 / (1.0 + e), e / (1.0 + e)]);
    assert_eq!(model.binary_margin_output(), Some(1));
}

#[test]
fn two_stored_classes_keep_two_margins_unless_they_mirror_each_other() {
    let model = forest(&classifier(&[(0, 0.7), (1, 0.3)], &[(0, 0.1), (1, 0.9)], 2, vec![]));
    assert_eq!((model.forest.n_outputs, model.binary_margin_output()), (2, Some(1)));
    close(&reported(&model, &[1.0]), &[0.1, 0.9]);
    let logistic = vec![text("post_transform", "LOGISTIC")];
    let model = forest(&classifier(&[(0, 0.7), (1, -0.7)], &[(0, -2.0), (1, 2.0)], 2, logistic));
    assert_eq!((model.forest.n_outputs, model.binary_margin_output()), (1, Some(0)));
    close(&model.margin(&[1.0]), &[2.0]);
}

#[test]
fn classifiers_that_the_runtime_reports_row_by_row_are_refused() {
    let some_rows = classifier(&[(0, 0.7)], &[(0, 0.1), (1, 0.9)], 2, vec![]);
    assert!(why(&some_rows).contains("no vote for the second class"));
    let two_bases = classifier(&[(0, 0.7)], &[(0, 0.1)], 2, vec![floats("base_values", &[0.1, 0.2])]);
    assert!(why(&two_bases).contains("two base values"));
    let probit = classifier(&[(0, 0.7)], &[(0, 0.1)], 2, vec![text("post_transform", "PROBIT")]);
    assert!(why(&probit).contains("PROBIT"));
}

#[test]
fn several_classes_have_margins_in_class_order() {
    let changes = vec![text("post_transform", "SOFTMAX"), floats("base_values", &[0.1, 0.2, 0.3])];
    let model = forest(&classifier(&[(2, 0.5)], &[(0, -1.0)], 3, changes));
    close(&model.margin(&[0.0]), &[0.1, 0.2, 0.8]);
    assert_eq!((model.forest.link, model.binary_margin_output()), (Link::Softmax, None));
    assert!((reported(&model, &[1.0]).iter().sum::<f64>() - 1.0).abs() < 1e-12);
}

/// Two splits in one tree: `x[0] in {1, 2.5}` and `x[1] <= 0.5`, leaves 1, 2, 3.
fn v5(membership: &[f32], aggregate: i64) -> Graph {
    let modes = crate::model::onnx::proto::TensorProto {
        dims: vec![2],
        data_type: 2,
        raw_data: Some(vec![6, 0]),
        ..Default::default()
    };
    let attributes = vec![
        int("n_targets", 1),
        tensor_attribute("nodes_modes", modes),
        tensor_attribute("nodes_splits", tensor("", &[2], &[0.0, 0.5])),
        tensor_attribute("membership_values", tensor("", &[membership.len() as i64], membership)),
        ints("nodes_featureids", &[0, 1]),
        ints("nodes_truenodeids", &[0, 1]),
        ints("nodes_trueleafs", &[1, 1]),
        ints("nodes_falsenodeids", &[1, 2]),
        ints("nodes_falseleafs", &[0, 1]),
        ints("nodes_missing_value_tracks_true", &[1, 0]),
        tensor_attribute("leaf_weights", tensor("", &[3], &[1.0, 2.0, 3.0])),
        ints("leaf_targetids", &[0, 0, 0]),
        ints("tree_roots", &[0]),
        int("aggregate_function", aggregate),
    ];
    built(vec![ml("TreeEnsemble", &["x"], &["y"], attributes)], vec![float_input("x", 2)], &["y"])
}

#[test]
fn version_5_reads_sets_separated_by_nan_and_shared_leaf_numbers() {
    let model = forest(&v5(&[1.0, 2.5, f32::NAN], 1));
    let at = |a: f64, b: f64| model.margin(&[a, b])[0];
    assert_eq!([at(1.0, 0.0), at(2.5, 9.0), at(f64::NAN, 9.0)], [1.0; 3]);
    assert_eq!([at(2.0, 0.5), at(2.0, 0.6), at(2.0, f64::NAN)], [2.0, 3.0, 3.0]);
    assert!(why(&v5(&[1.0, f32::NAN], 2)).contains("MIN"));
}

#[test]
fn a_version_5_tree_of_one_leaf_has_no_split() {
    let modes = crate::model::onnx::proto::TensorProto {
        dims: vec![1],
        data_type: 2,
        raw_data: Some(vec![0]),
        ..Default::default()
    };
    let attributes = vec![
        int("n_targets", 1),
        tensor_attribute("nodes_modes", modes),
        tensor_attribute("nodes_splits", tensor("", &[1], &[0.5])),
        ints("nodes_featureids", &[0]),
        ints("nodes_truenodeids", &[0]),
        ints("nodes_trueleafs", &[1]),
        ints("nodes_falsenodeids", &[0]),
        ints("nodes_falseleafs", &[1]),
        tensor_attribute("leaf_weights", tensor("", &[1], &[4.0])),
        ints("leaf_targetids", &[0]),
        ints("tree_roots", &[0]),
    ];
    let graph = built(vec![ml("TreeEnsemble", &["x"], &["y"], attributes)], vec![float_input("x", 1)], &["y"]);
    let model = forest(&graph);
    assert_eq!((model.forest.n_leaves(), model.forest.depth(), model.margin(&[9.0])), (1, 0, vec![4.0]));
}

#[test]
fn contradicting_attributes_are_refused_with_their_name() {
    let short = with(stump_attributes("BRANCH_LEQ", 0.5), vec![ints("nodes_featureids", &[0, 0])]);
    assert!(why(&regressor(short)).contains("`nodes_featureids` has 2 values instead of 3"));
    let unknown =
        with(stump_attributes("BRANCH_LEQ", 0.5), vec![texts("nodes_modes", &["BRANCH_MAYBE", "LEAF", "LEAF"])]);
    assert!(why(&regressor(unknown)).contains("BRANCH_MAYBE"));
    let dangling = with(stump_attributes("BRANCH_LEQ", 0.5), vec![ints("nodes_truenodeids", &[9, 0, 0])]);
    assert!(why(&regressor(dangling)).contains("points to node 9"));
    let cyclic = with(stump_attributes("BRANCH_LEQ", 0.5), vec![ints("nodes_truenodeids", &[0, 0, 0])]);
    assert!(why(&regressor(cyclic)).contains("back to itself"));
    let wide = with(stump_attributes("BRANCH_LEQ", 0.5), vec![ints("nodes_featureids", &[3, 0, 0])]);
    assert!(why(&regressor(wide)).contains("feature 3 of 1"));
    let many = with(stump_attributes("BRANCH_LEQ", 0.5), vec![int("n_targets", i64::MAX)]);
    assert!(why(&regressor(many)).contains("outputs"));
}

/// Number and text column, scaled and one-hot encoded, in front of a tree on the second category.
#[test]
fn one_hot_features_belong_to_their_raw_column() {
    let nodes = vec![
        ml("Scaler", &["age"], &["scaled"], vec![floats("offset", &[10.0]), floats("scale", &[0.5])]),
        ml("OneHotEncoder", &["sex"], &["hot"], vec![texts("cats_strings", &["f", "m"])]),
        node("Reshape", &["hot", "flat"], &["encoded"], vec![]),
        node("Concat", &["scaled", "encoded"], &["features"], vec![int("axis", 1)]),
        ml(
            "TreeEnsembleRegressor",
            &["features"],
            &["y"],
            with(stump_attributes("BRANCH_LEQ", 0.5), vec![ints("nodes_featureids", &[2, 0, 0])]),
        ),
    ];
    let mut proto = graph(nodes, vec![float_input("age", 1), input("sex", 8, 1)], vec![output("y")]);
    proto.initializer = vec![int_tensor("flat", &[-1, 2])];
    let model = forest(&decoded(proto));
    let column = |input: &str| FeatureSource::Column { input: input.into(), index: 0 };
    assert_eq!(model.input.columns, [column("age"), column("sex"), column("sex")]);
    assert_eq!((model.input.tensor.as_str(), model.input.is_graph_input), ("features", false));
    assert_eq!(model.input.mixed(), None);
    assert_eq!(model.margin(&[0.0, 0.0, 1.0]), [2.0]);
}

#[test]
fn columns_are_followed_through_selection_imputation_and_missing_flags() {
    let nodes = vec![
        ml("ArrayFeatureExtractor", &["x", "picked"], &["some"], vec![]),
        ml("Imputer", &["some"], &["filled"], vec![floats("imputed_value_floats", &[0.0, 0.0])]),
        node("IsNaN", &["x"], &["isnan"], vec![]),
        node("Cast", &["isnan"], &["flags"], vec![int("to", 1)]),
        node("Split", &["flags"], &["first", "rest"], vec![int("axis", 1), ints("split", &[1, 2])]),
        node("Concat", &["filled", "rest"], &["features"], vec![int("axis", -1)]),
        ml("TreeEnsembleRegressor", &["features"], &["y"], stump_attributes("BRANCH_LEQ", 0.5)),
    ];
    let mut proto = graph(nodes, vec![float_input("x", 3)], vec![output("y")]);
    proto.initializer = vec![int_tensor("picked", &[2, 0])];
    let indices: Vec<usize> = forest(&decoded(proto))
        .input
        .columns
        .into_iter()
        .map(|source| match source {
            FeatureSource::Column { index, .. } => index,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(indices, [2, 0, 1, 2]);
}

#[test]
fn a_weight_matrix_mixes_only_the_columns_with_weights() {
    let nodes = vec![
        node("MatMul", &["x", "blocks"], &["mixed"], vec![]),
        ml("TreeEnsembleRegressor", &["mixed"], &["y"], stump_attributes("BRANCH_LEQ", 0.5)),
    ];
    let mut proto = graph(nodes, vec![float_input("x", 3)], vec![output("y")]);
    proto.initializer = vec![tensor("blocks", &[3, 3], &[2.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, -1.0, 0.0])];
    let model = forest(&decoded(proto));
    assert_eq!(model.input.columns[0], FeatureSource::Column { input: "x".into(), index: 0 });
    assert_eq!(model.input.columns[1], FeatureSource::Several(vec![("x".into(), 1), ("x".into(), 2)]));
    assert_eq!(model.input.columns[2], FeatureSource::Constant);
    assert!(model.input.mixed().unwrap().contains("`x`[1]"));
}

#[test]
fn operators_behind_the_trees_are_folded_in() {
    // p = σ(2·trees − 1), reported as [1 − p, p] of one estimator.
    let nodes = vec![
        ml("TreeEnsembleRegressor", &["x"], &["sum"], stump_attributes("BRANCH_LEQ", 0.5)),
        node("Mul", &["sum", "two"], &["twice"], vec![]),
        node("Sub", &["twice", "one"], &["margin"], vec![]),
        node("Sigmoid", &["margin"], &["p1"], vec![]),
        node("Sub", &["one", "p1"], &["p0"], vec![]),
        node("Concat", &["p0", "p1"], &["p"], vec![int("axis", 1)]),
        node("ArgMax", &["p"], &["label"], vec![int("axis", 1)]),
    ];
    let mut proto = graph(nodes, vec![float_input("x", 1)], vec![output("label"), output("p")]);
    proto.initializer = vec![tensor("one", &[1], &[1.0]), tensor("two", &[1], &[2.0])];
    let model = forest(&decoded(proto));
    assert_eq!(model.margin(&[0.0]), [-3.0]);
    assert_eq!((model.binary_margin_output(), model.output.as_str()), (Some(0), "p"));
    let p = 1.0 / (1.0 + 3_f64.exp());
    close(&reported(&model, &[0.0]), &[1.0 - p, p]);
}

#[test]
fn ensembles_over_one_tensor_are_added_and_joined() {
    let tree = |output: &str, threshold| {
        ml("TreeEnsembleRegressor", &["x"], &[output], stump_attributes("BRANCH_LEQ", threshold))
    };
    let nodes = vec![
        tree("a", 0.0),
        tree("b", 1.0),
        node("Add", &["a", "b"], &["both"], vec![]),
        node("Neg", &["a"], &["minus"], vec![]),
        node("Concat", &["both", "minus"], &["y"], vec![int("axis", 1)]),
        node("Softmax", &["y"], &["p"], vec![]),
    ];
    let model = forest(&built(nodes, vec![float_input("x", 1)], &["p"]));
    assert_eq!(model.forest.link, Link::Softmax);
    assert_eq!(model.margin(&[0.5]), [2.0 - 1.0, -2.0]);
    assert_eq!(model.margin(&[-1.0]), [-2.0, 1.0]);
}

#[test]
fn ensembles_over_different_tensors_are_refused() {
    let nodes = vec![
        ml("Scaler", &["x"], &["s"], vec![floats("offset", &[0.0]), floats("scale", &[1.0])]),
        ml("TreeEnsembleRegressor", &["x"], &["a"], stump_attributes("BRANCH_LEQ", 0.5)),
        ml("TreeEnsembleRegressor", &["s"], &["b"], stump_attributes("BRANCH_LEQ", 0.5)),
        node("Add", &["a", "b"], &["y"], vec![]),
    ];
    assert!(why(&built(nodes, vec![float_input("x", 1)], &["y"])).contains("different tensors `x` and `s`"));
}

#[test]
fn a_function_of_the_sum_is_not_a_link_and_is_named() {
    let nodes = vec![
        ml("TreeEnsembleRegressor", &["x"], &["a"], stump_attributes("BRANCH_LEQ", 0.5)),
        node("Exp", &["a"], &["y"], vec![]),
    ];
    assert!(why(&built(nodes, vec![float_input("x", 1)], &["y"])).contains("`Exp`"));
    let foreign = NodeProto { domain: "com.example".into(), ..node("Magic", &["x"], &["y"], vec![]) };
    let why = why(&built(vec![foreign], vec![float_input("x", 1)], &["y"]));
    assert!(why.contains("`Magic`") && why.contains("com.example"), "{why}");
}

#[test]
fn linear_operators_and_their_links() {
    let attributes = |post: &str, intercepts: &[f32], coefficients: &[f32]| {
        vec![
            floats("coefficients", coefficients),
            floats("intercepts", intercepts),
            text("post_transform", post),
            ints("classlabels_ints", &[0, 1]),
        ]
    };
    let of = |attributes| {
        let node = ml("LinearClassifier", &["x"], &["label", "p"], attributes);
        linear(&built(vec![node], vec![float_input("x", 2)], &["label", "p"]))
    };
    let single = of(attributes("LOGISTIC", &[0.5], &[1.0, -2.0]));
    assert_eq!(single.margin(&[1.0, 1.0]), [-0.5]);
    // What scikit-learn's converter writes: two rows that mirror each other.
    let mirrored = of(attributes("LOGISTIC", &[-0.5, 0.5], &[-1.0, 2.0, 1.0, -2.0]));
    assert_eq!((mirrored.weights, mirrored.intercepts), (single.weights.clone(), single.intercepts.clone()));
    assert_eq!(mirrored.report, single.report);
    let p = 1.0 / (1.0 + 0.5_f64.exp());
    close(&single.report.reported(&[-0.5]), &[1.0 - p, p]);
    let raw = of(attributes("NONE", &[0.5], &[1.0, -2.0]));
    close(&raw.report.reported(&[-0.5]), &[1.5, -0.5]);
}

#[test]
fn a_gemm_with_a_sigmoid_is_linear_and_two_products_are_one() {
    let nodes = vec![
        node("MatMul", &["x", "a"], &["h"], vec![]),
        node("Gemm", &["h", "b", "c"], &["z"], vec![int("transB", 1)]),
        node("Sigmoid", &["z"], &["p"], vec![]),
    ];
    let mut proto = graph(nodes, vec![float_input("x", 2)], vec![output("p")]);
    proto.initializer = vec![
        tensor("a", &[2, 2], &[1.0, 2.0, 3.0, 4.0]),
        tensor("b", &[1, 2], &[10.0, 1.0]),
        tensor("c", &[1], &[0.25]),
    ];
    let model = linear(&decoded(proto));
    assert_eq!(model.weights, ndarray::array![[12.0, 34.0]]);
    assert_eq!((model.intercepts.as_slice(), model.binary_margin_output()), ([0.25].as_slice(), Some(0)));
}

#[test]
fn a_hidden_layer_makes_a_network_opaque() {
    let nodes = vec![
        node("MatMul", &["x", "w"], &["h"], vec![]),
        node("Relu", &["h"], &["r"], vec![]),
        node("MatMul", &["r", "w"], &["y"], vec![]),
    ];
    let mut proto = graph(nodes, vec![float_input("x", 2)], vec![output("y")]);
    proto.initializer = vec![tensor("w", &[2, 2], &[1.0, 2.0, 3.0, 4.0])];
    assert!(why(&decoded(proto)).contains("`r` depends on several columns"));
}

#[test]
fn an_output_can_be_chosen_by_name() {
    let nodes = vec![
        ml("TreeEnsembleRegressor", &["x"], &["a"], stump_attributes("BRANCH_LEQ", 0.0)),
        ml("TreeEnsembleRegressor", &["x"], &["b"], stump_attributes("BRANCH_LEQ", 1.0)),
    ];
    let graph = built(nodes, vec![float_input("x", 1)], &["a", "b"]);
    assert!(why(&graph).contains("`a`, `b`"));
    let Structure::Forest(model) = recognise_output(&graph, "b") else { panic!("b is a forest") };
    assert_eq!(model.margin(&[0.5]), [-1.0]);
}

#[test]
fn a_few_nodes_cannot_ask_for_endless_memory() {
    let mut nodes = vec![ml("TreeEnsembleRegressor", &["x"], &["s0"], stump_attributes("BRANCH_LEQ", 0.5))];
    for step in 0..60 {
        let (from, minus, to) = (format!("s{step}"), format!("m{step}"), format!("s{}", step + 1));
        nodes.push(node("Neg", &[&from], &[&minus], vec![]));
        nodes.push(node("Concat", &[&from, &minus], &[&to], vec![int("axis", 1)]));
    }
    let why = why(&built(nodes, vec![float_input("x", 1)], &["s60"]));
    assert!(why.contains("more than"), "{why}");
}
