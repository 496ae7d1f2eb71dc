//! The part of a model between some of its tensors and others, by editing its bytes.

use super::edit::{
    Contributing, GRAPH_INITIALIZER, GRAPH_INPUT, GRAPH_NODE, GRAPH_OUTPUT, GRAPH_VALUE_INFO, MODEL_GRAPH, TENSOR_NAME,
    VALUE_INFO_NAME, name_in, put_output,
};
use super::element::ElementType;
use super::error::OnnxError;
use super::graph::{Dim, Graph};
use super::proto::{DimensionProto, TensorShapeProto, TensorTypeProto, TypeProto, ValueInfoProto};
use super::wire::{fields, put_bytes};
use prost::Message;
use std::collections::BTreeSet;

/// A tensor that becomes an input.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    pub name: String,
    pub element: ElementType,
    pub dims: Vec<Dim>,
}

/// The same model from `entries` to `outputs`: nodes, constants and inputs that this part does not need are left out.
/// Inputs of the model that it still reads stay.
///
/// # Errors
/// The bytes are no model.
pub fn cut(bytes: &[u8], entries: &[Entry], outputs: &[&str]) -> Result<Vec<u8>, OnnxError> {
    let graph = Graph::decode(bytes)?;
    let names: BTreeSet<&str> = entries.iter().map(|entry| entry.name.as_str()).collect();
    let needed = Contributing::between(&graph, &names, outputs);
    let (mut edited, mut body) = (Vec::with_capacity(bytes.len()), Vec::with_capacity(bytes.len()));
    let mut node = 0;
    for field in fields(bytes).flatten() {
        if field.number != MODEL_GRAPH {
            edited.extend_from_slice(field.whole);
            continue;
        }
        for part in fields(field.payload).flatten() {
            let named = |number| name_in(&part, number);
            let keep = match part.number {
                GRAPH_NODE => {
                    node += 1;
                    needed.nodes.contains(&(node - 1))
                }
                GRAPH_OUTPUT => false,
                GRAPH_INPUT | GRAPH_VALUE_INFO => {
                    let name = named(VALUE_INFO_NAME);
                    needed.tensors.contains(&name) && !names.contains(name.as_str())
                }
                GRAPH_INITIALIZER => needed.tensors.contains(&named(TENSOR_NAME)),
                _ => true,
            };
            if keep {
                body.extend_from_slice(part.whole);
            }
        }
    }
    for entry in entries {
        put_bytes(&mut body, GRAPH_INPUT, &input(entry).encode_to_vec());
    }
    outputs.iter().for_each(|name| put_output(&mut body, name));
    put_bytes(&mut edited, MODEL_GRAPH, &body);
    Ok(edited)
}

fn input(entry: &Entry) -> ValueInfoProto {
    let dim = |dim: &Dim| match dim {
        Dim::Fixed(size) => DimensionProto { dim_value: i64::try_from(*size).ok(), ..Default::default() },
        Dim::Named(name) => DimensionProto { dim_param: Some(name.clone()), ..Default::default() },
        Dim::Unknown => DimensionProto::default(),
    };
    let shape = TensorShapeProto { dim: entry.dims.iter().map(dim).collect() };
    let code = if entry.element == ElementType::Double { 11 } else { 1 };
    let tensor = TensorTypeProto { elem_type: code, shape: Some(shape) };
    let r#type = TypeProto { tensor_type: Some(tensor), ..Default::default() };
    ValueInfoProto { name: entry.name.clone(), r#type: Some(r#type) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::onnx::testing::{encoded, float_input, graph, model, node, output, tensor};

    #[test]
    fn what_stands_before_the_cut_is_left_out() {
        let nodes = vec![
            node("Sub", &["x", "mean"], &["centred"], vec![]),
            node("Mul", &["centred", "w"], &["z"], vec![]),
            node("Sigmoid", &["z"], &["p"], vec![]),
            node("Neg", &["z"], &["n"], vec![]),
        ];
        let mut proto = graph(nodes, vec![float_input("x", 2)], vec![output("p"), output("n")]);
        proto.initializer = vec![tensor("mean", &[2], &[1.0, 2.0]), tensor("w", &[2], &[1.0, 1.0])];
        let dims = vec![Dim::Unknown, Dim::Fixed(2)];
        let entry = Entry { name: "centred".into(), element: ElementType::Float, dims: dims.clone() };
        let after = Graph::decode(&cut(&encoded(&model(proto)), &[entry], &["p"]).unwrap()).unwrap();
        let ops: Vec<&str> = after.nodes.iter().map(|node| node.op_type.as_str()).collect();
        assert_eq!(ops, ["Mul", "Sigmoid"]);
        assert_eq!(after.inputs.iter().map(|port| port.name.as_str()).collect::<Vec<_>>(), ["centred"]);
        assert!(!after.is_initializer("mean") && after.is_initializer("w"));
        assert_eq!(after.outputs.len(), 1);
    }
}
