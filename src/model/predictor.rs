//! The one thing explanations need of a model: scores for rows.

use crate::dataset::batch::Features;
use ndarray::Array2;

/// What a model says about a batch of rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Scores {
    /// What the model reports, `[rows × outputs]`: probabilities, or values for regression.
    pub probability: Array2<f64>,
    /// Before the link, `[rows × outputs]`, where the model has it.
    pub margin: Option<Array2<f64>>,
}

/// A model that scores raw rows. One call is single-threaded; callers keep several threads busy by calling at once.
pub trait Predictor: Sync {
    /// Scores all rows of `features`, whose columns stand in model order.
    ///
    /// # Errors
    /// Whatever keeps the model from scoring these rows; see [`PredictError`].
    fn predict(&self, features: &Features) -> Result<Scores, PredictError>;

    /// The model itself where it takes one matrix of single-precision numbers, a column for each column of the data:
    /// rows can be built in place then.
    fn on_matrix(&self) -> Option<&dyn MatrixPredictor> {
        None
    }
}

/// A model that scores rows of a matrix. One call is single-threaded, like those of [`Predictor`].
pub trait MatrixPredictor: Sync {
    /// Scores `values`, row-major `[rows × columns]` in model order, NaN = missing: `[rows × outputs]`, `None` for margins
    /// that the model does not have.
    ///
    /// # Errors
    /// Whatever keeps the model from scoring these rows; see [`PredictError`].
    fn predict_matrix(
        &self,
        values: &[f32],
        n_rows: usize,
        wanted: Wanted,
    ) -> Result<Option<Array2<f64>>, PredictError>;
}

/// Which of the [`Scores`] are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    Probability,
    Margin,
}

/// Why rows could not be scored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PredictError {
    #[error("the model takes {expected} columns, {found} were given; check `[model.inputs]`")]
    Columns { expected: usize, found: usize },
    #[error("column `{column}` holds {found}, the model's input takes {expected}; map it with `[data.encode]`")]
    Type { column: String, found: &'static str, expected: String },
    #[error(
        "column `{column}` has {count} missing values, which the model's input of type {input} cannot take; \
         fill them or leave the rows out with `[data] filter`"
    )]
    Missing { column: String, count: usize, input: String },
    #[error("ONNX Runtime could not score {n_rows} rows: {message}")]
    Runtime { n_rows: usize, message: String },
    #[error("the model's output `{output}` has shape {found:?} for {n_rows} rows, {expected} was expected")]
    Shape { output: String, found: Vec<usize>, n_rows: usize, expected: String },
}
