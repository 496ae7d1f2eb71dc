//! Inputs and outputs of a model as ONNX Runtime declares them.

use ort::session::Session;
use ort::value::{Outlet, TensorElementType, ValueType};

#[derive(Debug, Clone, PartialEq)]
pub struct Signature {
    pub inputs: Vec<Port>,
    pub outputs: Vec<Port>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Port {
    pub name: String,
    pub element: Element,
    /// Dimensions with the batch first; `None` = dynamic. Empty for sequences and scalars.
    pub dims: Vec<Option<usize>>,
}

/// Element types that data can be fed to or scores read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Element {
    F16,
    F32,
    F64,
    I64,
    I32,
    U8,
    Bool,
    Text,
    /// A sequence of maps from class to score, one map per row (ZipMap).
    ClassMaps,
    Other,
}

impl Signature {
    pub(super) fn of(session: &Session) -> Self {
        Self {
            inputs: session.inputs().iter().map(Port::of).collect(),
            outputs: session.outputs().iter().map(Port::of).collect(),
        }
    }
}

impl Port {
    fn of(outlet: &Outlet) -> Self {
        let (element, dims) = match outlet.dtype() {
            ValueType::Tensor { ty, shape, .. } => {
                (Element::of(*ty), shape.iter().map(|dim| usize::try_from(*dim).ok()).collect())
            }
            ValueType::Sequence(item) if matches!(**item, ValueType::Map { .. }) => (Element::ClassMaps, Vec::new()),
            _ => (Element::Other, Vec::new()),
        };
        Self { name: outlet.name().to_owned(), element, dims }
    }

    /// Numbers per row: the product of all dimensions behind the batch; `None` where one is dynamic.
    pub fn width(&self) -> Option<usize> {
        self.dims.iter().skip(1).copied().product()
    }

    /// "float32[?, 12]".
    pub fn describe(&self) -> String {
        let dims: Vec<_> = self.dims.iter().map(|dim| dim.map_or("?".to_owned(), |dim| dim.to_string())).collect();
        match self.element {
            Element::ClassMaps => "sequence of maps (class → score)".to_owned(),
            element => format!("{}[{}]", element.name(), dims.join(", ")),
        }
    }
}

impl Element {
    fn of(element: TensorElementType) -> Self {
        match element {
            TensorElementType::Float16 => Element::F16,
            TensorElementType::Float32 => Element::F32,
            TensorElementType::Float64 => Element::F64,
            TensorElementType::Int64 => Element::I64,
            TensorElementType::Int32 => Element::I32,
            TensorElementType::Uint8 => Element::U8,
            TensorElementType::Bool => Element::Bool,
            TensorElementType::String => Element::Text,
            _ => Element::Other,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Element::F16 => "float16",
            Element::F32 => "float32",
            Element::F64 => "float64",
            Element::I64 => "int64",
            Element::I32 => "int32",
            Element::U8 => "uint8",
            Element::Bool => "bool",
            Element::Text => "string",
            Element::ClassMaps => "maps",
            Element::Other => "other",
        }
    }

    pub fn is_float(self) -> bool {
        matches!(self, Element::F16 | Element::F32 | Element::F64)
    }

    /// Whether a missing value can be fed (as NaN).
    pub fn takes_missing(self) -> bool {
        self.is_float()
    }
}
