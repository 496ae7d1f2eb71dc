//! What operators do to the numbers that go through them, by their names.

/// Activations that let little or nothing of negative numbers through.
const RECTIFIERS: &[&str] = &[
    "Relu",
    "LeakyRelu",
    "PRelu",
    "Elu",
    "Selu",
    "Celu",
    "Gelu",
    "FastGelu",
    "QuickGelu",
    "BiasGelu",
    "Mish",
    "Swish",
    "HardSwish",
    "ThresholdedRelu",
];
/// The other activations.
const SQUASHES: &[&str] = &["HardSigmoid", "Sigmoid", "Tanh", "Softplus", "Softsign", "Clip", "Softmax"];
/// What shifts, scales, turns or copies numbers.
const PASSED: &[&str] = &[
    "Add",
    "Sub",
    "Mul",
    "Div",
    "BatchNormalization",
    "InstanceNormalization",
    "GroupNormalization",
    "LayerNormalization",
    "SkipLayerNormalization",
    "Cast",
    "QuantizeLinear",
    "DequantizeLinear",
    "Transpose",
    "Squeeze",
    "Unsqueeze",
    "Identity",
    "Dropout",
];

/// Whether an operator is an activation.
pub fn is_activation(op: &str) -> bool {
    is_rectifier(op) || SQUASHES.contains(&op)
}

/// Whether an operator is an activation behind which a number that never rises above zero says nothing.
pub fn is_rectifier(op: &str) -> bool {
    RECTIFIERS.contains(&op)
}

/// Whether the result of a layer goes through an operator on the way to its activation.
pub fn is_passed(op: &str) -> bool {
    PASSED.contains(&op)
}
