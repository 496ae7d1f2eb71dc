//! What can keep LIME from explaining.

use crate::explain::versions::VersionError;
use crate::model::predictor::PredictError;

#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum LimeError {
    #[error(transparent)]
    Predict(#[from] PredictError),
    #[error(transparent)]
    Version(#[from] VersionError),
    #[error("the background, from which neighbours are drawn, has no rows; check `[background]`")]
    NoBackground,
    #[error("{described} columns were described, the background has {found}")]
    Described { described: usize, found: usize },
    #[error("column `{column}` is {rows} in the data, {background} in the background; both must be of one kind")]
    Columns { column: String, rows: &'static str, background: &'static str },
    #[error("the data have {rows} columns, the background {background}")]
    ColumnCount { rows: usize, background: usize },
    #[error(
        "column `{column}` holds tensors, which LIME for tables cannot vary; choose another `explain.method`, such as \
         \"kernel\" or \"integrated_gradients\""
    )]
    Tensor { column: String },
    #[error("{keys} row positions were given for {rows} rows")]
    Keys { rows: usize, keys: usize },
    #[error("no output to explain was chosen; check `explain.outputs`")]
    NoOutputs,
    #[error("output {output} is to be explained, but the model has {found}; check `explain.outputs`")]
    Output { output: usize, found: usize },
    #[error("the model has no margin; set `explain.scale = \"probability\"` or name `[model] margin_output`")]
    NoMargin,
    #[error("the model gave {found} scores for {asked} rows")]
    Rows { asked: usize, found: usize },
    #[error(
        "the model's {scale} for output {output} is {value} for a neighbour of row {row}; only finite scores can be \
         explained"
    )]
    NotFinite { row: u64, output: usize, value: f64, scale: &'static str },
    #[error(
        "`explain.budget` = {samples} neighbours cannot carry a surrogate of {columns} columns; give at least {least}"
    )]
    Samples { samples: usize, columns: usize, least: usize },
    #[error(
        "`explain.budget` = {samples} neighbours cannot carry a surrogate of {segments} segments; give at least \
         {least}, or fewer `explain.lime.segments`"
    )]
    Neighbours { samples: usize, segments: usize, least: usize },
    #[error("{name} is {value}; {expected}")]
    Setting { name: &'static str, value: f64, expected: &'static str },
}
