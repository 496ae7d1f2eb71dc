//! Operators on single numbers.

use super::{Call, Found, indicator, pointwise};
use crate::model::backward::tape::Tape;
use crate::model::onnx::extend;
use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI, PI};

pub fn rule(tape: &mut Tape, call: &Call) -> Found {
    if !call.node.domain.is_empty() || !tape.is_active(call.x(0)) {
        return Ok(None);
    }
    if call.node.is("Relu") && tape.rectified.contains(call.g()?) {
        return Ok(Some(vec![(0, call.g()?.to_owned())]));
    }
    let Some(slope) = slope(tape, call) else { return Ok(None) };
    call.only_first(tape)?;
    let gradient = pointwise(tape, call.x(0), call.y(), call.g()?, &slope);
    Ok(Some(vec![(0, gradient)]))
}

/// The derivative at the input.
fn slope(tape: &mut Tape, call: &Call) -> Option<String> {
    let (x, y) = (call.x(0), call.y());
    let parameter = |name: &str, default: f64| call.node.float(name).map_or(default, f64::from);
    Some(match call.node.op_type.as_str() {
        // Of the output, so that what comes before may be fused with it.
        "Relu" => above(tape, y, 0.0),
        "ThresholdedRelu" => above(tape, x, parameter("alpha", 1.0)),
        "LeakyRelu" => {
            let below = tape.number(parameter("alpha", 0.01), x);
            beyond_zero(tape, x, 1.0, &below)
        }
        "PRelu" => beyond_zero(tape, x, 1.0, call.x(1)),
        "Elu" => exponential(tape, x, (1.0, parameter("alpha", 1.0), 1.0)),
        "Celu" => exponential(tape, x, (1.0, 1.0, parameter("alpha", 1.0))),
        "Selu" => {
            let (alpha, gamma) = (parameter("alpha", 1.673_263_2), parameter("gamma", 1.050_701));
            exponential(tape, x, (gamma, gamma * alpha, 1.0))
        }
        "Sigmoid" => {
            let rest = one_minus(tape, y);
            tape.mul(y, &rest)
        }
        "Tanh" => {
            let square = tape.mul(y, y);
            one_minus(tape, &square)
        }
        "Softplus" => tape.op("Sigmoid", &[x], Vec::new()),
        "Softsign" => {
            let size = tape.op("Abs", &[x], Vec::new());
            let one = tape.number(1.0, x);
            let root = tape.add(&one, &size);
            let square = tape.mul(&root, &root);
            tape.op("Reciprocal", &[&square], Vec::new())
        }
        "HardSigmoid" => {
            let inside = inside_unit(tape, y, x);
            tape.scaled(parameter("alpha", 0.2), &inside, x)
        }
        "HardSwish" => hard_swish(tape, x),
        "Gelu" => match call.node.text("approximate") {
            Some("tanh") => gelu_by_tanh(tape, x),
            _ => gelu(tape, x),
        },
        "Mish" => mish(tape, x),
        "Swish" => swish(tape, x, parameter("alpha", 1.0)),
        "Clip" => within(tape, call),
        _ => return elementary(tape, call),
    })
}

/// Elementary functions.
fn elementary(tape: &mut Tape, call: &Call) -> Option<String> {
    let (x, y) = (call.x(0), call.y());
    let of = |tape: &mut Tape, op: &str, x: &str| tape.op(op, &[x], Vec::new());
    Some(match call.node.op_type.as_str() {
        "Abs" => of(tape, "Sign", x),
        "Exp" => y.to_owned(),
        "Log" => of(tape, "Reciprocal", x),
        "Sqrt" => {
            let twice = tape.scaled(2.0, y, x);
            of(tape, "Reciprocal", &twice)
        }
        "Reciprocal" => {
            let square = tape.mul(y, y);
            of(tape, "Neg", &square)
        }
        "Erf" => {
            let bell = bell(tape, x, 1.0);
            tape.scaled(FRAC_2_SQRT_PI, &bell, x)
        }
        "Sin" => of(tape, "Cos", x),
        "Cos" => {
            let sine = of(tape, "Sin", x);
            of(tape, "Neg", &sine)
        }
        "Sinh" => of(tape, "Cosh", x),
        "Cosh" => of(tape, "Sinh", x),
        "Tan" | "Atan" => {
            let root = if call.node.is("Tan") { y } else { x };
            let square = tape.mul(root, root);
            let one = tape.number(1.0, x);
            let sum = tape.add(&one, &square);
            if call.node.is("Tan") { sum } else { of(tape, "Reciprocal", &sum) }
        }
        "Asin" | "Acos" | "Asinh" | "Acosh" | "Atanh" => return inverse(tape, call),
        _ => return None,
    })
}

/// Inverses of circular and hyperbolic functions: 1 / √(±1 ± x²), of the hyperbolic tangent 1 / (1 − x²).
fn inverse(tape: &mut Tape, call: &Call) -> Option<String> {
    let x = call.x(0);
    let square = tape.mul(x, x);
    let one = tape.number(1.0, x);
    let inner = match call.node.op_type.as_str() {
        "Asinh" => tape.add(&square, &one),
        "Acosh" => tape.sub(&square, &one),
        _ => tape.sub(&one, &square),
    };
    if call.node.is("Atanh") {
        return Some(tape.op("Reciprocal", &[&inner], Vec::new()));
    }
    let root = tape.op("Sqrt", &[&inner], Vec::new());
    let slope = tape.op("Reciprocal", &[&root], Vec::new());
    Some(if call.node.is("Acos") { tape.op("Neg", &[&slope], Vec::new()) } else { slope })
}

/// 1 where `x` is above `threshold`, else 0.
fn above(tape: &mut Tape, x: &str, threshold: f64) -> String {
    let threshold = tape.number(threshold, x);
    let above = tape.op("Greater", &[x, &threshold], Vec::new());
    indicator(tape, &above, x)
}

/// `right` where `x` is above 0, else `left`.
fn beyond_zero(tape: &mut Tape, x: &str, right: f64, left: &str) -> String {
    let zero = tape.number(0.0, x);
    let above = tape.op("Greater", &[x, &zero], Vec::new());
    let right = tape.number(right, x);
    tape.choose(&above, &right, left)
}

/// `right` where `x` is above 0, else `left · exp(x / width)`.
fn exponential(tape: &mut Tape, x: &str, (right, left, width): (f64, f64, f64)) -> String {
    let narrowed = tape.scaled(1.0 / width, x, x);
    let power = tape.op("Exp", &[&narrowed], Vec::new());
    let left = tape.scaled(left, &power, x);
    beyond_zero(tape, x, right, &left)
}

fn one_minus(tape: &mut Tape, x: &str) -> String {
    let one = tape.number(1.0, x);
    tape.sub(&one, x)
}

/// `exp(−factor · x²)`.
fn bell(tape: &mut Tape, x: &str, factor: f64) -> String {
    let square = tape.mul(x, x);
    let power = tape.scaled(-factor, &square, x);
    tape.op("Exp", &[&power], Vec::new())
}

/// 1 where 0 < y < 1.
fn inside_unit(tape: &mut Tape, y: &str, like: &str) -> String {
    let (zero, one) = (tape.number(0.0, like), tape.number(1.0, like));
    let above = tape.op("Greater", &[y, &zero], Vec::new());
    let below = tape.op("Less", &[y, &one], Vec::new());
    let inside = tape.op("And", &[&above, &below], Vec::new());
    indicator(tape, &inside, like)
}

/// 1 strictly between the bounds that are given: a bound at 0 is the rectifier.
fn within(tape: &mut Tape, call: &Call) -> String {
    let x = call.x(0);
    let given = [("Greater", call.x(1)), ("Less", call.x(2))].into_iter().filter(|(_, bound)| !bound.is_empty());
    let sides: Vec<String> = given.map(|(op, bound)| tape.op(op, &[x, bound], Vec::new())).collect();
    let inside = match sides.as_slice() {
        [] => tape.op("Equal", &[x, x], Vec::new()),
        [one] => one.clone(),
        [low, high, ..] => tape.op("And", &[low, high], Vec::new()),
    };
    indicator(tape, &inside, x)
}

/// x · h(x) with h = clip(x / 6 + 1/2, 0, 1).
fn hard_swish(tape: &mut Tape, x: &str) -> String {
    let gate = tape.op("HardSigmoid", &[x], vec![extend::float("alpha", 1.0 / 6.0), extend::float("beta", 0.5)]);
    let inside = inside_unit(tape, &gate, x);
    let sixth = tape.scaled(1.0 / 6.0, x, x);
    let moved = tape.mul(&sixth, &inside);
    tape.add(&gate, &moved)
}

/// Φ(x) + x φ(x).
fn gelu(tape: &mut Tape, x: &str) -> String {
    let scaled = tape.scaled(FRAC_1_SQRT_2, x, x);
    let erf = tape.op("Erf", &[&scaled], Vec::new());
    let one = tape.number(1.0, x);
    let twice = tape.add(&one, &erf);
    let share = tape.scaled(0.5, &twice, x);
    let bell = bell(tape, x, 0.5);
    let density = tape.scaled(1.0 / (2.0 * PI).sqrt(), &bell, x);
    let moved = tape.mul(x, &density);
    tape.add(&share, &moved)
}

/// Of x (1 + tanh u) / 2 with u = √(2/π) (x + 0.044715 x³).
fn gelu_by_tanh(tape: &mut Tape, x: &str) -> String {
    const CUBIC: f64 = 0.044_715;
    let root = (2.0 / PI).sqrt();
    let square = tape.mul(x, x);
    let one = tape.number(1.0, x);
    let inner = tape.scaled(CUBIC, &square, x);
    let inner = tape.add(&one, &inner);
    let inner = tape.mul(x, &inner);
    let inner = tape.scaled(root, &inner, x);
    let tanh = tape.op("Tanh", &[&inner], Vec::new());
    let share = tape.add(&one, &tanh);
    let rest = tape.mul(&tanh, &tanh);
    let rest = tape.sub(&one, &rest);
    let slope = tape.scaled(3.0 * CUBIC, &square, x);
    let slope = tape.add(&one, &slope);
    let slope = tape.scaled(root, &slope, x);
    let moved = tape.mul(x, &rest);
    let moved = tape.mul(&moved, &slope);
    let sum = tape.add(&share, &moved);
    tape.scaled(0.5, &sum, x)
}

/// x tanh(softplus(x)).
fn mish(tape: &mut Tape, x: &str) -> String {
    let soft = tape.op("Softplus", &[x], Vec::new());
    let gate = tape.op("Tanh", &[&soft], Vec::new());
    let square = tape.mul(&gate, &gate);
    let rest = one_minus(tape, &square);
    let sigmoid = tape.op("Sigmoid", &[x], Vec::new());
    let moved = tape.mul(x, &rest);
    let moved = tape.mul(&moved, &sigmoid);
    tape.add(&gate, &moved)
}

/// x σ(αx).
fn swish(tape: &mut Tape, x: &str, alpha: f64) -> String {
    let scaled = tape.scaled(alpha, x, x);
    let gate = tape.op("Sigmoid", &[&scaled], Vec::new());
    let rest = one_minus(tape, &gate);
    let slope = tape.mul(&gate, &rest);
    let moved = tape.mul(&scaled, &slope);
    tape.add(&gate, &moved)
}
