//! What `inspect` says about a model.

use super::attribute::Attribute;
use super::complexity::Complexity;
use super::element::ElementType;
use super::graph::{Graph, Node, Port};
use super::shape::shapes;
use super::tensor::Tensor;
use crate::model::import::{Structure, recognise};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    pub producer: String,
    pub ir_version: i64,
    /// Domain ("ai.onnx" is the standard one) to version.
    pub opsets: BTreeMap<String, i64>,
    pub inputs: Vec<PortSummary>,
    pub outputs: Vec<PortSummary>,
    /// Operator to number of nodes.
    pub operators: BTreeMap<String, u64>,
    /// Nodes in order of computation.
    pub layers: Vec<Layer>,
    /// Numbers learnt: weights, thresholds and leaves; each tensor counts once.
    pub parameters: u64,
    /// "tree ensemble: 200 trees, 5,352 leaves, depth 6".
    pub structure: String,
    /// How large the structure is.
    pub complexity: Complexity,
    /// What makes the model hard to explain or to reproduce.
    pub warnings: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PortSummary {
    pub name: String,
    /// "float32[N, 12]".
    pub r#type: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Layer {
    /// The node's name, or its first output.
    pub name: String,
    pub op: String,
    /// Shape of the first output: "[N, 32]", or "?".
    pub shape: String,
    pub parameters: u64,
    /// Per row; `None` where a shape is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub multiply_adds: Option<u64>,
}

/// Above these, a reader should think twice whether the model can be overseen.
const MANY_PARAMETERS: u64 = 10_000_000;
const MANY_TREES: usize = 1_000;
const DEEP_TREE: usize = 12;
const MANY_LEAVES: usize = 100_000;

/// Summarises a graph without running it.
pub fn summary(graph: &Graph) -> Summary {
    let structure = recognise(graph);
    let layers = layers(graph);
    let parameters = layers.iter().map(|layer| layer.parameters).sum();
    let mut operators = BTreeMap::new();
    for node in &graph.nodes {
        *operators.entry(qualified(node)).or_insert(0) += 1;
    }
    Summary {
        producer: graph.producer.clone(),
        ir_version: graph.ir_version,
        opsets: graph.opsets.iter().map(|opset| (domain_name(&opset.domain), opset.version)).collect(),
        inputs: graph.inputs.iter().map(PortSummary::from).collect(),
        outputs: graph.outputs.iter().map(PortSummary::from).collect(),
        structure: describe(graph, &structure, parameters),
        complexity: Complexity::of(&structure),
        warnings: warnings(graph, &structure, parameters),
        operators,
        layers,
        parameters,
    }
}

impl From<&Port> for PortSummary {
    fn from(port: &Port) -> PortSummary {
        PortSummary { name: port.name.clone(), r#type: port.value.to_string() }
    }
}

fn domain_name(domain: &str) -> String {
    if domain.is_empty() { "ai.onnx".to_owned() } else { domain.to_owned() }
}

fn qualified(node: &Node) -> String {
    match node.domain.as_str() {
        "" | "ai.onnx.ml" => node.op_type.clone(),
        domain => format!("{domain}.{}", node.op_type),
    }
}

fn layers(graph: &Graph) -> Vec<Layer> {
    let shapes = shapes(graph);
    let mut counted = BTreeSet::new();
    let mut layers = Vec::with_capacity(graph.nodes.len());
    for node in &graph.nodes {
        let output = node.outputs.first().map_or("", String::as_str);
        let shape = shapes.get(output).map_or_else(
            || "?".to_owned(),
            |dims| format!("[{}]", dims.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")),
        );
        let name = if node.name.is_empty() { output } else { &node.name };
        let parameters = parameters_of(graph, node, &mut counted);
        layers.push(Layer { name: name.to_owned(), op: qualified(node), shape, parameters, multiply_adds: None });
    }
    layers
}

/// Learnt numbers of some nodes, each tensor once.
pub fn parameters<'n>(graph: &Graph, nodes: impl IntoIterator<Item = &'n Node>) -> u64 {
    let mut counted = BTreeSet::new();
    nodes.into_iter().fold(0, |sum: u64, node| sum.saturating_add(parameters_of(graph, node, &mut counted)))
}

/// Learnt numbers of a node: floating-point or quantised initializers that no earlier node has counted, and what
/// `ai.onnx.ml` operators carry as attributes.
fn parameters_of(graph: &Graph, node: &Node, counted: &mut BTreeSet<String>) -> u64 {
    let mut total = attribute_parameters(node);
    for input in &node.inputs {
        let weight = graph.element_of(input).is_some_and(is_weight_type);
        if weight
            && let Some(size) = graph.initializer_size(input)
            && counted.insert(input.clone())
        {
            total = total.saturating_add(size);
        }
    }
    total
}

fn is_weight_type(element: ElementType) -> bool {
    use ElementType::{BFloat16, Double, Float, Float16, Int8, UInt8};
    matches!(element, Float | Double | Float16 | BFloat16 | Int8 | UInt8)
}

fn attribute_parameters(node: &Node) -> u64 {
    const LEARNT: [&str; 12] = [
        "coefficients",
        "intercepts",
        "offset",
        "scale",
        "imputed_value_floats",
        "class_weights",
        "target_weights",
        "class_weights_as_tensor",
        "target_weights_as_tensor",
        "leaf_weights",
        "base_values",
        "nodes_splits",
    ];
    if node.domain != "ai.onnx.ml" {
        return 0;
    }
    let size = |name: &&str| match node.attribute(name) {
        Some(Attribute::Floats(values)) => values.len(),
        Some(Attribute::Tensor(proto)) => Tensor::try_from(proto.as_ref()).map_or(0, |tensor| tensor.len()),
        _ => 0,
    };
    let thresholds = node.texts("nodes_modes").iter().filter(|mode| *mode != "LEAF").count();
    (LEARNT.iter().map(size).sum::<usize>() + thresholds) as u64
}

fn describe(graph: &Graph, structure: &Structure, parameters: u64) -> String {
    match structure {
        Structure::Forest(model) => {
            let forest = &model.forest;
            let (trees, leaves) = (grouped(forest.trees.len() as u64), grouped(forest.n_leaves() as u64));
            format!("tree ensemble: {trees} trees, {leaves} leaves, depth {}", forest.depth())
        }
        Structure::Linear(model) => {
            let (outputs, features) = model.weights.dim();
            let scores = if outputs == 1 { "1 score" } else { &format!("{outputs} scores") };
            format!("linear model: {scores} from {} features", grouped(features as u64))
        }
        Structure::Opaque { .. } if is_network(graph) => format!("neural network: {} parameters", grouped(parameters)),
        Structure::Opaque { .. } => {
            let operators: BTreeSet<String> = graph.nodes.iter().map(qualified).collect();
            let listed: Vec<String> = operators.into_iter().take(6).collect();
            format!("other: {} nodes ({})", graph.nodes.len(), listed.join(", "))
        }
    }
}

fn is_network(graph: &Graph) -> bool {
    const LAYERS: [&str; 7] = ["Gemm", "MatMul", "Conv", "MatMulInteger", "QLinearConv", "LSTM", "GRU"];
    graph.nodes.iter().any(|node| node.domain.is_empty() && LAYERS.contains(&node.op_type.as_str()))
}

fn warnings(graph: &Graph, structure: &Structure, parameters: u64) -> Vec<String> {
    let mut warnings = Vec::new();
    if parameters > MANY_PARAMETERS {
        warnings.push(format!("{} parameters: too many to oversee", grouped(parameters)));
    }
    match structure {
        Structure::Forest(model) => {
            let forest = &model.forest;
            if forest.trees.len() > MANY_TREES {
                warnings.push(format!("{} trees", grouped(forest.trees.len() as u64)));
            }
            if forest.n_leaves() > MANY_LEAVES {
                warnings.push(format!("{} leaves", grouped(forest.n_leaves() as u64)));
            }
            if forest.depth() > DEEP_TREE {
                warnings.push(format!("trees of depth {}: interactions of many columns", forest.depth()));
            }
            warnings.extend(model.input.mixed().map(|mixed| format!("explained by sampling: {mixed}")));
        }
        Structure::Linear(_) => {}
        Structure::Opaque { why } => warnings.push(format!("no exact fast explanation: {why}")),
    }
    for node in &graph.nodes {
        match node.op_type.as_str() {
            "DynamicQuantizeLinear" => {
                warnings.push("dynamic quantisation: a row's score depends on the other rows of its batch".to_owned());
            }
            op if op.starts_with("Random") || op == "Multinomial" || op == "Bernoulli" => {
                warnings.push(format!("{} draws random numbers: scores are not reproducible", node.label()));
            }
            _ => {}
        }
    }
    let mut seen = BTreeSet::new();
    warnings.retain(|warning| seen.insert(warning.clone()));
    warnings
}

/// 1234567 as "1,234,567".
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::onnx::testing::{decoded, float_input, graph, node, output, stump, tensor};
    use prost::Message;

    #[test]
    fn thousands_are_grouped() {
        assert_eq!([0, 999, 1_000, 5_352, 1_234_567].map(grouped), ["0", "999", "1,000", "5,352", "1,234,567"]);
    }

    #[test]
    fn a_network_lists_its_layers_with_shapes_and_counts_shared_weights_once() {
        let nodes = vec![
            node("MatMul", &["x", "w"], &["h"], vec![]),
            node("Relu", &["h"], &["r"], vec![]),
            node("MatMul", &["r", "w"], &["p"], vec![]),
        ];
        let mut proto = graph(nodes, vec![float_input("x", 2)], vec![output("p")]);
        proto.initializer = vec![tensor("w", &[2, 2], &[1.0, 2.0, 3.0, 4.0])];
        let summary = summary(&decoded(proto));
        assert_eq!(summary.parameters, 4);
        assert_eq!(summary.structure, "neural network: 4 parameters");
        let layers: Vec<_> = summary.layers.iter().map(|layer| (&*layer.op, &*layer.shape, layer.parameters)).collect();
        assert_eq!(layers, [("MatMul", "[N, 2]", 4), ("Relu", "[N, 2]", 0), ("MatMul", "[N, 2]", 0)]);
        assert_eq!(summary.operators, BTreeMap::from([("MatMul".to_owned(), 2), ("Relu".to_owned(), 1)]));
    }

    #[test]
    fn a_tree_ensemble_is_described_by_trees_leaves_and_depth() {
        let summary = summary(&Graph::decode(&stump().encode_to_vec()).unwrap());
        assert_eq!(summary.structure, "tree ensemble: 1 trees, 2 leaves, depth 1");
        assert_eq!(summary.inputs, [PortSummary { name: "x".into(), r#type: "float32[N, 1]".into() }]);
        assert_eq!(summary.opsets, BTreeMap::from([("ai.onnx".to_owned(), 17), ("ai.onnx.ml".to_owned(), 3)]));
    }
}
