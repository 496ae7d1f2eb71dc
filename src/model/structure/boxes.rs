//! From operators to boxes: what only passes on or switches joins the box before it, what computes shapes is hidden.

use super::cost::multiply_adds;
use super::wording::{title, trees};
use crate::audit::{BoxKind, StructureBox};
use crate::model::onnx::operators::{is_activation, is_passed};
use crate::model::onnx::{Graph, Node, ValueType};
use crate::model::shapes::Shapes;
use std::collections::{BTreeSet, HashMap, HashSet};

/// Operators that follow another without a box of their own, beside activations and what is passed on the way to them.
const LIGHT: &[&str] = &[
    "LogSoftmax",
    "Erf",
    "Exp",
    "Log",
    "Sqrt",
    "Neg",
    "Abs",
    "Reciprocal",
    "Pow",
    "Pad",
    "Reshape",
    "Flatten",
    "ZipMap",
    "ArgMax",
    "ArrayFeatureExtractor",
    "Scaler",
    "Imputer",
    "Normalizer",
    "Binarizer",
];

/// Boxes in order of computation, and what flows between them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Drawn {
    pub boxes: Vec<StructureBox>,
    /// Positions of the boxes that each box reads, ascending.
    pub reads: Vec<Vec<usize>>,
    pub n_hidden: u64,
}

/// `parameters`: learnt numbers of each node, each tensor counted once.
pub fn boxes(graph: &Graph, shapes: &Shapes, parameters: &[u64]) -> Drawn {
    let flow = Flow::of(graph, parameters);
    let mut drawn = Drawn { n_hidden: flow.hidden.iter().filter(|hidden| **hidden).count() as u64, ..Drawn::default() };
    // Box that makes a tensor.
    let mut made_by: HashMap<&str, usize> = HashMap::new();
    for port in &graph.inputs {
        made_by.insert(&port.name, drawn.push(BoxKind::Input, &port.name, input_type(&port.value), BTreeSet::new()));
    }
    for (at, node) in graph.nodes.iter().enumerate().filter(|(at, _)| !flow.hidden[*at]) {
        let read = flow.data_of(node);
        let from: BTreeSet<usize> = read.iter().filter_map(|name| made_by.get(name.as_str()).copied()).collect();
        let first = node.outputs.first().map_or("", String::as_str);
        let (n, costs) = (parameters[at], multiply_adds(graph, shapes, node));
        let joined = from.first().copied().filter(|only| {
            let is_operator = drawn.boxes[*only].kind == BoxKind::Operator;
            from.len() == 1 && read.len() == 1 && is_operator && is_light(node) && flow.read_once(&read)
        });
        let place = joined.unwrap_or_else(|| {
            let name = if node.name.is_empty() { first } else { &node.name };
            let place = drawn.push(BoxKind::Operator, name, title(graph, node), from);
            drawn.boxes[place].multiply_adds = Some(0);
            drawn.boxes[place].then.extend(trees(node));
            place
        });
        let own = &mut drawn.boxes[place];
        if joined.is_some() {
            own.then.push(node.op_type.clone());
        }
        own.shape = shapes.text(widest(node, shapes));
        own.parameters = own.parameters.saturating_add(n);
        own.multiply_adds = own.multiply_adds.zip(costs).map(|(before, more)| before.saturating_add(more));
        for output in &node.outputs {
            made_by.insert(output, place);
        }
    }
    for port in &graph.outputs {
        let from = made_by.get(port.name.as_str()).copied().into_iter().collect();
        let place = drawn.push(BoxKind::Output, &port.name, port.name.clone(), from);
        drawn.boxes[place].shape = shapes.text(&port.name);
    }
    for (at, port) in graph.inputs.iter().enumerate() {
        drawn.boxes[at].shape = shapes.text(&port.name);
    }
    drawn
}

impl Drawn {
    fn push(&mut self, kind: BoxKind, name: &str, title: String, reads: BTreeSet<usize>) -> usize {
        let kept = StructureBox { kind, name: name.to_owned(), title, times: 1, ..StructureBox::default() };
        self.boxes.push(kept);
        self.reads.push(reads.into_iter().collect());
        self.boxes.len() - 1
    }
}

/// The output with most dimensions: of a classifier the scores, not the labels.
fn widest<'a>(node: &'a Node, shapes: &Shapes) -> &'a str {
    let rank = |name: &String| shapes.dims(name).map_or(0, <[_]>::len);
    // Of equals the first.
    node.outputs.iter().rev().max_by_key(|name| rank(name)).map_or("", String::as_str)
}

/// "float32 input".
fn input_type(value: &ValueType) -> String {
    match value {
        ValueType::Tensor { element, .. } => format!("{element} input"),
        other => format!("{other} input"),
    }
}

fn is_light(node: &Node) -> bool {
    let op = node.op_type.as_str();
    matches!(node.domain.as_str(), "" | "ai.onnx.ml") && (is_activation(op) || is_passed(op) || LIGHT.contains(&op))
}

/// What is data, what only says shapes.
struct Flow<'a> {
    graph: &'a Graph,
    /// Tensors that are constants or follow from constants alone, and those that say shapes.
    aside: HashSet<&'a str>,
    /// Nodes that only make such tensors.
    hidden: Vec<bool>,
}

impl<'a> Flow<'a> {
    fn of(graph: &'a Graph, parameters: &[u64]) -> Self {
        let mut flow = Self { graph, aside: HashSet::new(), hidden: vec![false; graph.nodes.len()] };
        for (at, node) in graph.nodes.iter().enumerate() {
            let reads: Vec<&String> = node.inputs.iter().filter(|name| !name.is_empty()).collect();
            let all_aside = reads.iter().all(|name| flow.is_aside(name));
            let says_shape = node.is("Shape") || node.is("Size");
            let random = node.op_type.starts_with("Random");
            if says_shape || (all_aside && parameters[at] == 0 && !random) {
                flow.hidden[at] = true;
                flow.aside.extend(node.outputs.iter().map(String::as_str));
            }
        }
        // A graph whose answer is a constant is drawn as it is.
        for port in &graph.outputs {
            if let Some(at) = graph.nodes.iter().position(|node| node.outputs.contains(&port.name)) {
                flow.hidden[at] = false;
            }
        }
        flow
    }

    fn is_aside(&self, tensor: &str) -> bool {
        self.graph.is_initializer(tensor) || self.aside.contains(tensor)
    }

    /// Tensors of data that a node (or its subgraphs) reads.
    fn data_of(&self, node: &Node) -> BTreeSet<String> {
        node.reads().into_iter().filter(|name| self.graph.knows(name) && !self.is_aside(name)).collect()
    }

    /// Whether nothing else reads these tensors and none is an output of the graph.
    fn read_once(&self, tensors: &BTreeSet<String>) -> bool {
        tensors.iter().all(|tensor| {
            let readers = self.graph.consumers_of(tensor).filter(|node| !node.is("Shape") && !node.is("Size"));
            readers.count() == 1 && self.graph.outputs.iter().all(|port| port.name != *tensor)
        })
    }
}
