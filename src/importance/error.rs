//! What can keep importance from being measured.

use super::metric::{Metric, Task};
use crate::explain::game::PlayersError;
use crate::model::predictor::PredictError;

#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ImportanceError {
    #[error(transparent)]
    Predict(#[from] PredictError),
    #[error(transparent)]
    Players(#[from] PlayersError),
    #[error(
        "permutation importance needs labels; set `[data] label` or leave \"permutation\" out of `importance.methods`"
    )]
    NoLabels,
    #[error("no row has a label; permutation importance cannot be measured")]
    NoRows,
    #[error("`importance.metrics` names `{name}`, which is unknown; known are: {known}")]
    UnknownMetric { name: String, known: String },
    #[error("`importance.metrics` names `{metric}`, which is not for {task} models; choose from: {known}")]
    WrongTask { metric: Metric, task: Task, known: String },
    #[error(
        "a label names class {class}, the model has {n_outputs} outputs; check `[data] positive` and `[model] classes`"
    )]
    Class { class: u32, n_outputs: usize },
    #[error("the model's score is not a number for {count} of {n_rows} rows with player `{player}` shuffled")]
    NotANumber { player: String, count: usize, n_rows: usize },
    #[error("`importance.repeats` is 0; shuffle at least once")]
    NoRepeats,
    #[error("`importance.budget` pays for too few rows: \"{method}\" needs at least {least}")]
    Budget { method: &'static str, least: u64 },
    #[error(
        "the columns hold pictures or lists, whose single values are no factors; leave \"interaction\", \"sage\", \
         \"sobol\", \"morris\" and \"faithfulness\" out of `importance.methods`"
    )]
    Pictures,
    #[error("the model scores a made-up row as {score}; only finite scores can be compared")]
    NotFinite { score: f64 },
}
