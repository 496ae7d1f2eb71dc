//! Attributes of nodes.

use super::error::OnnxError;
use super::graph::Node;
use super::proto::{AttributeProto, GraphProto, TensorProto};
use super::tensor::Tensor;

#[derive(Debug, Clone, PartialEq)]
pub enum Attribute {
    Float(f32),
    Int(i64),
    Text(String),
    Floats(Vec<f32>),
    Ints(Vec<i64>),
    Texts(Vec<String>),
    Tensor(Box<TensorProto>),
    /// Bodies of `If`, `Loop` and `Scan`.
    Graphs(Vec<GraphProto>),
    /// A type, sparse tensor or list that is not read here.
    Other,
}

impl From<AttributeProto> for Attribute {
    /// By `type` where it is set (`AttributeProto.AttributeType`), else by the field that is present.
    fn from(proto: AttributeProto) -> Attribute {
        match proto.r#type {
            1 => Attribute::Float(proto.f.unwrap_or_default()),
            2 => Attribute::Int(proto.i.unwrap_or_default()),
            3 => Attribute::Text(text(proto.s.unwrap_or_default())),
            4 => proto.t.map_or(Attribute::Other, |tensor| Attribute::Tensor(Box::new(tensor))),
            5 => Attribute::Graphs(proto.g.into_iter().collect()),
            6 => Attribute::Floats(proto.floats),
            7 => Attribute::Ints(proto.ints),
            8 => Attribute::Texts(proto.strings.into_iter().map(text).collect()),
            10 => Attribute::Graphs(proto.graphs),
            0 => by_presence(proto),
            _ => Attribute::Other,
        }
    }
}

fn by_presence(proto: AttributeProto) -> Attribute {
    if !proto.floats.is_empty() {
        Attribute::Floats(proto.floats)
    } else if !proto.ints.is_empty() {
        Attribute::Ints(proto.ints)
    } else if !proto.strings.is_empty() {
        Attribute::Texts(proto.strings.into_iter().map(text).collect())
    } else if let Some(tensor) = proto.t {
        Attribute::Tensor(Box::new(tensor))
    } else if proto.g.is_some() || !proto.graphs.is_empty() {
        Attribute::Graphs(proto.g.into_iter().chain(proto.graphs).collect())
    } else if let Some(value) = proto.s {
        Attribute::Text(text(value))
    } else if let Some(value) = proto.i {
        Attribute::Int(value)
    } else if let Some(value) = proto.f {
        Attribute::Float(value)
    } else {
        Attribute::Other
    }
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// Typed access. An attribute of another type counts as absent: ONNX Runtime refuses such a file.
impl Node {
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes.get(name)
    }

    /// All of them, by name.
    pub fn attributes(&self) -> impl Iterator<Item = (&str, &Attribute)> {
        self.attributes.iter().map(|(name, value)| (name.as_str(), value))
    }

    pub fn int(&self, name: &str) -> Option<i64> {
        match self.attribute(name) {
            Some(Attribute::Int(value)) => Some(*value),
            _ => None,
        }
    }

    pub fn float(&self, name: &str) -> Option<f32> {
        match self.attribute(name) {
            Some(Attribute::Float(value)) => Some(*value),
            _ => None,
        }
    }

    pub fn text(&self, name: &str) -> Option<&str> {
        match self.attribute(name) {
            Some(Attribute::Text(value)) => Some(value),
            _ => None,
        }
    }

    /// Empty where absent.
    pub fn ints(&self, name: &str) -> &[i64] {
        match self.attribute(name) {
            Some(Attribute::Ints(values)) => values,
            _ => &[],
        }
    }

    /// Empty where absent.
    pub fn floats(&self, name: &str) -> &[f32] {
        match self.attribute(name) {
            Some(Attribute::Floats(values)) => values,
            _ => &[],
        }
    }

    /// Empty where absent.
    pub fn texts(&self, name: &str) -> &[String] {
        match self.attribute(name) {
            Some(Attribute::Texts(values)) => values,
            _ => &[],
        }
    }

    /// # Errors
    /// The tensor is there but cannot be read.
    pub fn tensor(&self, name: &str) -> Result<Option<Tensor>, OnnxError> {
        match self.attribute(name) {
            Some(Attribute::Tensor(proto)) => Tensor::try_from(proto.as_ref()).map(Some),
            _ => Ok(None),
        }
    }
}
