//! Rows to attributions, on all threads.

use super::error::GradientError;
use super::line::{Lines, Orders};
use crate::dataset::Features;
use crate::explain::Attributions;
use crate::explain::game::{Part, Players};
use crate::model::differentiable::Differentiable;
use crate::stats::random::Stream;
use ndarray::{Array1, Array2, Array3, ArrayView1, Axis, s};
use rayon::prelude::*;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Gradient × input.
    Input,
    /// The same of noisy copies.
    Smooth,
    /// From the mean of the background.
    Integrated,
    /// From every row of the background.
    Expected,
    /// Rescale multipliers against every row of the background.
    Deep,
}

#[derive(Debug, Clone)]
pub struct Rules {
    pub method: Method,
    /// Positions of the explained outputs.
    pub outputs: Vec<usize>,
    /// Integrals: gradients per line at most.
    pub budget: usize,
    pub seed: u64,
    /// Maps of a picture are wanted too.
    pub map: Option<Map>,
}

/// Where the numbers of points stand in a picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Map {
    pub n_pixels: usize,
    /// Per number of a point: its pixel; beyond the last where it is of no picture.
    pub pixel_of: Vec<u32>,
}

/// What was found for some rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Explained {
    pub attributions: Attributions,
    /// `[rows × outputs × pixels]`, channels summed, where asked for.
    pub maps: Option<Array3<f32>>,
}

/// Explains rows of one model against one background.
pub struct GradientExplainer<'a> {
    model: &'a dyn Differentiable,
    /// Per number of a point: the player that owns it.
    owner: Vec<u32>,
    n_players: usize,
    /// `[baselines × width]`, and their scores, `[baselines × outputs]`.
    baselines: Array2<f64>,
    baseline_scores: Array2<f64>,
    /// Noise of smoothed gradients: standard deviation per number.
    noise: Vec<f64>,
    rules: Rules,
}

/// Rows of plain gradients that go through the model together.
const GROUP: u64 = 64;
/// Noisy copies of a row, and their noise as a share of the background's range (both as in the paper's figures).
pub const COPIES: usize = 50;
const NOISE: f64 = 0.15;

impl<'a> GradientExplainer<'a> {
    /// # Errors
    /// An empty background, a value in it that is not finite, players that do not own its columns.
    pub fn new(
        model: &'a dyn Differentiable,
        background: &Features,
        players: &Players,
        rules: Rules,
    ) -> Result<Self, GradientError> {
        let points = model.points(background)?;
        if points.nrows() == 0 {
            return Err(GradientError::NoBackground);
        }
        check_finite(model, &points, |row| format!("row {row} of the background"))?;
        let baselines = match rules.method {
            Method::Expected | Method::Deep => points.clone(),
            _ => points.mean_axis(Axis(0)).ok_or(GradientError::NoBackground)?.insert_axis(Axis(0)),
        };
        let first = rules.outputs.first().copied().unwrap_or(0);
        let baseline_scores = match rules.method {
            Method::Deep => model.multipliers(baselines.view(), baselines.view(), &vec![first; baselines.nrows()])?,
            _ => model.gradients(baselines.view(), &vec![first; baselines.nrows()])?,
        };
        Ok(Self {
            owner: owners(model, players)?,
            n_players: players.len(),
            noise: if rules.method == Method::Smooth { ranges(model, &points) } else { Vec::new() },
            baseline_scores: baseline_scores.scores,
            model,
            baselines,
            rules,
        })
    }

    /// Attributions of `features`, `[rows × outputs × players]`. `keys` are the rows' positions in the data. With
    /// `decisions`, each row is explained for its own output alone.
    ///
    /// # Errors
    /// A value that is not finite, or a row that the model cannot score.
    pub fn explain(
        &self,
        features: &Features,
        keys: &[u64],
        decisions: Option<&[u32]>,
    ) -> Result<Explained, GradientError> {
        let points = self.model.points(features)?;
        check_finite(self.model, &points, |row| format!("row {}", keys[row]))?;
        let outputs_of = |row: usize| match decisions {
            Some(decisions) => vec![decisions[row] as usize],
            None => self.rules.outputs.clone(),
        };
        let rows: Vec<Vec<Found>> = match self.rules.method {
            Method::Input => self.groups(&points, keys, &outputs_of)?,
            _ => (0..points.nrows())
                .into_par_iter()
                .map(|row| outputs_of(row).iter().map(|output| self.one(points.row(row), keys[row], *output)).collect())
                .collect::<Result<_, GradientError>>()?,
        };
        let n_outputs = if decisions.is_some() { 1 } else { self.rules.outputs.len() };
        Ok(self.assemble(&rows, n_outputs))
    }

    /// The model that is differentiated.
    pub fn model(&self) -> &'a dyn Differentiable {
        self.model
    }

    /// Whether multipliers against the background stand for gradients.
    pub fn is_deep(&self) -> bool {
        self.rules.method == Method::Deep
    }

    fn assemble(&self, rows: &[Vec<Found>], n_outputs: usize) -> Explained {
        let mut phi = Array3::zeros((rows.len(), n_outputs, self.n_players));
        let mut base = Array2::zeros((rows.len(), n_outputs));
        let map = self.rules.map.as_ref();
        let mut maps = map.map(|map| Array3::zeros((rows.len(), n_outputs, map.n_pixels)));
        for (row, found) in rows.iter().enumerate() {
            for (output, found) in found.iter().enumerate() {
                base[[row, output]] = found.base;
                for (value, owner) in found.shares.iter().zip(&self.owner) {
                    phi[[row, output, *owner as usize]] += value;
                }
                if let (Some(maps), Some(map)) = (&mut maps, map) {
                    let mut sums = vec![0.0; map.n_pixels];
                    for (value, pixel) in found.shares.iter().zip(&map.pixel_of) {
                        sums.get_mut(*pixel as usize).into_iter().for_each(|sum| *sum += value);
                    }
                    let mut map = maps.slice_mut(s![row, output, ..]);
                    map.iter_mut().zip(sums).for_each(|(pixel, sum)| *pixel = sum as f32);
                }
            }
        }
        Explained { attributions: Attributions { phi, base, std_err: None }, maps }
    }

    /// Gradient × input, of rows whose positions in the data lie in one group at once.
    fn groups(
        &self,
        points: &Array2<f64>,
        keys: &[u64],
        outputs_of: &(dyn Fn(usize) -> Vec<usize> + Sync),
    ) -> Result<Vec<Vec<Found>>, GradientError> {
        let rows: Vec<usize> = (0..keys.len()).collect();
        let groups: Vec<&[usize]> = rows.chunk_by(|a, b| keys[*a] / GROUP == keys[*b] / GROUP).collect();
        let explain = |group: &&[usize]| -> Result<Vec<Vec<Found>>, GradientError> {
            let asked: Vec<(usize, usize)> =
                group.iter().flat_map(|row| outputs_of(*row).into_iter().map(move |output| (*row, output))).collect();
            let at: Vec<usize> = asked.iter().map(|(row, _)| *row).collect();
            let outputs: Vec<usize> = asked.iter().map(|(_, output)| *output).collect();
            let points = points.select(Axis(0), &at);
            let found = self.model.gradients(points.view(), &outputs)?;
            let tangent =
                |at: usize| Found::tangent(&found.gradients.row(at), points.row(at), found.scores[[at, outputs[at]]]);
            let mut each = (0..asked.len()).map(tangent);
            Ok(group.iter().map(|row| each.by_ref().take(outputs_of(*row).len()).collect()).collect())
        };
        let found: Vec<_> = groups.par_iter().map(explain).collect::<Result<_, _>>()?;
        Ok(found.into_iter().flatten().collect())
    }

    fn one(&self, point: ArrayView1<f64>, key: u64, output: usize) -> Result<Found, GradientError> {
        match self.rules.method {
            Method::Deep => self.deep(point, output),
            Method::Input | Method::Smooth => self.smooth(point, key, output),
            Method::Integrated | Method::Expected => {
                let lines = Lines {
                    model: self.model,
                    starts: self.baselines.view(),
                    start_scores: self.baseline_scores.view(),
                    budget: self.rules.budget,
                    rules: Orders::new(self.baselines.nrows(), self.rules.budget),
                };
                Ok(Found { shares: lines.to(point, output)?, base: self.base(output) })
            }
        }
    }

    /// Mean score of the baselines.
    fn base(&self, output: usize) -> f64 {
        self.baseline_scores.column(output).mean().unwrap_or(f64::NAN)
    }

    fn deep(&self, point: ArrayView1<f64>, output: usize) -> Result<Found, GradientError> {
        let n = self.baselines.nrows();
        let mut shares = Array1::zeros(point.len());
        for from in (0..n).step_by(self.model.most_points()) {
            let references = self.baselines.slice(s![from..(from + self.model.most_points()).min(n), ..]);
            let points = point.broadcast(references.dim()).ok_or(GradientError::NoBackground)?;
            let found = self.model.multipliers(points, references, &vec![output; references.nrows()])?;
            let changes = &points - &references;
            shares += &(found.gradients * changes).sum_axis(Axis(0));
        }
        shares /= n as f64;
        Ok(Found { shares, base: self.base(output) })
    }

    /// The row itself says its score; its noisy copies their gradients.
    fn smooth(&self, point: ArrayView1<f64>, key: u64, output: usize) -> Result<Found, GradientError> {
        let stream = Stream::new(self.rules.seed, "noise of gradients").child(key);
        let width = point.len() as u64;
        let copy = |(copy, number): (usize, usize)| match copy {
            0 => point[number],
            _ => point[number] + NOISE * self.noise[number] * stream.normal((copy as u64 - 1) * width + number as u64),
        };
        let points = Array2::from_shape_fn((COPIES + 1, point.len()), copy);
        let found = self.model.gradients(points.view(), &[output; COPIES + 1])?;
        let mean = found.gradients.slice(s![1.., ..]).mean_axis(Axis(0)).ok_or(GradientError::NoBackground)?;
        Ok(Found::tangent(&mean.view(), point, found.scores[[0, output]]))
    }
}

/// One row and output.
struct Found {
    shares: Array1<f64>,
    base: f64,
}

impl Found {
    /// Gradient × input; the base is what the tangent says at the origin.
    fn tangent(gradient: &ArrayView1<f64>, point: ArrayView1<f64>, score: f64) -> Self {
        let shares = gradient * &point;
        let base = score - shares.sum();
        Self { shares, base }
    }
}

/// Per number of a point, the player whose column or cell it comes from.
fn owners(model: &dyn Differentiable, players: &Players) -> Result<Vec<u32>, GradientError> {
    let mut owner = vec![0; model.width()];
    for stretch in model.layout() {
        for (at, player) in players.iter().enumerate() {
            for part in &player.parts {
                match part {
                    Part::Column(column) if *column == stretch.column => owner[stretch.numbers.clone()].fill(at as u32),
                    Part::Cells { column, cells } if *column == stretch.column => {
                        for cell in cells {
                            let number = (stretch.numbers.start + cell).checked_sub(stretch.cell);
                            let number = number.filter(|number| stretch.numbers.contains(number));
                            let missing = GradientError::Player { player: at, column: *column };
                            owner[number.ok_or(missing)?] = at as u32;
                        }
                    }
                    _ => {}
                }
            }
        }
    }
    Ok(owner)
}

/// Greatest minus least number of the background, per raw column.
fn ranges(model: &dyn Differentiable, points: &Array2<f64>) -> Vec<f64> {
    let mut ranges = vec![0.0; model.width()];
    for stretch in model.layout() {
        let numbers = points.slice(s![.., stretch.numbers.clone()]);
        let most = numbers.fold(f64::NEG_INFINITY, |most, value| most.max(*value));
        let least = numbers.fold(f64::INFINITY, |least, value| least.min(*value));
        ranges[stretch.numbers.clone()].fill(most - least);
    }
    ranges
}

fn check_finite(
    model: &dyn Differentiable,
    points: &Array2<f64>,
    place: impl Fn(usize) -> String,
) -> Result<(), GradientError> {
    let Some(((row, number), value)) = points.indexed_iter().find(|(_, value)| !value.is_finite()) else {
        return Ok(());
    };
    let stretch = model.layout().iter().find(|stretch| stretch.numbers.contains(&number));
    let column = stretch.map_or(0, |stretch| stretch.column);
    Err(GradientError::NotFinite { column, place: place(row), value: *value })
}
