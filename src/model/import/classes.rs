//! Class labels as the model writes them.

use crate::model::onnx::{Graph, Node, Values};

/// Labels in model order, from the node nearest the end that holds as many as there are classes; empty if none does.
pub fn class_labels(graph: &Graph, n_classes: usize) -> Vec<String> {
    let found = graph.nodes.iter().rev().map(|node| labels(graph, node)).find(|labels| labels.len() == n_classes);
    found.unwrap_or_default()
}

fn labels(graph: &Graph, node: &Node) -> Vec<String> {
    if node.is_ml("ArrayFeatureExtractor") {
        return looked_up(graph, node);
    }
    if node.domain != "ai.onnx.ml" || node.op_type == "LabelEncoder" {
        return Vec::new();
    }
    let text = node.texts("classlabels_strings").iter().cloned();
    let numbers = ["classlabels_int64s", "classlabels_ints"].iter().flat_map(|name| node.ints(name));
    text.chain(numbers.map(i64::to_string)).collect()
}

/// A constant list of labels that a decision picks from.
fn looked_up(graph: &Graph, node: &Node) -> Vec<String> {
    let Some(Ok(Some(tensor))) = node.inputs.first().map(|name| graph.constant(name)) else {
        return Vec::new();
    };
    match tensor.values {
        Values::Text(labels) => labels,
        Values::Int(labels) => labels.iter().map(i64::to_string).collect(),
        Values::Float(_) => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::onnx::testing::{decoded, float_input, graph, ints, ml, output, texts};

    #[test]
    fn labels_come_from_the_last_node_that_has_as_many() {
        let nodes = vec![
            ml("TreeEnsembleClassifier", &["x"], &["l", "s"], vec![texts("classlabels_strings", &["no", "yes"])]),
            ml("ZipMap", &["s"], &["p"], vec![ints("classlabels_int64s", &[4, 5, 6])]),
        ];
        let graph = decoded(graph(nodes, vec![float_input("x", 1)], vec![output("p")]));
        assert_eq!(class_labels(&graph, 3), ["4", "5", "6"]);
        assert_eq!(class_labels(&graph, 2), ["no", "yes"]);
        assert!(class_labels(&graph, 4).is_empty());
    }
}
