//! Whether small changes of a row turn its decision: attacks along the gradients of the score.
//!
//! A change is *admissible* within ε if it moves no number by more than ε of its unit, leaves none outside of its range
//! and keeps whole numbers whole ([`Ball`]). [`Attack`] looks for an admissible change that turns the decision, by one
//! step along the signs of the gradient (FGSM: Goodfellow, Shlens and Szegedy, ICLR 2015) and by many small ones from
//! several starts (PGD: Madry et al., ICLR 2018). What it finds is proved: the model itself decides the changed row. What
//! it does not find may still exist, so the share of decisions turned is a lower bound. [`Spreads`] says what a
//! column's numbers are, from which units and ranges follow.

mod attack;
mod ball;
mod spread;
#[cfg(test)]
mod tests;

pub use attack::{Attack, Effort, Loss, Method, Outcome, Rules};
pub use ball::{Ball, Reach};
pub use spread::{Spread, Spreads};
