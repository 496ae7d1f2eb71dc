//! What a network computes inside, from the numbers of its layers: arrays in, values out; no model here.
//!
//! A layer's numbers come row by row in a [`Layout`] that says which belong to which unit (a channel, a neuron).
//! [`Activity`] keeps how they are distributed, over all rows and by cell of the groups, in partials that merge exactly.
//! [`Reduction`] brings a row's numbers down to a few, on which a [`probe`](probe()) is fitted: a linear model that is
//! asked on rows it has not seen how well the layer tells the label, or a group.

mod activity;
mod layout;
mod probe;
mod reduction;
mod ridge;

pub use activity::{Activity, GroupActivity, Numbers, UnitActivity};
pub use layout::Layout;
pub use probe::{LEAST_ROWS, MOST_CLASSES, Measured, ProbeResult, Target, Undefined, probe};
pub use reduction::{MOST_INPUTS, Reduction};
