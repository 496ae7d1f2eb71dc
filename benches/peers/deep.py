#!/usr/bin/env python3
"""Deep, unpruned trees against shap and woodelf: seconds a row, and how far each is from adding up to the model.

    pip install numpy pandas pyarrow scikit-learn skl2onnx shap woodelf-explainer
    python benches/peers/deep.py [--binary target/release/probity] [--depth 20] [--trees 20] [--rows 200] [--kind path|background]

A random forest is grown on Adult to `--depth` without pruning, converted by skl2onnx, and explained by each library on
the same rows, one thread, in turn. Seconds are of explaining alone: shap's and woodelf's call on an explainer that is
built, and `timings.explain` of `probity run --threads 1`, which has planning and tables in it.
"""
import argparse
import json
import pathlib
import subprocess
import tempfile
import time

import numpy as np
import pandas as pd
from skl2onnx import to_onnx
from sklearn.ensemble import RandomForestRegressor

ROOT = pathlib.Path(__file__).resolve().parents[2]
FEATURES = ["age", "workclass", "education", "marital_status", "occupation", "relationship", "race", "sex",
            "capital_gain", "capital_loss", "hours_per_week", "native_country"]
BACKGROUND = 100


def table():
    """Adult as whole numbers: categories by their code, missing values −1."""
    frame = pd.read_parquet(ROOT / "data" / "adult.parquet")
    columns = {}
    for feature in FEATURES:
        column = frame[feature]
        numeric = pd.api.types.is_numeric_dtype(column)
        columns[feature] = column.fillna(-1) if numeric else column.astype("category").cat.codes
    label = frame["income"]
    return pd.DataFrame(columns).astype(np.float32), (label == label.max()).astype(float)


def ours(binary, folder, forest, rows, background, kind):
    (folder / "forest.onnx").write_bytes(to_onnx(forest, rows.to_numpy()[:1]).SerializeToString())
    rows.astype(float).to_parquet(folder / "rows.parquet", index=False)
    background.astype(float).to_parquet(folder / "background.parquet", index=False)
    method = "tree" if kind == "background" else "tree_path_dependent"
    (folder / "deep.toml").write_text(f"""
[pipeline]
name = "deep"
[data]
path = "rows.parquet"
[model]
path = "forest.onnx"
task = "regression"
[model.inputs]
X = {json.dumps(FEATURES)}
[background]
path = "background.parquet"
rows = "all"
[explain]
method = "{method}"
[importance]
methods = ["attribution"]
[store]
results = "results"
catalogue = "sqlite:catalogue.db"
""")
    command = [binary, "run", folder / "deep.toml", "--force", "--no-report", "--format", "json", "--threads", "1"]
    done = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    long = pd.read_parquet(next((folder / "results" / "explanations").rglob(f"{done['run_id']}.parquet")))
    wide = long["attribution"].to_numpy().reshape(len(rows), len(FEATURES))
    return done["timings"]["explain"], wide, long["base_value"].to_numpy()[:: len(FEATURES)]


def timed(explain):
    started = time.perf_counter()
    values = np.asarray(explain())
    return time.perf_counter() - started, values.reshape(len(values), -1)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default=ROOT / "target" / "release" / "probity")
    parser.add_argument("--depth", type=int, default=20)
    parser.add_argument("--trees", type=int, default=20)
    parser.add_argument("--rows", type=int, default=200)
    parser.add_argument("--kind", choices=["path", "background"], default="background")
    parser.add_argument("--peers", nargs="*", default=["shap", "woodelf"])
    a = parser.parse_args()
    data, label = table()
    forest = RandomForestRegressor(a.trees, max_depth=a.depth, random_state=7, n_jobs=1).fit(data.to_numpy(), label)
    rows, background = data.sample(a.rows, random_state=1), data.sample(BACKGROUND, random_state=2)
    score = forest.predict(rows.to_numpy())
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        seconds, values, base = ours(pathlib.Path(a.binary).resolve(), pathlib.Path(folder), forest, rows, background, a.kind)
        found["probity"] = (seconds, values, base)
    if "shap" in a.peers:
        import shap
        explainer = (shap.TreeExplainer(forest, background.to_numpy()) if a.kind == "background"
                     else shap.TreeExplainer(forest, feature_perturbation="tree_path_dependent"))
        seconds, values = timed(lambda: explainer.shap_values(rows.to_numpy(), check_additivity=False))
        found["shap"] = (seconds, values, np.ravel(explainer.expected_value)[0])
    if "woodelf" in a.peers:
        from woodelf import WoodelfExplainer
        explainer = WoodelfExplainer(forest, background) if a.kind == "background" else WoodelfExplainer(forest)
        try:
            seconds, values = timed(lambda: explainer.shap_values(rows))
            found["woodelf"] = (seconds, values, score.mean() * np.nan)
        except Exception as error:  # what a library cannot do is a finding, not a failure of the comparison
            print(json.dumps({"library": "woodelf", "error": str(error)[:200] or type(error).__name__}))
    reference = found["probity"]
    for name, (seconds, values, base) in found.items():
        gap = np.abs(values.sum(1) + base - score).max()
        print(json.dumps({
            "library": name, "kind": a.kind, "depth": a.depth, "trees": a.trees, "rows": a.rows,
            "leaves": int(sum(tree.tree_.n_leaves for tree in forest.estimators_)), "ms_a_row": round(1e3 * seconds / a.rows, 3),
            "ratio_to_probity": round(seconds / reference[0], 2), "largest_gap_to_the_score": None if np.isnan(gap) else float(gap),
            "largest_difference_to_probity": float(np.abs(values - reference[1]).max()),
        }))


if __name__ == "__main__":
    main()
