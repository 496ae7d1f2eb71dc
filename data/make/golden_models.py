"""Tiny models of every kind the converters write, each with rows that lie exactly on thresholds.

Training values are multiples of 1/4, so that thresholds (midpoints) are exact in float32; evaluation rows are
multiples of 1/8 and hit them. Nothing then depends on how a converter rounds.
"""

import logging
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import catboost
import lightgbm
import numpy as np
import onnx
import pandas as pd
import xgboost
from onnx import TensorProto, helper, numpy_helper
from onnxmltools.convert import convert_lightgbm, convert_xgboost
from onnxmltools.convert.common.data_types import FloatTensorType as OnnxmltoolsFloat
from onnxruntime.quantization import QuantType, quantize_dynamic
from skl2onnx import to_onnx
from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType, Int64TensorType, StringTensorType
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier

from exporting import OPSET, session
from onnx_trees import Ensemble

SEED = 7
N_TRAIN, N_ROWS, N_BACKGROUND = 300, 12, 20
FEATURES = ["income", "children", "debt", "owner", "age"]


@dataclass
class Golden:
    """A model with the rows it is asked about. `margin`: [n × p] -> [n × outputs], in the framework's own words."""

    name: str
    what: str
    task: str
    model: onnx.ModelProto
    rows: np.ndarray
    background: np.ndarray
    margin: Callable
    features: list[str] = field(default_factory=lambda: FEATURES)
    classes: list[str] = field(default_factory=lambda: ["0", "1"])
    framework: object = None
    # Of margins taken from the framework: twice the largest difference to the file's float32 that was measured.
    margin_tolerance: float = 2e-6
    notes: list[str] = field(default_factory=list)


def _numbers(generator, n, step, missing):
    grid = np.column_stack([
        generator.integers(round(-3 / step), round(3 / step) + 1, n) * step,
        generator.integers(0, 5, n).astype(float),
        generator.integers(0, round(8 / step) + 1, n) * step,
        generator.integers(0, 2, n).astype(float),
        generator.integers(round(-2 / step), round(2 / step) + 1, n) * step,
    ])
    if missing:
        for column in (0, 2):
            grid[generator.random(n) < 0.15, column] = np.nan
    return grid


def _table(missing=False):
    """Training features, latent target (a number), evaluation rows, background."""
    generator = np.random.default_rng(SEED)
    train = _numbers(generator, N_TRAIN, 0.25, missing)
    filled = np.where(np.isnan(train), 0.75, train)
    latent = filled[:, 0] - 0.5 * filled[:, 1] + filled[:, 3] * filled[:, 4] + 0.3 * np.abs(filled[:, 2] - 4)
    latent = latent + generator.normal(0, 0.5, N_TRAIN)
    rows, background = _numbers(generator, N_ROWS, 0.125, missing), _numbers(generator, N_BACKGROUND, 0.25, missing)
    return train, latent, rows, background


def _binary(latent):
    return (latent > np.median(latent)).astype(int)


def _three(latent):
    return np.digitize(latent, np.quantile(latent, [1 / 3, 2 / 3]))


def _floats(rows):
    return np.asarray(rows, np.float32)


def _column(values):
    return np.asarray(values, np.float64).reshape(len(values), -1)


def _matrix(kind=FloatTensorType):
    return [("input", kind([None, len(FEATURES)]))]


def xgb_binary():
    train, latent, rows, background = _table(missing=True)
    model = xgboost.XGBClassifier(n_estimators=12, max_depth=3, learning_rate=0.4, base_score=0.3, n_jobs=1)
    model.fit(_floats(train), _binary(latent))
    graph = convert_xgboost(model, initial_types=_matrix(OnnxmltoolsFloat), target_opset=15)
    return Golden("xgb_binary", "XGBoost binary classifier, missing values, base_score 0.3", "binary", graph, rows,
                  background, lambda x: _column(model.predict(_floats(x), output_margin=True)), framework=model)


def xgb_multiclass():
    train, latent, rows, background = _table(missing=True)
    model = xgboost.XGBClassifier(n_estimators=5, max_depth=3, learning_rate=0.4, n_jobs=1)
    model.fit(_floats(train), _three(latent))
    graph = convert_xgboost(model, initial_types=_matrix(OnnxmltoolsFloat), target_opset=15)
    return Golden("xgb_multiclass", "XGBoost classifier of three classes, missing values", "multiclass", graph, rows,
                  background, lambda x: _column(model.predict(_floats(x), output_margin=True)),
                  classes=["0", "1", "2"], framework=model)


def xgb_regression():
    train, latent, rows, background = _table()
    model = xgboost.XGBRegressor(n_estimators=10, max_depth=3, learning_rate=0.4, n_jobs=1)
    model.fit(_floats(train), latent)
    graph = convert_xgboost(model, initial_types=_matrix(OnnxmltoolsFloat), target_opset=15)
    return Golden("xgb_regression", "XGBoost regressor", "regression", graph, rows, background,
                  lambda x: _column(model.predict(_floats(x))), classes=[], framework=model)


def lgbm_binary():
    train, latent, rows, background = _table(missing=True)
    model = lightgbm.LGBMClassifier(n_estimators=12, num_leaves=6, learning_rate=0.3, n_jobs=1, verbose=-1,
                                    deterministic=True, random_state=SEED)
    model.fit(train, _binary(latent))
    graph = convert_lightgbm(model, initial_types=_matrix(OnnxmltoolsFloat), target_opset=15)
    return Golden("lgbm_binary", "LightGBM binary classifier, missing values, ZipMap output", "binary", graph, rows,
                  background, lambda x: _column(model.predict(x, raw_score=True)), framework=model)


def rf_binary():
    train, latent, rows, background = _table()
    model = RandomForestClassifier(n_estimators=8, max_depth=4, random_state=SEED, n_jobs=1)
    model.fit(train, _binary(latent))
    graph = to_onnx(model, initial_types=_matrix(), options={"zipmap": False}, target_opset=OPSET)
    return Golden("rf_binary", "scikit-learn RandomForestClassifier, two classes", "binary", graph, rows, background,
                  lambda x: _column(model.predict_proba(x)[:, 1]), framework=model)


def rf_multiclass():
    train, latent, rows, background = _table()
    model = RandomForestClassifier(n_estimators=6, max_depth=4, random_state=SEED, n_jobs=1)
    model.fit(train, _three(latent))
    graph = to_onnx(model, initial_types=_matrix(), options={"zipmap": False}, target_opset=OPSET)
    return Golden("rf_multiclass", "scikit-learn RandomForestClassifier, three classes", "multiclass", graph, rows,
                  background, lambda x: _column(model.predict_proba(x)), classes=["0", "1", "2"], framework=model)


def histgb_binary():
    train, latent, rows, background = _table(missing=True)
    model = HistGradientBoostingClassifier(max_iter=10, max_leaf_nodes=6, learning_rate=0.3, early_stopping=False,
                                           random_state=SEED)
    model.fit(train, _binary(latent))
    graph = to_onnx(model, initial_types=_matrix(), options={"zipmap": False}, target_opset=OPSET)
    return Golden("histgb_binary", "scikit-learn HistGradientBoostingClassifier, missing values", "binary", graph,
                  rows, background, lambda x: _column(model.decision_function(x)), framework=model)


def rf_regression_double():
    """Tenths are not exact in float32, and thresholds are; rows are compared with them in float64.

    scikit-learn itself rounds rows to float32, so here the oracle is ONNX Runtime, not the framework.
    """
    train, latent, rows, background = (table / 10 for table in _table())
    model = RandomForestRegressor(n_estimators=6, max_depth=4, random_state=SEED, n_jobs=1).fit(train, latent)
    graph = to_onnx(model, initial_types=_matrix(DoubleTensorType), target_opset=OPSET)
    # The converter declares a float64 output, but the operator's output is always float32.
    graph.graph.output[0].type.tensor_type.elem_type = TensorProto.FLOAT
    return Golden("rf_regression_double", "scikit-learn RandomForestRegressor, float64 input, float32 thresholds",
                  "regression", graph, rows, background, _by_runtime(graph), classes=[], framework=model,
                  notes=["scikit-learn rounds rows to float32 and decides some of them otherwise"])


def rf_regression_tensors():
    """The same forest with scikit-learn's own float64 thresholds and leaves, as `*_as_tensor` attributes."""
    golden = rf_regression_double()
    graph = golden.model
    trees, own = Ensemble(graph), [one.tree_ for one in golden.framework.estimators_]
    left, right = [tree.children_left for tree in own], [tree.children_right for tree in own]
    thresholds = trees.covers(left, right, [tree.threshold for tree in own])
    leaves = trees.covers(left, right, [tree.value.ravel() / len(own) for tree in own])
    stored = {item.name: helper.get_attribute_value(item) for item in graph.graph.node[0].attribute}
    at_leaves = zip(stored["target_treeids"], stored["target_nodeids"], strict=True)
    doubles = {
        "nodes_values": [thresholds[node] if node in trees.splits else 0.0 for node in trees.nodes],
        "nodes_hitrates": stored["nodes_hitrates"],
        "target_weights": [leaves[node] for node in at_leaves],
    }
    kept = [item for item in graph.graph.node[0].attribute if item.name not in doubles]
    for name, values in doubles.items():
        tensor = numpy_helper.from_array(np.array(values, np.float64), name)
        kept.append(helper.make_attribute(f"{name}_as_tensor", tensor))
    del graph.graph.node[0].attribute[:]
    graph.graph.node[0].attribute.extend(kept)
    for operators in graph.opset_import:
        if operators.domain == "ai.onnx.ml":
            operators.version = 3  # the first that knows the attributes
    golden.name = "rf_regression_tensors"
    golden.what = "RandomForestRegressor, float64 input, thresholds and leaves as float64 tensors"
    golden.margin = _by_runtime(graph)
    return golden


def _by_runtime(graph):
    runtime = session(graph.SerializeToString())
    return lambda rows: _column(runtime.run(None, {"input": rows})[0])


def tree_int64():
    train, latent, rows, background = _table()
    train, rows, background = np.round(train), np.round(rows), np.round(background)
    model = DecisionTreeClassifier(max_depth=4, random_state=SEED).fit(train, _binary(latent))
    graph = to_onnx(model, initial_types=_matrix(Int64TensorType), options={"zipmap": False}, target_opset=OPSET)
    return Golden("tree_int64", "scikit-learn DecisionTreeClassifier, int64 input", "binary", graph, rows, background,
                  lambda x: _column(model.predict_proba(x)[:, 1]), framework=model)


def catboost_binary():
    train, latent, rows, background = _table()
    model = catboost.CatBoostClassifier(iterations=10, depth=3, learning_rate=0.4, thread_count=1, verbose=False,
                                        random_seed=SEED, allow_writing_files=False)
    model.fit(train, _binary(latent))
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "model.onnx")
        model.save_model(path, format="onnx")
        graph = onnx.load(path)
    # CatBoost writes times, random ids and its whole build log beside the graph.
    del graph.metadata_props[:]
    graph.producer_version = catboost.__version__
    return Golden("catboost_binary", "CatBoost binary classifier, its own export: oblivious trees, ZipMap output",
                  "binary", graph, rows, background,
                  lambda x: _column(model.predict(x, prediction_type="RawFormulaVal")), framework=model)


def logistic_zipmap():
    train, latent, rows, background = _table()
    model = LogisticRegression().fit(train, _binary(latent))
    graph = to_onnx(model, initial_types=_matrix(), target_opset=OPSET)
    return Golden("logistic_zipmap", "scikit-learn LogisticRegression, ZipMap output", "binary", graph, rows,
                  background, lambda x: _column(model.decision_function(x)), framework=model)


def linear_regression():
    train, latent, rows, background = _table()
    model = LinearRegression().fit(train, latent)
    graph = to_onnx(model, initial_types=_matrix(), target_opset=OPSET)
    return Golden("linear_regression", "scikit-learn LinearRegression", "regression", graph, rows, background,
                  lambda x: _column(model.predict(x)), classes=[], framework=model)


def pipeline_strings():
    """Columns as inputs, string classes, ZipMap with string keys; one category was never seen in training."""
    generator = np.random.default_rng(SEED)
    features = ["job", "housing", "amount", "age"]

    def table(n, shift, jobs):
        return pd.DataFrame({
            "job": generator.choice(jobs, n), "housing": generator.choice(["own", "rent", "free"], n),
            # Shifted by a quarter against the training integers: scaling rounds, so no row may lie on a threshold.
            "amount": generator.integers(1, 40, n) + shift, "age": generator.integers(20, 70, n) + shift,
        })

    train = table(N_TRAIN, 0.0, ["clerk", "driver", "nurse"])
    good = 20 - train["amount"] + 15 * (train["job"] == "nurse") + 0.2 * train["age"] * (train["housing"] == "own")
    label = np.where(good + generator.normal(0, 5, N_TRAIN) > 5, "good", "bad")
    rows = table(N_ROWS, 0.25, ["clerk", "driver", "nurse", "astronaut"]).to_numpy(object)
    background = table(N_BACKGROUND, 0.25, ["clerk", "driver", "nurse"]).to_numpy(object)
    prepare = ColumnTransformer([
        ("texts", OneHotEncoder(handle_unknown="ignore", sparse_output=False), features[:2]),
        ("numbers", StandardScaler(), features[2:]),
    ])
    boosting = GradientBoostingClassifier(n_estimators=10, max_depth=3, learning_rate=0.3, random_state=SEED)
    model = Pipeline([("prepare", prepare), ("boosting", boosting)]).fit(train, label)
    types = [(name, StringTensorType([None, 1])) for name in features[:2]]
    types += [(name, FloatTensorType([None, 1])) for name in features[2:]]
    graph = to_onnx(model, initial_types=types, target_opset=OPSET)

    def margin(mixed):
        frame = pd.DataFrame(mixed, columns=features).astype({"amount": float, "age": float})
        return _column(model.decision_function(frame))

    return Golden("pipeline_strings", "scikit-learn Pipeline: one-hot and scaled columns, gradient boosting; one "
                  "input per column, string classes, ZipMap output", "binary", graph, rows, background, margin,
                  features=features, classes=["bad", "good"], framework=model)


class Network:
    """Gemm, Relu, Gemm with fixed random weights, exact in float32; `logits` computes in float64."""

    def __init__(self, n_outputs):
        generator = np.random.default_rng(SEED)
        self.features = FEATURES[:4]
        shapes = {"w1": (4, 6), "b1": (6,), "w2": (6, n_outputs), "b2": (n_outputs,)}
        self.weights = {name: _floats(np.round(generator.normal(0, 0.5, shape), 2)) for name, shape in shapes.items()}

    def logits(self, x):
        w = {name: array.astype(np.float64) for name, array in self.weights.items()}
        return np.maximum(np.asarray(x, np.float64) @ w["w1"] + w["b1"], 0) @ w["w2"] + w["b2"]

    def graph(self, link, outputs, batch=None):
        n_outputs = len(self.weights["b2"])
        link_attributes = {"axis": 1} if link == "Softmax" else {}
        nodes = [
            helper.make_node("Gemm", ["input", "w1", "b1"], ["hidden"], name="hidden"),
            helper.make_node("Relu", ["hidden"], ["active"], name="relu"),
            helper.make_node("Gemm", ["active", "w2", "b2"], ["logit"], name="last"),
            helper.make_node(link, ["logit"], ["probability"], name="link", **link_attributes),
        ]
        tensors = [numpy_helper.from_array(array, name) for name, array in self.weights.items()]
        values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [batch or "N", n_outputs]) for name in outputs]
        source = helper.make_tensor_value_info("input", TensorProto.FLOAT, [batch or "N", len(self.features)])
        graph = helper.make_graph(nodes, "network", [source], values, tensors)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def _network_golden(name, what, task, network, graph, **more):
    _, _, rows, background = _table()
    return Golden(name, what, task, graph, rows[:, :4], background[:, :4], network.logits, features=network.features,
                  **more)


def mlp():
    network = Network(1)
    return _network_golden("mlp", "network with two outputs, logit and probability, both [N, 1]", "binary", network,
                           network.graph("Sigmoid", ["logit", "probability"]))


def mlp_softmax():
    network = Network(3)
    return _network_golden("mlp_softmax", "network of three classes; only the probabilities are an output",
                           "multiclass", network, network.graph("Softmax", ["probability"]), classes=["0", "1", "2"])


def mlp_fixed_batch():
    network = Network(1)
    return _network_golden("mlp_fixed_batch", "network that takes exactly 5 rows at a time", "binary", network,
                           network.graph("Sigmoid", ["probability"], batch=5))


def mlp_int8():
    """Dynamic quantisation: the scale of the activations comes from the batch, so scores change with it."""
    network = Network(1)
    with tempfile.TemporaryDirectory() as folder:
        plain, quantised = Path(folder) / "plain.onnx", Path(folder) / "int8.onnx"
        onnx.save(network.graph("Sigmoid", ["logit", "probability"]), plain)
        logging.disable(logging.WARNING)  # it recommends a step that this small network does not need
        quantize_dynamic(plain, quantised, weight_type=QuantType.QInt8)
        graph = onnx.load(quantised)
    return _network_golden("mlp_int8", "network after dynamic int8 quantisation: scores depend on the batch", "binary",
                           network, graph)


ALL = [
    xgb_binary, xgb_multiclass, xgb_regression, lgbm_binary, rf_binary, rf_multiclass, histgb_binary,
    rf_regression_double, rf_regression_tensors, tree_int64, catboost_binary, logistic_zipmap, linear_regression,
    pipeline_strings, mlp, mlp_softmax, mlp_fixed_batch, mlp_int8,
]
