//! More computation for a model: nodes, inputs and outputs appended to its bytes.
//!
//! What the file holds stays as it is, weights above all; only the version of the standard operators may rise.

use super::decode::decode;
use super::error::OnnxError;
use super::proto::{
    AttributeProto, GraphProto, NodeProto, OperatorSetIdProto, TensorProto, TensorShapeProto, TensorTypeProto,
    TypeProto, ValueInfoProto,
};
use super::wire::{fields, put_bytes};
use prost::Message;

/// Field numbers of `ModelProto`.
const MODEL_GRAPH: u64 = 7;
const MODEL_OPSET: u64 = 8;

/// What is added to a model.
#[derive(Debug, Clone, Default)]
pub struct Extension {
    /// In order of computation; they stand behind the model's own.
    pub nodes: Vec<NodeProto>,
    /// Name, code of the element type, rank.
    pub inputs: Vec<(String, i32, usize)>,
    pub outputs: Vec<String>,
    /// Least version of the standard operators.
    pub least_opset: i64,
}

/// The model with the extension.
///
/// # Errors
/// The bytes are no model.
pub fn extend(bytes: &[u8], extension: Extension) -> Result<Vec<u8>, OnnxError> {
    let opset = decode(bytes)?.opset_import.iter().filter(|opset| is_standard(opset)).map(|opset| opset.version).max();
    let raised = opset.is_none_or(|version| version < extension.least_opset);
    let mut edited = Vec::with_capacity(bytes.len());
    for field in fields(bytes).flatten() {
        let replaced = raised
            && field.number == MODEL_OPSET
            && OperatorSetIdProto::decode(field.payload).is_ok_and(|opset| is_standard(&opset));
        if !replaced {
            edited.extend_from_slice(field.whole);
        }
    }
    if raised {
        let opset = OperatorSetIdProto { domain: String::new(), version: extension.least_opset };
        put_bytes(&mut edited, MODEL_OPSET, &opset.encode_to_vec());
    }
    let graph = GraphProto {
        node: extension.nodes,
        input: extension.inputs.iter().map(|(name, element, rank)| input(name, *element, *rank)).collect(),
        output: extension.outputs.into_iter().map(|name| ValueInfoProto { name, r#type: None }).collect(),
        ..Default::default()
    };
    put_bytes(&mut edited, MODEL_GRAPH, &graph.encode_to_vec());
    Ok(edited)
}

fn is_standard(opset: &OperatorSetIdProto) -> bool {
    opset.domain.is_empty() || opset.domain == "ai.onnx"
}

/// An input of which only the rank is known.
fn input(name: &str, element: i32, rank: usize) -> ValueInfoProto {
    let shape = TensorShapeProto { dim: vec![Default::default(); rank] };
    let tensor = TensorTypeProto { elem_type: element, shape: Some(shape) };
    let r#type = TypeProto { tensor_type: Some(tensor), ..Default::default() };
    ValueInfoProto { name: name.to_owned(), r#type: Some(r#type) }
}

/// A node of the standard domain.
pub fn standard_node(
    op: &str,
    name: &str,
    inputs: &[&str],
    outputs: Vec<String>,
    with: Vec<AttributeProto>,
) -> NodeProto {
    NodeProto {
        input: inputs.iter().map(|input| (*input).to_owned()).collect(),
        output: outputs,
        name: name.to_owned(),
        op_type: op.to_owned(),
        attribute: with,
        domain: String::new(),
    }
}

pub fn int(name: &str, value: i64) -> AttributeProto {
    AttributeProto { name: name.to_owned(), i: Some(value), r#type: 2, ..Default::default() }
}

pub fn float(name: &str, value: f32) -> AttributeProto {
    AttributeProto { name: name.to_owned(), f: Some(value), r#type: 1, ..Default::default() }
}

pub fn ints(name: &str, values: &[i64]) -> AttributeProto {
    AttributeProto { name: name.to_owned(), ints: values.to_vec(), r#type: 7, ..Default::default() }
}

pub fn text(name: &str, value: &str) -> AttributeProto {
    AttributeProto { name: name.to_owned(), s: Some(value.as_bytes().to_vec()), r#type: 3, ..Default::default() }
}

/// A `Constant`'s value of 64-bit integers, a vector.
pub fn int_vector(values: &[i64]) -> AttributeProto {
    let tensor = TensorProto {
        dims: vec![values.len() as i64],
        data_type: 7,
        int64_data: values.to_vec(),
        ..Default::default()
    };
    AttributeProto { name: "value".to_owned(), t: Some(tensor), r#type: 4, ..Default::default() }
}

/// A `Constant`'s value of one 64-bit integer, a scalar.
pub fn int_scalar(value: i64) -> AttributeProto {
    let tensor = TensorProto { dims: Vec::new(), data_type: 7, int64_data: vec![value], ..Default::default() };
    AttributeProto { name: "value".to_owned(), t: Some(tensor), r#type: 4, ..Default::default() }
}

/// A `Constant`'s value of 32-bit floats, a vector.
pub fn float_vector(values: &[f32]) -> AttributeProto {
    let tensor = TensorProto {
        dims: vec![values.len() as i64],
        data_type: 1,
        float_data: values.to_vec(),
        ..Default::default()
    };
    AttributeProto { name: "value".to_owned(), t: Some(tensor), r#type: 4, ..Default::default() }
}

/// A `Constant`'s value of one 32-bit float, a scalar.
pub fn float_scalar(value: f32) -> AttributeProto {
    let tensor = TensorProto { dims: Vec::new(), data_type: 1, float_data: vec![value], ..Default::default() };
    AttributeProto { name: "value".to_owned(), t: Some(tensor), r#type: 4, ..Default::default() }
}

/// A `Constant`'s value of one 64-bit float, a scalar.
pub fn double_scalar(value: f64) -> AttributeProto {
    let tensor = TensorProto { dims: Vec::new(), data_type: 11, double_data: vec![value], ..Default::default() };
    AttributeProto { name: "value".to_owned(), t: Some(tensor), r#type: 4, ..Default::default() }
}

/// An attribute as it was read, for a node that is written again.
pub fn again(name: &str, value: &super::Attribute) -> Option<AttributeProto> {
    use super::Attribute::{Float, Floats, Int, Ints, Tensor, Text};
    let blank = |r#type| AttributeProto { name: name.to_owned(), r#type, ..Default::default() };
    Some(match value {
        Float(value) => float(name, *value),
        Int(value) => int(name, *value),
        Text(value) => text(name, value),
        Floats(values) => AttributeProto { floats: values.clone(), ..blank(6) },
        Ints(values) => ints(name, values),
        Tensor(tensor) => AttributeProto { t: Some(tensor.as_ref().clone()), ..blank(4) },
        _ => return None,
    })
}
