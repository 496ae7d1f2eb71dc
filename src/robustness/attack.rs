//! FGSM and PGD on many rows at once.

use super::ball::Ball;
use crate::dataset::{Column, Features};
use crate::model::differentiable::Differentiable;
use crate::model::predictor::{PredictError, Predictor, Scores};
use crate::stats::random::Stream;
use ndarray::{Array2, ArrayView1, Axis};
use rayon::prelude::*;

/// Numbers of the rows that are attacked together, and most of these rows.
const NUMBERS_TOGETHER: usize = 1 << 18;
const MOST_TOGETHER: usize = 64;

/// Climbs that do not begin at random: from the best point that is known, and from the row itself.
const BEGINNINGS: usize = 2;

/// Which changes are tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// One step of ε along the signs of the gradient.
    Fgsm,
    /// That, and then many small steps from it, from the row and from random starts.
    Pgd,
}

/// What rises on the way to another decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// Of one score: it itself, or its negative.
    OneScore,
    /// The cross-entropy of the decision under the softmax of the differentiated scores.
    CrossEntropy,
    /// The negative of the decided class's differentiated score.
    OwnScore,
}

/// How to attack.
#[derive(Debug, Clone, PartialEq)]
pub struct Rules {
    pub method: Method,
    pub loss: Loss,
    /// Ascending.
    pub epsilons: Vec<f64>,
    pub steps: usize,
    /// Length of a step, as a share of ε.
    pub step: f64,
    /// Random starts beside the one from the row.
    pub restarts: usize,
    pub seed: u64,
}

/// What one row asks of the model at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Effort {
    /// Forward passes.
    pub scores: u64,
    /// Forward passes that are followed back.
    pub gradients: u64,
}

impl Rules {
    /// Of a row that nothing turns: others ask for less.
    pub fn effort(&self) -> Effort {
        let climbs = self.epsilons.iter().filter(|epsilon| self.method == Method::Pgd && **epsilon > 0.0).count();
        let climbs = climbs as u64 * (self.restarts as u64 + BEGINNINGS as u64);
        let steps = self.steps as u64;
        // The row itself and a step of every ε; on each climb every point, but no way on from the last.
        let scores = 1 + self.epsilons.len() as u64 + climbs * (steps + 1);
        Effort { scores, gradients: 1 + climbs * steps }
    }
}

/// What became of one row, per ε.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The decision without any change.
    pub decision: u32,
    /// Turned by the single step of this ε.
    pub by_step: Vec<bool>,
    /// Turned by anything found within this ε.
    pub turned: Vec<bool>,
}

/// The decision that scores of a row make.
pub type Decide<'a> = &'a (dyn Fn(ArrayView1<f64>) -> u32 + Sync);

/// Attacks rows of one model.
pub struct Attack<'a> {
    /// Differentiates the margins, or the scores where there are none.
    pub model: &'a dyn Differentiable,
    /// Proves what was found.
    pub predictor: &'a dyn Predictor,
    pub decide: Decide<'a>,
    pub ball: Ball,
    pub rules: Rules,
}

/// Rows under attack, as points, with the decisions that are to be turned.
struct Rows<'a> {
    features: &'a Features,
    keys: &'a [u64],
    origins: Array2<f64>,
    decisions: Vec<u32>,
}

/// What the model says of some points.
struct Looked {
    /// What the points stand for.
    settled: Array2<f64>,
    /// The decision is another than that of the row.
    turned: Vec<bool>,
    /// Rises towards another decision.
    loss: Vec<f64>,
    /// Of the outputs, whose weighted sum rises fastest with the loss, `[points × outputs]`.
    weights: Array2<f64>,
}

/// The best that is known of each row that has not turned: a projected point and its loss.
struct Best {
    points: Array2<f64>,
    loss: Vec<f64>,
}

impl Attack<'_> {
    /// Rows that go through the model together: part of what makes a result, so it rests on the model alone.
    pub fn rows_together(&self) -> usize {
        (NUMBERS_TOGETHER / self.ball.width().max(1)).clamp(1, MOST_TOGETHER)
    }

    /// What becomes of `rows`, whose positions in the data are `keys`; consecutive rows go together.
    ///
    /// # Errors
    /// A model that cannot score these rows.
    pub fn all(&self, rows: &Features, keys: &[u64]) -> Result<Vec<Outcome>, PredictError> {
        let positions: Vec<usize> = (0..rows.n_rows).collect();
        let of = |at: &[usize]| self.together(&rows.take(at), &keys[at[0]..][..at.len()]);
        let parts: Vec<_> = positions.par_chunks(self.rows_together()).map(of).collect::<Result<_, _>>()?;
        Ok(parts.into_iter().flatten().collect())
    }

    fn together(&self, features: &Features, keys: &[u64]) -> Result<Vec<Outcome>, PredictError> {
        let origins = self.model.points(features)?;
        let scores = self.predictor.predict(features)?;
        let decisions: Vec<u32> = scores.probability.rows().into_iter().map(self.decide).collect();
        let plain = self.looked(scores, origins.clone(), &decisions);
        let rows = Rows { features, keys, origins, decisions };
        let n = features.n_rows;
        let all: Vec<usize> = (0..n).collect();
        let slopes = self.slopes(&plain.settled, &plain.weights)?;
        let mut best = Best { points: rows.origins.clone(), loss: plain.loss };
        let mut outcomes: Vec<Outcome> = rows.decisions.iter().map(|decision| Outcome::none(*decision)).collect();
        let mut turned = vec![false; n];
        for epsilon in &self.rules.epsilons {
            let mut points = rows.origins.clone();
            self.advance(&rows, &all, &mut points, &slopes, *epsilon, *epsilon);
            let stepped = self.look(&rows, &all, &points)?;
            best.keep(&all, &points, &stepped);
            turned.iter_mut().zip(&stepped.turned).for_each(|(turned, now)| *turned |= now);
            if self.rules.method == Method::Pgd && *epsilon > 0.0 {
                self.climb_all(&rows, *epsilon, &mut turned, &mut best)?;
            }
            for (at, outcome) in outcomes.iter_mut().enumerate() {
                outcome.by_step.push(stepped.turned[at]);
                // One step is not always better than a shorter one; only what many steps find is kept for larger ε.
                outcome.turned.push(if self.rules.method == Method::Pgd { turned[at] } else { stepped.turned[at] });
            }
        }
        Ok(outcomes)
    }

    /// Climbs from the best point that is known, from the row itself as everyone does, then from random points.
    fn climb_all(&self, rows: &Rows, epsilon: f64, turned: &mut [bool], best: &mut Best) -> Result<(), PredictError> {
        for start in 0..self.rules.restarts + BEGINNINGS {
            let open: Vec<usize> = (0..turned.len()).filter(|row| !turned[*row]).collect();
            if open.is_empty() {
                break;
            }
            let points = match start {
                0 => best.points.select(Axis(0), &open),
                1 => rows.origins.select(Axis(0), &open),
                start => self.random(rows, &open, start + 1 - BEGINNINGS, epsilon),
            };
            self.climb(rows, open, points, epsilon, turned, best)?;
        }
        Ok(())
    }

    /// Uniform in the box: the same share of every ε.
    fn random(&self, rows: &Rows, open: &[usize], start: usize, epsilon: f64) -> Array2<f64> {
        let mut points = rows.origins.select(Axis(0), open);
        let stream = Stream::new(self.rules.seed, "adversarial start").child(start as u64);
        for (mut point, row) in points.rows_mut().into_iter().zip(open) {
            let stream = stream.child(rows.keys[*row]);
            let shares = (0..point.len()).map(|number| 2.0 * stream.unit(number as u64) - 1.0);
            self.ball.shift(point.view_mut(), shares, epsilon);
            self.ball.project(rows.origins.row(*row), epsilon, point);
        }
        points
    }

    fn climb(
        &self,
        rows: &Rows,
        mut open: Vec<usize>,
        mut points: Array2<f64>,
        epsilon: f64,
        turned: &mut [bool],
        best: &mut Best,
    ) -> Result<(), PredictError> {
        for step in 0..=self.rules.steps {
            let looked = self.look(rows, &open, &points)?;
            best.keep(&open, &points, &looked);
            let left: Vec<usize> = (0..open.len()).filter(|at| !looked.turned[*at]).collect();
            (0..open.len()).filter(|at| looked.turned[*at]).for_each(|at| turned[open[at]] = true);
            if left.is_empty() || step == self.rules.steps {
                break;
            }
            let slopes = self.slopes(&looked.settled.select(Axis(0), &left), &looked.weights.select(Axis(0), &left))?;
            open = left.iter().map(|at| open[*at]).collect();
            points = points.select(Axis(0), &left);
            self.advance(rows, &open, &mut points, &slopes, self.rules.step * epsilon, epsilon);
        }
        Ok(())
    }

    /// Moves points of `open` rows by `length` along the signs of their slopes, and back into the box.
    fn advance(
        &self,
        rows: &Rows,
        open: &[usize],
        points: &mut Array2<f64>,
        slopes: &Array2<f64>,
        length: f64,
        epsilon: f64,
    ) {
        for ((mut point, slope), row) in points.rows_mut().into_iter().zip(slopes.rows()).zip(open) {
            self.ball.step(point.view_mut(), slope, length);
            self.ball.project(rows.origins.row(*row), epsilon, point);
        }
    }

    fn slopes(&self, points: &Array2<f64>, weights: &Array2<f64>) -> Result<Array2<f64>, PredictError> {
        Ok(self.model.combined(points.view(), weights.view())?.gradients)
    }

    fn settled(&self, rows: &Rows, open: &[usize], points: &Array2<f64>) -> Array2<f64> {
        let mut settled = points.clone();
        for (point, row) in settled.rows_mut().into_iter().zip(open) {
            self.ball.settle(rows.origins.row(*row), point);
        }
        settled
    }

    /// Asks the model about what projected points of `open` rows stand for.
    fn look(&self, rows: &Rows, open: &[usize], points: &Array2<f64>) -> Result<Looked, PredictError> {
        let settled = self.settled(rows, open, points);
        let features = self.features(rows.features.take(open), &settled);
        let decisions: Vec<u32> = open.iter().map(|row| rows.decisions[*row]).collect();
        Ok(self.looked(self.predictor.predict(&features)?, settled, &decisions))
    }

    /// What scores of settled points say, of rows with these decisions.
    fn looked(&self, scores: Scores, settled: Array2<f64>, decisions: &[u32]) -> Looked {
        let logits = scores.margin.unwrap_or_else(|| match self.rules.loss {
            Loss::OneScore => scores.probability.clone(),
            Loss::CrossEntropy | Loss::OwnScore => scores.probability.mapv(f64::ln),
        });
        let weights = Array2::zeros(scores.probability.dim());
        let mut looked = Looked { settled, turned: Vec::new(), loss: Vec::new(), weights };
        for (at, decision) in decisions.iter().enumerate() {
            looked.turned.push((self.decide)(scores.probability.row(at)) != *decision);
            looked.loss.push(self.loss(logits.row(at), *decision, looked.weights.row_mut(at)));
        }
        looked
    }

    /// The loss, and into `weights` how it rises with the outputs (up to a positive factor, which signs do not see).
    fn loss(&self, logits: ArrayView1<f64>, decision: u32, mut weights: ndarray::ArrayViewMut1<f64>) -> f64 {
        if self.rules.loss == Loss::OneScore {
            let sign = if decision == 1 { -1.0 } else { 1.0 };
            weights[0] = sign;
            return sign * logits[0];
        }
        let own = decision as usize;
        let others = || logits.iter().enumerate().filter(|(class, _)| *class != own).map(|(_, logit)| *logit);
        let most = others().fold(f64::NEG_INFINITY, f64::max);
        let total: f64 = others().map(|logit| (logit - most).exp()).sum();
        for (class, weight) in weights.iter_mut().enumerate() {
            *weight = match (class == own, self.rules.loss) {
                (true, _) => -1.0,
                (false, Loss::CrossEntropy) => (logits[class] - most).exp() / total,
                (false, _) => 0.0,
            };
        }
        most + total.ln() - logits[own]
    }

    /// `features` with the numbers of `points` in them.
    fn features(&self, mut features: Features, points: &Array2<f64>) -> Features {
        for stretch in self.model.layout() {
            let numbers = points.slice(ndarray::s![.., stretch.numbers.clone()]);
            match &mut features.columns[stretch.column] {
                Column::Number(values) => {
                    values.iter_mut().zip(numbers.column(0)).for_each(|(value, number)| *value = *number);
                }
                Column::Tensor { width, values } => {
                    for (row, numbers) in values.chunks_mut(*width).zip(numbers.rows()) {
                        let cells = row.iter_mut().skip(stretch.cell);
                        cells.zip(numbers).for_each(|(cell, number)| *cell = *number as f32);
                    }
                }
                Column::Text(_) => {}
            }
        }
        features
    }
}

impl Best {
    /// Keeps what is better of points of the rows `open`.
    fn keep(&mut self, open: &[usize], points: &Array2<f64>, looked: &Looked) {
        for (at, row) in open.iter().enumerate() {
            if looked.loss[at] > self.loss[*row] {
                self.loss[*row] = looked.loss[at];
                self.points.row_mut(*row).assign(&points.row(at));
            }
        }
    }
}

impl Outcome {
    fn none(decision: u32) -> Self {
        Self { decision, by_step: Vec::new(), turned: Vec::new() }
    }
}
