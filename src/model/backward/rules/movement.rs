//! Operators that only move numbers: each gradient goes back to where its number came from.

use super::linear::spatial;
use super::{Call, Contributions, Found};
use crate::model::backward::error::BackwardError;
use crate::model::backward::tape::Tape;
use crate::model::onnx::extend;

pub fn rule(tape: &mut Tape, call: &Call) -> Found {
    let node = call.node;
    if node.is_ml("ArrayFeatureExtractor") && tape.is_active(call.x(0)) {
        return picked(tape, call, "Gather", vec![extend::int("axis", -1)]).map(Some);
    }
    if !node.domain.is_empty() {
        return Ok(None);
    }
    let op = node.op_type.as_str();
    if op == "Concat" {
        return parts(tape, call).map(Some);
    }
    if op == "Split" {
        return joined(tape, call).map(Some);
    }
    if matches!(op, "ScatterElements" | "ScatterND") {
        return placed(tape, call).map(Some);
    }
    if !tape.is_active(call.x(0)) {
        return Ok(None);
    }
    let x = call.x(0);
    let again = |names: &[&str]| names.iter().filter_map(|name| extend::again(name, node.attribute(name)?)).collect();
    let gradient = match op {
        "Reshape" | "Flatten" | "Squeeze" | "Unsqueeze" => tape.reshaped(call.g()?, x),
        "Transpose" => {
            let with = match node.ints("perm") {
                [] => Vec::new(),
                order => vec![extend::ints("perm", &inverse(order))],
            };
            tape.op("Transpose", &[call.g()?], with)
        }
        "Expand" => tape.sum_to(call.g()?, call.y(), x),
        "Slice" | "Tile" | "Gather" | "GatherElements" | "GatherND" => {
            return picked(tape, call, op, again(&["axis", "batch_dims"])).map(Some);
        }
        "Pad" if matches!(node.text("mode"), None | Some("constant")) => {
            let pads = tape.op("Neg", &[call.x(1)], Vec::new());
            let mut inputs = vec![call.g()?, &pads];
            if !call.x(3).is_empty() {
                inputs.extend(["", call.x(3)]);
            }
            tape.op("Pad", &inputs, Vec::new())
        }
        "Pad" => return picked(tape, call, op, again(&["mode"])).map(Some),
        "Trilu" => {
            let inputs = [call.g()?, call.x(1)];
            tape.op("Trilu", if call.x(1).is_empty() { &inputs[..1] } else { &inputs }, again(&["upper"]))
        }
        "TopK" => greatest(tape, call)?,
        "DepthToSpace" => depth(tape, call, true)?,
        "SpaceToDepth" => depth(tape, call, false)?,
        _ => return Ok(None),
    };
    call.only_first(tape)?;
    Ok(Some(vec![(0, gradient)]))
}

fn inverse(order: &[i64]) -> Vec<i64> {
    let mut inverse = vec![0; order.len()];
    for (at, from) in order.iter().enumerate() {
        if let Some(slot) = usize::try_from(*from).ok().and_then(|from| inverse.get_mut(from)) {
            *slot = at as i64;
        }
    }
    inverse
}

/// Whatever a node does to the numbers, done to their positions: it says where every number of the output came from.
fn picked(
    tape: &mut Tape,
    call: &Call,
    op: &str,
    with: Vec<crate::model::onnx::proto::AttributeProto>,
) -> Result<Contributions, BackwardError> {
    call.only_first(tape)?;
    let g = call.g()?.to_owned();
    let x = call.x(0);
    let size = tape.op("Size", &[x], Vec::new());
    let (from, step) = (tape.int(0), tape.int(1));
    let positions = tape.op("Range", &[&from, &size, &step], Vec::new());
    let positions = tape.reshaped(&positions, x);
    let mut inputs: Vec<&str> = call.node.inputs.iter().map(String::as_str).collect();
    inputs[0] = &positions;
    if op == "Pad" && inputs.len() > 2 {
        inputs[2] = "";
    }
    let taken = tape.op(op, &inputs, with);
    let flat = tape.ints(&[-1]);
    let zeros = tape.zeros_like(x);
    let [zeros, taken, values] = [&zeros, &taken, &g].map(|all| tape.op("Reshape", &[all, &flat], Vec::new()));
    let with = vec![extend::int("axis", 0), extend::text("reduction", "add")];
    let sums = tape.op("ScatterElements", &[&zeros, &taken, &values], with);
    Ok(vec![(0, tape.reshaped(&sums, x))])
}

/// Of a concatenation: the gradient cut where the inputs meet.
fn parts(tape: &mut Tape, call: &Call) -> Result<Contributions, BackwardError> {
    let axis = call.node.int("axis").ok_or_else(|| call.unfit("it names no axis"))?;
    let at = tape.ints(&[axis]);
    let mut sizes = Vec::new();
    for input in &call.node.inputs {
        let shape = tape.shape(input);
        sizes.push(tape.op("Gather", &[&shape, &at], Vec::new()));
    }
    let names: Vec<&str> = sizes.iter().map(String::as_str).collect();
    let sizes = tape.op("Concat", &names, vec![extend::int("axis", 0)]);
    let pieces = tape.ops("Split", &[call.g()?, &sizes], call.node.inputs.len(), vec![extend::int("axis", axis)]);
    Ok(call.wanted(tape).into_iter().map(|at| (at, pieces[at].clone())).collect())
}

/// Of a split: the gradients joined, zeros for outputs that nothing follows from.
fn joined(tape: &mut Tape, call: &Call) -> Result<Contributions, BackwardError> {
    let mut pieces = Vec::new();
    for (output, gradient) in call.node.outputs.iter().zip(&call.gradients) {
        pieces.push(match gradient {
            Some(gradient) => gradient.clone(),
            None if output.is_empty() => return Err(call.unfit("an output without a name is left out")),
            None => tape.zeros_like(output),
        });
    }
    let names: Vec<&str> = pieces.iter().map(String::as_str).collect();
    let axis = call.node.int("axis").unwrap_or(0);
    Ok(vec![(0, tape.op("Concat", &names, vec![extend::int("axis", axis)]))])
}

/// Of what is written over or added to places of a tensor: the gradient there goes to what was written, elsewhere to the
/// tensor, to which it goes everywhere where things are added.
fn placed(tape: &mut Tape, call: &Call) -> Result<Contributions, BackwardError> {
    let added = match call.node.text("reduction") {
        None | Some("none") => false,
        Some("add") => true,
        Some(_) => return Err(call.unfit("its way of reducing is not covered")),
    };
    let (op, inverse) = match call.node.is("ScatterND") {
        true => ("ScatterND", "GatherND"),
        false => ("ScatterElements", "GatherElements"),
    };
    let g = call.g()?.to_owned();
    let (places, written) = (call.x(1), call.x(2));
    let axis: Vec<_> = call.node.int("axis").map(|axis| extend::int("axis", axis)).into_iter().collect();
    let mut found = Contributions::new();
    for at in call.wanted(tape) {
        let gradient = match at {
            0 if added => g.clone(),
            0 => {
                let zeros = tape.zeros_like(written);
                tape.op(op, &[&g, places, &zeros], axis.clone())
            }
            _ => tape.op(inverse, &[&g, places], axis.clone()),
        };
        found.push((at, gradient));
    }
    Ok(found)
}

/// The greatest or least numbers: each gradient goes back to the place where its number stood.
fn greatest(tape: &mut Tape, call: &Call) -> Result<String, BackwardError> {
    call.only_derivative(tape)?;
    let g = call.g()?.to_owned();
    let axis = || extend::int("axis", call.node.int("axis").unwrap_or(-1));
    let kept = ["largest", "sorted"].iter().filter_map(|name| extend::again(name, call.node.attribute(name)?));
    let with = std::iter::once(axis()).chain(kept).collect();
    let places = tape.ops("TopK", &[call.x(0), call.x(1)], 2, with).remove(1);
    let zeros = tape.zeros_like(call.x(0));
    Ok(tape.op("ScatterElements", &[&zeros, &places, &g], vec![axis()]))
}

/// Blocks of pixels to channels or back. In the order "CRD" the block's pixels stand behind the channel, not before it as
/// in the only order that the way back has.
fn depth(tape: &mut Tape, call: &Call, to_space: bool) -> Result<String, BackwardError> {
    let size = call.node.int("blocksize").ok_or_else(|| call.unfit("it names no block size"))?;
    let back = if to_space { "SpaceToDepth" } else { "DepthToSpace" };
    let gradient = tape.op(back, &[call.g()?], vec![extend::int("blocksize", size)]);
    if !to_space || call.node.text("mode") != Some("CRD") {
        return Ok(gradient);
    }
    let (front, picture) = (tape.ints(&[0, size * size, -1]), spatial(tape, call.x(0)));
    let shape = tape.op("Concat", &[&front, &picture], vec![extend::int("axis", 0)]);
    let blocks = tape.op("Reshape", &[&gradient, &shape], Vec::new());
    let turned = tape.op("Transpose", &[&blocks], vec![extend::ints("perm", &[0, 2, 1, 3, 4])]);
    Ok(tape.reshaped(&turned, call.x(0)))
}
