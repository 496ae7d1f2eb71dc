"""Gradients of small torch modules by torch's autograd, beside the ONNX files of the same modules.

usage: golden_autograd.py      (writes tests/golden/autograd.json and tests/golden/autograd/*.onnx)

Every module is exported by torch's own exporter with a dynamic first dimension, as users do it; operators that torch has
but never writes are nodes written by hand, whose values must be torch's. Gradients are of a weighted sum of the outputs, in
float64 on the numbers of the float32 file. What says where a node came from is taken out of the files: it is longer than
they are. Needs requirements-torch.txt.
"""

import io
import json
import logging
import pathlib
import warnings
import zlib
from contextlib import redirect_stdout

import numpy as np
import onnx
import onnxruntime
import torch
import torch.nn.functional as F
from onnx import TensorProto, helper, numpy_helper
from torch import nn

GOLDEN = pathlib.Path(__file__).parents[2] / "tests" / "golden"
FOLDER = GOLDEN / "autograd"
cases = []


class Function(nn.Module):
    """A function of tensors as a module."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, *x):
        return self.function(*x)


def spread(shape, draws, low=-2.0, high=2.0):
    """Numbers of three digits without pattern, no two alike, none near 0: far from where slopes jump."""
    n = int(np.prod(shape))
    even = n + n % 2
    ranks = draws.permutation(even)[:n]
    return ((ranks + 0.5) / even * (high - low) + low).round(3).reshape(shape)


def seeded(name):
    seed = zlib.crc32(name.encode())
    torch.manual_seed(seed)
    return np.random.default_rng(seed)


def store(name, model, module, inputs, draws):
    """Gradients of `module` in float64 and the file `model`, whose values must be the module's."""
    for part in (model, model.graph, *model.graph.node, *model.graph.value_info, *model.graph.input, *model.graph.output,
                 *model.graph.initializer):
        del part.metadata_props[:]
        part.doc_string = ""
    del model.graph.value_info[:]
    onnx.checker.check_model(model)
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / f"{name}.onnx").write_bytes(model.SerializeToString(deterministic=True))
    wide = [torch.tensor(values.astype(np.float32).astype(np.float64), requires_grad=True) for values in inputs]
    y = module.double()(*wide)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    names = [port.name for port in session.get_inputs()]
    (found,) = session.run(["y"], {at: values.astype(np.float32) for at, values in zip(names, inputs)})
    np.testing.assert_allclose(found, y.detach().numpy(), rtol=1e-4, atol=1e-5, err_msg=name)
    weights = spread(tuple(y.shape) or (1,), draws).reshape(tuple(y.shape))
    (y * torch.tensor(weights)).sum().backward()
    digits = lambda values: [float(f"{value:.9g}") for value in np.ravel(values)]
    cases.append({
        "name": name,
        "weights": digits(weights),
        "inputs": [{"name": at, "shape": list(x.shape), "values": digits(values), "gradient": digits(x.grad.numpy())}
                   for at, x, values in zip(names, wide, inputs)],
    })


def export(name, module, *inputs, low=-2.0, high=2.0):
    """Inputs are shapes, or the numbers themselves; those as long as the first grow with the batch."""
    draws = seeded(name)
    module = (module if isinstance(module, nn.Module) else Function(module)).eval()
    if not isinstance(module, Function):
        settle(module, draws)
    inputs = [spread(x, draws, low, high) if isinstance(x, tuple) else np.array(x) for x in inputs]
    batch = torch.export.Dim("batch", max=1 << 16)
    grows = [{0: batch} if len(x.shape) > 1 and len(x) == len(inputs[0]) else None for x in inputs]
    with redirect_stdout(io.StringIO()):
        program = torch.onnx.export(
            module, tuple(torch.tensor(x.astype(np.float32)) for x in inputs), dynamo=True, verbose=False,
            dynamic_shapes=(tuple(grows),) if isinstance(module, Function) else tuple(grows),
            input_names=["x", "x2", "x3"][:len(inputs)], output_names=["y"], external_data=False)
    model = program.model_proto
    store(name, model, module, inputs, draws)


def settle(module, draws):
    """Statistics and scales as after training: nothing is 0 or 1."""
    for key, tensor in list(module.named_parameters()) + list(module.named_buffers()):
        if tensor.dtype.is_floating_point:
            positive = key.endswith("running_var")
            values = spread(tuple(tensor.shape) or (1,), draws, 0.3 if positive else -0.8, 1.6 if positive else 0.8)
            tensor.data.copy_(torch.tensor(values).reshape(tensor.shape))


def node(name, op, function, *inputs, opset=20, more=(), low=-2.0, high=2.0, **attributes):
    """One node on `x`; `more` are its constant inputs."""
    draws = seeded(name)
    inputs = [spread(x, draws, low, high) if isinstance(x, tuple) else np.array(x) for x in inputs]
    names = ["x", "x2", "x3"][:len(inputs)]
    constants = [numpy_helper.from_array(np.array(value), f"c{at}") for at, value in enumerate(more)]
    ports = [helper.make_tensor_value_info(at, TensorProto.FLOAT, ["batch", *x.shape[1:]]) for at, x in zip(names, inputs)]
    shape = function(*map(torch.tensor, inputs)).shape
    graph = helper.make_graph(
        [helper.make_node(op, names + [constant.name for constant in constants], ["y"], **attributes)], name, ports,
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", *shape[1:]])], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
    model.ir_version = 10
    store(name, model, Function(function), inputs, draws)


def activations():
    for name, function in {
        "relu": F.relu, "leaky_relu": lambda x: F.leaky_relu(x, 0.2), "elu": lambda x: F.elu(x, 0.7), "selu": F.selu,
        "celu": lambda x: F.celu(x, 0.7), "gelu": F.gelu, "gelu_tanh": lambda x: F.gelu(x, approximate="tanh"),
        "softplus": F.softplus, "softplus_sharp": lambda x: F.softplus(x, 3.0, 4.0), "softsign": F.softsign,
        "mish": F.mish, "silu": F.silu, "sigmoid": torch.sigmoid, "log_sigmoid": F.logsigmoid, "tanh": torch.tanh,
        "threshold": lambda x: F.threshold(x, 0.3, -0.1), "hardtanh": F.hardtanh, "softshrink": F.softshrink,
        "hardshrink": F.hardshrink, "tanhshrink": F.tanhshrink, "glu": F.glu,
    }.items():
        export(name, function, (3, 8))
    for name, function in {"hardsigmoid": F.hardsigmoid, "hardswish": F.hardswish, "relu6": F.relu6}.items():
        export(name, function, (3, 8), low=-7.9, high=8.3)
    export("prelu_channels", nn.PReLU(3), (2, 3, 4))
    export("prelu_one", nn.PReLU(), (3, 4))
    for dim in (1, -1):
        export(f"softmax_{dim % 3}", lambda x: F.softmax(x, dim), (2, 3, 4))
        export(f"log_softmax_{dim % 3}", lambda x: F.log_softmax(x, dim), (2, 3, 4))
    export("clip", lambda x: x.clamp(-0.5, 0.8), (3, 8))
    export("clip_below", lambda x: x.clamp(min=-0.5), (3, 8))
    export("clip_by_tensor", lambda x, low: x.clamp(min=low), (3, 8), (3, 8))
    # Where the slope jumps, the side that torch takes.
    kinks = [[-3.0, -1.0, -0.5, 0.0, 0.5, 1.0, 3.0, 6.0]] * 2
    for name, function in {
        "relu": F.relu, "leaky_relu": F.leaky_relu, "elu": F.elu, "selu": F.selu, "celu": F.celu, "abs": torch.abs,
        "clip": lambda x: x.clamp(-0.5, 1.0), "hardtanh": F.hardtanh, "relu6": F.relu6, "hardsigmoid": F.hardsigmoid, "hardswish": F.hardswish,
        "softsign": F.softsign, "square": lambda x: x**2, "cube": lambda x: x**3, "pow_zero": lambda x: x**0.0,
        "power_of_zero": lambda x: F.relu(x) ** (x.sigmoid() + 1),
        "maximum": lambda x: torch.maximum(x, torch.zeros(8)), "normalize": lambda x: F.normalize(x * torch.zeros(8)),
        "norm": lambda x: torch.linalg.vector_norm(F.relu(-x - 4.0), dim=1),
    }.items():
        export(f"at_kinks_{name}", function, kinks)
    # The first of those that are equally great has it all, of `amax` each the same share.
    tied = [[[[0.0, 0.0, 1.0, 2.0], [0.0, 0.0, 2.0, 1.0], [3.0, 3.0, 0.5, 0.5], [1.0, 3.0, 0.5, -1.0]]]] * 2
    export("at_kinks_max_pool", nn.MaxPool2d(2), tied)
    export("at_kinks_max_pool_overlapping", nn.MaxPool2d(2, stride=1, padding=1), tied)
    export("at_kinks_amax", lambda x: x.amax((2, 3)), tied)


def arithmetic():
    shapes = {"alike": ((3, 4), (3, 4)), "row": ((3, 4), (4,)), "column": ((3, 4), (3, 1)), "wider": ((3, 1, 4), (3, 5, 1))}
    for name, function in {"add": torch.add, "sub": torch.sub, "mul": torch.mul, "div": torch.div}.items():
        for kind, pair in shapes.items():
            export(f"{name}_{kind}", function, *pair)
    export("pow_both", lambda a, b: torch.pow(a, b), (3, 4), (3, 4), low=0.2)
    export("pow_of_number", lambda x: 1.7**x, (3, 4))
    for power in (2, 3, -1.0, 0.5, 2.5):
        export(f"pow_{power}", lambda x: x**power, (3, 4), low=0.2)
    export("maximum", torch.maximum, (3, 4), (3, 4))
    export("minimum_row", torch.minimum, (3, 4), (4,))
    export("where", lambda a, b: torch.where(a > b, a * b, a.exp()), (3, 4), (3, 4))
    export("masked_fill", lambda x: x.masked_fill(x < -1.0, 0.5).sin(), (3, 4))
    export("lerp", lambda a, b: torch.lerp(a, b, 0.3), (3, 4), (3, 4))
    export("cast_and_back", lambda x: (x.double() * 1.5).float(), (3, 4))
    for name, function in {
        "exp": torch.exp, "neg": torch.neg, "abs": torch.abs, "sin": torch.sin, "cos": torch.cos, "tan": torch.tan,
        "sinh": torch.sinh, "cosh": torch.cosh, "atan": torch.atan, "asinh": torch.asinh, "erf": torch.erf,
        "reciprocal": torch.reciprocal, "square": torch.square, "sign": lambda x: x * torch.sign(x), "expm1": torch.expm1,
    }.items():
        export(name, function, (3, 4), low=-1.4, high=1.3)
    for name, function in {"sqrt": torch.sqrt, "log": torch.log, "log2": torch.log2, "log1p": torch.log1p, "rsqrt": torch.rsqrt}.items():
        export(name, function, (3, 4), low=0.2)
    for name, function in {"asin": torch.asin, "acos": torch.acos, "atanh": torch.atanh}.items():
        export(name, function, (3, 4), low=-0.9, high=0.9)
    export("acosh", torch.acosh, (3, 4), low=1.2)


def products():
    export("linear", nn.Linear(4, 3), (3, 4))
    export("linear_without_bias", nn.Linear(4, 3, bias=False), (3, 4))
    export("linear_on_sequences", nn.Linear(4, 3), (2, 3, 4))
    export("bilinear", nn.Bilinear(3, 2, 4), (2, 3), (2, 2))
    pairs = {
        "matrices": ((3, 4), (4, 2)), "batches": ((2, 3, 4), (2, 4, 5)), "batch_and_matrix": ((2, 3, 4), (4, 5)),
        "broadcast": ((2, 1, 3, 4), (5, 4, 2)), "vector": ((3, 4), (4,)), "batch_and_vector": ((2, 3, 4), (4,)),
        "vector_first": ((3,), (2, 3, 4)),
    }
    for name, pair in pairs.items():
        export(f"matmul_{name}", torch.matmul, *pair)
    export("addmm", lambda c, a, b: torch.addmm(c, a, b, beta=0.5, alpha=2.0), (3, 2), (3, 4), (4, 2))
    export("gram", lambda x: x @ x.transpose(1, 2), (2, 3, 4))
    export("einsum", lambda a, b: torch.einsum("bik,bjk->bij", a, b), (2, 3, 4), (2, 5, 4))
    export("outer", lambda a, b: a.unsqueeze(2) * b.unsqueeze(1), (2, 3), (2, 4))


def convolutions():
    export("conv1d", nn.Conv1d(2, 3, 4, stride=3), (2, 2, 9))
    export("conv2d", nn.Conv2d(2, 3, 3), (2, 2, 5, 6))
    export("conv2d_stride_padding", nn.Conv2d(2, 3, (3, 2), stride=(2, 3), padding=(1, 2)), (2, 2, 6, 7))
    export("conv2d_groups_dilation", nn.Conv2d(4, 4, 3, groups=2, dilation=2, bias=False), (2, 4, 7, 7))
    export("conv2d_depthwise", nn.Conv2d(3, 6, 3, groups=3, stride=2, padding=1), (2, 3, 6, 6))
    export("conv2d_same", nn.Conv2d(2, 2, (2, 3), padding="same"), (2, 2, 5, 6))
    for mode in ("reflect", "replicate", "circular"):
        export(f"conv2d_{mode}", nn.Conv2d(1, 2, 3, padding=1, padding_mode=mode), (2, 1, 4, 5))
    export("conv3d", nn.Conv3d(1, 2, 2, stride=(2, 1, 1)), (2, 1, 4, 4, 3))
    export("conv_transpose1d", nn.ConvTranspose1d(2, 3, 3, stride=2), (2, 2, 4))
    export("conv_transpose2d", nn.ConvTranspose2d(2, 3, 3, stride=2, padding=1, output_padding=1), (2, 2, 3, 3))
    export("conv_transpose2d_groups", nn.ConvTranspose2d(4, 4, 2, stride=2, groups=2, dilation=2), (2, 4, 3, 3))


def pools():
    export("max_pool", nn.MaxPool2d(2), (2, 2, 6, 6))
    export("max_pool_overlapping", nn.MaxPool2d(3, stride=1), (2, 1, 5, 5))
    export("max_pool_padded", nn.MaxPool2d(3, stride=2, padding=1), (2, 2, 7, 6))
    export("max_pool_dilated", nn.MaxPool2d(2, stride=1, dilation=2), (2, 1, 5, 5))
    export("max_pool_ceil", nn.MaxPool2d(3, stride=2, ceil_mode=True), (2, 1, 6, 6))
    export("max_pool1d", nn.MaxPool1d(3), (2, 3, 8))
    export("avg_pool", nn.AvgPool2d(2), (2, 2, 6, 6))
    export("avg_pool_overlapping", nn.AvgPool2d(3, stride=1), (2, 1, 5, 5))
    for counted in (True, False):
        pool = nn.AvgPool2d(3, stride=2, padding=1, count_include_pad=counted)
        export(f"avg_pool_padded_{'counted' if counted else 'not_counted'}", pool, (2, 2, 5, 6))
    export("avg_pool_ceil", nn.AvgPool2d(3, stride=2, ceil_mode=True), (2, 1, 6, 6))
    export("avg_pool1d", nn.AvgPool1d(3, stride=2), (2, 3, 8))
    export("avg_pool3d", nn.AvgPool3d(2), (2, 1, 4, 4, 4))
    export("adaptive_avg_pool", nn.AdaptiveAvgPool2d(1), (2, 3, 4, 5))
    export("adaptive_avg_pool_grid", nn.AdaptiveAvgPool2d(2), (2, 3, 4, 6))
    export("adaptive_max_pool", nn.AdaptiveMaxPool2d(1), (2, 3, 4, 5))
    export("lp_pool", nn.LPPool2d(2, 2), (2, 1, 4, 4), low=0.1)


def normalisations():
    export("batch_norm1d", nn.BatchNorm1d(4), (3, 4))
    export("batch_norm2d", nn.BatchNorm2d(3), (2, 3, 4, 4))
    export("batch_norm_plain", nn.BatchNorm2d(3, affine=False), (2, 3, 2, 2))
    export("layer_norm", nn.LayerNorm(4), (3, 4))
    export("layer_norm_two", nn.LayerNorm((3, 4)), (2, 3, 4))
    export("layer_norm_plain", nn.LayerNorm(4, elementwise_affine=False), (2, 3, 4))
    export("instance_norm", nn.InstanceNorm2d(3, affine=True), (2, 3, 4, 4))
    export("group_norm", nn.GroupNorm(2, 4), (2, 4, 3, 3))
    export("rms_norm", nn.RMSNorm(4), (2, 3, 4))
    export("normalize", F.normalize, (3, 4))
    export("local_response_norm", nn.LocalResponseNorm(3), (2, 4, 3, 3))
    export("standardised", lambda x: (x - x.mean(1, keepdim=True)) / x.std(1, keepdim=True), (3, 5))
    export("cosine_similarity", F.cosine_similarity, (3, 4), (3, 4))


def movements():
    index = torch.tensor([0, 3, 3])
    for name, function in {
        "flatten": lambda x: x.flatten(1).exp(), "view": lambda x: x.reshape(-1, 6), "permute": lambda x: x.permute(2, 0, 1).exp(),
        "squeeze": lambda x: x[:, :1].squeeze(1), "unsqueeze": lambda x: x.unsqueeze(2).exp(), "flip": lambda x: x.flip(2).exp(),
        "slice": lambda x: x[:, 1:, 1:4:2], "slice_from_end": lambda x: x[:, -2:, :-1], "select": lambda x: x[:, 1],
        "gather_columns": lambda x: x.index_select(2, index), "index": lambda x: x[:, :, index],
        "gather_elements": lambda x: x.gather(2, torch.tensor([[[0, 2], [1, 1], [3, 0]]]).expand(x.shape[0], 3, 2)),
        "index_pairs": lambda x: x[:, torch.tensor([0, 2, 2]), torch.tensor([1, 3, 3])],
        "expand": lambda x: x.unsqueeze(1).expand(-1, 3, -1, -1), "repeat": lambda x: x.repeat(1, 2, 3),
        "concatenate": lambda x: torch.cat([x.exp(), torch.ones_like(x), x], 2), "stack": lambda x: torch.stack([x, x * x], 1),
        "split": lambda x: x.split([1, 3], 2)[1].exp(), "chunks": lambda x: torch.mul(*x.chunk(2, 2)),
        "unbind": lambda x: x.unbind(1)[2] * x.unbind(1)[0], "roll": lambda x: x.roll(1, 2).exp(),
        "pad": lambda x: F.pad(x, (1, 2), value=0.3).exp(), "pad_cropping": lambda x: F.pad(x, (-1, 2)),
        "pad_reflect": lambda x: F.pad(x, (2, 1), mode="reflect"), "pad_replicate": lambda x: F.pad(x, (2, 1), mode="replicate"),
        "pad_circular": lambda x: F.pad(x, (2, 1), mode="circular"), "narrow": lambda x: x.narrow(2, 1, 2),
        "triangle": lambda x: x.tril().exp(), "cumulative_sum": lambda x: x.cumsum(2), "cumulative_exp": lambda x: x.cumsum(1).exp(),
        "greatest_two": lambda x: x.topk(2, 2).values, "sorted": lambda x: x.sort(2).values,
        "scattered": lambda x: torch.zeros(x.shape[0], 3, 5).to(x).scatter(
            2, torch.tensor([[[0, 2, 4, 1]] * 3]).expand(x.shape[0], 3, 4), x),
        "scatter_add": lambda x: torch.zeros(x.shape[0], 3, 2).to(x).scatter_add(
            2, torch.tensor([[[0, 1, 1, 0]] * 3]).expand(x.shape[0], 3, 4), x).exp(),
        "written_over": lambda x: torch.slice_scatter(x.exp(), x[:, 1:], 1, 0, 2),
    }.items():
        export(name, function, (2, 3, 4))
    export("pixel_shuffle", nn.PixelShuffle(2), (2, 8, 2, 3))
    export("pixel_unshuffle", nn.PixelUnshuffle(2), (2, 2, 4, 2))
    export("unfold", nn.Unfold(2), (2, 1, 3, 3))
    export("upsample_nearest", nn.Upsample(scale_factor=2), (2, 2, 2, 3))
    export("upsample_bilinear", nn.Upsample(scale_factor=2, mode="bilinear"), (2, 2, 2, 3))
    export("upsample_aligned", nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True), (2, 1, 2, 3))


def reductions():
    for name, function in {
        "sum": torch.sum, "mean": torch.mean, "amax": torch.amax, "amin": torch.amin, "logsumexp": torch.logsumexp,
        "norm": lambda x, dim, keepdim: torch.linalg.vector_norm(x, dim=dim, keepdim=keepdim),
        "norm1": lambda x, dim, keepdim: torch.linalg.vector_norm(x, 1, dim=dim, keepdim=keepdim),
        "var": lambda x, dim, keepdim: torch.var(x, dim=dim, keepdim=keepdim),
    }.items():
        export(f"{name}_one", lambda x: function(x, dim=1, keepdim=False), (2, 3, 4))
        export(f"{name}_two_kept", lambda x: function(x, dim=(-1, 1), keepdim=True), (2, 3, 4))
    export("max_with_place", lambda x: x.max(1).values, (2, 3, 4))
    export("product", lambda x: x.prod(1), (2, 3, 4))
    export("product_with_zeros", lambda x: x.prod(1), [[2.0, 3.0, -1.5], [0.0, 3.0, -1.5], [0.0, 0.0, 2.0]])
    export("sum_of_all", lambda x: x.sum(), (2, 3))


def by_hand():
    """Operators that torch's exporter writes as others."""
    node("node_thresholded_relu", "ThresholdedRelu", lambda x: F.threshold(x, 0.6, 0.0), (3, 4), alpha=0.6)
    node("node_softsign", "Softsign", F.softsign, (3, 4))
    node("node_softplus", "Softplus", F.softplus, (3, 4))
    node("node_sum", "Sum", lambda a, b: a + b, (3, 4), (3, 4))
    node("node_mean", "Mean", lambda a, b: (a + b) / 2, (3, 4), (3, 4))
    node("node_identity", "Identity", lambda x: x, (3, 4))
    node("node_dropout", "Dropout", lambda x: F.dropout(x, training=False), (3, 4))
    node("node_flatten", "Flatten", lambda x: x.flatten(1), (2, 3, 4))
    node("node_squeeze", "Squeeze", lambda x: x.squeeze(1), (2, 1, 4), more=[np.array([1])])
    node("node_space_to_depth", "SpaceToDepth", lambda x: torch.cat(
        [x[:, :, i::2, j::2] for i in (0, 1) for j in (0, 1)], 1), (2, 2, 4, 2), blocksize=2)
    node("node_depth_to_space", "DepthToSpace", lambda x: F.pixel_shuffle(
        x.reshape(x.shape[0], 4, -1, 2, 3).transpose(1, 2).flatten(1, 2), 2), (2, 8, 2, 3), blocksize=2)
    axes = [np.array([1])]
    node("node_reduce_sum_square", "ReduceSumSquare", lambda x: (x * x).sum(1), (2, 3, 4), more=axes, keepdims=0)
    node("node_reduce_l1", "ReduceL1", lambda x: torch.linalg.vector_norm(x, 1, dim=1), (2, 3, 4), more=axes, keepdims=0)
    node("node_reduce_log_sum", "ReduceLogSum", lambda x: x.sum(1).log(), (2, 3, 4), low=0.2, more=axes, keepdims=0)
    node("node_global_average_pool", "GlobalAveragePool", lambda x: F.adaptive_avg_pool2d(x, 1), (2, 3, 4, 5))
    node("node_global_max_pool", "GlobalMaxPool", lambda x: F.adaptive_max_pool2d(x, 1), (2, 3, 4, 5))
    node("node_swish", "Swish", F.silu, (3, 4), opset=24)
    node("node_gather_nd", "GatherND", lambda x: x[:, torch.tensor([2, 0, 2])], (2, 3, 4), batch_dims=0,
         more=[np.array([[[0, 2], [0, 0], [0, 2]], [[1, 2], [1, 0], [1, 2]]])])
    scale, shift = np.float32([0.5, -1.5, 2.0, 0.7]), np.float32([0.1, 0.2, -0.3, 0.4])
    node("node_group_normalization", "GroupNormalization", lambda x: F.group_norm(
        x, 2, torch.tensor(scale).to(x), torch.tensor(shift).to(x)), (2, 4, 3, 3), opset=21, more=[scale, shift], num_groups=2)
    node("node_cast_like", "CastLike", lambda x: x * 1, (3, 4), more=[np.float32(1)])


class Residual(nn.Module):
    """Convolutions with a skip, squeeze and excitation, and a classifier."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(1, 4, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(4)
        self.second = nn.Conv2d(4, 4, 3, padding=1, groups=2)
        self.down = nn.Conv2d(1, 4, 1)
        self.gate = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(4, 2, 1), nn.SiLU(), nn.Conv2d(2, 4, 1), nn.Sigmoid())
        self.pool = nn.MaxPool2d(3, stride=2, padding=1)
        self.head = nn.Linear(4 * 3 * 3, 3)

    def forward(self, x):
        inner = self.second(F.relu(self.norm(self.first(x))))
        joined = F.gelu(inner * self.gate(inner) + self.down(x))
        return F.softmax(self.head(self.pool(joined).flatten(1)), 1)


class Block(nn.Module):
    """One block of a transformer with two heads, causal, and its mean over positions."""

    def __init__(self):
        super().__init__()
        self.before, self.after = nn.LayerNorm(8), nn.LayerNorm(8)
        self.mixed, self.out = nn.Linear(8, 24), nn.Linear(8, 8)
        self.wide = nn.Sequential(nn.Linear(8, 12), nn.GELU(), nn.Linear(12, 8))
        self.head = nn.Linear(8, 2)

    def forward(self, x):
        heads = [part.unflatten(2, (2, 4)).transpose(1, 2) for part in self.mixed(self.before(x)).chunk(3, 2)]
        mixed = F.scaled_dot_product_attention(*heads, is_causal=True)
        x = x + self.out(mixed.transpose(1, 2).flatten(2))
        return self.head((x + self.wide(self.after(x))).mean(1))


class Attention(nn.Module):
    """torch's own attention of a sequence to itself."""

    def __init__(self):
        super().__init__()
        self.attention = nn.MultiheadAttention(6, 2, batch_first=True)

    def forward(self, x):
        return self.attention(x, x, x, need_weights=False)[0]


def networks():
    export("network_mlp", nn.Sequential(nn.Linear(5, 6), nn.ReLU(), nn.BatchNorm1d(6), nn.Linear(6, 3), nn.Tanh(),
                                        nn.Linear(3, 1), nn.Sigmoid()), (4, 5))
    export("network_residual", Residual(), (2, 1, 6, 6))
    export("network_transformer", Block(), (2, 3, 8))
    export("network_attention", Attention(), (2, 3, 6))
    export("network_encoder", nn.TransformerEncoderLayer(6, 2, 8, batch_first=True, activation="gelu"), (2, 3, 6))
    export("network_autoencoder", nn.Sequential(nn.Conv2d(1, 3, 3, stride=2, padding=1), nn.ELU(), nn.ConvTranspose2d(
        3, 2, 3, stride=2, padding=1, output_padding=1), nn.InstanceNorm2d(2, affine=True), nn.Softplus()), (2, 1, 4, 4))


def main():
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    torch.set_num_threads(1)
    FOLDER.mkdir(exist_ok=True)
    for stale in FOLDER.glob("*.onnx"):
        stale.unlink()
    for family in (activations, arithmetic, products, convolutions, pools, normalisations, movements, reductions, by_hand, networks):
        family()
    operators = sorted({(schema.domain, schema.name) for schema in onnx.defs.get_all_schemas()
                        if schema.domain in ("", "ai.onnx.ml")})
    head = {
        "what": "gradients of weighted sums of the outputs of autograd/NAME.onnx",
        "versions": {"torch": torch.__version__, "onnx": onnx.__version__, "onnxruntime": onnxruntime.__version__},
        "operators": [list(operator) for operator in operators],
    }
    lines = ",\n".join(json.dumps(case, separators=(",", ":"), allow_nan=False) for case in cases)
    text = json.dumps(head, separators=(",", ":"))[:-1] + ',"cases":[\n' + lines + "\n]}\n"
    (GOLDEN / "autograd.json").write_text(text)


if __name__ == "__main__":
    main()
