//! Synthetic rows: a row's own cells for the players of a coalition, a background row's for the rest.
//!
//! Built column by column into buffers that are kept, a chunk of rows at a time.

use super::coalition::Coalitions;
use super::players::{Part, Players, width};
use crate::dataset::batch::{Column, Features};
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

/// Most synthetic rows in one call of the model: large enough to hide the cost of a call, small enough for the cache.
const MOST_ROWS: usize = 8_192;
/// Fewest, whatever the width of a row.
const FEWEST_ROWS: usize = 64;
/// Numbers in a chunk that the number of rows aims at: 2²⁰, so that images come in smaller chunks.
const CELLS: usize = 1 << 20;

/// Rows to score in one call for rows of this width. Depends on the columns alone, so results do not depend on it.
pub fn chunk_rows(features: &Features) -> usize {
    let cells: usize = features.columns.iter().map(width).sum();
    (CELLS / cells.max(1)).clamp(FEWEST_ROWS, MOST_ROWS)
}

/// Consecutive synthetic rows of one game: coalitions `range` of the row against one background row.
pub(super) struct Piece<'a> {
    pub reference: usize,
    /// Player at each position of `coalitions`.
    pub players: &'a [usize],
    pub coalitions: &'a Coalitions,
    pub range: Range<usize>,
}

/// Which player owns what of each column.
pub(super) struct Owners {
    columns: Vec<Owner>,
}

enum Owner {
    Whole(usize),
    /// `(player, cells)` of a tensor.
    Cells(Vec<(usize, Vec<usize>)>),
}

impl Owners {
    pub fn of(players: &Players, n_columns: usize) -> Self {
        let mut columns: Vec<Owner> = (0..n_columns).map(|_| Owner::Cells(vec![])).collect();
        for (player, owner) in players.iter().enumerate() {
            for part in &owner.parts {
                match part {
                    Part::Column(column) => columns[*column] = Owner::Whole(player),
                    Part::Cells { column, cells } => {
                        if let Owner::Cells(owners) = &mut columns[*column] {
                            owners.push((player, cells.clone()));
                        }
                    }
                }
            }
        }
        Self { columns }
    }

    /// Overwrites `out` with the synthetic rows of all pieces in order.
    pub fn build(&self, rows: &Features, row: usize, background: &Features, pieces: &[Piece], out: &mut Features) {
        out.n_rows = pieces.iter().map(|piece| piece.range.len()).sum();
        for (column, owner) in self.columns.iter().enumerate() {
            let out = &mut out.columns[column];
            match (&rows.columns[column], &background.columns[column], out) {
                (Column::Number(mine), Column::Number(theirs), Column::Number(out)) => {
                    mix(owner, pieces, &mine[row], theirs, out);
                }
                (Column::Text(mine), Column::Text(theirs), Column::Text(out)) => {
                    mix(owner, pieces, &mine[row], theirs, out);
                }
                (
                    Column::Tensor { width, values },
                    Column::Tensor { values: theirs, .. },
                    Column::Tensor { values: out, .. },
                ) => {
                    mix_tensor(owner, pieces, &values[row * width..][..*width], theirs, out);
                }
                // Kinds were compared when the game was set up.
                _ => {}
            }
        }
    }
}

fn mix<T: Clone>(owner: &Owner, pieces: &[Piece], mine: &T, theirs: &[T], out: &mut Vec<T>) {
    let player = match owner {
        Owner::Whole(player) => *player,
        Owner::Cells(owners) => owners.first().map_or(usize::MAX, |(player, _)| *player),
    };
    out.clear();
    for piece in pieces {
        let theirs = &theirs[piece.reference];
        match piece.players.iter().position(|at| *at == player) {
            Some(at) => {
                let present = &piece.coalitions.with(at)[piece.range.clone()];
                out.extend(present.iter().map(|present| if *present { mine } else { theirs }.clone()));
            }
            None => out.extend(std::iter::repeat_n(theirs, piece.range.len()).cloned()),
        }
    }
}

fn mix_tensor(owner: &Owner, pieces: &[Piece], mine: &[f32], theirs: &[f32], out: &mut Vec<f32>) {
    let width = mine.len();
    out.clear();
    for piece in pieces {
        let theirs = &theirs[piece.reference * width..][..width];
        for coalition in piece.range.clone() {
            let present = |player: usize| {
                piece
                    .players
                    .iter()
                    .position(|at| *at == player)
                    .is_some_and(|at| piece.coalitions.contains(at, coalition))
            };
            match owner {
                Owner::Whole(player) => out.extend_from_slice(if present(*player) { mine } else { theirs }),
                Owner::Cells(owners) => {
                    let start = out.len();
                    out.extend_from_slice(theirs);
                    for (_, cells) in owners.iter().filter(|(player, _)| present(*player)) {
                        cells.iter().for_each(|cell| out[start + cell] = mine[*cell]);
                    }
                }
            }
        }
    }
}

/// Buffers for synthetic rows, handed out to whoever builds some and kept for the next.
pub(super) struct Buffers {
    free: Mutex<Vec<Features>>,
    empty: Features,
}

impl Buffers {
    /// Buffers with columns of the kinds of `features`.
    pub fn like(features: &Features) -> Self {
        let empty = |column: &Column| match column {
            Column::Number(_) => Column::Number(vec![]),
            Column::Text(_) => Column::Text(vec![]),
            Column::Tensor { width, .. } => Column::Tensor { width: *width, values: vec![] },
        };
        let columns = features.columns.iter().map(empty).collect();
        Self { free: Mutex::new(vec![]), empty: Features { n_rows: 0, columns } }
    }

    pub fn with<T>(&self, work: impl FnOnce(&mut Features) -> T) -> T {
        // A panic elsewhere leaves a list of buffers behind, which is as good as before.
        let kept = self.free.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut buffer = kept.unwrap_or_else(|| self.empty.clone());
        let result = work(&mut buffer);
        self.free.lock().unwrap_or_else(PoisonError::into_inner).push(buffer);
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    fn text(values: &[&str]) -> Column {
        Column::Text(values.iter().map(|value| (!value.is_empty()).then(|| Arc::from(*value))).collect())
    }

    #[test]
    fn players_of_a_coalition_bring_their_cells_the_others_the_backgrounds() {
        let rows = Features {
            n_rows: 2,
            columns: vec![Column::Number(vec![9.0, 1.0]), text(&["z", ""]), Column::Number(vec![9.0, 5.0])],
        };
        let background = Features {
            n_rows: 2,
            columns: vec![Column::Number(vec![2.0, 3.0]), text(&["x", "y"]), Column::Number(vec![5.0, 7.0])],
        };
        let players = Players::columns(&["a", "b", "c"].map(String::from));
        let all = Coalitions::all(2);
        // Against background row 0 the third player agrees; positions stand in another order than players.
        let pieces = [
            Piece { reference: 0, players: &[1, 0], coalitions: &all, range: 0..4 },
            Piece { reference: 1, players: &[0, 2], coalitions: &all, range: 1..3 },
        ];
        let buffers = Buffers::like(&background);
        let built = buffers.with(|out| {
            Owners::of(&players, 3).build(&rows, 1, &background, &pieces, out);
            out.clone()
        });
        assert_eq!(built.n_rows, 6);
        assert_eq!(built.columns[0], Column::Number(vec![2.0, 2.0, 1.0, 1.0, 1.0, 3.0]));
        assert_eq!(built.columns[1], text(&["x", "", "x", "", "y", "y"]));
        assert_eq!(built.columns[2], Column::Number(vec![5.0, 5.0, 5.0, 5.0, 7.0, 5.0]));
    }

    #[test]
    fn patches_of_a_tensor_are_mixed_cell_by_cell() {
        let image = |values: &[f32]| Features {
            n_rows: 1,
            columns: vec![Column::Tensor { width: 4, values: values.to_vec() }],
        };
        let players = Players::patches((2, 2, 1), true, (1, 2));
        let all = Coalitions::all(2);
        let pieces = [Piece { reference: 0, players: &[0, 1], coalitions: &all, range: 0..4 }];
        let mut out = image(&[]);
        Owners::of(&players, 1).build(&image(&[1.0, 2.0, 3.0, 4.0]), 0, &image(&[0.0; 4]), &pieces, &mut out);
        let expected = [0.0, 0.0, 0.0, 0.0, 1.0, 2.0, 0.0, 0.0, 0.0, 0.0, 3.0, 4.0, 1.0, 2.0, 3.0, 4.0];
        assert_eq!(out.columns[0], Column::Tensor { width: 4, values: expected.to_vec() });
    }

    #[test]
    fn wide_rows_come_in_smaller_chunks() {
        let wide = |width| Features { n_rows: 0, columns: vec![Column::Tensor { width, values: vec![] }] };
        assert_eq!(chunk_rows(&wide(12)), 8_192);
        assert_eq!(chunk_rows(&wide(784)), 1_337);
        assert_eq!(chunk_rows(&wide(1 << 20)), 64);
        assert_eq!(chunk_rows(&wide(0)), 8_192);
    }
}
