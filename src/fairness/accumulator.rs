//! One pass over the rows: everything that the fairness audit keeps of them.

use super::cell::{ClassCell, ClassRow, ValueCell, ValueRow, log_loss};
use super::confusion::tag;
use super::{FairnessError, Spec, Task};
use crate::stats::distribution::{DEFAULT_CAP, Scored};
use crate::stats::{Accumulator, Cells, ScoreDistribution};

/// Largest weight of a row.
const MAX_WEIGHT: f64 = 1e9;
/// Probabilities may leave [0, 1] by this much: softmax in float32 rounds.
const PROBABILITY_SLACK: f64 = 1e-5;
/// Distinct scores kept per output at least, however many outputs share the cap.
const MIN_CAP: usize = 1 << 13;

/// Consecutive scored rows.
#[derive(Debug, Clone, Copy)]
pub struct Rows<'a> {
    /// Position of the first row in the data, for messages.
    pub first_row: u64,
    /// `codes[column][row]`: level codes of the group columns.
    pub codes: &'a [Vec<u32>],
    /// Row-major `[rows × outputs]`: probabilities, or values for regression.
    pub scores: &'a [f64],
    /// The decision per row: 1 = positive for binary, the predicted output for multiclass; empty for regression.
    pub decisions: &'a [u32],
    pub labels: Option<Truth<'a>>,
    pub weights: Option<&'a [f64]>,
}

/// Labels of the rows.
#[derive(Debug, Clone, Copy)]
pub enum Truth<'a> {
    /// 1 = positive for binary, the output for multiclass; `None` = missing.
    Class(&'a [Option<u32>]),
    /// NaN = missing.
    Value(&'a [f64]),
}

/// Sums and score distribution of one classification output, by cell.
#[derive(Debug, Clone)]
pub(super) struct ClassOutput {
    pub cells: Vec<ClassCell>,
    pub scores: ScoreDistribution,
}

/// Sums and score distribution of a regression, by cell.
#[derive(Debug, Clone)]
pub(super) struct ValueOutput {
    pub cells: Vec<ValueCell>,
    pub scores: ScoreDistribution,
}

#[derive(Debug, Clone)]
pub(super) enum Body {
    Binary(ClassOutput),
    /// Each class against the rest, and the predicted class.
    Multiclass {
        classes: Vec<ClassOutput>,
        top: ClassOutput,
    },
    Regression(ValueOutput),
}

/// Accumulates [`Rows`]; partials of any split merge to the same result, bit for bit.
#[derive(Debug, Clone)]
pub struct FairnessAccumulator {
    pub(super) spec: Spec,
    pub(super) groups: Cells,
    pub(super) body: Body,
    weighted: Option<bool>,
}

impl FairnessAccumulator {
    pub fn new(spec: &Spec) -> Self {
        let n_outputs = spec.outputs.len();
        let cap = (DEFAULT_CAP / n_outputs.max(1)).max(MIN_CAP);
        let classes = || ClassOutput { cells: Vec::new(), scores: ScoreDistribution::with_cap(cap) };
        let body = match spec.task {
            Task::Binary => Body::Binary(classes()),
            Task::Multiclass => {
                Body::Multiclass { classes: (0..n_outputs).map(|_| classes()).collect(), top: classes() }
            }
            Task::Regression => {
                Body::Regression(ValueOutput { cells: Vec::new(), scores: ScoreDistribution::default() })
            }
        };
        Self { spec: spec.clone(), groups: Cells::default(), body, weighted: None }
    }

    /// Takes rows in. Nothing is taken in where an error is returned for their shape; a bad value in a row ends the
    /// audit.
    pub fn update(&mut self, rows: Rows<'_>) -> Result<(), FairnessError> {
        let n = self.check_shape(&rows)?;
        let weighted = rows.weights.is_some();
        if n > 0 && *self.weighted.get_or_insert(weighted) != weighted {
            return Err(FairnessError::MixedWeights);
        }
        check_weights(&rows)?;
        self.check_scores(&rows)?;
        let cells = self.groups.intern(rows.codes, n);
        let n_cells = self.groups.len();
        match &mut self.body {
            Body::Binary(output) => {
                output.cells.resize_with(n_cells, ClassCell::default);
                binary(output, &rows, &cells, &self.spec)
            }
            Body::Multiclass { classes, top } => {
                classes.iter_mut().chain([&mut *top]).for_each(|o| o.cells.resize_with(n_cells, ClassCell::default));
                multiclass(classes, top, &rows, &cells)
            }
            Body::Regression(output) => {
                output.cells.resize_with(n_cells, ValueCell::default);
                regression(output, &rows, &cells);
                Ok(())
            }
        }
    }

    /// Takes in everything `other` has seen; it must have been made from the same [`Spec`].
    pub fn merge(&mut self, other: Self) -> Result<(), FairnessError> {
        if let (Some(mine), Some(theirs)) = (self.weighted, other.weighted)
            && mine != theirs
        {
            return Err(FairnessError::MixedWeights);
        }
        self.weighted = self.weighted.or(other.weighted);
        let cells = self.groups.absorb(&other.groups);
        let n_cells = self.groups.len();
        match (&mut self.body, other.body) {
            (Body::Binary(mine), Body::Binary(theirs)) => mine.merge(theirs, &cells, n_cells),
            (Body::Multiclass { classes, top }, Body::Multiclass { classes: theirs, top: their_top }) => {
                classes.iter_mut().zip(theirs).for_each(|(mine, theirs)| mine.merge(theirs, &cells, n_cells));
                top.merge(their_top, &cells, n_cells);
            }
            (Body::Regression(mine), Body::Regression(mut theirs)) => {
                mine.cells.resize_with(n_cells, ValueCell::default);
                theirs.cells.into_iter().zip(&cells).for_each(|(cell, &to)| mine.cells[to as usize].merge(cell));
                theirs.scores.relabel(&cells);
                mine.scores.merge(theirs.scores);
            }
            _ => return Err(FairnessError::Shape { what: "tasks", found: 2, expected: 1 }),
        }
        Ok(())
    }

    fn check_shape(&self, rows: &Rows<'_>) -> Result<usize, FairnessError> {
        let outputs = match self.spec.task {
            Task::Regression => 1,
            _ => self.spec.outputs.len().max(1),
        };
        let n = rows.scores.len() / outputs;
        if self.spec.task == Task::Binary && self.spec.positive_output >= outputs {
            return Err(FairnessError::Shape {
                what: "outputs",
                found: outputs,
                expected: self.spec.positive_output + 1,
            });
        }
        if rows.labels.is_some_and(|labels| matches!(labels, Truth::Value(_)) != (self.spec.task == Task::Regression)) {
            return Err(FairnessError::LabelKind { task: self.spec.task.name() });
        }
        let labels = rows.labels.map_or(n, |labels| match labels {
            Truth::Class(labels) => labels.len(),
            Truth::Value(labels) => labels.len(),
        });
        let decisions = if self.spec.task == Task::Regression { n } else { rows.decisions.len() };
        let codes = rows.codes.iter().map(Vec::len).find(|&len| len != n).unwrap_or(n);
        let lengths = [
            ("scores", rows.scores.len(), n * outputs),
            ("labels", labels, n),
            ("decisions", decisions, n),
            ("weights", rows.weights.map_or(n, <[f64]>::len), n),
            ("group codes", codes, n),
        ];
        match lengths.into_iter().find(|(_, found, expected)| found != expected) {
            Some((what, found, expected)) => Err(FairnessError::Shape { what, found, expected }),
            None => Ok(n),
        }
    }

    fn check_scores(&self, rows: &Rows<'_>) -> Result<(), FairnessError> {
        let outputs = (rows.scores.len() / rows.decisions.len().max(1)).max(1);
        let is_probability = self.spec.task != Task::Regression;
        let allowed = -PROBABILITY_SLACK..=1.0 + PROBABILITY_SLACK;
        for (i, &score) in rows.scores.iter().enumerate() {
            let row = rows.first_row + if is_probability { i / outputs } else { i } as u64;
            if !score.is_finite() {
                return Err(FairnessError::ScoreNotFinite { row, score });
            }
            if is_probability && !allowed.contains(&score) {
                return Err(FairnessError::ScoreNotProbability { row, score });
            }
        }
        Ok(())
    }
}

fn check_weights(rows: &Rows<'_>) -> Result<(), FairnessError> {
    let weights = rows.weights.unwrap_or_default();
    match weights.iter().position(|weight| !(0.0..=MAX_WEIGHT).contains(weight)) {
        Some(at) => Err(FairnessError::Weight { row: rows.first_row + at as u64, weight: weights[at] }),
        None => Ok(()),
    }
}

impl Rows<'_> {
    fn weight(&self, row: usize) -> f64 {
        self.weights.map_or(1.0, |weights| weights[row])
    }

    /// The class of a row, checked against the number of classes.
    fn class(&self, row: usize, classes: usize) -> Result<Option<u32>, FairnessError> {
        let Some(Truth::Class(labels)) = self.labels else { return Ok(None) };
        match labels[row] {
            Some(class) if class as usize >= classes => {
                Err(FairnessError::Class { row: self.first_row + row as u64, class, classes })
            }
            label => Ok(label),
        }
    }
}

impl ClassOutput {
    fn add(&mut self, cell: u32, row: &ClassRow, weighted: bool) {
        self.cells[cell as usize].update(row, weighted);
        let tag = tag(row.label, row.decision);
        self.scores.update(Scored { cell, tag, score: row.score, weight: row.weight });
    }

    fn merge(&mut self, mut other: Self, cells: &[u32], n_cells: usize) {
        self.cells.resize_with(n_cells, ClassCell::default);
        other.cells.into_iter().zip(cells).for_each(|(cell, &to)| self.cells[to as usize].merge(cell));
        other.scores.relabel(cells);
        self.scores.merge(other.scores);
    }
}

fn binary(output: &mut ClassOutput, rows: &Rows<'_>, cells: &[u32], spec: &Spec) -> Result<(), FairnessError> {
    let n_outputs = spec.outputs.len().max(1);
    for (row, &cell) in cells.iter().enumerate() {
        let score = rows.scores[row * n_outputs + spec.positive_output];
        let label = rows.class(row, 2)?.map(|class| class == 1);
        let log_loss = label.map_or(0.0, |positive| log_loss(if positive { score } else { 1.0 - score }));
        let decision = rows.decisions[row] == 1;
        let row = ClassRow { label, decision, score, weight: rows.weight(row), log_loss };
        output.add(cell, &row, rows.weights.is_some());
    }
    Ok(())
}

fn multiclass(
    classes: &mut [ClassOutput],
    top: &mut ClassOutput,
    rows: &Rows<'_>,
    cells: &[u32],
) -> Result<(), FairnessError> {
    let n = classes.len();
    let weighted = rows.weights.is_some();
    for (row, &cell) in cells.iter().enumerate() {
        let scores = &rows.scores[row * n..(row + 1) * n];
        let (class, decided, weight) = (rows.class(row, n)?, rows.decisions[row] as usize, rows.weight(row));
        for (c, output) in classes.iter_mut().enumerate() {
            let label = class.map(|class| class as usize == c);
            let row = ClassRow { label, decision: decided == c, score: scores[c], weight, log_loss: 0.0 };
            output.add(cell, &row, weighted);
        }
        let Some(&score) = scores.get(decided) else {
            let row = rows.first_row + row as u64;
            return Err(FairnessError::Class { row, class: decided as u32, classes: n });
        };
        let right = class.map(|class| class as usize == decided);
        let log_loss = class.map_or(0.0, |class| log_loss(scores[class as usize]));
        top.add(cell, &ClassRow { label: right, decision: true, score, weight, log_loss }, weighted);
    }
    Ok(())
}

fn regression(output: &mut ValueOutput, rows: &Rows<'_>, cells: &[u32]) {
    for (row, &cell) in cells.iter().enumerate() {
        let label = match rows.labels {
            Some(Truth::Value(labels)) => Some(labels[row]).filter(|label| !label.is_nan()),
            _ => None,
        };
        let (score, weight) = (rows.scores[row], rows.weight(row));
        output.cells[cell as usize].update(&ValueRow { label, score, weight }, rows.weights.is_some());
        output.scores.update(Scored { cell, tag: tag(None, false), score, weight });
    }
}
