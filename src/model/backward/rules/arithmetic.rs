//! Sums, products, choices and what hands numbers on unchanged.

use super::{Call, Contributions, Found, indicator, pointwise};
use crate::model::backward::error::BackwardError;
use crate::model::backward::tape::Tape;

pub fn rule(tape: &mut Tape, call: &Call) -> Found {
    let node = call.node;
    if node.is_ml("Scaler") {
        return scaler(tape, call).map(Some);
    }
    if node.is_ml("Imputer") {
        return imputer(tape, call).map(Some);
    }
    if !node.domain.is_empty() {
        return Ok(None);
    }
    let found = match node.op_type.as_str() {
        "Identity" | "Dropout" => vec![(0, call.g()?.to_owned())],
        "Cast" | "CastLike" => vec![(0, tape.cast(call.g()?, call.x(0)))],
        "Neg" => vec![(0, tape.op("Neg", &[call.g()?], Vec::new()))],
        "Add" | "Sum" => each(tape, call, |_, _, g| Ok(g.to_owned()))?,
        "Mean" => each(tape, call, |tape, _, g| Ok(tape.scaled(1.0 / call.node.inputs.len() as f64, g, call.x(0))))?,
        "Sub" => {
            each(tape, call, |tape, at, g| Ok(if at == 0 { g.to_owned() } else { tape.op("Neg", &[g], Vec::new()) }))?
        }
        "Mul" => each(tape, call, |tape, at, g| {
            let other = tape.midway(call.x(1 - at));
            Ok(tape.mul(g, &other))
        })?,
        "Div" => each(tape, call, |tape, at, g| Ok(quotient(tape, call, at, g)))?,
        "Pow" => each(tape, call, |tape, at, g| power(tape, call, at, g))?,
        "Min" | "Max" => each(tape, call, |tape, at, g| extreme(tape, call, at, g))?,
        "Where" => each(tape, call, |tape, at, g| branch(tape, call, at, g))?,
        _ => return Ok(None),
    };
    Ok(Some(found))
}

/// A gradient for every wanted input, summed back over broadcast dimensions.
fn each(
    tape: &mut Tape,
    call: &Call,
    mut gradient: impl FnMut(&mut Tape, usize, &str) -> Result<String, BackwardError>,
) -> Result<Contributions, BackwardError> {
    let mut found = Contributions::new();
    for at in call.wanted(tape) {
        let whole = gradient(tape, at, call.g()?)?;
        found.push((at, tape.sum_to(&whole, call.y(), call.x(at))));
    }
    Ok(found)
}

/// a / b = a · (1/b): the change of 1/b is −(b − b') / (b b').
fn quotient(tape: &mut Tape, call: &Call, at: usize, g: &str) -> String {
    let (a, b) = (call.x(0), call.x(1));
    let reference = tape.reference(b);
    if at == 0 {
        if !tape.is_paired(b) {
            return tape.div(g, b);
        }
        let near = tape.div(g, b);
        let far = tape.div(g, &reference);
        let both = tape.add(&near, &far);
        return tape.scaled(0.5, &both, b);
    }
    let numerator = tape.midway(a);
    let product = tape.mul(g, &numerator);
    let once = tape.div(&product, b);
    let twice = tape.div(&once, &reference);
    tape.op("Neg", &[&twice], Vec::new())
}

/// Of the base: b a^(b − 1); of the exponent: y ln a.
fn power(tape: &mut Tape, call: &Call, at: usize, g: &str) -> Result<String, BackwardError> {
    let (base, exponent) = (call.x(0), call.x(1));
    if tape.is_paired(exponent) {
        call.only_derivative(tape)?;
    }
    if at == 1 {
        call.only_derivative(tape)?;
        // Where a is 0, so is the power, whatever the exponent above 0.
        let (zero, one) = (tape.number(0.0, base), tape.number(1.0, base));
        let none = tape.op("Equal", &[base, &zero], Vec::new());
        let positive = tape.choose(&none, &one, base);
        let log = tape.op("Log", &[&positive], Vec::new());
        let slope = tape.mul(call.y(), &log);
        let whole = tape.mul(g, &slope);
        return Ok(tape.cast(&whole, exponent));
    }
    let exponent = tape.cast(exponent, base);
    let one = tape.number(1.0, base);
    let less = tape.sub(&exponent, &one);
    let power = tape.op("Pow", &[base, &less], Vec::new());
    let slope = tape.mul(&exponent, &power);
    // a⁰ is 1 everywhere, where 0 · a⁻¹ is no number at a = 0.
    let zero = tape.number(0.0, base);
    let flat = tape.op("Equal", &[&exponent, &zero], Vec::new());
    let slope = tape.choose(&flat, &zero, &slope);
    Ok(pointwise(tape, base, call.y(), g, &slope))
}

/// Those that are the extreme share it.
fn extreme(tape: &mut Tape, call: &Call, at: usize, g: &str) -> Result<String, BackwardError> {
    let is_extreme = |tape: &mut Tape, x: &str| {
        let equal = tape.op("Equal", &[x, call.y()], Vec::new());
        indicator(tape, &equal, call.x(at))
    };
    let all: Vec<String> = call.node.inputs.iter().map(|x| is_extreme(tape, x)).collect();
    let names: Vec<&str> = all.iter().map(String::as_str).collect();
    let ties = tape.op("Sum", &names, Vec::new());
    let share = tape.div(&all[at], &ties);
    if call.wanted(tape).len() > 1 {
        call.only_derivative(tape)?;
    }
    Ok(pointwise(tape, call.x(at), call.y(), g, &share))
}

/// The gradient goes where the value came from.
fn branch(tape: &mut Tape, call: &Call, at: usize, g: &str) -> Result<String, BackwardError> {
    if tape.is_paired(call.x(0)) {
        call.only_derivative(tape)?;
    }
    let zero = tape.number(0.0, call.x(at));
    Ok(if at == 1 { tape.choose(call.x(0), g, &zero) } else { tape.choose(call.x(0), &zero, g) })
}

/// (x − offset) · scale, one number or one per feature.
fn scaler(tape: &mut Tape, call: &Call) -> Result<Contributions, BackwardError> {
    let g = call.g()?.to_owned();
    let scaled = match call.node.floats("scale") {
        [] => g,
        factors => {
            let factors = tape.floats(factors);
            tape.mul(&g, &factors)
        }
    };
    Ok(vec![(0, tape.cast(&scaled, call.x(0)))])
}

/// What was missing does not change with the input.
fn imputer(tape: &mut Tape, call: &Call) -> Result<Contributions, BackwardError> {
    let kept = tape.op("Equal", &[call.x(0), call.y()], Vec::new());
    let kept = indicator(tape, &kept, call.x(0));
    Ok(vec![(0, tape.mul(call.g()?, &kept))])
}
