//! Blocks of a network: a convolution or matrix product with the bias, normalisation and activation behind it.
//!
//! A block ends where its activation is done. The walk forward from a weighted operator goes through what only shifts,
//! scales or turns its result, over the addition of a residual branch, to the activation; the link that makes the
//! model's own output is left out, so that a last block ends with the raw scores. The walk back from any tensor finds the block that it belongs to.

use super::graph::{Graph, Node};
use super::operators::{is_activation, is_passed, is_rectifier};
use std::collections::{BTreeSet, HashSet};

/// Operators with weights of their own.
const WEIGHTED: &[&str] = &[
    "Conv",
    "ConvTranspose",
    "ConvInteger",
    "QLinearConv",
    "FusedConv",
    "NhwcFusedConv",
    "Gemm",
    "FusedGemm",
    "QGemm",
    "MatMul",
    "FusedMatMul",
    "MatMulInteger",
    "MatMulIntegerToFloat",
    "QLinearMatMul",
    "LSTM",
    "GRU",
    "RNN",
];
/// Same numbers in another order or type.
const REARRANGING: &[&str] =
    &["Reshape", "Flatten", "Transpose", "Squeeze", "Unsqueeze", "Identity", "Dropout", "Cast", "Expand", "Tile"];

/// Where the numbers of one unit (a channel, a neuron) are told from another's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnitAxis {
    /// Right behind the batch, as in NCHW.
    First,
    /// The last axis, as in matrices and NHWC.
    Last,
    /// At this position, counted with the batch.
    At(usize),
}

/// The part of a network that a tensor ends.
#[derive(Debug, Clone, PartialEq)]
pub struct Block<'g> {
    /// In the order of the file; the last computes the tensor.
    pub nodes: Vec<&'g Node>,
    /// `None` where the walk back does not say.
    pub axis: Option<UnitAxis>,
}

/// The graph with what its inputs reach.
pub struct Blocks<'g> {
    graph: &'g Graph,
    /// Tensors that depend on an input.
    computed: HashSet<&'g str>,
}

impl<'g> Blocks<'g> {
    pub fn new(graph: &'g Graph) -> Self {
        let mut computed: HashSet<&str> = graph.inputs.iter().map(|port| port.name.as_str()).collect();
        for node in &graph.nodes {
            if node.reads().iter().any(|name| computed.contains(name.as_str())) {
                computed.extend(outputs(node));
            }
        }
        Self { graph, computed }
    }

    /// Tensors that depend on an input, in order of computation.
    pub fn tensors(&self) -> Vec<&'g str> {
        self.graph.nodes.iter().flat_map(outputs).filter(|name| self.computed.contains(name)).collect()
    }

    /// The first output of every node that does more than rearrange.
    pub fn all(&self) -> Vec<&'g str> {
        let nodes = self.graph.nodes.iter().filter(|node| !REARRANGING.contains(&node.op_type.as_str()));
        nodes.filter_map(|node| outputs(node).next()).filter(|name| self.computed.contains(name)).collect()
    }

    /// Where blocks end, in order of computation.
    pub fn ends(&self) -> Vec<&'g str> {
        let weighted = self.graph.nodes.iter().filter(|node| self.is_weighted(node));
        let ends: BTreeSet<&str> = weighted.filter_map(|node| self.end(node)).collect();
        self.tensors().into_iter().filter(|name| ends.contains(name)).collect()
    }

    fn is_weighted(&self, node: &Node) -> bool {
        let mut read = node.inputs.iter().filter(|name| self.computed.contains(name.as_str())).count();
        // The scale and zero point of quantised numbers may be computed too.
        if node.op_type.contains("Integer") {
            read = read.min(1);
        }
        WEIGHTED.contains(&node.op_type.as_str()) && read == 1
    }

    fn end(&self, from: &'g Node) -> Option<&'g str> {
        let mut at = outputs(from).next()?;
        if fused_activation(from).is_some() {
            return Some(at);
        }
        while let Some(next) = self.next(at) {
            let op = next.op_type.as_str();
            let activates = is_activation(op) || is_gate(self.graph, next);
            let output = outputs(next).next()?;
            let is_link = activates && self.graph.outputs.iter().any(|port| port.name == output);
            if is_link || !(activates || is_passed(op)) {
                break;
            }
            at = output;
            if activates {
                break;
            }
        }
        Some(at)
    }

    /// The one node that goes on from a tensor: its only reader, or x · s(x) where one reader makes s.
    fn next(&self, tensor: &str) -> Option<&'g Node> {
        let readers: Vec<&Node> = self.graph.consumers_of(tensor).collect();
        match readers.as_slice() {
            [only] => Some(only),
            [a, b] => [*a, *b].into_iter().find(|node| is_gate(self.graph, node)),
            _ => None,
        }
    }

    /// The nodes from the weighted operators that lead to a tensor, up to the one that computes it.
    pub fn block(&self, tensor: &str) -> Block<'g> {
        let mut found: Vec<&Node> = Vec::new();
        let mut open: Vec<&Node> = self.graph.producer_of(tensor).into_iter().collect();
        while let Some(node) = open.pop() {
            if found.iter().any(|known| std::ptr::eq(*known, node)) {
                continue;
            }
            found.push(node);
            let op = node.op_type.as_str();
            let goes_back = !self.is_weighted(node) && (is_passed(op) || is_activation(op));
            let before = node.inputs.iter().filter(|name| goes_back && self.computed.contains(name.as_str()));
            let before = before.filter_map(|name| self.graph.producer_of(name));
            open.extend(before.filter(|node| self.is_within(node)));
        }
        let nodes = self.graph.nodes.iter().filter(|node| found.iter().any(|known| std::ptr::eq(*known, *node)));
        Block { nodes: nodes.collect(), axis: self.axis(tensor) }
    }

    fn is_within(&self, node: &Node) -> bool {
        let op = node.op_type.as_str();
        self.is_weighted(node) || is_passed(op) || is_activation(op)
    }

    /// Follows a tensor back until an operator says where its channels are, through transpositions.
    fn axis(&self, tensor: &str) -> Option<UnitAxis> {
        let mut turns: Vec<Vec<i64>> = Vec::new();
        let mut at = tensor;
        // A graph has no cycles; the bound is for damaged ones.
        for _ in 0..self.graph.nodes.len() {
            let node = self.graph.producer_of(at)?;
            let op = node.op_type.as_str();
            match op {
                "Transpose" if !node.ints("perm").is_empty() => turns.push(node.ints("perm").to_vec()),
                "Transpose" => return None,
                "QLinearConv" if node.int("channels_last") == Some(1) => return turned(UnitAxis::Last, &turns),
                _ if CHANNELS_FIRST.contains(&op) => return turned(UnitAxis::First, &turns),
                "NhwcFusedConv" | "LayerNormalization" => return turned(UnitAxis::Last, &turns),
                _ if WEIGHTED.contains(&op) => return turned(UnitAxis::Last, &turns),
                _ if is_passed(op) || is_activation(op) || KEEPING.contains(&op) => {}
                _ => return None,
            }
            at = node.inputs.iter().find(|name| self.computed.contains(name.as_str()))?;
        }
        None
    }
}

/// Operators whose results have their channels right behind the batch.
const CHANNELS_FIRST: &[&str] = &[
    "Conv",
    "ConvTranspose",
    "ConvInteger",
    "QLinearConv",
    "FusedConv",
    "BatchNormalization",
    "InstanceNormalization",
    "GroupNormalization",
    "MaxPool",
    "AveragePool",
    "GlobalAveragePool",
    "GlobalMaxPool",
    "LRN",
    "DepthToSpace",
];
/// Operators that keep the axes where they are.
const KEEPING: &[&str] =
    &["Concat", "Pad", "Resize", "Upsample", "Max", "Min", "Sum", "Abs", "Neg", "Sqrt", "Exp", "Pow"];

/// Undoes transpositions, the one nearest to the end first in the list.
fn turned(axis: UnitAxis, turns: &[Vec<i64>]) -> Option<UnitAxis> {
    let mut axis = axis;
    for perm in turns.iter().rev() {
        let from = match axis {
            UnitAxis::First => 1,
            UnitAxis::Last => perm.len().checked_sub(1)?,
            UnitAxis::At(at) => at,
        };
        axis = UnitAxis::At(perm.iter().position(|before| usize::try_from(*before) == Ok(from))?);
    }
    Some(axis)
}

/// x · s(x): a product that reads a tensor and a squashing of the same tensor.
fn is_gate(graph: &Graph, node: &Node) -> bool {
    let squashed = |name: &String| {
        graph.producer_of(name).filter(|from| ["Sigmoid", "HardSigmoid", "Tanh"].contains(&from.op_type.as_str()))
    };
    let of = |name: &String, other: &String| squashed(name).is_some_and(|from| from.inputs.first() == Some(other));
    match (node.op_type.as_str(), node.inputs.as_slice()) {
        ("Mul", [a, b]) => of(a, b) || of(b, a),
        _ => false,
    }
}

/// The activation that ONNX Runtime has drawn into a weighted operator.
fn fused_activation(node: &Node) -> Option<&str> {
    let fuses = ["FusedConv", "NhwcFusedConv", "FusedGemm"].contains(&node.op_type.as_str());
    node.text("activation").filter(|activation| fuses && !activation.is_empty())
}

fn outputs(node: &Node) -> impl Iterator<Item = &str> {
    node.outputs.iter().map(String::as_str).filter(|name| !name.is_empty())
}

impl Block<'_> {
    /// The operator that computes the tensor.
    pub fn op(&self) -> &str {
        self.nodes.last().map_or("", |node| node.op_type.as_str())
    }

    /// Whether a unit that never rises above zero has nothing to say.
    pub fn rectifies(&self, graph: &Graph) -> bool {
        let Some(last) = self.nodes.last() else { return false };
        // An attribute before version 11, an input since.
        let clips_at_zero = || {
            let low = last.inputs.get(1).and_then(|low| graph.constant(low).ok().flatten());
            let given = low.is_some_and(|low| low.numbers().is_some_and(|low| low == [0.0]));
            given || last.float("min") == Some(0.0)
        };
        match fused_activation(last) {
            Some("Clip") => last.floats("activation_params").first() == Some(&0.0),
            Some(activation) => is_rectifier(activation),
            None => is_rectifier(self.op()) || is_gate(graph, last) || self.op() == "Clip" && clips_at_zero(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::onnx::extend::ints;
    use crate::model::onnx::proto::NodeProto;
    use crate::model::onnx::testing::{decoded, float_input, graph, node, output, tensor};

    fn network(nodes: Vec<NodeProto>, weights: &[&str], outputs: &[&str]) -> Graph {
        let mut proto = graph(nodes, vec![float_input("x", 2)], outputs.iter().map(|name| output(name)).collect());
        proto.initializer = weights.iter().map(|name| tensor(name, &[2, 2], &[0.0; 4])).collect();
        decoded(proto)
    }

    fn n(op: &str, inputs: &[&str], output: &str) -> NodeProto {
        node(op, inputs, &[output], vec![])
    }

    #[test]
    fn a_block_ends_behind_its_activation_and_the_last_before_the_link() {
        let nodes = vec![
            n("MatMul", &["x", "w1"], "a"),
            n("Add", &["a", "b1"], "b"),
            n("Relu", &["b"], "c"),
            n("Gemm", &["c", "w2"], "z"),
            n("Sigmoid", &["z"], "p"),
        ];
        let graph = network(nodes, &["w1", "b1", "w2"], &["p"]);
        let blocks = Blocks::new(&graph);
        assert_eq!(blocks.ends(), ["c", "z"]);
        assert_eq!(blocks.all(), ["a", "b", "c", "z", "p"]);
        let block = blocks.block("c");
        let ops: Vec<&str> = block.nodes.iter().map(|node| node.op_type.as_str()).collect();
        assert_eq!(
            (ops, block.axis, block.rectifies(&graph)),
            (vec!["MatMul", "Add", "Relu"], Some(UnitAxis::Last), true)
        );
        assert!(!blocks.block("z").rectifies(&graph) && blocks.block("z").nodes.len() == 1);
    }

    #[test]
    fn a_residual_block_ends_once_behind_the_addition() {
        let nodes = vec![
            n("Conv", &["x", "w1"], "a"),
            n("BatchNormalization", &["a", "s"], "b"),
            n("Relu", &["b"], "c"),
            n("Conv", &["c", "w2"], "d"),
            n("Conv", &["x", "w3"], "shortcut"),
            n("Add", &["d", "shortcut"], "e"),
            n("Relu", &["e"], "f"),
            n("GlobalAveragePool", &["f"], "g"),
        ];
        let graph = network(nodes, &["w1", "w2", "w3", "s"], &["g"]);
        let blocks = Blocks::new(&graph);
        assert_eq!(blocks.ends(), ["c", "f"]);
        assert_eq!((blocks.block("f").nodes.len(), blocks.block("f").axis), (4, Some(UnitAxis::First)));
        assert_eq!(blocks.block("g").axis, Some(UnitAxis::First));
    }

    #[test]
    fn a_gated_activation_is_one_and_other_branches_end_a_block() {
        let nodes = vec![
            n("Conv", &["x", "w1"], "a"),
            n("Sigmoid", &["a"], "s"),
            n("Mul", &["a", "s"], "swish"),
            n("MatMul", &["swish", "w2"], "b"),
            n("Tanh", &["b"], "c"),
            n("Neg", &["b"], "d"),
        ];
        let graph = network(nodes, &["w1", "w2"], &["c", "d"]);
        let blocks = Blocks::new(&graph);
        assert_eq!(blocks.ends(), ["swish", "b"]);
        assert!(blocks.block("swish").rectifies(&graph));
    }

    #[test]
    fn a_fused_operator_is_the_block_that_its_activation_makes_it() {
        use crate::model::onnx::testing::{floats, text};
        let rectifies = |op: &str, with: Vec<_>| {
            let nodes = vec![
                node(op, &["x", "w1"], &["a"], with),
                n("BatchNormalization", &["a", "s"], "b"),
                n("Conv", &["b", "w2"], "y"),
            ];
            let graph = network(nodes, &["w1", "s", "w2"], &["y"]);
            let blocks = Blocks::new(&graph);
            let end = blocks.ends()[0];
            (end.to_owned(), blocks.block(end).rectifies(&graph))
        };
        for op in ["FusedConv", "NhwcFusedConv", "FusedGemm"] {
            assert_eq!(rectifies(op, vec![text("activation", "Relu")]), ("a".to_owned(), true), "{op}");
            assert_eq!(rectifies(op, vec![text("activation", "Tanh")]), ("a".to_owned(), false), "{op}");
            assert_eq!(rectifies(op, vec![]), ("b".to_owned(), false), "{op}");
        }
        let clip = |least: f32| vec![text("activation", "Clip"), floats("activation_params", &[least, 6.0])];
        assert_eq!(rectifies("FusedConv", clip(0.0)), ("a".to_owned(), true));
        assert_eq!(rectifies("FusedConv", clip(-6.0)), ("a".to_owned(), false));
    }

    #[test]
    fn clips_at_zero_rectify_and_channels_stand_last_whichever_way_it_is_written() {
        use crate::model::onnx::extend::{float, int};
        let clipped = |inputs: &[&str], with: Vec<_>| {
            let nodes =
                vec![n("Conv", &["x", "w"], "a"), node("Clip", inputs, &["b"], with), n("Conv", &["b", "w"], "y")];
            let mut proto = graph(nodes, vec![float_input("x", 2)], vec![output("y")]);
            proto.initializer =
                vec![tensor("w", &[2, 2], &[0.0; 4]), tensor("zero", &[], &[0.0]), tensor("one", &[], &[1.0])];
            let graph = decoded(proto);
            Blocks::new(&graph).block("b").rectifies(&graph)
        };
        assert!(clipped(&["a", "zero"], vec![]) && clipped(&["a"], vec![float("min", 0.0), float("max", 6.0)]));
        assert!(!clipped(&["a", "one"], vec![]) && !clipped(&["a"], vec![float("min", -1.0)]));
        assert!(!clipped(&["a"], vec![float("max", 0.0)]));
        let quantised = |with: Vec<_>| {
            let graph =
                network(vec![node("QLinearConv", &["x", "s", "z", "w"], &["y"], with)], &["s", "z", "w"], &["y"]);
            Blocks::new(&graph).block("y").axis
        };
        assert_eq!(quantised(vec![]), Some(UnitAxis::First));
        assert_eq!(quantised(vec![int("channels_last", 1)]), Some(UnitAxis::Last));
    }

    #[test]
    fn transpositions_carry_the_channels_along() {
        let turn =
            |input: &str, name: &str, perm: &[i64]| node("Transpose", &[input], &[name], vec![ints("perm", perm)]);
        let nodes = vec![
            n("Conv", &["x", "w"], "a"),
            turn("a", "b", &[0, 2, 3, 1]),
            n("Add", &["b", "bias"], "c"),
            n("Relu", &["c"], "d"),
            turn("d", "e", &[0, 2, 1, 3]),
        ];
        let graph = network(nodes, &["w", "bias"], &["e"]);
        let blocks = Blocks::new(&graph);
        assert_eq!(blocks.ends(), ["d"]);
        assert_eq!(blocks.block("d").axis, Some(UnitAxis::At(3)));
        assert_eq!(blocks.block("e").axis, Some(UnitAxis::At(3)));
    }

    #[test]
    fn what_no_input_reaches_is_no_layer() {
        let nodes = vec![
            n("Relu", &["w"], "constant"),
            n("MatMul", &["x", "constant"], "a"),
            n("MatMul", &["a", "a"], "scores"),
            n("Reshape", &["a", "shape"], "b"),
        ];
        let graph = network(nodes, &["w", "shape"], &["scores", "b"]);
        let blocks = Blocks::new(&graph);
        assert_eq!((blocks.ends(), blocks.all()), (vec!["a"], vec!["a", "scores"]));
    }
}
