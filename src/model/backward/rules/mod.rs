//! One rule per operator: from the gradients of a node's outputs to those of its inputs.
//!
//! The formulas are the derivatives of the definitions in the ONNX operator documentation. Against a reference run
//! (DeepLIFT's rescale rule, Shrikumar, Greenside and Kundaje 2017) linear operators keep their rule, operators on single
//! numbers give change of output over change of input, and products share their change half and half.

mod activation;
mod arithmetic;
mod contraction;
mod linear;
mod movement;
mod normalization;
mod pooling;
mod reduction;
mod resizing;

use super::error::BackwardError;
use super::tape::Tape;
use crate::model::onnx::Node;

/// A node on the way back.
pub struct Call<'n> {
    pub node: &'n Node,
    /// Per output: its gradient, where anything follows from it.
    pub gradients: Vec<Option<String>>,
}

/// Input position and its gradient, in the shape of the input.
pub type Contributions = Vec<(usize, String)>;

type Found = Result<Option<Contributions>, BackwardError>;

impl<'n> Call<'n> {
    /// Name of an input; empty if it is left out.
    fn x(&self, at: usize) -> &'n str {
        self.node.inputs.get(at).map_or("", String::as_str)
    }

    /// Name of the first output.
    fn y(&self) -> &'n str {
        self.node.outputs.first().map_or("", String::as_str)
    }

    /// Gradient of the first output.
    fn g(&self) -> Result<&str, BackwardError> {
        self.gradients.first().and_then(Option::as_deref).ok_or_else(|| self.unfit("only its first output is followed"))
    }

    fn unfit(&self, reason: impl Into<String>) -> BackwardError {
        BackwardError::Unfit { node: self.node.label(), reason: reason.into() }
    }

    /// Positions of the inputs that gradients are wanted for.
    fn wanted(&self, tape: &Tape) -> Vec<usize> {
        (0..self.node.inputs.len()).filter(|at| tape.is_active(self.x(*at))).collect()
    }

    /// The other inputs are parameters, which may not follow from what is differentiated for.
    fn only_first(&self, tape: &Tape) -> Result<(), BackwardError> {
        match self.wanted(tape).as_slice() {
            [0] => Ok(()),
            _ => Err(self.unfit("its parameters depend on the input")),
        }
    }

    /// The operator has no multiplier against a reference.
    fn only_derivative(&self, tape: &Tape) -> Result<(), BackwardError> {
        match tape.paired {
            None => Ok(()),
            Some(_) => Err(BackwardError::NoRule { node: self.node.label(), what: "rescale rule" }),
        }
    }
}

/// Gradients of the inputs of a node.
///
/// # Errors
/// The operator has no rule, or is used in a way that its rule does not cover.
pub fn contributions(tape: &mut Tape, call: &Call) -> Result<Contributions, BackwardError> {
    const FAMILIES: [fn(&mut Tape, &Call) -> Found; 9] = [
        activation::rule,
        arithmetic::rule,
        contraction::rule,
        linear::rule,
        movement::rule,
        normalization::rule,
        pooling::rule,
        reduction::rule,
        resizing::rule,
    ];
    for family in FAMILIES {
        if let Some(found) = family(tape, call)? {
            return Ok(found);
        }
    }
    Err(BackwardError::NoRule { node: call.node.label(), what: "gradient rule" })
}

/// Changes of input smaller than this have no quotient: the derivative stands for it.
const LEAST_CHANGE: f64 = 1e-6;

/// The gradient of an operator `y = f(x)` on single numbers, whose derivative is `slope`.
fn pointwise(tape: &mut Tape, x: &str, y: &str, gradient: &str, slope: &str) -> String {
    if !tape.is_paired(x) {
        return tape.mul(gradient, slope);
    }
    let (dx, dy) = (tape.change(x), tape.change(y));
    let size = tape.op("Abs", &[&dx], Vec::new());
    let least = tape.number(LEAST_CHANGE, x);
    let small = tape.op("Less", &[&size, &least], Vec::new());
    let one = tape.number(1.0, x);
    let divisor = tape.choose(&small, &one, &dx);
    let quotient = tape.div(&dy, &divisor);
    let multiplier = tape.choose(&small, slope, &quotient);
    tape.mul(gradient, &multiplier)
}

/// 1 where a condition holds, else 0.
fn indicator(tape: &mut Tape, condition: &str, like: &str) -> String {
    tape.cast(condition, like)
}
