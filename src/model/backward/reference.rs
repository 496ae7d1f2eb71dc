//! The reference run: a second copy of the nodes that follow from what is explained, over the same weights.

use super::error::BackwardError;
use super::tape::Tape;
use crate::model::onnx::extend::{Extension, again};
use crate::model::onnx::proto::NodeProto;
use crate::model::onnx::{ElementType, Node};
use std::collections::BTreeSet;

/// Writes the copy and its inputs, one per tensor; from then on the tape knows every tensor's counterpart.
pub(super) fn copy(
    tape: &mut Tape,
    extension: &mut Extension,
    tensors: &[&str],
    dependent: &BTreeSet<String>,
) -> Result<Vec<String>, BackwardError> {
    tape.paired = Some(dependent.clone());
    let mut inputs = Vec::new();
    for tensor in tensors {
        let rank = tape.rank(tensor).ok_or_else(|| BackwardError::NotFloat {
            tensor: (*tensor).to_owned(),
            found: "an unknown number of dimensions".to_owned(),
        })?;
        let code = if tape.types.element(tape.graph, tensor) == Some(ElementType::Double) { 11 } else { 1 };
        let name = tape.reference(tensor);
        extension.inputs.push((name.clone(), code, rank));
        inputs.push(name);
    }
    let graph = tape.graph;
    for node in &graph.nodes {
        let given = node.outputs.iter().any(|output| tensors.contains(&output.as_str()));
        if !given && node.outputs.iter().any(|output| dependent.contains(output)) {
            let copy = counterpart(tape, node)?;
            tape.nodes.push(copy);
        }
    }
    Ok(inputs)
}

fn counterpart(tape: &Tape, node: &Node) -> Result<NodeProto, BackwardError> {
    let rename = |names: &[String]| names.iter().map(|name| tape.reference(name)).collect::<Vec<_>>();
    let attributes = node.attributes().map(|(name, value)| again(name, value));
    let attribute = attributes.collect::<Option<Vec<_>>>();
    let attribute = attribute.ok_or_else(|| BackwardError::NoRule { node: node.label(), what: "rescale rule" })?;
    let (input, output) = (rename(&node.inputs), rename(&node.outputs));
    let name = output.first().cloned().unwrap_or_default();
    Ok(NodeProto { input, output, name, op_type: node.op_type.clone(), attribute, domain: node.domain.clone() })
}
