//! One run of the model as it is, to see what its outputs are.

use super::read;
use super::{Element, Feed, Model, ModelError, Port};
use crate::dataset::Features;

/// What an output gave for a few rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Probe {
    pub port: Port,
    /// Numbers per row; `None` for outputs that are not numbers.
    pub columns: Option<usize>,
    /// Keys of a ZipMap's maps, in order.
    pub classes: Vec<String>,
    pub least: f64,
    pub greatest: f64,
}

impl Probe {
    /// A label rather than a score: whole numbers or text.
    pub fn is_label(&self) -> bool {
        !self.port.element.is_float() && self.port.element != Element::ClassMaps
    }
}

impl Model {
    /// Runs the first rows of a batch.
    pub fn probe(&self, feed: &Feed, features: &Features) -> Result<Vec<Probe>, ModelError> {
        let n_rows = feed.fixed_batch().unwrap_or(features.n_rows.min(64));
        let rejected = |reason: String| ModelError::Rejected { model: self.name.clone(), reason };
        let rows = 0..n_rows.min(features.n_rows);
        let values = feed.values(features, rows, n_rows).map_err(|error| rejected(error.to_string()))?;
        self.plain.with(|session| {
            let outputs = session.run(values).map_err(|error| rejected(error.to_string()))?;
            let probes = self.signature.outputs.iter().map(|port| {
                let value = outputs.get(&port.name).ok_or_else(|| rejected(format!("no output `{}`", port.name)))?;
                let classes = match port.element {
                    Element::ClassMaps => read::class_names(value).map_err(rejected)?,
                    _ => Vec::new(),
                };
                let matrix = read::matrix(port, value, n_rows, &classes).ok();
                let range = matrix
                    .iter()
                    .flatten()
                    .fold((f64::INFINITY, f64::NEG_INFINITY), |(least, greatest), x| (least.min(*x), greatest.max(*x)));
                let columns = matrix.as_ref().map(|matrix| matrix.ncols());
                Ok(Probe { port: port.clone(), columns, classes, least: range.0, greatest: range.1 })
            });
            probes.collect()
        })
    }
}
