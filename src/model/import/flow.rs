//! The walk along the nodes: what every tensor is.

use super::columns::{Columns, Raw, Source};
use super::error::ImportError;
use super::layout::{LARGEST_ROW, size};
use super::operators;
use super::scores::Scores;
use crate::model::onnx::{Dim, ElementType, Graph, Node, Port, Tensor, ValueType};
use std::collections::HashMap;
use std::rc::Rc;

/// What is known of a tensor.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Computed from raw columns alone, number by number.
    Columns(Rc<Columns>),
    /// Sums over trees or features, perhaps linked.
    Scores(Rc<Scores>),
    /// Scores of several estimators, `[estimators × rows × scores]`: a row is `[estimators × scores]`.
    Stacked(Rc<Scores>),
    Constant(Rc<Tensor>),
    /// A decision made from scores.
    Label,
    /// No rule; which node and why.
    Opaque(Rc<str>),
}

impl Value {
    /// Why this is no score.
    pub fn reason(&self, graph: &Graph, output: &str) -> String {
        match self {
            Value::Opaque(why) => why.to_string(),
            Value::Label => format!("output `{output}` is a decision, not a score"),
            Value::Constant(_) => format!("output `{output}` does not depend on the inputs"),
            Value::Columns(_) => {
                let by = graph.producer_of(output).map_or_else(|| "nothing".to_owned(), Node::label);
                format!("output `{output}`, computed by {by}, is no sum of trees or weights behind a link")
            }
            Value::Scores(_) | Value::Stacked(_) => format!("output `{output}` holds scores of several estimators"),
        }
    }
}

/// Values of all tensors of a graph.
pub struct Flow<'g> {
    pub graph: &'g Graph,
    values: HashMap<&'g str, Value>,
    /// Raw columns: `(graph input, position in its row)`.
    raws: Vec<(&'g str, usize)>,
}

impl<'g> Flow<'g> {
    pub fn of(graph: &'g Graph) -> Flow<'g> {
        let mut flow = Flow { graph, values: HashMap::new(), raws: Vec::new() };
        for port in &graph.inputs {
            let value =
                flow.input(port).unwrap_or_else(|why| Value::Opaque(format!("input `{}`: {why}", port.name).into()));
            flow.values.insert(&port.name, value);
        }
        for node in &graph.nodes {
            if node.is("Constant") {
                continue;
            }
            let values = operators::evaluate(&flow, node).unwrap_or_else(|error| {
                let why = match error {
                    ImportError::Upstream(why) => why,
                    why => format!("{}: {why}", node.label()),
                };
                vec![Value::Opaque(why.into()); node.outputs.len()]
            });
            for (output, value) in node.outputs.iter().zip(values) {
                flow.values.insert(output, value);
            }
        }
        flow
    }

    /// What is known of a tensor; constants are read when asked for.
    pub fn value(&self, tensor: &str) -> Value {
        if let Some(value) = self.values.get(tensor) {
            return value.clone();
        }
        match self.graph.constant(tensor) {
            Ok(Some(constant)) => Value::Constant(Rc::new(constant)),
            Ok(None) => Value::Opaque(format!("tensor `{tensor}` is not computed before it is read").into()),
            Err(error) => Value::Opaque(error.to_string().into()),
        }
    }

    /// The value of a node's input `at`, which must be there.
    pub fn operand(&self, node: &Node, at: usize) -> Result<Value, ImportError> {
        match node.inputs.get(at) {
            Some(name) if !name.is_empty() => Ok(self.value(name)),
            _ => ImportError::no_rule(format!("input {at} is missing")),
        }
    }

    /// An optional constant input.
    pub fn constant(&self, node: &Node, at: usize) -> Result<Option<Rc<Tensor>>, ImportError> {
        match node.inputs.get(at) {
            None => Ok(None),
            Some(name) if name.is_empty() => Ok(None),
            Some(name) => match self.value(name) {
                Value::Constant(tensor) => Ok(Some(tensor)),
                Value::Opaque(why) => Err(ImportError::Upstream(why.to_string())),
                _ => ImportError::no_rule(format!("its input `{name}` is not constant")),
            },
        }
    }

    pub fn is_input(&self, tensor: &str) -> bool {
        self.graph.is_input(tensor)
    }

    /// Name of the graph input and position of a raw column.
    pub fn raw(&self, raw: Raw) -> (String, usize) {
        let (input, index) = self.raws[raw as usize];
        (input.to_owned(), index)
    }

    fn input(&mut self, port: &'g Port) -> Result<Value, ImportError> {
        let ValueType::Tensor { element, shape } = &port.value else {
            return ImportError::no_rule("it is not a tensor");
        };
        let dims = match shape.as_deref() {
            Some([_, rest @ ..]) if rest.iter().all(|dim| matches!(dim, Dim::Fixed(_))) => {
                rest.iter().map(|dim| if let Dim::Fixed(size) = dim { *size } else { 0 }).collect()
            }
            None | Some([_, _]) => vec![self.width_asked_for(&port.name)?],
            Some([]) => return ImportError::no_rule("it is a scalar"),
            Some(_) => return ImportError::no_rule("its shape is not fixed"),
        };
        let width = size(&dims)?;
        if self.raws.len() + width > LARGEST_ROW {
            return ImportError::no_rule("the graph has too many columns");
        }
        let first = self.raws.len();
        self.raws.extend((0..width).map(|index| (port.name.as_str(), index)));
        let sources = (first..first + width).map(|raw| Source::One(raw as Raw)).collect();
        let columns = Columns { tensor: port.name.clone(), element: *element, dims, sources };
        Ok(Value::Columns(Rc::new(columns)))
    }

    /// Width of a matrix whose shape is left open, from the operators that read it.
    fn width_asked_for(&self, tensor: &str) -> Result<usize, ImportError> {
        let widths = self.graph.consumers_of(tensor).filter_map(|node| match node.op_type.as_str() {
            "Scaler" => Some(node.floats("scale").len().max(node.floats("offset").len())),
            "Imputer" => Some(node.floats("imputed_value_floats").len()),
            "Identity" | "Cast" => self.width_asked_for(node.outputs.first()?).ok(),
            "LinearRegressor" | "LinearClassifier" => {
                node.floats("coefficients").len().checked_div(node.floats("intercepts").len().max(1))
            }
            "MatMul" => self.graph.initializer_dims(node.inputs.get(1)?)?.first().map(|rows| *rows as usize),
            "Gemm" => {
                let axis = usize::from(node.int("transB").unwrap_or(0) != 0);
                self.graph.initializer_dims(node.inputs.get(1)?)?.get(axis).map(|rows| *rows as usize)
            }
            op if op.starts_with("TreeEnsemble") => {
                let largest = node.ints("nodes_featureids").iter().max()?;
                usize::try_from(largest.checked_add(1)?).ok()
            }
            _ => None,
        });
        match widths.max() {
            Some(width) if width > 1 => Ok(width),
            _ => ImportError::no_rule("its number of columns is not stated"),
        }
    }

    /// Element type of a node's output: as the file states it, else as the rule says.
    pub fn element(&self, tensor: &str, otherwise: ElementType) -> ElementType {
        self.graph.element_of(tensor).unwrap_or(otherwise)
    }
}
