//! Sums, means, products and extremes over dimensions.

use super::{Call, Contributions, Found, indicator};
use crate::model::backward::error::BackwardError;
use crate::model::backward::tape::Tape;
use crate::model::onnx::extend;

pub fn rule(tape: &mut Tape, call: &Call) -> Found {
    let op = call.node.op_type.as_str();
    if call.node.is("CumSum") && tape.is_active(call.x(0)) {
        return running_sum(tape, call).map(Some);
    }
    if !call.node.domain.is_empty() || !op.starts_with("Reduce") || !tape.is_active(call.x(0)) {
        return Ok(None);
    }
    let x = call.x(0);
    if !matches!(op, "ReduceSum" | "ReduceMean") {
        call.only_derivative(tape)?;
    }
    let Some(axes) = axes(tape, call)? else { return Ok(Some(vec![(0, call.g()?.to_owned())])) };
    // The output with its reduced dimensions kept, so that everything broadcasts against the input.
    let shape = tape.sum_over(x, &axes);
    let (g, y) = (tape.reshaped(call.g()?, &shape), tape.reshaped(call.y(), &shape));
    let gradient = match op {
        "ReduceSum" => g,
        "ReduceMean" => {
            let share = tape.ratio_of_sizes(x, &shape, x);
            tape.div(&g, &share)
        }
        "ReduceMax" | "ReduceMin" => shared_by_extremes(tape, x, &y, &g, &axes),
        "ReduceSumSquare" => {
            let twice = tape.scaled(2.0, x, x);
            tape.mul(&g, &twice)
        }
        "ReduceL2" => {
            // Where all numbers are 0, so is a subgradient.
            let (zero, one) = (tape.number(0.0, x), tape.number(1.0, x));
            let none = tape.op("Equal", &[&y, &zero], Vec::new());
            let length = tape.choose(&none, &one, &y);
            let share = tape.div(x, &length);
            tape.mul(&g, &share)
        }
        "ReduceProd" => {
            let others = product_of_others(tape, x, &axes);
            tape.mul(&g, &others)
        }
        "ReduceL1" => {
            let sign = tape.op("Sign", &[x], Vec::new());
            tape.mul(&g, &sign)
        }
        "ReduceLogSum" => {
            let sum = tape.op("Exp", &[&y], Vec::new());
            tape.div(&g, &sum)
        }
        "ReduceLogSumExp" => {
            let below = tape.sub(x, &y);
            let share = tape.op("Exp", &[&below], Vec::new());
            tape.mul(&g, &share)
        }
        _ => return Ok(None),
    };
    let shape = tape.shape(x);
    Ok(Some(vec![(0, tape.op("Expand", &[&gradient, &shape], Vec::new()))]))
}

/// Every number's factor in the product over `axes`: the product of the other numbers, some of which may be 0.
fn product_of_others(tape: &mut Tape, x: &str, axes: &[i64]) -> String {
    let (zero, one) = (tape.number(0.0, x), tape.number(1.0, x));
    let is_zero = tape.op("Equal", &[x, &zero], Vec::new());
    let filled = tape.choose(&is_zero, &one, x);
    let kept = extend::int("keepdims", 1);
    // Which dimensions are reduced has been an input since version 18.
    let product = match tape.graph.opset("") {
        Some(18..) => {
            let over = tape.ints(axes);
            tape.op("ReduceProd", &[&filled, &over], vec![kept])
        }
        _ => tape.op("ReduceProd", &[&filled], vec![kept, extend::ints("axes", axes)]),
    };
    let others = tape.div(&product, &filled);
    let zeros = indicator(tape, &is_zero, x);
    let all_zeros = tape.sum_over(&zeros, axes);
    let other_zeros = tape.sub(&all_zeros, &zeros);
    let any = tape.op("Greater", &[&other_zeros, &zero], Vec::new());
    tape.choose(&any, &zero, &others)
}

/// A number counts in every sum from its own on: the running sum of the gradient from the other end.
fn running_sum(tape: &mut Tape, call: &Call) -> Result<Contributions, BackwardError> {
    let other_end = i64::from(call.node.int("reverse").unwrap_or(0) == 0);
    let exclusive = call.node.int("exclusive").unwrap_or(0);
    let with = vec![extend::int("reverse", other_end), extend::int("exclusive", exclusive)];
    Ok(vec![(0, tape.op("CumSum", &[call.g()?, call.x(1)], with))])
}

/// The reduced dimensions; `None` where there is nothing to reduce.
fn axes(tape: &Tape, call: &Call) -> Result<Option<Vec<i64>>, BackwardError> {
    let given = match call.x(1) {
        "" => call.node.ints("axes").to_vec(),
        input => match tape.graph.constant(input)? {
            Some(constant) => constant.integers().map(<[i64]>::to_vec).unwrap_or_default(),
            None => return Err(call.unfit("the dimensions that it reduces are computed")),
        },
    };
    match (given.is_empty(), call.node.int("noop_with_empty_axes").unwrap_or(0)) {
        (false, _) => Ok(Some(given)),
        (true, 0) => {
            let rank = tape.rank(call.x(0)).ok_or_else(|| call.unfit("its number of dimensions is not known"))?;
            Ok(Some((0..rank as i64).collect()))
        }
        (true, _) => Ok(None),
    }
}

/// Those that are as great as the extreme `y` share its gradient equally.
pub(super) fn shared_by_extremes(tape: &mut Tape, x: &str, y: &str, g: &str, axes: &[i64]) -> String {
    let equal = tape.op("Equal", &[x, y], Vec::new());
    let equal = indicator(tape, &equal, x);
    let axes = tape.ints(axes);
    let ties = tape.op("ReduceSum", &[&equal, &axes], vec![extend::int("keepdims", 1)]);
    let share = tape.div(&equal, &ties);
    tape.mul(g, &share)
}
