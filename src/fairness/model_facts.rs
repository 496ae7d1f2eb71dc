//! What is measured of the model itself, once: how large it is, how many features it lives on, how far a small tree
//! follows it. Gates may limit each.

use super::Task;
use super::table::Direction;

/// A measure of the model as a whole; its rows in `metrics` stand under the attribute [`crate::audit::MODEL`].
#[derive(Debug, Clone, Copy)]
pub struct ModelFact {
    pub name: &'static str,
    pub formula: &'static str,
    pub direction: Direction,
    /// Rows that count as evidence; "" where none are needed: it stands in the file.
    pub rests_on: &'static str,
    pub source: &'static str,
    tasks: &'static [Task],
}

const ALL: &[Task] = &[Task::Binary, Task::Multiclass, Task::Regression];
const CLASSES: &[Task] = &[Task::Binary, Task::Multiclass];

const fn of_file(name: &'static str, formula: &'static str) -> ModelFact {
    ModelFact { name, formula, direction: Direction::Lower, rests_on: "", source: "the ONNX file", tasks: ALL }
}

/// Every fact, in the order of the report.
pub const MODEL_FACTS: &[ModelFact] = &[
    of_file("parameters", "numbers learnt: weights, thresholds and leaves; each tensor counts once"),
    of_file("operators", "nodes of the graph"),
    of_file("trees", "trees of the ensemble"),
    of_file("leaves", "leaves of all trees"),
    of_file("depth", "tests on the longest path of any tree"),
    of_file("features_used", "features that any tree tests, or that have a weight other than 0"),
    ModelFact {
        name: "effective_features",
        formula: "exp(−Σ p ln p), p a feature's share of all mean |attribution|: k features that count alike give k",
        direction: Direction::Lower,
        rests_on: "rows explained",
        source: "Hill 1973 (diversity of order 1)",
        tasks: ALL,
    },
    ModelFact {
        name: "surrogate_fidelity",
        formula: "share of held-out rows that a tree of depth 4 fitted to the scores decides as the model does; regression: R² of the tree's predictions against the model's",
        direction: Direction::Higher,
        rests_on: "rows held out (a class: those that the model decides so)",
        source: "Craven and Shavlik 1996",
        tasks: ALL,
    },
    ModelFact {
        name: "surrogate_r2",
        formula: "1 − Σ (score − tree)² / Σ (score − mean score)² over held-out rows",
        direction: Direction::Higher,
        rests_on: "rows held out",
        source: "Craven and Shavlik 1996",
        tasks: CLASSES,
    },
];

/// The fact of this name.
pub fn model_fact(name: &str) -> Option<&'static ModelFact> {
    MODEL_FACTS.iter().find(|fact| fact.name == name)
}

/// Names of the facts that audits of this task can hold.
pub fn model_fact_names(task: Task) -> impl Iterator<Item = &'static str> {
    MODEL_FACTS.iter().filter(move |fact| fact.tasks.contains(&task)).map(|fact| fact.name)
}

/// Whether a metric comes from the tree that stands in for the model.
pub fn is_of_surrogate(metric: &str) -> bool {
    metric.starts_with("surrogate_")
}

#[cfg(test)]
mod tests {
    use super::super::table;
    use super::*;

    #[test]
    fn facts_of_the_model_and_metrics_of_groups_have_names_of_their_own() {
        for task in [Task::Binary, Task::Multiclass, Task::Regression] {
            let of_groups = table::names(task);
            assert!(model_fact_names(task).all(|name| !of_groups.iter().any(|other| other == name)));
        }
    }

    #[test]
    fn a_regressions_fidelity_is_its_r2_and_has_no_second_name() {
        let names: Vec<&str> = model_fact_names(Task::Regression).collect();
        assert!(names.contains(&"surrogate_fidelity") && !names.contains(&"surrogate_r2"));
    }
}
