"""A tiny convolutional network and how its layers' numbers are distributed, by ONNX Runtime and NumPy.

usage: golden_layers.py      (writes tests/golden/layers.onnx and layers_half.onnx, layers.json and layers_half.json)

One channel is dead, one neuron constant; a transposition moves the channels to the end. The second network computes the
same in 16 bits, between a cast of its input and one of its output.
"""

import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

GOLDEN = Path(__file__).parents[2] / "tests" / "golden"
LAYERS = ("relu", "turned", "tanh", "logit")


def network(draws: np.random.Generator) -> onnx.ModelProto:
    def weight(name: str, *shape: int) -> onnx.TensorProto:
        return numpy_helper.from_array(draws.normal(0, 0.4, shape).astype(np.float32), name)

    conv_bias = np.array([0.1, -50.0, -0.2], dtype=np.float32)
    fc = draws.normal(0, 0.3, (75, 4)).astype(np.float32)
    fc[:, 2] = 0
    nodes = [
        helper.make_node("Conv", ["x", "conv_w", "conv_b"], ["conv"], name="conv", pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["conv"], ["relu"], name="conv_relu"),
        helper.make_node("Transpose", ["relu"], ["turned"], name="turn", perm=[0, 2, 3, 1]),
        helper.make_node("Flatten", ["turned"], ["flat"], name="flat"),
        helper.make_node("Gemm", ["flat", "fc_w", "fc_b"], ["fc"], name="fc"),
        helper.make_node("Tanh", ["fc"], ["tanh"], name="fc_tanh"),
        helper.make_node("MatMul", ["tanh", "out_w"], ["out"], name="out"),
        helper.make_node("Add", ["out", "out_b"], ["logit"], name="out_add"),
        helper.make_node("Sigmoid", ["logit"], ["p"], name="link"),
    ]
    weights = [
        weight("conv_w", 3, 2, 3, 3),
        numpy_helper.from_array(conv_bias, "conv_b"),
        numpy_helper.from_array(fc, "fc_w"),
        weight("fc_b", 4),
        weight("out_w", 4, 1),
        weight("out_b", 1),
    ]
    graph = helper.make_graph(
        nodes,
        "layers",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 2, 5, 5])],
        [helper.make_tensor_value_info("p", TensorProto.FLOAT, ["n", 1])],
        weights,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], producer_name="goldens")
    model.ir_version = 9
    onnx.checker.check_model(model)
    return model


def halved(model: onnx.ModelProto) -> onnx.ModelProto:
    half = onnx.ModelProto()
    half.CopyFrom(model)
    graph = half.graph
    for weight in graph.initializer:
        weight.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(weight).astype(np.float16), weight.name))
    graph.node[0].input[0] = "x_half"
    graph.node[-1].output[0] = "p_half"
    graph.node.insert(0, helper.make_node("Cast", ["x"], ["x_half"], name="halve", to=TensorProto.FLOAT16))
    graph.node.append(helper.make_node("Cast", ["p_half"], ["p"], name="widen", to=TensorProto.FLOAT))
    onnx.checker.check_model(half)
    return half


def statistics(numbers: np.ndarray, unit_axis: int, rectified: bool) -> dict:
    wide = numbers.astype(np.float64)
    by_unit = np.moveaxis(wide, unit_axis, 0).reshape(wide.shape[unit_axis], -1)
    constant = by_unit.max(axis=1) == by_unit.min(axis=1)
    dead = constant | (rectified & (by_unit.max(axis=1) <= 0))
    return {
        "n": len(wide),
        "units": wide.shape[unit_axis],
        "mean": wide.mean(),
        "std": wide.std(),
        "zero_fraction": (wide == 0).mean(),
        "minimum": wide.min(),
        "maximum": wide.max(),
        "dead_units": int(dead.sum()),
        "unit_means": by_unit.mean(axis=1).tolist(),
    }


def known(model: onnx.ModelProto, name: str, rows: np.ndarray, groups: list[str]) -> None:
    onnx.save(model, GOLDEN / f"{name}.onnx")
    model.graph.output.extend(helper.make_empty_tensor_value_info(layer) for layer in LAYERS)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    found = dict(zip(LAYERS, session.run(LAYERS, {"x": rows.astype(np.float32).reshape(40, 2, 5, 5)})))
    axis = {"relu": 1, "turned": 3, "tanh": 1, "logit": 1}
    layers = {}
    for layer, numbers in found.items():
        of = {"": np.ones(40, bool)} | {group: np.array(groups) == group for group in "abc"}
        layers[layer] = {
            group: statistics(numbers[rows_of], axis[layer], layer == "relu") for group, rows_of in of.items()
        }
    out = {
        "what": "distributions of a network's layers, over all rows and by group",
        "versions": {"onnx": onnx.__version__, "onnxruntime": onnxruntime.__version__, "numpy": np.__version__},
        "rows": rows.tolist(),
        "groups": groups,
        "layers": layers,
    }
    (GOLDEN / f"{name}.json").write_text(json.dumps(out, separators=(",", ":")) + "\n")


def main() -> None:
    draws = np.random.default_rng(5)
    model = network(draws)
    half = halved(model)
    rows = draws.normal(size=(40, 50)).round(3)
    groups = [["a", "b", "c"][k] for k in draws.integers(0, 3, 40)]
    known(model, "layers", rows, groups)
    known(half, "layers_half", rows, groups)


if __name__ == "__main__":
    main()
