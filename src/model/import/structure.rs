//! What a graph was recognised as.

use super::grow::TreeOrigin;
use super::report::Report;
use crate::forest::Forest;
use crate::model::onnx::ElementType;
use ndarray::Array2;

#[derive(Debug, Clone, PartialEq)]
pub enum Structure {
    Forest(ForestModel),
    Linear(LinearModel),
    /// No exact structure; `why` names the node and the operator.
    Opaque {
        why: String,
    },
}

/// Tree ensembles, preprocessing before them and links behind.
///
/// Margins are the sums before any link: log-odds where the model applies a sigmoid, raw class scores under a softmax,
/// and the output itself where there is no link (regression, averaged probabilities). Margins stand in class order. A
/// binary model has one margin, for class 1, where the file stores one sum or two that mirror each other under a
/// sigmoid; else two (a random forest with a column for each class). [`ForestModel::binary_margin_output`] says which
/// margin is that of class 1.
#[derive(Debug, Clone, PartialEq)]
pub struct ForestModel {
    /// `forest.link` equals `report.link`.
    pub forest: Forest,
    pub input: EnsembleInput,
    pub report: Report,
    /// Graph output that holds the reported columns.
    pub output: String,
    /// One a tree: node numbers of the file, for covers stored by `(tree, node)`.
    pub origins: Vec<TreeOrigin>,
}

/// A linear model: margins are `weights · features + intercepts`, in the conventions of [`ForestModel`].
#[derive(Debug, Clone, PartialEq)]
pub struct LinearModel {
    /// `[outputs × features]`.
    pub weights: Array2<f64>,
    /// `[outputs]`.
    pub intercepts: Vec<f64>,
    pub input: EnsembleInput,
    pub report: Report,
    /// Graph output that holds the reported columns.
    pub output: String,
}

/// What trees or weights read: one tensor `[rows × features]`.
#[derive(Debug, Clone, PartialEq)]
pub struct EnsembleInput {
    /// To be fetched from ONNX Runtime, unless it is a graph input.
    pub tensor: String,
    /// `Float` or `Double`: features are rounded to this type before they are compared or multiplied.
    pub element: ElementType,
    pub is_graph_input: bool,
    /// One a feature of the tensor.
    pub columns: Vec<FeatureSource>,
}

/// The raw column that a feature depends on: name of a graph input, and position within its row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FeatureSource {
    Column { input: String, index: usize },
    Several(Vec<(String, usize)>),
    Constant,
}

impl ForestModel {
    /// The margin of class 1 of a binary model; `None` for other models.
    pub fn binary_margin_output(&self) -> Option<usize> {
        self.report.binary_margin_output()
    }

    /// Margins of one row of features, `[n_outputs]`.
    pub fn margin(&self, features: &[f64]) -> Vec<f64> {
        let mut margins = vec![0.0; self.forest.n_outputs];
        self.forest.margin(features, &mut margins);
        margins
    }
}

impl LinearModel {
    /// The margin of class 1 of a binary model; `None` for other models.
    pub fn binary_margin_output(&self) -> Option<usize> {
        self.report.binary_margin_output()
    }

    /// Margins of one row of features, `[n_outputs]`.
    pub fn margin(&self, features: &[f64]) -> Vec<f64> {
        let dot = |weights: ndarray::ArrayView1<f64>| weights.iter().zip(features).map(|(w, x)| w * x).sum::<f64>();
        self.weights.rows().into_iter().zip(&self.intercepts).map(|(row, intercept)| intercept + dot(row)).collect()
    }
}

impl EnsembleInput {
    /// Rounds a number as the runtime does before it is tested. NaN stays NaN.
    pub fn round(&self, value: f64) -> f64 {
        match self.element {
            ElementType::Double => value,
            _ => f64::from(value as f32),
        }
    }

    /// The first feature that depends on several raw columns, as a sentence; `None` if players can be told apart.
    pub fn mixed(&self) -> Option<String> {
        let several = |(at, source): (usize, &FeatureSource)| match source {
            FeatureSource::Several(columns) => Some(mixed_feature(&self.tensor, at, columns.iter().cloned())),
            _ => None,
        };
        self.columns.iter().enumerate().find_map(several)
    }
}

/// "feature 3 of tensor `x` depends on several columns (…)".
pub(super) fn mixed_feature(
    tensor: &str,
    at: usize,
    columns: impl ExactSizeIterator<Item = (String, usize)>,
) -> String {
    let count = columns.len();
    let mut names: Vec<String> = columns.take(4).map(|(input, index)| format!("`{input}`[{index}]")).collect();
    if count > names.len() {
        names.push(format!("{} more", count - names.len()));
    }
    format!("feature {at} of tensor `{tensor}` depends on several columns ({})", names.join(", "))
}
