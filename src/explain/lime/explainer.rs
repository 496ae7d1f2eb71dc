//! Draws, scores and fits the neighbourhoods of many rows on all threads.

use super::columns::Distribution;
use super::neighbourhood::{Explained, Neighbourhood};
use super::products::{PARTS, Products};
use super::truncated::Uniforms;
use super::{LEAST_PER_COLUMN, LimeColumn, LimeError, LimeResult, LimeSettings, LocalFit, Stability};
use crate::dataset::batch::{Column, Features};
use crate::explain::Attributions;
use crate::explain::asked::{Unfit, copy_asked};
use crate::explain::game::{Scale, chunk_rows};
use crate::model::predictor::Predictor;
use crate::stats::random::Stream;
use ndarray::{Array2, Array3, ArrayView1, Axis, ShapeBuilder, s};
use rayon::prelude::*;

/// Width of the kernel for each root of the number of columns.
const WIDTH_PER_ROOT: f64 = 0.75;

/// Explains rows of one model in the neighbourhood that the training data describe.
pub struct LimeExplainer<'a> {
    predictor: &'a dyn Predictor,
    columns: Vec<LimeColumn>,
    distributions: Vec<Distribution>,
    settings: LimeSettings,
    kernel_width: f64,
}

impl<'a> LimeExplainer<'a> {
    /// Neighbours will be distributed as the rows of `training`, whose `columns` are described in order.
    ///
    /// # Errors
    /// No training rows, tensors, too few samples for the columns, or settings without meaning.
    pub fn new(
        predictor: &'a dyn Predictor,
        training: &Features,
        columns: &[LimeColumn],
        settings: LimeSettings,
    ) -> Result<Self, LimeError> {
        check(training, columns, &settings)?;
        let learn = |(column, described)| Distribution::learn(column, described, &settings);
        let distributions: Result<Vec<Distribution>, LimeError> =
            training.columns.par_iter().zip(columns).map(learn).collect();
        let default_width = WIDTH_PER_ROOT * (columns.len() as f64).sqrt();
        let kernel_width = settings.kernel_width.unwrap_or(default_width);
        Ok(Self { predictor, columns: columns.to_vec(), distributions: distributions?, settings, kernel_width })
    }

    /// The model that is asked.
    pub fn predictor(&self) -> &'a dyn Predictor {
        self.predictor
    }

    /// Scores that explaining `n_rows` rows asks of the model.
    pub fn evaluations(&self, n_rows: u64) -> u64 {
        n_rows * self.settings.evaluations_per_row()
    }

    /// Explains `rows`; `keys` are their positions in the data, from which their random numbers come.
    ///
    /// # Errors
    /// Columns that are not the training data's, outputs or margins that the model does not have, or scores that are not
    /// finite.
    pub fn explain(&self, rows: &Features, keys: &[u64]) -> Result<LimeResult, LimeError> {
        self.check_rows(rows, keys)?;
        let explained: Vec<Result<Explained, LimeError>> =
            (0..rows.n_rows).into_par_iter().map(|row| self.explain_row(rows, row, keys[row])).collect();
        let shape = (rows.n_rows, self.settings.outputs.len(), self.columns.len());
        let (mut phi, mut std_err) = (Array3::zeros(shape), Array3::zeros(shape));
        let mut fits = Vec::with_capacity(shape.0 * shape.1);
        for (row, explained) in explained.into_iter().enumerate() {
            let explained = explained?;
            phi.index_axis_mut(Axis(0), row).assign(&explained.phi);
            std_err.index_axis_mut(Axis(0), row).assign(&explained.std_err);
            fits.extend(explained.surrogates.iter().map(|surrogate| surrogate.fit));
        }
        let base = fits.iter().map(|fit: &LocalFit| fit.intercept);
        let base = Array2::from_shape_fn((shape.0, shape.1), shaped(base.collect(), shape.1));
        let fits = Array2::from_shape_fn((shape.0, shape.1), shaped(fits, shape.1));
        let std_err = (self.settings.stability != Stability::NotAsked).then_some(std_err);
        Ok(LimeResult { attributions: Attributions { phi, base, std_err }, terms: self.terms(rows), fits })
    }

    /// `[row][feature]`: the condition on a row's cell that its attribution is for.
    fn terms(&self, rows: &Features) -> Vec<Vec<String>> {
        let term = |row: usize, at: usize| self.distributions[at].term(&self.columns[at], &rows.columns[at], row);
        let of_row = |row| (0..self.columns.len()).map(|at| term(row, at).unwrap_or_default()).collect();
        (0..rows.n_rows).map(of_row).collect()
    }

    fn check_rows(&self, rows: &Features, keys: &[u64]) -> Result<(), LimeError> {
        if keys.len() != rows.n_rows {
            return Err(LimeError::Keys { rows: rows.n_rows, keys: keys.len() });
        }
        if rows.columns.len() != self.columns.len() {
            return Err(LimeError::ColumnCount { rows: rows.columns.len(), background: self.columns.len() });
        }
        for (at, column) in rows.columns.iter().enumerate() {
            let (found, expected) = (kind(column), self.distributions[at].kind());
            if found != expected {
                let column = self.columns[at].name.clone();
                return Err(LimeError::Columns { column, rows: found, background: expected });
            }
        }
        Ok(())
    }

    fn explain_row(&self, rows: &Features, row: usize, key: u64) -> Result<Explained, LimeError> {
        let neighbourhood = self.neighbourhood(rows, row, key, 0)?;
        let further = |seed: u64| self.neighbourhood(rows, row, key, seed);
        neighbourhood.explain(&self.settings, key, further, |coefficients, own| {
            coefficients.iter().zip(own).map(|(coefficient, own)| coefficient * own).collect()
        })
    }

    fn neighbourhood(&self, rows: &Features, row: usize, key: u64, seed: u64) -> Result<Neighbourhood, LimeError> {
        let stream = Stream::new(self.settings.seed, "lime").child(key).child(seed);
        let n = self.settings.samples;
        let mut design = Array2::zeros((n, self.columns.len()).f());
        let mut neighbours = Features { n_rows: n, columns: Vec::with_capacity(self.columns.len()) };
        for (at, distribution) in self.distributions.iter().enumerate() {
            let mut uniforms = Uniforms::new(stream.child(at as u64));
            let drawn = distribution.neighbours(&rows.columns[at], row, n, &mut uniforms);
            let drawn = drawn.ok_or_else(|| LimeError::Columns {
                column: self.columns[at].name.clone(),
                rows: kind(&rows.columns[at]),
                background: distribution.kind(),
            })?;
            design.column_mut(at).assign(&ArrayView1::from(&drawn.design));
            neighbours.columns.push(drawn.cells);
        }
        let scores = self.scores(neighbours, key)?;
        let products = Products::of(design.view(), scores.view(), self.kernel_width);
        Ok(Neighbourhood { products, own: design.row(0).to_owned(), scores: scores.row(0).to_owned() })
    }

    /// The explained outputs of all neighbours, `[neighbours × outputs]`.
    fn scores(&self, neighbours: Features, key: u64) -> Result<Array2<f64>, LimeError> {
        let (n, chunk) = (neighbours.n_rows, chunk_rows(&neighbours));
        let mut scores = Array2::zeros((n, self.settings.outputs.len()));
        if n <= chunk {
            self.score_into(&neighbours, key, scores.view_mut())?;
            return Ok(scores);
        }
        for start in (0..n).step_by(chunk) {
            let rows: Vec<usize> = (start..n.min(start + chunk)).collect();
            let out = scores.slice_mut(s![start..start + rows.len(), ..]);
            self.score_into(&neighbours.take(&rows), key, out)?;
        }
        Ok(scores)
    }

    fn score_into(&self, rows: &Features, key: u64, out: ndarray::ArrayViewMut2<f64>) -> Result<(), LimeError> {
        let scored = self.predictor.predict(rows)?;
        let scale = match self.settings.scale {
            Scale::Probability => "score",
            Scale::Margin => "margin",
        };
        copy_asked(self.settings.scale.of(&scored), &self.settings.outputs, out).map_err(|unfit| match unfit {
            Unfit::NoMargin => LimeError::NoMargin,
            Unfit::Rows { asked, found } => LimeError::Rows { asked, found },
            Unfit::Output { output, found } => LimeError::Output { output, found },
            Unfit::NotFinite { output, value } => LimeError::NotFinite { row: key, output, value, scale },
        })
    }
}

fn check(training: &Features, columns: &[LimeColumn], settings: &LimeSettings) -> Result<(), LimeError> {
    if training.n_rows == 0 {
        return Err(LimeError::NoBackground);
    }
    if training.columns.len() != columns.len() {
        return Err(LimeError::Described { described: columns.len(), found: training.columns.len() });
    }
    let least = (LEAST_PER_COLUMN * columns.len()).max(PARTS);
    if settings.samples < least {
        return Err(LimeError::Samples { samples: settings.samples, columns: columns.len(), least });
    }
    settings.check()
}

/// Items in rows of `n_columns`.
fn shaped<T: Copy>(items: Vec<T>, n_columns: usize) -> impl Fn((usize, usize)) -> T {
    move |(row, column)| items[row * n_columns + column]
}

fn kind(column: &Column) -> &'static str {
    match column {
        Column::Number(_) => "a number",
        Column::Text(_) => "text",
        Column::Tensor { .. } => "a tensor",
    }
}
