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
            along(tape, call, &(first..rank).collect::<Vec<_>>(), call.x(1))?
        }
        "InstanceNormalization" => {
            let rank = rank(tape, call)?;
            let scale = along_channels(tape, call.x(1), rank);
            along(tape, call, &(2..rank).collect::<Vec<_>>(), &scale)?
        }
        "GroupNormalization" => in_groups(tape, call)?,
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

/// Standardised over `axes`, then scaled.
fn along(tape: &mut Tape, call: &Call, axes: &[i64], scale: &str) -> Result<Contributions, BackwardError> {
    check_scale(tape, call)?;
    let reference = tape.reference(call.x(0));
    let scaled = tape.mul(call.g()?, scale);
    Ok(vec![(0, standardised(tape, call, [call.x(0), &reference], axes, &scaled))])
}

/// Channels in groups, each standardised with its positions. The scale is one number per channel from version 21 on,
/// before that one per group.
fn in_groups(tape: &mut Tape, call: &Call) -> Result<Contributions, BackwardError> {
    check_scale(tape, call)?;
    let groups = call.node.int("num_groups").ok_or_else(|| call.unfit("it does not say how many groups it has"))?;
    let rank = rank(tape, call)?;
    let shape = tape.ints(&[0, groups, -1]);
    let grouped = |tape: &mut Tape, tensor: &str| tape.op("Reshape", &[tensor, &shape], Vec::new());
    let (x, reference) = (call.x(0), tape.reference(call.x(0)));
    let near = grouped(tape, x);
    let far = if reference == x { near.clone() } else { grouped(tape, &reference) };
    let by_channel = tape.graph.opset("").is_some_and(|version| version >= 21);
    let scaled = if by_channel {
        let scale = along_channels(tape, call.x(1), rank);
        let scaled = tape.mul(call.g()?, &scale);
        grouped(tape, &scaled)
    } else {
        let scale = along_channels(tape, call.x(1), 3);
        let gradient = grouped(tape, call.g()?);
        tape.mul(&gradient, &scale)
    };
    let found = standardised(tape, call, [&near, &far], &[2], &scaled);
    Ok(vec![(0, tape.reshaped(&found, x))])
}

fn check_scale(tape: &Tape, call: &Call) -> Result<(), BackwardError> {
    if call.wanted(tape) == [0] { Ok(()) } else { Err(call.unfit("its scale depends on the input")) }
}

/// What a run is standardised by: x − mean x and √(variance + ε).
struct Standardised {
    centred: String,
    deviation: String,
}

/// y = scale · c / d + bias with c = x − mean x and d = √(mean c² + ε) over `axes`; `scaled` is g · scale, `runs` x in
/// this run and in the reference (itself where there is none).
///
/// Step by step a product shares its change half and half, so that c² gives c + c', and the change of 1/√v over that of v
/// is −1 / (d d' (d + d')). Where both runs are one these are the derivatives.
fn standardised(tape: &mut Tape, call: &Call, runs: [&str; 2], axes: &[i64], scaled: &str) -> String {
    let x = call.x(0);
    let sums = tape.sum_over(runs[0], axes);
    let n = tape.ratio_of_sizes(runs[0], &sums, x);
    let mean_of = |tape: &mut Tape, tensor: &str| {
        let sums = tape.sum_over(tensor, axes);
        tape.div(&sums, &n)
    };
    let epsilon = tape.number(f64::from(call.node.float("epsilon").unwrap_or(1e-5)), x);
    let of = |tape: &mut Tape, run: &str| {
        let mean = mean_of(tape, run);
        let centred = tape.sub(run, &mean);
        let square = tape.mul(&centred, &centred);
        let variance = mean_of(tape, &square);
        let variance = tape.add(&variance, &epsilon);
        Standardised { centred, deviation: tape.op("Sqrt", &[&variance], Vec::new()) }
    };
    let near = of(tape, runs[0]);
    let far = if runs[0] == runs[1] { None } else { Some(of(tape, runs[1])) };
    let far = far.as_ref().unwrap_or(&near);
    // Twice the half-way points: what is shared half and half is halved at the end.
    let (centred, deviations) = (tape.add(&near.centred, &far.centred), tape.add(&near.deviation, &far.deviation));
    let product = tape.mul(&near.deviation, &far.deviation);
    // Of 1/d: the mean of g c, half of it; of the variance: that by −1 / (d d' (d + d')); of c: that by c + c'.
    let along = tape.mul(scaled, &centred);
    let along = mean_of(tape, &along);
    let along = tape.div(&along, &product);
    let along = tape.div(&along, &deviations);
    let along = tape.mul(&along, &centred);
    // Directly: g (1/d + 1/d'), which is g (d + d') / (d d').
    let direct = tape.div(&deviations, &product);
    let direct = tape.mul(scaled, &direct);
    let of_centred = tape.sub(&direct, &along);
    let of_centred = tape.scaled(0.5, &of_centred, x);
    let of_mean = mean_of(tape, &of_centred);
    tape.sub(&of_centred, &of_mean)
}
