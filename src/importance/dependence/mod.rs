//! How the model's answer depends on one feature.
//!
//! `grid` says where a curve is evaluated; `scores` asks the model about rows in which the feature was replaced. Three
//! kinds of curve come of it, all as points with the feature's value as x:
//! - `partial`: partial dependence, the mean answer when every row is given the same value (Friedman 2001; brute force,
//!   as scikit-learn's `partial_dependence` with `method="brute"`); `exact` finds the same means for forests from one
//!   descent of their trees;
//! - `individual`: the same for one row at a time (individual conditional expectation; Goldstein et al. 2015), also
//!   with every curve starting at 0;
//! - `accumulated`: accumulated local effects, which only compare values that lie next to each other in rows that are
//!   near them, and so never ask about rows that cannot exist because columns are correlated (Apley and Zhu 2020);
//!   `order` puts categories next to similar ones.
//!
//! Two features together (`pair`) have partial dependence (`partial_pair`) and accumulated effects of the second order
//! (`accumulated_pair`, on a `surface`): what they do beyond what each does alone.

mod accumulated;
mod accumulated_pair;
mod error;
mod exact;
#[cfg(test)]
mod exact_tests;
mod grid;
mod individual;
mod mean;
mod order;
mod pair;
#[cfg(test)]
mod pair_tests;
mod partial;
mod partial_pair;
mod scores;
mod surface;
#[cfg(test)]
mod tests;

pub use accumulated::accumulated_effects;
pub use accumulated_pair::accumulated_pair;
pub use error::DependenceError;
pub use exact::ForestMeans;
pub use grid::Grid;
pub use individual::{centred, individual_curves};
pub use pair::Pair;
pub use partial::{forest_dependence, partial_dependence, stepped};
pub use partial_pair::partial_pair;

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
