"""A small convolutional network over pictures of 224 × 224 × 3, a few such pictures, and its answers.

usage: golden_large_pictures.py      (writes tests/golden/large_nhwc.onnx, large_nchw.onnx, large_pictures.json and
                                      one file for each picture: large_0.png … large_4.png, large_5.jpeg)

The weights are random and the same in both layouts. Pictures are smooth, so their files are small.
"""

import io
import json
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from exporting import OPSET, session

SIDE, N, SEED = 224, 6, 23
CLASSES = ["cat", "dog", "owl"]
SCALE, MEAN, STD = 0.00392156862745098, np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])


def network(channels_last: bool, bias: np.ndarray) -> onnx.ModelProto:
    """Three convolutions that halve the sides, each with a rectifier; the mean of each channel; softmax."""
    random = np.random.default_rng(SEED)
    widths = [3, 8, 12, 16]
    weights, nodes, at = {}, [], "picture"
    if channels_last:
        nodes.append(helper.make_node("Transpose", [at], ["planes"], name="planes", perm=[0, 3, 1, 2]))
        at = "planes"
    for block, (before, after) in enumerate(zip(widths, widths[1:])):
        scale = 1.5 / np.sqrt(9 * before)
        weights[f"kernel_{block}"] = (scale * random.normal(size=(after, before, 3, 3))).astype(np.float32)
        weights[f"bias_{block}"] = (0.1 * random.normal(size=after)).astype(np.float32)
        inputs = [at, f"kernel_{block}", f"bias_{block}"]
        nodes.append(helper.make_node("Conv", inputs, [f"conv_{block}"], name=f"conv_{block}", strides=[2, 2], pads=[1] * 4))
        nodes.append(helper.make_node("Relu", [f"conv_{block}"], [f"relu_{block}"], name=f"relu_{block}"))
        at = f"relu_{block}"
    weights["classes"] = (1.5 * random.normal(size=(widths[-1], len(CLASSES)))).astype(np.float32)
    weights["bias"] = bias
    nodes += [
        helper.make_node("GlobalAveragePool", [at], ["mean"], name="mean"),
        helper.make_node("Flatten", ["mean"], ["flat"], name="flat"),
        helper.make_node("Gemm", ["flat", "classes", "bias"], ["logits"], name="logits"),
        helper.make_node("Softmax", ["logits"], ["probabilities"], name="probabilities", axis=1),
    ]
    shape = ["rows", SIDE, SIDE, 3] if channels_last else ["rows", 3, SIDE, SIDE]
    graph = helper.make_graph(
        nodes, "large_pictures",
        [helper.make_tensor_value_info("picture", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["rows", len(CLASSES)])],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET[""])], ir_version=8)
    onnx.checker.check_model(model)
    return model


def picture(random: np.random.Generator) -> np.ndarray:
    """A few discs of one colour on a ground that changes from left to right: what PNG packs well."""
    y, x = np.mgrid[0:SIDE, 0:SIDE]
    rgb = np.stack([(x * random.integers(0, 3) // 4 + random.integers(0, 90)) for _ in range(3)], axis=-1)
    for _ in range(4):
        row, column, radius = random.integers(20, SIDE - 20, 2).tolist() + [int(random.integers(10, 60))]
        rgb[(y - row) ** 2 + (x - column) ** 2 < radius**2] = random.integers(0, 256, 3)
    return rgb.astype(np.uint8)


def write(folder: Path) -> None:
    random = np.random.default_rng(SEED)
    names, numbers = [], []
    for at in range(N):
        kind = "jpeg" if at == N - 1 else "png"
        content = io.BytesIO()
        options = dict(quality=95, subsampling=0) if kind == "jpeg" else dict(optimize=True)
        Image.fromarray(picture(random)).save(content, kind.upper(), **options)
        names.append(f"large_{at}.{kind}")
        (folder / names[-1]).write_bytes(content.getvalue())
        numbers.append(np.asarray(Image.open(io.BytesIO(content.getvalue())).convert("RGB")))
    x = ((np.stack(numbers) * SCALE - MEAN) / STD).astype(np.float32)
    # Biases that take no class before the others: of log-probabilities as of scores they are the negative means.
    level = np.zeros(len(CLASSES), np.float32)
    plain = session(network(True, level).SerializeToString()).run(None, {"picture": x})[0]
    level = -np.log(plain).mean(axis=0)
    scores = {}
    for layout, array in [("nhwc", x), ("nchw", np.ascontiguousarray(x.transpose(0, 3, 1, 2)))]:
        data = network(layout == "nhwc", level).SerializeToString(deterministic=True)
        (folder / f"large_{layout}.onnx").write_bytes(data)
        scores[layout] = session(data).run(None, {"picture": array})[0]
    assert np.abs(scores["nhwc"] - scores["nchw"]).max() < 1e-6
    assert len(set(scores["nhwc"].argmax(axis=1))) > 1, "the pictures are all taken for one class"
    known = dict(what="softmax scores of large_nhwc.onnx", files=names, classes=CLASSES,
                 scores=[[round(float(p), 8) for p in row] for row in scores["nhwc"]])
    (folder / "large_pictures.json").write_text(json.dumps(known) + "\n")
    print(np.round(scores["nhwc"], 3), [(folder / name).stat().st_size for name in names])


if __name__ == "__main__":
    write(Path(__file__).parents[2] / "tests" / "golden")
