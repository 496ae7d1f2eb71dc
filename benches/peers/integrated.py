#!/usr/bin/env python3
"""Integrated Gradients of a convolutional network, against captum on PyTorch.

    pip install captum numpy onnx pandas pyarrow torch
    python benches/peers/integrated.py [--binary target/release/probity] [--rows 1000] [--steps 64] [--together 1024] [--pairs 3]

The weights of data/mnist-cnn.onnx are rebuilt in PyTorch; the digits are resampled to `--rows` pictures. Both integrate the
gradient of the probability of the decided class from a black picture, at `--steps` points of Gauss and Legendre, on one
thread, in turn. captum gets `--together` points at a time, on a model and pictures in memory (its own attribute call alone
is measured); `probity run --threads 1` has `timings.explain` on the wall, and the processor time of the whole process,
reading and storing maps with it, less that of a run that explains nothing. On a network with rectifiers no few points are
exact, so both are also held against captum at 2,048. Differences are shares of the largest attribution, at the 99th of 100
pictures (`difference`) and at the worst of all (`largest_difference`): where pixels of a pooling's window are equally great, rounding
decides which of them the gradient goes to.
"""
import argparse
import json
import os
import pathlib
import resource
import statistics
import subprocess
import tempfile
import time

for threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[threads] = "1"

import numpy as np
import onnx
import pandas as pd
import torch
from captum.attr import IntegratedGradients
from onnx import numpy_helper
from torch import nn

ROOT = pathlib.Path(__file__).resolve().parents[2]
FINE = 2048


class Digits(nn.Module):
    """The network of data/mnist-cnn.onnx: pictures `[n, 28, 28, 1]` to ten probabilities."""

    def __init__(self, path):
        super().__init__()
        graph = onnx.load(path).graph
        known = {weight.name: torch.tensor(numpy_helper.to_array(weight)) for weight in graph.initializer}
        taken = [known[name] for node in graph.node if node.op_type in ("Conv", "MatMul", "Add")
                 for name in node.input if name in known]
        self.filters, self.shift, self.wide, self.wide_shift, self.last, self.last_shift = taken

    def forward(self, x):
        x = nn.functional.conv2d(x.permute(0, 3, 1, 2), self.filters, self.shift)
        x = nn.functional.max_pool2d(torch.relu(x), 2).permute(0, 2, 3, 1).flatten(1)
        return torch.softmax(torch.relu(x @ self.wide + self.wide_shift) @ self.last + self.last_shift, 1)


def theirs(model, pictures, decided, steps, together):
    found = []
    started, worked = time.perf_counter(), time.process_time()
    # captum holds every point of what it is given at once, so it is given as many pictures as a pass has points for.
    for at in range(0, len(pictures), max(together // steps, 1)):
        part = slice(at, at + max(together // steps, 1))
        found.append(IntegratedGradients(model).attribute(pictures[part], target=decided[part], n_steps=steps,
                                                          internal_batch_size=together))
    seconds = time.perf_counter() - started, time.process_time() - worked
    return seconds, torch.cat(found).reshape(len(pictures), -1).numpy()


def ours(binary, folder, steps, method):
    (folder / "digits.toml").write_text(f"""
[pipeline]
name = "digits"
[data]
path = "rows.parquet"
id = "row_id"
[data.image]
column = "pixels"
scale = 0.00392156862745098
[model]
path = "{ROOT}/data/mnist-cnn.onnx"
task = "multiclass"
[explain]
method = "{method}"
scale = "probability"
outputs = "predicted"
baseline = "zero"
budget = {steps}
[importance]
methods = []
[store]
results = "results"
catalogue = "sqlite:catalogue.db"
""")
    command = [binary, "run", folder / "digits.toml", "--force", "--no-report", "--format", "json", "--threads", "1"]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    worked = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    maps = next((folder / "results" / "attribution_maps").rglob(f"{done['run_id']}.parquet"), None)
    if maps is None:
        return done["timings"].get("explain", 0.0), worked, None
    maps = pd.read_parquet(maps)
    order = maps["row_id"].astype(int).argsort()
    return done["timings"]["explain"], worked, np.stack(maps["values"].iloc[order].to_numpy())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default=ROOT / "target" / "release" / "probity")
    parser.add_argument("--rows", type=int, default=1000)
    parser.add_argument("--steps", type=int, default=64)
    parser.add_argument("--together", type=int, default=1024)
    parser.add_argument("--pairs", type=int, default=3)
    a = parser.parse_args()
    torch.set_num_threads(1)
    digits = pd.read_parquet(ROOT / "data" / "mnist-cnn.parquet")
    chosen = digits.iloc[np.random.RandomState(7).randint(0, len(digits), a.rows)].reset_index(drop=True)
    chosen["row_id"] = np.arange(a.rows)
    shades = np.stack(chosen["pixels"].to_numpy()).astype(np.float32) * np.float32(0.00392156862745098)
    pictures = torch.tensor(shades.reshape(-1, 28, 28, 1))
    model = Digits(ROOT / "data" / "mnist-cnn.onnx").eval()
    decided = model(pictures).argmax(1)
    binary = pathlib.Path(a.binary).resolve()
    seconds = []
    with tempfile.TemporaryDirectory(prefix="probity-integrated-") as folder:
        folder = pathlib.Path(folder)
        chosen.to_parquet(folder / "rows.parquet", index=False)
        for _ in range(a.pairs):
            peer, captum = theirs(model, pictures, decided, a.steps, a.together)
            _, idle, _ = ours(binary, folder, a.steps, "none")
            wall, worked, maps = ours(binary, folder, a.steps, "integrated_gradients")
            seconds.append((*peer, wall, worked - idle))
    few = slice(0, min(20, a.rows))
    _, exact = theirs(model, pictures[few], decided[few], FINE, FINE)
    largest = np.abs(exact).max()
    digits_of = lambda value: float(f"{value / largest:.2g}")
    gap = lambda x, y: digits_of(np.abs(x - y).max())
    by_picture = np.abs(maps - captum).max(1)
    peer_wall, peer_cpu, wall, cpu = (statistics.median(values) for values in zip(*seconds))
    print(json.dumps({
        "rows": a.rows, "steps": a.steps, "captum_s": round(peer_wall, 2), "captum_cpu_s": round(peer_cpu, 2),
        "probity_s": round(wall, 2), "probity_cpu_s": round(cpu, 2),
        "ratio": round(statistics.median(s[0] / s[2] for s in seconds), 2),
        "ratio_cpu": round(statistics.median(s[1] / s[3] for s in seconds), 2),
        "difference": digits_of(np.quantile(by_picture, 0.99)), "largest_difference": digits_of(by_picture.max()),
        "difference_of_sums": gap(maps.sum(1), captum.sum(1)), "captum_to_exact": gap(captum[few], exact), "probity_to_exact": gap(maps[few], exact),
    }))


if __name__ == "__main__":
    main()
