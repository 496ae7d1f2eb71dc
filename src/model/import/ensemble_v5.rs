//! Attributes of `TreeEnsemble` (`ai.onnx.ml` 5) as a node table: splits first, leaves behind them.

use super::ensemble::{Ensemble, check_length, feature, passes_missing};
use super::error::ImportError;
use super::grow::{Planted, Table, member};
use crate::forest::Test;
use crate::model::onnx::{Node, Tensor};

/// Code of `BRANCH_MEMBER` in `nodes_modes`.
const MEMBER: i64 = 6;

/// Reads splits and leaves for `n_outputs` targets.
///
/// # Errors
/// Attributes contradict each other or hold an unknown branch mode.
pub fn read(node: &Node, n_outputs: usize) -> Result<Ensemble, ImportError> {
    let leaves = leaves(node, n_outputs)?;
    let modes = required(node, "nodes_modes")?;
    let modes = modes.integers().ok_or(ImportError::Missing { attribute: "nodes_modes" })?;
    let splits = floats(node, "nodes_splits")?;
    let mut sets = member_sets(node)?.into_iter();
    let (features, missing) = (node.ints("nodes_featureids"), node.ints("nodes_missing_value_tracks_true"));
    let branches = Branches::of(node, modes.len(), leaves.len());
    check_length("nodes_splits", splits.len(), modes.len())?;
    check_length("nodes_featureids", features.len(), modes.len())?;
    let mut nodes = Vec::with_capacity(modes.len() + leaves.len());
    let mut n_features = 0;
    for at in 0..modes.len() {
        let test = match modes[at] {
            0 => Test::Leq(splits[at]),
            1 => Test::Lt(splits[at]),
            2 => Test::Gte(splits[at]),
            3 => Test::Gt(splits[at]),
            4 => Test::Eq(splits[at]),
            5 => Test::Neq(splits[at]),
            MEMBER => member(sets.next().unwrap_or_default()),
            mode => return Err(ImportError::Mode(mode.to_string())),
        };
        let feature = feature(features[at])?;
        n_features = n_features.max(feature as usize + 1);
        nodes.push(Planted::Split {
            feature,
            missing_yes: missing.get(at) == Some(&1) || passes_missing(&test),
            test,
            yes: branches.child(at, "nodes_truenodeids", "nodes_trueleafs")?,
            no: branches.child(at, "nodes_falsenodeids", "nodes_falseleafs")?,
        });
    }
    let all_positive = leaves.iter().all(|(_, value)| *value >= 0.0);
    nodes.extend(leaves.into_iter().map(|vote| Planted::Leaf(vec![vote])));
    let ids = (0..nodes.len() as i64).collect();
    let table = Table { ids, hitrates: Vec::new(), roots: branches.roots()?, nodes };
    Ok(Ensemble { table, base: Vec::new(), n_features, all_positive })
}

/// Child positions: `(id, is leaf)` pairs of attributes.
struct Branches<'a> {
    node: &'a Node,
    n_splits: usize,
    n_leaves: usize,
}

impl<'a> Branches<'a> {
    fn of(node: &'a Node, n_splits: usize, n_leaves: usize) -> Branches<'a> {
        Branches { node, n_splits, n_leaves }
    }

    fn child(&self, at: usize, ids: &'static str, leafs: &'static str) -> Result<usize, ImportError> {
        let id = *self.node.ints(ids).get(at).ok_or(ImportError::Missing { attribute: ids })?;
        let is_leaf = *self.node.ints(leafs).get(at).ok_or(ImportError::Missing { attribute: leafs })? != 0;
        let (bound, offset) = if is_leaf { (self.n_leaves, self.n_splits) } else { (self.n_splits, 0) };
        match usize::try_from(id) {
            Ok(position) if position < bound => Ok(offset + position),
            _ => Err(ImportError::NoSuchNode { tree: 0, node: at as i64, child: id }),
        }
    }

    /// A tree that is a single leaf is written as a split whose two branches are that leaf.
    fn roots(&self) -> Result<Vec<(i64, usize)>, ImportError> {
        let mut roots = Vec::new();
        for (tree, root) in self.node.ints("tree_roots").iter().enumerate() {
            let beyond = ImportError::NoSuchNode { tree: tree as i64, node: *root, child: *root };
            let at = usize::try_from(*root).ok().filter(|at| *at < self.n_splits).ok_or(beyond)?;
            let yes = self.child(at, "nodes_truenodeids", "nodes_trueleafs")?;
            let no = self.child(at, "nodes_falsenodeids", "nodes_falseleafs")?;
            roots.push((tree as i64, if yes == no && yes >= self.n_splits { yes } else { at }));
        }
        Ok(roots)
    }
}

fn leaves(node: &Node, n_outputs: usize) -> Result<Vec<(u32, f64)>, ImportError> {
    let weights = floats(node, "leaf_weights")?;
    let targets = node.ints("leaf_targetids");
    check_length("leaf_targetids", targets.len(), weights.len())?;
    let mut leaves = Vec::with_capacity(weights.len());
    for (target, weight) in targets.iter().zip(weights) {
        match u32::try_from(*target) {
            Ok(output) if (output as usize) < n_outputs => leaves.push((output, weight)),
            _ => return ImportError::no_rule(format!("`leaf_targetids` names output {target} of {n_outputs}")),
        }
    }
    Ok(leaves)
}

/// The sets of all `BRANCH_MEMBER` nodes in order, separated by NaN.
fn member_sets(node: &Node) -> Result<Vec<Vec<f64>>, ImportError> {
    let Some(tensor) = node.tensor("membership_values")? else {
        return Ok(Vec::new());
    };
    let values = tensor.numbers().ok_or(ImportError::Missing { attribute: "membership_values" })?;
    Ok(values.split(|value| value.is_nan()).map(<[f64]>::to_vec).collect())
}

fn floats(node: &Node, name: &'static str) -> Result<Vec<f64>, ImportError> {
    required(node, name)?.numbers().ok_or(ImportError::Missing { attribute: name })
}

fn required(node: &Node, name: &'static str) -> Result<Tensor, ImportError> {
    node.tensor(name)?.ok_or(ImportError::Missing { attribute: name })
}
