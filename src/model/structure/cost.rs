//! What scoring a row costs, read off shapes.
//!
//! Counted as is customary for networks: one multiply-add for every product of a weight (or of two computed numbers) that
//! is summed, in convolutions, matrix products and recurrent layers; element-wise operators and biases count nothing.

use crate::audit::Cost;
use crate::model::onnx::{Attribute, Graph, Node};
use crate::model::shapes::{Shapes, product};
use std::collections::HashMap;

/// Cost of the whole graph; `parameters` as counted by the summary.
pub fn cost(graph: &Graph, shapes: &Shapes, parameters: u64) -> Cost {
    let each = graph.nodes.iter().map(|node| multiply_adds(graph, shapes, node));
    Cost {
        parameters,
        multiply_adds: each.sum(),
        weight_bytes: weight_bytes(graph),
        activation_bytes: activation_bytes(graph, shapes),
    }
}

/// Operators that sum products in ways that are not followed here: 0 would be wrong.
const UNCOUNTED: &[&str] = &[
    "Einsum",
    "DeformConv",
    "Attention",
    "MultiHeadAttention",
    "GroupQueryAttention",
    "QAttention",
    "LongformerAttention",
    "DynamicQuantizeLSTM",
];

/// Multiply-adds of a node for one row; 0 for operators that are not counted, `None` where a shape is not known.
pub fn multiply_adds(graph: &Graph, shapes: &Shapes, node: &Node) -> Option<u64> {
    let output = || shapes.per_row(node.outputs.first()?);
    let dims = |at: usize| shapes_of(graph, shapes, node.inputs.get(at)?);
    let summed = match node.op_type.as_str() {
        // Weights [channels out, channels in ÷ groups, kernel…]: each number out sums over all but the first.
        "Conv" | "ConvInteger" | "FusedConv" | "NhwcFusedConv" => dims(1)?.iter().skip(1).try_fold(1, times)?,
        "QLinearConv" => dims(3)?.iter().skip(1).try_fold(1, times)?,
        // Weights [channels in, channels out ÷ groups, kernel…]: each number in is spread over all but the first.
        "ConvTranspose" => {
            let spread = dims(1)?.iter().skip(1).try_fold(1, times)?;
            return shapes.per_row(node.inputs.first()?)?.checked_mul(spread);
        }
        "Gemm" | "FusedGemm" => gemm_inner(node, &dims(1)?)?,
        "QGemm" => gemm_inner(node, &dims(3)?)?,
        "MatMul" | "MatMulInteger" | "MatMulIntegerToFloat" | "DynamicQuantizeMatMul" => inner(&dims(1)?)?,
        "FusedMatMul" => fused_inner(node, &dims(1)?)?,
        "QLinearMatMul" => inner(&dims(3)?)?,
        "MatMulNBits" => u64::try_from(node.int("K")?).ok()?,
        "LSTM" | "GRU" | "RNN" => return recurrent(graph, shapes, node),
        "LinearClassifier" | "LinearRegressor" => return Some(coefficients(node)),
        op if UNCOUNTED.contains(&op) => return None,
        _ => return Some(0),
    };
    output()?.checked_mul(summed)
}

/// Sizes of a tensor where all but the first are known; an unknown batch counts 1.
fn shapes_of(graph: &Graph, shapes: &Shapes, tensor: &str) -> Option<Vec<u64>> {
    if let Some(dims) = graph.initializer_dims(tensor) {
        return dims.iter().map(|dim| u64::try_from(*dim).ok()).collect();
    }
    let dims = shapes.dims(tensor)?;
    (0..dims.len()).map(|at| product(&dims[at..=at]).or((at == 0).then_some(1))).collect()
}

/// The dimension a matrix product sums over: last but one of the right side, the only one of a vector.
fn inner(right: &[u64]) -> Option<u64> {
    right.get(right.len().saturating_sub(2)).copied()
}

/// The same of a `Gemm`, whose right side may come transposed.
fn gemm_inner(node: &Node, right: &[u64]) -> Option<u64> {
    right.get(usize::from(node.int("transB") == Some(1))).copied()
}

/// The same of ONNX Runtime's `FusedMatMul`: `transB` turns the last two dimensions, `transBatchB` brings the first one
/// before the last. A vector stays what it is.
fn fused_inner(node: &Node, right: &[u64]) -> Option<u64> {
    let turns = |attribute: &str| right.len() > 1 && node.int(attribute) == Some(1);
    match (turns("transB"), turns("transBatchB")) {
        (true, _) => right.last().copied(),
        (false, true) => right.first().copied(),
        (false, false) => inner(right),
    }
}

fn times(product: u64, dim: &u64) -> Option<u64> {
    product.checked_mul(*dim)
}

/// Every step multiplies all weights of input and state once; sequences are [steps, batch, numbers].
fn recurrent(graph: &Graph, shapes: &Shapes, node: &Node) -> Option<u64> {
    let size = |at: usize| graph.initializer_size(node.inputs.get(at)?);
    let dims = shapes.dims(node.inputs.first()?)?;
    let steps = product(dims.get(usize::from(node.int("layout") == Some(1))..)?.get(..1)?)?;
    steps.checked_mul(size(1)?.checked_add(size(2)?)?)
}

fn coefficients(node: &Node) -> u64 {
    match node.attribute("coefficients") {
        Some(Attribute::Floats(values)) => values.len() as u64,
        _ => 0,
    }
}

fn weight_bytes(graph: &Graph) -> u64 {
    let bytes = |name: &str| {
        let size = graph.element_of(name).and_then(|element| element.size()).unwrap_or(0) as u64;
        graph.initializer_size(name).unwrap_or(0).saturating_mul(size)
    };
    graph.initializers().map(bytes).fold(0, u64::saturating_add)
}

/// The most that one row's tensors take at the same time, if each is freed after its last reader.
fn activation_bytes(graph: &Graph, shapes: &Shapes) -> Option<u64> {
    let mut last_read: HashMap<&str, usize> = HashMap::new();
    for (at, node) in graph.nodes.iter().enumerate() {
        for input in &node.inputs {
            last_read.insert(input, at);
        }
    }
    for port in &graph.outputs {
        last_read.insert(&port.name, graph.nodes.len());
    }
    let is_computed = |name: &str| graph.is_input(name) || graph.producer_of(name).is_some_and(|n| !n.is("Constant"));
    let inputs = graph.inputs.iter().map(|port| shapes.bytes_per_row(&port.name));
    let mut live = inputs.sum::<Option<u64>>()?;
    let mut most = live;
    for (at, node) in graph.nodes.iter().enumerate().filter(|(_, node)| !node.is("Constant")) {
        for output in node.outputs.iter().filter(|name| last_read.contains_key(name.as_str())) {
            live = live.saturating_add(bytes_or_nothing(shapes, output)?);
        }
        most = most.max(live);
        let mut done: Vec<&String> = node.inputs.iter().filter(|name| is_computed(name)).collect();
        done.sort();
        done.dedup();
        for input in done.into_iter().filter(|name| last_read.get(name.as_str()) == Some(&at)) {
            live = live.saturating_sub(bytes_or_nothing(shapes, input)?);
        }
    }
    Some(most)
}

/// Tensors without a batch (scalars) take nothing worth counting; `None` where the shape is not known.
fn bytes_or_nothing(shapes: &Shapes, tensor: &str) -> Option<u64> {
    if shapes.dims(tensor)?.len() < 2 { Some(0) } else { shapes.bytes_per_row(tensor) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::onnx::testing::{decoded, float_input, graph, int, node, output, tensor};

    #[test]
    fn a_dense_layer_multiplies_every_weight_once_a_row() {
        let nodes = vec![
            node("MatMul", &["x", "w"], &["h"], vec![]),
            node("Add", &["h", "b"], &["s"], vec![]),
            node("Gemm", &["s", "v"], &["y"], vec![int("transB", 1)]),
        ];
        let mut proto = graph(nodes, vec![float_input("x", 5)], vec![output("y")]);
        proto.initializer =
            vec![tensor("w", &[5, 3], &[0.0; 15]), tensor("b", &[3], &[0.0; 3]), tensor("v", &[2, 3], &[0.0; 6])];
        let graph = decoded(proto);
        let shapes = Shapes::stated(&graph);
        let each: Vec<_> = graph.nodes.iter().map(|node| multiply_adds(&graph, &shapes, node)).collect();
        assert_eq!(each, [Some(15), Some(0), Some(6)]);
        let cost = cost(&graph, &shapes, 24);
        assert_eq!((cost.multiply_adds, cost.weight_bytes), (Some(21), 4 * 24));
        // x (5) beside h (3): the most at one time.
        assert_eq!(cost.activation_bytes, Some(4 * 8));
    }

    #[test]
    fn what_is_not_known_is_not_guessed() {
        let nodes = vec![node("Mystery", &["x"], &["h"], vec![]), node("MatMul", &["h", "h"], &["y"], vec![])];
        let graph = decoded(graph(nodes, vec![float_input("x", 5)], vec![output("y")]));
        let cost = cost(&graph, &Shapes::stated(&graph), 0);
        assert_eq!((cost.multiply_adds, cost.activation_bytes), (None, None));
    }

    /// Multiply-adds of one operator over `x`, whose result has the shape `[N, 7, 6, 5]`, `[N, 6]`…
    fn counted(
        op: &str,
        inputs: &[&str],
        with: Vec<crate::model::onnx::proto::AttributeProto>,
        weights: &[i64],
        shape: &[i64],
    ) -> Option<u64> {
        use crate::model::onnx::proto::{DimensionProto, TensorShapeProto};
        let mut result = output("y");
        let dim = |size: &i64| DimensionProto { dim_value: Some(*size), ..Default::default() };
        let batch = DimensionProto { dim_param: Some("N".into()), ..Default::default() };
        let dims = std::iter::once(batch).chain(shape.iter().map(dim)).collect();
        let tensor_type = result.r#type.as_mut().and_then(|it| it.tensor_type.as_mut()).expect("a tensor");
        tensor_type.shape = Some(TensorShapeProto { dim: dims });
        let mut proto = graph(vec![node(op, inputs, &["y"], with)], vec![float_input("x", 4)], vec![result]);
        proto.node[0].domain = "com.microsoft".into();
        let size = weights.iter().product::<i64>() as usize;
        proto.initializer = vec![tensor("w", weights, &vec![0.0; size])];
        let graph = decoded(proto);
        multiply_adds(&graph, &Shapes::stated(&graph), &graph.nodes[0])
    }

    #[test]
    fn fused_and_quantised_operators_cost_what_their_plain_forms_do() {
        let quantised = ["x", "xs", "xz", "w", "ws", "wz"];
        let turned = || vec![int("transB", 1)];
        for op in ["FusedConv", "NhwcFusedConv"] {
            // Six channels of 5 × 7 places, each a sum of 2 × 3 × 3 products.
            assert_eq!(counted(op, &["x", "w"], vec![], &[6, 2, 3, 3], &[6, 5, 7]), Some(6 * 35 * 18), "{op}");
        }
        for op in ["MatMulIntegerToFloat", "DynamicQuantizeMatMul", "FusedGemm", "FusedMatMul"] {
            assert_eq!(counted(op, &["x", "w"], vec![], &[4, 3], &[3]), Some(12), "{op}");
        }
        assert_eq!(counted("FusedGemm", &["x", "w"], turned(), &[3, 4], &[3]), Some(12));
        assert_eq!(counted("FusedMatMul", &["x", "w"], turned(), &[3, 4], &[3]), Some(12));
        assert_eq!(counted("FusedMatMul", &["x", "w"], turned(), &[7, 3, 4], &[7, 3]), Some(7 * 12));
        // [4, 7, 3] stands for seven matrices of 4 × 3, or, turned as well, of 3 × 4.
        assert_eq!(counted("FusedMatMul", &["x", "w"], vec![int("transBatchB", 1)], &[4, 7, 3], &[7, 3]), Some(84));
        let both = vec![int("transBatchB", 1), int("transB", 1)];
        assert_eq!(counted("FusedMatMul", &["x", "w"], both, &[3, 7, 4], &[7, 3]), Some(84));
        // A vector has nothing to turn.
        assert_eq!(counted("FusedMatMul", &["x", "w"], turned(), &[4], &[5]), Some(20));
        assert_eq!(counted("QGemm", &quantised, vec![], &[4, 3], &[3]), Some(12));
        assert_eq!(counted("QGemm", &quantised, turned(), &[3, 4], &[3]), Some(12));
        assert_eq!(counted("MatMulNBits", &["x", "w"], vec![int("K", 4), int("N", 3)], &[3, 1, 2], &[3]), Some(12));
        assert_eq!(counted("QAttention", &["x", "w"], vec![], &[4, 12], &[3]), None);
    }

    #[test]
    fn a_convolution_multiplies_its_kernel_at_every_place() {
        use crate::model::onnx::testing::ints;
        let nodes = vec![
            node("Reshape", &["x", "shape"], &["picture"], vec![]),
            node("Conv", &["picture", "k"], &["y"], vec![ints("kernel_shape", &[3, 3])]),
        ];
        let mut proto = graph(nodes, vec![float_input("x", 50)], vec![output("y")]);
        proto.initializer = vec![
            crate::model::onnx::testing::int_tensor("shape", &[-1, 2, 5, 5]),
            tensor("k", &[4, 2, 3, 3], &[0.0; 72]),
        ];
        let graph = decoded(proto);
        // 4 channels of 3 × 3 places, each a sum of 2 × 3 × 3 products.
        assert_eq!(multiply_adds(&graph, &Shapes::stated(&graph), &graph.nodes[1]), Some(4 * 9 * 18));
    }
}
