//! Enlarged and reduced pictures.
//!
//! Every new pixel is a weighted sum of old ones, row by row and column by column. The weights along one side are what the
//! same operator makes of an identity matrix, so every way of interpolating is covered alike.

use super::linear::spatial;
use super::{Call, Found};
use crate::model::backward::error::BackwardError;
use crate::model::backward::tape::Tape;
use crate::model::onnx::{ElementType, extend};

pub fn rule(tape: &mut Tape, call: &Call) -> Found {
    if !call.node.is("Resize") || !tape.is_active(call.x(0)) {
        return Ok(None);
    }
    call.only_first(tape)?;
    let cropped = call.node.text("coordinate_transformation_mode") == Some("tf_crop_and_resize");
    let kept_aspect = !matches!(call.node.text("keep_aspect_ratio_policy"), None | Some("stretch"));
    if cropped || kept_aspect || call.node.attribute("axes").is_some() {
        return Err(call.unfit("pictures that are cropped, or resized along named axes, are not covered"));
    }
    let gradient = match tape.rank(call.x(0)) {
        Some(3) => across(tape, call, 2)?,
        Some(4) => {
            let across = across(tape, call, 3)?;
            let down = weights(tape, call, 2)?;
            tape.op("MatMul", &[&down, &across], Vec::new())
        }
        _ => return Err(call.unfit("only batches of channels of rows or pictures are covered")),
    };
    Ok(Some(vec![(0, gradient)]))
}

/// The gradient with its last side in the input's size.
fn across(tape: &mut Tape, call: &Call, axis: i64) -> Result<String, BackwardError> {
    let weights = weights(tape, call, axis)?;
    let turned = tape.op("Transpose", &[&weights], vec![extend::ints("perm", &[1, 0])]);
    Ok(tape.op("MatMul", &[call.g()?, &turned], Vec::new()))
}

/// How much every old place counts in every new one along `axis`, `[old × new]`.
fn weights(tape: &mut Tape, call: &Call, axis: i64) -> Result<String, BackwardError> {
    let x = call.x(0);
    let place = tape.ints(&[axis]);
    let picture = spatial(tape, x);
    let behind = tape.ints(&[axis - 2]);
    let old = tape.op("Gather", &[&picture, &behind], Vec::new());
    let joined = |tape: &mut Tape, a: &str, b: &str| tape.op("Concat", &[a, b], vec![extend::int("axis", 0)]);
    let square = joined(tape, &old, &old);
    let zeros = tape.op("ConstantOfShape", &[&square], Vec::new());
    let code = if tape.types.element(tape.graph, x) == Some(ElementType::Double) { 11 } else { 1 };
    let identity = tape.op("EyeLike", &[&zeros], vec![extend::int("dtype", code)]);
    let kept =
        ["antialias", "coordinate_transformation_mode", "cubic_coeff_a", "exclude_outside", "mode", "nearest_mode"];
    let with = kept.iter().filter_map(|name| extend::again(name, call.node.attribute(name)?)).collect();
    Ok(match (call.x(2), call.x(3)) {
        ("", "") => return Err(call.unfit("it names neither scales nor sizes")),
        ("", sizes) => {
            let size = tape.op("Gather", &[sizes, &place], Vec::new());
            let sizes = joined(tape, &old, &size);
            tape.op("Resize", &[&identity, "", "", &sizes], with)
        }
        (scales, _) => {
            let scale = tape.op("Gather", &[scales, &place], Vec::new());
            let one = tape.floats(&[1.0]);
            let scales = joined(tape, &one, &scale);
            tape.op("Resize", &[&identity, "", &scales], with)
        }
    })
}
