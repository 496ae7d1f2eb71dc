//! What attacks will ask of the model, found out without attacking.

use super::{RunError, pace};
use crate::plan::{Plan, Rows};
use crate::robustness::Method;

/// The cost of `[robustness]`, at most: rows that turn early ask for less.
#[derive(Debug, Clone, PartialEq)]
pub struct AttackCost {
    /// "pgd" or "fgsm".
    pub method: &'static str,
    pub rows: u64,
    /// Forward passes of a row.
    pub scores: u64,
    /// Forward passes that are followed back.
    pub gradients: u64,
    /// One core's seconds for both, at the pace measured here.
    pub seconds: f64,
}

/// `None` where nothing is attacked.
///
/// # Errors
/// Data that cannot be read, or rows that the model cannot score.
pub fn foreseen(plan: &Plan) -> Result<Option<AttackCost>, RunError> {
    let Some(model) = &plan.model else { return Ok(None) };
    let Some(robustness) = &model.robustness else { return Ok(None) };
    let Some(differentiator) = model.attacked(robustness) else { return Ok(None) };
    let rows = match robustness.rows {
        Rows::All => plan.n_rows,
        Rows::Count(n) => n.min(plan.n_rows),
    };
    let each = robustness.rules.effort();
    let (scores, gradients) = (rows.saturating_mul(each.scores), rows.saturating_mul(each.gradients));
    let some = pace::rows(plan)?;
    // Proofs come from ONNX Runtime, as decisions do.
    let by_score = pace::of_scores(&model.scorer, &some)?;
    let by_gradient = pace::of_gradients(differentiator, &some, 0, false)?;
    Ok(Some(AttackCost {
        method: match robustness.rules.method {
            Method::Fgsm => "fgsm",
            Method::Pgd => "pgd",
        },
        rows,
        scores,
        gradients,
        seconds: scores as f64 / by_score + gradients as f64 / by_gradient,
    }))
}
