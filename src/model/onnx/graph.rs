//! The graph as nodes, constants and ports, indexed by tensor name.

use super::attribute::Attribute;
use super::decode::decode;
use super::element::ElementType;
use super::error::OnnxError;
use super::proto::{GraphProto, NodeProto, TensorProto, TypeProto, ValueInfoProto};
use super::tensor::Tensor;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;

/// A decoded model.
#[derive(Debug, Clone, PartialEq)]
pub struct Graph {
    /// "skl2onnx 1.20.0".
    pub producer: String,
    pub ir_version: i64,
    pub opsets: Vec<Opset>,
    pub metadata: BTreeMap<String, String>,
    /// In the order of the file, which ONNX requires to be an order of computation.
    pub nodes: Vec<Node>,
    /// What the caller must provide, in order; initializers are not inputs.
    pub inputs: Vec<Port>,
    pub outputs: Vec<Port>,
    initializers: BTreeMap<String, TensorProto>,
    types: HashMap<String, ValueType>,
    producers: HashMap<String, usize>,
    consumers: HashMap<String, Vec<usize>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opset {
    /// "" is the standard domain.
    pub domain: String,
    pub version: i64,
}

/// One operator call.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// May be empty; see [`Node::label`].
    pub name: String,
    pub op_type: String,
    /// "" is the standard domain.
    pub domain: String,
    /// "" is an optional input left out.
    pub inputs: Vec<String>,
    pub outputs: Vec<String>,
    pub(super) attributes: BTreeMap<String, Attribute>,
}

/// An input or output of the graph.
#[derive(Debug, Clone, PartialEq)]
pub struct Port {
    pub name: String,
    pub value: ValueType,
}

#[derive(Debug, Clone, PartialEq)]
pub enum ValueType {
    Tensor {
        element: ElementType,
        /// `None` if the file does not even say the rank.
        shape: Option<Vec<Dim>>,
    },
    Sequence(Box<ValueType>),
    Map {
        key: ElementType,
        value: Box<ValueType>,
    },
    Optional(Box<ValueType>),
    Unknown,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Dim {
    Fixed(usize),
    Named(String),
    Unknown,
}

impl Graph {
    /// Decodes the bytes of an ONNX file.
    ///
    /// # Errors
    /// The bytes are not an ONNX model, are cut off or damaged.
    pub fn decode(bytes: &[u8]) -> Result<Graph, OnnxError> {
        let model = decode(bytes)?;
        let proto = model.graph.unwrap_or_default();
        let mut graph = Graph::from(proto);
        let name = String::from_utf8_lossy(&model.producer_name).into_owned();
        let version = String::from_utf8_lossy(&model.producer_version).into_owned();
        graph.producer = format!("{} {}", name.trim(), version.lines().next().unwrap_or_default()).trim().to_owned();
        graph.ir_version = model.ir_version;
        for import in model.opset_import {
            let opset = Opset { domain: standard(import.domain), version: import.version };
            // Some exporters list the same operator set twice.
            if !graph.opsets.contains(&opset) {
                graph.opsets.push(opset);
            }
        }
        graph.metadata = model.metadata_props.into_iter().map(|entry| (entry.key, entry.value)).collect();
        Ok(graph)
    }

    /// The node that computes a tensor; `None` for inputs and constants.
    pub fn producer_of(&self, tensor: &str) -> Option<&Node> {
        self.producers.get(tensor).map(|node| &self.nodes[*node])
    }

    /// Nodes that read a tensor, in order.
    pub fn consumers_of(&self, tensor: &str) -> impl Iterator<Item = &Node> {
        self.consumers.get(tensor).into_iter().flatten().map(|node| &self.nodes[*node])
    }

    pub fn is_input(&self, tensor: &str) -> bool {
        self.inputs.iter().any(|port| port.name == tensor)
    }

    /// Whether the graph has or computes a tensor of this name.
    pub fn knows(&self, tensor: &str) -> bool {
        self.producers.contains_key(tensor) || self.initializers.contains_key(tensor) || self.is_input(tensor)
    }

    pub fn is_initializer(&self, tensor: &str) -> bool {
        self.initializers.contains_key(tensor)
    }

    /// Names of all initializers, in order.
    pub fn initializers(&self) -> impl Iterator<Item = &str> {
        self.initializers.keys().map(String::as_str)
    }

    /// Elements of an initializer by its shape, without reading its data.
    pub fn initializer_size(&self, tensor: &str) -> Option<u64> {
        let dims = &self.initializers.get(tensor)?.dims;
        dims.iter().try_fold(1_u64, |product, dim| product.checked_mul(u64::try_from(*dim).ok()?))
    }

    /// Shape of an initializer as written.
    pub fn initializer_dims(&self, tensor: &str) -> Option<&[i64]> {
        self.initializers.get(tensor).map(|proto| proto.dims.as_slice())
    }

    /// The value of an initializer or of a `Constant` node; `None` if the tensor is computed.
    ///
    /// # Errors
    /// It is a constant but cannot be read.
    pub fn constant(&self, tensor: &str) -> Result<Option<Tensor>, OnnxError> {
        if let Some(proto) = self.initializers.get(tensor) {
            return Tensor::try_from(proto).map(Some);
        }
        match self.producer_of(tensor) {
            Some(node) if node.is("Constant") => node.constant_value(),
            _ => Ok(None),
        }
    }

    /// Type of a tensor as far as the file says it (ports, `value_info`, initializers).
    pub fn type_of(&self, tensor: &str) -> Option<&ValueType> {
        self.types.get(tensor)
    }

    /// Element type of a tensor as far as the file says it.
    pub fn element_of(&self, tensor: &str) -> Option<ElementType> {
        match self.type_of(tensor) {
            Some(ValueType::Tensor { element, .. }) => Some(*element),
            _ => None,
        }
    }

    /// Version of an operator set ("" is the standard one), if imported.
    pub fn opset(&self, domain: &str) -> Option<i64> {
        self.opsets.iter().find(|opset| opset.domain == domain).map(|opset| opset.version)
    }
}

impl From<GraphProto> for Graph {
    fn from(proto: GraphProto) -> Graph {
        let initializers: BTreeMap<_, _> =
            proto.initializer.into_iter().map(|tensor| (tensor.name.clone(), tensor)).collect();
        let named: BTreeSet<&String> = initializers.keys().collect();
        // Before IR version 4 every initializer is also listed as an input.
        let inputs: Vec<Port> = proto.input.iter().filter(|info| !named.contains(&info.name)).map(Port::from).collect();
        let outputs: Vec<Port> = proto.output.iter().map(Port::from).collect();
        let mut types: HashMap<String, ValueType> =
            proto.value_info.iter().map(|info| (info.name.clone(), Port::from(info).value)).collect();
        for port in outputs.iter().chain(&inputs) {
            types.insert(port.name.clone(), port.value.clone());
        }
        for (name, tensor) in &initializers {
            let shape = tensor.dims.iter().map(|dim| usize::try_from(*dim).map_or(Dim::Unknown, Dim::Fixed)).collect();
            let element = ElementType::from_code(tensor.data_type);
            types.insert(name.clone(), ValueType::Tensor { element, shape: Some(shape) });
        }
        let nodes: Vec<Node> = proto.node.into_iter().map(Node::from).collect();
        let mut graph = Graph {
            producer: String::new(),
            ir_version: 0,
            opsets: Vec::new(),
            metadata: BTreeMap::new(),
            producers: HashMap::new(),
            consumers: HashMap::new(),
            nodes,
            inputs,
            outputs,
            initializers,
            types,
        };
        graph.index();
        graph
    }
}

impl Graph {
    fn index(&mut self) {
        for (at, node) in self.nodes.iter().enumerate() {
            for output in node.outputs.iter().filter(|name| !name.is_empty()) {
                self.producers.entry(output.clone()).or_insert(at);
            }
            for input in node.reads() {
                self.consumers.entry(input).or_default().push(at);
            }
        }
    }
}

impl Node {
    /// An operator of the standard domain.
    pub fn is(&self, op_type: &str) -> bool {
        self.domain.is_empty() && self.op_type == op_type
    }

    /// An operator of `ai.onnx.ml`.
    pub fn is_ml(&self, op_type: &str) -> bool {
        self.domain == "ai.onnx.ml" && self.op_type == op_type
    }

    /// How messages call this node: "`Gemm` (node `/fc/Gemm`)".
    pub fn label(&self) -> String {
        let name = if self.name.is_empty() { self.outputs.first() } else { Some(&self.name) };
        match name {
            Some(name) => format!("`{}` (node `{name}`)", self.op_type),
            None => format!("`{}`", self.op_type),
        }
    }

    /// Everything read: inputs, and what subgraphs take from outside.
    pub fn reads(&self) -> BTreeSet<String> {
        let mut names: BTreeSet<String> = self.inputs.iter().filter(|name| !name.is_empty()).cloned().collect();
        for attribute in self.attributes.values() {
            if let Attribute::Graphs(graphs) = attribute {
                names.extend(graphs.iter().flat_map(reads_from_outside));
            }
        }
        names
    }

    /// Value of a `Constant` node.
    pub(super) fn constant_value(&self) -> Result<Option<Tensor>, OnnxError> {
        use super::tensor::Values;
        let made = |dims, element, values| Ok(Some(Tensor { dims, element, values }));
        match self.attributes.iter().next() {
            Some((_, Attribute::Tensor(proto))) => Tensor::try_from(proto.as_ref()).map(Some),
            Some((_, Attribute::Float(value))) => {
                made(vec![], ElementType::Float, Values::Float(vec![f64::from(*value)]))
            }
            Some((_, Attribute::Int(value))) => made(vec![], ElementType::Int64, Values::Int(vec![*value])),
            Some((_, Attribute::Text(value))) => made(vec![], ElementType::String, Values::Text(vec![value.clone()])),
            Some((_, Attribute::Floats(values))) => {
                let wide = values.iter().map(|value| f64::from(*value)).collect();
                made(vec![values.len()], ElementType::Float, Values::Float(wide))
            }
            Some((_, Attribute::Ints(values))) => {
                made(vec![values.len()], ElementType::Int64, Values::Int(values.clone()))
            }
            Some((_, Attribute::Texts(values))) => {
                made(vec![values.len()], ElementType::String, Values::Text(values.clone()))
            }
            _ => Ok(None),
        }
    }
}

/// Names a subgraph reads without computing them itself.
fn reads_from_outside(graph: &GraphProto) -> BTreeSet<String> {
    let inner = Graph::from(graph.clone());
    let mut names: BTreeSet<String> = inner.nodes.iter().flat_map(Node::reads).collect();
    names.extend(inner.outputs.iter().map(|port| port.name.clone()));
    names.retain(|name| !inner.knows(name));
    names
}

impl From<NodeProto> for Node {
    fn from(proto: NodeProto) -> Node {
        Node {
            name: proto.name,
            op_type: proto.op_type,
            domain: standard(proto.domain),
            inputs: proto.input,
            outputs: proto.output,
            attributes: proto.attribute.into_iter().map(|each| (each.name.clone(), Attribute::from(each))).collect(),
        }
    }
}

/// "ai.onnx" and "" both name the standard domain.
fn standard(domain: String) -> String {
    if domain == "ai.onnx" { String::new() } else { domain }
}

impl From<&ValueInfoProto> for Port {
    fn from(info: &ValueInfoProto) -> Port {
        let value = info.r#type.as_ref().map_or(ValueType::Unknown, ValueType::from);
        Port { name: info.name.clone(), value }
    }
}

impl From<&TypeProto> for ValueType {
    fn from(proto: &TypeProto) -> ValueType {
        let inner =
            |wrapped: &Option<Box<TypeProto>>| Box::new(wrapped.as_deref().map_or(ValueType::Unknown, ValueType::from));
        if let Some(tensor) = &proto.tensor_type {
            let shape = tensor.shape.as_ref().map(|shape| shape.dim.iter().map(Dim::from).collect());
            ValueType::Tensor { element: ElementType::from_code(tensor.elem_type), shape }
        } else if let Some(sequence) = &proto.sequence_type {
            ValueType::Sequence(inner(&sequence.elem_type))
        } else if let Some(map) = &proto.map_type {
            ValueType::Map { key: ElementType::from_code(map.key_type), value: inner(&map.value_type) }
        } else if let Some(optional) = &proto.optional_type {
            ValueType::Optional(inner(&optional.elem_type))
        } else {
            ValueType::Unknown
        }
    }
}

impl From<&super::proto::DimensionProto> for Dim {
    fn from(proto: &super::proto::DimensionProto) -> Dim {
        match (proto.dim_value.and_then(|value| usize::try_from(value).ok()), &proto.dim_param) {
            // 0 is what some exporters write for "any".
            (Some(value), _) if value > 0 => Dim::Fixed(value),
            (_, Some(name)) if !name.is_empty() => Dim::Named(name.clone()),
            _ => Dim::Unknown,
        }
    }
}

impl fmt::Display for Dim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Dim::Fixed(value) => write!(f, "{value}"),
            Dim::Named(name) => f.write_str(name),
            Dim::Unknown => f.write_str("?"),
        }
    }
}

impl fmt::Display for ValueType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ValueType::Tensor { element, shape: None } => write!(f, "{element}"),
            ValueType::Tensor { element, shape: Some(shape) } => {
                let dims: Vec<String> = shape.iter().map(Dim::to_string).collect();
                write!(f, "{element}[{}]", dims.join(", "))
            }
            ValueType::Sequence(inner) => write!(f, "sequence({inner})"),
            ValueType::Map { key, value } => write!(f, "map({key}, {value})"),
            ValueType::Optional(inner) => write!(f, "optional({inner})"),
            ValueType::Unknown => f.write_str("?"),
        }
    }
}
