"""Attributions of captum's DeepLIFT, of small networks that torch exported.

usage: golden_multipliers.py      (writes tests/golden/multipliers.json and tests/golden/multipliers/*.onnx)

Rows against a reference each, in float64 on the numbers of the float32 files. Only networks on which captum's values add up
to the change of the score: with a maximum pooling beside activations they do not. Needs requirements-torch.txt.
"""

import json
import logging
import warnings

import captum
import numpy as np
import torch
from captum.attr import DeepLift
from torch import nn

import golden_autograd
from golden_autograd import GOLDEN, export, seeded, spread

golden_autograd.FOLDER = GOLDEN / "multipliers"

NETWORKS = {
    "mlp": (nn.Sequential(nn.Linear(5, 6), nn.ReLU(), nn.Linear(6, 4), nn.Sigmoid(), nn.Linear(4, 2)), (4, 5)),
    "smooth": (nn.Sequential(
        nn.Linear(4, 6), nn.Sigmoid(), nn.BatchNorm1d(6), nn.Linear(6, 5), nn.Tanh(), nn.Linear(5, 4), nn.ELU(),
        nn.Linear(4, 3), nn.LeakyReLU(0.2)), (4, 4)),
    "pictures": (nn.Sequential(
        nn.Conv2d(1, 3, 3, padding=1), nn.ReLU(), nn.AvgPool2d(2), nn.Conv2d(3, 4, 2), nn.ELU(), nn.Flatten(),
        nn.Linear(16, 3)), (3, 1, 6, 6)),
}


def main():
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    torch.set_num_threads(1)
    found = []
    for name, (network, shape) in NETWORKS.items():
        export(name, network, shape)
        draws = seeded(name + " reference")
        x, reference = (spread(shape, draws) for _ in range(2))
        wide = [torch.tensor(values.astype(np.float32).astype(np.float64)) for values in (x, reference)]
        n_outputs = network(wide[0]).shape[1]
        values = [DeepLift(network).attribute(wide[0], wide[1], target=target) for target in range(n_outputs)]
        change = (network(wide[0]) - network(wide[1])).detach()
        for target, of in enumerate(values):
            torch.testing.assert_close(of.flatten(1).sum(1), change[:, target], rtol=1e-6, atol=1e-9)
        found.append({
            "name": name, "shape": list(shape), "n_outputs": n_outputs, "x": np.ravel(x).tolist(),
            "reference": np.ravel(reference).tolist(),
            "values": [[float(f"{value:.9g}") for value in np.ravel(of.detach())] for of in values],
        })
    golden = {"made_with": f"captum {captum.__version__}, torch {torch.__version__}"}
    lines = ",\n".join(json.dumps(case, separators=(",", ":"), allow_nan=False) for case in found)
    (GOLDEN / "multipliers.json").write_text(json.dumps(golden)[:-1] + ',"cases":[\n' + lines + "\n]}\n")


if __name__ == "__main__":
    main()
