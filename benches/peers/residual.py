#!/usr/bin/env python3
"""A 50-layer residual network (random weights): drawn, differentiated and attributed; seconds and memory of each.

    pip install numpy onnx pyarrow
    python benches/peers/residual.py [--binary target/release/probity] [--rows 4] [--side 224] [--keep DIR]

The network has the layers of ResNet-50 (He et al. 2016): bottleneck blocks of 1×1, 3×3 and 1×1 convolutions with batch
normalisation, 3 + 4 + 6 + 3 of them, and a dense layer; weights are drawn, so that what it says means nothing. Memory
is the most that the process held (`ru_maxrss`).
"""
import argparse
import os
import pathlib
import subprocess
import tempfile
import time

import numpy as np
import onnx
import pyarrow as pa
import pyarrow.parquet as pq
from onnx import TensorProto, helper, numpy_helper

ROOT = pathlib.Path(__file__).resolve().parents[2]


class Network:
    def __init__(self, seed=7):
        self.nodes, self.weights, self.random = [], [], np.random.default_rng(seed)

    def weight(self, name, values):
        self.weights.append(numpy_helper.from_array(values.astype(np.float32), name))
        return name

    def node(self, op, inputs, output, **attributes):
        self.nodes.append(helper.make_node(op, inputs, [output], name=f"{output}/{op}", **attributes))
        return output

    def convolution(self, x, name, channels_in, channels, kernel, stride=1, relu=True):
        scale = np.sqrt(2 / (channels_in * kernel * kernel))
        w = self.weight(f"{name}.w", self.random.normal(0, scale, (channels, channels_in, kernel, kernel)))
        pads = [kernel // 2] * 4
        x = self.node("Conv", [x, w], f"{name}.conv", kernel_shape=[kernel] * 2, strides=[stride] * 2, pads=pads)
        ones, zeros = np.ones(channels), np.zeros(channels)
        norm = [self.weight(f"{name}.{part}", values) for part, values in
                [("scale", ones), ("bias", zeros), ("mean", zeros), ("var", ones)]]
        x = self.node("BatchNormalization", [x, *norm], f"{name}.norm")
        return self.node("Relu", [x], f"{name}.relu") if relu else x

    def block(self, x, name, channels_in, width, stride):
        y = self.convolution(x, f"{name}.a", channels_in, width, 1)
        y = self.convolution(y, f"{name}.b", width, width, 3, stride)
        y = self.convolution(y, f"{name}.c", width, 4 * width, 1, relu=False)
        if channels_in != 4 * width or stride != 1:
            x = self.convolution(x, f"{name}.skip", channels_in, 4 * width, 1, stride, relu=False)
        return self.node("Relu", [self.node("Add", [x, y], f"{name}.sum")], f"{name}.out")


def network(side, classes=10):
    net = Network()
    x = net.convolution("image", "stem", 3, 64, 7, 2)
    x = net.node("MaxPool", [x], "pool", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    channels = 64
    for stage, (width, blocks) in enumerate([(64, 3), (128, 4), (256, 6), (512, 3)]):
        for at in range(blocks):
            x = net.block(x, f"stage{stage + 1}.{at + 1}", channels, width, 2 if at == 0 and stage > 0 else 1)
            channels = 4 * width
    x = net.node("Flatten", [net.node("GlobalAveragePool", [x], "mean")], "flat", axis=1)
    weights = net.weight("dense.w", net.random.normal(0, 0.01, (classes, channels)))
    x = net.node("Gemm", [x, weights, net.weight("dense.b", np.zeros(classes))], "logits", transB=1)
    net.node("Softmax", [x], "probabilities", axis=-1)
    graph = helper.make_graph(
        net.nodes, "residual",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["N", 3, side, side])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["N", classes])], net.weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], producer_name="residual.py")
    model.ir_version = 8
    onnx.checker.check_model(model)
    return model


PIPELINE = """\
[pipeline]
name = "residual"

[data]
path = "rows.parquet"
label = "label"

[data.image]
column = "pixels"
scale = 0.00392156862745098

[model]
path = "model.onnx"
task = "multiclass"

[explain]
method = "{method}"
scale = "probability"
outputs = "predicted"
baseline = "zero"
budget = {steps}

[importance]
methods = ["attribution"]

[store]
results = "results"
catalogue = "sqlite:catalogue.db"
"""


def measured(command, folder):
    start = time.perf_counter()
    done = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(done.pid, 0)
    assert status == 0, f"{command} ended with {status}"
    return time.perf_counter() - start, usage.ru_maxrss / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", type=pathlib.Path, default=ROOT / "target/release/probity")
    parser.add_argument("--rows", type=int, default=4)
    parser.add_argument("--side", type=int, default=224)
    parser.add_argument("--steps", type=int, default=16)
    parser.add_argument("--keep", type=pathlib.Path)
    args = parser.parse_args()
    folder = args.keep or pathlib.Path(tempfile.mkdtemp())
    folder.mkdir(parents=True, exist_ok=True)
    onnx.save(network(args.side), folder / "model.onnx")
    random = np.random.default_rng(11)
    pixels = random.integers(0, 256, (args.rows, args.side * args.side * 3), dtype=np.uint8)
    rows = pa.table({"pixels": pa.array(list(pixels), pa.list_(pa.uint8())),
                     "label": pa.array([at % 10 for at in range(args.rows)])})
    pq.write_table(rows, folder / "rows.parquet")
    binary = args.binary.resolve()
    seconds, megabytes = measured([binary, "inspect", "model.onnx", "--svg", "structure.svg", "--format", "json"], folder)
    print(f"drawn:                  {seconds:6.1f} s  {megabytes:6.0f} MB")
    for method in ["gradient", "integrated_gradients"]:
        (folder / "pipeline.toml").write_text(PIPELINE.format(
            method=method, steps=args.steps))
        seconds, megabytes = measured([binary, "run", "pipeline.toml", "--force"], folder)
        print(f"{method + ':':<23} {seconds:6.1f} s  {megabytes:6.0f} MB  ({args.rows} rows)")


if __name__ == "__main__":
    main()
