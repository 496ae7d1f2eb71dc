//! How operators are called on a drawing.

use crate::model::onnx::{Graph, Node};

/// "Conv 3×3, stride 2", "LSTM, 64 units".
pub fn title(graph: &Graph, node: &Node) -> String {
    let name = match node.domain.as_str() {
        "" | "ai.onnx.ml" => node.op_type.clone(),
        domain => format!("{domain}.{}", node.op_type),
    };
    let detail = match node.op_type.as_str() {
        "Conv" | "ConvTranspose" | "ConvInteger" | "QLinearConv" => convolution(graph, node),
        "MaxPool" | "AveragePool" | "LpPool" => window(&kernel(graph, node)) + &stride(node, true),
        "LSTM" | "GRU" | "RNN" => node.int("hidden_size").map(|n| format!(", {n} units")).unwrap_or_default(),
        _ => String::new(),
    };
    name + &detail
}

fn convolution(graph: &Graph, node: &Node) -> String {
    let dilations = node.ints("dilations").iter().copied().max().filter(|most| *most > 1);
    let groups = node.int("group").filter(|groups| *groups > 1);
    let words = [groups.map(|n| format!(", {n} groups")), dilations.map(|n| format!(", dilation {n}"))];
    window(&kernel(graph, node)) + &stride(node, false) + &words.into_iter().flatten().collect::<String>()
}

/// Kernel sizes as said, else those of the weights.
fn kernel(graph: &Graph, node: &Node) -> Vec<i64> {
    let said = node.ints("kernel_shape");
    if !said.is_empty() {
        return said.to_vec();
    }
    let weights = node.inputs.get(if node.op_type == "QLinearConv" { 3 } else { 1 });
    weights.and_then(|name| graph.initializer_dims(name)?.get(2..)).unwrap_or_default().to_vec()
}

fn window(sizes: &[i64]) -> String {
    if sizes.is_empty() { String::new() } else { format!(" {}", joined(sizes)) }
}

fn stride(node: &Node, always: bool) -> String {
    let strides = node.ints("strides");
    match strides.first() {
        Some(first) if strides.iter().all(|stride| stride == first) => {
            if *first > 1 || always {
                format!(", stride {first}")
            } else {
                String::new()
            }
        }
        Some(_) => format!(", stride {}", joined(strides)),
        None => String::new(),
    }
}

fn joined(sizes: &[i64]) -> String {
    sizes.iter().map(i64::to_string).collect::<Vec<_>>().join("×")
}

/// "200 trees".
pub fn trees(node: &Node) -> Option<String> {
    let n = match node.op_type.as_str() {
        "TreeEnsemble" => node.ints("tree_roots").len(),
        op if op.starts_with("TreeEnsemble") => {
            let mut ids = node.ints("nodes_treeids").to_vec();
            ids.sort_unstable();
            ids.dedup();
            ids.len()
        }
        _ => return None,
    };
    Some(if n == 1 { "1 tree".to_owned() } else { format!("{n} trees") })
}
