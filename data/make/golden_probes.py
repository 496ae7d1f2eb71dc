"""Linear probes by scikit-learn: ridge classifiers and a ridge regression on standardised inputs.

usage: golden_probes.py      (writes tests/golden/probes.json)

The split stands beside the answers, so that the fit can be compared to the last digits.
"""

import json
from pathlib import Path

import numpy as np
import sklearn
from sklearn.linear_model import Ridge, RidgeClassifier
from sklearn.metrics import balanced_accuracy_score, r2_score, roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

GOLDEN = Path(__file__).parents[2] / "tests" / "golden"


def main() -> None:
    draws = np.random.default_rng(11)
    n = 120
    # Float32 as layers have it; the last input is constant.
    x = draws.normal(size=(n, 6)).round(3)
    x[:, 1] = 40 + 9 * x[:, 1]
    x[:, 5] = 2.0
    lean = x[:, 0] + x[:, 2] + draws.normal(0, 1.5, n)
    binary = (lean > 1.2).astype(int)
    several = np.digitize(lean, [-1.0, 0.2, 1.6])
    value = (3 * x[:, 0] - x[:, 3] + draws.normal(0, 1, n)).round(3)
    order = draws.permutation(n)
    test, train = np.sort(order[:40]), np.sort(order[40:])

    def classes(y: np.ndarray) -> dict:
        fitted = make_pipeline(StandardScaler(), RidgeClassifier(alpha=1.0, class_weight="balanced"))
        fitted.fit(x[train], y[train])
        scores = fitted.decision_function(x[test])
        one_by_one = scores[:, None] if scores.ndim == 1 else scores
        asked = [1] if scores.ndim == 1 else range(scores.shape[1])
        aucs = [roc_auc_score(y[test] == k, one_by_one[:, at]) for at, k in enumerate(asked)]
        return {
            "y": y.tolist(),
            "scores": one_by_one.tolist(),
            "balanced_accuracy": balanced_accuracy_score(y[test], fitted.predict(x[test])),
            "roc_auc": float(np.mean(aucs)),
        }

    fitted = make_pipeline(StandardScaler(), Ridge(alpha=1.0)).fit(x[train], value[train])
    out = {
        "what": "held-out answers of linear probes",
        "versions": {"scikit-learn": sklearn.__version__, "numpy": np.__version__},
        "x": x.tolist(),
        "train": train.tolist(),
        "test": test.tolist(),
        "binary": classes(binary),
        "several": classes(several),
        "value": {"y": value.tolist(), "r2": r2_score(value[test], fitted.predict(x[test]))},
    }
    (GOLDEN / "probes.json").write_text(json.dumps(out, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
