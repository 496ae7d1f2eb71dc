//! Matrix products and convolutions.

use super::{Call, Contributions, Found};
use crate::model::backward::error::BackwardError;
use crate::model::backward::tape::Tape;
use crate::model::onnx::{Attribute, Dim, extend};

pub fn rule(tape: &mut Tape, call: &Call) -> Found {
    if !call.node.domain.is_empty() {
        return Ok(None);
    }
    Ok(Some(match call.node.op_type.as_str() {
        "MatMul" => matrix_product(tape, call)?,
        "Gemm" => general_product(tape, call)?,
        "Conv" => convolution(tape, call)?,
        "ConvTranspose" => transposed_convolution(tape, call)?,
        _ => return Ok(None),
    }))
}

fn matrix_product(tape: &mut Tape, call: &Call) -> Result<Contributions, BackwardError> {
    let (a, b) = (call.x(0), call.x(1));
    let g = call.g()?.to_owned();
    let ranks = (tape.rank(a), tape.rank(b));
    let mut found = Contributions::new();
    for at in call.wanted(tape) {
        let (mine, other) = if at == 0 { (a, b) } else { (b, a) };
        let factor = tape.midway(other);
        let gradient = match (at, ranks) {
            (0, (_, Some(2))) => {
                let turned = tape.op("Transpose", &[&factor], vec![extend::ints("perm", &[1, 0])]);
                found.push((0, tape.op("MatMul", &[&g, &turned], Vec::new())));
                continue;
            }
            (0, (Some(_), Some(1))) => {
                let column = unsqueezed(tape, &g, -1);
                tape.mul(&column, &factor)
            }
            (1, (Some(1), Some(2..))) => {
                let (column, row) = (unsqueezed(tape, &factor, -1), unsqueezed(tape, &g, -2));
                tape.mul(&column, &row)
            }
            (1, (Some(_), Some(1))) => {
                let column = unsqueezed(tape, &g, -1);
                tape.mul(&factor, &column)
            }
            (0, (Some(1), Some(rank @ 3..))) => {
                let turned = swapped(tape, &factor, rank);
                let row = unsqueezed(tape, &g, -2);
                let product = tape.op("MatMul", &[&row, &turned], Vec::new());
                let axis = tape.ints(&[-2]);
                tape.op("Squeeze", &[&product, &axis], Vec::new())
            }
            (0, (Some(_), Some(rank))) => {
                let turned = swapped(tape, &factor, rank);
                tape.op("MatMul", &[&g, &turned], Vec::new())
            }
            (1, (Some(rank), Some(_))) => {
                let turned = swapped(tape, &factor, rank);
                tape.op("MatMul", &[&turned, &g], Vec::new())
            }
            _ => return Err(call.unfit("the number of dimensions of its inputs is not known")),
        };
        found.push((at, tape.sum_to(&gradient, "", mine)));
    }
    Ok(found)
}

fn unsqueezed(tape: &mut Tape, tensor: &str, axis: i64) -> String {
    let axis = tape.ints(&[axis]);
    tape.op("Unsqueeze", &[tensor, &axis], Vec::new())
}

/// The last two dimensions exchanged.
fn swapped(tape: &mut Tape, tensor: &str, rank: usize) -> String {
    let mut order: Vec<i64> = (0..rank as i64).collect();
    order.swap(rank - 2, rank - 1);
    tape.op("Transpose", &[tensor], vec![extend::ints("perm", &order)])
}

/// Y = α A' B' + β C.
fn general_product(tape: &mut Tape, call: &Call) -> Result<Contributions, BackwardError> {
    let node = call.node;
    let turned = |name: &str| node.int(name).unwrap_or(0) != 0;
    let (turn_a, turn_b) = (turned("transA"), turned("transB"));
    let alpha = extend::float("alpha", node.float("alpha").unwrap_or(1.0));
    let g = call.g()?.to_owned();
    let mut found = Contributions::new();
    for at in call.wanted(tape) {
        let with = |a: bool, b: bool| {
            vec![alpha.clone(), extend::int("transA", i64::from(a)), extend::int("transB", i64::from(b))]
        };
        let gradient = match at {
            0 => {
                let b = tape.midway(call.x(1));
                match turn_a {
                    false => tape.op("Gemm", &[&g, &b], with(false, !turn_b)),
                    true => tape.op("Gemm", &[&b, &g], with(turn_b, true)),
                }
            }
            1 => {
                let a = tape.midway(call.x(0));
                match turn_b {
                    false => tape.op("Gemm", &[&a, &g], with(!turn_a, false)),
                    true => tape.op("Gemm", &[&g, &a], with(true, turn_a)),
                }
            }
            _ => {
                let beta = f64::from(node.float("beta").unwrap_or(1.0));
                let scaled = tape.scaled(beta, &g, call.x(2));
                tape.sum_to(&scaled, call.y(), call.x(2))
            }
        };
        found.push((at, gradient));
    }
    Ok(found)
}

/// The transposed convolution of the gradient, uncropped, then cut or filled up to the input's size: what the input's
/// last pixels got where the stride leaves some over, is zero.
fn convolution(tape: &mut Tape, call: &Call) -> Result<Contributions, BackwardError> {
    let window = Window::of(tape, call, call.x(1))?;
    let mut found = Contributions::new();
    for at in call.wanted(tape) {
        let g = call.g()?;
        match at {
            0 => {
                let mut with = window.attributes();
                with.push(extend::int("group", call.node.int("group").unwrap_or(1)));
                let whole = tape.op("ConvTranspose", &[g, call.x(1)], with);
                found.push((0, window.cropped(tape, call, &whole)));
            }
            2 => found.push((2, per_channel(tape, call, g)?)),
            _ => return Err(call.unfit("the filter of a convolution may not depend on the input")),
        }
    }
    Ok(found)
}

/// The convolution of the gradient with the same filter.
fn transposed_convolution(tape: &mut Tape, call: &Call) -> Result<Contributions, BackwardError> {
    let mut found = Contributions::new();
    for at in call.wanted(tape) {
        let g = call.g()?;
        match at {
            0 if !matches!(call.node.text("auto_pad"), None | Some("NOTSET" | "VALID"))
                || call.node.attribute("output_shape").is_some() =>
            {
                return Err(call.unfit("padding that follows from the output's size is not covered"));
            }
            0 => {
                let kept = ["dilations", "group", "kernel_shape", "pads", "strides"];
                let with = kept.iter().filter_map(|name| extend::again(name, call.node.attribute(name)?)).collect();
                found.push((0, tape.op("Conv", &[g, call.x(1)], with)));
            }
            2 => found.push((2, per_channel(tape, call, g)?)),
            _ => return Err(call.unfit("the filter of a convolution may not depend on the input")),
        }
    }
    Ok(found)
}

/// Sums over everything but the channels.
fn per_channel(tape: &mut Tape, call: &Call, g: &str) -> Result<String, BackwardError> {
    let rank = tape.rank(call.y()).ok_or_else(|| call.unfit("its number of dimensions is not known"))?;
    let axes: Vec<i64> = (0..rank as i64).filter(|axis| *axis != 1).collect();
    let sums = tape.sum_over(g, &axes);
    Ok(tape.reshaped(&sums, call.x(2)))
}

/// A sliding window over the dimensions behind batch and channel.
pub(super) struct Window {
    pub kernel: Vec<i64>,
    pub strides: Vec<i64>,
    pub dilations: Vec<i64>,
    padding: Padding,
}

enum Padding {
    /// At the beginning of each dimension, then at the end.
    Fixed(Vec<i64>),
    /// As much as makes the output ⌈size / stride⌉; the odd pixel at the end, or at the beginning.
    Same { odd_at_end: bool },
}

impl Window {
    /// Of a convolution, whose kernel's shape may only stand in its filter, or of a pooling.
    pub fn of(tape: &Tape, call: &Call, filter: &str) -> Result<Self, BackwardError> {
        let node = call.node;
        let kernel = match node.ints("kernel_shape") {
            [] => tape.types.dims(tape.graph, filter).unwrap_or_default().iter().skip(2).map(fixed).collect(),
            kernel => Some(kernel.to_vec()),
        };
        let kernel = kernel.filter(|kernel: &Vec<i64>| !kernel.is_empty());
        let kernel = kernel.ok_or_else(|| call.unfit("the size of its window is not known"))?;
        let or = |name: &str, default: i64, n: usize| match node.ints(name) {
            [] => vec![default; n],
            values => values.to_vec(),
        };
        let padding = match node.text("auto_pad") {
            Some("SAME_UPPER") => Padding::Same { odd_at_end: true },
            Some("SAME_LOWER") => Padding::Same { odd_at_end: false },
            Some("VALID") => Padding::Fixed(vec![0; 2 * kernel.len()]),
            _ => Padding::Fixed(or("pads", 0, 2 * kernel.len())),
        };
        let n = kernel.len();
        Ok(Self { strides: or("strides", 1, n), dilations: or("dilations", 1, n), kernel, padding })
    }

    /// Without padding.
    pub fn attributes(&self) -> Vec<crate::model::onnx::proto::AttributeProto> {
        vec![
            extend::ints("kernel_shape", &self.kernel),
            extend::ints("strides", &self.strides),
            extend::ints("dilations", &self.dilations),
        ]
    }

    pub fn is_unpadded(&self) -> bool {
        matches!(&self.padding, Padding::Fixed(pads) if pads.iter().all(|pad| *pad == 0))
    }

    /// Whether the sizes of `x` are known to be multiples of the strides.
    pub fn divides(&self, tape: &Tape, x: &str) -> bool {
        let dims = tape.types.dims(tape.graph, x).unwrap_or_default();
        let sizes = dims.iter().skip(2).map(fixed).zip(&self.strides);
        dims.len() == 2 + self.strides.len()
            && sizes.into_iter().all(|(size, step)| size.is_some_and(|size| size % step == 0))
    }

    /// Padding at the beginning of the dimensions behind the channel, as a tensor.
    pub fn begins(&self, tape: &mut Tape, call: &Call) -> String {
        match &self.padding {
            Padding::Fixed(pads) => tape.ints(&pads[..self.kernel.len()]),
            Padding::Same { odd_at_end } => {
                let total = self.same_total(tape, call);
                let two = tape.ints(&[2]);
                let half = tape.op("Div", &[&total, &two], Vec::new());
                if *odd_at_end { half } else { tape.op("Sub", &[&total, &half], Vec::new()) }
            }
        }
    }

    /// Padding at the end of the same dimensions.
    pub fn ends(&self, tape: &mut Tape, call: &Call) -> String {
        match &self.padding {
            Padding::Fixed(pads) => tape.ints(&pads[self.kernel.len()..]),
            Padding::Same { .. } => {
                let (total, begins) = (self.same_total(tape, call), self.begins(tape, call));
                tape.op("Sub", &[&total, &begins], Vec::new())
            }
        }
    }

    /// Pixels from a window's first to its last.
    pub fn reach(&self) -> Vec<i64> {
        self.kernel.iter().zip(&self.dilations).map(|(size, dilation)| dilation * (size - 1) + 1).collect()
    }

    /// max((⌈size / stride⌉ − 1) · stride + reach − size, 0).
    fn same_total(&self, tape: &mut Tape, call: &Call) -> String {
        let (input, output) = (spatial(tape, call.x(0)), spatial(tape, call.y()));
        let (reach, strides) = (tape.ints(&self.reach()), tape.ints(&self.strides));
        let (one, zero) = (tape.ints(&[1]), tape.ints(&[0]));
        let steps = tape.op("Sub", &[&output, &one], Vec::new());
        let way = tape.op("Mul", &[&steps, &strides], Vec::new());
        let end = tape.op("Add", &[&way, &reach], Vec::new());
        let over = tape.op("Sub", &[&end, &input], Vec::new());
        tape.op("Max", &[&over, &zero], Vec::new())
    }

    /// `whole`, which begins where the padding does, in the place and size of the input.
    pub fn cropped(&self, tape: &mut Tape, call: &Call, whole: &str) -> String {
        let begins = self.begins(tape, call);
        let before = tape.op("Neg", &[&begins], Vec::new());
        let (input, size) = (spatial(tape, call.x(0)), spatial(tape, whole));
        let missing = tape.op("Sub", &[&input, &size], Vec::new());
        let after = tape.op("Add", &[&missing, &begins], Vec::new());
        let none = tape.ints(&[0, 0]);
        let pads = tape.op("Concat", &[&none, &before, &none, &after], vec![extend::int("axis", 0)]);
        tape.op("Pad", &[whole, &pads], Vec::new())
    }
}

fn fixed(dim: &Dim) -> Option<i64> {
    match dim {
        Dim::Fixed(size) => Some(*size as i64),
        _ => None,
    }
}

/// Sizes behind batch and channel.
pub(super) fn spatial(tape: &mut Tape, tensor: &str) -> String {
    let shape = tape.shape(tensor);
    let (from, to) = (tape.ints(&[2]), tape.ints(&[i64::MAX]));
    tape.op("Slice", &[&shape, &from, &to], Vec::new())
}

/// Whether an attribute is set and not zero.
pub(super) fn is_set(call: &Call, name: &str) -> bool {
    matches!(call.node.attribute(name), Some(Attribute::Int(value)) if *value != 0)
}
