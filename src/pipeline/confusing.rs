//! Which classes are taken for which.

use super::scoring::ScoredBatch;
use crate::audit::ConfusionCell;
use crate::config::Task;
use crate::dataset::{Batch, Labels};
use crate::plan::Plan;
use std::collections::BTreeMap;

/// Counts by `(label, decision)`, in the order of the rows.
#[derive(Debug, Default)]
pub struct Confusing {
    cells: BTreeMap<(u32, u32), (u64, f64)>,
}

impl Confusing {
    /// Counts the labelled rows of a batch.
    pub fn update(&mut self, plan: &Plan, batch: &Batch, scored: &ScoredBatch) {
        let (Task::Multiclass, Some(Labels::Class(labels))) = (plan.task, &batch.labels) else { return };
        for (row, (label, decision)) in labels.iter().zip(&scored.decisions).enumerate() {
            let Some(label) = label else { continue };
            let cell = self.cells.entry((*label, *decision)).or_default();
            cell.0 += 1;
            cell.1 += batch.weights.as_ref().map_or(1.0, |weights| weights[row]);
        }
    }

    /// Cells with rows, in the order of the classes.
    pub fn finish(self, classes: &[String]) -> Vec<ConfusionCell> {
        let name = |class: u32| classes.get(class as usize).cloned().unwrap_or_else(|| class.to_string());
        let cell = |((label, decision), (n, weight))| ConfusionCell {
            label: name(label),
            decision: name(decision),
            n,
            weight,
        };
        self.cells.into_iter().map(cell).collect()
    }
}
