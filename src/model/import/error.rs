//! Why a node is not imported.

use crate::model::onnx::OnnxError;
use thiserror::Error;

#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ImportError {
    #[error(transparent)]
    Onnx(#[from] OnnxError),
    #[error("attribute `{attribute}` has {found} values instead of {expected}")]
    Length { attribute: String, found: usize, expected: usize },
    #[error("attribute `{attribute}` is missing")]
    Missing { attribute: &'static str },
    #[error("tree {tree} has node {node} twice")]
    NodeTwice { tree: i64, node: i64 },
    #[error("the nodes of tree {tree} do not stand together")]
    ScatteredTree { tree: i64 },
    #[error("node {node} of tree {tree} points to node {child}, which is not there")]
    NoSuchNode { tree: i64, node: i64, child: i64 },
    #[error("tree {tree} branches back to itself or shares too many nodes")]
    Cyclic { tree: i64 },
    #[error("the branch mode `{0}` is unknown")]
    Mode(String),
    #[error("`aggregate_function` {0} is not additive; only SUM and AVERAGE are")]
    Aggregate(String),
    #[error("`post_transform` {0} is unknown")]
    PostTransform(String),
    #[error("{what} is {found}, more than the {limit} that are read")]
    TooLarge { what: &'static str, found: String, limit: usize },
    #[error("{0}")]
    NoRule(String),
    /// An operand has no rule; the reason names the node where it starts.
    #[error("{0}")]
    Upstream(String),
}

impl ImportError {
    pub(super) fn no_rule<T>(reason: impl Into<String>) -> Result<T, ImportError> {
        Err(ImportError::NoRule(reason.into()))
    }
}
