//! One rule an operator.

mod arithmetic;
mod movement;
mod preprocessing;

use super::columns::Columns;
use super::error::ImportError;
use super::flow::{Flow, Value};
use super::linear::{self, Operand, Product};
use super::scores::Scores;
use super::tree_scores;
use crate::model::onnx::{ElementType, Node};
use std::rc::Rc;

type Outputs = Result<Vec<Value>, ImportError>;
type Output = Result<Value, ImportError>;

/// Values of a node's outputs.
pub fn evaluate(flow: &Flow<'_>, node: &Node) -> Outputs {
    match node.domain.as_str() {
        "ai.onnx.ml" => evaluate_ml(flow, node),
        "" => evaluate_standard(flow, node),
        domain => ImportError::no_rule(format!("operators of domain `{domain}` are not followed")),
    }
}

fn evaluate_ml(flow: &Flow<'_>, node: &Node) -> Outputs {
    let decided = |scores: Scores| Ok(vec![Value::Label, Value::Scores(Rc::new(scores))]);
    let scored = |scores: Scores| Ok(vec![Value::Scores(Rc::new(scores))]);
    match node.op_type.as_str() {
        "TreeEnsembleClassifier" => decided(tree_scores::classifier(node, columns(flow, node, 0)?)?),
        "TreeEnsembleRegressor" => scored(tree_scores::regressor(node, columns(flow, node, 0)?)?),
        "TreeEnsemble" => scored(tree_scores::ensemble_v5(node, columns(flow, node, 0)?)?),
        "LinearClassifier" => decided(linear::classifier(node, operand(flow, node)?)?),
        "LinearRegressor" => scored(linear::regressor(node, operand(flow, node)?)?),
        "ZipMap" => one(flow.operand(node, 0)),
        _ => one(preprocessing::evaluate(flow, node)),
    }
}

fn evaluate_standard(flow: &Flow<'_>, node: &Node) -> Outputs {
    match node.op_type.as_str() {
        "Split" => movement::split(flow, node),
        "Dropout" => Ok(vec![flow.operand(node, 0)?]),
        "Identity" => one(flow.operand(node, 0)),
        "Cast" => one(cast(flow, node)),
        "Gemm" | "MatMul" => one(product(flow, node)),
        "Sigmoid" => one(linked(flow, node, Scores::sigmoid)),
        "Softmax" => one(linked(flow, node, Scores::softmax)),
        "ArgMax" | "ArgMin" => match flow.operand(node, 0)? {
            Value::Scores(_) => Ok(vec![Value::Label]),
            _ => one(arithmetic::evaluate(flow, node)),
        },
        "LpNormalization" => one(preprocessing::normalize(flow, node)),
        "Concat" | "Reshape" | "Flatten" | "Squeeze" | "Unsqueeze" | "Transpose" | "Slice" | "Gather" => {
            one(movement::evaluate(flow, node))
        }
        _ => one(arithmetic::evaluate(flow, node)),
    }
}

fn one(value: Output) -> Outputs {
    Ok(vec![value?])
}

fn output_name(node: &Node) -> &str {
    node.outputs.first().map_or("", String::as_str)
}

/// An input as numbers that depend on raw columns; scores become such numbers, constants numbers of nothing.
fn columns(flow: &Flow<'_>, node: &Node, at: usize) -> Result<Rc<Columns>, ImportError> {
    let name = node.inputs.get(at).map_or("", String::as_str);
    match flow.operand(node, at)? {
        Value::Columns(columns) => Ok(columns),
        Value::Scores(scores) => Ok(Rc::new(scores.as_columns(name)?)),
        Value::Constant(tensor) => {
            // A leading axis of 1 is stretched over the rows.
            let dims = match tensor.dims.as_slice() {
                [1, rest @ ..] if !rest.is_empty() => rest.to_vec(),
                dims => dims.to_vec(),
            };
            Ok(Rc::new(Columns::constant(name, tensor.element, dims)?))
        }
        Value::Label => ImportError::no_rule("it reads a decision"),
        Value::Stacked(_) => ImportError::no_rule("it reads scores of several estimators"),
        Value::Opaque(why) => Err(ImportError::Upstream(why.to_string())),
    }
}

fn cast(flow: &Flow<'_>, node: &Node) -> Output {
    let to = i32::try_from(node.int("to").unwrap_or(0)).unwrap_or(0);
    let element = ElementType::from_code(to);
    let is_float =
        matches!(element, ElementType::Float | ElementType::Double | ElementType::Float16 | ElementType::BFloat16);
    match flow.operand(node, 0)? {
        Value::Columns(columns) if columns.element == element => Ok(Value::Columns(columns)),
        Value::Columns(columns) => Ok(Value::Columns(Rc::new(columns.mapped(output_name(node), element)))),
        Value::Scores(_) if !is_float => Ok(Value::Label),
        Value::Constant(tensor) if element == ElementType::String || tensor.numbers().is_none() => {
            ImportError::no_rule("it casts a constant to or from text")
        }
        other => Ok(other),
    }
}

/// `Gemm` and `MatMul` with constant weights.
fn product(flow: &Flow<'_>, node: &Node) -> Output {
    let Some(b) = flow.constant(node, 1)? else {
        return ImportError::no_rule("its second operand is missing");
    };
    let product = match node.op_type.as_str() {
        "Gemm" => Product::of_gemm(node, &b, flow.constant(node, 2)?.as_deref())?,
        _ => Product::of_matmul(&b)?,
    };
    let mut scores = Scores::raw(operand(flow, node)?.times(product)?);
    if b.dims.len() == 1 {
        scores.dims.clear();
    }
    Ok(Value::Scores(Rc::new(scores)))
}

/// What the weights of a linear operator are applied to.
fn operand(flow: &Flow<'_>, node: &Node) -> Result<Operand, ImportError> {
    match flow.operand(node, 0)? {
        Value::Scores(scores) if scores.is_raw() => Ok(Operand::Sums(scores)),
        _ => Ok(Operand::Columns(columns(flow, node, 0)?)),
    }
}

/// `Sigmoid` and `Softmax`: a link behind sums, else a function of columns.
fn linked(flow: &Flow<'_>, node: &Node, link: impl Fn(&Scores) -> Result<Scores, ImportError>) -> Output {
    let softmax = node.op_type == "Softmax";
    match flow.operand(node, 0)? {
        Value::Scores(scores) if scores.is_raw() => {
            let over_row = scores.dims.len() == 1 && matches!(node.int("axis"), None | Some(-1 | 1));
            if softmax && !over_row {
                return ImportError::no_rule("it normalises over another axis than the classes");
            }
            Ok(Value::Scores(Rc::new(link(&scores)?)))
        }
        _ => {
            let columns = columns(flow, node, 0)?;
            let mut mapped = columns.mapped(output_name(node), columns.element);
            if softmax {
                let all = columns.all();
                mapped.sources.fill(all);
            }
            Ok(Value::Columns(Rc::new(mapped)))
        }
    }
}
