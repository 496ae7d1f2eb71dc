//! Graphs of gradients, for the explanations that follow them.

use super::error::{PlanError, conflict};
use super::explaining::{Chosen, ExplainPlan};
use super::explanations::Explanations;
use crate::config::{Loaded, Scale, Task};
use crate::dataset::Features;
use crate::model::backward::{BackwardError, Rule};
use crate::model::{Differentiator, Feed, Model, Quantity, Reading};

/// What is differentiated, and by which rule.
pub type What = (Quantity, Rule);

/// A model's outputs as something to differentiate.
pub struct Wanted<'a> {
    pub model: &'a Model,
    pub feed: &'a Feed,
    pub reading: &'a Reading,
    /// Any rows.
    pub features: &'a Features,
    pub task: Task,
    pub threads: usize,
}

/// What an explanation differentiates; `None` where it follows no gradients.
pub fn what(task: Task, explain: &ExplainPlan) -> Option<What> {
    let quantity = match explain.scale {
        Scale::Margin if task != Task::Regression => Quantity::Margin,
        _ => Quantity::Reported,
    };
    let rule = if explain.method == Chosen::Deep { Rule::Rescale } else { Rule::Derivative };
    explain.method.follows_gradients().then_some((quantity, rule))
}

/// One graph for all explanations that follow the same gradients.
pub fn open(
    loaded: &Loaded,
    explained: &Explanations,
    wanted: &Wanted,
) -> Result<Vec<(What, Differentiator)>, PlanError> {
    let mut opened: Vec<(What, Differentiator)> = Vec::new();
    let keys = std::iter::once("explain".to_owned()).chain((0..).map(|at| format!("explain.also.{at}")));
    for (explain, key) in explained.main.iter().chain(&explained.also).zip(keys) {
        let Some(what) = what(wanted.task, explain) else { continue };
        add(&mut opened, what, wanted).map_err(|why| {
            let message = format!("method \"{}\" does not fit this model: {why}", explain.method.name());
            let help = "use \"exact\", \"kernel\" or \"permutation\", which only ask for scores";
            PlanError::Config(Box::new(loaded.errors([conflict(format!("{key}.method"), message, help)])))
        })?;
    }
    Ok(opened)
}

/// Opens the graph for `what` beside those that are open, unless it is one of them.
pub fn add(opened: &mut Vec<(What, Differentiator)>, what: What, wanted: &Wanted) -> Result<(), BackwardError> {
    if opened.iter().all(|(known, _)| *known != what) {
        let made = wanted.model.differentiator(wanted.feed, wanted.reading, wanted.features, what, wanted.threads);
        opened.push((what, made?));
    }
    Ok(())
}
