//! What ONNX Runtime makes of the sums of a tree ensemble, operator by operator.
//!
//! The specification leaves open how two classes come out of one sum; these rules were read off ONNX Runtime 1.31 and
//! are checked against it case by case. Where its answer depends on which leaves happen to vote, or leaves numbers
//! unset, the ensemble is refused.

use super::columns::Columns;
use super::ensemble::{self, CLASSES, Ensemble, TARGETS};
use super::ensemble_v5;
use super::error::ImportError;
use super::layout::LARGEST_ROW;
use super::scores::{Additive, Form, Scores, Terms};
use crate::forest::Link;
use crate::model::onnx::Node;
use std::rc::Rc;

/// `TreeEnsembleClassifier`: the scores output.
pub fn classifier(node: &Node, input: Rc<Columns>) -> Result<Scores, ImportError> {
    let n_classes = node.texts("classlabels_strings").len().max(node.ints("classlabels_int64s").len());
    let ensemble = ensemble::read(node, CLASSES, checked_outputs(n_classes as i64)?)?;
    let link = link(node.text("post_transform").unwrap_or("NONE"))?;
    let (base, all_positive) = (ensemble.base.clone(), ensemble.all_positive);
    let additive = summed(ensemble, input, vec![0.0; n_classes])?;
    match n_classes {
        1 => one_class(additive, &base, link),
        2 => two_classes(additive, &base, all_positive, link),
        _ => many(additive, &base, link, BaseNeeds::Nothing),
    }
}

/// `TreeEnsembleRegressor`.
pub fn regressor(node: &Node, input: Rc<Columns>) -> Result<Scores, ImportError> {
    let n_targets = checked_outputs(node.int("n_targets").unwrap_or(0))?;
    let mut ensemble = ensemble::read(node, TARGETS, n_targets)?;
    let base = std::mem::take(&mut ensemble.base);
    let aggregate = node.text("aggregate_function").unwrap_or("SUM");
    targets(node.text("post_transform").unwrap_or("NONE"), aggregate, ensemble, input, n_targets, &base)
}

/// `TreeEnsemble` of `ai.onnx.ml` 5, whose attributes are codes.
pub fn ensemble_v5(node: &Node, input: Rc<Columns>) -> Result<Scores, ImportError> {
    let n_targets = checked_outputs(node.int("n_targets").unwrap_or(0))?;
    let ensemble = ensemble_v5::read(node, n_targets)?;
    let name = |code: i64, names: &[&'static str]| {
        usize::try_from(code)
            .ok()
            .and_then(|code| names.get(code))
            .map_or_else(|| code.to_string(), |name| (*name).to_owned())
    };
    let aggregate = name(node.int("aggregate_function").unwrap_or(1), &["AVERAGE", "SUM", "MIN", "MAX"]);
    // The runtime's order; the specification numbers SOFTMAX 1 and LOGISTIC 2.
    let transforms = ["NONE", "LOGISTIC", "SOFTMAX", "SOFTMAX_ZERO", "PROBIT"];
    let transform = name(node.int("post_transform").unwrap_or(0), &transforms);
    targets(&transform, &aggregate, ensemble, input, n_targets, &[])
}

fn targets(
    transform: &str,
    aggregate: &str,
    mut ensemble: Ensemble,
    input: Rc<Columns>,
    n_targets: usize,
    base: &[f64],
) -> Result<Scores, ImportError> {
    let link = link(transform)?;
    match aggregate {
        "SUM" => {}
        "AVERAGE" => divide(&mut ensemble),
        other => return Err(ImportError::Aggregate(other.to_owned())),
    }
    let additive = summed(ensemble, input, vec![0.0; n_targets])?;
    if n_targets == 1 {
        return one_class(additive, base, link);
    }
    many(additive, base, link, BaseNeeds::Votes)
}

/// A single sum is reported as it is: ONNX Runtime applies only PROBIT to it.
fn one_class(mut additive: Additive, base: &[f64], link: Link) -> Result<Scores, ImportError> {
    match base {
        [] => {}
        [base] => additive.base[0] = *base,
        _ => return too_many_base_values(base, 1),
    }
    Ok(Scores::linked(additive, if link == Link::Probit { link } else { Link::Identity }))
}

/// What a base value needs to be added.
#[derive(PartialEq)]
enum BaseNeeds {
    Nothing,
    /// Without a vote for its output the runtime reports 0 instead.
    Votes,
}

fn many(mut additive: Additive, base: &[f64], link: Link, needs: BaseNeeds) -> Result<Scores, ImportError> {
    if !base.is_empty() {
        if base.len() != additive.n_outputs() {
            return too_many_base_values(base, additive.n_outputs());
        }
        for (output, value) in base.iter().enumerate() {
            if needs == BaseNeeds::Votes && *value != 0.0 && !additive.always_votes(output) {
                return ImportError::no_rule(format!("output {output} has a base value that not every row receives"));
            }
        }
        additive.base = base.to_vec();
    }
    Ok(Scores::linked(additive, link))
}

fn two_classes(additive: Additive, base: &[f64], all_positive: bool, link: Link) -> Result<Scores, ImportError> {
    let voted = |class: u32| match &additive.terms {
        Terms::Trees(trees) => trees.iter().any(|grown| grown.tree.votes.iter().any(|vote| vote.0 == class)),
        Terms::Weights(_) => false,
    };
    match (voted(0), voted(1)) {
        (_, false) => one_sum(additive, base, all_positive, link),
        (false, true) => second_class_only(additive, base, link),
        (true, true) => both_classes(additive, base, link),
    }
}

/// All votes are stored for the first class, by convention the score of the second.
fn one_sum(additive: Additive, base: &[f64], all_positive: bool, link: Link) -> Result<Scores, ImportError> {
    let base = match base {
        [] => 0.0,
        [base] => *base,
        _ => return ImportError::no_rule("it has two base values but votes for one class only"),
    };
    if base != 0.0 && !additive.always_votes(0) {
        return ImportError::no_rule("it has a base value that not every row receives");
    }
    let rows = [super::scores::AffineRow { terms: vec![(0, 1.0)], shift: base }];
    let sum = additive.affine(&rows);
    match (link, all_positive) {
        (Link::Logistic, _) => Ok(Scores::pair(sum, Link::Logistic, Form::Complement)),
        (Link::Probit, _) => ImportError::no_rule("PROBIT of one sum for two classes leaves a column unset"),
        // Softmax is not applied to a single sum.
        (_, true) => Ok(Scores::pair(sum, Link::Identity, Form::Complement)),
        (_, false) => Ok(Scores::pair(sum, Link::Identity, Form::Negated)),
    }
}

/// The first class stays at 0; a single base value would belong to it and is not reported without a vote.
fn second_class_only(additive: Additive, base: &[f64], link: Link) -> Result<Scores, ImportError> {
    if base.len() > 1 {
        return ImportError::no_rule("it has two base values but votes for one class only");
    }
    needs_second(&additive)?;
    Ok(Scores::linked(additive, link))
}

fn both_classes(mut additive: Additive, base: &[f64], link: Link) -> Result<Scores, ImportError> {
    needs_second(&additive)?;
    match base {
        [] => {}
        [base] if *base == 0.0 || additive.always_votes(0) => additive.base[0] = *base,
        [_] => return ImportError::no_rule("it has a base value that not every row receives"),
        _ => return ImportError::no_rule("with two base values the runtime ignores the votes of the second class"),
    }
    Ok(Scores::linked(additive, link))
}

/// A row without any vote for the second class is reported by another rule.
fn needs_second(additive: &Additive) -> Result<(), ImportError> {
    if additive.always_votes(1) {
        return Ok(());
    }
    ImportError::no_rule("some rows may get no vote for the second class, and are then reported differently")
}

fn summed(ensemble: Ensemble, input: Rc<Columns>, base: Vec<f64>) -> Result<Additive, ImportError> {
    if input.dims.len() != 1 {
        return ImportError::no_rule("its input is not a matrix");
    }
    if ensemble.n_features > input.sources.len() {
        let (needs, has) = (ensemble.n_features, input.sources.len());
        return ImportError::no_rule(format!("it tests feature {} of {has}", needs - 1));
    }
    Ok(Additive { input, base, terms: Terms::Trees(ensemble.table.grow()?) })
}

/// AVERAGE: the mean over trees; base values are added after it.
fn divide(ensemble: &mut Ensemble) {
    let n_trees = ensemble.table.roots.len().max(1) as f64;
    for node in &mut ensemble.table.nodes {
        if let super::grow::Planted::Leaf(votes) = node {
            votes.iter_mut().for_each(|vote| vote.1 /= n_trees);
        }
    }
}

pub fn link(transform: &str) -> Result<Link, ImportError> {
    match transform {
        "NONE" => Ok(Link::Identity),
        "LOGISTIC" => Ok(Link::Logistic),
        "SOFTMAX" => Ok(Link::Softmax),
        "SOFTMAX_ZERO" => Ok(Link::SoftmaxZero),
        "PROBIT" => Ok(Link::Probit),
        other => Err(ImportError::PostTransform(other.to_owned())),
    }
}

pub fn checked_outputs(n: i64) -> Result<usize, ImportError> {
    let limit = LARGEST_ROW;
    let too_large = ImportError::TooLarge { what: "the number of outputs", found: n.to_string(), limit };
    usize::try_from(n).ok().filter(|n| (1..=limit).contains(n)).ok_or(too_large)
}

fn too_many_base_values<T>(base: &[f64], expected: usize) -> Result<T, ImportError> {
    Err(ImportError::Length { attribute: "base_values".to_owned(), found: base.len(), expected })
}
