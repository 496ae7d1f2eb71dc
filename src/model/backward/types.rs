//! Element type and shape of every tensor, as ONNX Runtime infers them.

use crate::model::onnx::{Dim, ElementType, Graph, append_outputs};
use crate::model::pool::Pool;
use ort::value::{TensorElementType, ValueType};
use std::collections::HashMap;

use super::error::BackwardError;

/// What is known of a graph's tensors.
#[derive(Debug, Clone, Default)]
pub struct Types {
    known: HashMap<String, (ElementType, Vec<Dim>)>,
}

impl Types {
    /// Asks ONNX Runtime, which infers more than files say.
    pub fn infer(bytes: &[u8], graph: &Graph) -> Result<Self, BackwardError> {
        let computed: Vec<&str> = graph
            .nodes
            .iter()
            .flat_map(|node| &node.outputs)
            .filter(|name| !name.is_empty())
            .map(String::as_str)
            .collect();
        let edited = append_outputs(bytes, &computed)?;
        let pool = Pool::open("model", &edited, 1).map_err(|error| BackwardError::Rejected(error.to_string()))?;
        let mut known = HashMap::new();
        pool.with(|session| {
            for outlet in session.inputs().iter().chain(session.outputs()) {
                if let ValueType::Tensor { ty, shape, dimension_symbols } = outlet.dtype() {
                    let dims = shape.iter().enumerate().map(|(at, size)| match usize::try_from(*size) {
                        Ok(size) => Dim::Fixed(size),
                        Err(_) => match dimension_symbols.get(at).filter(|name| !name.is_empty()) {
                            Some(name) => Dim::Named(name.clone()),
                            None => Dim::Unknown,
                        },
                    });
                    known.insert(outlet.name().to_owned(), (element(*ty), dims.collect()));
                }
            }
        });
        Ok(Self { known })
    }

    pub fn element(&self, graph: &Graph, tensor: &str) -> Option<ElementType> {
        self.known.get(tensor).map(|(element, _)| *element).or_else(|| graph.element_of(tensor))
    }

    /// Dimensions where the rank is known and not 0.
    pub fn dims(&self, graph: &Graph, tensor: &str) -> Option<Vec<Dim>> {
        let inferred = self.known.get(tensor).map(|(_, dims)| dims.clone()).filter(|dims| !dims.is_empty());
        inferred.or_else(|| {
            let dims = graph.initializer_dims(tensor)?;
            Some(dims.iter().map(|dim| usize::try_from(*dim).map_or(Dim::Unknown, Dim::Fixed)).collect())
        })
    }

    /// Numbers that a row takes in all floating tensors, as far as shapes are known.
    pub fn numbers_per_row(&self) -> usize {
        let size = |(element, dims): &(ElementType, Vec<Dim>)| match element {
            ElementType::Float | ElementType::Double => dims.iter().skip(1).fold(1_usize, |product, dim| match dim {
                Dim::Fixed(size) => product.saturating_mul(*size),
                _ => product,
            }),
            _ => 0,
        };
        self.known.values().map(size).fold(0, usize::saturating_add)
    }
}

fn element(element: TensorElementType) -> ElementType {
    match element {
        TensorElementType::Float32 => ElementType::Float,
        TensorElementType::Float64 => ElementType::Double,
        TensorElementType::Float16 => ElementType::Float16,
        TensorElementType::Bfloat16 => ElementType::BFloat16,
        TensorElementType::Int64 => ElementType::Int64,
        TensorElementType::Int32 => ElementType::Int32,
        TensorElementType::Uint8 => ElementType::UInt8,
        TensorElementType::Int8 => ElementType::Int8,
        TensorElementType::Bool => ElementType::Bool,
        TensorElementType::String => ElementType::String,
        _ => ElementType::Other(0),
    }
}
