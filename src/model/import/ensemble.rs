//! Attributes of `TreeEnsembleClassifier` and `TreeEnsembleRegressor` (`ai.onnx.ml` 1 to 4) as a node table.

use super::error::ImportError;
use super::grow::{Planted, Table};
use super::layout::LARGEST_ROW;
use crate::forest::Test;
use crate::model::onnx::Node;
use std::collections::HashMap;

/// Names of the attributes that hold the leaves.
#[derive(Debug, Clone, Copy)]
pub struct Leaves {
    ids: &'static str,
    nodes: &'static str,
    trees: &'static str,
    weights: &'static str,
    weights_as_tensor: &'static str,
}

pub const CLASSES: Leaves = Leaves {
    ids: "class_ids",
    nodes: "class_nodeids",
    trees: "class_treeids",
    weights: "class_weights",
    weights_as_tensor: "class_weights_as_tensor",
};

pub const TARGETS: Leaves = Leaves {
    ids: "target_ids",
    nodes: "target_nodeids",
    trees: "target_treeids",
    weights: "target_weights",
    weights_as_tensor: "target_weights_as_tensor",
};

/// What the attributes say, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Ensemble {
    pub table: Table,
    pub base: Vec<f64>,
    /// Largest feature number plus one.
    pub n_features: usize,
    /// Leaf values without exception ≥ 0.
    pub all_positive: bool,
}

/// Reads nodes and leaves for `n_outputs` outputs.
///
/// # Errors
/// Attributes contradict each other or name an unknown branch mode.
pub fn read(node: &Node, leaves: Leaves, n_outputs: usize) -> Result<Ensemble, ImportError> {
    let (trees, ids) = (node.ints("nodes_treeids"), node.ints("nodes_nodeids"));
    let positions = positions(trees, ids)?;
    let votes = votes(node, leaves, &positions, n_outputs)?;
    let all_positive = votes.iter().flatten().all(|(_, value)| *value >= 0.0);
    let nodes = plant(node, &positions, votes, n_outputs)?;
    let feature = |planted: &Planted| match planted {
        Planted::Split { feature, .. } => *feature as usize + 1,
        Planted::Leaf(_) => 0,
    };
    let hitrates = numbers(node, "nodes_hitrates", "nodes_hitrates_as_tensor")?;
    let table = Table {
        hitrates: if hitrates.len() == nodes.len() { hitrates } else { Vec::new() },
        ids: ids.to_vec(),
        roots: roots(trees)?,
        nodes,
    };
    let base = numbers(node, "base_values", "base_values_as_tensor")?;
    let n_features = table.nodes.iter().map(feature).max().unwrap_or(0);
    Ok(Ensemble { table, base, n_features, all_positive })
}

/// Numbers stored as floats or, in double precision, as a tensor.
fn numbers(node: &Node, floats: &str, tensor: &str) -> Result<Vec<f64>, ImportError> {
    match node.tensor(tensor)? {
        Some(tensor) => tensor.numbers().ok_or(ImportError::NoRule("a tensor attribute holds text".to_owned())),
        None => Ok(node.floats(floats).iter().map(|value| f64::from(*value)).collect()),
    }
}

/// `(tree, node)` to position in the table.
fn positions(trees: &[i64], ids: &[i64]) -> Result<HashMap<(i64, i64), usize>, ImportError> {
    check_length("nodes_nodeids", ids.len(), trees.len())?;
    let mut positions = HashMap::with_capacity(ids.len());
    for (at, key) in trees.iter().copied().zip(ids.iter().copied()).enumerate() {
        if positions.insert(key, at).is_some() {
            return Err(ImportError::NodeTwice { tree: key.0, node: key.1 });
        }
    }
    Ok(positions)
}

/// The first node listed of each tree is its root.
fn roots(trees: &[i64]) -> Result<Vec<(i64, usize)>, ImportError> {
    let mut roots: Vec<(i64, usize)> = Vec::new();
    let mut seen = HashMap::new();
    for (at, tree) in trees.iter().enumerate() {
        if at > 0 && trees[at - 1] == *tree {
            continue;
        }
        if seen.insert(*tree, at).is_some() {
            return Err(ImportError::ScatteredTree { tree: *tree });
        }
        roots.push((*tree, at));
    }
    Ok(roots)
}

type Votes = Vec<Vec<(u32, f64)>>;

fn votes(
    node: &Node,
    leaves: Leaves,
    positions: &HashMap<(i64, i64), usize>,
    n_outputs: usize,
) -> Result<Votes, ImportError> {
    let (outputs, nodes, trees) = (node.ints(leaves.ids), node.ints(leaves.nodes), node.ints(leaves.trees));
    let weights = numbers(node, leaves.weights, leaves.weights_as_tensor)?;
    check_length(leaves.nodes, nodes.len(), outputs.len())?;
    check_length(leaves.trees, trees.len(), outputs.len())?;
    check_length(leaves.weights, weights.len(), outputs.len())?;
    let mut votes = vec![Vec::new(); positions.len()];
    for at in 0..outputs.len() {
        let output = outputs[at];
        if output < 0 || output as usize >= n_outputs {
            return ImportError::no_rule(format!("`{}` names output {output} of {n_outputs}", leaves.ids));
        }
        let key = (trees[at], nodes[at]);
        let position = positions.get(&key);
        let position = position.ok_or(ImportError::NoSuchNode { tree: key.0, node: key.1, child: key.1 })?;
        votes[*position].push((output as u32, weights[at]));
    }
    Ok(votes)
}

fn plant(
    node: &Node,
    positions: &HashMap<(i64, i64), usize>,
    votes: Votes,
    n_outputs: usize,
) -> Result<Vec<Planted>, ImportError> {
    let (trees, ids) = (node.ints("nodes_treeids"), node.ints("nodes_nodeids"));
    let (features, modes) = (node.ints("nodes_featureids"), node.texts("nodes_modes"));
    let (yes, no) = (node.ints("nodes_truenodeids"), node.ints("nodes_falsenodeids"));
    let missing = node.ints("nodes_missing_value_tracks_true");
    let values = numbers(node, "nodes_values", "nodes_values_as_tensor")?;
    for (name, length) in [
        ("nodes_featureids", features.len()),
        ("nodes_modes", modes.len()),
        ("nodes_truenodeids", yes.len()),
        ("nodes_falsenodeids", no.len()),
        ("nodes_values", values.len()),
    ] {
        check_length(name, length, ids.len())?;
    }
    let mut nodes = Vec::with_capacity(ids.len());
    for (at, votes) in votes.into_iter().enumerate() {
        if modes[at] == "LEAF" {
            nodes.push(leaf(votes, values[at], n_outputs, (trees[at], ids[at]))?);
            continue;
        }
        let child = |id: i64| {
            let missing = ImportError::NoSuchNode { tree: trees[at], node: ids[at], child: id };
            positions.get(&(trees[at], id)).copied().ok_or(missing)
        };
        let test = test(&modes[at], values[at])?;
        nodes.push(Planted::Split {
            feature: feature(features[at])?,
            missing_yes: missing.get(at) == Some(&1) || passes_missing(&test),
            test,
            yes: child(yes[at])?,
            no: child(no[at])?,
        });
    }
    Ok(nodes)
}

/// With a single output ONNX Runtime takes a leaf's only weight, and the leaf's `nodes_values` if it has none.
fn leaf(votes: Vec<(u32, f64)>, value: f64, n_outputs: usize, key: (i64, i64)) -> Result<Planted, ImportError> {
    match (n_outputs, votes.len()) {
        (1, 0) => Ok(Planted::Leaf(vec![(0, value)])),
        (1, 2..) => {
            ImportError::no_rule(format!("leaf {} of tree {} has several weights for one output", key.1, key.0))
        }
        _ => Ok(Planted::Leaf(votes)),
    }
}

fn test(mode: &str, value: f64) -> Result<Test, ImportError> {
    Ok(match mode {
        "BRANCH_LEQ" => Test::Leq(value),
        "BRANCH_LT" => Test::Lt(value),
        "BRANCH_GTE" => Test::Gte(value),
        "BRANCH_GT" => Test::Gt(value),
        "BRANCH_EQ" => Test::Eq(value),
        "BRANCH_NEQ" => Test::Neq(value),
        mode => return Err(ImportError::Mode(mode.to_owned())),
    })
}

/// NaN differs from every number, so `BRANCH_NEQ` holds for it whatever the missing direction says.
pub fn passes_missing(test: &Test) -> bool {
    matches!(test, Test::Neq(_))
}

pub fn feature(id: i64) -> Result<u32, ImportError> {
    let too_large = ImportError::TooLarge { what: "a feature number", found: id.to_string(), limit: LARGEST_ROW };
    u32::try_from(id).ok().filter(|id| (*id as usize) < LARGEST_ROW).ok_or(too_large)
}

pub fn check_length(attribute: &str, found: usize, expected: usize) -> Result<(), ImportError> {
    if found == expected {
        return Ok(());
    }
    Err(ImportError::Length { attribute: attribute.to_owned(), found, expected })
}
