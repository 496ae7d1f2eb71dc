//! How the model's outputs are read: which holds scores, which margins, what task they are for.

use super::error::{PlanError, conflict, did_you_mean};
use crate::config::{Conflict, Loaded, Task};
use crate::forest::Link;
use crate::model::import::class_labels;
use crate::model::onnx::{MarginCut, margin_tensor};
use crate::model::{Element, Model, Port, Probe, Reading, Shape};

/// What was decided, and the classes' labels as the model has them.
pub struct Decided {
    pub reading: Reading,
    pub task: Task,
    /// Raw labels in the model's order; empty for regression.
    pub labels: Vec<String>,
}

pub fn decide(loaded: &Loaded, model: &Model, probes: &[Probe]) -> Result<Decided, PlanError> {
    let outputs = Outputs { loaded, model, probes };
    outputs.decide().map_err(|conflict| PlanError::Config(Box::new(loaded.errors([conflict]))))
}

struct Outputs<'a> {
    loaded: &'a Loaded,
    model: &'a Model,
    probes: &'a [Probe],
}

impl Outputs<'_> {
    fn decide(&self) -> Result<Decided, Conflict> {
        let margin_output = self.named("model.margin_output", self.loaded.config.model.margin_output.as_deref())?;
        let score = self.score(margin_output)?;
        let columns = score.columns.unwrap_or(0);
        let cut = margin_tensor(&self.model.graph, &score.port.name);
        let task = self.task(score, columns, cut.as_ref())?;
        let shape = shape(task, columns);
        self.check(score, columns, task)?;
        let score_is_margin =
            margin_output.filter(|margin| margin.port.name == score.port.name).map(|_| link_of(columns));
        let margin = match (margin_output, cut) {
            (Some(margin), cut) if score_is_margin.is_none() => {
                Some((margin.port.clone(), cut.map_or(link_of(margin.columns.unwrap_or(1)), |cut| cut.link)))
            }
            (None, Some(cut)) => Some((self.cut_port(&cut), cut.link)),
            _ => None,
        };
        let labels = self.labels(score, task, columns);
        let reading = Reading {
            shape,
            score: score.port.clone(),
            classes: score.classes.clone(),
            margin,
            score_is_margin,
            inner: None,
        };
        Ok(Decided { reading, task, labels })
    }

    fn named(&self, key: &str, name: Option<&str>) -> Result<Option<&Probe>, Conflict> {
        let Some(name) = name else { return Ok(None) };
        let found = self.probes.iter().find(|probe| probe.port.name == name);
        found.map(Some).ok_or_else(|| {
            let names = || self.probes.iter().map(|probe| probe.port.name.as_str());
            let near = did_you_mean(name, names());
            conflict(
                key,
                format!("the model has no output `{name}`{near}"),
                format!("its outputs are {}", names().collect::<Vec<_>>().join(", ")),
            )
        })
    }

    /// The output that holds what the model reports.
    fn score(&self, margin: Option<&Probe>) -> Result<&Probe, Conflict> {
        if let Some(named) = self.named("model.output", self.loaded.config.model.output.as_deref())? {
            return match named.columns {
                Some(_) => Ok(named),
                None => Err(conflict(
                    "model.output",
                    format!("output `{}` holds no numbers", named.port.name),
                    "name the output with the scores",
                )),
            };
        }
        let is_margin = |probe: &Probe| margin.is_some_and(|margin| margin.port.name == probe.port.name);
        let all: Vec<&Probe> =
            self.probes.iter().filter(|probe| probe.columns.is_some() && !probe.is_label()).collect();
        let scores: Vec<&Probe> = all.iter().copied().filter(|probe| !is_margin(probe)).collect();
        let by_name = |probe: &&Probe| probe.port.name.to_lowercase().contains("prob");
        let is_linked = |probe: &&Probe| {
            margin_tensor(&self.model.graph, &probe.port.name)
                .is_some_and(|cut| all.iter().any(|other| other.port.name == cut.tensor))
        };
        match scores.as_slice() {
            [score] => Ok(score),
            [] => match all.as_slice() {
                [only] => Ok(only),
                _ => Err(conflict(
                    "model.path",
                    "the model has no output of numbers",
                    "export it with its scores (probabilities or values)",
                )),
            },
            _ => only(scores.iter().copied().filter(by_name))
                .or_else(|| only(scores.iter().copied().filter(is_linked)))
                .ok_or_else(|| {
                    let names: Vec<_> = scores.iter().map(|probe| format!("`{}`", probe.port.name)).collect();
                    let message = format!(
                        "the model has several outputs of numbers ({}) and it cannot be told which holds the scores",
                        names.join(", ")
                    );
                    conflict(
                        "model",
                        message,
                        "name it:  [model]  output = \"…\"  (and margin_output = \"…\" for raw scores)",
                    )
                }),
        }
    }

    fn task(&self, score: &Probe, columns: usize, cut: Option<&MarginCut>) -> Result<Task, Conflict> {
        if let Some(task) = self.loaded.config.model.task {
            return Ok(task);
        }
        let classes = |n: usize| if n <= 2 { Task::Binary } else { Task::Multiclass };
        let has_label = self.probes.iter().any(Probe::is_label);
        let unit = score.least >= 0.0 && score.greatest <= 1.0;
        match (score.port.element, cut.map(|cut| cut.link)) {
            (Element::ClassMaps, _) => Ok(classes(score.classes.len())),
            (_, Some(Link::Softmax)) => Ok(classes(columns)),
            (_, Some(_)) if columns <= 2 => Ok(Task::Binary),
            _ if has_label => Ok(classes(columns)),
            _ if columns == 1 => Ok(Task::Regression),
            _ if unit => Ok(classes(columns)),
            _ => Err(conflict(
                "model",
                format!("output `{}` has {columns} columns and it cannot be told what they mean", score.port.name),
                "say it:  [model]  task = \"binary\", \"multiclass\" or \"regression\"",
            )),
        }
    }

    /// Scores of classes must be probabilities; a sample shows where they are not.
    fn check(&self, score: &Probe, columns: usize, task: Task) -> Result<(), Conflict> {
        let output = &score.port.name;
        let allowed = match task {
            Task::Binary => columns == 1 || columns == 2,
            Task::Multiclass => columns > 1,
            Task::Regression => columns == 1,
        };
        if !allowed {
            let message = format!("output `{output}` has {columns} columns, which does not fit a {} task", name(task));
            return Err(conflict("model.task", message, "correct the task, or name another output in [model] output"));
        }
        let is_margin = self.loaded.config.model.margin_output.as_deref() == Some(output);
        let outside = score.least < -1e-5 || score.greatest > 1.0 + 1e-5;
        if task != Task::Regression && outside && !is_margin && score.least.is_finite() && score.greatest.is_finite() {
            let message = format!(
                "output `{output}` is to hold probabilities, but goes from {:.4} to {:.4}",
                score.least, score.greatest
            );
            return Err(conflict(
                "model",
                message,
                format!("if these are raw scores (logits), say so:  [model]  margin_output = {output:?}"),
            ));
        }
        Ok(())
    }

    fn cut_port(&self, cut: &MarginCut) -> Port {
        let declared = self.model.signature.outputs.iter().find(|port| port.name == cut.tensor);
        declared.cloned().unwrap_or_else(|| Port { name: cut.tensor.clone(), element: Element::F32, dims: Vec::new() })
    }

    fn labels(&self, score: &Probe, task: Task, columns: usize) -> Vec<String> {
        let n = match task {
            Task::Regression => return Vec::new(),
            Task::Binary => 2,
            Task::Multiclass => columns,
        };
        let known = [score.classes.clone(), class_labels(&self.model.graph, n)];
        let numbered = || (0..n).map(|class| class.to_string()).collect();
        known.into_iter().find(|labels| labels.len() == n).unwrap_or_else(numbered)
    }
}

/// The only one there is.
fn only<'a>(mut found: impl Iterator<Item = &'a Probe>) -> Option<&'a Probe> {
    let first = found.next();
    first.filter(|_| found.next().is_none())
}

fn shape(task: Task, columns: usize) -> Shape {
    match task {
        Task::Binary => Shape::Binary,
        Task::Multiclass => Shape::Classes(columns),
        Task::Regression => Shape::Value,
    }
}

fn link_of(columns: usize) -> Link {
    if columns > 1 { Link::Softmax } else { Link::Logistic }
}

pub fn name(task: Task) -> &'static str {
    match task {
        Task::Binary => "binary",
        Task::Multiclass => "multiclass",
        Task::Regression => "regression",
    }
}
