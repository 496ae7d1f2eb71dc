//! Why gradients explain nothing.

use crate::model::predictor::PredictError;

#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum GradientError {
    #[error("the background has no rows")]
    NoBackground,
    #[error(
        "column {column} (from 0): {value} in {place}; gradients need a finite number there: fill missing values in the \
         data, or leave these rows out with [data] filter"
    )]
    NotFinite { column: usize, place: String, value: f64 },
    #[error("player {player} owns cells of column {column} that do not exist")]
    Player { player: usize, column: usize },
    #[error(transparent)]
    Model(#[from] PredictError),
}
