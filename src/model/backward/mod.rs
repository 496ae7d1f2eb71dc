//! Gradients of a model, as a graph that ONNX Runtime runs.
//!
//! From a model, one of its tensors (the score) and tensors before it, [`differentiate`] writes the model's own nodes
//! followed by those of reverse-mode differentiation (Griewank and Walther 2008, chapter 3): standard operators only. The
//! weights of the score's columns come in through a further input, so one graph serves every output. A `Tape` is
//! written backwards, node by node; `rules` knows the operators, [`Types`] what ONNX Runtime infers of their tensors.
//! With a reference run beside the run itself the same tape gives DeepLIFT's multipliers.

mod error;
mod reference;
mod rules;
mod tape;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod torch_tests;
mod types;

pub use error::BackwardError;
pub use types::Types;

use crate::model::onnx::extend::{Extension, extend};
use crate::model::onnx::{ElementType, Graph, Node, with_outputs};
use std::collections::{BTreeSet, HashMap};
use tape::Tape;

/// Version of the standard operators that the added nodes are written for: before 16, values could not be scattered into
/// sums. From 13 on, raising a model to it changes no result.
const WRITTEN_FOR: i64 = 16;
const LEAST_OPSET: i64 = 13;

/// Derivatives, or multipliers against a reference run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    Derivative,
    /// DeepLIFT's rescale rule: change of output over change of input, where derivatives would stand.
    Rescale,
}

/// A model with its gradients.
#[derive(Debug, Clone)]
pub struct Backward {
    pub bytes: Vec<u8>,
    /// Input that takes the weights of the score's columns, `[rows × columns]`, in the score's element type.
    pub seed: String,
    /// Output with the score.
    pub score: String,
    /// Output with the gradient, per tensor asked for.
    pub gradients: Vec<String>,
    /// Rescale rule: per tensor asked for, the input that takes its value in the reference run.
    pub references: Vec<String>,
    pub element: ElementType,
}

/// Writes the gradient of Σ weights · `score` for each of `tensors`, in their shapes.
///
/// # Errors
/// An operator on the way has no rule (it is named), a tensor is no floating one, or the score does not follow from it.
pub fn differentiate(
    bytes: &[u8],
    types: &Types,
    score: &str,
    tensors: &[&str],
    rule: Rule,
) -> Result<Backward, BackwardError> {
    let bytes = with_outputs(bytes, &[score])?;
    let graph = Graph::decode(&bytes)?;
    let opset = graph.opset("").unwrap_or(0);
    if opset < LEAST_OPSET {
        return Err(BackwardError::Opset { found: opset, least: LEAST_OPSET });
    }
    for tensor in tensors {
        let element = types.element(&graph, tensor);
        if !matches!(element, Some(ElementType::Float | ElementType::Double)) {
            let found = element.map_or("no tensor".to_owned(), |element| element.to_string());
            return Err(BackwardError::NotFloat { tensor: (*tensor).to_owned(), found });
        }
    }
    let prefix = unused_prefix(&graph);
    let mut tape = Tape::new(&graph, types, prefix.clone());
    let dependent = follow(&mut tape, tensors);
    let mut extension = Extension { least_opset: WRITTEN_FOR, ..Default::default() };
    let mut references = Vec::new();
    if rule == Rule::Rescale {
        references = reference::copy(&mut tape, &mut extension, tensors, &dependent)?;
    }
    let element = types.element(&graph, score).unwrap_or(ElementType::Float);
    let seed = format!("{prefix}seed");
    extension.inputs.push((seed.clone(), code(element), 2));
    let first = tape.reshaped(&seed, score);
    let mut pending: HashMap<String, Vec<String>> = HashMap::from([(score.to_owned(), vec![first])]);
    for node in graph.nodes.iter().rev() {
        let arrived = |output: &String| pending.contains_key(output) && tape.is_active(output);
        let is_end = node.outputs.iter().any(|output| tensors.contains(&output.as_str()));
        if is_end || !node.outputs.iter().any(arrived) {
            continue;
        }
        let gradients = node.outputs.iter().map(|output| gathered(&mut tape, pending.remove(output))).collect();
        for (at, gradient) in rules::contributions(&mut tape, &rules::Call { node, gradients })? {
            pending.entry(node.inputs[at].clone()).or_default().push(gradient);
        }
    }
    let mut gradients = Vec::new();
    for (at, tensor) in tensors.iter().enumerate() {
        let gradient = gathered(&mut tape, pending.remove(*tensor))
            .ok_or_else(|| BackwardError::Unreached { score: score.to_owned(), tensor: (*tensor).to_owned() })?;
        let name = format!("{prefix}gradient_{at}");
        tape.named("Identity", &[&gradient], &name);
        gradients.push(name);
    }
    extension.nodes = std::mem::take(&mut tape.nodes);
    extension.outputs.extend(gradients.iter().cloned());
    let bytes = extend(&bytes, extension)?;
    Ok(Backward { bytes, seed, score: score.to_owned(), gradients, references, element })
}

/// The sum of what arrived.
fn gathered(tape: &mut Tape, parts: Option<Vec<String>>) -> Option<String> {
    let parts = parts?;
    match parts.as_slice() {
        [] => None,
        [one] => Some(one.clone()),
        parts => {
            let names: Vec<&str> = parts.iter().map(String::as_str).collect();
            Some(tape.op("Sum", &names, Vec::new()))
        }
    }
}

/// Marks the floating tensors that follow from `tensors` by other than constant steps; gives all that follow, whatever
/// their type.
fn follow(tape: &mut Tape, tensors: &[&str]) -> BTreeSet<String> {
    let mut dependent: BTreeSet<String> = tensors.iter().map(|tensor| (*tensor).to_owned()).collect();
    tape.active = dependent.clone();
    let graph = tape.graph;
    for node in &graph.nodes {
        let reads = node.reads();
        let follows = reads.iter().any(|input| dependent.contains(input));
        let moves = !is_flat(node) && reads.iter().any(|input| tape.active.contains(input));
        for output in node.outputs.iter().filter(|output| !output.is_empty()) {
            if follows {
                dependent.insert(output.clone());
            }
            let float = matches!(
                tape.types.element(graph, output),
                Some(ElementType::Float | ElementType::Double | ElementType::Float16 | ElementType::BFloat16) | None
            );
            if moves && float {
                tape.active.insert(output.clone());
            }
        }
    }
    dependent
}

/// Operators whose result does not change with small changes of the input.
fn is_flat(node: &Node) -> bool {
    const FLAT: [&str; 9] =
        ["Shape", "Size", "Floor", "Ceil", "Round", "Sign", "ConstantOfShape", "EyeLike", "RandomNormalLike"];
    node.domain.is_empty() && FLAT.contains(&node.op_type.as_str())
}

/// No name of the graph begins with it.
fn unused_prefix(graph: &Graph) -> String {
    let names = || graph.nodes.iter().flat_map(|node| node.outputs.iter().chain(&node.inputs)).chain([&graph.producer]);
    let candidates = (0..).map(|at| if at == 0 { "grad/".to_owned() } else { format!("grad{at}/") });
    let unused = |prefix: &String| {
        !names().any(|name| name.starts_with(prefix)) && !graph.inputs.iter().any(|port| port.name.starts_with(prefix))
    };
    candidates.into_iter().find(unused).unwrap_or_default()
}

fn code(element: ElementType) -> i32 {
    if element == ElementType::Double { 11 } else { 1 }
}
