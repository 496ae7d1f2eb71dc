//! What gradient methods need of a model: scores of points, and how they change with each number of a point.

use super::predictor::PredictError;
use crate::dataset::Features;
use ndarray::{Array2, ArrayView2};
use std::ops::Range;

/// Scores of points and the gradient of one of them at each.
#[derive(Debug, Clone, PartialEq)]
pub struct Gradients {
    /// `[points × outputs]`.
    pub scores: Array2<f64>,
    /// `[points × width]`: of the output asked for.
    pub gradients: Array2<f64>,
}

/// A model that can be differentiated. A point is a row of numbers as they reach what is differentiated for. One call is
/// single-threaded; callers keep several threads busy by calling at once.
pub trait Differentiable: Sync {
    /// Numbers of a point.
    fn width(&self) -> usize;

    /// Per run of numbers of a point: the raw column that they come from, and the first of the column's cells.
    fn layout(&self) -> &[Stretch];

    /// Points that one call should have at most.
    fn most_points(&self) -> usize;

    /// Rows of `features` as points, `[rows × width]`.
    ///
    /// # Errors
    /// Whatever keeps the model from taking these rows.
    fn points(&self, features: &Features) -> Result<Array2<f64>, PredictError>;

    /// The gradient at every point of the output at the same position of `outputs`.
    ///
    /// # Errors
    /// Whatever keeps the model from scoring these points.
    fn gradients(&self, points: ArrayView2<f64>, outputs: &[usize]) -> Result<Gradients, PredictError>;

    /// The gradient at every point of a weighted sum of the outputs, `weights` `[points × outputs]`.
    ///
    /// # Errors
    /// Whatever keeps the model from scoring these points.
    fn combined(&self, points: ArrayView2<f64>, weights: ArrayView2<f64>) -> Result<Gradients, PredictError>;

    /// Multipliers of the rescale rule in place of the gradient; `references` `[points × width]`.
    ///
    /// # Errors
    /// Whatever keeps the model from scoring these points.
    fn multipliers(
        &self,
        points: ArrayView2<f64>,
        references: ArrayView2<f64>,
        outputs: &[usize],
    ) -> Result<Gradients, PredictError>;
}

/// Consecutive numbers of a point that are consecutive cells of one raw column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stretch {
    pub numbers: Range<usize>,
    pub column: usize,
    /// Of the first number, within the column.
    pub cell: usize,
}
