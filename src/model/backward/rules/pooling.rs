//! Pooling over windows and over whole pictures.

use super::linear::{Window, is_set, spatial};
use super::reduction::shared_by_extremes;
use super::{Call, Found};
use crate::model::backward::error::BackwardError;
use crate::model::backward::tape::Tape;
use crate::model::onnx::extend;

pub fn rule(tape: &mut Tape, call: &Call) -> Found {
    if !call.node.domain.is_empty() || !tape.is_active(call.x(0)) {
        return Ok(None);
    }
    let gradient = match call.node.op_type.as_str() {
        "MaxPool" if tape.is_paired(call.x(0)) => greatest_against_reference(tape, call)?,
        "MaxPool" if let Some(window) = side_by_side(tape, call)? => first_greatest(tape, call, &window)?,
        "MaxPool" => {
            let g = call.g()?.to_owned();
            let places = places(tape, call, call.x(0))?;
            scattered(tape, &g, &places, call.x(0))
        }
        "AveragePool" => mean_of_windows(tape, call)?,
        "GlobalAveragePool" => {
            let share = tape.ratio_of_sizes(call.x(0), call.y(), call.x(0));
            let shared = tape.div(call.g()?, &share);
            let shape = tape.shape(call.x(0));
            tape.op("Expand", &[&shared, &shape], Vec::new())
        }
        "GlobalMaxPool" => {
            call.only_derivative(tape)?;
            let g = call.g()?.to_owned();
            let rank = tape.rank(call.x(0)).ok_or_else(|| call.unfit("its number of dimensions is not known"))?;
            let axes: Vec<i64> = (2..rank as i64).collect();
            shared_by_extremes(tape, call.x(0), call.y(), &g, &axes)
        }
        _ => return Ok(None),
    };
    Ok(Some(vec![(0, gradient)]))
}

/// Windows with more pixels than this are followed by places.
const MOST_PIXELS: i64 = 16;

/// The window of a pooling whose windows touch each other and nothing else.
fn side_by_side(tape: &Tape, call: &Call) -> Result<Option<Window>, BackwardError> {
    let window = Window::of(tape, call, "")?;
    let is_plain = window.is_unpadded() && window.kernel == window.strides && window.dilations.iter().all(|d| *d == 1);
    let is_small = window.kernel.iter().product::<i64>() <= MOST_PIXELS;
    let is_whole = !is_set(call, "ceil_mode") && !is_set(call, "storage_order");
    Ok((is_plain && is_small && is_whole).then_some(window))
}

/// The gradient goes to the first pixel of its window that equals the maximum, sought pixel by pixel over all windows at
/// once. While every pixel before is below the maximum, a pixel equals it where the greatest number of the rectangle up to
/// it does: rectangles from the window's corner are pooled, since ONNX Runtime pools many times faster than it finds
/// places or picks pixels.
fn first_greatest(tape: &mut Tape, call: &Call, window: &Window) -> Result<String, BackwardError> {
    let (x, y) = (call.x(0), call.y());
    let n = window.kernel.len();
    let is_whole = window.divides(tape, x);
    let axes: Vec<i64> = (2..2 + n as i64).collect();
    let (steps, zero) = (tape.ints(&window.strides), tape.number(0.0, x));
    let n_windows = spatial(tape, y);
    let covered = tape.op("Mul", &[&n_windows, &steps], Vec::new());
    let mut left = call.g()?.to_owned();
    let is_rectified = tape.graph.producer_of(x).is_some_and(|node| node.is("Relu"));
    if is_rectified {
        let above = tape.op("Greater", &[y, &zero], Vec::new());
        left = tape.choose(&above, &left, &zero);
    }
    let mut pixels: Vec<String> = Vec::new();
    let n_pixels = window.kernel.iter().product::<i64>();
    for at in 0..n_pixels - 1 {
        let up_to: Vec<i64> = place_in(&window.kernel, at).iter().map(|place| place + 1).collect();
        let with = vec![extend::ints("kernel_shape", &up_to), extend::ints("strides", &window.strides)];
        let mut greatest = tape.op("MaxPool", &[x], with);
        if !is_whole {
            // Of what no window covers there may be rectangles.
            let (from, axes) = (tape.ints(&vec![0; n]), tape.ints(&axes));
            greatest = tape.op("Slice", &[&greatest, &from, &n_windows, &axes], Vec::new());
        }
        let is_greatest = tape.op("Equal", &[&greatest, y], Vec::new());
        let taken = tape.choose(&is_greatest, &left, &zero);
        left = tape.sub(&left, &taken);
        pixels.push(taken);
    }
    pixels.push(left);
    // A dimension of its own for the pixels of a window behind each of the picture's, the last first.
    for (dimension, size) in window.kernel.iter().enumerate().rev() {
        let axis = 3 + dimension as i64;
        let behind = tape.ints(&[axis]);
        pixels = pixels.iter().map(|pixel| tape.op("Unsqueeze", &[pixel, &behind], Vec::new())).collect();
        let together = |of: &[String], tape: &mut Tape| {
            let names: Vec<&str> = of.iter().map(String::as_str).collect();
            tape.op("Concat", &names, vec![extend::int("axis", axis)])
        };
        pixels = pixels.chunks(*size as usize).map(|of| together(of, tape)).collect();
    }
    let shape = tape.shape(x);
    let (front, two) = (tape.ints(&[0]), tape.ints(&[2]));
    let leading = tape.op("Slice", &[&shape, &front, &two], Vec::new());
    let shape = tape.op("Concat", &[&leading, &covered], vec![extend::int("axis", 0)]);
    let whole = tape.op("Reshape", &[&pixels[0], &shape], vec![extend::int("allowzero", 1)]);
    let gradient = if is_whole { whole } else { window.cropped(tape, call, &whole) };
    if is_rectified {
        tape.rectified.insert(gradient.clone());
    }
    Ok(gradient)
}

/// Position of a window's `at`-th pixel, row by row.
fn place_in(kernel: &[i64], mut at: i64) -> Vec<i64> {
    let mut place: Vec<i64> = kernel.iter().rev().map(|size| (at % size, at /= size).0).collect();
    place.reverse();
    place
}

/// Where in `x`, counted over the whole tensor, the greatest number of each window stands.
fn places(tape: &mut Tape, call: &Call, x: &str) -> Result<String, BackwardError> {
    if is_set(call, "storage_order") {
        return Err(call.unfit("places counted column by column are not covered"));
    }
    let kept = ["auto_pad", "ceil_mode", "dilations", "kernel_shape", "pads", "strides"];
    let with = kept.iter().filter_map(|name| extend::again(name, call.node.attribute(name)?)).collect();
    Ok(tape.ops("MaxPool", &[x], 2, with).remove(1))
}

/// Sums of `values` at their places in a tensor like `x`.
fn scattered(tape: &mut Tape, values: &str, places: &str, x: &str) -> String {
    let zeros = tape.zeros_like(x);
    let flat = tape.ints(&[-1]);
    let [zeros, places, values] = [&zeros, places, values].map(|all| tape.op("Reshape", &[all, &flat], Vec::new()));
    let with = vec![extend::int("axis", 0), extend::text("reduction", "add")];
    let sums = tape.op("ScatterElements", &[&zeros, &places, &values], with);
    tape.reshaped(&sums, x)
}

/// The change of a window's maximum, shared between the pixel that is greatest in the row and the one that is in the
/// reference: each gets what the maximum moves from or to the greater of both maxima.
fn greatest_against_reference(tape: &mut Tape, call: &Call) -> Result<String, BackwardError> {
    let (x, y) = (call.x(0), call.y());
    let g = call.g()?.to_owned();
    let (other_x, other_y) = (tape.reference(x), tape.reference(y));
    let greater = tape.op("Max", &[y, &other_y], Vec::new());
    let rise = tape.sub(&greater, &other_y);
    let fall = tape.sub(y, &greater);
    let mut moved = Vec::new();
    for (from, change) in [(x.to_owned(), rise), (other_x, fall)] {
        let value = tape.mul(&g, &change);
        let places = places(tape, call, &from)?;
        moved.push(scattered(tape, &value, &places, x));
    }
    let sum = tape.add(&moved[0], &moved[1]);
    let dx = tape.change(x);
    let size = tape.op("Abs", &[&dx], Vec::new());
    let (least, one, zero) = (tape.number(1e-7, x), tape.number(1.0, x), tape.number(0.0, x));
    let small = tape.op("Less", &[&size, &least], Vec::new());
    let divisor = tape.choose(&small, &one, &dx);
    let quotient = tape.div(&sum, &divisor);
    Ok(tape.choose(&small, &zero, &quotient))
}

/// Each pixel gets its share of every window that it is in. What a window counts is counted by a sum over ones.
fn mean_of_windows(tape: &mut Tape, call: &Call) -> Result<String, BackwardError> {
    let window = Window::of(tape, call, "")?;
    let x = call.x(0);
    let pixels = spatial(tape, x);
    let single = tape.ints(&[1, 1]);
    let axis = || vec![extend::int("axis", 0)];
    let shape = tape.op("Concat", &[&single, &pixels], axis());
    let one = tape.number(1.0, x);
    let ones = tape.op("Expand", &[&one, &shape], Vec::new());
    let padded = padded(tape, call, &window, &ones);
    let kernel_shape: Vec<i64> = [1, 1].iter().chain(&window.kernel).copied().collect();
    let kernel_shape = tape.ints(&kernel_shape);
    let kernel = tape.op("Expand", &[&one, &kernel_shape], Vec::new());
    let counts = tape.op("Conv", &[&padded, &kernel], window.attributes());
    let shared = tape.div(call.g()?, &counts);
    // Channels are taken for rows: every one is pooled by itself.
    let size = spatial(tape, &shared);
    let rows = tape.ints(&[-1, 1]);
    let stacked = tape.op("Concat", &[&rows, &size], axis());
    let stacked = tape.op("Reshape", &[&shared, &stacked], Vec::new());
    let whole = tape.op("ConvTranspose", &[&stacked, &kernel], window.attributes());
    let shape = tape.shape(x);
    let two = tape.ints(&[2]);
    let front = tape.ints(&[0]);
    let leading = tape.op("Slice", &[&shape, &front, &two], Vec::new());
    let extent = spatial(tape, &whole);
    let unstacked = tape.op("Concat", &[&leading, &extent], axis());
    let whole = tape.op("Reshape", &[&whole, &unstacked], Vec::new());
    Ok(window.cropped(tape, call, &whole))
}

/// Ones of the picture within its padding: ones too where padding counts, else zeros; then zeros up to what the last
/// window reaches where sizes are rounded up.
fn padded(tape: &mut Tape, call: &Call, window: &Window, ones: &str) -> String {
    let begins = window.begins(tape, call);
    let ends = window.ends(tape, call);
    let none = tape.ints(&[0, 0]);
    let pads = tape.op("Concat", &[&none, &begins, &none, &ends], vec![extend::int("axis", 0)]);
    let filler = tape.number(if is_set(call, "count_include_pad") { 1.0 } else { 0.0 }, call.x(0));
    let padded = tape.op("Pad", &[ones, &pads, &filler], Vec::new());
    // (output − 1) · stride + reach, beyond the padded size.
    let output = spatial(tape, call.y());
    let size = spatial(tape, &padded);
    let (one, strides, reach) = (tape.ints(&[1]), tape.ints(&window.strides), tape.ints(&window.reach()));
    let steps = tape.op("Sub", &[&output, &one], Vec::new());
    let way = tape.op("Mul", &[&steps, &strides], Vec::new());
    let end = tape.op("Add", &[&way, &reach], Vec::new());
    let missing = tape.op("Sub", &[&end, &size], Vec::new());
    let before = tape.ints(&vec![0; 2 + window.kernel.len()]);
    let pads = tape.op("Concat", &[&before, &none, &missing], vec![extend::int("axis", 0)]);
    tape.op("Pad", &[&padded, &pads], Vec::new())
}
