//! The margin of a network: the tensor before its last sigmoid or softmax.

use super::graph::{Graph, Node};
use super::tensor::Tensor;
use crate::forest::Link;

/// Where to cut a graph so that it returns margins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MarginCut {
    /// Fetch this tensor instead of the probability.
    pub tensor: String,
    /// From it to the probability.
    pub link: Link,
}

/// Nodes looked at on the way back; a longer way is no reshaping of a probability.
const REACH: usize = 64;

/// Goes back from a probability output to the activation it comes from, through nodes that only move or copy numbers
/// (`Cast`, `Identity`, `ZipMap`, `Reshape`, `Slice`, …) and through the pair `Concat(1 − p, p)`.
///
/// `None` if the output is not such a probability; then it has no margin but itself.
pub fn margin_tensor(graph: &Graph, output: &str) -> Option<MarginCut> {
    search(graph, output, REACH)
}

fn search(graph: &Graph, tensor: &str, reach: usize) -> Option<MarginCut> {
    let node = graph.producer_of(tensor)?;
    let reach = reach.checked_sub(1)?;
    let first = || node.inputs.first().map(String::as_str);
    if node.is("Sigmoid") {
        return Some(MarginCut { tensor: first()?.to_owned(), link: Link::Logistic });
    }
    if node.is("Softmax") {
        return Some(MarginCut { tensor: first()?.to_owned(), link: Link::Softmax });
    }
    if only_moves_numbers(node) {
        return search(graph, first()?, reach);
    }
    if node.is("Concat") {
        let mut found = node.inputs.iter().map(|input| search(graph, input, reach));
        let common = found.next()??;
        return found.all(|other| other.as_ref() == Some(&common)).then_some(common);
    }
    search(graph, operand_beside_one(graph, node)?, reach)
}

fn only_moves_numbers(node: &Node) -> bool {
    const MOVERS: [&str; 11] = [
        "Cast",
        "Identity",
        "Squeeze",
        "Unsqueeze",
        "Reshape",
        "Flatten",
        "Slice",
        "Gather",
        "Split",
        "Dropout",
        "Transpose",
    ];
    let standard = node.domain.is_empty() && MOVERS.contains(&node.op_type.as_str());
    standard || node.is_ml("ZipMap") || node.is_ml("ArrayFeatureExtractor")
}

/// `p` of `1 − p`, `1 · p` and `p / 1`.
fn operand_beside_one<'a>(graph: &Graph, node: &'a Node) -> Option<&'a str> {
    let [left, right] = node.inputs.as_slice() else {
        return None;
    };
    let is_one = |tensor: &str| graph.constant(tensor).ok().flatten().is_some_and(|constant| all_ones(&constant));
    if (node.is("Sub") || node.is("Mul")) && is_one(left) {
        return Some(right);
    }
    ((node.is("Mul") || node.is("Div")) && is_one(right)).then_some(left)
}

fn all_ones(tensor: &Tensor) -> bool {
    tensor.numbers().is_some_and(|values| !values.is_empty() && values.iter().all(|value| *value == 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::onnx::testing::{decoded, float_input, graph, node, output, tensor};

    fn cut(nodes: Vec<crate::model::onnx::proto::NodeProto>) -> Option<MarginCut> {
        let mut proto = graph(nodes, vec![float_input("z", 1)], vec![output("p")]);
        proto.initializer = vec![tensor("one", &[1], &[1.0]), tensor("two", &[1], &[2.0])];
        margin_tensor(&decoded(proto), "p")
    }

    #[test]
    fn the_input_of_the_last_sigmoid_is_the_margin() {
        let found = cut(vec![node("Sigmoid", &["z"], &["s"], vec![]), node("Cast", &["s"], &["p"], vec![])]);
        assert_eq!(found, Some(MarginCut { tensor: "z".into(), link: Link::Logistic }));
    }

    #[test]
    fn a_pair_of_complements_comes_from_one_sigmoid() {
        let found = cut(vec![
            node("Sigmoid", &["z"], &["s"], vec![]),
            node("Sub", &["one", "s"], &["r"], vec![]),
            node("Concat", &["r", "s"], &["p"], vec![]),
        ]);
        assert_eq!(found, Some(MarginCut { tensor: "z".into(), link: Link::Logistic }));
    }

    #[test]
    fn two_different_activations_have_no_common_margin() {
        let found = cut(vec![
            node("Sigmoid", &["z"], &["s"], vec![]),
            node("Neg", &["z"], &["y"], vec![]),
            node("Sigmoid", &["y"], &["r"], vec![]),
            node("Concat", &["r", "s"], &["p"], vec![]),
        ]);
        assert_eq!(found, None);
    }

    #[test]
    fn a_scaled_probability_is_not_cut() {
        assert_eq!(
            cut(vec![node("Sigmoid", &["z"], &["s"], vec![]), node("Mul", &["s", "two"], &["p"], vec![])]),
            None
        );
        assert!(
            cut(vec![node("Softmax", &["z"], &["s"], vec![]), node("Mul", &["s", "one"], &["p"], vec![])]).is_some()
        );
    }

    #[test]
    fn a_graph_without_activation_has_no_cut() {
        assert_eq!(cut(vec![node("Neg", &["z"], &["p"], vec![])]), None);
    }
}
