//! Other outputs for a model, by editing its bytes.
//!
//! Serialized protobuf messages concatenate: a second `graph` field merges into the first. Nothing here is decoded
//! and encoded again, so whatever the file holds beyond what this module reads stays as it is.

use super::error::OnnxError;
use super::graph::{Graph, Node};
use super::wire::{Field, fields, put_bytes};
use std::collections::{BTreeSet, HashMap};

/// Field numbers of `ModelProto` and `GraphProto`.
pub(super) const MODEL_GRAPH: u64 = 7;
pub(super) const GRAPH_NODE: u64 = 1;
pub(super) const GRAPH_INITIALIZER: u64 = 5;
pub(super) const GRAPH_INPUT: u64 = 11;
pub(super) const GRAPH_OUTPUT: u64 = 12;
pub(super) const GRAPH_VALUE_INFO: u64 = 13;
/// `TensorProto.name` and `ValueInfoProto.name`.
pub(super) const TENSOR_NAME: u64 = 8;
pub(super) const VALUE_INFO_NAME: u64 = 1;

/// The same model with further graph outputs, behind those it has. Tensors that are outputs already are not repeated.
///
/// # Errors
/// The bytes are no model, or it computes no tensor of such a name.
pub fn append_outputs(bytes: &[u8], names: &[&str]) -> Result<Vec<u8>, OnnxError> {
    let graph = Graph::decode(bytes)?;
    let mut addition = Vec::new();
    let mut listed: BTreeSet<&str> = graph.outputs.iter().map(|port| port.name.as_str()).collect();
    for name in names {
        check_known(&graph, name)?;
        if listed.insert(name) {
            put_output(&mut addition, name);
        }
    }
    let mut edited = bytes.to_vec();
    if !addition.is_empty() {
        put_bytes(&mut edited, MODEL_GRAPH, &addition);
    }
    Ok(edited)
}

/// The same model with exactly these outputs, in this order, without the nodes and initializers that only other
/// outputs need. Graph inputs stay, whether still read or not.
///
/// # Errors
/// The bytes are no model, or it computes no tensor of such a name.
pub fn with_outputs(bytes: &[u8], names: &[&str]) -> Result<Vec<u8>, OnnxError> {
    let graph = Graph::decode(bytes)?;
    names.iter().try_for_each(|name| check_known(&graph, name))?;
    let contributing = Contributing::to(&graph, names);
    let (mut edited, mut body) = (Vec::with_capacity(bytes.len()), Vec::with_capacity(bytes.len()));
    let mut known_outputs = HashMap::new();
    let mut node = 0;
    let inputs = input_names(bytes);
    for field in fields(bytes).flatten() {
        if field.number != MODEL_GRAPH {
            edited.extend_from_slice(field.whole);
            continue;
        }
        for part in fields(field.payload).flatten() {
            let keep = match part.number {
                GRAPH_NODE => {
                    node += 1;
                    contributing.nodes.contains(&(node - 1))
                }
                GRAPH_OUTPUT => {
                    known_outputs.insert(name_in(&part, VALUE_INFO_NAME), part.whole);
                    false
                }
                GRAPH_INITIALIZER => {
                    let name = name_in(&part, TENSOR_NAME);
                    // A default value of an input may not go: the input would become mandatory.
                    contributing.tensors.contains(&name) || inputs.contains(&name)
                }
                GRAPH_VALUE_INFO => contributing.tensors.contains(&name_in(&part, VALUE_INFO_NAME)),
                _ => true,
            };
            if keep {
                body.extend_from_slice(part.whole);
            }
        }
    }
    for name in names {
        match known_outputs.get(*name) {
            Some(whole) => body.extend_from_slice(whole),
            None => put_output(&mut body, name),
        }
    }
    put_bytes(&mut edited, MODEL_GRAPH, &body);
    Ok(edited)
}

/// What a set of tensors is computed from.
pub(super) struct Contributing {
    /// Positions of nodes.
    pub nodes: BTreeSet<usize>,
    /// Names of tensors read or asked for.
    pub tensors: BTreeSet<String>,
}

impl Contributing {
    fn to(graph: &Graph, names: &[&str]) -> Contributing {
        Contributing::between(graph, &BTreeSet::new(), names)
    }

    /// Where `given` are there already. One pass from the end: a node stands behind everything it reads.
    pub fn between(graph: &Graph, given: &BTreeSet<&str>, names: &[&str]) -> Contributing {
        let mut tensors: BTreeSet<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut nodes = BTreeSet::new();
        for (at, node) in graph.nodes.iter().enumerate().rev() {
            let is_needed = |output: &String| tensors.contains(output) && !given.contains(output.as_str());
            if node.outputs.iter().any(is_needed) {
                nodes.insert(at);
                tensors.extend(Node::reads(node));
            }
        }
        Contributing { nodes, tensors }
    }
}

fn check_known(graph: &Graph, name: &str) -> Result<(), OnnxError> {
    if graph.knows(name) {
        return Ok(());
    }
    let known: Vec<String> =
        graph.nodes.iter().flat_map(|node| &node.outputs).take(20).map(|n| format!("`{n}`")).collect();
    Err(OnnxError::NoSuchTensor { name: name.to_owned(), known: known.join(", ") })
}

/// A graph output by name alone; ONNX Runtime infers its type.
pub(super) fn put_output(graph: &mut Vec<u8>, name: &str) {
    let mut info = Vec::new();
    put_bytes(&mut info, VALUE_INFO_NAME, name.as_bytes());
    put_bytes(graph, GRAPH_OUTPUT, &info);
}

fn input_names(bytes: &[u8]) -> BTreeSet<String> {
    let graphs = fields(bytes).flatten().filter(|field| field.number == MODEL_GRAPH);
    let parts = graphs.flat_map(|graph| fields(graph.payload).flatten());
    parts.filter(|part| part.number == GRAPH_INPUT).map(|part| name_in(&part, VALUE_INFO_NAME)).collect()
}

pub(super) fn name_in(message: &Field<'_>, number: u64) -> String {
    let name = fields(message.payload).flatten().filter(|field| field.number == number).last();
    name.map_or_else(String::new, |field| String::from_utf8_lossy(field.payload).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::onnx::testing::{float_input, graph, model, node, output, tensor};
    use prost::Message;

    /// x → Sub(mean) → Sigmoid → p, and x → Neg → n beside it.
    fn two_branches() -> Vec<u8> {
        let nodes = vec![
            node("Sub", &["x", "mean"], &["centred"], vec![]),
            node("Sigmoid", &["centred"], &["p"], vec![]),
            node("Neg", &["x"], &["n"], vec![]),
        ];
        let outputs = vec![output("p"), output("n")];
        let mut proto = graph(nodes, vec![float_input("x", 2)], outputs);
        proto.initializer = vec![tensor("mean", &[2], &[1.0, 2.0]), tensor("unused", &[1], &[0.0])];
        model(proto).encode_to_vec()
    }

    fn names(ports: &[crate::model::onnx::Port]) -> Vec<&str> {
        ports.iter().map(|port| port.name.as_str()).collect()
    }

    #[test]
    fn appended_outputs_stand_behind_the_old_ones_and_nothing_else_changes() {
        let bytes = two_branches();
        let edited = append_outputs(&bytes, &["centred", "p"]).unwrap();
        assert_eq!(&edited[..bytes.len()], &bytes[..]);
        let after = Graph::decode(&edited).unwrap();
        assert_eq!(names(&after.outputs), ["p", "n", "centred"]);
        assert_eq!(after.nodes, Graph::decode(&bytes).unwrap().nodes);
        assert_eq!(append_outputs(&bytes, &["n"]).unwrap(), bytes);
    }

    #[test]
    fn replaced_outputs_keep_only_what_they_need() {
        let edited = with_outputs(&two_branches(), &["centred"]).unwrap();
        let after = Graph::decode(&edited).unwrap();
        assert_eq!(names(&after.outputs), ["centred"]);
        assert_eq!(after.nodes.len(), 1);
        assert!(after.is_initializer("mean") && !after.is_initializer("unused"));
        assert_eq!(names(&after.inputs), ["x"]);
    }

    #[test]
    fn a_kept_output_keeps_its_type() {
        let bytes = two_branches();
        let before = Graph::decode(&bytes).unwrap();
        let after = Graph::decode(&with_outputs(&bytes, &["n", "p"]).unwrap()).unwrap();
        assert_eq!(names(&after.outputs), ["n", "p"]);
        assert_eq!(after.outputs[1], before.outputs[0]);
    }

    #[test]
    fn an_unknown_tensor_is_named_with_what_there_is() {
        let error = append_outputs(&two_branches(), &["logit"]).unwrap_err().to_string();
        assert!(error.contains("`logit`") && error.contains("`centred`"), "{error}");
        assert!(with_outputs(&two_branches(), &["logit"]).is_err());
    }
}
