#!/usr/bin/env python3
"""The widest report: bytes of its HTML and seconds of `probity report`, beside the limits of 2 MB and 2 s.

    pip install numpy pandas pyarrow onnx
    python benches/peers/report.py [--binary target/release/probity] [--folder var/wide] [--rows 1000000]

Makes seeded data of `--rows` rows, 50 features, 10 classes and 200 groups, and a softmax model of them as ONNX; audits
them on two days, so that there is something to compare with; then draws the second report several times from what is
stored. Seconds are of the whole process, the least of `--repeats`: on the wall, and of the processor, which alone means
something on a busy machine. A folder that holds the two runs already is used as it is.
"""
import argparse
import json
import pathlib
import resource
import subprocess
import sys
import time

import numpy as np
import onnx
import pandas as pd
from onnx import TensorProto, helper, numpy_helper

MOST_BYTES, MOST_SECONDS = 2_000_000, 2.0
DAYS = ["2026-01-30", "2026-01-31"]


def write_data(path, rows, weights, groups, seed):
    """Features of every shape; the labels follow the model with noise, the groups shift some features."""
    random = np.random.default_rng(seed)
    features = weights.shape[0]
    group = random.zipf(1.2, rows) % groups
    values = random.normal(size=(rows, features)).astype(np.float32)
    values[:, 1::5] = np.exp(values[:, 1::5])
    values[:, 2::5] = np.round(values[:, 2::5] * 3)
    values[:, 3::5] += (group % 7)[:, None] * 0.2
    scores = values @ weights + random.gumbel(size=(rows, weights.shape[1]))
    columns = {f"feature_{i:02}_of_the_model": values[:, i] for i in range(features)}
    columns["region"] = [f"region {g:03}" for g in group]
    columns["sex"] = np.where(random.random(rows) < 0.5, "Female", "Male")
    columns["label"] = scores.argmax(axis=1)
    pd.DataFrame(columns).to_parquet(path, index=False, row_group_size=65_536)


def write_model(path, weights):
    features, classes = weights.shape
    nodes = [
        helper.make_node("Gemm", ["input", "weights", "bias"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
    ]
    tensors = [numpy_helper.from_array(weights, "weights"), numpy_helper.from_array(np.zeros(classes, np.float32), "bias")]
    graph = helper.make_graph(
        nodes, "wide",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, [None, features])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, [None, classes])], tensors)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)


def write_pipeline(path, features):
    names = [f"feature_{i:02}_of_the_model" for i in range(features)]
    path.write_text(f"""
[pipeline]
name = "wide"
[data]
path = "rows.parquet"
label = "label"
[model]
path = "model.onnx"
[model.inputs]
input = {json.dumps(names)}
[background]
rows = 200
[explain]
rows = 5000
outputs = "all"
[importance]
methods = ["attribution", "permutation", "pdp", "ale"]
repeats = 2
[fairness]
attributes = ["region", "sex"]
bootstrap = 100
[[gates]]
metric = "accuracy"
min = 0.1
[store]
results = "results"
catalogue = "sqlite:catalogue.db"
""")


def make(arguments, folder):
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(7)
    decay = np.linspace(1.5, 0.05, arguments.features)[:, None]
    weights = (random.normal(size=(arguments.features, arguments.classes)) * decay).astype(np.float32)
    write_model(folder / "model.onnx", weights)
    write_pipeline(folder / "wide.toml", arguments.features)
    for night, day in enumerate(DAYS):
        write_data(folder / "rows.parquet", arguments.rows, weights, arguments.groups, night)
        started = time.perf_counter()
        subprocess.run([arguments.binary, "run", folder / "wide.toml", "--as-of", day, "--no-report", "--format", "json"],
                       check=True, stdout=subprocess.DEVNULL)
        print(f"audit of {day}: {time.perf_counter() - started:.1f} s", file=sys.stderr)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", type=lambda path: str(pathlib.Path(path).resolve()), default="target/release/probity")
    parser.add_argument("--folder", type=pathlib.Path, default=pathlib.Path("var/wide"))
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--features", type=int, default=50)
    parser.add_argument("--classes", type=int, default=10)
    parser.add_argument("--groups", type=int, default=200)
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    arguments.binary = str(pathlib.Path(arguments.binary).resolve())
    folder = arguments.folder
    if not (folder / "catalogue.db").exists():
        make(arguments, folder)
    command = [arguments.binary, "report", f"wide@{DAYS[-1]}", "--catalogue", folder / "catalogue.db", "--out", folder / "out"]
    wall, processor = [], []
    for _ in range(arguments.repeats):
        started, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        wall.append(time.perf_counter() - started)
        processor.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    size = (folder / "out" / "audit.html").stat().st_size
    print(f"{size:,} bytes (limit {MOST_BYTES:,}); {min(wall):.2f} s on the wall, "
          f"{min(processor):.2f} s of the processor (limit {MOST_SECONDS:.0f} s)")
    sys.exit(size > MOST_BYTES or min(processor) > MOST_SECONDS)


if __name__ == "__main__":
    main()
