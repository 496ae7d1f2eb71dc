//! Shapes of intermediate tensors: what the file says, else simple rules of common operators.

use super::graph::{Dim, Graph, Node, ValueType};
use std::collections::HashMap;

type Shape = Vec<Dim>;

/// Shapes of all tensors that are stated or follow; the rest are absent.
pub fn shapes(graph: &Graph) -> HashMap<String, Shape> {
    let mut known = HashMap::new();
    for port in &graph.inputs {
        if let Some(shape) = stated(graph, &port.name) {
            known.insert(port.name.clone(), shape);
        }
    }
    for node in &graph.nodes {
        for (position, output) in node.outputs.iter().enumerate() {
            let shape =
                stated(graph, output).or_else(|| if position == 0 { inferred(graph, node, &known) } else { None });
            if let Some(shape) = shape {
                known.insert(output.clone(), shape);
            }
        }
    }
    known
}

fn stated(graph: &Graph, tensor: &str) -> Option<Shape> {
    match graph.type_of(tensor)? {
        ValueType::Tensor { shape, .. } => shape.clone(),
        _ => None,
    }
}

fn inferred(graph: &Graph, node: &Node, known: &HashMap<String, Shape>) -> Option<Shape> {
    let shape_of = |at: usize| {
        let name = node.inputs.get(at)?;
        known.get(name).cloned().or_else(|| stated(graph, name))
    };
    let first = shape_of(0);
    match node.op_type.as_str() {
        "Gemm" => {
            let weights = shape_of(1)?;
            let column = if node.int("transB") == Some(1) { 0 } else { 1 };
            let rows = first.and_then(|dims| dims.first().cloned()).unwrap_or(Dim::Unknown);
            Some(vec![rows, weights.get(column)?.clone()])
        }
        "MatMul" => {
            let right = shape_of(1).filter(|right| right.len() == 2)?;
            // Of unknown rank: most often a matrix of rows.
            let mut left = first.unwrap_or_else(|| vec![Dim::Unknown; 2]);
            *left.last_mut()? = right[1].clone();
            Some(left)
        }
        "Add" | "Sub" | "Mul" | "Div" | "Pow" | "Where" => broadcast(first?, shape_of(1)?),
        "Conv" => spatial(node, first?, shape_of(1)?.first()?.clone()),
        "MaxPool" | "AveragePool" => {
            let channels = first.as_ref()?.get(1)?.clone();
            spatial(node, first?, channels)
        }
        "GlobalAveragePool" | "GlobalMaxPool" => {
            Some(first?.into_iter().enumerate().map(|(at, dim)| if at < 2 { dim } else { Dim::Fixed(1) }).collect())
        }
        "Flatten" => {
            let first = first?;
            Some(vec![first.first()?.clone(), product(&first[1..])])
        }
        "Transpose" => {
            let first = first?;
            node.ints("perm").iter().map(|axis| first.get(usize::try_from(*axis).ok()?).cloned()).collect()
        }
        "Reshape" => {
            let target = graph.constant(node.inputs.get(1)?).ok()??;
            Some(reshaped(&first?, target.integers()?))
        }
        "Relu" | "Sigmoid" | "Tanh" | "Softmax" | "Elu" | "Selu" | "LeakyRelu" | "Gelu" | "Erf" | "Exp" | "Log"
        | "Sqrt" | "Neg" | "Abs" | "Clip" | "Identity" | "Cast" | "Dropout" | "BatchNormalization"
        | "LayerNormalization" | "Softplus" | "HardSigmoid" | "Scaler" | "Imputer" | "Normalizer" => first,
        _ => None,
    }
}

fn broadcast(left: Shape, right: Shape) -> Option<Shape> {
    let (mut long, short) = if left.len() >= right.len() { (left, right) } else { (right, left) };
    let offset = long.len() - short.len();
    for (dim, other) in long[offset..].iter_mut().zip(short) {
        if *dim == Dim::Fixed(1) {
            *dim = other;
        }
    }
    Some(long)
}

/// Convolution and pooling: `[N, C, spatial…]` to `[N, channels, spatial'…]`.
fn spatial(node: &Node, input: Shape, channels: Dim) -> Option<Shape> {
    let kernel = node.ints("kernel_shape");
    let mut out = vec![input.first()?.clone(), channels];
    for (axis, dim) in input.get(2..)?.iter().enumerate() {
        let or_one = |name: &str| node.ints(name).get(axis).copied().unwrap_or(1);
        let (stride, dilation) = (or_one("strides"), or_one("dilations"));
        let pads = node.ints("pads");
        let pad = if pads.is_empty() { 0 } else { pads.get(axis)?.checked_add(*pads.get(axis + kernel.len())?)? };
        let Dim::Fixed(size) = dim else {
            out.push(Dim::Unknown);
            continue;
        };
        let size = i64::try_from(*size).ok()?;
        let reach = dilation.checked_mul(kernel.get(axis)?.checked_sub(1)?)?.checked_add(1)?;
        let extent = match node.text("auto_pad") {
            Some("SAME_UPPER" | "SAME_LOWER") => size.checked_add(stride.checked_sub(1)?)?.checked_div(stride)?,
            _ => size.checked_add(pad)?.checked_sub(reach)?.checked_div(stride)?.checked_add(1)?,
        };
        out.push(usize::try_from(extent).map_or(Dim::Unknown, Dim::Fixed));
    }
    Some(out)
}

fn product(dims: &[Dim]) -> Dim {
    let sizes = dims.iter().map(|dim| if let Dim::Fixed(size) = dim { Some(*size) } else { None });
    sizes.into_iter().try_fold(1_usize, |product, size| product.checked_mul(size?)).map_or(Dim::Unknown, Dim::Fixed)
}

fn reshaped(input: &[Dim], target: &[i64]) -> Shape {
    let of = |(at, size): (usize, &i64)| match usize::try_from(*size) {
        Ok(0) => input.get(at).cloned().unwrap_or(Dim::Unknown),
        Ok(size) => Dim::Fixed(size),
        Err(_) if at == 0 => input.first().cloned().unwrap_or(Dim::Unknown),
        Err(_) => Dim::Unknown,
    };
    target.iter().enumerate().map(of).collect()
}
