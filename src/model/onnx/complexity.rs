//! How large a recognised structure is.

use crate::forest::{Forest, Node};
use crate::model::import::{EnsembleInput, FeatureSource, Structure};
use serde::Serialize;
use std::collections::BTreeSet;

/// Numbers that a reader can hold a model to; `None` where the structure has no such thing, or is not known.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Complexity {
    pub trees: Option<u64>,
    pub leaves: Option<u64>,
    /// Tests on the longest path of any tree.
    pub depth: Option<u64>,
    /// Raw columns that any tree tests, or that have a weight other than 0.
    pub features_used: Option<u64>,
}

impl Complexity {
    pub fn of(structure: &Structure) -> Self {
        match structure {
            Structure::Forest(model) => Self {
                trees: Some(model.forest.trees.len() as u64),
                leaves: Some(model.forest.n_leaves() as u64),
                depth: Some(model.forest.depth() as u64),
                features_used: Some(raw_columns(&model.input, tested(&model.forest))),
            },
            Structure::Linear(model) => {
                let weighs = |feature: &usize| model.weights.column(*feature).iter().any(|weight| *weight != 0.0);
                let used = (0..model.weights.ncols()).filter(weighs).collect();
                Self { features_used: Some(raw_columns(&model.input, used)), ..Self::default() }
            }
            Structure::Opaque { .. } => Self::default(),
        }
    }
}

fn tested(forest: &Forest) -> BTreeSet<usize> {
    let nodes = forest.trees.iter().flat_map(|tree| &tree.nodes);
    let feature = |node: &Node| match node {
        Node::Split(split) => Some(split.feature as usize),
        Node::Leaf { .. } => None,
    };
    nodes.filter_map(feature).collect()
}

/// Raw columns behind features of the structure: ten one-hot columns of a text are one.
fn raw_columns(input: &EnsembleInput, features: BTreeSet<usize>) -> u64 {
    let mut columns: BTreeSet<(&str, usize)> = BTreeSet::new();
    for source in features.into_iter().filter_map(|feature| input.columns.get(feature)) {
        match source {
            FeatureSource::Column { input, index } => drop(columns.insert((input, *index))),
            FeatureSource::Several(several) => columns.extend(several.iter().map(|(input, index)| (&**input, *index))),
            FeatureSource::Constant => {}
        }
    }
    columns.len() as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::import::recognise;
    use crate::model::onnx::Graph;
    use crate::model::onnx::testing::stump;
    use prost::Message;

    fn of_golden(name: &str) -> Complexity {
        let path = format!("{}/tests/golden/{name}.onnx", env!("CARGO_MANIFEST_DIR"));
        Complexity::of(&recognise(&Graph::decode(&std::fs::read(path).unwrap()).unwrap()))
    }

    #[test]
    fn a_stump_has_one_test_of_one_feature() {
        let found = Complexity::of(&recognise(&Graph::decode(&stump().encode_to_vec()).unwrap()));
        let expected = Complexity { trees: Some(1), leaves: Some(2), depth: Some(1), features_used: Some(1) };
        assert_eq!(found, expected);
    }

    #[test]
    fn a_text_behind_a_one_hot_encoder_is_one_feature() {
        let (strings, linear, network) =
            (of_golden("pipeline_strings"), of_golden("logistic_zipmap"), of_golden("mlp"));
        assert!(strings.trees.unwrap() > 1 && strings.features_used.unwrap() <= 5, "{strings:?}");
        assert!(linear.trees.is_none() && linear.features_used.unwrap() > 0, "{linear:?}");
        assert_eq!(network, Complexity::default());
    }
}
