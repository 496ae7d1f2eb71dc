//! LIME for pictures: which segments of a picture a score rests on.
//!
//! As `lime_image` of the `lime` package does it: a neighbour is the picture with each segment kept or, with
//! probability one half, painted over in one colour; its nearness is √exp(−d²/w²) with d the cosine distance between
//! the segments kept and all segments, 1 − √(share kept). Segments are those of [`Segments`].

use super::neighbourhood::{Explained, Neighbourhood};
use super::products::{PARTS, Products};
use super::segments::Segments;
use super::{LEAST_PER_COLUMN, LimeError, LimeResult, LimeSettings, LocalFit, Stability};
use crate::dataset::{Features, Picture};
use crate::explain::Attributions;
use crate::explain::game::{Part, Players};
use crate::explain::versions::{Asker, Subject, cells, cells_mut, each};
use crate::model::predictor::Predictor;
use crate::stats::random::Stream;
use ndarray::{Array1, Array2, Array3, ArrayView1, Axis, ShapeBuilder, s};

/// Width of the kernel where none is given, as `lime_image` has it.
const WIDTH: f64 = 0.25;

/// What a segment that is left out looks like.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Hidden {
    /// Its own mean, channel by channel.
    Mean,
    /// This number in every channel, as the model takes it.
    Number(f32),
}

/// How a picture, the model's only column, is divided and painted over.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Superpixels {
    pub picture: Picture,
    /// Segments wanted; there may be somewhat fewer or more.
    pub segments: usize,
    /// Weight of place against colour.
    pub compactness: f64,
    pub hidden: Hidden,
}

/// Explains pictures of one model.
pub struct PictureLime<'a> {
    asker: Asker<'a>,
    superpixels: Superpixels,
    /// Of the whole picture, or of its cells.
    players: Players,
    settings: LimeSettings,
}

/// Surrogates of some pictures, and as maps `[rows × outputs × pixels]` the weight of each pixel's segment, shared
/// evenly among the segment's pixels.
#[derive(Debug, Clone, PartialEq)]
pub struct PictureResult {
    pub lime: LimeResult,
    pub maps: Array3<f32>,
}

/// One picture.
struct One {
    explained: Explained,
    map: Array2<f32>,
    n_segments: usize,
}

/// One picture in segments.
struct Divided<'a> {
    subject: Subject<'a>,
    segments: Segments,
    /// `[segments × channels]`.
    fill: Vec<Vec<f32>>,
}

impl<'a> PictureLime<'a> {
    /// `settings` that are about columns of numbers have no meaning here.
    ///
    /// # Errors
    /// Too few neighbours for the segments, or settings without meaning.
    pub fn new(
        asker: Asker<'a>,
        superpixels: Superpixels,
        players: Players,
        settings: LimeSettings,
    ) -> Result<Self, LimeError> {
        let least = (LEAST_PER_COLUMN * superpixels.segments).max(PARTS);
        if settings.samples < least {
            return Err(LimeError::Neighbours { samples: settings.samples, segments: superpixels.segments, least });
        }
        settings.check()?;
        Ok(Self { asker, superpixels, players, settings })
    }

    /// The model that is asked.
    pub fn predictor(&self) -> &'a dyn Predictor {
        self.asker.predictor
    }

    /// Scores that explaining `n_rows` pictures asks of the model.
    pub fn evaluations(&self, n_rows: u64) -> u64 {
        n_rows * self.settings.evaluations_per_row()
    }

    /// Explains `rows`; `keys` are their positions in the data, from which their random numbers come. With `decisions`,
    /// each row has its own output alone.
    ///
    /// # Errors
    /// As [`Asker::versions`].
    pub fn explain(
        &self,
        rows: &Features,
        keys: &[u64],
        decisions: Option<&[u32]>,
    ) -> Result<PictureResult, LimeError> {
        let found = each(rows, keys, &self.settings.outputs, decisions, |subject| self.one(subject))?;
        let n_outputs = if decisions.is_some() { 1 } else { self.settings.outputs.len() };
        Ok(self.assemble(&found, n_outputs))
    }

    fn assemble(&self, found: &[One], n_outputs: usize) -> PictureResult {
        let shape = (found.len(), n_outputs, self.players.len());
        let (mut phi, mut std_err) = (Array3::zeros(shape), Array3::zeros(shape));
        let mut maps = Array3::zeros((found.len(), n_outputs, self.superpixels.picture.n_pixels()));
        for (row, one) in found.iter().enumerate() {
            phi.index_axis_mut(Axis(0), row).assign(&one.explained.phi);
            std_err.index_axis_mut(Axis(0), row).assign(&one.explained.std_err);
            maps.index_axis_mut(Axis(0), row).assign(&one.map);
        }
        let fit = |(row, output): (usize, usize)| found[row].explained.surrogates[output].fit;
        let fits: Array2<LocalFit> = Array2::from_shape_fn((found.len(), n_outputs), fit);
        let term = |one: &One| {
            self.players.iter().map(|player| format!("{} in {} segments", player.name, one.n_segments)).collect()
        };
        let std_err = (self.settings.stability != Stability::NotAsked).then_some(std_err);
        let attributions = Attributions { phi, base: fits.mapv(|fit| fit.intercept), std_err };
        let lime = LimeResult { attributions, terms: found.iter().map(term).collect(), fits };
        PictureResult { lime, maps }
    }

    fn one(&self, subject: Subject) -> Result<One, LimeError> {
        let Superpixels { picture, segments, compactness, hidden } = self.superpixels;
        let cells = cells(subject.rows, 0, subject.row);
        let segments = Segments::of(cells, picture, segments, compactness);
        let fill = match hidden {
            Hidden::Mean => segments.mean_colours(cells, picture),
            Hidden::Number(number) => vec![vec![number; picture.channels]; segments.len()],
        };
        let divided = Divided { subject, segments, fill };
        let shares = self.shares(&divided.segments);
        let explained = self.neighbourhood(&divided, 0)?.explain(
            &self.settings,
            subject.key,
            |seed| self.neighbourhood(&divided, seed),
            |coefficients, _| shares.dot(&ArrayView1::from(coefficients)).to_vec(),
        )?;
        let map = Array2::from_shape_fn((subject.outputs.len(), picture.n_pixels()), |(output, pixel)| {
            let segment = divided.segments.of_pixel[pixel];
            (explained.surrogates[output].coefficients[segment] / divided.segments.sizes[segment] as f64) as f32
        });
        Ok(One { explained, map, n_segments: divided.segments.len() })
    }

    /// Which share of each segment's pixels a player owns, `[players × segments]`.
    fn shares(&self, segments: &Segments) -> Array2<f64> {
        let picture = self.superpixels.picture;
        let mut owned: Array2<f64> = Array2::zeros((self.players.len(), segments.len()));
        for (mut owned, player) in owned.rows_mut().into_iter().zip(self.players.iter()) {
            for part in &player.parts {
                match part {
                    Part::Column(_) => owned
                        .iter_mut()
                        .zip(&segments.sizes)
                        .for_each(|(n, size)| *n = (size * picture.channels) as f64),
                    Part::Cells { cells, .. } => {
                        cells.iter().for_each(|cell| owned[segments.of_pixel[picture.pixel(*cell)]] += 1.0);
                    }
                }
            }
        }
        let sizes: Array1<f64> = segments.sizes.iter().map(|size| (size * picture.channels) as f64).collect();
        owned / sizes
    }

    /// Draws and scores pictures with segments left out; the first is the picture itself.
    fn neighbourhood(&self, divided: &Divided, seed: u64) -> Result<Neighbourhood, LimeError> {
        let Divided { subject, segments, fill } = divided;
        let (n, p, picture) = (self.settings.samples, segments.len(), self.superpixels.picture);
        let stream = Stream::new(self.settings.seed, "lime of pictures").child(subject.key).child(seed);
        let is_kept =
            |version: usize, segment: usize| version == 0 || stream.unit((version * p + segment) as u64) < 0.5;
        let design =
            Array2::from_shape_fn((n, p).f(), |(version, segment)| f64::from(u8::from(is_kept(version, segment))));
        let scores = self.asker.versions(*subject, n, |version, at, features| {
            let cells = cells_mut(features, 0, at);
            for (pixel, segment) in segments.of_pixel.iter().enumerate() {
                if design[[version, *segment]] == 0.0 {
                    let colours = fill[*segment].iter().enumerate();
                    colours.for_each(|(channel, colour)| cells[picture.number(pixel, channel)] = *colour);
                }
            }
        })?;
        let width = self.settings.kernel_width.unwrap_or(WIDTH);
        let distance = design.sum_axis(Axis(1)).mapv(|kept| 1.0 - (kept / p as f64).sqrt());
        let weights = distance.mapv(|distance| (-(distance / width).powi(2) / 2.0).exp());
        let products = Products::weighted(design.view(), scores.view(), &weights);
        Ok(Neighbourhood { products, own: design.slice(s![0, ..]).to_owned(), scores: scores.row(0).to_owned() })
    }
}

#[cfg(test)]
#[path = "picture_tests.rs"]
mod tests;
