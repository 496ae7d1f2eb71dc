"""Sobol indices, Morris' effects, accumulated local effects and SAGE values by the field's libraries.

usage: golden_sensitivity.py      (writes tests/golden/sensitivity.json)

The evaluations stand beside the answers, so that estimators can be compared to the last digits; SAGE is sampled and
comes with its standard deviations.
"""

import importlib.metadata
import json
from pathlib import Path

import numpy as np
import pandas as pd
import sage
from PyALE import ale
from SALib.analyze import morris as morris_analyze
from SALib.analyze import sobol as sobol_analyze
from SALib.sample import morris as morris_sample
from SALib.sample import sobol as sobol_sample

GOLDEN = Path(__file__).parents[2] / "tests" / "golden"
PROBLEM = {"num_vars": 3, "names": ["x0", "x1", "x2"], "bounds": [[-np.pi, np.pi]] * 3}
UNIT = {**PROBLEM, "bounds": [[0.0, 1.0]] * 3}


def ishigami(x: np.ndarray) -> np.ndarray:
    return np.sin(x[:, 0]) + 7 * np.sin(x[:, 1]) ** 2 + 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0])


def sobol() -> dict:
    points = sobol_sample.sample(PROBLEM, 64, calc_second_order=False, seed=7)
    scores = ishigami(points)
    found = sobol_analyze.analyze(PROBLEM, scores, calc_second_order=False, seed=7)
    blocks = scores.reshape(-1, PROBLEM["num_vars"] + 2)
    return {
        "a": blocks[:, 0].tolist(),
        "mixed": [blocks[:, 1 + k].tolist() for k in range(PROBLEM["num_vars"])],
        "b": blocks[:, -1].tolist(),
        "first_order": found["S1"].tolist(),
        "total_order": found["ST"].tolist(),
    }


def morris() -> dict:
    points = morris_sample.sample(UNIT, 20, num_levels=4, seed=7)
    scores = np.exp(points[:, 0]) + points[:, 1] * points[:, 2]
    found = morris_analyze.analyze(UNIT, points, scores, num_levels=4, seed=7)
    keys = {"mu_star": "mu_star", "mu": "mu", "sigma": "sigma"}
    return {"points": points.tolist(), "scores": scores.tolist()} | {
        mine: np.asarray(found[theirs], dtype=float).tolist() for mine, theirs in keys.items()
    }


class Product:
    """x0 + x0 x1: something for PyALE to ask."""

    @staticmethod
    def predict(rows: pd.DataFrame) -> np.ndarray:
        return (rows["x0"] + rows["x0"] * rows["x1"]).to_numpy()


def accumulated(rows: pd.DataFrame) -> dict:
    found = ale(rows, Product, ["x0"], feature_type="continuous", grid_size=10, include_CI=False, plot=False)
    return {"feature": "x0", "x": found.index.tolist(), "y": found["eff"].tolist(), "n": found["size"].tolist()}


def sage_values(rows: np.ndarray, labels: np.ndarray, background: np.ndarray) -> dict:
    imputer = sage.MarginalImputer(lambda x: x[:, 0] + x[:, 0] * x[:, 1], background)
    found = sage.PermutationEstimator(imputer, "mse", random_state=7)(rows, labels, thresh=0.01, bar=False)
    return {"values": found.values.tolist(), "std": found.std.tolist()}


def main() -> None:
    draws = np.random.default_rng(7)
    rows = draws.uniform(-1, 1, (120, 3)).round(6)
    background = draws.uniform(-1, 1, (32, 3)).round(6)
    labels = (rows[:, 0] + rows[:, 0] * rows[:, 1] + draws.normal(0, 0.1, 120)).round(6)
    names = ("SALib", "PyALE", "sage-importance", "numpy")
    out = {
        "what": "sensitivity of x0 + x0 x1 (ale, sage), of Ishigami's function (sobol), of exp(x0) + x1 x2 (morris)",
        "versions": {name: importlib.metadata.version(name) for name in names},
        "rows": rows.tolist(),
        "labels": labels.tolist(),
        "background": background.tolist(),
        "sobol": sobol(),
        "morris": morris(),
        "ale": accumulated(pd.DataFrame(rows, columns=PROBLEM["names"])),
        "sage": sage_values(rows, labels, background),
    }
    (GOLDEN / "sensitivity.json").write_text(json.dumps(out, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
