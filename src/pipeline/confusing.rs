//! Which classes are taken for which, over all rows and by group.

use super::RunError;
use super::scoring::ScoredBatch;
use crate::audit::{ConfusionCell, GroupConfusion};
use crate::config::Task;
use crate::dataset::{Batch, Labels};
use crate::plan::Plan;
use crate::stats::groups::groups;
use crate::stats::{Cells, GroupLevels};
use std::collections::BTreeMap;

/// Rows and their weight by `(label, decision)`, in the order of the classes.
type Counts = BTreeMap<(u32, u32), (u64, f64)>;

/// Counts in the order of the rows.
#[derive(Debug, Default)]
pub struct Confusing {
    all: Counts,
    cells: Cells,
    by_cell: Vec<Counts>,
}

/// Who was taken for what; pairs that no row has are left out.
#[derive(Debug, Default, PartialEq)]
pub struct Confused {
    pub all: Vec<ConfusionCell>,
    pub by_group: Vec<GroupConfusion>,
}

impl Confusing {
    /// Counts the labelled rows of a batch.
    pub fn update(&mut self, plan: &Plan, batch: &Batch, scored: &ScoredBatch) {
        let (Task::Multiclass, Some(Labels::Class(labels))) = (plan.task, &batch.labels) else { return };
        self.count(&batch.codes, labels, &scored.decisions, batch.weights.as_deref());
    }

    /// `codes[column][row]`.
    fn count(&mut self, codes: &[Vec<u32>], labels: &[Option<u32>], decisions: &[u32], weights: Option<&[f64]>) {
        let cells = self.cells.intern(codes, labels.len());
        self.by_cell.resize(self.cells.len(), Counts::default());
        for (row, (label, decision)) in labels.iter().zip(decisions).enumerate() {
            let Some(label) = label else { continue };
            let weight = weights.map_or(1.0, |weights| weights[row]);
            for counts in [&mut self.all, &mut self.by_cell[cells[row] as usize]] {
                add(counts, (*label, *decision), (1, weight));
            }
        }
    }

    /// # Errors
    /// Groups that cannot be told apart.
    pub fn finish(self, plan: &Plan, levels: &GroupLevels) -> Result<Confused, RunError> {
        let mut confused = Confused { all: named(&self.all, &plan.classes), by_group: Vec::new() };
        if self.all.is_empty() {
            return Ok(confused);
        }
        for attribute in &plan.groups.attributes {
            let found = groups(&attribute.name, &attribute.columns, &self.cells, levels).map_err(RunError::broken)?;
            for group in found {
                let counts = self.among(&group.cells);
                confused.by_group.extend(named(&counts, &plan.classes).into_iter().map(|cell| GroupConfusion {
                    attribute: attribute.name.clone(),
                    group_value: group.name.clone(),
                    cell,
                }));
            }
        }
        Ok(confused)
    }

    fn among(&self, cells: &[u32]) -> Counts {
        let mut sum = Counts::default();
        for (pair, counted) in cells.iter().flat_map(|cell| &self.by_cell[*cell as usize]) {
            add(&mut sum, *pair, *counted);
        }
        sum
    }
}

fn add(counts: &mut Counts, pair: (u32, u32), (n, weight): (u64, f64)) {
    let cell = counts.entry(pair).or_default();
    cell.0 += n;
    cell.1 += weight;
}

fn named(counts: &Counts, classes: &[String]) -> Vec<ConfusionCell> {
    let name = |class: &u32| classes.get(*class as usize).cloned().unwrap_or_else(|| class.to_string());
    let cell = |((label, decision), (n, weight)): (&(u32, u32), &(u64, f64))| ConfusionCell {
        label: name(label),
        decision: name(decision),
        n: *n,
        weight: *weight,
    };
    counts.iter().map(cell).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_add_up_to_all_rows_and_rows_without_a_label_count_nowhere() {
        let mut confusing = Confusing::default();
        let codes = vec![vec![0, 1, 0, 1, 1]];
        let labels = [Some(0), Some(1), None, Some(2), Some(1)];
        confusing.count(&codes, &labels, &[0, 2, 1, 2, 2], Some(&[1.0, 0.5, 9.0, 2.0, 0.25]));
        confusing.count(&[vec![0]], &[Some(1)], &[2], None);
        assert_eq!(confusing.all, Counts::from([((0, 0), (1, 1.0)), ((1, 2), (3, 1.75)), ((2, 2), (1, 2.0))]));
        assert_eq!(confusing.among(&[0]), Counts::from([((0, 0), (1, 1.0)), ((1, 2), (1, 1.0))]));
        assert_eq!(confusing.among(&[1]), Counts::from([((1, 2), (2, 0.75)), ((2, 2), (1, 2.0))]));
        assert_eq!(confusing.among(&[0, 1]), confusing.all);
        let classes = ["cat".to_owned(), "dog".to_owned()];
        let told: Vec<String> =
            named(&confusing.all, &classes).iter().map(|cell| format!("{} as {}", cell.label, cell.decision)).collect();
        assert_eq!(told, ["cat as cat", "dog as 2", "2 as 2"]);
    }
}
