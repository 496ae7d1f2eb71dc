"""Pictures of every kind that Pillow writes, with the numbers that Pillow reads, and two small networks that take them."""

import io
import json
import struct
import zlib
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from exporting import OPSET

SEED = 11
HEIGHT, WIDTH = 6, 5
# Decoders of JPEG may round differently, and no two smooth out halved colours in the same way.
JPEG, HALVED = 2.0, 6.0


def encoded(image: Image.Image, kind: str = "PNG", **options) -> bytes:
    target = io.BytesIO()
    image.save(target, kind, **options)
    return target.getvalue()


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def handmade(array: np.ndarray, depth: int, colour: int, filters: list[int], extra: bytes = b"") -> bytes:
    """What Pillow does not write: samples `[rows × columns × channels]` of any depth, each row with a filter of its own."""
    rows = [packed(row.ravel(), depth) for row in array]
    step = max(1, array.shape[2] * depth // 8)
    lines = b"".join(
        bytes([filters[at % len(filters)]]) + filtered(filters[at % len(filters)], row, rows[at - 1] if at else bytes(len(row)), step)
        for at, row in enumerate(rows)
    )
    header = struct.pack(">IIBBBBB", array.shape[1], array.shape[0], depth, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")


def interlaced(array: np.ndarray) -> bytes:
    """Eight-bit RGB in the seven passes of Adam7."""
    lines = b""
    for x, y, dx, dy in [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]:
        part = array[y::dy, x::dx]
        if part.size:
            lines += b"".join(b"\x00" + row.astype(np.uint8).tobytes() for row in part)
    header = struct.pack(">IIBBBBB", array.shape[1], array.shape[0], 8, 2, 0, 0, 1)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")


def packed(samples: np.ndarray, depth: int) -> bytes:
    if depth == 16:
        return samples.astype(">u2").tobytes()
    bits = "".join(format(int(sample), f"0{depth}b") for sample in samples)
    bits += "0" * (-len(bits) % 8)
    return bytes(int(bits[at:at + 8], 2) for at in range(0, len(bits), 8))


def filtered(kind: int, row: bytes, above: bytes, step: int) -> bytes:
    out = []
    for at, value in enumerate(row):
        left, up = (row[at - step] if at >= step else 0), above[at]
        corner = above[at - step] if at >= step else 0
        estimate = left + up - corner
        paeth = min((left, up, corner), key=lambda x: abs(estimate - x))
        out.append((value - [0, left, up, (left + up) // 2, paeth][kind]) % 256)
    return bytes(out)


def case(name: str, content: bytes, numbers: np.ndarray, tolerance: float = 0.0) -> dict:
    array = numbers.reshape(numbers.shape[0], numbers.shape[1], -1).astype(float)
    height, width, channels = array.shape
    return dict(name=name, height=height, width=width, channels=channels, tolerance=tolerance, bytes=content.hex(),
                numbers=[round(float(x), 6) for x in array.ravel()])


def read(content: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(content)))


def cases(random: np.random.Generator) -> list[dict]:
    rgb = random.integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    grey = rgb[..., 0]
    rgba = np.dstack([rgb, random.integers(0, 256, (HEIGHT, WIDTH), dtype=np.uint8)])
    found = []
    for name, array in [("grey", grey), ("rgb", rgb), ("rgba", rgba), ("grey with alpha", rgba[..., 2:])]:
        content = encoded(Image.fromarray(array))
        found.append(case(name, content, read(content)))
    opaque = np.dstack([rgb, np.full((HEIGHT, WIDTH), 255, np.uint8)])
    found.append(case("rgba, all of it opaque", encoded(Image.fromarray(opaque)), rgb))
    palette = Image.fromarray(rgb).quantize(7)
    found.append(case("palette", encoded(palette), np.asarray(palette.convert("RGB"))))
    found.append(case("palette of greys", encoded(Image.fromarray(grey).convert("RGB").quantize(40)),
                      np.asarray(Image.fromarray(grey).convert("RGB").quantize(40).convert("RGB"))[..., 0]))
    clear = encoded(palette, transparency=2)
    found.append(case("palette with a transparent colour", clear, np.asarray(Image.open(io.BytesIO(clear)).convert("RGBA"))))
    bits = Image.fromarray(grey > 127)
    found.append(case("one bit", encoded(bits), np.asarray(bits.convert("L"))))
    for depth in [2, 4]:
        samples = random.integers(0, 2**depth, (HEIGHT, WIDTH, 1))
        content = handmade(samples, depth, 0, [0])
        found.append(case(f"grey of {depth} bits", content, np.asarray(Image.open(io.BytesIO(content)).convert("L"))))
    deep = random.integers(0, 65536, (HEIGHT, WIDTH), dtype=np.uint16)
    found.append(case("grey of 16 bits", encoded(Image.fromarray(deep)), deep / 257.0))
    deep = random.integers(0, 65536, (HEIGHT, WIDTH, 3), dtype=np.uint16)
    found.append(case("rgb of 16 bits, all filters", handmade(deep, 16, 2, [4, 3, 2, 1, 0]), deep / 257.0))
    found.append(case("all filters", handmade(rgb, 8, 2, [3, 1, 4, 2, 0, 4]), read(handmade(rgb, 8, 2, [3, 1, 4, 2, 0, 4]))))
    wide = random.integers(0, 256, (9, 11, 3), dtype=np.uint8)
    found.append(case("interlaced", interlaced(wide), read(interlaced(wide))))
    note = chunk(b"tEXt", b"Comment\x00made by hand")
    found.append(case("text beside the pixels", handmade(rgb, 8, 2, [0], note), rgb))
    y, x = np.mgrid[0:16, 0:24]
    smooth = np.dstack([8 * x, 12 * y, 255 - 5 * x - 5 * y]).astype(np.uint8)
    for name, options, tolerance in [
        ("jpeg", dict(quality=95, subsampling=0), JPEG),
        ("jpeg, progressive", dict(quality=90, subsampling=0, progressive=True), JPEG),
        ("jpeg, colours halved", dict(quality=95, subsampling=2), HALVED),
    ]:
        content = encoded(Image.fromarray(smooth), "JPEG", **options)
        found.append(case(name, content, read(content), tolerance))
    content = encoded(Image.fromarray(smooth[..., 1]), "JPEG", quality=95)
    found.append(case("jpeg, grey", content, read(content), JPEG))
    return found


def network(channels_last: bool, random: np.random.Generator) -> onnx.ModelProto:
    """Convolution, mean and softmax over three classes; the same weights in both layouts."""
    shape = ["rows", HEIGHT, WIDTH, 3] if channels_last else ["rows", 3, HEIGHT, WIDTH]
    weights = {
        "kernel": random.normal(size=(4, 3, 3, 3)).astype(np.float32),
        "classes": (3 * random.normal(size=(4, 3))).astype(np.float32),
        "bias": np.float32([0.1, -0.2, 0.0]),
    }
    nodes = [helper.make_node("Transpose", ["picture"], ["planes"], perm=[0, 3, 1, 2])] if channels_last else []
    nodes += [
        helper.make_node("Conv", ["planes" if channels_last else "picture", "kernel"], ["edges"], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["edges"], ["lit"]),
        helper.make_node("GlobalAveragePool", ["lit"], ["mean"]),
        helper.make_node("Flatten", ["mean"], ["flat"]),
        helper.make_node("Gemm", ["flat", "classes", "bias"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
    ]
    graph = helper.make_graph(
        nodes, "pictures",
        [helper.make_tensor_value_info("picture", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["rows", 3])],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET[""])], ir_version=8)
    onnx.checker.check_model(model)
    return model


def write(folder: Path) -> None:
    random = np.random.default_rng(SEED)
    found = dict(cases=cases(random), rows=[])
    for at in range(24):
        rgb = random.integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
        found["rows"].append(case(f"row {at}", encoded(Image.fromarray(rgb)), rgb))
    (folder / "pictures.json").write_text(json.dumps(found) + "\n")
    for name, channels_last in [("picture_nhwc", True), ("picture_nchw", False)]:
        model = network(channels_last, np.random.default_rng(SEED))
        (folder / f"{name}.onnx").write_bytes(model.SerializeToString())


if __name__ == "__main__":
    write(Path(__file__).parents[2] / "tests" / "golden")
