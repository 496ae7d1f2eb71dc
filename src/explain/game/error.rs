//! What can keep a model-agnostic explanation from being computed.

use super::MAX_COALITIONS;
use crate::model::predictor::PredictError;

#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum GameError {
    #[error(transparent)]
    Predict(#[from] PredictError),
    #[error("the background has no rows; check `[background]`")]
    NoBackground,
    #[error(
        "column {column} of the background is {background}, of the data {rows}; both must come from the same columns"
    )]
    Columns { column: usize, rows: String, background: String },
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
        "the model's {scale} for output {output} is {value} when row {row} is mixed with a background row; \
         only finite scores can be explained"
    )]
    NotFinite { row: u64, output: usize, value: f64, scale: &'static str },
    #[error(
        "row {row} differs from a background row in {found} players: exact enumeration would take {coalitions} scores for \
         it, at most {MAX_COALITIONS} are asked for (16 players); set `explain.method` to \"kernel\" or \"permutation\", \
         or join columns with [[explain.players]]"
    )]
    TooManyPlayers { row: u64, found: usize, coalitions: u64 },
    #[error(
        "`explain.budget` = {budget} is too small for row {row}: {players} players need at least {least}; \
         raise the budget or join columns with [[explain.players]]"
    )]
    Budget { row: u64, budget: usize, players: usize, least: usize },
    #[error("clusters of players (Owen values) need `explain.method` \"exact\" or \"permutation\"")]
    Clusters,
    #[error(transparent)]
    Players(#[from] PlayersError),
}

/// Why a list of players does not divide the columns among them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlayersError {
    #[error("player `{player}` has the column `{column}`, which the model does not take; its inputs are: {known}")]
    Unknown { player: String, column: String, known: String },
    #[error("`{column}` belongs to the players `{first}` and `{second}`; each column must have one player")]
    Shared { column: String, first: String, second: String },
    #[error("two players are called `{player}`; rename one in [[explain.players]]")]
    Duplicate { player: String },
    #[error("player `{player}` has no columns")]
    Empty { player: String },
    #[error("column {column} belongs to no player")]
    Unowned { column: usize },
    #[error("player `{player}` has column {column}, there are {n_columns}")]
    Column { player: String, column: usize, n_columns: usize },
    #[error("player `{player}` has cell {cell} of column {column}, which has {width} cells a row")]
    Cell { player: String, column: usize, cell: usize, width: usize },
    #[error("{clusters} clusters were named for {players} players")]
    Clusters { clusters: usize, players: usize },
}
