//! The graph of gradients while it is written: nodes, and the small computations that rules share.

use super::types::Types;
use crate::model::onnx::extend::{self, standard_node};
use crate::model::onnx::proto::{AttributeProto, NodeProto};
use crate::model::onnx::{Dim, ElementType, Graph};
use std::collections::{BTreeSet, HashMap};

/// What is written so far. Tensors are named; a rule reads the names of the forward graph and of other rules.
pub struct Tape<'a> {
    pub graph: &'a Graph,
    pub types: &'a Types,
    pub nodes: Vec<NodeProto>,
    /// Floating tensors that follow from what is differentiated for.
    pub active: BTreeSet<String>,
    /// Multipliers against a reference run instead of derivatives: tensors that have a reference copy.
    pub paired: Option<BTreeSet<String>>,
    /// Gradients of rectified tensors that are 0 already wherever these are.
    pub rectified: BTreeSet<String>,
    prefix: String,
    made: usize,
    constants: HashMap<String, String>,
}

impl<'a> Tape<'a> {
    /// All names written begin with `prefix`, which no name of the graph may.
    pub fn new(graph: &'a Graph, types: &'a Types, prefix: String) -> Self {
        Self {
            graph,
            types,
            nodes: Vec::new(),
            active: BTreeSet::new(),
            paired: None,
            rectified: BTreeSet::new(),
            prefix,
            made: 0,
            constants: HashMap::new(),
        }
    }

    fn name(&mut self, of: &str) -> String {
        self.made += 1;
        format!("{}{of}_{}", self.prefix, self.made)
    }

    /// Writes a node with one output.
    pub fn op(&mut self, op: &str, inputs: &[&str], with: Vec<AttributeProto>) -> String {
        self.ops(op, inputs, 1, with).remove(0)
    }

    /// Writes a node with several outputs.
    pub fn ops(&mut self, op: &str, inputs: &[&str], n: usize, with: Vec<AttributeProto>) -> Vec<String> {
        let outputs: Vec<String> = (0..n).map(|_| self.name(op)).collect();
        let name = outputs[0].clone();
        self.nodes.push(standard_node(op, &name, inputs, outputs.clone(), with));
        outputs
    }

    /// Writes a node whose output has a name that the caller knows.
    pub fn named(&mut self, op: &str, inputs: &[&str], output: &str) {
        self.nodes.push(standard_node(op, output, inputs, vec![output.to_owned()], Vec::new()));
    }

    fn constant(&mut self, key: String, value: AttributeProto) -> String {
        if let Some(known) = self.constants.get(&key) {
            return known.clone();
        }
        let made = self.op("Constant", &[], vec![value]);
        self.constants.insert(key, made.clone());
        made
    }

    /// A vector of 64-bit integers.
    pub fn ints(&mut self, values: &[i64]) -> String {
        self.constant(format!("{values:?}"), extend::int_vector(values))
    }

    /// A 64-bit integer.
    pub fn int(&mut self, value: i64) -> String {
        self.constant(format!("{value}"), extend::int_scalar(value))
    }

    /// A vector of 32-bit floats.
    pub fn floats(&mut self, values: &[f32]) -> String {
        self.constant(format!("f32 {values:?}"), extend::float_vector(values))
    }

    /// A scalar of the element type of `like`.
    pub fn number(&mut self, value: f64, like: &str) -> String {
        match self.types.element(self.graph, like) {
            Some(ElementType::Double) => self.constant(format!("f64 {value:e}"), extend::double_scalar(value)),
            _ => self.constant(format!("f32 {value:e}"), extend::float_scalar(value as f32)),
        }
    }

    pub fn shape(&mut self, tensor: &str) -> String {
        self.op("Shape", &[tensor], Vec::new())
    }

    pub fn add(&mut self, a: &str, b: &str) -> String {
        self.op("Add", &[a, b], Vec::new())
    }

    pub fn sub(&mut self, a: &str, b: &str) -> String {
        self.op("Sub", &[a, b], Vec::new())
    }

    pub fn mul(&mut self, a: &str, b: &str) -> String {
        self.op("Mul", &[a, b], Vec::new())
    }

    pub fn div(&mut self, a: &str, b: &str) -> String {
        self.op("Div", &[a, b], Vec::new())
    }

    /// `value × tensor`.
    pub fn scaled(&mut self, value: f64, tensor: &str, like: &str) -> String {
        let value = self.number(value, like);
        self.mul(tensor, &value)
    }

    pub fn choose(&mut self, condition: &str, yes: &str, no: &str) -> String {
        self.op("Where", &[condition, yes, no], Vec::new())
    }

    /// `gradient` in the shape of `like`, which has as many elements.
    pub fn reshaped(&mut self, gradient: &str, like: &str) -> String {
        let shape = self.shape(like);
        self.op("Reshape", &[gradient, &shape], vec![extend::int("allowzero", 1)])
    }

    /// Zeros in the shape of `like`.
    pub fn zeros_like(&mut self, like: &str) -> String {
        let shape = self.shape(like);
        let zero = self.number(0.0, like);
        self.op("Expand", &[&zero, &shape], Vec::new())
    }

    /// The sum over `axes`, kept as dimensions of size one.
    pub fn sum_over(&mut self, tensor: &str, axes: &[i64]) -> String {
        let axes = self.ints(axes);
        self.op("ReduceSum", &[tensor, &axes], vec![extend::int("keepdims", 1)])
    }

    /// How many elements of `whole` stand behind one of `part`, as a scalar of the type of `like`.
    pub fn ratio_of_sizes(&mut self, whole: &str, part: &str, like: &str) -> String {
        let sizes = [whole, part].map(|tensor| self.op("Size", &[tensor], Vec::new()));
        let ratio = self.op("Div", &[&sizes[0], &sizes[1]], Vec::new());
        self.cast(&ratio, like)
    }

    /// `tensor` in the element type of `like`.
    pub fn cast(&mut self, tensor: &str, like: &str) -> String {
        let code = match self.types.element(self.graph, like) {
            Some(ElementType::Double) => 11,
            Some(ElementType::Float16) => 10,
            Some(ElementType::BFloat16) => 16,
            _ => 1,
        };
        self.op("Cast", &[tensor], vec![extend::int("to", code)])
    }

    /// Undoes broadcasting: of a gradient in the shape of `from`, the sums that belong to the elements of `to`.
    pub fn sum_to(&mut self, gradient: &str, from: &str, to: &str) -> String {
        if self.same_shape(from, to) {
            return gradient.to_owned();
        }
        let (target, shape) = (self.shape(to), self.shape(gradient));
        let rank = [&shape, &target].map(|shape| self.op("Shape", &[shape], Vec::new()));
        let missing = self.op("Sub", &[&rank[0], &rank[1]], Vec::new());
        let one = extend::int_vector(&[1]);
        let ones = self.op("ConstantOfShape", &[&missing], vec![one]);
        let aligned = self.op("Concat", &[&ones, &target], vec![extend::int("axis", 0)]);
        let same = self.op("Equal", &[&aligned, &shape], Vec::new());
        let differs = self.op("Not", &[&same], Vec::new());
        let axes = self.op("NonZero", &[&differs], Vec::new());
        let flat = self.ints(&[-1]);
        let axes = self.op("Reshape", &[&axes, &flat], Vec::new());
        let with = vec![extend::int("keepdims", 1), extend::int("noop_with_empty_axes", 1)];
        let sums = self.op("ReduceSum", &[gradient, &axes], with);
        self.op("Reshape", &[&sums, &target], vec![extend::int("allowzero", 1)])
    }

    /// Whether two tensors are known to have one shape.
    fn same_shape(&self, a: &str, b: &str) -> bool {
        let known = |tensor: &str| self.types.dims(self.graph, tensor);
        match (known(a), known(b)) {
            (Some(a), Some(b)) => a == b && !a.contains(&Dim::Unknown),
            _ => false,
        }
    }

    /// Number of dimensions, where known.
    pub fn rank(&self, tensor: &str) -> Option<usize> {
        self.types.dims(self.graph, tensor).map(|dims| dims.len())
    }

    pub fn is_active(&self, tensor: &str) -> bool {
        self.active.contains(tensor)
    }

    /// The same tensor in the reference run; itself where it does not differ there, or there is none.
    pub fn reference(&self, tensor: &str) -> String {
        match &self.paired {
            Some(paired) if paired.contains(tensor) => format!("{}ref_{tensor}", self.prefix),
            _ => tensor.to_owned(),
        }
    }

    pub fn is_paired(&self, tensor: &str) -> bool {
        self.paired.as_ref().is_some_and(|paired| paired.contains(tensor))
    }

    /// The factor beside a changing one in a product: itself, or half-way to the reference, which shares the product's
    /// change exactly: ab − a'b' = (a − a')(b + b')/2 + (b − b')(a + a')/2.
    pub fn midway(&mut self, tensor: &str) -> String {
        if !self.is_paired(tensor) {
            return tensor.to_owned();
        }
        let reference = self.reference(tensor);
        let sum = self.add(tensor, &reference);
        self.scaled(0.5, &sum, tensor)
    }

    /// How much a tensor differs from the reference run.
    pub fn change(&mut self, tensor: &str) -> String {
        let reference = self.reference(tensor);
        self.sub(tensor, &reference)
    }
}
