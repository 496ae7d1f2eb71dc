//! Sums, means and extremes over dimensions.

use super::{Call, Found, indicator};
use crate::model::backward::error::BackwardError;
use crate::model::backward::tape::Tape;
use crate::model::onnx::extend;

pub fn rule(tape: &mut Tape, call: &Call) -> Found {
    let op = call.node.op_type.as_str();
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
            let share = tape.div(x, &y);
            tape.mul(&g, &share)
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
