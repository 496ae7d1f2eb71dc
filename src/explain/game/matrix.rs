//! Synthetic rows built in place, for models that take one matrix of single-precision numbers.
//!
//! Where all coalitions of a game are asked for, the rows of the first 2^j are the first half of those of the first
//! 2^(j+1): each further player doubles what is there and overwrites its own cells in the copy. So a synthetic row costs
//! one copy of a row, where building a column at a time costs a decision for every cell and the feeding of the model
//! another pass.

use super::error::GameError;
use super::players::{Part, Players};
use super::reference::Reference;
use super::scheme::Scheme;
use crate::dataset::batch::{Column, Features};
use crate::model::predictor::{MatrixPredictor, Predictor, Wanted};
use ndarray::Array2;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

/// A background and players of number columns, and the model that takes them as a matrix.
pub(super) struct Matrix<'a> {
    predictor: &'a dyn MatrixPredictor,
    /// `[background rows × columns]`.
    background: Vec<f32>,
    width: usize,
    /// Columns of each player.
    columns: Vec<Vec<usize>>,
    /// Synthetic rows in one call of the model, at most.
    run_rows: usize,
    free: Mutex<Vec<Vec<f32>>>,
}

impl<'a> Matrix<'a> {
    /// For calls of at most `chunk_rows` rows. `None` where a column is no number, or the model takes rows in another
    /// form.
    pub fn of(
        predictor: &'a dyn Predictor,
        background: &Features,
        players: &Players,
        chunk_rows: usize,
    ) -> Option<Self> {
        let predictor = predictor.on_matrix()?;
        let width = background.columns.len();
        let mut values = vec![0.0; background.n_rows * width];
        for row in 0..background.n_rows {
            copy_row(background, row, &mut values[row * width..][..width])?;
        }
        let column = |part: &Part| match part {
            Part::Column(column) => Some(*column),
            Part::Cells { .. } => None,
        };
        let columns = players.iter().map(|player| player.parts.iter().map(column).collect()).collect::<Option<_>>()?;
        Some(Self { predictor, background: values, width, columns, run_rows: chunk_rows, free: Mutex::new(Vec::new()) })
    }

    /// Scores the coalitions of all games in order and hands them to `take`, with the range they have among them.
    pub fn score(
        &self,
        (rows, row): (&Features, usize),
        games: &[Reference],
        schemes: &[Scheme],
        wanted: Wanted,
        mut take: impl FnMut(Range<usize>, Option<&Array2<f64>>) -> Result<(), GameError>,
    ) -> Result<(), GameError> {
        let mut mine = vec![0.0; self.width];
        copy_row(rows, row, &mut mine);
        // A power of two, so that a block of an enumerated game begins where its lower players are all absent.
        let block = 1 << self.run_rows.ilog2();
        let mut buffer = self.free.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default();
        buffer.resize(self.run_rows * self.width, 0.0);
        let (mut first, mut filled) = (0, 0);
        let mut run = |buffer: &[f32], first: usize, n_rows: usize| {
            let scores = self.predictor.predict_matrix(&buffer[..n_rows * self.width], n_rows, wanted)?;
            take(first..first + n_rows, scores.as_ref())
        };
        for (game, scheme) in games.iter().zip(schemes) {
            let n_coalitions = scheme.coalitions().len();
            for start in (0..n_coalitions).step_by(block) {
                let range = start..n_coalitions.min(start + block);
                if filled + range.len() > self.run_rows {
                    run(&buffer, first, filled)?;
                    (first, filled) = (first + filled, 0);
                }
                let n_rows = range.len();
                self.fill(&mine, game, scheme, range, &mut buffer[filled * self.width..][..n_rows * self.width]);
                filled += n_rows;
            }
        }
        if filled > 0 {
            run(&buffer, first, filled)?;
        }
        self.free.lock().unwrap_or_else(PoisonError::into_inner).push(buffer);
        Ok(())
    }

    /// Writes the rows of the coalitions `range` of one game.
    fn fill(&self, mine: &[f32], game: &Reference, scheme: &Scheme, range: Range<usize>, out: &mut [f32]) {
        let width = self.width;
        out[..width].copy_from_slice(&self.background[game.row * width..][..width]);
        let players = scheme.players.iter().map(|player| &self.columns[*player]);
        if !scheme.is_enumerated() {
            (1..range.len()).for_each(|row| out.copy_within(..width, row * width));
            for (position, columns) in players.enumerate() {
                let present = &scheme.coalitions().with(position)[range.clone()];
                for (row, _) in out.chunks_exact_mut(width).zip(present).filter(|(_, present)| **present) {
                    columns.iter().for_each(|column| row[*column] = mine[*column]);
                }
            }
            return;
        }
        let doublings = range.len().ilog2() as usize;
        // Players of the higher bits are the same throughout the block.
        for (bit, columns) in players.clone().enumerate().skip(doublings) {
            if range.start >> bit & 1 == 1 {
                columns.iter().for_each(|column| out[*column] = mine[*column]);
            }
        }
        for (bit, columns) in players.enumerate().take(doublings) {
            let half = width << bit;
            out.copy_within(..half, half);
            for row in out[half..2 * half].chunks_exact_mut(width) {
                columns.iter().for_each(|column| row[*column] = mine[*column]);
            }
        }
    }
}

/// Writes one row as the model takes it; `None` if a column is no number.
fn copy_row(features: &Features, row: usize, out: &mut [f32]) -> Option<()> {
    for (column, out) in features.columns.iter().zip(out) {
        let Column::Number(values) = column else { return None };
        *out = values[row] as f32;
    }
    Some(())
}
