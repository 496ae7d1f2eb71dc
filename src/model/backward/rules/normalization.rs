//! Softmax, and normalisation by means and variances.

use super::{Call, Contributions, Found};
use crate::model::backward::error::BackwardError;
use crate::model::backward::tape::Tape;
use crate::model::onnx::extend;

pub fn rule(tape: &mut Tape, call: &Call) -> Found {
    if !call.node.domain.is_empty() {
        return Ok(None);
    }
    Ok(Some(match call.node.op_type.as_str() {
        "Softmax" if tape.is_paired(call.x(0)) => softmax_against_reference(tape, call)?,
        "Softmax" => softmax(tape, call)?,
        "LogSoftmax" => log_softmax(tape, call)?,
        "BatchNormalization" => batch(tape, call)?,
        "LayerNormalization" => {
            let rank = rank(tape, call)?;
            let first = call.node.int("axis").unwrap_or(-1);
            let first = if first < 0 { first + rank } else { first };
            let scale = call.x(1).to_owned();
            standardised(tape, call, &(first..rank).collect::<Vec<_>>(), &scale)?
        }
        "InstanceNormalization" => {
            let rank = rank(tape, call)?;
            let scale = along_channels(tape, call.x(1), rank);
            standardised(tape, call, &(2..rank).collect::<Vec<_>>(), &scale)?
        }
        _ => return Ok(None),
    }))
}

fn rank(tape: &Tape, call: &Call) -> Result<i64, BackwardError> {
    let rank = tape.rank(call.x(0)).ok_or_else(|| call.unfit("its number of dimensions is not known"))?;
    Ok(rank as i64)
}

/// y ⊙ (g − Σ g y).
fn softmax(tape: &mut Tape, call: &Call) -> Result<Contributions, BackwardError> {
    let axis = call.node.int("axis").unwrap_or(-1);
    let (y, g) = (call.y(), call.g()?);
    let product = tape.mul(g, y);
    let sum = tape.sum_over(&product, &[axis]);
    let rest = tape.sub(g, &sum);
    Ok(vec![(0, tape.mul(y, &rest))])
}

/// g − exp(y) Σ g.
fn log_softmax(tape: &mut Tape, call: &Call) -> Result<Contributions, BackwardError> {
    call.only_derivative(tape)?;
    let axis = call.node.int("axis").unwrap_or(-1);
    let (y, g) = (call.y(), call.g()?);
    let share = tape.op("Exp", &[y], Vec::new());
    let sum = tape.sum_over(g, &[axis]);
    let taken = tape.mul(&share, &sum);
    Ok(vec![(0, tape.sub(g, &taken))])
}

/// y = e · r with e = exp(x − c), r = 1 / Σ e, and c the greatest input of both runs: the product shares its change
/// half and half, exp and 1/s give change over change.
fn softmax_against_reference(tape: &mut Tape, call: &Call) -> Result<Contributions, BackwardError> {
    let axis = call.node.int("axis").unwrap_or(-1);
    let g = call.g()?.to_owned();
    let x = call.x(0);
    let other = tape.reference(x);
    let both = tape.op("Max", &[x, &other], Vec::new());
    let index = tape.op("ArgMax", &[&both], vec![extend::int("axis", axis), extend::int("keepdims", 1)]);
    let top = tape.op("GatherElements", &[&both, &index], vec![extend::int("axis", axis)]);
    let mut runs = Vec::new();
    for run in [x, &other] {
        let below = tape.sub(run, &top);
        let power = tape.op("Exp", &[&below], Vec::new());
        let sum = tape.sum_over(&power, &[axis]);
        let share = tape.op("Reciprocal", &[&sum], Vec::new());
        runs.push((below, power, share));
    }
    let [(near, power, share), (far, other_power, other_share)] = &runs[..] else {
        return Err(call.unfit("there is no reference run"));
    };
    let mean = |tape: &mut Tape, a: &str, b: &str| {
        let sum = tape.add(a, b);
        tape.scaled(0.5, &sum, x)
    };
    let shares = mean(tape, share, other_share);
    let powers = mean(tape, power, other_power);
    // Of r: Σ g e; the change of 1/s over the change of s is −1/(s s') = −r r'.
    let of_share = tape.mul(&g, &powers);
    let of_share = tape.sum_over(&of_share, &[axis]);
    let slope = tape.mul(share, other_share);
    let of_sum = tape.mul(&of_share, &slope);
    let direct = tape.mul(&g, &shares);
    let of_power = tape.sub(&direct, &of_sum);
    let (dx, dy) = (tape.sub(near, far), tape.sub(power, other_power));
    let size = tape.op("Abs", &[&dx], Vec::new());
    let (least, one) = (tape.number(super::LEAST_CHANGE, x), tape.number(1.0, x));
    let small = tape.op("Less", &[&size, &least], Vec::new());
    let divisor = tape.choose(&small, &one, &dx);
    let quotient = tape.div(&dy, &divisor);
    let multiplier = tape.choose(&small, power, &quotient);
    Ok(vec![(0, tape.mul(&of_power, &multiplier))])
}

/// A number per channel in a shape that broadcasts against `[N, C, …]`.
fn along_channels(tape: &mut Tape, values: &str, rank: i64) -> String {
    let mut shape = vec![1; (rank - 1).max(1) as usize];
    shape[0] = -1;
    let shape = tape.ints(&shape);
    tape.op("Reshape", &[values, &shape], Vec::new())
}

/// Means and variances are constants: g · scale / √(variance + ε).
fn batch(tape: &mut Tape, call: &Call) -> Result<Contributions, BackwardError> {
    if call.node.int("training_mode").unwrap_or(0) != 0 {
        return Err(call.unfit("it is in training mode: a row's score depends on the other rows"));
    }
    if call.wanted(tape) != [0] {
        return Err(call.unfit("its means or variances depend on the input"));
    }
    let epsilon = tape.number(f64::from(call.node.float("epsilon").unwrap_or(1e-5)), call.x(4));
    let variance = tape.add(call.x(4), &epsilon);
    let deviation = tape.op("Sqrt", &[&variance], Vec::new());
    let factor = tape.div(call.x(1), &deviation);
    let rank = rank(tape, call)?;
    let factor = along_channels(tape, &factor, rank);
    Ok(vec![(0, tape.mul(call.g()?, &factor))])
}

/// y = scale · z + bias with z = (x − mean) / σ over `axes`: (ĝ − mean ĝ − z · mean(ĝ z)) / σ with ĝ = g · scale.
fn standardised(tape: &mut Tape, call: &Call, axes: &[i64], scale: &str) -> Result<Contributions, BackwardError> {
    call.only_derivative(tape)?;
    if call.wanted(tape) != [0] {
        return Err(call.unfit("its scale depends on the input"));
    }
    let x = call.x(0);
    let sums = tape.sum_over(x, axes);
    let n = tape.ratio_of_sizes(x, &sums, x);
    let mean_of = |tape: &mut Tape, tensor: &str| {
        let sums = tape.sum_over(tensor, axes);
        tape.div(&sums, &n)
    };
    let mean = tape.div(&sums, &n);
    let centred = tape.sub(x, &mean);
    let square = tape.mul(&centred, &centred);
    let variance = mean_of(tape, &square);
    let epsilon = tape.number(f64::from(call.node.float("epsilon").unwrap_or(1e-5)), x);
    let variance = tape.add(&variance, &epsilon);
    let deviation = tape.op("Sqrt", &[&variance], Vec::new());
    let z = tape.div(&centred, &deviation);
    let scaled = tape.mul(call.g()?, scale);
    let mean_gradient = mean_of(tape, &scaled);
    let along = tape.mul(&scaled, &z);
    let along = mean_of(tape, &along);
    let along = tape.mul(&z, &along);
    let rest = tape.sub(&scaled, &mean_gradient);
    let rest = tape.sub(&rest, &along);
    Ok(vec![(0, tape.div(&rest, &deviation))])
}
