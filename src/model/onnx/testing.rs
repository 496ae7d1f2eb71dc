//! Small models for tests, built message by message.

use super::graph::Graph;
use super::proto::{
    AttributeProto, DimensionProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, TensorProto,
    TensorShapeProto, TensorTypeProto, TypeProto, ValueInfoProto,
};
use prost::Message;

pub fn model(graph: GraphProto) -> ModelProto {
    let opset = |domain: &str, version| OperatorSetIdProto { domain: domain.into(), version };
    ModelProto {
        ir_version: 8,
        producer_name: b"tests".to_vec(),
        graph: Some(graph),
        opset_import: vec![opset("", 17), opset("ai.onnx.ml", 3)],
        ..Default::default()
    }
}

pub fn graph(node: Vec<NodeProto>, input: Vec<ValueInfoProto>, output: Vec<ValueInfoProto>) -> GraphProto {
    GraphProto { name: "g".into(), node, input, output, ..Default::default() }
}

/// The bytes of a file.
pub fn encoded(model: &ModelProto) -> Vec<u8> {
    model.encode_to_vec()
}

/// Encodes and decodes, as a file would be.
pub fn decoded(proto: GraphProto) -> Graph {
    Graph::decode(&model(proto).encode_to_vec()).expect("a well-formed test model")
}

pub fn node(op: &str, inputs: &[&str], outputs: &[&str], attribute: Vec<AttributeProto>) -> NodeProto {
    NodeProto {
        op_type: op.into(),
        name: format!("the_{op}"),
        input: inputs.iter().map(|name| (*name).into()).collect(),
        output: outputs.iter().map(|name| (*name).into()).collect(),
        attribute,
        domain: String::new(),
    }
}

pub fn ml(op: &str, inputs: &[&str], outputs: &[&str], attribute: Vec<AttributeProto>) -> NodeProto {
    NodeProto { domain: "ai.onnx.ml".into(), ..node(op, inputs, outputs, attribute) }
}

/// Input `[N, width]` of an element type by its code.
pub fn input(name: &str, element: i32, width: usize) -> ValueInfoProto {
    let dims = vec![
        DimensionProto { dim_param: Some("N".into()), ..Default::default() },
        DimensionProto { dim_value: Some(width as i64), ..Default::default() },
    ];
    let tensor = TensorTypeProto { elem_type: element, shape: Some(TensorShapeProto { dim: dims }) };
    ValueInfoProto { name: name.into(), r#type: Some(TypeProto { tensor_type: Some(tensor), ..Default::default() }) }
}

pub fn float_input(name: &str, width: usize) -> ValueInfoProto {
    input(name, 1, width)
}

pub fn double_input(name: &str, width: usize) -> ValueInfoProto {
    input(name, 11, width)
}

/// float32 output of unknown shape.
pub fn output(name: &str) -> ValueInfoProto {
    let tensor = TensorTypeProto { elem_type: 1, shape: None };
    ValueInfoProto { name: name.into(), r#type: Some(TypeProto { tensor_type: Some(tensor), ..Default::default() }) }
}

pub fn tensor(name: &str, dims: &[i64], values: &[f32]) -> TensorProto {
    let raw = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    TensorProto { name: name.into(), dims: dims.into(), data_type: 1, raw_data: Some(raw), ..Default::default() }
}

pub fn int_tensor(name: &str, values: &[i64]) -> TensorProto {
    let dims = vec![values.len() as i64];
    TensorProto { name: name.into(), dims, data_type: 7, int64_data: values.into(), ..Default::default() }
}

pub fn double_tensor(name: &str, values: &[f64]) -> TensorProto {
    let dims = vec![values.len() as i64];
    TensorProto { name: name.into(), dims, data_type: 11, double_data: values.into(), ..Default::default() }
}

pub fn ints(name: &str, values: &[i64]) -> AttributeProto {
    AttributeProto { name: name.into(), ints: values.into(), r#type: 7, ..Default::default() }
}

pub fn int(name: &str, value: i64) -> AttributeProto {
    AttributeProto { name: name.into(), i: Some(value), r#type: 2, ..Default::default() }
}

pub fn floats(name: &str, values: &[f32]) -> AttributeProto {
    AttributeProto { name: name.into(), floats: values.into(), r#type: 6, ..Default::default() }
}

pub fn text(name: &str, value: &str) -> AttributeProto {
    AttributeProto { name: name.into(), s: Some(value.into()), r#type: 3, ..Default::default() }
}

pub fn texts(name: &str, values: &[&str]) -> AttributeProto {
    let strings = values.iter().map(|value| value.as_bytes().to_vec()).collect();
    AttributeProto { name: name.into(), strings, r#type: 8, ..Default::default() }
}

pub fn tensor_attribute(name: &str, tensor: TensorProto) -> AttributeProto {
    AttributeProto { name: name.into(), t: Some(tensor), r#type: 4, ..Default::default() }
}

/// One tree of one split on `x[0] MODE threshold`: leaves vote −1 where the test holds, 2 where not.
pub fn stump_attributes(mode: &str, threshold: f32) -> Vec<AttributeProto> {
    vec![
        ints("nodes_treeids", &[0, 0, 0]),
        ints("nodes_nodeids", &[0, 1, 2]),
        ints("nodes_featureids", &[0, 0, 0]),
        texts("nodes_modes", &[mode, "LEAF", "LEAF"]),
        floats("nodes_values", &[threshold, 0.0, 0.0]),
        ints("nodes_truenodeids", &[1, 0, 0]),
        ints("nodes_falsenodeids", &[2, 0, 0]),
        ints("target_treeids", &[0, 0]),
        ints("target_nodeids", &[1, 2]),
        ints("target_ids", &[0, 0]),
        floats("target_weights", &[-1.0, 2.0]),
        int("n_targets", 1),
    ]
}

/// A regressor of one stump, input "x", output "y".
pub fn stump() -> ModelProto {
    let tree = ml("TreeEnsembleRegressor", &["x"], &["y"], stump_attributes("BRANCH_LEQ", 0.5));
    model(graph(vec![tree], vec![float_input("x", 1)], vec![output("y")]))
}
