//! Every rule against central differences, and every multiplier against the change that it must add up to.

use super::{Backward, BackwardError, Rule, Types, differentiate};
use crate::model::onnx::Graph;
use crate::model::onnx::extend::{float, int, ints, text};
use crate::model::onnx::proto::{
    AttributeProto, DimensionProto, NodeProto, OperatorSetIdProto, TensorProto, ValueInfoProto,
};
use crate::model::onnx::testing::{self, graph, int_tensor, ml, model, node, output, tensor};
use crate::model::pool::Pool;
use ort::session::SessionInputValue;
use ort::value::Tensor;

/// Half the width of a central difference.
const STEP: f32 = 1e-2;

struct Case {
    nodes: Vec<NodeProto>,
    constants: Vec<TensorProto>,
    /// Of the input `x`; the first dimension is dynamic.
    shape: Vec<usize>,
    opset: i64,
}

/// Numbers without pattern, between −1.5 and 1.5, none near 0.
fn numbers(n: usize, salt: u64) -> Vec<f32> {
    let mut state = salt.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1u64 << 24) as f32
    };
    (0..n)
        .map(|_| {
            let x = next() * 2.8 - 1.4;
            x + 0.15 * x.signum()
        })
        .collect()
}

/// Numbers no two of which are near each other.
fn distinct(n: usize) -> Vec<f32> {
    (0..n).map(|at| (at * 101 % n) as f32 * 0.06 - 1.33).collect()
}

fn constant(name: &str, dims: &[i64], salt: u64) -> TensorProto {
    tensor(name, dims, &numbers(dims.iter().product::<i64>() as usize, salt))
}

impl Case {
    fn new(shape: &[usize], nodes: Vec<NodeProto>, constants: Vec<TensorProto>) -> Self {
        Self { nodes, constants, shape: shape.to_vec(), opset: 17 }
    }

    /// One operator from `x` to `y`.
    fn one(shape: &[usize], op: &str, more: &[&str], with: Vec<AttributeProto>, constants: Vec<TensorProto>) -> Self {
        let inputs: Vec<&str> = std::iter::once("x").chain(more.iter().copied()).collect();
        Self::new(shape, vec![node(op, &inputs, &["y"], with)], constants)
    }

    fn opset(self, opset: i64) -> Self {
        Self { opset, ..self }
    }

    fn bytes(&self) -> Vec<u8> {
        let mut proto = graph(self.nodes.clone(), vec![input(&self.shape)], vec![output("y")]);
        proto.initializer.clone_from(&self.constants);
        let mut model = model(proto);
        let opset = |domain: &str, version| OperatorSetIdProto { domain: domain.into(), version };
        model.opset_import = vec![opset("", self.opset), opset("ai.onnx.ml", 3)];
        model.ir_version = 10;
        testing::encoded(&model)
    }

    fn backward(&self, rule: Rule) -> Result<Backward, BackwardError> {
        let bytes = self.bytes();
        let types = Types::infer(&bytes, &Graph::decode(&bytes).unwrap()).unwrap();
        differentiate(&bytes, &types, "y", &["x"], rule)
    }

    fn feed(&self, values: &[f32]) -> SessionInputValue<'static> {
        let shape: Vec<i64> = self.shape.iter().map(|size| *size as i64).collect();
        Tensor::from_array((shape, values.to_vec())).unwrap().into()
    }

    /// The gradient of Σ weights · y, beside which the score stays what it is.
    fn gradient_at(&self, x: &[f32], weights: &[f32]) -> Vec<f32> {
        let label = format!("{:?}", self.nodes.iter().map(|node| &node.op_type).collect::<Vec<_>>());
        let plain = Pool::open("m", &self.bytes(), 1).unwrap();
        let score = plain.with(|session| read(&session.run(vec![("x", self.feed(x))]).unwrap(), "y"));
        let backward = self.backward(Rule::Derivative).unwrap_or_else(|error| panic!("{label}: {error}"));
        let pool = Pool::open("m", &backward.bytes, 1).unwrap_or_else(|error| panic!("{label}: {error}"));
        let seed = Tensor::from_array((vec![1_i64, weights.len() as i64], weights.to_vec())).unwrap();
        pool.with(|session| {
            let outputs = session.run(vec![("x", self.feed(x)), (backward.seed.as_str(), seed.into())]).unwrap();
            assert_eq!(read(&outputs, "y"), score, "{label}: the score itself");
            read(&outputs, &backward.gradients[0])
        })
    }

    /// The gradient agrees with central differences of the model itself.
    fn check(&self) {
        self.check_at(&numbers(self.shape.iter().product(), 3));
    }

    fn check_at(&self, x: &[f32]) {
        let label = format!("{:?}", self.nodes.iter().map(|node| &node.op_type).collect::<Vec<_>>());
        let plain = Pool::open("m", &self.bytes(), 1).unwrap();
        let forward = |x: &[f32]| plain.with(|session| read(&session.run(vec![("x", self.feed(x))]).unwrap(), "y"));
        let weights = numbers(forward(x).len(), 11);
        let total =
            |x: &[f32]| forward(x).iter().zip(&weights).map(|(y, w)| f64::from(*y) * f64::from(*w)).sum::<f64>();
        let found = self.gradient_at(x, &weights);
        assert_eq!(found.len(), x.len(), "{label}");
        let largest = found.iter().fold(1.0_f64, |most, value| most.max(f64::from(value.abs())));
        for at in 0..x.len() {
            let moved = |by: f32| {
                let mut x = x.to_vec();
                x[at] += by;
                total(&x)
            };
            // Of fourth order: the error of a plain difference would be larger than that of float32.
            let wide = moved(2.0 * STEP) - moved(-2.0 * STEP);
            let expected = (8.0 * (moved(STEP) - moved(-STEP)) - wide) / f64::from(12.0 * STEP);
            let gap = (f64::from(found[at]) - expected).abs() / largest;
            assert!(gap < 2e-3, "{label}: element {at} is {}, central differences say {expected}", found[at]);
        }
    }

    /// Multipliers times the change of the input are the change of the score.
    fn adds_up(&self) {
        let label = format!("{:?}", self.nodes.iter().map(|node| &node.op_type).collect::<Vec<_>>());
        let n = self.shape.iter().product();
        let (x, reference) = (numbers(n, 3), numbers(n, 5));
        let backward = self.backward(Rule::Rescale).unwrap_or_else(|error| panic!("{label}: {error}"));
        let plain = Pool::open("m", &self.bytes(), 1).unwrap();
        let forward = |x: &[f32]| plain.with(|session| read(&session.run(vec![("x", self.feed(x))]).unwrap(), "y"));
        let (near, far) = (forward(&x), forward(&reference));
        let weights = numbers(near.len(), 11);
        let seed = Tensor::from_array((vec![1_i64, weights.len() as i64], weights.clone())).unwrap();
        let pool = Pool::open("m", &backward.bytes, 1).unwrap_or_else(|error| panic!("{label}: {error}"));
        let found = pool.with(|session| {
            let inputs = vec![
                ("x", self.feed(&x)),
                (backward.references[0].as_str(), self.feed(&reference)),
                (backward.seed.as_str(), seed.into()),
            ];
            read(&session.run(inputs).unwrap(), &backward.gradients[0])
        });
        let change: f64 = (0..near.len()).map(|at| f64::from(weights[at]) * f64::from(near[at] - far[at])).sum();
        let sum: f64 = (0..n).map(|at| f64::from(found[at]) * f64::from(x[at] - reference[at])).sum();
        assert!((change - sum).abs() < 1e-4 * change.abs().max(1.0), "{label}: {sum} is to be {change}");
    }
}

fn read(outputs: &ort::session::SessionOutputs, name: &str) -> Vec<f32> {
    outputs[name].try_extract_tensor::<f32>().unwrap().1.to_vec()
}

fn input(shape: &[usize]) -> ValueInfoProto {
    let mut info = testing::float_input("x", 1);
    let dims = shape.iter().enumerate().map(|(at, size)| match at {
        0 => DimensionProto { dim_param: Some("N".into()), ..Default::default() },
        _ => DimensionProto { dim_value: Some(*size as i64), ..Default::default() },
    });
    let tensor = info.r#type.as_mut().and_then(|kind| kind.tensor_type.as_mut()).unwrap();
    tensor.shape.as_mut().unwrap().dim = dims.collect();
    info
}

const UNARY: [(&str, i64); 26] = [
    ("Relu", 13),
    ("LeakyRelu", 13),
    ("ThresholdedRelu", 13),
    ("Elu", 13),
    ("Celu", 13),
    ("Selu", 13),
    ("Sigmoid", 13),
    ("Tanh", 13),
    ("Softplus", 13),
    ("Softsign", 13),
    ("HardSigmoid", 13),
    ("HardSwish", 14),
    ("Gelu", 20),
    ("Mish", 18),
    ("Abs", 13),
    ("Exp", 13),
    ("Reciprocal", 13),
    ("Erf", 13),
    ("Sin", 13),
    ("Cos", 13),
    ("Sinh", 13),
    ("Cosh", 13),
    ("Atan", 13),
    ("Neg", 13),
    ("Identity", 13),
    ("Dropout", 13),
];

#[test]
fn operators_on_single_numbers_have_the_slope_of_central_differences() {
    for (op, opset) in UNARY {
        Case::one(&[3, 4], op, &[], vec![], vec![]).opset(opset).check();
    }
    Case::one(&[3, 4], "Elu", &[], vec![float("alpha", 0.7)], vec![]).check();
    Case::one(&[3, 4], "Celu", &[], vec![float("alpha", 0.7)], vec![]).check();
    Case::one(&[3, 4], "LeakyRelu", &[], vec![float("alpha", 0.3)], vec![]).check();
    Case::one(&[3, 4], "Gelu", &[], vec![text("approximate", "tanh")], vec![]).opset(20).check();
    Case::one(&[3, 4], "Cast", &[], vec![int("to", 1)], vec![]).check();
    Case::one(&[3, 4], "PRelu", &["s"], vec![], vec![constant("s", &[4], 1)]).check();
    let bounds = || vec![tensor("low", &[], &[-0.7]), tensor("high", &[], &[0.6])];
    Case::one(&[3, 4], "Clip", &["low", "high"], vec![], bounds()).check();
    Case::one(&[3, 4], "Clip", &["", "high"], vec![], bounds()).check();
    let positive: Vec<f32> = numbers(12, 3).iter().map(|x| x.abs()).collect();
    for op in ["Log", "Sqrt"] {
        Case::one(&[3, 4], op, &[], vec![], vec![]).check_at(&positive);
    }
}

#[test]
fn operands_of_other_shapes_are_summed_back() {
    for op in ["Max", "Min"] {
        for (dims, values) in
            [(&[4][..], &[-1.0, -1.18, -1.0, -1.0][..]), (&[3, 1], &[-1.18, -1.0, -0.76]), (&[], &[-1.0])]
        {
            let constants = || vec![tensor("c", dims, values)];
            Case::one(&[3, 4], op, &["c"], vec![], constants()).check_at(&distinct(12));
            Case::new(&[3, 4], vec![node(op, &["c", "x"], &["y"], vec![])], constants()).check_at(&distinct(12));
        }
    }
    for op in ["Add", "Sub", "Mul", "Div"] {
        for (dims, salt) in [(&[4][..], 1), (&[3, 1], 2), (&[2, 1, 4], 3), (&[], 4)] {
            Case::one(&[3, 4], op, &["c"], vec![], vec![constant("c", dims, salt)]).check();
            Case::new(&[3, 4], vec![node(op, &["c", "x"], &["y"], vec![])], vec![constant("c", dims, salt)]).check();
        }
        let narrow = vec![node("ReduceSum", &["x", "axis"], &["s"], vec![]), node(op, &["x", "s"], &["y"], vec![])];
        Case::new(&[3, 4], narrow, vec![int_tensor("axis", &[1])]).check();
    }
    Case::one(&[3, 1, 4], "Mul", &["c"], vec![], vec![constant("c", &[5, 4], 3)]).check();
    Case::one(&[3, 4], "Mul", &["x"], vec![], vec![]).check();
    Case::one(&[3, 4], "Sum", &["x", "c"], vec![], vec![constant("c", &[4], 3)]).check();
    Case::one(&[3, 4], "Mean", &["c"], vec![], vec![constant("c", &[4], 3)]).check();
    Case::one(&[3, 4], "Pow", &["c"], vec![], vec![tensor("c", &[], &[3.0])]).check();
    Case::new(&[3, 4], vec![node("Pow", &["c", "x"], &["y"], vec![])], vec![tensor("c", &[], &[1.7])]).check();
    let pick = vec![
        node("Greater", &["x", "zero"], &["above"], vec![]),
        node("Exp", &["x"], &["e"], vec![]),
        node("Where", &["above", "e", "x"], &["y"], vec![]),
    ];
    Case::new(&[3, 4], pick, vec![tensor("zero", &[], &[0.0])]).check();
}

#[test]
fn matrix_products_of_every_shape_are_turned_back() {
    Case::one(&[3, 4], "MatMul", &["w"], vec![], vec![constant("w", &[4, 2], 1)]).check();
    Case::one(&[2, 3, 4], "MatMul", &["w"], vec![], vec![constant("w", &[4, 2], 1)]).check();
    Case::one(&[2, 3, 4], "MatMul", &["w"], vec![], vec![constant("w", &[2, 4, 2], 1)]).check();
    Case::one(&[3, 4], "MatMul", &["w"], vec![], vec![constant("w", &[2, 4, 2], 1)]).check();
    Case::one(&[3, 4], "MatMul", &["w"], vec![], vec![constant("w", &[4], 1)]).check();
    Case::new(&[3, 4], vec![node("MatMul", &["w", "x"], &["y"], vec![])], vec![constant("w", &[2, 3], 1)]).check();
    Case::new(&[3, 4], vec![node("MatMul", &["w", "x"], &["y"], vec![])], vec![constant("w", &[3], 1)]).check();
    Case::new(&[3, 4], vec![node("MatMul", &["w", "x"], &["y"], vec![])], vec![constant("w", &[5, 2, 3], 1)]).check();
    let attention = vec![
        node("Transpose", &["x"], &["t"], vec![ints("perm", &[0, 2, 1])]),
        node("MatMul", &["x", "t"], &["y"], vec![]),
    ];
    Case::new(&[2, 3, 4], attention, vec![]).check();
    for (a, b) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
        let with = || vec![float("alpha", 0.5), float("beta", 2.0), int("transA", a), int("transB", b)];
        let inner = if a == 0 { 4 } else { 3 };
        let dims = if b == 0 { [inner, 2] } else { [2, inner] };
        let constants = vec![constant("w", &dims, 1), constant("c", &[2], 2)];
        Case::one(&[3, 4], "Gemm", &["w", "c"], with(), constants).check();
        let outer = if b == 0 { 3 } else { 4 };
        let dims = if a == 0 { [2, outer] } else { [outer, 2] };
        let second = vec![node("Gemm", &["w", "x"], &["y"], with())];
        Case::new(&[3, 4], second, vec![constant("w", &dims, 1)]).check();
    }
    let third = vec![node("Gemm", &["a", "b", "x"], &["y"], vec![float("beta", 0.3)])];
    Case::new(&[1, 4], third, vec![constant("a", &[3, 2], 1), constant("b", &[2, 4], 2)]).check();
}

#[test]
fn convolutions_are_turned_back_whatever_their_stride_padding_and_groups() {
    let conv = |shape: &[usize], filter: &[i64], with: Vec<AttributeProto>| {
        Case::one(shape, "Conv", &["w"], with, vec![constant("w", filter, 1)]).check();
    };
    conv(&[2, 1, 6, 5], &[2, 1, 3, 3], vec![]);
    conv(&[2, 2, 6, 7], &[3, 2, 3, 2], vec![ints("strides", &[2, 3]), ints("pads", &[1, 0, 2, 1])]);
    conv(&[1, 4, 7, 7], &[4, 2, 3, 3], vec![int("group", 2), ints("dilations", &[2, 2])]);
    conv(&[1, 3, 6, 6], &[3, 1, 3, 3], vec![int("group", 3), ints("strides", &[2, 2]), text("auto_pad", "SAME_UPPER")]);
    conv(&[1, 2, 5, 6], &[2, 2, 2, 3], vec![text("auto_pad", "SAME_LOWER"), ints("strides", &[2, 2])]);
    conv(&[1, 2, 5, 6], &[2, 2, 2, 3], vec![text("auto_pad", "VALID")]);
    conv(&[2, 2, 9], &[3, 2, 4], vec![ints("strides", &[3])]);
    conv(&[1, 1, 4, 4, 3], &[2, 1, 2, 2, 2], vec![ints("strides", &[2, 1, 1])]);
    let back = |shape: &[usize], filter: &[i64], with: Vec<AttributeProto>| {
        Case::one(shape, "ConvTranspose", &["w"], with, vec![constant("w", filter, 1)]).check();
    };
    back(&[1, 2, 3, 3], &[2, 3, 3, 3], vec![]);
    let with = vec![ints("strides", &[2, 2]), ints("pads", &[1, 1, 1, 1]), ints("output_padding", &[1, 1])];
    back(&[1, 2, 3, 3], &[2, 3, 3, 3], with);
    back(&[1, 4, 3, 3], &[4, 2, 2, 2], vec![int("group", 2), ints("strides", &[2, 2])]);
}

#[test]
fn pools_give_gradients_to_the_pixels_they_took() {
    for op in ["MaxPool", "AveragePool"] {
        let pool = |shape: &[usize], with: Vec<AttributeProto>| {
            Case::one(shape, op, &[], with, vec![]).check_at(&distinct(shape.iter().product()));
        };
        pool(&[2, 2, 6, 6], vec![ints("kernel_shape", &[2, 2]), ints("strides", &[2, 2])]);
        pool(&[1, 2, 7, 6], vec![ints("kernel_shape", &[3, 3]), ints("strides", &[2, 2]), ints("pads", &[1, 1, 1, 1])]);
        pool(&[1, 1, 6, 6], vec![ints("kernel_shape", &[3, 3]), ints("strides", &[2, 2]), int("ceil_mode", 1)]);
        pool(
            &[1, 1, 5, 5],
            vec![ints("kernel_shape", &[2, 2]), text("auto_pad", "SAME_UPPER"), ints("strides", &[2, 2])],
        );
        pool(&[1, 3, 8], vec![ints("kernel_shape", &[3])]);
        pool(&[1, 2, 7, 5], vec![ints("kernel_shape", &[2, 2]), ints("strides", &[2, 2])]);
        pool(&[2, 2, 8], vec![ints("kernel_shape", &[3]), ints("strides", &[3])]);
        pool(&[1, 2, 4, 6, 5], vec![ints("kernel_shape", &[2, 3, 2]), ints("strides", &[2, 3, 2])]);
    }
    let counted = vec![ints("kernel_shape", &[3, 3]), ints("pads", &[1, 1, 1, 1]), int("count_include_pad", 1)];
    Case::one(&[1, 2, 5, 5], "AveragePool", &[], counted, vec![]).check();
    Case::one(&[2, 3, 4, 4], "GlobalAveragePool", &[], vec![], vec![]).check();
    Case::one(&[2, 3, 4, 4], "GlobalMaxPool", &[], vec![], vec![]).check_at(&distinct(96));
}

/// Rounding sizes up changes nothing where they are even, but then places are asked of ONNX Runtime.
#[test]
fn of_equal_pixels_the_first_takes_the_gradient_however_it_is_found() {
    let few: Vec<f32> = (0..144).map(|at| [0.0, 1.0, -0.0, 1.0, 0.5][at * 7 % 5]).collect();
    let found = [0, 1].map(|ceil_mode| {
        let with = vec![ints("kernel_shape", &[2, 3]), ints("strides", &[2, 3]), int("ceil_mode", ceil_mode)];
        Case::one(&[2, 2, 6, 6], "MaxPool", &[], with, vec![]).gradient_at(&few, &numbers(24, 11))
    });
    assert_eq!(found[0], found[1]);
    assert_eq!(found[0].iter().filter(|value| **value != 0.0).count(), 24);
}

#[test]
fn normalisations_share_what_they_divide_by() {
    for axis in [-1, 1] {
        Case::one(&[3, 4, 2], "Softmax", &[], vec![int("axis", axis)], vec![]).check();
        Case::one(&[3, 4, 2], "LogSoftmax", &[], vec![int("axis", axis)], vec![]).check();
    }
    let positive = |name: &str, n: usize| tensor(name, &[n as i64], &vec![0.7; n]);
    let batch = |shape: &[usize], n: usize| {
        let constants = vec![
            constant("s", &[n as i64], 1),
            constant("b", &[n as i64], 2),
            constant("m", &[n as i64], 3),
            positive("v", n),
        ];
        Case::one(shape, "BatchNormalization", &["s", "b", "m", "v"], vec![float("epsilon", 0.1)], constants).check();
    };
    batch(&[3, 4], 4);
    batch(&[2, 3, 4, 4], 3);
    let layer = |shape: &[usize], axis: i64, dims: &[i64]| {
        let constants = vec![constant("s", dims, 1), constant("b", dims, 2)];
        Case::one(shape, "LayerNormalization", &["s", "b"], vec![int("axis", axis)], constants).check();
    };
    layer(&[3, 4], -1, &[4]);
    layer(&[2, 3, 4], 1, &[3, 4]);
    let constants = vec![constant("s", &[3], 1), constant("b", &[3], 2)];
    Case::one(&[2, 3, 4, 4], "InstanceNormalization", &["s", "b"], vec![], constants).check();
    grouped(18, 2).check();
    grouped(21, 6).check();
}

/// Six channels of 3 × 2 in two groups, with as many scales as the version of the operator takes.
fn grouped(opset: i64, scales: i64) -> Case {
    let constants = vec![constant("s", &[scales], 1), constant("b", &[scales], 2)];
    let with = vec![int("num_groups", 2), float("epsilon", 1e-3)];
    Case::one(&[2, 6, 3, 2], "GroupNormalization", &["s", "b"], with, constants).opset(opset)
}

#[test]
fn what_only_moves_numbers_hands_gradients_back_to_their_place() {
    let with_ints = |shape: &[usize], op: &str, values: &[i64], with: Vec<AttributeProto>| {
        Case::one(shape, op, &["i"], with, vec![int_tensor("i", values)]).check();
    };
    with_ints(&[2, 3, 4], "Reshape", &[-1, 12], vec![]);
    with_ints(&[2, 3, 4], "Reshape", &[0, 12], vec![]);
    with_ints(&[2, 1, 4], "Squeeze", &[1], vec![]);
    with_ints(&[2, 4], "Unsqueeze", &[1], vec![]);
    with_ints(&[2, 1, 4], "Expand", &[5, 2, 3, 4], vec![]);
    with_ints(&[2, 4], "Tile", &[2, 3], vec![]);
    with_ints(&[2, 4], "Gather", &[0, 3, 3], vec![int("axis", 1)]);
    with_ints(&[2, 3, 4], "Pad", &[0, 1, 0, 0, 0, 2], vec![]);
    with_ints(&[2, 3, 4], "Pad", &[0, 1, 0, 0, -1, 2], vec![]);
    with_ints(&[2, 3, 4], "Pad", &[0, 1, 1, 0, 1, 2], vec![text("mode", "reflect")]);
    with_ints(&[2, 3, 4], "Pad", &[0, 1, 1, 0, 1, 2], vec![text("mode", "edge")]);
    Case::one(&[2, 3, 4], "Flatten", &[], vec![], vec![]).check();
    Case::one(&[2, 3, 4], "Transpose", &[], vec![], vec![]).check();
    Case::one(&[2, 3, 4], "Transpose", &[], vec![ints("perm", &[1, 2, 0])], vec![]).check();
    Case::one(&[2, 4, 2, 3], "DepthToSpace", &[], vec![int("blocksize", 2)], vec![]).check();
    Case::one(&[2, 2, 4, 2], "SpaceToDepth", &[], vec![int("blocksize", 2)], vec![]).check();
    let cut = |from: &[i64], to: &[i64], axes: &[i64], steps: &[i64]| {
        let all = [("from", from), ("to", to), ("axes", axes), ("steps", steps)].map(|(name, at)| int_tensor(name, at));
        Case::one(&[2, 5, 4], "Slice", &["from", "to", "axes", "steps"], vec![], all.to_vec()).check();
    };
    cut(&[1, -3], &[5, i64::MAX], &[1, 2], &[2, 1]);
    cut(&[4], &[i64::MIN], &[1], &[-2]);
    let join =
        vec![node("Exp", &["x"], &["e"], vec![]), node("Concat", &["e", "c", "x"], &["y"], vec![int("axis", -1)])];
    Case::new(&[2, 4], join, vec![constant("c", &[2, 3], 1)]).check();
    let split = |nodes: Vec<NodeProto>| Case::new(&[2, 6], nodes, vec![int_tensor("sizes", &[1, 3, 2])]).check();
    split(vec![
        node("Split", &["x", "sizes"], &["a", "b", "c"], vec![int("axis", 1)]),
        node("Exp", &["b"], &["y"], vec![]),
    ]);
    split(vec![node("Split", &["x"], &["a", "b"], vec![int("axis", 1)]), node("Mul", &["a", "b"], &["y"], vec![])]);
    let picks = vec![ml("ArrayFeatureExtractor", &["x", "i"], &["y"], vec![])];
    Case::new(&[2, 4], picks, vec![int_tensor("i", &[3, 1])]).check();
    let scale = vec![testing::floats("offset", &[0.5, 1.0]), testing::floats("scale", &[2.0, -0.5])];
    Case::new(&[3, 2], vec![ml("Scaler", &["x"], &["y"], scale)], vec![]).check();
}

#[test]
fn reductions_spread_their_gradient() {
    for (keep, axes) in [(0, vec![1]), (1, vec![1]), (1, vec![-1, 1]), (0, vec![])] {
        let with = || vec![int("keepdims", keep)];
        let as_attribute = || if axes.is_empty() { with() } else { [with(), vec![ints("axes", &axes)]].concat() };
        for op in ["ReduceMean", "ReduceMax", "ReduceMin", "ReduceL1", "ReduceL2", "ReduceSumSquare", "ReduceLogSumExp"]
        {
            Case::one(&[2, 3, 4], op, &[], as_attribute(), vec![]).check();
            Case::one(&[2, 3, 4], op, &["axes"], with(), vec![int_tensor("axes", &axes)]).opset(18).check();
        }
        Case::one(&[2, 3, 4], "ReduceSum", &["axes"], with(), vec![int_tensor("axes", &axes)]).opset(13).check();
    }
}

#[test]
fn multipliers_add_up_to_the_change_of_the_score() {
    for (op, opset) in UNARY {
        Case::one(&[3, 4], op, &[], vec![], vec![]).opset(opset).adds_up();
    }
    Case::one(&[3, 4], "Softmax", &[], vec![], vec![]).adds_up();
    Case::one(&[2, 4, 3], "Softmax", &[], vec![int("axis", 1)], vec![]).adds_up();
    Case::one(&[3, 4], "Mul", &["x"], vec![], vec![]).adds_up();
    for op in ["Mul", "Div"] {
        let both = vec![node("Exp", &["x"], &["e"], vec![]), node(op, &["x", "e"], &["y"], vec![])];
        Case::new(&[3, 4], both, vec![]).adds_up();
    }
    for (shape, op, channels, with) in [
        (vec![3, 4], "LayerNormalization", 4, vec![]),
        (vec![2, 3, 4], "LayerNormalization", 4, vec![float("epsilon", 0.5)]),
        (vec![2, 3, 4, 4], "InstanceNormalization", 3, vec![]),
    ] {
        let constants = vec![constant("s", &[channels], 1), constant("b", &[channels], 2)];
        Case::one(&shape, op, &["s", "b"], with, constants).adds_up();
    }
    grouped(18, 2).adds_up();
    grouped(21, 6).adds_up();
    let block = vec![
        node("MatMul", &["x", "w"], &["h"], vec![]),
        node("LayerNormalization", &["h", "s", "b"], &["n"], vec![]),
        node("Relu", &["n"], &["r"], vec![]),
        node("Add", &["r", "x"], &["skip"], vec![]),
        NodeProto { name: "last".into(), ..node("LayerNormalization", &["skip", "s", "b"], &["y"], vec![]) },
    ];
    let weights = vec![constant("w", &[4, 4], 1), constant("s", &[4], 2), constant("b", &[4], 3)];
    Case::new(&[3, 4], block, weights).adds_up();
    let pool = vec![ints("kernel_shape", &[2, 2]), ints("strides", &[2, 2])];
    Case::one(&[2, 2, 6, 6], "MaxPool", &[], pool, vec![]).adds_up();
    let network = vec![
        node("Conv", &["x", "w"], &["c"], vec![]),
        node("Relu", &["c"], &["r"], vec![]),
        node("MaxPool", &["r"], &["p"], vec![ints("kernel_shape", &[2, 2]), ints("strides", &[2, 2])]),
        node("Flatten", &["p"], &["f"], vec![]),
        node("Gemm", &["f", "v"], &["z"], vec![]),
        node("Softmax", &["z"], &["y"], vec![]),
    ];
    let weights = vec![constant("w", &[3, 1, 3, 3], 1), constant("v", &[12, 4], 2)];
    Case::new(&[2, 1, 6, 6], network, weights).adds_up();
}

#[test]
fn a_network_with_a_skip_and_a_shape_computed_from_its_input_is_differentiated() {
    let nodes = vec![
        node("Shape", &["x"], &["s"], vec![]),
        node("Gather", &["s", "zero"], &["n"], vec![int("axis", 0)]),
        node("Concat", &["n", "rest"], &["target"], vec![int("axis", 0)]),
        node("Reshape", &["x", "target"], &["flat"], vec![]),
        node("MatMul", &["flat", "w"], &["h"], vec![]),
        node("Tanh", &["h"], &["t"], vec![]),
        node("Add", &["t", "flat"], &["skip"], vec![]),
        node("Softmax", &["skip"], &["y"], vec![]),
    ];
    let constants = vec![int_tensor("zero", &[0]), int_tensor("rest", &[-1]), constant("w", &[4, 4], 1)];
    Case::new(&[3, 2, 2], nodes, constants).check();
}

#[test]
fn running_sums_products_and_contractions_go_back_along_all_they_took() {
    for (reverse, exclusive) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
        let with = vec![int("reverse", reverse), int("exclusive", exclusive)];
        Case::one(&[2, 4], "CumSum", &["i"], with, vec![int_tensor("i", &[1])]).check();
    }
    Case::one(&[2, 3], "ReduceProd", &[], vec![ints("axes", &[1])], vec![]).check();
    Case::one(&[2, 3], "ReduceProd", &["i"], vec![], vec![int_tensor("i", &[1])]).opset(18).check();
    for upper in [0, 1] {
        Case::one(&[2, 3, 4], "Trilu", &[], vec![int("upper", upper)], vec![]).check();
    }
    let einsum = |shape: &[usize], equation: &str, dims: &[i64]| {
        Case::one(shape, "Einsum", &["c"], vec![text("equation", equation)], vec![constant("c", dims, 4)])
    };
    for (equation, dims) in [("bij,jk->bik", [4, 2]), ("bij,kl->bkl", [2, 3]), ("b i j, i k -> k b", [3, 2])] {
        einsum(&[2, 3, 4], equation, &dims).check();
    }
    Case::one(&[2, 3, 4], "Einsum", &[], vec![text("equation", "bij->jb")], vec![]).check();
    Case::one(&[2, 3, 4], "Einsum", &["x"], vec![text("equation", "bij,bik->bjk")], vec![]).adds_up();
    let refused = einsum(&[3, 3], "ii,ij->j", &[3, 2]).backward(Rule::Derivative).unwrap_err().to_string();
    assert!(refused.contains("a letter twice"), "{refused}");
}

#[test]
fn pictures_of_another_size_hand_gradients_back_to_the_pixels_they_are_made_of() {
    for with in [
        vec![text("mode", "nearest")],
        vec![
            text("mode", "nearest"),
            text("coordinate_transformation_mode", "asymmetric"),
            text("nearest_mode", "floor"),
        ],
        vec![text("mode", "linear")],
        vec![text("mode", "linear"), text("coordinate_transformation_mode", "align_corners")],
        vec![text("mode", "cubic"), float("cubic_coeff_a", -0.5)],
    ] {
        let scales = vec![tensor("s", &[4], &[1.0, 1.0, 1.5, 2.0])];
        Case::one(&[2, 2, 4, 3], "Resize", &["", "s"], with.clone(), scales).check();
        let sizes = vec![int_tensor("s", &[2, 2, 3, 5])];
        Case::one(&[2, 2, 4, 3], "Resize", &["", "", "s"], with, sizes).check();
    }
    let row = || vec![tensor("s", &[3], &[1.0, 1.0, 2.0])];
    Case::one(&[2, 2, 3], "Resize", &["", "s"], vec![text("mode", "nearest")], row()).check();
    Case::one(&[2, 2, 3], "Resize", &["", "s"], vec![text("mode", "nearest")], row()).adds_up();
}

#[test]
fn what_is_picked_or_written_over_knows_its_place() {
    for (largest, axis) in [(1, 1), (0, 1), (1, -1)] {
        let top = vec![node("TopK", &["x", "k"], &["y", "i"], vec![int("axis", axis), int("largest", largest)])];
        Case::new(&[2, 4, 3], top, vec![int_tensor("k", &[2])]).check_at(&distinct(24));
    }
    let mut places = int_tensor("i", &[1, 0, 0, 1]);
    places.dims = vec![2, 2];
    let written = |reduction: &str, op: &str, second: bool| {
        let inputs = if second { ["c", "i", "e"] } else { ["e", "i", "c"] };
        let dims = match (second, op) {
            (true, _) => [2, 4],
            (false, "ScatterND") => [2, 1],
            (false, _) => [2, 2],
        };
        let nodes = vec![
            node("Exp", &["x"], &["e"], vec![]),
            node(op, &inputs, &["y"], [vec![text("reduction", reduction)], axis_of(op)].concat()),
        ];
        let dims = if op == "ScatterND" && !second { vec![2] } else { dims.to_vec() };
        let shape: &[usize] = match (second, op) {
            (false, _) => &[2, 4],
            (true, "ScatterND") => &[2],
            (true, _) => &[2, 2],
        };
        Case::new(shape, nodes, vec![places.clone(), constant("c", &dims, 5)]).check();
    };
    for op in ["ScatterElements", "ScatterND"] {
        for second in [false, true] {
            written("none", op, second);
            written("add", op, second);
        }
    }
}

fn axis_of(op: &str) -> Vec<AttributeProto> {
    if op == "ScatterElements" { vec![int("axis", 1)] } else { vec![] }
}

#[test]
fn parameters_that_depend_on_the_input_are_refused() {
    let bound = vec![
        node("ReduceMin", &["x"], &["low"], vec![int("keepdims", 0)]),
        node("Clip", &["x", "low"], &["y"], vec![]),
    ];
    let slope = vec![node("Exp", &["x"], &["e"], vec![]), node("PRelu", &["x", "e"], &["y"], vec![])];
    let filler = vec![
        node("ReduceMin", &["x"], &["low"], vec![int("keepdims", 0)]),
        node("Pad", &["x", "i", "low"], &["y"], vec![]),
    ];
    for nodes in [bound, slope, filler] {
        let refused = Case::new(&[2, 3], nodes, vec![int_tensor("i", &[0, 1, 0, 1])]).backward(Rule::Derivative);
        let refused = refused.unwrap_err().to_string();
        assert!(refused.contains("its parameters depend on the input"), "{refused}");
    }
}

#[test]
fn old_operator_sets_are_raised_and_older_ones_refused() {
    let pool = |opset| {
        let with = vec![ints("kernel_shape", &[3, 3]), ints("strides", &[2, 2])];
        Case::one(&[1, 1, 7, 7], "MaxPool", &[], with, vec![]).opset(opset)
    };
    for opset in [13, 14, 15, 16, 18, 21] {
        pool(opset).check_at(&distinct(49));
    }
    let refused = pool(12).backward(Rule::Derivative).unwrap_err();
    assert_eq!(refused, BackwardError::Opset { found: 12, least: 13 });
}

#[test]
fn an_operator_without_a_rule_is_named() {
    let refused = Case::one(&[2, 3, 4], "GlobalLpPool", &[], vec![], vec![]);
    let refused = refused.backward(Rule::Derivative).unwrap_err().to_string();
    assert!(refused.contains("`GlobalLpPool` (node `the_GlobalLpPool`)"), "{refused}");
    let flat = Case::one(&[3, 4], "Round", &[], vec![], vec![]).backward(Rule::Derivative).unwrap_err();
    assert!(matches!(flat, BackwardError::Unreached { .. }), "{flat}");
    let log = Case::one(&[3, 4], "LogSoftmax", &[], vec![], vec![]);
    assert!(matches!(log.backward(Rule::Rescale), Err(BackwardError::NoRule { what: "rescale rule", .. })));
}
