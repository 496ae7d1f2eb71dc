//! Attributions from the gradients of a score.
//!
//! All of them explain how the score goes from a baseline z to the row x:
//! - *integrated gradients*: (x − z) ⊙ ∫₀¹ ∇f(z + t (x − z)) dt, z the mean of the background (Sundararajan, Taly and Yan
//!   2017); with the integral computed by Gauss–Legendre quadrature on panels, which are halved where it does not add up
//!   ([`line`]). *Expected gradients* are their mean over all rows of the background (Erion et al. 2021);
//! - *deep*: DeepLIFT's rescale multipliers times x − z, mean over the background (Lundberg and Lee 2017, "Deep SHAP"),
//!   an approximation of Shapley values;
//! - *gradient × input*: ∇f(x) ⊙ x, the tangent's way from the origin to x; *SmoothGrad* takes the mean gradient of noisy
//!   copies of x (Smilkov et al. 2017). For these the base is the value of the tangent at the origin.
//!
//! Numbers of a point are summed over the player that owns their raw column or picture cell. Work is shared among threads
//! by row, and every row meets the same points in the same runs whatever batch it is in.

mod error;
mod explainer;
mod line;
#[cfg(test)]
mod tests;

pub use error::GradientError;
pub use explainer::{COPIES, Explained, GradientExplainer, Map, Method, Rules};
