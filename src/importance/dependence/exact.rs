//! Partial dependence of a forest over all rows, without asking it about a single made-up row.

use super::mean::WeightedMean;
use crate::model::{NativeProfiles, ProfileBuffers};
use ndarray::{ArrayView2, Axis};
use rayon::prelude::*;

/// Rows of one block of the forest, and blocks whose means are put together by one thread.
const BLOCK: usize = 64;
const CHUNK: usize = 16 * BLOCK;

/// Mean scores for every value of every column, taken up batch by batch.
///
/// Batches are cut at multiples of 1,024 rows and their means merged in order, so neither threads nor the size of batches
/// changes a digit, as long as batches but the last are whole multiples of 1,024 rows.
pub struct ForestMeans<'a> {
    profiles: NativeProfiles<'a>,
    n_outputs: usize,
    /// `[column][value × outputs]`.
    means: Vec<Vec<WeightedMean>>,
}

impl<'a> ForestMeans<'a> {
    /// `n_values` says how many values each column of `profiles` takes.
    pub fn new(profiles: NativeProfiles<'a>, n_values: &[usize], n_outputs: usize) -> Self {
        let means = n_values.iter().map(|n| vec![WeightedMean::default(); n * n_outputs]).collect();
        Self { profiles, n_outputs, means }
    }

    /// Takes up rows as they reach the forest, `[rows × features]`.
    pub fn update(&mut self, rows: ArrayView2<f64>) {
        let chunks: Vec<ArrayView2<f64>> = rows.axis_chunks_iter(Axis(0), CHUNK).collect();
        let parts: Vec<Vec<Vec<WeightedMean>>> = (chunks.into_par_iter())
            .map_init(|| self.profiles.buffers(), |buffers, rows| self.part(rows, buffers))
            .collect();
        for part in parts {
            for (means, part) in self.means.iter_mut().zip(&part) {
                means.iter_mut().zip(part).for_each(|(mean, part)| mean.merge(part));
            }
        }
    }

    fn part(&self, rows: ArrayView2<f64>, buffers: &mut ProfileBuffers) -> Vec<Vec<WeightedMean>> {
        let mut means: Vec<Vec<WeightedMean>> =
            self.means.iter().map(|means| vec![WeightedMean::default(); means.len()]).collect();
        for rows in rows.axis_chunks_iter(Axis(0), BLOCK) {
            self.profiles.scores(rows, buffers, |found| {
                let mean = &mut means[found.asked][found.value * self.n_outputs + found.output];
                mean.merge(&WeightedMean::of(found.scores));
            });
        }
        means
    }

    /// Means of a column, `[values][outputs]`.
    pub(super) fn of(&self, column: usize) -> Vec<Vec<WeightedMean>> {
        self.means[column].chunks(self.n_outputs.max(1)).map(<[WeightedMean]>::to_vec).collect()
    }
}
