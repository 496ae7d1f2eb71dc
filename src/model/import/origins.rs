//! Which raw columns the numbers of an intermediate tensor depend on.

use super::columns::{Raw, Source};
use super::flow::{Flow, Value};
use crate::model::onnx::Graph;

/// Name of a graph input, and a position in its row.
pub type Place = (String, usize);

/// What one number of a row depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    Nothing,
    One(Place),
    Many(Vec<Place>),
}

/// Of every number of a row of each tensor; `None` where the operators on the way are not followed number by number.
pub fn origins(graph: &Graph, tensors: &[&str]) -> Vec<Option<Vec<Origin>>> {
    let flow = Flow::of(graph);
    let place = |raw: &Raw| flow.raw(*raw);
    let origin = |source: &Source| match source {
        Source::Nothing => Origin::Nothing,
        Source::One(raw) => Origin::One(place(raw)),
        Source::Many(raws) => Origin::Many(raws.iter().map(place).collect()),
    };
    let of = |tensor: &&str| match flow.value(tensor) {
        Value::Columns(columns) => Some(columns.sources.iter().map(origin).collect()),
        _ => None,
    };
    tensors.iter().map(of).collect()
}
