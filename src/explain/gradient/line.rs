//! The integral of a gradient along straight lines to one point.
//!
//! The score's gradient jumps where a rectifier switches, so no order of quadrature is high enough: a panel of the line is
//! halved as long as the integral of the slope over it misses the change of the score. Both are known at every step, the
//! score comes with its gradient. What is missed at last is the completeness gap.

use super::error::GradientError;
use crate::explain::tree::gauss::Rule;
use crate::model::differentiable::Differentiable;
use ndarray::{Array1, Array2, ArrayView1, ArrayView2};

/// Points of each panel of the first division, and of each half of a panel that is halved.
const FIRST_ORDER: usize = 8;
const HALF_ORDER: usize = 4;
/// Panels of the first division of a single line.
const FIRST_PANELS: usize = 8;
/// Share of the change of the score that may be missed along a line.
const TOLERANCE: f64 = 1e-3;
/// A panel may miss this share of what its line may: a line is rarely cut into more that miss anything.
const PANEL_SHARE: f64 = 1.0 / 16.0;

/// How lines are integrated.
pub struct Lines<'a> {
    pub model: &'a dyn Differentiable,
    /// Beginnings of the lines, `[lines × width]`.
    pub starts: ArrayView2<'a, f64>,
    /// Their scores, `[lines × outputs]`.
    pub start_scores: ArrayView2<'a, f64>,
    /// Gradients per line, at most.
    pub budget: usize,
    pub rules: Orders,
}

/// Quadrature rules, made once.
pub struct Orders {
    first: Rule,
    first_panels: usize,
    half: Rule,
}

impl Orders {
    /// For `n_lines` lines to each point, with at most `budget` gradients each.
    pub fn new(n_lines: usize, budget: usize) -> Self {
        let panels = if n_lines == 1 { FIRST_PANELS } else { 1 };
        let enough = budget > panels * FIRST_ORDER;
        let (first, first_panels) = if enough { (FIRST_ORDER, panels) } else { (budget.max(1), 1) };
        Self { first: Rule::new(first), first_panels, half: Rule::new(HALF_ORDER) }
    }
}

/// A part of a line that is to be integrated in panels of equal length.
struct Span {
    line: usize,
    from: f64,
    to: f64,
    score_from: f64,
    score_to: f64,
    panels: usize,
    is_half: bool,
}

impl Lines<'_> {
    /// Each number's share of the change along all lines to `end`, `[width]`: their mean, for one output.
    pub fn to(&self, end: ArrayView1<f64>, output: usize) -> Result<Array1<f64>, GradientError> {
        let here = self.model.gradients(end.insert_axis(ndarray::Axis(0)), &[output])?;
        let score = here.scores[[0, output]];
        let n_lines = self.starts.nrows();
        let whole = |line: usize| Span {
            line,
            from: 0.0,
            to: 1.0,
            score_from: self.start_scores[[line, output]],
            score_to: score,
            panels: self.rules.first_panels,
            is_half: false,
        };
        let mut open: Vec<Span> = (0..n_lines).rev().map(whole).collect();
        let mut spent = vec![0; n_lines];
        let mut shares = Array1::zeros(end.len());
        while !open.is_empty() {
            let now = self.next(&mut open);
            now.iter().for_each(|span| spent[span.line] += self.points_of(span));
            let halves = self.integrate(&now, end, output, score, &spent, &mut shares)?;
            // The last is taken first: a line is finished before the next is begun.
            open.extend(halves.into_iter().rev());
        }
        shares /= n_lines as f64;
        Ok(shares)
    }

    /// As many spans as fill a run of the model.
    fn next(&self, open: &mut Vec<Span>) -> Vec<Span> {
        let mut taken = Vec::new();
        let mut points = 0;
        while let Some(span) = open.pop() {
            points += self.points_of(&span);
            if !taken.is_empty() && points > self.model.most_points() {
                open.push(span);
                break;
            }
            taken.push(span);
        }
        taken
    }

    fn rule(&self, span: &Span) -> &Rule {
        if span.is_half { &self.rules.half } else { &self.rules.first }
    }

    fn points_of(&self, span: &Span) -> usize {
        span.panels * self.rule(span).points.len() + span.panels - 1
    }

    /// Adds panels that add up to `shares`, and gives the halves of those that do not.
    fn integrate(
        &self,
        spans: &[Span],
        end: ArrayView1<f64>,
        output: usize,
        score: f64,
        spent: &[usize],
        shares: &mut Array1<f64>,
    ) -> Result<Vec<Span>, GradientError> {
        let places: Vec<(usize, f64)> =
            spans.iter().flat_map(|span| self.places(span).into_iter().map(|at| (span.line, at))).collect();
        let mut points = Array2::zeros((places.len(), end.len()));
        for ((line, at), mut point) in places.iter().zip(points.rows_mut()) {
            let start = self.starts.row(*line);
            point
                .iter_mut()
                .zip(start.iter().zip(end))
                .for_each(|(point, (from, to))| *point = from + at * (to - from));
        }
        let found = self.model.gradients(points.view(), &vec![output; places.len()])?;
        let mut halves = Vec::new();
        let mut first = 0;
        for span in spans {
            let rule = self.rule(span);
            let order = rule.points.len();
            let start = self.starts.row(span.line);
            let length = (span.to - span.from) / span.panels as f64;
            let inner = first + span.panels * order;
            let score_at = |end: usize| match end {
                0 => span.score_from,
                end if end == span.panels => span.score_to,
                end => found.scores[[inner + end - 1, output]],
            };
            let change = (score - self.start_scores[[span.line, output]]).abs();
            let size = score.abs().max(self.start_scores[[span.line, output]].abs());
            let lines = (self.starts.nrows() as f64).sqrt();
            let allowed = TOLERANCE * PANEL_SHARE * lines * change.max(1e-2 * size);
            for panel in 0..span.panels {
                let mut mean = Array1::<f64>::zeros(end.len());
                for (at, weight) in rule.weights.iter().enumerate() {
                    mean.scaled_add(weight * length, &found.gradients.row(first + panel * order + at));
                }
                mean.iter_mut().zip(start.iter().zip(end)).for_each(|(mean, (from, to))| *mean *= to - from);
                let missed = (mean.sum() - (score_at(panel + 1) - score_at(panel))).abs();
                let from = span.from + panel as f64 * length;
                let half = Span {
                    line: span.line,
                    from,
                    to: from + length,
                    score_from: score_at(panel),
                    score_to: score_at(panel + 1),
                    panels: 2,
                    is_half: true,
                };
                if missed > allowed && spent[span.line] + self.points_of(&half) <= self.budget {
                    halves.push(half);
                } else {
                    *shares += &mean;
                }
            }
            first += self.points_of(span);
        }
        Ok(halves)
    }

    /// Points of the panels in order, then the ends between panels; from 0 at the beginning of the line to 1.
    fn places(&self, span: &Span) -> Vec<f64> {
        let length = (span.to - span.from) / span.panels as f64;
        let rule = self.rule(span);
        let start = |panel: usize| span.from + panel as f64 * length;
        let points = (0..span.panels).flat_map(|panel| rule.points.iter().map(move |t| start(panel) + t * length));
        points.chain((1..span.panels).map(start)).collect()
    }
}
