//! The scores that an explanation asks for, out of all that a model gives.

use ndarray::{Array2, ArrayViewMut2};

/// What is wrong with a model's scores.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Unfit {
    NoMargin,
    Rows { asked: usize, found: usize },
    Output { output: usize, found: usize },
    NotFinite { output: usize, value: f64 },
}

/// Copies `outputs` of `scores` `[rows × model outputs]` to `out` `[rows × outputs]`; `None` where the model has no
/// margin.
///
/// # Errors
/// No scores, scores for other rows, an output that the model does not have, a score that is not finite.
pub(crate) fn copy_asked(
    scores: Option<&Array2<f64>>,
    outputs: &[usize],
    mut out: ArrayViewMut2<f64>,
) -> Result<(), Unfit> {
    let scores = scores.ok_or(Unfit::NoMargin)?;
    if scores.nrows() != out.nrows() {
        return Err(Unfit::Rows { asked: out.nrows(), found: scores.nrows() });
    }
    for (output, mut out) in outputs.iter().copied().zip(out.columns_mut()) {
        if output >= scores.ncols() {
            return Err(Unfit::Output { output, found: scores.ncols() });
        }
        out.assign(&scores.column(output));
        if let Some(value) = out.iter().find(|value| !value.is_finite()) {
            return Err(Unfit::NotFinite { output, value: *value });
        }
    }
    Ok(())
}
