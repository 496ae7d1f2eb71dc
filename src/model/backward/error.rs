//! Why a model has no gradient.

use crate::model::onnx::OnnxError;

#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum BackwardError {
    #[error("the operator {node} has no {what}")]
    NoRule { node: String, what: &'static str },
    #[error("{node}: {reason}")]
    Unfit { node: String, reason: String },
    #[error("the model is written for version {found} of the standard operators; gradients need {least} or later")]
    Opset { found: i64, least: i64 },
    #[error("`{tensor}` holds {found}; gradients are taken for float32 and float64 alone")]
    NotFloat { tensor: String, found: String },
    #[error("the score `{score}` does not follow from `{tensor}` by differentiable operators")]
    Unreached { score: String, tensor: String },
    #[error(transparent)]
    File(#[from] OnnxError),
    #[error("ONNX Runtime rejects the graph of gradients: {0}")]
    Rejected(String),
}
