"""Known answers for the tests: NAME.onnx and NAME.json in tests/golden, fairness*.json and drift.json.

usage: goldens.py [NAME ...]      (default: all)

Every value is checked here against a second way of getting it, where there is one, before it is written.
"""

import importlib.metadata
import json
import sys
from pathlib import Path

import numpy as np
import shap

import golden_comparisons
import golden_drift
import golden_fairness
import golden_models
import golden_pictures
import shapley
from exporting import describe, largest_difference, save_onnx, session
from onnx_trees import Ensemble

GOLDEN = Path(__file__).parents[2] / "tests" / "golden"
NUMPY_TYPES = {
    "tensor(float)": np.float32, "tensor(double)": np.float64, "tensor(int64)": np.int64, "tensor(string)": object,
}
WITH_COVER = ("xgb_binary", "rf_binary")
BATCH_DEPENDENT = ("mlp_int8",)
# shap compares in float32: with float64 rows it can send one to the wrong child.
NO_SHAP = ("rf_regression_double", "rf_regression_tensors")


def write(golden) -> None:
    path = GOLDEN / f"{golden.name}.onnx"
    data = save_onnx(golden.model, path)
    print(describe(path.name, golden.model), f"{len(data)} bytes")
    runtime = session(data)
    scores = score(runtime, golden, golden.rows)
    out = {
        "name": golden.name,
        "what": golden.what,
        "task": golden.task,
        "notes": golden.notes,
        "versions": versions(),
        "features": golden.features,
        "classes": golden.classes,
        "inputs": [{"name": one.name, "type": one.type, "shape": one.shape} for one in runtime.get_inputs()],
        "outputs": [{"name": one.name, "type": one.type, "shape": one.shape} for one in runtime.get_outputs()],
        "explained": explained_outputs(golden),
        "rows": golden.rows,
        "background": golden.background,
        "scores": scores,
    }
    if golden.name in BATCH_DEPENDENT:
        alone = np.concatenate([score(runtime, golden, golden.rows[at : at + 1]) for at in range(len(golden.rows))])
        out["scores_one_by_one"] = alone
        print(f"  batch against one by one: {largest_difference(scores, alone):.1e}")
    else:
        out |= margins(golden)
        if golden.task != "regression":
            def probability(rows):
                return explained(golden, score(runtime, golden, rows))

            out["exact_probability"] = exact(golden, probability, 2e-6, "ONNX Runtime's float32 probabilities")
        check_scores(golden, runtime)
    dump(out, GOLDEN / f"{golden.name}.json")


def margins(golden) -> dict:
    """Margins and their Shapley values: for trees from the file's own numbers in float64, else from the framework."""
    trees = is_trees(golden) and Ensemble(golden.model)
    if not trees:
        return {
            "margins": golden.margin(golden.rows),
            "exact_margin": exact(golden, golden.margin, golden.margin_tolerance, "the framework's margins, float64"),
        }
    out = {
        "margins": trees.margin(golden.rows),
        "exact_margin": exact(golden, trees.margin, 1e-9, "margins summed in float64 from the file's own leaves"),
    }
    mixed = every_mix(golden)
    difference = largest_difference(trees.margin(mixed), golden.margin(mixed))
    print(f"  file against framework, {len(mixed)} rows: {difference:.1e}")
    expect(difference, 5e-6, "margin of the file and of the framework")
    if golden.name not in NO_SHAP:
        values = shap_interventional(golden)
        difference = largest_difference(values, out["exact_margin"]["values"])
        print(f"  shap's interventional values against enumeration: {difference:.1e}")
        expect(difference, 2e-5, "shap's interventional values and enumeration")
        out["shap_interventional"] = {"values": values, "tolerance": 2e-5, "by": "shap.TreeExplainer, float32 inside"}
    if golden.name in WITH_COVER:
        out |= path_dependent(golden, trees)
    return out


def path_dependent(golden, trees) -> dict:
    left, right, weights = framework_trees(golden)
    covers = trees.covers(left, right, weights)
    rows = np.asarray(golden.rows, np.float32).astype(np.float64)
    base, values = shapley.path_dependent(trees, covers, rows)
    theirs = shap.TreeExplainer(golden.framework, feature_perturbation="tree_path_dependent").shap_values(golden.rows)
    theirs = by_output(theirs)[:, -1:, :]
    difference = largest_difference(values, theirs)
    print(f"  shap's path-dependent values against enumeration: {difference:.1e}")
    expect(difference, 2e-5, "shap's path-dependent values and enumeration")
    return {
        "cover": [[tree, node, covers[tree, node]] for tree, node in trees.nodes],
        "path_dependent": {
            "base": base, "values": values, "tolerance": 1e-9, "by": "enumeration over the file's trees with `cover`",
        },
        "shap_path_dependent": {"values": theirs, "tolerance": 2e-5, "by": "shap.TreeExplainer"},
    }


def framework_trees(golden):
    if golden.name == "xgb_binary":
        stored = json.loads(golden.framework.get_booster().save_raw("json"))
        trees = stored["learner"]["gradient_booster"]["model"]["trees"]
        return tuple([tree[key] for tree in trees] for key in ("left_children", "right_children", "sum_hessian"))
    trees = [one.tree_ for one in golden.framework.estimators_]
    return (
        [tree.children_left for tree in trees],
        [tree.children_right for tree in trees],
        [tree.weighted_n_node_samples for tree in trees],
    )


def shap_interventional(golden):
    explainer = shap.TreeExplainer(golden.framework, data=golden.background, feature_perturbation="interventional")
    values = by_output(explainer.shap_values(golden.rows, check_additivity=False))
    return values[:, -1:, :] if golden.task == "binary" else values


def by_output(values):
    """shap's [rows × p] or [rows × p × outputs] as [rows × outputs × p]."""
    values = np.asarray(values, np.float64)
    return values[:, None, :] if values.ndim == 2 else values.transpose(0, 2, 1)


def exact(golden, payoff, tolerance, by) -> dict:
    base, values = shapley.interventional(payoff, golden.rows, golden.background)
    whole = payoff(golden.rows)
    expect(largest_difference(base + values.sum(axis=2), whole), 1e-9 * (1 + np.abs(whole).max()), "additivity")
    return {"base": base, "values": values, "tolerance": tolerance, "by": f"enumeration of all coalitions, {by}"}


def every_mix(golden):
    """All rows that an enumeration asks about."""
    p = golden.rows.shape[1]
    masks = (np.arange(2**p)[:, None] >> np.arange(p)) & 1 == 1
    return np.concatenate([np.where(mask, row, golden.background) for row in golden.rows for mask in masks])


def check_scores(golden, runtime) -> None:
    """ONNX Runtime's scores follow from the margins, on every row that an enumeration asks about."""
    mixed = every_mix(golden)
    scores, margin = score(runtime, golden, mixed), golden.margin(mixed)
    forest = golden.name.startswith(("rf_", "tree_"))
    if golden.task == "regression" or forest:
        expected, found = margin, explained(golden, scores)
    elif golden.task == "binary":
        expected, found = 1 / (1 + np.exp(-margin)), explained(golden, scores)
    else:
        powers = np.exp(margin - margin.max(axis=1, keepdims=True))
        expected, found = powers / powers.sum(axis=1, keepdims=True), scores
    difference = largest_difference(expected, found)
    print(f"  ONNX Runtime against the framework, {len(mixed)} rows: {difference:.1e}")
    expect(difference, 1e-5, "ONNX Runtime's scores and the framework's")


def score(runtime, golden, rows) -> np.ndarray:
    """[n × classes] probabilities (a single probability column becomes 1 − p, p) or [n × 1] values, float64."""
    inputs = runtime.get_inputs()
    fixed = inputs[0].shape[0] if isinstance(inputs[0].shape[0], int) else None
    if fixed:
        padded = np.concatenate([rows, np.zeros((-len(rows) % fixed, rows.shape[1]))])
        parts = [ask(runtime, inputs, padded[at : at + fixed]) for at in range(0, len(padded), fixed)]
        answer = np.concatenate(parts)[: len(rows)]
    else:
        answer = ask(runtime, inputs, rows)
    if golden.task == "binary" and answer.shape[1] == 1:
        return np.column_stack([1 - answer, answer])
    return answer


def ask(runtime, inputs, rows) -> np.ndarray:
    if len(inputs) == 1:
        feeds = {inputs[0].name: np.asarray(rows).astype(NUMPY_TYPES[inputs[0].type])}
    else:
        feeds = {one.name: rows[:, [at]].astype(NUMPY_TYPES[one.type]) for at, one in enumerate(inputs)}
    answer = runtime.run(None, feeds)[-1]
    if isinstance(answer, list):  # ZipMap: one dictionary for each row
        answer = [[row[key] for key in sorted(row)] for row in answer]
    return np.asarray(answer, np.float64).reshape(len(rows), -1)


def explained_outputs(golden) -> list[str]:
    return {"regression": ["value"], "binary": golden.classes[1:]}.get(golden.task, golden.classes)


def explained(golden, scores):
    return scores[:, 1:] if golden.task == "binary" else scores


def is_trees(golden) -> bool:
    """Trees that take the raw columns; those behind other operators are left to the framework."""
    operators = [node.op_type for node in golden.model.graph.node]
    return any(name.startswith("TreeEnsemble") for name in operators) and "OneHotEncoder" not in operators


def expect(difference, limit, what) -> None:
    if not difference <= limit:
        raise ValueError(f"{what} differ by {difference}, more than {limit}")


def versions() -> dict:
    names = ("numpy", "scikit-learn", "xgboost", "lightgbm", "catboost", "onnx", "onnxruntime", "onnxmltools",
             "skl2onnx", "shap")
    return {name: importlib.metadata.version(name) for name in names}


def dump(value, path: Path) -> None:
    """JSON with one innermost list a line; a missing number is null."""
    path.write_text(text(plain(value)) + "\n", encoding="utf-8")


def plain(value):
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and np.isnan(value) else value


def text(value, indent="") -> str:
    inner = indent + " "
    if isinstance(value, dict) and any(isinstance(item, (dict, list)) for item in value.values()):
        items = (f"{json.dumps(key, ensure_ascii=False)}: {text(item, inner)}" for key, item in value.items())
        return "{\n" + ",\n".join(inner + item for item in items) + f"\n{indent}}}"
    if isinstance(value, list) and any(isinstance(item, (dict, list)) for item in value):
        return "[\n" + ",\n".join(inner + text(item, inner) for item in value) + f"\n{indent}]"
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


if __name__ == "__main__":
    wanted = sys.argv[1:]
    GOLDEN.mkdir(parents=True, exist_ok=True)
    for make in golden_models.ALL:
        if not wanted or make.__name__ in wanted:
            write(make())
    if not wanted or "fairness" in wanted:
        dump(golden_fairness.table(), GOLDEN / "fairness.json")
        dump(golden_comparisons.table(), GOLDEN / "fairness_comparisons.json")
    if not wanted or "drift" in wanted:
        dump(golden_drift.table(), GOLDEN / "drift.json")
    if not wanted or "pictures" in wanted:
        golden_pictures.write(GOLDEN)
