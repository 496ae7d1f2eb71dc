//! Shapley values for any model, from its scores alone.
//!
//! A row x and a background row z make a game: a coalition S of players is worth f(x_S, z_{~S}), the score of the
//! *synthetic row* in which the players of S bring x's cells and the others z's. The game against the whole background
//! is the mean of these games, and Shapley values are linear, so each is solved on its own and the values are averaged
//! (interventional Shapley values: Lundberg and Lee 2017; Janzing, Minorics and Blöbaum 2020). That pays twice:
//! - players whose cells agree in x and z drop out (`reference`), which leaves many games small enough to be
//!   enumerated (`exact`) within the budget of a sampling method;
//! - what must be sampled is sampled afresh for each z, so errors average out over the background.
//!
//! `leverage` and `permutation` say which coalitions to ask for when all are too many; `kernel` does as the published
//! KernelSHAP, to compare with, and forgoes both advantages. `synthetic` builds the rows,
//! column by column, many coalitions of many background rows in one call of the model; `matrix` builds them in place for
//! models that take a matrix. Work is shared among threads by
//! row and by groups of background rows; sums are taken in the order of the background, and random numbers belong to
//! (seed, row, background row), so neither the number of threads nor the batch a row is in changes a digit.
//!
//! Players are columns, groups of columns or patches of an image (`players`); with clusters of players the values are
//! Owen values (`owen`).

mod coalition;
mod error;
mod exact;
mod explainer;
mod kernel;
mod leverage;
mod matrix;
mod owen;
mod permutation;
mod players;
pub mod random;
mod reference;
mod regression;
mod scheme;
mod strata;
mod synthetic;
#[cfg(test)]
mod tests;

pub use error::{GameError, PlayersError};
pub use explainer::GameExplainer;
pub use players::{Part, Player, Players};
pub use synthetic::chunk_rows;

use crate::model::predictor::Scores;
use ndarray::Array2;

/// Most players whose coalitions are all enumerated.
pub const MAX_EXACT_PLAYERS: usize = 16;
/// Most coalitions that are enumerated for a row and a background row.
pub const MAX_COALITIONS: u64 = 1 << MAX_EXACT_PLAYERS;

/// How the coalitions to ask for are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// All that the values rest on; for at most [`MAX_COALITIONS`] of the players that differ from a background row:
    /// 16 players, or more where they stand in clusters.
    Exact,
    /// Paired leverage-score sampling. `budget`: coalitions for a row and a background row, beside nobody and
    /// everybody, on average over the background. Exact where it pays for all.
    Kernel { budget: usize },
    /// KernelSHAP as published: coalitions drawn with replacement by the Shapley kernel, the same for all background
    /// rows.
    ShapleyKernel { budget: usize },
    /// Antithetic permutations with the same meaning of `budget`.
    Permutation { budget: usize },
}

impl Method {
    fn budget(self) -> Option<usize> {
        match self {
            Method::Exact => None,
            Method::Kernel { budget } | Method::ShapleyKernel { budget } | Method::Permutation { budget } => {
                Some(budget)
            }
        }
    }

    fn least_budget(self, k: usize) -> usize {
        match self {
            Method::Exact => 0,
            Method::Kernel { .. } | Method::ShapleyKernel { .. } => leverage::Design::least_budget(k),
            Method::Permutation { .. } => permutation::Walks::least_budget(k),
        }
    }
}

/// Which of the model's numbers is explained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// What the model reports: probabilities, or values for regression.
    Probability,
    /// Before the link.
    Margin,
}

impl Scale {
    /// The scores on this scale; `None` where the model has no margin.
    pub fn of(self, scores: &Scores) -> Option<&Array2<f64>> {
        match self {
            Scale::Probability => Some(&scores.probability),
            Scale::Margin => scores.margin.as_ref(),
        }
    }
}

/// How to play.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    pub method: Method,
    pub scale: Scale,
    /// Model outputs to explain, all from the same scores.
    pub outputs: Vec<usize>,
    pub seed: u64,
}
