#!/usr/bin/env python3
"""Partial dependence of a tree ensemble over all rows, against scikit-learn's brute force.

    pip install numpy pandas pyarrow scikit-learn skl2onnx xgboost onnxmltools
    python benches/peers/pdp.py [--binary target/release/probity] [--rows 16281] [--model forest|boosting|xgboost] [--pairs 3]

A model of Adult is converted to ONNX. scikit-learn calls `partial_dependence(method="brute", grid_resolution=20)` for
every column in turn, on the model in memory; `probity run --threads 1` with `grid = "thresholds"` finds every piece of every column's
step function (`timings.curves`: reading the rows again, building, walking, intervals). Both see the same rows on one
thread, in turn. Values are compared at scikit-learn's own grid in a further run.
"""
import argparse
import json
import os
import pathlib
import sqlite3
import statistics
import subprocess
import tempfile
import time

for threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[threads] = "1"

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.inspection import partial_dependence

ROOT = pathlib.Path(__file__).resolve().parents[2]
FEATURES = ["age", "workclass", "education", "marital_status", "occupation", "relationship", "race", "sex",
            "capital_gain", "capital_loss", "hours_per_week", "native_country"]


def table(n):
    """Adult as whole numbers: categories by their code, missing values −1; resampled to `n` rows."""
    frame = pd.read_parquet(ROOT / "data" / "adult.parquet")
    columns = {}
    for feature in FEATURES:
        column = frame[feature]
        columns[feature] = column.fillna(-1) if pd.api.types.is_numeric_dtype(column) else column.astype("category").cat.codes
    rows = pd.DataFrame(columns).astype(np.float32)
    label = (frame["income"] == frame["income"].max()).astype(int)
    chosen = np.random.RandomState(7).randint(0, len(rows), n)
    return rows, label, rows.iloc[chosen].reset_index(drop=True)


def grown(kind, rows, label):
    """A fitted model of 200 trees (the forest: 100), and its bytes."""
    if kind == "xgboost":
        from onnxmltools import convert_xgboost
        from onnxmltools.convert.common.data_types import FloatTensorType
        from xgboost import XGBClassifier
        model = XGBClassifier(n_estimators=200, max_depth=6, n_jobs=1, tree_method="hist").fit(rows.to_numpy(), label)
        return model, convert_xgboost(model, initial_types=[("X", FloatTensorType([None, len(FEATURES)]))]).SerializeToString()
    from skl2onnx import to_onnx
    if kind == "forest":
        model = RandomForestClassifier(100, max_depth=10, random_state=7, n_jobs=1)
    else:
        model = HistGradientBoostingClassifier(max_iter=200, max_leaf_nodes=31, early_stopping=False, random_state=7)
    model.fit(rows.to_numpy(), label)
    return model, to_onnx(model, rows.to_numpy()[:1], options={id(model): {"zipmap": False}}).SerializeToString()


def ours(binary, folder, grid):
    (folder / "pdp.toml").write_text(f"""
[pipeline]
name = "pdp"
[data]
path = "rows.parquet"
[model]
path = "model.onnx"
task = "binary"
[model.inputs]
X = {json.dumps(FEATURES)}
[explain]
method = "none"
[importance]
methods = ["pdp"]
grid = {grid}
[store]
results = "results"
catalogue = "sqlite:catalogue.db"
""")
    command = [binary, "run", folder / "pdp.toml", "--force", "--no-report", "--format", "json", "--threads", "1"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    done = json.loads(done.stdout)
    curves = pd.read_sql(f"select feature, x, y from curves where kind = 'pdp' and run_id = '{done['run_id']}'",
                         sqlite3.connect(folder / "catalogue.db"))
    return done["timings"]["curves"], curves


def theirs(model, rows):
    started = time.perf_counter()
    found = [partial_dependence(model, rows.to_numpy(), [at], method="brute", grid_resolution=20,
                                response_method="predict_proba", percentiles=(0, 1)) for at in range(len(FEATURES))]
    return time.perf_counter() - started, {f: (found[at]["grid_values"][0], found[at]["average"][0]) for at, f in enumerate(FEATURES)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default="target/release/probity")
    parser.add_argument("--rows", type=int, default=16_281)
    parser.add_argument("--model", choices=["forest", "boosting", "xgboost"], default="xgboost")
    parser.add_argument("--pairs", type=int, default=3)
    a = parser.parse_args()
    rows, label, audited = table(a.rows)
    model, onnx = grown(a.model, rows, label)
    with tempfile.TemporaryDirectory(prefix="probity-pdp-") as folder:
        folder = pathlib.Path(folder)
        (folder / "model.onnx").write_bytes(onnx)
        audited.to_parquet(folder / "rows.parquet", index=False)
        binary = pathlib.Path(a.binary).resolve()
        seconds = []
        for _ in range(a.pairs):
            peer, known = theirs(model, audited)
            mine, pieces = ours(binary, folder, '"thresholds"')
            seconds.append((peer, mine))
        given = ", ".join(f"{feature} = {[float(x) for x in grid]}" for feature, (grid, _) in known.items())
        _, curves = ours(binary, folder, "{ " + given + " }")
    largest = 0.0
    for feature, (grid, average) in known.items():
        of = curves[curves["feature"] == feature].sort_values("x")
        largest = max(largest, np.abs(of["y"].to_numpy() - average[np.argsort(grid)]).max())
    peer, mine = (statistics.median(values) for values in zip(*seconds))
    print(json.dumps({"model": a.model, "rows": a.rows, "points": len(pieces), "grid_points": len(curves),
                      "sklearn_s": round(peer, 2), "probity_s": round(mine, 4), "ratio": round(statistics.median(p / m for p, m in seconds), 1),
                      "largest_difference": float(f"{largest:.2g}")}))


if __name__ == "__main__":
    main()
