//! Rows of the small tree that stands in for a model.

use super::{Cell, optional_text, real, text};
use crate::audit::{Surrogate, SurrogateNode, SurrogateSplit};

pub(super) const SURROGATE_NODES: &str =
    "run_id, node, parent, branch, output, value, n, share, decision, feature, threshold, categories, missing, gain";

/// A node's place in the tree, with its list of categories as JSON.
pub(super) struct Placed<'a> {
    at: usize,
    node: &'a SurrogateNode,
    parent: Option<(usize, &'static str)>,
    categories: Option<String>,
}

/// Every node with where it hangs.
pub(super) fn placed(tree: &Surrogate) -> Vec<Placed<'_>> {
    let mut parents: Vec<Option<(usize, &'static str)>> = vec![None; tree.nodes.len()];
    for (at, node) in tree.nodes.iter().enumerate() {
        let branches = node.split.iter().flat_map(|split| [(split.yes, "yes"), (split.no, "no")]);
        for (child, branch) in branches {
            if let Some(parent) = parents.get_mut(child as usize) {
                *parent = Some((at, branch));
            }
        }
    }
    let place = |(at, (node, parent))| Placed { at, node, parent, categories: json(node) };
    tree.nodes.iter().zip(parents).enumerate().map(place).collect()
}

fn json(node: &SurrogateNode) -> Option<String> {
    let split = node.split.as_ref().filter(|split| !split.categories.is_empty())?;
    Some(serde_json::Value::from(split.categories.clone()).to_string())
}

/// One row for each output.
pub(super) fn rows<'a>(
    run_id: &'a str,
    outputs: &'a [String],
    placed: &'a Placed<'a>,
) -> impl Iterator<Item = [Cell<'a>; 14]> {
    outputs.iter().zip(&placed.node.values).map(move |(output, value)| row(run_id, output, *value, placed))
}

fn row<'a>(run_id: &'a str, output: &'a str, value: f64, placed: &'a Placed<'a>) -> [Cell<'a>; 14] {
    let node = placed.node;
    let split = node.split.as_ref();
    let missing = |split: &SurrogateSplit| Some(if split.missing_yes? { "yes" } else { "no" });
    [
        text(run_id),
        Cell::Count(placed.at as u64),
        placed.parent.map_or(Cell::Null, |(parent, _)| Cell::Count(parent as u64)),
        text(placed.parent.map_or("", |(_, branch)| branch)),
        text(output),
        Cell::Real(value),
        Cell::Count(node.n),
        Cell::Real(node.share),
        optional_text(node.decision.as_deref()),
        optional_text(split.map(|split| split.feature.as_str())),
        real(split.and_then(|split| split.threshold)),
        optional_text(placed.categories.as_deref()),
        optional_text(split.and_then(missing)),
        real(split.map(|split| split.gain)),
    ]
}
