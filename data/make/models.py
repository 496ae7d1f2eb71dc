"""The shipped models: trained, exported, checked, written beside their held-out rows.

usage: models.py [adult] [german-credit] [diabetes]      (default: all)
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import xgboost
from onnxmltools.convert import convert_xgboost
from onnxmltools.convert.common.data_types import FloatTensorType as OnnxmltoolsFloat
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType, StringTensorType
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import GradientBoostingClassifier, RandomForestRegressor
from sklearn.metrics import accuracy_score, mean_absolute_error, r2_score, roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder

import sources
from exporting import OPSET, describe, largest_difference, save_onnx, save_table, session

DATA = Path(__file__).parents[1]

ADULT_FEATURES = [
    "age", "workclass", "education", "marital_status", "occupation", "relationship", "race", "sex", "capital_gain",
    "capital_loss", "hours_per_week", "native_country",
]
# In the order of `education_num`, so that the code keeps the years of schooling.
EDUCATION = [
    "Preschool", "1st-4th", "5th-6th", "7th-8th", "9th", "10th", "11th", "12th", "HS-grad", "Some-college",
    "Assoc-voc", "Assoc-acdm", "Bachelors", "Masters", "Prof-school", "Doctorate",
]

GERMAN_TEXTS = ["checking_status", "credit_history", "purpose", "savings", "employment", "other_instalments", "housing"]
GERMAN_NUMBERS = ["duration_months", "credit_amount", "age"]

DIABETES_FEATURES = list(sources.DIABETES_COLUMNS.values())


def adult() -> None:
    """XGBoost on category codes, missing values as NaN; a third of the rows is held out."""
    table = sources.adult()
    categories = {
        column: sorted(table[column].dropna().unique())
        for column in ADULT_FEATURES
        if not pd.api.types.is_numeric_dtype(table[column])
    }
    by_years = table.groupby("education_num")["education"].unique()
    if [list(names) for names in by_years] != [[name] for name in EDUCATION]:
        raise ValueError("education and education_num do not tell the same")
    categories["education"] = EDUCATION
    label = (table["income"] == ">50K").astype(int)
    train, held_out = _split(label, 1 / 3)

    codes = _encode(table, ADULT_FEATURES, categories)
    model = xgboost.XGBClassifier(
        n_estimators=200, max_depth=6, learning_rate=0.1, min_child_weight=5, subsample=0.9, colsample_bytree=0.8,
        tree_method="hist", random_state=sources.SEED, n_jobs=1,
    ).fit(codes[train], label[train])
    types = [("input", OnnxmltoolsFloat([None, len(ADULT_FEATURES)]))]
    graph = convert_xgboost(model, initial_types=types, target_opset=15)
    data = save_onnx(graph, DATA / "adult.onnx")

    scores = session(data).run(None, {"input": codes[held_out]})[1][:, 1]
    print(describe("adult.onnx", graph))
    _agree(scores, model.predict_proba(codes[held_out])[:, 1])
    _print_binary(label.iloc[held_out], scores)
    shipped = ["row_id", *ADULT_FEATURES, "income"]
    save_table(table.iloc[held_out][shipped], DATA / "adult.parquet")
    _print_encodings(categories)


def german_credit() -> None:
    """A scikit-learn pipeline on raw columns, one ONNX input per column; 40 % of the rows are held out.

    Neither `sex` nor `personal_status` is given to the model; `age` is.
    """
    table = sources.german_credit()
    columns = GERMAN_TEXTS + GERMAN_NUMBERS
    label = table["credit_risk"]
    train, held_out = _split(label, 0.4)
    prepare = ColumnTransformer([
        ("texts", OneHotEncoder(handle_unknown="ignore", sparse_output=False), GERMAN_TEXTS),
        # Not scaled: trees do not need it, and the file's float32 arithmetic would send rows that lie exactly on a
        # threshold (18 months, between 12 and 24) to another side than the trained model's float64.
        ("numbers", "passthrough", GERMAN_NUMBERS),
    ])
    boosting = GradientBoostingClassifier(
        n_estimators=80, max_depth=3, learning_rate=0.08, subsample=0.8, min_samples_leaf=10, random_state=sources.SEED
    )
    model = Pipeline([("prepare", prepare), ("boosting", boosting)]).fit(table.iloc[train][columns], label.iloc[train])
    types = [(name, StringTensorType([None, 1])) for name in GERMAN_TEXTS]
    types += [(name, FloatTensorType([None, 1])) for name in GERMAN_NUMBERS]
    graph = to_onnx(model, initial_types=types, options={"zipmap": False}, target_opset=OPSET)
    data = save_onnx(graph, DATA / "german-credit.onnx")

    rows = table.iloc[held_out]
    feeds = {name: rows[[name]].to_numpy().astype(object) for name in GERMAN_TEXTS}
    feeds |= {name: rows[[name]].to_numpy().astype(np.float32) for name in GERMAN_NUMBERS}
    good = list(model.classes_).index("good")
    scores = session(data).run(None, feeds)[1][:, good]
    print(describe("german-credit.onnx", graph))
    _agree(scores, model.predict_proba(rows[columns])[:, good])
    _print_binary((rows["credit_risk"] == "good").astype(int), scores)
    shipped = ["row_id", *columns, "personal_status", "sex", "age_group", "credit_risk"]
    save_table(rows[shipped], DATA / "german-credit.parquet")


def diabetes() -> None:
    """A random forest regressor; half of the rows is held out, so that groups are large enough to compare."""
    table = sources.diabetes()
    train, held_out = _split(table["sex"], 0.5)
    features = _encode(table, DIABETES_FEATURES, {"sex": ["sex code 1", "sex code 2"]})
    target = table["progression"].to_numpy()
    model = RandomForestRegressor(
        n_estimators=100, max_depth=6, min_samples_leaf=4, random_state=sources.SEED, n_jobs=1
    )
    model.fit(features[train], target[train])
    types = [("input", FloatTensorType([None, len(DIABETES_FEATURES)]))]
    graph = to_onnx(model, initial_types=types, target_opset=OPSET)
    data = save_onnx(graph, DATA / "diabetes.onnx")

    values = session(data).run(None, {"input": features[held_out]})[0].ravel()
    print(describe("diabetes.onnx", graph))
    _agree(values, model.predict(features[held_out]), tolerance=1e-3)
    truth = target[held_out]
    print(f"  r2 {r2_score(truth, values):.4f}, mae {mean_absolute_error(truth, values):.2f}")
    # CSV on purpose: small, readable in a browser, and the pipelines show that the format does not matter.
    table.iloc[held_out].to_csv(DATA / "diabetes.csv", index=False, lineterminator="\n")


def _split(strata, held_out_share: float):
    """Row numbers to train on and to hold out, both in the source's order."""
    rows = np.arange(len(strata))
    parts = train_test_split(rows, test_size=held_out_share, random_state=sources.SEED, stratify=strata)
    return tuple(np.sort(part) for part in parts)


def _encode(table: pd.DataFrame, features: list[str], categories: dict[str, list[str]]) -> np.ndarray:
    """[rows × features] float32: a category becomes its position, a missing one NaN."""
    columns = []
    for name in features:
        column = table[name]
        if name in categories:
            codes = pd.Categorical(column, categories=categories[name]).codes.astype(float)
            column = np.where(codes < 0, np.nan, codes)
        columns.append(np.asarray(column, np.float32))
    return np.column_stack(columns)


def _agree(exported, trained, tolerance: float = 1e-5) -> None:
    difference = largest_difference(exported, trained)
    print(f"  ONNX Runtime against the trained model: {difference:.1e}")
    if difference > tolerance:
        raise ValueError(f"the exported model differs from the trained one by {difference}")


def _print_binary(label, scores) -> None:
    accuracy = accuracy_score(label, scores >= 0.5)
    print(f"  {len(label)} rows, accuracy {accuracy:.4f}, roc_auc {roc_auc_score(label, scores):.4f}")


def _print_encodings(categories: dict[str, list[str]]) -> None:
    """In the form that `[data.encode]` takes."""
    for column, names in categories.items():
        print(f"  {column} = [{', '.join(chr(34) + name + chr(34) for name in names)}]")


if __name__ == "__main__":
    known = {"adult": adult, "german-credit": german_credit, "diabetes": diabetes}
    for name in sys.argv[1:] or known:
        known[name]()
