"""Decisions that the attacks of the Adversarial Robustness Toolbox turn, by group.

usage: golden_attacks.py      (writes tests/golden/attacks.json, attacked.onnx and attacked.csv)

Pictures: the weights of data/mnist-cnn.onnx in torch, on the first digits of data/mnist-cnn.parquet. Table: a network of four
numbers, made and trained here, whose numbers move in their standard deviations within the range of the data. The toolbox
attacks the decisions; its descents start from the row itself, without random starts. Needs requirements-torch.txt.
"""

import io
import json
import logging
import pathlib
import warnings
from contextlib import redirect_stdout

import art
import numpy as np
import onnx
import pandas as pd
import torch
from art.attacks.evasion import FastGradientMethod, ProjectedGradientDescent
from art.estimators.classification import PyTorchClassifier
from onnx import numpy_helper
from torch import nn

ROOT = pathlib.Path(__file__).parents[2]
GOLDEN = ROOT / "tests" / "golden"
STEPS = 20


class Digits(nn.Module):
    """The network of data/mnist-cnn.onnx: pictures `[n, 1, 28, 28]` to ten logits."""

    def __init__(self):
        super().__init__()
        graph = onnx.load(ROOT / "data" / "mnist-cnn.onnx").graph
        known = {weight.name: torch.tensor(numpy_helper.to_array(weight)) for weight in graph.initializer}
        self.weights = [known[name] for node in graph.node if node.op_type in ("Conv", "MatMul", "Add")
                        for name in node.input if name in known]

    def forward(self, x):
        filters, shift, wide, wide_shift, last, last_shift = self.weights
        x = torch.relu(nn.functional.conv2d(x, filters, shift))
        x = nn.functional.max_pool2d(x, 2).permute(0, 2, 3, 1).flatten(1)
        return torch.relu(x @ wide + wide_shift) @ last + last_shift


class Two(nn.Module):
    """Two logits of a network with one: 0 for "no"."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, x):
        z = self.network(x)
        return torch.cat([torch.zeros_like(z), z], 1)


def clear(logits):
    """No row is so near to another decision that rounding could decide it."""
    best = np.sort(logits, 1)
    return (best[:, -1] - best[:, -2]).min() > 1e-4


def turned(network, x, ends, unit, groups, epsilons, n_classes):
    """By attack and group, how many decisions turn at each ε."""
    classifier = PyTorchClassifier(network, nn.CrossEntropyLoss(), x.shape[1:], n_classes, clip_values=ends)
    plain = classifier.predict(x)
    decided = plain.argmax(1)
    assert clear(plain)
    whole = {"": np.ones(len(x), bool)} | {group: groups == group for group in sorted(set(groups))}
    found = {"n": {group: int(rows.sum()) for group, rows in whole.items()}}
    for name in ("fgsm", "pgd"):
        by_size = []
        for epsilon in epsilons:
            size = epsilon * unit
            if name == "fgsm":
                attack = FastGradientMethod(classifier, np.inf, eps=size, eps_step=size)
            else:
                attack = ProjectedGradientDescent(
                    classifier, np.inf, eps=size, eps_step=size * 2.5 / STEPS, max_iter=STEPS, verbose=False)
            moved = attack.generate(x, y=decided)
            assert np.abs((moved - x) / unit).max() <= epsilon * 1.001
            scores = classifier.predict(moved)
            assert name == "pgd" or clear(scores)
            by_size.append(scores.argmax(1) != decided)
        found[name] = {group: [int(flips[rows].sum()) for flips in by_size] for group, rows in whole.items()}
    return found


def pictures():
    digits = pd.read_parquet(ROOT / "data" / "mnist-cnn.parquet")
    digits = digits[digits["row_id"] < 400]
    x = np.stack(digits["pixels"].to_numpy()).astype(np.float32) * np.float32(0.00392156862745098)
    epsilons = [0.01, 0.02, 0.05, 0.1]
    found = turned(Digits(), x.reshape(-1, 1, 28, 28), (0.0, 1.0), 1.0, digits["stroke"].to_numpy(), epsilons, 10)
    return {"filter": "row_id < 400", "epsilon": epsilons, **found}


def table():
    draws = np.random.default_rng(11)
    n = 400
    groups = draws.choice(["east", "west"], n)
    rows = draws.normal(size=(n, 4)) * [1.0, 20.0, 0.1, 3.0] + [0.0, 50.0, 1.0, -2.0]
    rows[groups == "west", 0] *= 0.4
    rows = rows.round(4)
    z = (rows - rows.mean(0)) / rows.std(0)
    label = (np.sin(2 * z[:, 0]) + z[:, 1] * z[:, 2] + 0.5 * z[:, 3] > 0).astype(np.float32)
    torch.manual_seed(5)
    network = nn.Sequential(nn.Linear(4, 16), nn.Tanh(), nn.Linear(16, 8), nn.GELU(), nn.Linear(8, 1))
    learner = torch.optim.Adam(network.parameters(), 0.02)
    # Smoothed: of a certain score the toolbox's float32 cross-entropy has no gradient.
    goal = torch.tensor(0.1 + 0.8 * label)
    for _ in range(300):
        learner.zero_grad()
        nn.functional.binary_cross_entropy_with_logits(
            network(torch.tensor(z.astype(np.float32)))[:, 0], goal).backward()
        learner.step()
    with torch.no_grad():  # standardisation becomes part of the first layer
        first = network[0]
        first.weight /= torch.tensor(rows.std(0).astype(np.float32))
        first.bias -= first.weight @ torch.tensor(rows.mean(0).astype(np.float32))
    x = rows.astype(np.float32)
    assert network(torch.tensor(x)).abs().max() < 10.0
    with redirect_stdout(io.StringIO()):
        model = torch.onnx.export(
            nn.Sequential(network, nn.Sigmoid()), (torch.tensor(x[:3]),), dynamo=True, verbose=False, input_names=["x"],
            output_names=["p"], dynamic_shapes=({0: torch.export.Dim("batch")},)).model_proto
    for part in (model, model.graph, *model.graph.node, *model.graph.value_info, *model.graph.input, *model.graph.output):
        del part.metadata_props[:]
        part.doc_string = ""
    onnx.save(model, GOLDEN / "attacked.onnx")
    frame = pd.DataFrame(rows, columns=["a", "b", "c", "d"])
    frame["region"], frame["label"] = groups, np.where(label > 0, "yes", "no")
    frame.to_csv(GOLDEN / "attacked.csv", index=False)
    epsilons = [0.02, 0.05, 0.1, 0.25, 0.5]
    unit = rows.std(0)
    return {"epsilon": epsilons, **turned(Two(network), x, (x.min(0), x.max(0)), unit, groups, epsilons, 2)}


def main():
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    torch.set_num_threads(1)
    golden = {
        "made_with": f"adversarial-robustness-toolbox {art.__version__}, torch {torch.__version__}",
        "steps": STEPS,
        "pictures": pictures(),
        "table": table(),
    }
    (GOLDEN / "attacks.json").write_text(json.dumps(golden, indent=1) + "\n")


if __name__ == "__main__":
    main()
