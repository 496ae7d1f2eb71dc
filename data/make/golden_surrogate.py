"""Trees of four levels by scikit-learn, on rows without ties between splits.

usage: golden_surrogate.py      (writes tests/golden/surrogate.json)

A case is written only if scikit-learn grows the same tree from several seeds, which order its features differently:
where it does not, two splits are worth the same and there is no one answer.
"""

import importlib.metadata
import json
from pathlib import Path

import numpy as np
from sklearn.tree import DecisionTreeRegressor

GOLDEN = Path(__file__).parents[2] / "tests" / "golden"


def grown(x: np.ndarray, y: np.ndarray, weights: np.ndarray, least_rows: int, seed: int) -> DecisionTreeRegressor:
    tree = DecisionTreeRegressor(max_depth=4, min_samples_leaf=least_rows, random_state=seed)
    return tree.fit(x, y, sample_weight=weights)


def nodes(tree: DecisionTreeRegressor, x: np.ndarray) -> list[dict]:
    inner = tree.tree_
    path = tree.decision_path(x.astype(np.float32))
    out = []
    for at in range(inner.node_count):
        is_leaf = inner.children_left[at] < 0
        node = {"feature": None, "threshold": None, "missing_yes": None}
        if not is_leaf:
            here = path[:, [at]].toarray().ravel() > 0
            has_missing = bool(np.isnan(x[here, inner.feature[at]]).any())
            threshold = float(inner.threshold[at])
            node["feature"] = int(inner.feature[at])
            # An infinite threshold sends known values to the left and missing ones to the right.
            node["threshold"] = threshold if np.isfinite(threshold) else None
            if has_missing and np.isfinite(threshold):
                node["missing_yes"] = bool(inner.missing_go_to_left[at])
        node["n_rows"] = int(inner.n_node_samples[at])
        node["mean"] = inner.value[at, :, 0].tolist()
        out.append(node)
    return out


def case(name: str, x: np.ndarray, y: np.ndarray, weights: np.ndarray, least_rows: int) -> dict:
    y = y.reshape(len(y), -1)
    first = grown(x, y, weights, least_rows, 0)
    answers = nodes(first, x)
    for seed in range(1, 40):
        again = nodes(grown(x, y, weights, least_rows, seed), x)
        key = lambda found: [(n["feature"], n["threshold"], n["n_rows"]) for n in found]
        assert key(again) == key(answers), f"{name}: splits are tied"
    predictions = np.asarray(first.predict(x)).reshape(len(x), -1)
    columns = [[None if np.isnan(v) else float(v) for v in column] for column in x.T]
    return {
        "name": name,
        "columns": columns,
        "targets": y.tolist(),
        "weights": weights.tolist(),
        "depth": 4,
        "least_rows": least_rows,
        "nodes": answers,
        "predictions": predictions.tolist(),
    }


def rounded(values: np.ndarray) -> np.ndarray:
    """scikit-learn compares in float32: values that it holds exactly."""
    return values.astype(np.float32).astype(np.float64)


def main() -> None:
    rng = np.random.default_rng(7)
    n = 160
    x = rounded(rng.normal(size=(n, 4)))
    noise = rng.normal(scale=0.05, size=n)
    smooth = np.tanh(x[:, 0]) + 0.5 * x[:, 1] * (x[:, 2] > 0) + noise
    ones = np.ones(n)
    weights = rounded(rng.uniform(0.2, 3.0, size=n))
    logits = np.column_stack([smooth, x[:, 3] + noise, -x[:, 1]])
    classes = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    holes = x.copy()
    holes[rng.random(size=x.shape) < 0.15] = np.nan
    jumps = np.where(np.isnan(holes[:, 0]), 2.0, np.nan_to_num(smooth)) + 0.3 * np.nan_to_num(holes[:, 3])
    whole = np.column_stack([rng.integers(17, 90, size=n), rng.integers(1, 100, size=n), rng.integers(0, 5, size=n)])
    whole = whole.astype(np.float64)
    age = 1 / (1 + np.exp(-(whole[:, 0] - 50) / 10)) + 0.002 * whole[:, 1] + noise
    cases = [
        case("numbers", x, smooth, ones, 4),
        case("weights and leaves of five", x, smooth, weights, 5),
        case("three classes", x, classes, ones, 5),
        case("missing values", holes, jumps, ones, 5),
        case("whole numbers", whole, age, weights, 4),
    ]
    found = {
        "what": "DecisionTreeRegressor(max_depth=4): nodes depth first, x <= threshold before the other",
        "versions": {name: importlib.metadata.version(name) for name in ["scikit-learn", "numpy"]},
        "cases": cases,
    }
    (GOLDEN / "surrogate.json").write_text(json.dumps(found, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
