//! Explanations: additive attributions of a score to the columns it was computed from.
//!
//! [`tree`] and [`linear`] are exact and read the model's structure; [`gradient`] follows the model's derivatives;
//! [`game`] asks the model itself; [`occlusion`] and [`hierarchy`] ask it what a row is worth with parts replaced.

pub(crate) mod asked;
pub mod game;
pub mod gradient;
pub mod hierarchy;
mod largest;
pub mod lime;
pub mod linear;
pub mod occlusion;
pub mod tree;
pub mod versions;

pub use largest::{Kept, OTHER, largest};

use ndarray::{Array2, Array3};

/// φ of a batch: `Σ_player phi[row, output, ..] + base[row, output]` is the explained score.
#[derive(Debug, Clone, PartialEq)]
pub struct Attributions {
    /// `[rows × outputs × players]`.
    pub phi: Array3<f64>,
    /// `[rows × outputs]`: the mean score over the background.
    pub base: Array2<f64>,
    /// `[rows × outputs × players]` for sampled methods, `None` where values are exact.
    pub std_err: Option<Array3<f64>>,
}
