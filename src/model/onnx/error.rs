//! What can be wrong with an ONNX file.

use thiserror::Error;

#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum OnnxError {
    #[error("the file is empty; give the path of an ONNX model")]
    Empty,
    #[error("not an ONNX file ({found}); export the model to ONNX first")]
    NotOnnx { found: String },
    #[error("the ONNX file is truncated: {what} ends beyond its {length} bytes; copy or download it again")]
    Truncated { what: String, length: usize },
    #[error("the ONNX file is damaged: {reason}; export it again")]
    Damaged { reason: String },
    #[error("the ONNX file has no graph; it is truncated or was not exported completely")]
    NoGraph,
    #[error("tensor `{tensor}` is stored outside the file (in `{location}`); save the model as a single file")]
    ExternalData { tensor: String, location: String },
    #[error("tensor `{tensor}` has element type {element}, which is not read here")]
    UnsupportedElement { tensor: String, element: String },
    #[error("tensor `{tensor}` says its shape is {dims:?} but holds {found} elements")]
    TensorSize { tensor: String, dims: Vec<i64>, found: usize },
    #[error("the graph computes no tensor `{name}`; it has {known}")]
    NoSuchTensor { name: String, known: String },
}
