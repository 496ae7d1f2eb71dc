//! Attacks on a seeded sample of rows: a pass over the data after the main one, when units and ranges are known.
//!
//! Rows are attacked in fixed groups by their place in the sample, so neither batches nor threads show in a result.

use super::attacked::Toll;
use super::{Progress, RunError};
use crate::audit::{CurvePoint, Metric, Note};
use crate::dataset::{Batch, Features, Labels, Reader};
use crate::model::Differentiator;
use crate::plan::{self, Plan, PlannedModel, RobustnessPlan, Rows};
use crate::robustness::{Attack, Spread, Spreads};
use crate::stats::GroupLevels;
use ndarray::ArrayView1;

/// What attacks found.
#[derive(Debug, Clone, Default)]
pub struct Attacked {
    pub metrics: Vec<Metric>,
    /// Shares over the sizes of changes.
    pub curves: Vec<CurvePoint>,
    pub notes: Vec<Note>,
}

/// What columns are, where attacks will ask for it.
pub fn spreads(plan: &Plan) -> Option<Spreads> {
    planned(plan).map(|_| Spreads::default())
}

fn planned(plan: &Plan) -> Option<(&PlannedModel, &RobustnessPlan)> {
    plan.model.as_ref().and_then(|model| Some((model, model.robustness.as_ref()?)))
}

/// Attacks the rows that the plan asks for.
pub fn attack(
    plan: &Plan,
    spreads: Option<Spreads>,
    levels: &GroupLevels,
    progress: &dyn Progress,
) -> Result<Attacked, RunError> {
    let (Some((model, robustness)), Some(spreads)) = (planned(plan), spreads) else { return Ok(Attacked::default()) };
    let gradients = model.attacked(robustness).ok_or_else(|| RunError::broken("the model was not differentiated"))?;
    let spreads = spreads.finish();
    let decide = |scores: ArrayView1<f64>| super::scoring::decide(plan, scores);
    let attack = Attack {
        model: gradients,
        predictor: &model.scorer,
        decide: &decide,
        ball: robustness.ball(gradients, &spreads),
        rules: robustness.rules.clone(),
    };
    if !attack.ball.moves() {
        return Err(RunError::unacceptable(
            "[robustness]: nothing would change, every column is constant or holds whole numbers; name the columns that \
             may change as [robustness] columns",
        ));
    }
    check_fed_once(plan, gradients)?;
    let mut toll = Toll::new(plan, robustness, levels);
    sample(plan, robustness, &attack, &mut toll, progress)?;
    let notes = vec![note(plan, robustness, &spreads, toll.n_rows())];
    Ok(Attacked { metrics: toll.metrics(), curves: toll.curves(), notes })
}

/// A column that feeds two inputs would have to move twice alike.
fn check_fed_once(plan: &Plan, gradients: &Differentiator) -> Result<(), RunError> {
    use crate::model::differentiable::Differentiable;
    let mut columns: Vec<usize> = gradients.layout().iter().map(|stretch| stretch.column).collect();
    columns.sort_unstable();
    match columns.windows(2).find(|pair| pair[0] == pair[1]) {
        None => Ok(()),
        Some(pair) => Err(RunError::unacceptable(format!(
            "[robustness]: column `{}` feeds the model twice, which attacks cannot change alike; leave [robustness] out",
            plan.selection.features[pair[0]].column
        ))),
    }
}

/// Reads the sample and attacks it as it comes.
fn sample(
    plan: &Plan,
    robustness: &RobustnessPlan,
    attack: &Attack,
    toll: &mut Toll,
    progress: &dyn Progress,
) -> Result<(), RunError> {
    let chosen = match robustness.rows {
        Rows::All => None,
        Rows::Count(n) => plan::choose(plan.n_rows, n, plan.config().pipeline.seed, "attacked rows"),
    };
    let together = attack.rows_together();
    let mut waiting: Option<Victims> = None;
    progress.rows_expected(plan.n_rows);
    progress.stage("attacking");
    for batch in Reader::start(&plan.source, &plan.selection, plan.batch_rows)? {
        let batch = batch?;
        let n_rows = batch.features.n_rows;
        let rows = plan::within(chosen.as_deref(), batch.first_row, n_rows);
        match &mut waiting {
            None => waiting = Some(Victims::new(&batch, &rows)),
            Some(waiting) => waiting.append(&batch, &rows),
        }
        if let Some(waiting) = &mut waiting {
            let whole = waiting.keys.len() / together * together;
            // Enough groups to keep all threads busy.
            if whole >= together * plan.threads {
                waiting.first(whole).fall(attack, toll)?;
            }
        }
        progress.rows_done(batch.first_row + n_rows as u64);
    }
    waiting.map_or(Ok(()), |waiting| waiting.fall(attack, toll))
}

/// Rows that wait for their attack.
struct Victims {
    features: Features,
    /// Positions in the data.
    keys: Vec<u64>,
    /// `codes[column][row]`.
    codes: Vec<Vec<u32>>,
    labels: Vec<Option<u32>>,
}

impl Victims {
    fn new(batch: &Batch, rows: &[usize]) -> Self {
        let label = |row: &usize| match &batch.labels {
            Some(Labels::Class(classes)) => classes[*row],
            _ => None,
        };
        Self {
            features: batch.features.take(rows),
            keys: rows.iter().map(|row| batch.first_row + *row as u64).collect(),
            codes: batch.codes.iter().map(|codes| rows.iter().map(|row| codes[*row]).collect()).collect(),
            labels: rows.iter().map(label).collect(),
        }
    }

    fn append(&mut self, batch: &Batch, rows: &[usize]) {
        let more = Self::new(batch, rows);
        self.features.append(more.features);
        self.keys.extend(more.keys);
        self.codes.iter_mut().zip(more.codes).for_each(|(mine, theirs)| mine.extend(theirs));
        self.labels.extend(more.labels);
    }

    /// Takes the first `n` away.
    fn first(&mut self, n: usize) -> Self {
        let (first, rest): (Vec<usize>, Vec<usize>) = (0..self.keys.len()).partition(|row| *row < n);
        let features = self.features.take(&first);
        self.features = self.features.take(&rest);
        Self {
            features,
            keys: self.keys.drain(..n).collect(),
            codes: self.codes.iter_mut().map(|codes| codes.drain(..n).collect()).collect(),
            labels: self.labels.drain(..n).collect(),
        }
    }

    fn fall(self, attack: &Attack, toll: &mut Toll) -> Result<(), RunError> {
        let outcomes = attack.all(&self.features, &self.keys).map_err(RunError::unacceptable)?;
        for (row, outcome) in outcomes.iter().enumerate() {
            let codes: Vec<u32> = self.codes.iter().map(|codes| codes[row]).collect();
            toll.count(&codes, self.labels[row], outcome);
        }
        Ok(())
    }
}

/// What was changed, of how many rows, and what that cannot show.
fn note(plan: &Plan, robustness: &RobustnessPlan, spreads: &[Spread], n_rows: u64) -> Note {
    let moving = robustness.moving(&plan.selection.features, spreads);
    let columns = match moving.len() {
        n if n > 12 => format!("{n} columns"),
        _ => moving.iter().map(|column| format!("`{column}`")).collect::<Vec<_>>().join(", "),
    };
    let sample = match n_rows == plan.n_rows {
        true => format!("all {n_rows} rows"),
        false => format!("{n_rows} of {} rows, drawn with the seed", plan.n_rows),
    };
    let text = format!(
        "Attacks changed {columns} of {sample}, weights disregarded. What they did not find may exist: shares of turned \
         decisions are lower bounds."
    );
    Note { about: "robustness".to_owned(), text }
}
