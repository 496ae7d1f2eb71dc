//! Operators of `ai.onnx.ml` that prepare columns.

use super::movement::{moved, positions};
use super::{Output, columns, output_name};
use crate::model::import::columns::Columns;
use crate::model::import::error::ImportError;
use crate::model::import::flow::{Flow, Value};
use crate::model::import::layout::{Layout, size};
use crate::model::import::scores::Scores;
use crate::model::onnx::{ElementType, Node};
use std::rc::Rc;

pub fn evaluate(flow: &Flow<'_>, node: &Node) -> Output {
    let same = |element: ElementType| -> Output {
        Ok(Value::Columns(Rc::new(columns(flow, node, 0)?.mapped(output_name(node), element))))
    };
    match node.op_type.as_str() {
        "Scaler" => same(ElementType::Float),
        "Imputer" | "Binarizer" => same(columns(flow, node, 0)?.element),
        "LabelEncoder" => {
            if let Value::Label = flow.operand(node, 0)? {
                return Ok(Value::Label);
            }
            same(encoded(node)?)
        }
        "CategoryMapper" => {
            let text = columns(flow, node, 0)?.element == ElementType::String;
            same(if text { ElementType::Int64 } else { ElementType::String })
        }
        "OneHotEncoder" => one_hot(flow, node),
        "ArrayFeatureExtractor" => extract(flow, node),
        "FeatureVectorizer" => vectorize(flow, node),
        "Normalizer" => normalize(flow, node),
        _ => ImportError::no_rule("the operator is not followed"),
    }
}

/// What a `LabelEncoder` writes.
fn encoded(node: &Node) -> Result<ElementType, ImportError> {
    if let Some(tensor) = node.tensor("values_tensor")? {
        return Ok(tensor.element);
    }
    Ok(if !node.floats("values_floats").is_empty() {
        ElementType::Float
    } else if !node.texts("values_strings").is_empty() {
        ElementType::String
    } else {
        ElementType::Int64
    })
}

/// A further axis with one number a category.
fn one_hot(flow: &Flow<'_>, node: &Node) -> Output {
    let categories = node.texts("cats_strings").len().max(node.ints("cats_int64s").len());
    let operand = columns(flow, node, 0)?;
    let mut dims = operand.dims.clone();
    dims.push(categories);
    size(&dims)?;
    let sources = operand.sources.iter().flat_map(|source| std::iter::repeat_n(source, categories)).cloned().collect();
    let encoded = Columns { element: ElementType::Float, ..operand.with_sources(output_name(node), dims, sources) };
    Ok(Value::Columns(Rc::new(encoded)))
}

/// Columns along the last axis, by number.
fn extract(flow: &Flow<'_>, node: &Node) -> Output {
    let operand = flow.operand(node, 0)?;
    let dims = match &operand {
        Value::Columns(columns) => columns.dims.clone(),
        Value::Scores(scores) => scores.dims.clone(),
        // Class labels looked up by a decision.
        Value::Label | Value::Constant(_) => return Ok(Value::Label),
        Value::Stacked(_) => return ImportError::no_rule("it takes scores of several estimators apart"),
        Value::Opaque(why) => return ImportError::no_rule(why.as_ref()),
    };
    let Some(indices) = flow.constant(node, 1)? else {
        return ImportError::no_rule("it has no indices");
    };
    let Some(width) = dims.last() else {
        return ImportError::no_rule("its input has no columns");
    };
    let layout = Layout::take(&dims, dims.len() - 1, &positions(&indices, *width)?)?;
    moved(output_name(node), &[operand], layout)
}

/// All inputs side by side.
fn vectorize(flow: &Flow<'_>, node: &Node) -> Output {
    let operands: Vec<Rc<Columns>> =
        (0..node.inputs.len()).map(|at| columns(flow, node, at)).collect::<Result<_, _>>()?;
    let widths: Vec<[usize; 1]> = operands.iter().map(|operand| [operand.sources.len()]).collect();
    let rows: Vec<&[usize]> = widths.iter().map(|width| width.as_slice()).collect();
    let layout = Layout::concat(&rows, 0)?;
    let operands: Vec<&Columns> = operands.iter().map(Rc::as_ref).collect();
    let joined = Columns::rearranged(output_name(node), &operands, layout);
    Ok(Value::Columns(Rc::new(Columns { element: ElementType::Float, ..joined })))
}

/// Behind scores the last step of one-vs-rest classifiers; before them every number depends on the whole row.
pub fn normalize(flow: &Flow<'_>, node: &Node) -> Output {
    if let Value::Scores(scores) = flow.operand(node, 0)? {
        if scores.sums_to_one() {
            return Ok(Value::Scores(scores));
        }
        let by_sum = node.text("norm") == Some("L1") || node.int("p") == Some(1);
        if !by_sum || scores.normalised || scores.dims.len() != 1 {
            return ImportError::no_rule("it normalises scores by something else than their sum");
        }
        return Ok(Value::Scores(Rc::new(Scores { normalised: true, ..scores.as_ref().clone() })));
    }
    let operand = columns(flow, node, 0)?;
    let mut normalised = operand.mapped(output_name(node), ElementType::Float);
    let all = operand.all();
    normalised.sources.fill(all);
    Ok(Value::Columns(Rc::new(normalised)))
}
