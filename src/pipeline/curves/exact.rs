//! Partial dependence of a forest: every row of the data goes down its trees once.

use super::super::RunError;
use super::grids::{Drawn, Places};
use crate::audit::CurvePoint;
use crate::dataset::{Features, Reader, Selection};
use crate::importance::dependence::{CurveSettings, ForestMeans, forest_dependence};
use crate::model::predictor::PredictError;
use crate::model::{AskedColumn, Native};
use crate::plan::{Background, Plan, PlannedModel};
use ndarray::Array2;
use std::time::Instant;

/// What the forest could not tell of a column, and why.
pub struct Unread {
    pub column: usize,
    pub why: String,
}

/// Curves of the columns that the forest tells all about, by position in `drawn`, and the rest.
pub struct Read {
    pub curves: Vec<(usize, Vec<CurvePoint>)>,
    pub unread: Vec<Unread>,
}

/// What reading would take.
pub struct Trial {
    pub unread: Vec<Unread>,
    /// On one core, measured on some rows of the sample.
    pub seconds_per_row: f64,
    /// Nodes before the trees must be run for every row.
    pub preprocessed: bool,
}

/// Rows that a trial is measured on.
const TRIAL_ROWS: usize = 1_024;

/// A forest about to be read.
struct Reading<'a> {
    plan: &'a Plan,
    model: &'a PlannedModel,
    native: &'a Native,
    means: ForestMeans<'a>,
    /// Of each column that is read: its position in `drawn`.
    columns: Vec<usize>,
    unread: Vec<Unread>,
}

/// Reads the partial dependence of `drawn` off the trees, over all rows; `None` where there are no trees. `sample` is one of
/// them.
pub fn read(
    plan: &Plan,
    sample: &Background,
    drawn: &[(&Drawn, &Places)],
    settings: &CurveSettings,
) -> Result<Option<Read>, RunError> {
    let Some(mut reading) = Reading::new(plan, &sample.features, drawn)? else { return Ok(None) };
    match sample.is_whole() {
        true => reading.take_up(&sample.features)?,
        false => reading.take_up_all()?,
    }
    let curve = |(column, at): (usize, &usize)| {
        let (drawn, places) = drawn[*at];
        let curves = forest_dependence(&reading.means, column, drawn.varied, &places.grid, settings);
        Ok((*at, places.drawn(curves.map_err(RunError::unacceptable)?)))
    };
    let curves = reading.columns.iter().enumerate().map(curve).collect::<Result<_, RunError>>()?;
    Ok(Some(Read { curves, unread: reading.unread }))
}

/// Finds out what [`read`] would take.
pub fn tried(plan: &Plan, rows: &Features, drawn: &[(&Drawn, &Places)]) -> Result<Option<Trial>, RunError> {
    let Some(mut reading) = Reading::new(plan, rows, drawn)? else { return Ok(None) };
    let some = rows.take(&(0..rows.n_rows.min(TRIAL_ROWS)).collect::<Vec<_>>());
    let started = Instant::now();
    // No more rows than one thread takes.
    reading.take_up(&some)?;
    let seconds_per_row = started.elapsed().as_secs_f64() / some.n_rows.max(1) as f64;
    Ok(Some(Trial { unread: reading.unread, seconds_per_row, preprocessed: reading.native.inner().is_some() }))
}

impl<'a> Reading<'a> {
    fn new(plan: &'a Plan, rows: &Features, drawn: &[(&Drawn, &Places)]) -> Result<Option<Self>, RunError> {
        let Some(model) = &plan.model else { return Ok(None) };
        let Some(native) = model.native.as_ref().filter(|native| native.forest().is_some()) else { return Ok(None) };
        let (mut axes, mut n_values, mut columns, mut unread) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for (at, (drawn, places)) in drawn.iter().enumerate() {
            let with_missing = drawn.varied.has_missing(rows).map_err(RunError::unacceptable)?;
            let asked = AskedColumn { column: drawn.varied.column, values: places.grid.values(with_missing) };
            match native.axis(&asked, rows, |features| inner(model, native, features)) {
                Ok(axis) => {
                    n_values.push(asked.values.n_rows());
                    columns.push(at);
                    axes.push(axis);
                }
                Err(why) => unread.push(Unread { column: at, why }),
            }
        }
        let Some(profiles) = native.profiles(&axes) else { return Ok(None) };
        let means = ForestMeans::new(profiles, &n_values, plan.outputs.len());
        Ok(Some(Self { plan, model, native, means, columns, unread }))
    }

    fn take_up_all(&mut self) -> Result<(), RunError> {
        if self.columns.is_empty() {
            return Ok(());
        }
        let plan = self.plan;
        let selection = Selection {
            features: plan.selection.features.clone(),
            filter: plan.selection.filter.clone(),
            ..Default::default()
        };
        Reader::start(&plan.source, &selection, plan.batch_rows)?.try_for_each(|batch| self.take_up(&batch?.features))
    }

    fn take_up(&mut self, features: &Features) -> Result<(), RunError> {
        if self.columns.is_empty() {
            return Ok(());
        }
        let inner = inner(self.model, self.native, features).map_err(RunError::unacceptable)?;
        let rows = self.native.rows(features, inner.as_ref());
        let rows = rows.ok_or_else(|| RunError::broken("the rows did not reach the model's structure"))?;
        self.means.update(rows.view());
        Ok(())
    }
}

/// What preprocessing nodes make of rows, where there are some before the trees.
fn inner(model: &PlannedModel, native: &Native, features: &Features) -> Result<Option<Array2<f64>>, PredictError> {
    match native.inner() {
        Some(_) => Ok(model.scorer.score(features)?.inner),
        None => Ok(None),
    }
}
