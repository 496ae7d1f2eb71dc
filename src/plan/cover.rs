//! Where path-dependent values take the trees' cover from.

use super::error::{PlanError, conflict};
use crate::config::{self, Loaded};
use crate::dataset::{Column, FeatureSpec, Reader, Selection, Source, Want};
use crate::explain::tree::Cover;
use crate::forest::{Forest, Node};
use crate::model::import::TreeOrigin;
use ndarray::ArrayView2;
use std::collections::HashMap;
use std::path::Path;

/// The cover, and the words a report uses for its source.
pub fn cover(
    loaded: &Loaded,
    forest: &Forest,
    origins: &[TreeOrigin],
    background: ArrayView2<f64>,
) -> Result<(Cover, String), PlanError> {
    let refuse = |message: String, help: &str| {
        PlanError::Config(Box::new(loaded.errors([conflict("explain.cover", message, help)])))
    };
    match &loaded.config.explain.cover {
        config::Cover::Background => {
            let cover =
                Cover::count(forest, background).map_err(|error| refuse(error.to_string(), "check [background]"))?;
            Ok((cover, format!("counted from {} background rows", background.nrows())))
        }
        config::Cover::Model => {
            let nodes = from_hitrates(forest, origins)
                .map_err(|why| refuse(why, "use cover = \"background\", or a file with the training cover"))?;
            let cover =
                Cover::new(forest, nodes).map_err(|error| refuse(error.to_string(), "use cover = \"background\""))?;
            Ok((cover, "the model's own hit rates".to_owned()))
        }
        config::Cover::File(file) => {
            let known = read(&loaded.resolve(file))?;
            let nodes = from_file(origins, &known)
                .map_err(|why| refuse(why, "give one row per node: treeid, nodeid, cover"))?;
            let cover = Cover::new(forest, nodes)
                .map_err(|error| refuse(error.to_string(), "give one row per node: treeid, nodeid, cover"))?;
            Ok((cover, format!("the file {file}")))
        }
    }
}

type ByNode = HashMap<(i64, i64), f64>;

fn read(path: &Path) -> Result<ByNode, PlanError> {
    let source = Source::open(path)?;
    let column =
        |name: &str| FeatureSpec { column: name.to_owned(), want: Want::Number, encode: None, refuse_missing: true };
    for name in ["treeid", "nodeid", "cover"] {
        source.require(name, "[explain] cover")?;
    }
    let selection = Selection { features: ["treeid", "nodeid", "cover"].map(column).to_vec(), ..Default::default() };
    let mut known = HashMap::new();
    for batch in Reader::start(&source, &selection, 65_536)? {
        if let [Column::Number(trees), Column::Number(nodes), Column::Number(covers)] =
            batch?.features.columns.as_slice()
        {
            let rows = trees.iter().zip(nodes).zip(covers);
            known.extend(rows.map(|((tree, node), cover)| ((*tree as i64, *node as i64), *cover)));
        }
    }
    Ok(known)
}

fn from_file(origins: &[TreeOrigin], known: &ByNode) -> Result<Vec<Vec<f64>>, String> {
    let of = |origin: &TreeOrigin| -> Result<Vec<f64>, String> {
        let cover = |node: &i64| known.get(&(origin.tree_id, *node)).copied();
        let missing = |node: &i64| format!("the file has no cover of tree {}, node {node}", origin.tree_id);
        origin.node_ids.iter().map(|node| cover(node).ok_or_else(|| missing(node))).collect()
    };
    origins.iter().map(of).collect()
}

/// Hit rates are trusted where every split's are the sum of its children's; converters that lost them write constants.
fn from_hitrates(forest: &Forest, origins: &[TreeOrigin]) -> Result<Vec<Vec<f64>>, String> {
    for (tree, origin) in forest.trees.iter().zip(origins) {
        if origin.hitrates.len() != tree.nodes.len() {
            return Err("the model stores no hit rates".to_owned());
        }
        for (at, node) in tree.nodes.iter().enumerate() {
            let Node::Split(split) = node else { continue };
            let (own, below) =
                (origin.hitrates[at], origin.hitrates[split.yes as usize] + origin.hitrates[split.no as usize]);
            if (own - below).abs() > 1e-3 * own.abs().max(1.0) {
                return Err("the model's hit rates are not counts (its converter lost them)".to_owned());
            }
        }
    }
    Ok(origins.iter().map(|origin| origin.hitrates.clone()).collect())
}
