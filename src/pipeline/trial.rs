//! Explanation methods put to the test on a small seeded sample of rows.
//!
//! Each method explains the same rows, and the same rows with a little noise. Removing what it calls important first
//! should lower the score fast (deletion), bringing it in first should raise it fast (insertion; Petsiuk, Das and Saenko
//! 2018): the curves are drawn, with a random order beside them for comparison. Removed columns take the values of
//! background rows. Then every two methods are compared row by row.

use super::RunError;
use super::explainer::Explainer;
use crate::audit::{CurvePoint, Metric};
use crate::config::{ImportanceMethod, Task};
use crate::dataset::{Column, Features};
use crate::explain::game::Players;
use crate::explain::game::random::Draws;
use crate::importance::{Factors, agreement, answers};
use crate::model::predictor::Predictor;
use crate::plan::{self, ExplainPlan, Explained, Plan, PlannedModel};
use crate::stats::random::Stream;
use ndarray::{Array2, ArrayView1, Axis};

/// Rows on trial.
const ROWS: u64 = 20;
/// Background rows that stand in for what is removed.
const STAND_INS: u64 = 20;
/// Most steps of a curve: many columns are removed several at a time.
const MOST_STEPS: usize = 20;
/// Noise, in standard deviations of each number.
const NOISE: f64 = 0.05;
/// Leading features compared row by row.
const LEADING: usize = 3;
/// The attribute under which methods stand in `metrics` and `curves`.
pub const METHODS: &str = "(methods)";
const RANDOM: &str = "(random order)";

/// Rows that each method explains on trial: the sample, and the sample with noise.
pub fn rows_on_trial(plan: &Plan) -> u64 {
    if asked(plan) { 2 * ROWS.min(plan.n_rows) } else { 0 }
}

fn asked(plan: &Plan) -> bool {
    plan.config().importance.methods.iter().flatten().any(|method| *method == ImportanceMethod::Faithfulness)
}

/// The rows and what the model says of them.
pub struct Trial {
    rows: Rows,
    noisy: Rows,
    stand_ins: Features,
    seed: u64,
}

struct Rows {
    features: Features,
    inner: Option<Array2<f64>>,
    scores: Array2<f64>,
}

/// What one method said.
#[derive(Clone)]
pub struct Tried {
    method: String,
    players: Players,
    /// Each row's output.
    outputs: Vec<usize>,
    /// `[rows × players]`.
    phi: Array2<f64>,
    noisy: Array2<f64>,
}

impl Trial {
    /// The sample, if the plan asks for it.
    pub fn new(plan: &Plan) -> Result<Option<Self>, RunError> {
        let Some(model) = plan.model.as_ref().filter(|_| asked(plan)) else { return Ok(None) };
        let seed = plan.config().pipeline.seed;
        let draw = |n: u64, seed: u64| {
            plan::sample_background(&plan.source, &plan.selection, n, seed, "trial", plan.batch_rows)
        };
        let features = draw(ROWS, seed)?.features;
        let noisy = with_noise(plan, &features, seed);
        let stand_ins = draw(STAND_INS, seed.wrapping_add(1))?.features;
        Ok(Some(Self { rows: Rows::of(model, features)?, noisy: Rows::of(model, noisy)?, stand_ins, seed }))
    }

    /// What a method says of the rows.
    pub fn put(
        &self,
        plan: &Plan,
        model: &PlannedModel,
        explain: &ExplainPlan,
        explainer: &Explainer,
    ) -> Result<Tried, RunError> {
        let outputs: Vec<usize> = match &explain.outputs {
            Explained::Fixed(outputs) => vec![outputs[0]; self.rows.features.n_rows],
            Explained::Predicted => {
                let decide = |scores: ArrayView1<f64>| super::scoring::decide(plan, scores) as usize;
                self.rows.scores.rows().into_iter().map(decide).collect()
            }
        };
        let keys: Vec<u64> = (0..self.rows.features.n_rows as u64).collect();
        // Noise may turn a decision; what was decided without it is explained in both.
        let decisions: Option<Vec<u32>> = match explain.outputs {
            Explained::Fixed(_) => None,
            Explained::Predicted => Some(outputs.iter().map(|output| *output as u32).collect()),
        };
        let phi = |rows: &Rows| -> Result<Array2<f64>, RunError> {
            let (native, inner) = (model.native.as_ref(), rows.inner.as_ref());
            let explanation = explainer.explain(native, &rows.features, inner, &keys, decisions.as_deref())?;
            // The first of the fixed outputs, or the only one of each row.
            Ok(explanation.attributions.phi.index_axis_move(Axis(1), 0))
        };
        Ok(Tried {
            method: explain.method.name().to_owned(),
            players: explain.players.clone(),
            phi: phi(&self.rows)?,
            noisy: phi(&self.noisy)?,
            outputs,
        })
    }

    /// Curves and figures of all methods, and of every two.
    pub fn finish(
        &self,
        plan: &Plan,
        predictor: &dyn Predictor,
        tried: &[Tried],
    ) -> Result<(Vec<Metric>, Vec<CurvePoint>), RunError> {
        let (mut metrics, mut curves) = (Vec::new(), Vec::new());
        for one in tried {
            let curve = Curves { trial: self, predictor, one, regression: plan.task == Task::Regression };
            curve.measure(&one.method, &orders(&one.phi), &mut metrics, &mut curves)?;
            metrics.extend(stability(one));
        }
        if let Some(one) = tried.first() {
            let shuffled = |row: usize| {
                let mut order: Vec<usize> = (0..one.phi.ncols()).collect();
                Draws::new(self.seed, "random order", &[row as u64]).shuffle(&mut order);
                order
            };
            let random: Vec<Vec<usize>> = (0..one.phi.nrows()).map(shuffled).collect();
            let curve = Curves { trial: self, predictor, one, regression: plan.task == Task::Regression };
            curve.measure(RANDOM, &random, &mut metrics, &mut curves)?;
        }
        for (at, one) in tried.iter().enumerate() {
            for other in tried[at + 1..].iter().filter(|other| comparable(one, other)) {
                metrics.extend(row_by_row(one, other));
            }
        }
        Ok((metrics, curves))
    }
}

impl Rows {
    fn of(model: &PlannedModel, features: Features) -> Result<Self, RunError> {
        let scored = model.scorer.score(&features).map_err(RunError::unacceptable)?;
        Ok(Self { features, inner: scored.inner, scores: scored.scores.probability })
    }
}

/// Numbers moved by a twentieth of their standard deviation; whole numbers stay whole, categories as they are.
fn with_noise(plan: &Plan, rows: &Features, seed: u64) -> Features {
    let mut noisy = rows.clone();
    for (at, (column, feature)) in noisy.columns.iter_mut().zip(&plan.selection.features).enumerate() {
        let Column::Number(values) = column else { continue };
        if plan.is_category(feature) {
            continue;
        }
        let known: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
        let mean = known.iter().sum::<f64>() / known.len().max(1) as f64;
        let unit = (known.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / known.len().max(1) as f64).sqrt();
        let whole = known.iter().all(|value| value.fract() == 0.0);
        let stream = Stream::new(seed, "noise").child(at as u64);
        for (row, value) in values.iter_mut().enumerate() {
            let moved = *value + NOISE * unit * stream.normal(row as u64);
            *value = if whole { moved.round() } else { moved };
        }
    }
    noisy
}

/// Players of each row, the one that raises the score most first.
fn orders(phi: &Array2<f64>) -> Vec<Vec<usize>> {
    let order = |row: ArrayView1<f64>| {
        let mut order: Vec<usize> = (0..row.len()).collect();
        order.sort_by(|a, b| row[*b].total_cmp(&row[*a]));
        order
    };
    phi.rows().into_iter().map(order).collect()
}

struct Curves<'a> {
    trial: &'a Trial,
    predictor: &'a dyn Predictor,
    one: &'a Tried,
    regression: bool,
}

impl Curves<'_> {
    fn measure(
        &self,
        method: &str,
        orders: &[Vec<usize>],
        metrics: &mut Vec<Metric>,
        curves: &mut Vec<CurvePoint>,
    ) -> Result<(), RunError> {
        for (kind, deletes) in [("deletion", true), ("insertion", false)] {
            let curve = self.curve(orders, deletes)?;
            let area: f64 = curve.windows(2).map(|pair| (pair[1].0 - pair[0].0) * (pair[0].1 + pair[1].1) / 2.0).sum();
            metrics.push(metric(&format!("{kind}_auc"), method, "", Some(area), orders.len()));
            curves.extend(curve.into_iter().map(|(x, y)| CurvePoint {
                kind: kind.to_owned(),
                feature: METHODS.to_owned(),
                group_value: method.to_owned(),
                output: self.output(),
                x,
                y,
                n: orders.len() as u64,
                ci_low: None,
                ci_high: None,
            }));
        }
        Ok(())
    }

    /// Outputs differ from row to row where decisions are explained.
    fn output(&self) -> String {
        if self.regression { "value".to_owned() } else { String::new() }
    }

    /// `(share of players changed, mean score)`.
    fn curve(&self, orders: &[Vec<usize>], deletes: bool) -> Result<Vec<(f64, f64)>, RunError> {
        let (rows, stand_ins) = (&self.trial.rows.features, &self.trial.stand_ins);
        let (n, m, p) = (rows.n_rows, stand_ins.n_rows, self.one.phi.ncols());
        let steps = p.min(MOST_STEPS);
        let changed = |step: usize| step * p / steps.max(1);
        let factors = Factors::of(&self.one.players, rows).map_err(RunError::unacceptable)?;
        let mut place = vec![vec![0; p]; n];
        for (places, order) in place.iter_mut().zip(orders) {
            order.iter().enumerate().for_each(|(at, player)| places[*player] = at);
        }
        let mut pool = stand_ins.clone();
        pool.append(rows.clone());
        let pick = |player: usize, at: usize| {
            let (row, step, other) = (at / ((steps + 1) * m), at / m % (steps + 1), at % m);
            let own = (place[row][player] < changed(step)) != deletes;
            if own { m + row } else { other }
        };
        let made = factors.drawn(&pool, n * (steps + 1) * m, pick);
        let scores = answers(self.predictor, &made).map_err(RunError::unacceptable)?;
        let mean = |step: usize| {
            let of_row = |row: usize| {
                let from = (row * (steps + 1) + step) * m;
                (from..from + m).map(|at| scores[[at, self.one.outputs[row]]]).sum::<f64>() / m as f64
            };
            (0..n).map(of_row).sum::<f64>() / n as f64
        };
        Ok((0..=steps).map(|step| (changed(step) as f64 / p.max(1) as f64, mean(step))).collect())
    }
}

fn metric(name: &str, method: &str, reference: &str, value: Option<f64>, n: usize) -> Metric {
    Metric {
        metric: name.to_owned(),
        attribute: METHODS.to_owned(),
        group_value: method.to_owned(),
        reference: reference.to_owned(),
        value,
        undefined_reason: value.is_none().then(|| "nothing varies".to_owned()),
        n: n as u64,
        ..Metric::default()
    }
}

/// How attributions change with a little noise: relative size of the change, and agreement of the order.
fn stability(one: &Tried) -> Vec<Metric> {
    let pairs: Vec<(Vec<f64>, Vec<f64>)> =
        one.phi.rows().into_iter().zip(one.noisy.rows()).map(|(a, b)| (a.to_vec(), b.to_vec())).collect();
    let size = |values: &mut dyn Iterator<Item = f64>| values.map(f64::abs).sum::<f64>();
    let change = |(a, b): &(Vec<f64>, Vec<f64>)| {
        let total = size(&mut a.iter().copied());
        (total > 0.0).then(|| size(&mut a.iter().zip(b).map(|(a, b)| a - b)) / total)
    };
    let order = |(a, b): &(Vec<f64>, Vec<f64>)| agreement::spearman(a, b);
    let n = pairs.len();
    vec![
        metric("noise_change", &one.method, "", mean(pairs.iter().map(change)), n),
        metric("noise_rank_agreement", &one.method, "", mean(pairs.iter().map(order)), n),
    ]
}

fn comparable(one: &Tried, other: &Tried) -> bool {
    one.players == other.players && one.outputs == other.outputs
}

/// Mean agreement of two methods over the rows.
fn row_by_row(one: &Tried, other: &Tried) -> Vec<Metric> {
    let pairs: Vec<(Vec<f64>, Vec<f64>)> =
        one.phi.rows().into_iter().zip(other.phi.rows()).map(|(a, b)| (a.to_vec(), b.to_vec())).collect();
    let sizes = |values: &[f64]| values.iter().map(|value| value.abs()).collect::<Vec<f64>>();
    let order = |(a, b): &(Vec<f64>, Vec<f64>)| agreement::spearman(a, b);
    let leading = |(a, b): &(Vec<f64>, Vec<f64>)| agreement::top_k_overlap(&sizes(a), &sizes(b), LEADING);
    let n = pairs.len();
    vec![
        metric("row_agreement_spearman", &one.method, &other.method, mean(pairs.iter().map(order)), n),
        metric("row_agreement_top_k", &one.method, &other.method, mean(pairs.iter().map(leading)), n),
    ]
}

/// The mean of what is defined.
fn mean(values: impl Iterator<Item = Option<f64>>) -> Option<f64> {
    let known: Vec<f64> = values.flatten().collect();
    (!known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64)
}
