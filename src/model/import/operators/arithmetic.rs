//! Operators that compute number by number, with stretching, and sums along an axis.

use super::{Output, columns, output_name};
use crate::model::import::columns::{Columns, Source};
use crate::model::import::error::ImportError;
use crate::model::import::flow::{Flow, Value};
use crate::model::import::layout::{Layout, Stretched, row_axis};
use crate::model::import::scores::{AffineRow, Scores};
use crate::model::onnx::{ElementType, Node, Tensor};
use std::rc::Rc;

pub fn evaluate(flow: &Flow<'_>, node: &Node) -> Output {
    match node.op_type.as_str() {
        "Add" | "Sub" | "Mul" | "Div" => binary(flow, node),
        "Sum" | "Mean" => variadic(flow, node),
        "Neg" => negated(flow, node),
        "ReduceSum" | "ReduceMean" => reduced(flow, node),
        "ReduceMax" | "ReduceMin" | "ReduceProd" | "ReduceL1" | "ReduceL2" | "ReduceLogSum" | "ReduceLogSumExp"
        | "ReduceSumSquare" | "ArgMax" | "ArgMin" => reduced_columns(flow, node),
        "Pow" | "Mod" | "Min" | "Max" | "Where" | "And" | "Or" | "Xor" | "Equal" | "Less" | "LessOrEqual"
        | "Greater" | "GreaterOrEqual" | "PRelu" => elementwise(flow, node, node.inputs.len()),
        "Clip" | "Abs" | "Ceil" | "Celu" | "Cos" | "Elu" | "Erf" | "Exp" | "Floor" | "Gelu" | "HardSigmoid"
        | "HardSwish" | "IsInf" | "IsNaN" | "LeakyRelu" | "Log" | "Mish" | "Not" | "Reciprocal" | "Relu" | "Round"
        | "Selu" | "Sign" | "Sin" | "Softplus" | "Softsign" | "Sqrt" | "Tan" | "Tanh" | "ThresholdedRelu" => {
            elementwise(flow, node, 1)
        }
        _ => ImportError::no_rule("the operator is not followed"),
    }
}

/// Any function of its first `n` operands, number by number.
fn elementwise(flow: &Flow<'_>, node: &Node, n: usize) -> Output {
    let name = output_name(node);
    let mut result = columns(flow, node, 0)?.mapped(name, ElementType::Float);
    let mut element = columns(flow, node, 0)?.element;
    for at in 1..n {
        let other = columns(flow, node, at)?;
        // Of `Where`'s operands the condition says nothing about the result's type.
        element = if other.element == ElementType::Double { ElementType::Double } else { element };
        result = result.combined(&other, name)?;
    }
    result.element = flow.element(name, element);
    Ok(Value::Columns(Rc::new(result)))
}

fn binary(flow: &Flow<'_>, node: &Node) -> Output {
    let op = node.op_type.as_str();
    let scores = match (flow.operand(node, 0)?, flow.operand(node, 1)?) {
        (Value::Scores(left), Value::Scores(right)) => match op {
            "Add" => joined(&left, &right, 1.0)?,
            "Sub" => joined(&left, &right, -1.0)?,
            _ => return elementwise(flow, node, 2),
        },
        (Value::Scores(scores), Value::Constant(constant)) => with_constant(&scores, &constant, op, false)?,
        (Value::Constant(_), Value::Scores(_)) if op == "Div" => return elementwise(flow, node, 2),
        (Value::Constant(constant), Value::Scores(scores)) => with_constant(&scores, &constant, op, true)?,
        (Value::Constant(left), Value::Constant(right)) => return folded(&left, &right, op),
        (Value::Scores(scores), _) if op == "Div" && !scores.normalised && by_own_sum(flow, node) => {
            if scores.sums_to_one() {
                scores.as_ref().clone()
            } else {
                Scores { normalised: true, ..scores.as_ref().clone() }
            }
        }
        _ => return elementwise(flow, node, 2),
    };
    Ok(Value::Scores(Rc::new(scores)))
}

/// `x / ReduceSum(x)` and `x / ReduceSum(Abs(x))` over the row: how scores are normalised in double precision.
fn by_own_sum(flow: &Flow<'_>, node: &Node) -> bool {
    let producer = |tensor: &String| flow.graph.producer_of(tensor);
    let Some(sum) = node.inputs.get(1).and_then(producer).filter(|sum| sum.is("ReduceSum") || sum.is("ReduceL1"))
    else {
        return false;
    };
    let own = |tensor: Option<&String>| tensor.is_some() && tensor == node.inputs.first();
    let summed = sum.inputs.first();
    let absolute = summed.and_then(producer).filter(|abs| abs.is("Abs"));
    let over_row = axes(flow, sum).is_ok_and(|axes| matches!(axes[..], [1 | -1]));
    let kept = sum.int("keepdims").unwrap_or(1) == 1;
    over_row && kept && (own(summed) || absolute.is_some_and(|abs| own(abs.inputs.first())))
}

/// `left + sign · right`, both sums over the same features.
fn joined(left: &Scores, right: &Scores, sign: f64) -> Result<Scores, ImportError> {
    let Stretched { dims, pairs } = Layout::broadcast(&left.dims, &right.dims)?;
    if !(left.is_raw() && right.is_raw()) {
        return ImportError::no_rule("it adds scores behind their link");
    }
    let width = left.elements.len();
    let together = Layout::with_dims(vec![width + right.elements.len()])?;
    let picks = (0..together.picks.len()).map(|at| if at < width { (0, at) } else { (1, at - width) }).collect();
    let stacked = Scores::rearranged(&[left, right], Layout { picks, ..together })?;
    let row = |(l, r): &(usize, usize)| AffineRow { terms: vec![(*l, 1.0), (width + r, sign)], shift: 0.0 };
    stacked.affine(&pairs.iter().map(row).collect::<Vec<_>>(), dims)
}

/// Scores combined with a constant; `first` says that the constant stands before the operator.
fn with_constant(scores: &Scores, constant: &Tensor, op: &str, first: bool) -> Result<Scores, ImportError> {
    let Some(values) = constant.numbers() else {
        return ImportError::no_rule("it computes with text");
    };
    let all = |wanted: f64| values.iter().all(|value| *value == wanted);
    let shape = match constant.dims.as_slice() {
        [1, rest @ ..] if rest.len() >= scores.dims.len() => rest,
        dims => dims,
    };
    let Stretched { dims, pairs } = Layout::broadcast(&scores.dims, shape)?;
    let same_shape = dims == scores.dims;
    match op {
        "Mul" | "Div" if all(1.0) && same_shape => return Ok(scores.clone()),
        "Add" | "Sub" if all(0.0) && same_shape && !first => return Ok(scores.clone()),
        "Sub" if all(1.0) && same_shape && first => return scores.complement(),
        _ => {}
    }
    let row = |(at, from): &(usize, usize)| {
        let value = values[*from];
        let (factor, shift) = match (op, first) {
            ("Add", _) => (1.0, value),
            ("Sub", false) => (1.0, -value),
            ("Sub", true) => (-1.0, value),
            ("Mul", _) => (value, 0.0),
            _ => (1.0 / value, 0.0),
        };
        AffineRow { terms: vec![(*at, factor)], shift }
    };
    scores.affine(&pairs.iter().map(row).collect::<Vec<_>>(), dims)
}

/// Constants of one shape, or one of them a single number.
fn folded(left: &Tensor, right: &Tensor, op: &str) -> Output {
    use crate::model::onnx::Values;
    let (Some(l), Some(r)) = (left.numbers(), right.numbers()) else {
        return ImportError::no_rule("it computes with text");
    };
    let wide = if l.len() >= r.len() { left } else { right };
    if !(left.dims == right.dims || l.len() == 1 || r.len() == 1) {
        return ImportError::no_rule("it stretches constants");
    }
    let compute = |at: usize| {
        let (l, r) = (l[at % l.len()], r[at % r.len()]);
        match op {
            "Add" => l + r,
            "Sub" => l - r,
            "Mul" => l * r,
            _ => l / r,
        }
    };
    let integers = matches!((&left.values, &right.values), (Values::Int(_), Values::Int(_)));
    if integers {
        return ImportError::no_rule("it computes with constant integers");
    }
    let values = Values::Float((0..wide.len()).map(compute).collect());
    Ok(Value::Constant(Rc::new(Tensor { values, ..wide.clone() })))
}

fn variadic(flow: &Flow<'_>, node: &Node) -> Output {
    let operands: Vec<Value> = (0..node.inputs.len()).map(|at| flow.operand(node, at)).collect::<Result<_, _>>()?;
    let mut sum: Option<Scores> = None;
    for operand in &operands {
        let Value::Scores(scores) = operand else {
            return elementwise(flow, node, node.inputs.len());
        };
        sum = Some(match sum {
            None => scores.as_ref().clone(),
            Some(sum) => joined(&sum, scores, 1.0)?,
        });
    }
    let Some(sum) = sum else {
        return ImportError::no_rule("it adds nothing");
    };
    if node.op_type == "Sum" {
        return Ok(Value::Scores(Rc::new(sum)));
    }
    let share = 1.0 / operands.len() as f64;
    let rows: Vec<AffineRow> =
        (0..sum.elements.len()).map(|at| AffineRow { terms: vec![(at, share)], shift: 0.0 }).collect();
    Ok(Value::Scores(Rc::new(sum.affine(&rows, sum.dims.clone())?)))
}

fn negated(flow: &Flow<'_>, node: &Node) -> Output {
    match flow.operand(node, 0)? {
        Value::Scores(scores) if scores.is_raw() => {
            let rows: Vec<AffineRow> =
                (0..scores.elements.len()).map(|at| AffineRow { terms: vec![(at, -1.0)], shift: 0.0 }).collect();
            Ok(Value::Scores(Rc::new(scores.affine(&rows, scores.dims.clone())?)))
        }
        _ => elementwise(flow, node, 1),
    }
}

/// Positions of a row that each result collects, and the shape of the result.
struct Groups {
    dims: Vec<usize>,
    members: Vec<Vec<usize>>,
}

impl Groups {
    fn of(flow: &Flow<'_>, node: &Node, dims: &[usize]) -> Result<Groups, ImportError> {
        let [axis] = axes(flow, node)?[..] else {
            return ImportError::no_rule("it does not reduce along exactly one axis");
        };
        Ok(Groups::along(row_axis(axis, dims)?, dims, node.int("keepdims").unwrap_or(1) != 0))
    }

    fn along(axis: usize, dims: &[usize], keep: bool) -> Groups {
        let (width, inner): (usize, usize) = (dims[axis], dims[axis + 1..].iter().product());
        let outer: usize = dims[..axis].iter().product();
        let member = |block: usize, within: usize| move |along| (block * width + along) * inner + within;
        let mut members = Vec::with_capacity(outer * inner);
        for block in 0..outer {
            members.extend((0..inner).map(|within| (0..width).map(member(block, within)).collect()));
        }
        let mut reduced = dims.to_vec();
        if keep {
            reduced[axis] = 1;
        } else {
            reduced.remove(axis);
        }
        Groups { dims: reduced, members }
    }
}

/// Axes of a reduction: an input in later versions, an attribute in earlier ones.
fn axes(flow: &Flow<'_>, node: &Node) -> Result<Vec<i64>, ImportError> {
    Ok(match (flow.constant(node, 1)?, node.op_type.as_str()) {
        (Some(tensor), _) => tensor.integers().map(<[i64]>::to_vec).unwrap_or_default(),
        (None, "ArgMax" | "ArgMin") => vec![node.int("axis").unwrap_or(0)],
        (None, _) => node.ints("axes").to_vec(),
    })
}

fn reduced(flow: &Flow<'_>, node: &Node) -> Output {
    let (scores, groups) = match flow.operand(node, 0)? {
        Value::Scores(scores) if scores.is_raw() => {
            let groups = Groups::of(flow, node, &scores.dims)?;
            (scores, groups)
        }
        Value::Stacked(scores) => {
            if axes(flow, node)? != [0] || node.int("keepdims") != Some(0) {
                return ImportError::no_rule("it reduces scores of several estimators along another axis");
            }
            let groups = Groups::along(0, &scores.dims, false);
            (scores, groups)
        }
        _ => return reduced_columns(flow, node),
    };
    let row = |members: &Vec<usize>| {
        let factor = if node.op_type == "ReduceMean" { 1.0 / members.len() as f64 } else { 1.0 };
        AffineRow { terms: members.iter().map(|at| (*at, factor)).collect(), shift: 0.0 }
    };
    let rows: Vec<AffineRow> = groups.members.iter().map(row).collect();
    Ok(Value::Scores(Rc::new(scores.affine(&rows, groups.dims)?)))
}

fn reduced_columns(flow: &Flow<'_>, node: &Node) -> Output {
    let operand = columns(flow, node, 0)?;
    let groups = Groups::of(flow, node, &operand.dims)?;
    let source = |members: &Vec<usize>| Source::union(members.iter().map(|at| &operand.sources[*at]));
    let sources = groups.members.iter().map(source).collect();
    let reduced: Columns = operand.with_sources(output_name(node), groups.dims, sources);
    Ok(Value::Columns(Rc::new(reduced)))
}
