//! Operators that move numbers within a row without computing.

use super::{Output, Outputs, columns, output_name};
use crate::model::import::columns::Columns;
use crate::model::import::error::ImportError;
use crate::model::import::flow::{Flow, Value};
use crate::model::import::layout::{Layout, row_axis};
use crate::model::import::scores::Scores;
use crate::model::onnx::{Node, Tensor};
use std::rc::Rc;

pub fn evaluate(flow: &Flow<'_>, node: &Node) -> Output {
    if node.is("Concat") {
        return concat(flow, node);
    }
    let operand = flow.operand(node, 0)?;
    let Some(dims) = row_dims(&operand) else {
        return unmoved(node, operand);
    };
    if let ("Reshape", Value::Scores(scores)) = (node.op_type.as_str(), &operand)
        && let [1, -1, width] = integers(flow, node, 1, "shape")?[..]
        && width == scores.elements.len() as i64
    {
        let dims = vec![1, scores.elements.len()];
        return Ok(Value::Stacked(Rc::new(Scores { dims, ..scores.as_ref().clone() })));
    }
    let layout = match node.op_type.as_str() {
        "Reshape" => Layout::reshape(dims, &integers(flow, node, 1, "shape")?)?,
        "Flatten" => Layout::flatten(dims, node.int("axis").unwrap_or(1))?,
        "Squeeze" => Layout::squeeze(dims, &integers(flow, node, 1, "axes")?)?,
        "Unsqueeze" => Layout::unsqueeze(dims, &integers(flow, node, 1, "axes")?)?,
        "Transpose" => Layout::transpose(dims, node.ints("perm"))?,
        "Slice" => slice(flow, node, dims)?,
        _ => gather(flow, node, dims)?,
    };
    moved(output_name(node), std::slice::from_ref(&operand), layout)
}

/// Shape of a row; `None` for what has no rows.
fn row_dims(value: &Value) -> Option<&[usize]> {
    match value {
        Value::Columns(columns) => Some(&columns.dims),
        Value::Scores(scores) => Some(&scores.dims),
        _ => None,
    }
}

/// Labels stay labels, constants keep their numbers where only their shape changes.
fn unmoved(node: &Node, operand: Value) -> Output {
    match operand {
        Value::Label => Ok(Value::Label),
        Value::Constant(tensor) => match node.op_type.as_str() {
            "Unsqueeze" | "Squeeze" if tensor.len() == 1 => Ok(Value::Constant(tensor)),
            _ => ImportError::no_rule("it rearranges a constant"),
        },
        Value::Opaque(why) => Err(ImportError::Upstream(why.to_string())),
        _ => ImportError::no_rule("it rearranges scores of several estimators"),
    }
}

/// Applies a layout to operands that are all columns or all scores.
pub fn moved(name: &str, operands: &[Value], layout: Layout) -> Output {
    let mut columns = Vec::with_capacity(operands.len());
    let mut scores = Vec::with_capacity(operands.len());
    for operand in operands {
        match operand {
            Value::Columns(each) => columns.push(each.as_ref()),
            Value::Scores(each) => scores.push(each.as_ref()),
            _ => return ImportError::no_rule("it joins scores with something else"),
        }
    }
    if scores.is_empty() {
        return Ok(Value::Columns(Rc::new(Columns::rearranged(name, &columns, layout))));
    }
    if !columns.is_empty() {
        return ImportError::no_rule("it joins scores and columns");
    }
    Ok(Value::Scores(Rc::new(Scores::rearranged(&scores, layout)?)))
}

fn concat(flow: &Flow<'_>, node: &Node) -> Output {
    let mut operands: Vec<Value> = (0..node.inputs.len()).map(|at| flow.operand(node, at)).collect::<Result<_, _>>()?;
    let scores = operands.iter().filter(|operand| matches!(operand, Value::Scores(_))).count();
    if operands.iter().all(|operand| matches!(operand, Value::Label)) {
        return Ok(Value::Label);
    }
    if let Some(stacked) = stacked(node, &operands)? {
        return Ok(stacked);
    }
    if scores < operands.len() {
        for (at, operand) in operands.iter_mut().enumerate() {
            *operand = Value::Columns(columns(flow, node, at)?);
        }
    }
    let rows: Vec<&[usize]> = operands.iter().filter_map(row_dims).collect();
    let axis = row_axis(node.int("axis").unwrap_or(1), rows.first().copied().unwrap_or_default())?;
    let layout = Layout::concat(&rows, axis)?;
    moved(output_name(node), &operands, layout)
}

/// Scores of further estimators below those there are, along the axis before the rows.
fn stacked(node: &Node, operands: &[Value]) -> Result<Option<Value>, ImportError> {
    let each = |operand: &Value| {
        if let Value::Stacked(scores) = operand { Some(Rc::clone(scores)) } else { None }
    };
    let Some(scores) = operands.iter().map(each).collect::<Option<Vec<Rc<Scores>>>>() else {
        return Ok(None);
    };
    if node.int("axis") != Some(0) {
        return ImportError::no_rule("it joins scores of several estimators along another axis");
    }
    let rows: Vec<&[usize]> = scores.iter().map(|scores| scores.dims.as_slice()).collect();
    let layout = Layout::concat(&rows, 0)?;
    let operands: Vec<&Scores> = scores.iter().map(Rc::as_ref).collect();
    Ok(Some(Value::Stacked(Rc::new(Scores::rearranged(&operands, layout)?))))
}

pub fn split(flow: &Flow<'_>, node: &Node) -> Outputs {
    let operand = flow.operand(node, 0)?;
    let Some(dims) = row_dims(&operand) else {
        return ImportError::no_rule("it splits something other than columns");
    };
    let axis = row_axis(node.int("axis").unwrap_or(0), dims)?;
    let sizes = integers(flow, node, 1, "split")?;
    let parts = node.outputs.len().max(1);
    let sizes: Vec<usize> = match sizes.as_slice() {
        [] => {
            let share = dims[axis].div_ceil(parts);
            (0..parts).map(|part| share.min(dims[axis].saturating_sub(part * share))).collect()
        }
        sizes => sizes.iter().map(|size| usize::try_from(*size).unwrap_or(usize::MAX)).collect(),
    };
    let mut start = 0_usize;
    let mut outputs = Vec::with_capacity(parts);
    for (name, size) in node.outputs.iter().zip(sizes) {
        let end = start.saturating_add(size);
        if end > dims[axis] {
            return ImportError::no_rule("its parts are wider than the whole");
        }
        let layout = Layout::take(dims, axis, &(start..end).collect::<Vec<_>>())?;
        outputs.push(moved(name, std::slice::from_ref(&operand), layout)?);
        start = end;
    }
    Ok(outputs)
}

/// Starts, ends, axes and steps are inputs since version 10, attributes before.
fn slice(flow: &Flow<'_>, node: &Node, dims: &[usize]) -> Result<Layout, ImportError> {
    let (starts, ends) = (integers(flow, node, 1, "starts")?, integers(flow, node, 2, "ends")?);
    let (axes, steps) = (integers(flow, node, 3, "axes")?, integers(flow, node, 4, "steps")?);
    let mut layout = Layout::with_dims(dims.to_vec())?;
    for (at, (start, end)) in starts.iter().zip(&ends).enumerate() {
        if steps.get(at).is_some_and(|step| *step != 1) {
            return ImportError::no_rule("it skips columns");
        }
        let axis = row_axis(axes.get(at).copied().unwrap_or(at as i64), dims)?;
        let width = layout.dims[axis] as i64;
        let bounded =
            |place: i64| (if place < 0 { place.saturating_add(width) } else { place }).clamp(0, width) as usize;
        let kept: Vec<usize> = (bounded(*start)..bounded(*end)).collect();
        let taken = Layout::take(&layout.dims, axis, &kept)?;
        let picks = taken.picks.iter().map(|(_, from)| layout.picks[*from]).collect();
        layout = Layout { dims: taken.dims, picks };
    }
    Ok(layout)
}

fn gather(flow: &Flow<'_>, node: &Node, dims: &[usize]) -> Result<Layout, ImportError> {
    let Some(indices) = flow.constant(node, 1)? else {
        return ImportError::no_rule("it has no indices");
    };
    let axis = row_axis(node.int("axis").unwrap_or(0), dims)?;
    let kept = positions(&indices, dims[axis])?;
    let mut layout = Layout::take(dims, axis, &kept)?;
    match indices.dims.len() {
        0 => {
            layout.dims.remove(axis);
        }
        1 => {}
        _ => return ImportError::no_rule("its indices are a matrix"),
    }
    Ok(layout)
}

/// Column numbers, negative from the end.
pub fn positions(indices: &Tensor, width: usize) -> Result<Vec<usize>, ImportError> {
    let Some(indices) = indices.integers() else {
        return ImportError::no_rule("its indices are not integers");
    };
    let position = |index: &i64| {
        let index = if *index < 0 { index + width as i64 } else { *index };
        usize::try_from(index).or_else(|_| ImportError::no_rule(format!("it takes column {index}")))
    };
    indices.iter().map(position).collect()
}

/// Integers from input `at` or, in older versions, from an attribute; empty if neither is there.
fn integers(flow: &Flow<'_>, node: &Node, at: usize, attribute: &str) -> Result<Vec<i64>, ImportError> {
    match flow.constant(node, at)? {
        None => Ok(node.ints(attribute).to_vec()),
        Some(tensor) => match tensor.integers() {
            Some(values) => Ok(values.to_vec()),
            None => ImportError::no_rule(format!("its {attribute} are not integers")),
        },
    }
}
