//! How the model's answer depends on one feature.
//!
//! `grid` says where a curve is evaluated; `scores` asks the model about rows in which the feature was replaced. Three
//! kinds of curve come of it, all as points with the feature's value as x:
//! - `partial`: partial dependence, the mean answer when every row is given the same value (Friedman 2001; brute force,
//!   as scikit-learn's `partial_dependence` with `method="brute"`);
//! - `individual`: the same for one row at a time (individual conditional expectation; Goldstein et al. 2015), also
//!   with every curve starting at 0;
//! - `accumulated`: accumulated local effects, which only compare values that lie next to each other in rows that are
//!   near them, and so never ask about rows that cannot exist because columns are correlated (Apley and Zhu 2020).

mod accumulated;
mod error;
mod grid;
mod individual;
mod mean;
mod partial;
mod scores;
#[cfg(test)]
mod tests;

pub use accumulated::accumulated_effects;
pub use error::DependenceError;
pub use grid::Grid;
pub use individual::{centred, individual_curves};
pub use partial::partial_dependence;

use crate::explain::game::Scale;

/// The feature that is varied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Varied<'a> {
    /// Position among the model's columns.
    pub column: usize,
    /// Name in the results.
    pub name: &'a str,
}

/// A model output that a curve is drawn for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CurveOutput {
    pub index: usize,
    /// Name in the results.
    pub name: String,
}

/// What every curve has in common.
#[derive(Debug, Clone, PartialEq)]
pub struct CurveSettings {
    pub outputs: Vec<CurveOutput>,
    pub scale: Scale,
    /// Of the intervals, such as 0.95.
    pub confidence: f64,
}
