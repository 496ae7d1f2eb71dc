//! Which tensors of a network are looked at, and on how many rows.

use super::error::{PlanError, conflict};
use crate::config::{Conflict, Layers, Loaded, Rows, Tensors, closest};
use crate::dataset::Features;
use crate::layers::Layout;
use crate::model::onnx::{Block, Blocks, Graph, UnitAxis, parameters, summary};
use crate::model::{Feed, Model, Tapped, Taps};
use std::collections::BTreeSet;

/// Rows that are sent through unless told otherwise: shares have standard errors of about a percentage point.
const DEFAULT_ROWS: u64 = 2_000;
/// Names that an error offers.
const OFFERED: usize = 4;

/// Layers that are looked at.
pub struct LayersPlan {
    pub taps: Taps,
    /// As [`Taps::tapped`].
    pub layers: Vec<PlannedLayer>,
    pub n_rows: u64,
    pub probes: bool,
    /// Units whose planes are kept for a few cases.
    pub maps: usize,
}

/// One tensor.
#[derive(Debug, Clone, PartialEq)]
pub struct PlannedLayer {
    pub tensor: String,
    /// The operator that computes it.
    pub op: String,
    /// "[N, 32, 14, 14]".
    pub shape: String,
    /// Learnt numbers of the block that it ends.
    pub parameters: u64,
    pub layout: Layout,
    /// Behind an activation that holds back negative numbers.
    pub rectified: bool,
}

/// What layers are chosen from.
pub struct Inside<'a> {
    pub model: &'a Model,
    pub feed: &'a Feed,
    /// Any rows.
    pub features: &'a Features,
    pub n_rows: u64,
    pub threads: usize,
}

/// `None` where nothing is asked for.
pub fn resolve(loaded: &Loaded, inside: &Inside) -> Result<Option<LayersPlan>, PlanError> {
    let Some(typed) = &loaded.config.layers else { return Ok(None) };
    let refused = |conflicts| PlanError::Config(Box::new(loaded.errors(conflicts)));
    let blocks = Blocks::new(&inside.model.graph);
    let wanted = wanted(typed, &inside.model.graph, &blocks).map_err(refused)?;
    if wanted.is_empty() {
        return Err(refused(vec![no_layers(&inside.model.graph)]));
    }
    let names: Vec<&str> = wanted.iter().map(|wanted| wanted.tensor).collect();
    let (taps, untapped) = inside.model.taps(inside.feed, inside.features, &names, inside.threads)?;
    let by_name = |tensor: &str| wanted.iter().find(|wanted| wanted.tensor == tensor).and_then(|wanted| wanted.named);
    let unfit: Vec<Conflict> = untapped
        .iter()
        .filter_map(|it| {
            let message = format!("tensor `{}` {}", it.tensor, it.reason);
            Some(conflict(by_name(&it.tensor)?, message, "name tensors that hold numbers for each row"))
        })
        .collect();
    match (unfit.is_empty(), taps.tapped().is_empty()) {
        (false, _) => return Err(refused(unfit)),
        (true, true) => return Err(refused(vec![no_layers(&inside.model.graph)])),
        (true, false) => {}
    }
    let layers = taps.tapped().iter().map(|tapped| planned(&inside.model.graph, &blocks, tapped)).collect();
    let n_rows = match typed.rows {
        None => DEFAULT_ROWS.min(inside.n_rows),
        Some(Rows::All) => inside.n_rows,
        Some(Rows::Count(rows)) => rows.min(inside.n_rows),
    };
    Ok(Some(LayersPlan { taps, layers, n_rows, probes: typed.probes, maps: typed.maps as usize }))
}

/// Refuses layers where scores come from a column.
pub fn without_model(loaded: &Loaded) -> Result<(), PlanError> {
    match loaded.config.layers {
        None => Ok(()),
        Some(_) => {
            let found =
                conflict("layers", "there is no model to look into", "leave [layers] out, or give [model] path");
            Err(PlanError::Config(Box::new(loaded.errors([found]))))
        }
    }
}

fn no_layers(graph: &Graph) -> Conflict {
    let message = format!("the model has no layers to look at ({})", summary(graph).structure);
    conflict("layers", message, "leave [layers] out, or name tensors that hold numbers for each row")
}

/// A tensor, and the key that names it where one does.
#[derive(Debug, Clone, PartialEq)]
struct Wanted<'a> {
    tensor: &'a str,
    named: Option<&'static str>,
}

fn wanted<'a>(typed: &'a Layers, graph: &'a Graph, blocks: &Blocks<'a>) -> Result<Vec<Wanted<'a>>, Vec<Conflict>> {
    let unnamed = |tensors: Vec<&'a str>| tensors.into_iter().map(|tensor| Wanted { tensor, named: None }).collect();
    match &typed.tensors {
        Tensors::Auto => Ok(unnamed(spread(blocks.ends(), typed.most as usize))),
        Tensors::All => Ok(unnamed(blocks.all())),
        Tensors::Named(patterns) => named(patterns, graph, blocks),
    }
}

/// Evenly spaced, the last always among them.
fn spread(tensors: Vec<&str>, most: usize) -> Vec<&str> {
    let n = tensors.len();
    if n <= most {
        return tensors;
    }
    (1..=most).map(|at| tensors[at * n / most - 1]).collect()
}

/// Tensors by their own names, or by those of the nodes that compute them, in order of computation.
fn named<'a>(patterns: &'a [String], graph: &'a Graph, blocks: &Blocks<'a>) -> Result<Vec<Wanted<'a>>, Vec<Conflict>> {
    let tensors = blocks.tensors();
    let first = |node: &'a crate::model::onnx::Node| Some((node.name.as_str(), node.outputs.first()?.as_str()));
    let nodes = graph.nodes.iter().filter_map(first);
    let nodes: Vec<(&str, &str)> =
        nodes.filter(|(name, tensor)| !name.is_empty() && tensors.contains(tensor)).collect();
    let mut exact = BTreeSet::new();
    let mut matched = BTreeSet::new();
    let mut conflicts = Vec::new();
    for (at, pattern) in patterns.iter().enumerate() {
        let node = nodes.iter().find(|(name, _)| name == pattern).map(|(_, tensor)| *tensor);
        if let Some(tensor) = tensors.iter().find(|name| *name == pattern).copied().or(node) {
            exact.insert(tensor);
            continue;
        }
        let all = tensors.iter().map(|name| (*name, *name)).chain(nodes.iter().copied());
        let found: Vec<&str> = all.filter(|(name, _)| matches(pattern, name)).map(|(_, tensor)| tensor).collect();
        if found.is_empty() {
            conflicts.push(unknown(at, pattern, &tensors, &nodes));
        }
        matched.extend(found);
    }
    if !conflicts.is_empty() {
        return Err(conflicts);
    }
    let wanted = tensors.into_iter().filter(|tensor| exact.contains(tensor) || matched.contains(tensor));
    Ok(wanted.map(|tensor| Wanted { tensor, named: exact.contains(tensor).then_some("layers.tensors") }).collect())
}

fn unknown(at: usize, pattern: &str, tensors: &[&str], nodes: &[(&str, &str)]) -> Conflict {
    let names = tensors.iter().copied().chain(nodes.iter().map(|(name, _)| *name));
    let names: BTreeSet<&str> = names.collect();
    let near: Vec<String> = closest(pattern, names, OFFERED).into_iter().map(|name| format!("`{name}`")).collect();
    let message = format!("the model computes no tensor `{pattern}`");
    let help = match near.is_empty() {
        true => "it computes none at all".to_owned(),
        false => format!("closest are {}; `probity inspect` lists all, * and ? stand for any letters", near.join(", ")),
    };
    conflict(format!("layers.tensors.{at}"), message, help)
}

/// Whether a name fits a pattern in which * stands for any letters and ? for one.
fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    // Fits of the pattern so far, by the number of letters used up.
    let mut fits = vec![false; name.len() + 1];
    fits[0] = true;
    for letter in pattern {
        let before = fits.clone();
        for at in 0..fits.len() {
            fits[at] = match letter {
                '*' => before[..=at].contains(&true),
                _ => at > 0 && before[at - 1] && (letter == '?' || letter == name[at - 1]),
            };
        }
    }
    fits[name.len()]
}

fn planned(graph: &Graph, blocks: &Blocks, tapped: &Tapped) -> PlannedLayer {
    let block: Block = blocks.block(&tapped.tensor);
    let axis = block.axis.and_then(|axis| match axis {
        UnitAxis::First => Some(0),
        UnitAxis::Last => tapped.dims.len().checked_sub(1),
        UnitAxis::At(at) => at.checked_sub(1),
    });
    let dims: Vec<String> = tapped.dims.iter().map(ToString::to_string).collect();
    PlannedLayer {
        tensor: tapped.tensor.clone(),
        op: block.op().to_owned(),
        shape: format!("[{}]", std::iter::once("N".to_owned()).chain(dims).collect::<Vec<_>>().join(", ")),
        parameters: parameters(graph, block.nodes.iter().copied()),
        layout: Layout::new(&tapped.dims, axis),
        rectified: block.rectifies(graph),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_and_question_marks_stand_for_letters() {
        for (pattern, name, fits) in [
            ("conv*", "conv1/Relu", true),
            ("*Relu*", "conv1/Relu:0", true),
            ("conv?/Relu", "conv1/Relu", true),
            ("conv?/Relu", "conv12/Relu", false),
            ("*", "", true),
            ("?", "", false),
            ("a[0].*", "a[0].b", true),
            ("conv", "conv1", false),
        ] {
            assert_eq!(matches(pattern, name), fits, "{pattern} {name}");
        }
    }

    #[test]
    fn few_of_many_layers_are_evenly_spaced_and_hold_the_last() {
        let names = ["a", "b", "c", "d", "e", "f", "g"];
        assert_eq!(spread(names.to_vec(), 3), ["b", "d", "g"]);
        assert_eq!(spread(names.to_vec(), 1), ["g"]);
        assert_eq!(spread(names.to_vec(), 9), names);
    }
}
