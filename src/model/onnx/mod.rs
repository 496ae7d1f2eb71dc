//! The ONNX file as data: what stands in it, without running it.
//!
//! Bytes are checked on the wire first (`wire`), decoded into the few protobuf messages that matter here (`proto`),
//! and shown as a [`Graph`] of nodes, typed constants and ports. Four things are done with a graph: it is summarised
//! ([`summary()`]), its margin is located ([`margin_tensor`]), its blocks are found ([`Blocks`]), and its bytes are
//! edited so that ONNX Runtime returns more ([`append_outputs`]) or only some ([`with_outputs`]) of its tensors, or
//! starts from them ([`cut()`]). Edits work on the bytes, so nothing that this module does not model is lost.

mod attribute;
mod block;
mod complexity;
mod cut;
mod decode;
mod edit;
mod element;
mod error;
pub(super) mod extend;
mod graph;
mod margin;
pub(super) mod operators;
pub(crate) mod proto;
mod shape;
mod summary;
mod tensor;
#[cfg(test)]
pub(crate) mod testing;
mod wire;

pub use attribute::Attribute;
pub use block::{Block, Blocks, UnitAxis};
pub use complexity::Complexity;
pub use cut::{Entry, cut};
pub use edit::{append_outputs, with_outputs};
pub use element::ElementType;
pub use error::OnnxError;
pub use graph::{Dim, Graph, Node, Opset, Port, ValueType};
pub use margin::{MarginCut, margin_tensor};
pub use shape::shapes;
pub use summary::{Layer, PortSummary, Summary, parameters, summary};
pub use tensor::{Tensor, Values};
