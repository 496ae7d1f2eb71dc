//! Element types and shapes of all tensors of a graph: as ONNX Runtime infers them, else what the file says.

use super::backward::{BackwardError, Types};
use super::onnx::{Dim, ElementType, Graph, shapes};
use std::collections::HashMap;

/// What is known of a graph's tensors.
#[derive(Debug, Clone, Default)]
pub struct Shapes {
    known: HashMap<String, (ElementType, Vec<Dim>)>,
}

impl Shapes {
    /// What the file says, and what follows from it by simple rules.
    pub fn stated(graph: &Graph) -> Self {
        let element = |name: &str| graph.element_of(name).unwrap_or(ElementType::Float);
        Self { known: shapes(graph).into_iter().map(|(name, dims)| (name.clone(), (element(&name), dims))).collect() }
    }

    /// With the types that ONNX Runtime infers. A forest is not asked about: its file is large and says enough.
    pub fn inferred(graph: &Graph, infer: impl FnOnce() -> Result<Types, BackwardError>) -> Self {
        let mut shapes = Self::stated(graph);
        if graph.nodes.iter().any(|node| node.op_type.starts_with("TreeEnsemble")) {
            return shapes;
        }
        if let Ok(types) = infer() {
            for tensor in graph.nodes.iter().flat_map(|node| &node.outputs) {
                if let Some((element, dims)) = types.element(graph, tensor).zip(types.dims(graph, tensor)) {
                    shapes.known.insert(tensor.clone(), (element, dims));
                }
            }
        }
        shapes.keep_rows(graph);
        shapes
    }

    /// Where only one dimension of a reshaped row is not known, the row's size says it: reshaping keeps rows apart in
    /// every model that scores rows one by one.
    fn keep_rows(&mut self, graph: &Graph) {
        for node in graph.nodes.iter().filter(|node| node.is("Reshape")) {
            let (Some(input), Some(output)) = (node.inputs.first(), node.outputs.first()) else { continue };
            let Some(row) = self.per_row(input) else { continue };
            let Some((_, dims)) = self.known.get_mut(output) else { continue };
            let open: Vec<usize> = (0..dims.len()).filter(|at| !matches!(dims[*at], Dim::Fixed(_))).collect();
            if let [0, at] = open[..]
                && let Some(rest) = product(&[&dims[1..at], &dims[at + 1..]].concat()).filter(|rest| *rest > 0)
                && row.is_multiple_of(rest)
            {
                dims[at] = Dim::Fixed((row / rest) as usize);
            }
        }
    }

    pub fn dims(&self, tensor: &str) -> Option<&[Dim]> {
        self.known.get(tensor).map(|(_, dims)| dims.as_slice())
    }

    /// Numbers that one row has in a tensor: all dimensions but the first, which is the batch.
    pub fn per_row(&self, tensor: &str) -> Option<u64> {
        product(self.dims(tensor)?.get(1..)?)
    }

    /// Bytes that one row takes in a tensor.
    pub fn bytes_per_row(&self, tensor: &str) -> Option<u64> {
        let (element, _) = self.known.get(tensor)?;
        self.per_row(tensor)?.checked_mul(element.size()? as u64)
    }

    /// "[N, 32]"; "?" where nothing is known.
    pub fn text(&self, tensor: &str) -> String {
        self.dims(tensor).map_or_else(
            || "?".to_owned(),
            |dims| {
                // Names that converters invent for the batch say nothing.
                let text = |(at, dim): (usize, &Dim)| match dim {
                    Dim::Named(_) | Dim::Unknown if at == 0 => "N".to_owned(),
                    Dim::Named(name) if name.starts_with("unk_") => "?".to_owned(),
                    dim => dim.to_string(),
                };
                format!("[{}]", dims.iter().enumerate().map(text).collect::<Vec<_>>().join(", "))
            },
        )
    }
}

/// Product of fixed dimensions.
pub fn product(dims: &[Dim]) -> Option<u64> {
    dims.iter().try_fold(1_u64, |product, dim| match dim {
        Dim::Fixed(size) => product.checked_mul(*size as u64),
        _ => None,
    })
}
