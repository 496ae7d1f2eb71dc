//! The model's structure, as it is drawn: boxes of operators, what flows between them, and what they cost.

use serde::{Deserialize, Serialize};

/// A graph small enough to read: operators that only pass on or switch are part of the box before them, equal branches
/// are one box, repeated blocks stand once.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Structure {
    /// In an order of computation.
    pub boxes: Vec<StructureBox>,
    /// (from, to): positions in `boxes`.
    pub edges: Vec<(usize, usize)>,
    pub repeats: Vec<Repeat>,
    /// Operators in the file.
    pub n_nodes: u64,
    /// Of these, operators that compute shapes and constants: not drawn.
    pub n_hidden: u64,
    pub cost: Cost,
}

/// What one row and the weights take.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cost {
    /// Numbers learnt.
    pub parameters: u64,
    /// Multiplications followed by an addition that one row takes in convolutions, matrix products and recurrent
    /// layers; `None` where a shape is not known.
    pub multiply_adds: Option<u64>,
    /// Bytes of all constants.
    pub weight_bytes: u64,
    /// Bytes of one row's tensors that are needed at the same time, at most; `None` where a shape is not known.
    pub activation_bytes: Option<u64>,
}

/// An input, an output, or an operator with those that directly follow it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StructureBox {
    pub kind: BoxKind,
    /// Name of the node, or of the inputs or outputs.
    pub name: String,
    /// "Conv 3×3, stride 2", "input".
    pub title: String,
    /// Operators that directly follow: "BatchNormalization", "Relu".
    pub then: Vec<String>,
    /// Of what comes out: "[N, 32]", or "?".
    pub shape: String,
    /// Of all branches that the box stands for, as the multiply-adds.
    pub parameters: u64,
    /// Per row; `None` where a shape is not known.
    pub multiply_adds: Option<u64>,
    /// Equal branches that the box stands for.
    pub times: u64,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BoxKind {
    Input,
    #[default]
    Operator,
    Output,
}

/// Boxes that stand once and are computed several times in a row, each time with weights of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repeat {
    /// First and last position in `boxes`.
    pub first: usize,
    pub last: usize,
    pub times: u64,
}
