//! Plays the games of many rows on all threads.

use super::error::GameError;
use super::exact::add_shapley;
use super::matrix::Matrix;
use super::players::Players;
use super::reference::{Reference, cost, references};
use super::scheme::{Scheme, Schemes};
use super::synthetic::{Buffers, Owners, Piece, chunk_rows};
use super::{MAX_COALITIONS, Method, Rules, Scale};
use crate::dataset::batch::{Column, Features};
use crate::explain::Attributions;
use crate::explain::asked::{Unfit, copy_asked};
use crate::model::predictor::{Predictor, Wanted};
use ndarray::{Array1, Array2, Array3, ArrayView1, ArrayView2, ArrayViewMut2, Axis, s};
use rayon::prelude::*;
use std::ops::Range;

/// Synthetic rows whose games are one unit of work. Fixed, so that sums are always taken in the same groups.
const GROUP_ROWS: usize = 8_192;

/// Explains rows of one model against one background.
pub struct GameExplainer<'a> {
    predictor: &'a dyn Predictor,
    background: &'a Features,
    players: Players,
    owners: Owners,
    rules: Rules,
    schemes: Schemes,
    buffers: Buffers,
    matrix: Option<Matrix<'a>>,
    chunk_rows: usize,
}

/// Sums over background rows: `phi` and `variance` are `[outputs × players]`, `base` `[outputs]`.
struct Sums {
    phi: Array2<f64>,
    variance: Array2<f64>,
    base: Array1<f64>,
    /// Working memory: one game's payoffs and values.
    payoffs: Vec<f64>,
    values: Vec<f64>,
}

impl<'a> GameExplainer<'a> {
    /// # Errors
    /// An empty background, players that do not divide its columns, no outputs, or clusters with a method that
    /// cannot honour them.
    pub fn new(
        predictor: &'a dyn Predictor,
        background: &'a Features,
        players: Players,
        rules: Rules,
    ) -> Result<Self, GameError> {
        if background.n_rows == 0 {
            return Err(GameError::NoBackground);
        }
        if rules.outputs.is_empty() {
            return Err(GameError::NoOutputs);
        }
        if players.cluster.is_some() && matches!(rules.method, Method::Kernel { .. } | Method::ShapleyKernel { .. }) {
            return Err(GameError::Clusters);
        }
        players.check(background)?;
        let owners = Owners::of(&players, background.columns.len());
        let schemes = Schemes::new(rules.method, rules.seed, players.cluster.clone());
        let (buffers, chunk_rows) = (Buffers::like(background), chunk_rows(background));
        let matrix = Matrix::of(predictor, background, &players, chunk_rows);
        Ok(Self { predictor, background, players, owners, rules, schemes, buffers, matrix, chunk_rows })
    }

    /// Scores at most this many synthetic rows in one call (at least one) instead of [`chunk_rows`].
    #[must_use]
    pub fn with_chunk_rows(self, chunk_rows: usize) -> Self {
        let chunk_rows = chunk_rows.max(1);
        let matrix = Matrix::of(self.predictor, self.background, &self.players, chunk_rows);
        Self { chunk_rows, matrix, ..self }
    }

    /// The players, in the order of the attributions' last axis.
    pub fn players(&self) -> &Players {
        &self.players
    }

    /// Scores that explaining these rows asks of the model, at most.
    ///
    /// # Errors
    /// As [`GameExplainer::explain`], without what the model itself may cause.
    pub fn evaluations(&self, rows: &Features, keys: &[u64]) -> Result<u64, GameError> {
        self.check(rows, keys)?;
        let of_game = |game: &Reference| cost(game, self.rules.method) as u64;
        Ok((0..rows.n_rows).into_par_iter().map(|row| self.games(rows, row).iter().map(of_game).sum::<u64>()).sum())
    }

    /// The model that is asked.
    pub fn predictor(&self) -> &'a dyn Predictor {
        self.predictor
    }

    /// Attributions of `rows`, `[rows × outputs × players]`; sampling methods give `std_err`, which is 0 where all
    /// games of a row were enumerated.
    ///
    /// `keys` are the rows' positions in the data, from which their random numbers come.
    ///
    /// # Errors
    /// Columns that are not the background's, a row with too many players for the method or its budget (both found
    /// before anything is scored), a model without margins, or scores that are not finite.
    pub fn explain(&self, rows: &Features, keys: &[u64]) -> Result<Attributions, GameError> {
        self.check(rows, keys)?;
        let sums: Vec<Result<Sums, GameError>> =
            (0..rows.n_rows).into_par_iter().map(|row| self.explain_row(rows, row, keys[row])).collect();
        let shape = (rows.n_rows, self.rules.outputs.len(), self.players.len());
        let (mut phi, mut std_err) = (Array3::zeros(shape), Array3::zeros(shape));
        let mut base = Array2::zeros((shape.0, shape.1));
        for (row, sums) in sums.into_iter().enumerate() {
            let sums = sums?;
            let n = self.background.n_rows as f64;
            phi.index_axis_mut(Axis(0), row).assign(&(sums.phi / n));
            std_err.index_axis_mut(Axis(0), row).assign(&(sums.variance.mapv(f64::sqrt) / n));
            base.row_mut(row).assign(&(sums.base / n));
        }
        Ok(Attributions { phi, base, std_err: self.rules.method.budget().map(|_| std_err) })
    }

    fn games(&self, rows: &Features, row: usize) -> Vec<Reference> {
        references(&self.players, rows, row, self.background, self.rules.method)
    }

    fn check(&self, rows: &Features, keys: &[u64]) -> Result<(), GameError> {
        if keys.len() != rows.n_rows {
            return Err(GameError::Keys { rows: rows.n_rows, keys: keys.len() });
        }
        same_columns(rows, self.background)?;
        let first =
            (0..rows.n_rows).into_par_iter().map(|row| self.check_row(rows, row, keys[row])).find_first(Result::is_err);
        first.unwrap_or(Ok(()))
    }

    fn check_row(&self, rows: &Features, row: usize, key: u64) -> Result<(), GameError> {
        let games = self.games(rows, row);
        let Some(budget) = self.rules.method.budget() else {
            return match games.iter().max_by_key(|game| game.coalitions) {
                Some(game) if game.coalitions > MAX_COALITIONS => {
                    let (found, coalitions) = (game.players.len(), game.coalitions);
                    Err(GameError::TooManyPlayers { row: key, found, coalitions })
                }
                _ => Ok(()),
            };
        };
        let players = games.iter().filter(|game| !game.exact).map(|game| game.players.len()).max().unwrap_or(0);
        let least = self.rules.method.least_budget(players);
        if budget < least { Err(GameError::Budget { row: key, budget, players, least }) } else { Ok(()) }
    }

    fn explain_row(&self, rows: &Features, row: usize, key: u64) -> Result<Sums, GameError> {
        let games = self.games(rows, row);
        if let Some(schemes) = self.schemes.shared(&games, key) {
            let schemes = schemes.ok_or_else(|| self.too_little(&games[0], key))?;
            return self.explain_mean(rows, row, key, &games, &schemes);
        }
        let parts: Vec<Result<Sums, GameError>> = self
            .groups(&games)
            .into_par_iter()
            .map(|group| self.explain_group(rows, row, key, &games[group]))
            .collect();
        let mut sums = self.nothing();
        for part in parts {
            let part = part?;
            sums.phi += &part.phi;
            sums.variance += &part.variance;
            sums.base += &part.base;
        }
        Ok(sums)
    }

    /// Solves the sum of the games, which ask for the same coalitions: their errors do not average out.
    fn explain_mean(
        &self,
        rows: &Features,
        row: usize,
        key: u64,
        games: &[Reference],
        schemes: &[Scheme],
    ) -> Result<Sums, GameError> {
        let n = schemes[0].coalitions().len();
        let together = |group: Range<usize>| -> Result<Array2<f64>, GameError> {
            let payoffs = self.payoffs(rows, row, key, &games[group.clone()], &schemes[group])?;
            let mut sum = Array2::zeros((n, payoffs.ncols()));
            (0..payoffs.nrows()).step_by(n).for_each(|first| sum += &payoffs.slice(s![first..first + n, ..]));
            Ok(sum)
        };
        let parts: Vec<Result<Array2<f64>, GameError>> = self.groups(games).into_par_iter().map(together).collect();
        let mut payoffs = Array2::zeros((n, self.rules.outputs.len()));
        for part in parts {
            payoffs += &part?;
        }
        let mut sums = self.nothing();
        sums.add(&schemes[0], payoffs.view());
        Ok(sums)
    }

    /// The draws did not determine the values, which can happen near the least budget.
    fn too_little(&self, game: &Reference, key: u64) -> GameError {
        let budget = self.rules.method.budget().unwrap_or(0);
        GameError::Budget { row: key, budget, players: game.players.len(), least: 2 * budget }
    }

    /// Consecutive games of at most [`GROUP_ROWS`] synthetic rows together (or a single larger one).
    fn groups(&self, games: &[Reference]) -> Vec<Range<usize>> {
        let mut groups: Vec<Range<usize>> = Vec::new();
        let mut n_rows = 0;
        for (at, game) in games.iter().enumerate() {
            let cost = cost(game, self.rules.method);
            match groups.last_mut().filter(|_| n_rows + cost <= GROUP_ROWS) {
                Some(group) => group.end = at + 1,
                None => {
                    groups.push(at..at + 1);
                    n_rows = 0;
                }
            }
            n_rows += cost;
        }
        groups
    }

    fn explain_group(&self, rows: &Features, row: usize, key: u64, games: &[Reference]) -> Result<Sums, GameError> {
        let scheme = |game: &Reference| self.schemes.of(game, key).ok_or_else(|| self.too_little(game, key));
        let schemes = games.iter().map(scheme).collect::<Result<Vec<Scheme>, GameError>>()?;
        let payoffs = self.payoffs(rows, row, key, games, &schemes)?;
        let mut sums = self.nothing();
        let mut first = 0;
        for scheme in &schemes {
            let next = first + scheme.coalitions().len();
            sums.add(scheme, payoffs.slice(s![first..next, ..]));
            first = next;
        }
        Ok(sums)
    }

    /// Payoffs of all coalitions of all games in order, `[coalitions × outputs]`.
    fn payoffs(
        &self,
        rows: &Features,
        row: usize,
        key: u64,
        games: &[Reference],
        schemes: &[Scheme],
    ) -> Result<Array2<f64>, GameError> {
        let n_rows: usize = schemes.iter().map(|scheme| scheme.coalitions().len()).sum();
        let mut payoffs = Array2::zeros((n_rows, self.rules.outputs.len()));
        if let Some(matrix) = &self.matrix {
            let wanted = match self.rules.scale {
                Scale::Probability => Wanted::Probability,
                Scale::Margin => Wanted::Margin,
            };
            matrix.score((rows, row), games, schemes, wanted, |range, scores| {
                self.choose(scores, key, payoffs.slice_mut(s![range, ..]))
            })?;
            return Ok(payoffs);
        }
        for start in (0..n_rows).step_by(self.chunk_rows) {
            let range = start..n_rows.min(start + self.chunk_rows);
            let pieces = pieces(games, schemes, &range);
            let scores = self.buffers.with(|buffer| {
                self.owners.build(rows, row, self.background, &pieces, buffer);
                self.predictor.predict(buffer)
            })?;
            self.choose(self.rules.scale.of(&scores), key, payoffs.slice_mut(s![range, ..]))?;
        }
        Ok(payoffs)
    }

    /// Copies the explained outputs of scores on the explained scale.
    fn choose(&self, scores: Option<&Array2<f64>>, key: u64, out: ArrayViewMut2<f64>) -> Result<(), GameError> {
        let scale = match self.rules.scale {
            Scale::Probability => "probability",
            Scale::Margin => "margin",
        };
        copy_asked(scores, &self.rules.outputs, out).map_err(|unfit| match unfit {
            Unfit::NoMargin => GameError::NoMargin,
            Unfit::Rows { asked, found } => GameError::Rows { asked, found },
            Unfit::Output { output, found } => GameError::Output { output, found },
            Unfit::NotFinite { output, value } => GameError::NotFinite { row: key, output, value, scale },
        })
    }

    fn nothing(&self) -> Sums {
        let shape = (self.rules.outputs.len(), self.players.len());
        Sums {
            phi: Array2::zeros(shape),
            variance: Array2::zeros(shape),
            base: Array1::zeros(shape.0),
            payoffs: Vec::new(),
            values: Vec::new(),
        }
    }
}

impl Sums {
    /// Adds one game, `payoffs` `[coalitions × outputs]`; the first coalition of every scheme is nobody.
    fn add(&mut self, scheme: &Scheme, payoffs: ArrayView2<f64>) {
        self.base += &payoffs.row(0);
        for (output, payoffs) in payoffs.columns().into_iter().enumerate() {
            if scheme.is_enumerated() {
                self.add_enumerated(scheme, output, payoffs);
                continue;
            }
            let estimate = scheme.solve(payoffs);
            for (position, player) in scheme.players.iter().enumerate() {
                self.phi[[output, *player]] += estimate.phi[position];
                self.variance[[output, *player]] += estimate.variance[position];
            }
        }
    }
}

impl Sums {
    /// Adds a game that is known in full, without memory of its own: these are small and many.
    fn add_enumerated(&mut self, scheme: &Scheme, output: usize, payoffs: ArrayView1<f64>) {
        self.payoffs.clear();
        self.payoffs.extend(payoffs.iter());
        self.values.clear();
        self.values.resize(scheme.players.len(), 0.0);
        add_shapley(&mut self.payoffs, &mut self.values);
        for (value, player) in self.values.iter().zip(scheme.players.iter()) {
            self.phi[[output, *player]] += value;
        }
    }
}

/// The games' coalitions that fall into `range` when all are counted through.
fn pieces<'a>(games: &[Reference], schemes: &'a [Scheme], range: &Range<usize>) -> Vec<Piece<'a>> {
    let mut pieces = Vec::new();
    let mut first = 0;
    for (game, scheme) in games.iter().zip(schemes) {
        let coalitions = scheme.coalitions();
        let mine = range.start.max(first)..range.end.min(first + coalitions.len());
        if mine.start < mine.end {
            let range = mine.start - first..mine.end - first;
            pieces.push(Piece { reference: game.row, players: &scheme.players, coalitions, range });
        }
        first += coalitions.len();
    }
    pieces
}

fn same_columns(rows: &Features, background: &Features) -> Result<(), GameError> {
    let kinds = |features: &Features| features.columns.iter().map(kind).collect::<Vec<_>>();
    let (rows, background) = (kinds(rows), kinds(background));
    let absent = || "absent".to_string();
    for column in 0..rows.len().max(background.len()) {
        let (mine, theirs) = (rows.get(column), background.get(column));
        if mine != theirs {
            let rows = mine.cloned().unwrap_or_else(absent);
            return Err(GameError::Columns { column, rows, background: theirs.cloned().unwrap_or_else(absent) });
        }
    }
    Ok(())
}

fn kind(column: &Column) -> String {
    match column {
        Column::Number(_) => "a number".to_string(),
        Column::Text(_) => "text".to_string(),
        Column::Tensor { width, .. } => format!("a tensor of {width} numbers"),
    }
}
