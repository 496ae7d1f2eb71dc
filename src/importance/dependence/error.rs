//! What can keep a dependence curve from being drawn.

use crate::model::predictor::PredictError;

#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum DependenceError {
    #[error(transparent)]
    Predict(#[from] PredictError),
    #[error("there are no rows to draw the dependence on `{feature}` from")]
    NoRows { feature: String },
    #[error("column {column} (`{feature}`) is to be varied, the model takes {found}")]
    NoColumn { feature: String, column: usize, found: usize },
    #[error("column `{feature}` holds tensors, which have no dependence curve; leave it out of `importance.grid`")]
    Tensor { feature: String },
    #[error("column `{feature}` has no value to draw its dependence at: {why}")]
    NoGrid { feature: String, why: &'static str },
    #[error("column `{feature}` is {column}, its grid is {grid}; check `importance.grid`")]
    GridKind { feature: String, column: &'static str, grid: &'static str },
    #[error("{found} weights (or row names) were given for {rows} rows")]
    Lengths { rows: usize, found: usize },
    #[error("the rows' weights sum to {sum}; a mean needs weights above 0")]
    NoWeight { sum: f64 },
    #[error("output {output} is to be drawn, but the model has {found}")]
    Output { output: usize, found: usize },
    #[error("the model has no margin; ask for the probability, or name `[model] margin_output`")]
    NoMargin,
    #[error("the model gave {found} scores for {asked} rows")]
    Rows { asked: usize, found: usize },
    #[error("the model's score for output {output} is {value} for a row with `{feature}` replaced; it must be finite")]
    NotFinite { feature: String, output: usize, value: f64 },
}
