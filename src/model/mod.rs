//! ONNX models: reading the file, importing structure, feeding, scoring. The only home of ort.
//!
//! [`Model::open`] reads a file. A [`Feed`] says which raw columns fill which input, a [`Reading`] how outputs become
//! scores; together they make a [`Scorer`], which runs on a pool of sessions. Where the graph is a tree ensemble or a
//! linear model behind preprocessing ([`import`]), [`Native`] evaluates it here and proves that it agrees. Networks are
//! differentiated: [`backward`] writes the graph of gradients, a [`Differentiator`] runs it; [`Taps`] show tensors from inside.

pub mod asked;
pub mod backward;
pub mod differentiable;
mod differentiator;
mod error;
mod feed;
pub mod import;
mod native;
pub mod onnx;
mod pool;
pub mod predictor;
mod preprocessing;
mod probe;
mod read;
mod runtime;
mod scorer;
mod shapes;
mod signature;
pub mod structure;
mod taps;

pub use differentiator::{Differentiator, Quantity};
pub use error::ModelError;
pub use feed::{FedInput, Feed};
pub(crate) use native::ProfileBuffers;
pub use native::{AskedColumn, Evaluated, Native, NativeKind, NativePredictor, NativeProfiles};
pub use probe::Probe;
pub use runtime::environment;
pub use scorer::{Reading, Scored, Scorer, Shape, batch_difference};
pub use shapes::Shapes;
pub use signature::{Element, Port, Signature};
pub use taps::{Tapped, Taps, Untapped};

use backward::{BackwardError, Types};
use onnx::{Graph, Summary};
use pool::Pool;
use std::path::Path;
use std::sync::OnceLock;

/// An ONNX file, opened.
pub struct Model {
    /// As configured, for messages.
    pub name: String,
    pub bytes: Vec<u8>,
    pub graph: Graph,
    pub signature: Signature,
    /// One session of the file as it is, to look before anything is decided.
    plain: Pool,
    summary: OnceLock<Summary>,
    types: OnceLock<Types>,
}

impl Model {
    /// Reads and checks a file; nothing is scored yet.
    pub fn open(path: &Path) -> Result<Self, ModelError> {
        let name = path.display().to_string();
        let unreadable = |reason: String| ModelError::Unreadable { model: name.clone(), reason };
        let bytes = std::fs::read(path).map_err(|error| {
            unreadable(match error.kind() {
                std::io::ErrorKind::NotFound => "there is no such file; check [model] path".to_owned(),
                _ => error.to_string(),
            })
        })?;
        let graph = Graph::decode(&bytes).map_err(|error| unreadable(error.to_string()))?;
        let plain = Pool::open(&name, &bytes, 1)?;
        let signature = plain.with(|session| Signature::of(session));
        Ok(Self { name, bytes, graph, signature, plain, summary: OnceLock::new(), types: OnceLock::new() })
    }

    /// What stands in the file; made when first asked for, since a forest is read for it.
    pub fn summary(&self) -> &Summary {
        self.summary.get_or_init(|| onnx::summary(&self.graph))
    }

    /// Types of all tensors of the file as it is; asked for once.
    fn types(&self) -> Result<Types, BackwardError> {
        if let Some(types) = self.types.get() {
            return Ok(types.clone());
        }
        let types = Types::infer(&self.bytes, &self.graph)?;
        Ok(self.types.get_or_init(|| types).clone())
    }

    /// Shapes of all tensors as far as they are known.
    pub fn shapes(&self) -> Shapes {
        Shapes::inferred(&self.graph, || self.types())
    }

    /// A scorer with one session per thread.
    pub fn scorer(&self, feed: Feed, reading: Reading, threads: usize) -> Result<Scorer, ModelError> {
        let declared = |port: &Port| self.signature.outputs.iter().any(|output| output.name == port.name);
        let wanted = [reading.margin.as_ref().map(|(port, _)| port), reading.inner.as_ref()];
        let added: Vec<&str> =
            wanted.into_iter().flatten().filter(|port| !declared(port)).map(|port| port.name.as_str()).collect();
        let edited = match added.is_empty() {
            true => None,
            false => Some(
                onnx::append_outputs(&self.bytes, &added)
                    .map_err(|error| ModelError::Unreadable { model: self.name.clone(), reason: error.to_string() })?,
            ),
        };
        let pool = Pool::open(&self.name, edited.as_deref().unwrap_or(&self.bytes), threads)?;
        Ok(Scorer { name: self.name.clone(), pool, feed, reading })
    }
}
