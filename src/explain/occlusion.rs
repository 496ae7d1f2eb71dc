//! Occlusion: how a score changes when a part of its row is replaced (Zeiler and Fergus, ECCV 2014).
//!
//! A player's value is the score less the mean score with the player's cells taken from each row of the background; of
//! a picture, whose background is its mean, there is one such score. Values do not add up to the score by themselves:
//! the base is what is missing. Pictures have maps as well: a window slides over the picture, and each pixel has the
//! mean change over the windows that cover it, as captum's `Occlusion` averages them.

use super::Attributions;
use super::game::{Part, Players};
use super::versions::{Asker, Subject, VersionError, cells, cells_mut, each, mean_cells};
use crate::dataset::{Column, Features, Picture};
use crate::model::predictor::Predictor;
use ndarray::{Array2, Array3, ArrayView1, s};

/// A window that slides over a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Windows {
    /// The column that holds the picture.
    pub column: usize,
    pub picture: Picture,
    /// Height and width, in pixels; cut off at the lower and right border.
    pub size: (usize, usize),
    /// Pixels from one place to the next, downwards and to the right; at least 1, at most `size`.
    pub stride: (usize, usize),
}

/// Explains rows of one model.
pub struct OcclusionExplainer<'a> {
    asker: Asker<'a>,
    background: Features,
    players: Players,
    windows: Option<Windows>,
    outputs: Vec<usize>,
}

/// Attributions of some rows, with maps `[rows × outputs × pixels]` of pictures.
#[derive(Debug, Clone, PartialEq)]
pub struct Occluded {
    pub attributions: Attributions,
    pub maps: Option<Array3<f32>>,
}

impl Windows {
    /// Upper left corners, row by row: enough for every pixel, so the last may reach over the border.
    pub fn corners(&self) -> Vec<(usize, usize)> {
        let places = |length: usize, size: usize, stride: usize| {
            let n = length.saturating_sub(size).div_ceil(stride.max(1)) + 1;
            (0..n).map(move |at| at * stride)
        };
        let (height, width) = (self.picture.height, self.picture.width);
        let rows = places(height, self.size.0, self.stride.0);
        rows.flat_map(|y| places(width, self.size.1, self.stride.1).map(move |x| (y, x))).collect()
    }

    /// Pixels of the window at a corner.
    pub fn pixels(&self, (top, left): (usize, usize)) -> impl Iterator<Item = usize> {
        let (height, width) = (self.picture.height, self.picture.width);
        let rows = top..(top + self.size.0).min(height);
        let columns = left..(left + self.size.1).min(width);
        rows.flat_map(move |y| columns.clone().map(move |x| y * width + x))
    }
}

impl<'a> OcclusionExplainer<'a> {
    /// # Errors
    /// A background without rows.
    pub fn new(
        asker: Asker<'a>,
        background: &Features,
        players: Players,
        windows: Option<Windows>,
        outputs: Vec<usize>,
    ) -> Result<Self, VersionError> {
        if background.n_rows == 0 {
            return Err(VersionError::NoBackground);
        }
        let background = match windows {
            None => background.clone(),
            Some(windows) => {
                let mut mean = background.take(&[0]);
                cells_mut(&mut mean, windows.column, 0).copy_from_slice(&mean_cells(background, windows.column));
                mean
            }
        };
        Ok(Self { asker, background, players, windows, outputs })
    }

    /// The model that is asked.
    pub fn predictor(&self) -> &'a dyn Predictor {
        self.asker.predictor
    }

    /// Scores that a row asks of the model.
    pub fn evaluations_per_row(&self) -> u64 {
        let windows = self.windows.map_or(0, |windows| windows.corners().len());
        (1 + self.players.len() * self.background.n_rows + windows) as u64
    }

    /// Attributions of `rows`, whose positions in the data are `keys`; with `decisions`, each row has its own output
    /// alone.
    ///
    /// # Errors
    /// As [`Asker::versions`].
    pub fn explain(&self, rows: &Features, keys: &[u64], decisions: Option<&[u32]>) -> Result<Occluded, VersionError> {
        let found = each(rows, keys, &self.outputs, decisions, |subject| self.one(subject))?;
        let n_outputs = if decisions.is_some() { 1 } else { self.outputs.len() };
        let mut phi = Array3::zeros((rows.n_rows, n_outputs, self.players.len()));
        let mut base = Array2::zeros((rows.n_rows, n_outputs));
        let n_pixels = self.windows.map(|windows| windows.picture.n_pixels());
        let mut maps = n_pixels.map(|n_pixels| Array3::zeros((rows.n_rows, n_outputs, n_pixels)));
        for (row, one) in found.into_iter().enumerate() {
            phi.slice_mut(s![row, .., ..]).assign(&one.phi);
            base.row_mut(row).assign(&(&one.score - &one.phi.sum_axis(ndarray::Axis(1))));
            if let (Some(maps), Some(map)) = (&mut maps, one.map) {
                maps.slice_mut(s![row, .., ..]).assign(&map);
            }
        }
        Ok(Occluded { attributions: Attributions { phi, base, std_err: None }, maps })
    }

    fn one(&self, subject: Subject) -> Result<One, VersionError> {
        let score = self.asker.versions(subject, 1, |_, _, _| {})?.row(0).to_owned();
        let m = self.background.n_rows;
        let replaced = self.asker.versions(subject, self.players.len() * m, |version, at, features| {
            let player = &self.players.list[version / m];
            player.parts.iter().for_each(|part| replace(features, at, part, &self.background, version % m));
        })?;
        let mut phi = Array2::zeros((subject.outputs.len(), self.players.len()));
        for (player, mut phi) in phi.columns_mut().into_iter().enumerate() {
            let scores = replaced.slice(s![player * m..(player + 1) * m, ..]);
            let mean = scores.sum_axis(ndarray::Axis(0)) / m as f64;
            phi.assign(&(&score - &mean));
        }
        let map = self.windows.map(|windows| self.map(subject, &windows, score.view())).transpose()?;
        Ok(One { score, phi, map })
    }

    /// `[outputs × pixels]`: mean change over the windows that cover a pixel.
    fn map(&self, subject: Subject, windows: &Windows, score: ArrayView1<f64>) -> Result<Array2<f32>, VersionError> {
        let corners = windows.corners();
        let baseline = cells(&self.background, windows.column, 0);
        let scores = self.asker.versions(subject, corners.len(), |version, at, features| {
            let cells = cells_mut(features, windows.column, at);
            for pixel in windows.pixels(corners[version]) {
                for channel in 0..windows.picture.channels {
                    let number = windows.picture.number(pixel, channel);
                    cells[number] = baseline[number];
                }
            }
        })?;
        let mut sums = Array2::<f64>::zeros((subject.outputs.len(), windows.picture.n_pixels()));
        let mut covering = vec![0.0_f64; windows.picture.n_pixels()];
        for (corner, scores) in corners.iter().zip(scores.rows()) {
            let change = &score - &scores;
            for pixel in windows.pixels(*corner) {
                covering[pixel] += 1.0;
                let mut sum = sums.column_mut(pixel);
                sum += &change;
            }
        }
        let shares = sums.indexed_iter().map(|((_, pixel), sum)| (sum / covering[pixel].max(1.0)) as f32).collect();
        Ok(Array2::from_shape_vec(sums.dim(), shares).unwrap_or_default())
    }
}

/// One row: its scores `[outputs]`, values `[outputs × players]` and map.
struct One {
    score: ndarray::Array1<f64>,
    phi: Array2<f64>,
    map: Option<Array2<f32>>,
}

/// Puts what a row of `from` has in a part into row `at`.
fn replace(features: &mut Features, at: usize, part: &Part, from: &Features, row: usize) {
    match part {
        Part::Column(column) => match (&mut features.columns[*column], &from.columns[*column]) {
            (Column::Number(mine), Column::Number(theirs)) => mine[at] = theirs[row],
            (Column::Text(mine), Column::Text(theirs)) => mine[at].clone_from(&theirs[row]),
            _ => cells_mut(features, *column, at).copy_from_slice(cells(from, *column, row)),
        },
        Part::Cells { column, cells: which } => {
            let mine = cells_mut(features, *column, at);
            let theirs = cells(from, *column, row);
            which.iter().for_each(|cell| mine[*cell] = theirs[*cell]);
        }
    }
}

#[cfg(test)]
#[path = "occlusion_tests.rs"]
mod tests;
