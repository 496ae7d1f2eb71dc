//! The model's structure for a drawing that can be read: what is computed, in which shapes, at which cost.
//!
//! Operators become boxes (`boxes`), equal branches one box (`branches`), repeated blocks stand once (`repeats`);
//! `cost` counts multiply-adds and memory. Where things are drawn is the report's matter.

mod boxes;
mod branches;
mod cost;
mod repeats;
mod wording;

use super::onnx::{Graph, Summary};
use super::shapes::Shapes;
use crate::audit::Structure;
use cost::{cost, multiply_adds};

/// The summary of a graph, with better-known shapes and the multiply-adds of every layer.
pub fn detailed(mut summary: Summary, graph: &Graph, shapes: &Shapes) -> Summary {
    for (layer, node) in summary.layers.iter_mut().zip(&graph.nodes) {
        layer.multiply_adds = multiply_adds(graph, shapes, node);
        layer.shape = node.outputs.first().map_or_else(|| "?".to_owned(), |output| shapes.text(output));
    }
    summary
}

/// The structure of a graph whose shapes are known as far as they are.
pub fn structure(summary: &Summary, graph: &Graph, shapes: &Shapes) -> Structure {
    let parameters: Vec<u64> = summary.layers.iter().map(|layer| layer.parameters).collect();
    let (drawn, repeats) = repeats::fold(branches::merge(boxes::boxes(graph, shapes, &parameters)));
    let edges = drawn.reads.iter().enumerate().flat_map(|(to, reads)| reads.iter().map(move |from| (*from, to)));
    Structure {
        edges: edges.collect(),
        boxes: drawn.boxes,
        repeats,
        n_nodes: graph.nodes.len() as u64,
        n_hidden: drawn.n_hidden,
        cost: cost(graph, shapes, summary.parameters),
    }
}
