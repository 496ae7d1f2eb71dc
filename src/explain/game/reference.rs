//! A row against each row of the background: which players matter there, and how their game is solved.
//!
//! A player whose cells agree in the row and in a background row changes nothing in that pair's game and gets 0 there.
//! With many codes and zeros in the data most pairs are left with far fewer players than there are columns.

use super::players::{Part, Players};
use super::{MAX_COALITIONS, Method};
use crate::dataset::batch::{Column, Features};

/// The game of one row and one background row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reference {
    /// The background row.
    pub row: usize,
    /// Players whose cells differ, ascending.
    pub players: Vec<usize>,
    /// Coalitions that the exact values rest on.
    pub coalitions: u64,
    /// Whether all of them are asked for.
    pub exact: bool,
}

/// The games of `row`, one per background row in order.
pub(super) fn references(
    players: &Players,
    rows: &Features,
    row: usize,
    background: &Features,
    method: Method,
) -> Vec<Reference> {
    let none = |row| Reference { row, players: Vec::with_capacity(players.len()), coalitions: 1, exact: true };
    let mut games: Vec<Reference> = (0..background.n_rows).map(none).collect();
    for (player, owner) in players.iter().enumerate() {
        for game in &mut games {
            if owner.parts.iter().any(|part| differs(part, rows, row, background, game.row)) {
                game.players.push(player);
            }
        }
    }
    if matches!(method, Method::ShapleyKernel { .. }) {
        play_together(&mut games);
    }
    for game in &mut games {
        game.coalitions = players.n_coalitions(&game.players);
    }
    if let Some(budget) = method.budget() {
        sample_where_dear(&mut games, budget);
    }
    games
}

/// Lets every game have the players that differ from any background row, so that all can share their coalitions.
fn play_together(games: &mut [Reference]) {
    let mut players: Vec<usize> = games.iter().flat_map(|game| game.players.iter().copied()).collect();
    players.sort_unstable();
    players.dedup();
    games.iter_mut().for_each(|game| game.players.clone_from(&players));
}

/// Coalitions whose payoffs a game asks for, at most.
pub(super) fn cost(game: &Reference, method: Method) -> usize {
    match method.budget().filter(|_| !game.exact) {
        Some(budget) => budget.saturating_add(2),
        None => game.coalitions as usize,
    }
}

/// Games with more coalitions than the budget (∅ and N come free) are sampled; what smaller games leave of the row's budget
/// (`budget` for each background row) goes to enumerating the smallest of them.
fn sample_where_dear(games: &mut [Reference], budget: usize) {
    let budget = budget as u64;
    let coalitions = |game: &Reference| game.coalitions.saturating_sub(2);
    let mut left: u64 = 0;
    let mut dear: Vec<&mut Reference> = Vec::new();
    for game in games {
        if game.coalitions <= MAX_COALITIONS && coalitions(game) <= budget {
            left = left.saturating_add(budget - coalitions(game));
        } else {
            dear.push(game);
        }
    }
    dear.sort_by_key(|game| game.coalitions);
    for game in dear {
        let affordable = game.coalitions <= MAX_COALITIONS && coalitions(game) - budget <= left;
        if affordable {
            left -= coalitions(game) - budget;
        }
        game.exact = affordable;
    }
}

fn differs(part: &Part, rows: &Features, row: usize, background: &Features, reference: usize) -> bool {
    match part {
        Part::Column(column) => match (&rows.columns[*column], &background.columns[*column]) {
            (Column::Number(mine), Column::Number(theirs)) => !same(mine[row], theirs[reference]),
            (Column::Text(mine), Column::Text(theirs)) => mine[row] != theirs[reference],
            (Column::Tensor { width, values: mine }, Column::Tensor { values: theirs, .. }) => {
                let (mine, theirs) = (&mine[row * width..][..*width], &theirs[reference * width..][..*width]);
                mine.iter().zip(theirs).any(|(mine, theirs)| !same_f32(*mine, *theirs))
            }
            _ => true,
        },
        Part::Cells { column, cells } => match (&rows.columns[*column], &background.columns[*column]) {
            (Column::Tensor { width, values: mine }, Column::Tensor { values: theirs, .. }) => {
                cells.iter().any(|cell| !same_f32(mine[row * width + cell], theirs[reference * width + cell]))
            }
            _ => differs(&Part::Column(*column), rows, row, background, reference),
        },
    }
}

/// Whether a model cannot tell the two apart: missing equals missing, −0 is not 0.
fn same(a: f64, b: f64) -> bool {
    a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan())
}

fn same_f32(a: f32, b: f32) -> bool {
    a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(columns: &[&[f64]]) -> Features {
        Features { n_rows: columns[0].len(), columns: columns.iter().map(|c| Column::Number(c.to_vec())).collect() }
    }

    fn players(n: usize) -> Players {
        Players::columns(&(0..n).map(|at| format!("x{at}")).collect::<Vec<_>>())
    }

    fn game(n_players: usize) -> Reference {
        let coalitions = 1_u64.checked_shl(n_players as u32).unwrap_or(u64::MAX);
        Reference { row: 0, players: (0..n_players).collect(), coalitions, exact: true }
    }

    #[test]
    fn only_players_that_differ_take_part() {
        let rows = numbers(&[&[1.0], &[f64::NAN], &[0.0], &[f64::NAN]]);
        let background = numbers(&[&[1.0, 2.0], &[f64::NAN, f64::NAN], &[0.0, -0.0], &[1.0, f64::NAN]]);
        let games = references(&players(4), &rows, 0, &background, Method::Exact);
        assert_eq!(games[0].players, [3]);
        assert_eq!(games[1].players, [0, 2]);
    }

    #[test]
    fn a_group_differs_where_one_of_its_columns_does() {
        let names: Vec<String> = ["a", "b", "c"].map(String::from).to_vec();
        let players = Players::grouped(&names, &[("ac".to_string(), vec!["a".to_string(), "c".to_string()])]).unwrap();
        let games = references(
            &players,
            &numbers(&[&[1.0], &[2.0], &[3.0]]),
            0,
            &numbers(&[&[1.0], &[2.0], &[0.0]]),
            Method::Exact,
        );
        assert_eq!(games[0].players, [0]);
    }

    #[test]
    fn what_small_games_leave_of_the_budget_enumerates_larger_ones() {
        let mut games = vec![game(10), game(3), game(8), game(9)];
        // 100 each: three players ask for 6 and leave 94; eight need 154 more than their own budget.
        sample_where_dear(&mut games, 100);
        assert_eq!(games.iter().map(|game| game.exact).collect::<Vec<_>>(), [false, true, false, false]);
        let mut games = vec![game(10), game(3), game(8), game(3)];
        sample_where_dear(&mut games, 100);
        assert_eq!(games.iter().map(|game| game.exact).collect::<Vec<_>>(), [false, true, true, true]);
    }

    #[test]
    fn the_budget_of_all_coalitions_samples_nothing() {
        let mut games = vec![game(10), game(10)];
        sample_where_dear(&mut games, (1 << 10) - 2);
        assert!(games.iter().all(|game| game.exact));
    }

    #[test]
    fn a_game_beyond_enumeration_is_sampled_whatever_the_budget() {
        let mut games = vec![game(40)];
        sample_where_dear(&mut games, usize::MAX / 4);
        assert!(!games[0].exact);
    }
}
