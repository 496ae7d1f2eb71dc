//! The metrics that permutation importance can lose, as scikit-learn defines them.

use super::error::ImportanceError;
use super::{classification, regression};
use crate::dataset::batch::Labels;
use ndarray::ArrayView2;
use std::fmt;

/// What the model predicts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Task {
    Binary,
    Multiclass,
    Regression,
}

/// A metric of all rows' predictions. Classes are averaged with equal weight ("macro") for multiclass models.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Metric {
    /// Area under the ROC curve; multiclass: mean over the classes of one against the rest.
    RocAuc,
    /// Σ (recall gained) · precision over the score's distinct values, from the highest.
    AveragePrecision,
    /// Share of right decisions.
    Accuracy,
    /// Mean over the classes of the share of right decisions among the class's rows.
    BalancedAccuracy,
    /// 2·TP / (2·TP + FP + FN).
    F1,
    /// Mean −log of the probability given to the right class, cut at 2⁻⁵².
    LogLoss,
    /// Mean (p − y)²; multiclass: summed over the classes.
    Brier,
    /// Mean squared error.
    Mse,
    /// Its square root.
    Rmse,
    /// Mean absolute error.
    Mae,
    /// 1 − Σ(y − ŷ)² / Σ(y − ȳ)².
    R2,
}

/// Labels, weights and what turns a score into a decision.
#[derive(Debug, Clone, Copy)]
pub struct Truth<'a> {
    pub labels: &'a Labels,
    /// All 1 where `None`.
    pub weights: Option<&'a [f64]>,
    pub task: Task,
    /// Binary decision: the positive class if its probability is at least this.
    pub threshold: f64,
}

const ALL: [Metric; 11] = [
    Metric::RocAuc,
    Metric::AveragePrecision,
    Metric::Accuracy,
    Metric::BalancedAccuracy,
    Metric::F1,
    Metric::LogLoss,
    Metric::Brier,
    Metric::Mse,
    Metric::Rmse,
    Metric::Mae,
    Metric::R2,
];

impl Metric {
    /// The metric of this name, if it is for this task.
    ///
    /// # Errors
    /// An unknown name, or a metric for another task, with the names to choose from.
    pub fn parse(name: &str, task: Task) -> Result<Self, ImportanceError> {
        let Some(metric) = ALL.into_iter().find(|metric| metric.name() == name) else {
            return Err(ImportanceError::UnknownMetric { name: name.to_string(), known: names(task) });
        };
        if metric.is_for(task) {
            Ok(metric)
        } else {
            Err(ImportanceError::WrongTask { metric, task, known: names(task) })
        }
    }

    /// The metric to use where none is named: `roc_auc` for binary, `log_loss` for multiclass, `r2` for regression.
    pub fn default_for(task: Task) -> Self {
        match task {
            Task::Binary => Metric::RocAuc,
            Task::Multiclass => Metric::LogLoss,
            Task::Regression => Metric::R2,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Metric::RocAuc => "roc_auc",
            Metric::AveragePrecision => "average_precision",
            Metric::Accuracy => "accuracy",
            Metric::BalancedAccuracy => "balanced_accuracy",
            Metric::F1 => "f1",
            Metric::LogLoss => "log_loss",
            Metric::Brier => "brier",
            Metric::Mse => "mse",
            Metric::Rmse => "rmse",
            Metric::Mae => "mae",
            Metric::R2 => "r2",
        }
    }

    pub fn is_for(self, task: Task) -> bool {
        let regression = matches!(self, Metric::Mse | Metric::Rmse | Metric::Mae | Metric::R2);
        regression == (task == Task::Regression)
    }

    /// Whether a larger value is worse.
    pub fn is_loss(self) -> bool {
        matches!(self, Metric::LogLoss | Metric::Brier | Metric::Mse | Metric::Rmse | Metric::Mae)
    }

    /// The metric of `scores`, `[rows × outputs]`, in its own direction.
    ///
    /// # Errors
    /// Why the metric is undefined for these labels, as a sentence's end.
    pub(crate) fn value(self, truth: Truth, scores: ArrayView2<f64>) -> Result<f64, String> {
        match truth.labels {
            Labels::Value(labels) => regression::value(self, labels, truth.weights, scores.column(0)),
            Labels::Class(labels) => classification::value(self, labels, truth, scores),
        }
    }

    /// The metric turned so that larger is better.
    pub(crate) fn score(self, truth: Truth, scores: ArrayView2<f64>) -> Result<f64, String> {
        let value = self.value(truth, scores)?;
        Ok(if self.is_loss() { -value } else { value })
    }
}

fn names(task: Task) -> String {
    let known: Vec<&str> = ALL.into_iter().filter(|metric| metric.is_for(task)).map(Metric::name).collect();
    known.join(", ")
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Task::Binary => "binary",
            Task::Multiclass => "multiclass",
            Task::Regression => "regression",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_is_found_by_its_name_for_its_tasks_only() {
        for metric in ALL {
            for task in [Task::Binary, Task::Multiclass, Task::Regression] {
                assert_eq!(Metric::parse(metric.name(), task).is_ok(), metric.is_for(task));
            }
        }
        let error = Metric::parse("auc", Task::Binary).unwrap_err().to_string();
        assert!(error.contains("`auc`") && error.contains("roc_auc") && !error.contains("rmse"));
        let error = Metric::parse("rmse", Task::Multiclass).unwrap_err().to_string();
        assert!(error.contains("multiclass"));
    }

    #[test]
    fn the_default_is_for_its_task() {
        for task in [Task::Binary, Task::Multiclass, Task::Regression] {
            assert!(Metric::default_for(task).is_for(task));
        }
    }
}
