"""Accumulated local effects of two numbers, and of categories, by PyALE.

usage: golden_dependence.py      (writes tests/golden/dependence.json)

The model is a formula, so that the answers can be compared to the last digits. The two numbers are correlated: some cells
of their grid have no rows.
"""

import importlib.metadata
import json
from pathlib import Path

import numpy as np
import pandas as pd
from PyALE._src.ALE_1D import aleplot_1D_categorical
from PyALE._src.ALE_2D import aleplot_2D_continuous

GOLDEN = Path(__file__).parents[2] / "tests" / "golden"
GROUPS = ["east", "north", "south", "west"]
GRID = 8


def score(rows: pd.DataFrame) -> np.ndarray:
    """x0 + x0 x1² + sin(2 x1), and a group that reacts to x0."""
    groups = rows["group"].astype(str).map({group: place for place, group in enumerate(GROUPS)})
    x0, x1 = rows["x0"], rows["x1"]
    return (x0 + x0 * x1**2 + np.sin(2 * x1) + (groups - 1.5) ** 2 * x0).to_numpy(dtype=float)


class Formula:
    @staticmethod
    def predict(rows: pd.DataFrame) -> np.ndarray:
        return score(rows)


def main() -> None:
    draws = np.random.default_rng(7)
    x0 = draws.normal(0, 1, 240)
    rows = pd.DataFrame({"x0": x0.round(6), "x1": (x0 + draws.normal(0, 0.6, 240)).round(6)})
    # Groups whose order by name is not their order by similarity.
    shift = np.array([0.2, -1.1, 1.4, -0.5])
    nearness = -((rows["x0"].to_numpy()[:, None] - shift[None, :]) ** 2) + draws.gumbel(0, 0.7, (240, 4))
    rows["group"] = [GROUPS[place] for place in nearness.argmax(axis=1)]
    surface = aleplot_2D_continuous(rows.copy(), Formula, ["x0", "x1"], grid_size=GRID)
    categories = aleplot_1D_categorical(
        rows.copy(), Formula, "group", lambda column: column, ["x0", "x1", "group"], include_CI=False
    )
    out = {
        "what": "second-order effects of x0 and x1, and first-order effects of group, on x0 + x0 x1^2 + sin(2 x1) + (place of the group - 1.5)^2 x0",
        "versions": {name: importlib.metadata.version(name) for name in ("PyALE", "numpy")},
        "groups": GROUPS,
        "rows": rows[["x0", "x1"]].to_numpy().tolist(),
        "group": rows["group"].tolist(),
        "pair": {
            "x0": surface.index.tolist(),
            "x1": surface.columns.tolist(),
            "effect": surface.to_numpy().tolist(),
        },
        "categories": {"order": [str(group) for group in categories.index], "effect": categories["eff"].tolist()},
    }
    (GOLDEN / "dependence.json").write_text(json.dumps(out, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
