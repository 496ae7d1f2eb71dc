//! From a graph to a structure that can be explained exactly.
//!
//! One walk along the nodes (`flow`) says of every tensor what it is: raw columns and what was made of them
//! (`columns`, with the raw columns each number depends on), sums over trees or features (`scores`), a constant, or
//! something without a rule, with the reason. Tree ensembles are grown by `ensemble` (attributes of `ai.onnx.ml` 1 to
//! 4) and `ensemble_v5`; `tree_scores` and `linear` follow what ONNX Runtime does with their sums. What stands behind
//! them (scaling, `Sigmoid`, `1 − p`, `Concat`, `ZipMap`, …) is folded into the sums or into the [`Report`].
//!
//! What cannot be followed exactly is [`Structure::Opaque`], never an approximation.

mod classes;
mod columns;
mod ensemble;
mod ensemble_v5;
mod error;
mod flow;
mod grow;
mod layout;
mod linear;
mod operators;
mod origins;
mod recognise;
mod report;
mod scores;
mod structure;
#[cfg(test)]
mod tests;
mod tree_scores;

pub use classes::class_labels;
pub use error::ImportError;
pub use grow::TreeOrigin;
pub use origins::{Origin, origins};
pub use recognise::{recognise, recognise_output};
pub use report::{Report, Reported};
pub use structure::{EnsembleInput, FeatureSource, ForestModel, LinearModel, Structure};
