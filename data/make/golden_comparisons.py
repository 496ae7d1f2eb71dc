"""Comparisons of groups on the 400 decisions of fairness.json, each computed from rows in the plainest way.

Odds within strata are statsmodels' (StratifiedTable), Kolmogorov-Smirnov's distance is SciPy's; xAUC counts pairs,
ABROCA integrates both curves over the union of their corners, and the rest are the formulas of docs/metrics.md over
single rows. Undefined is null. Strata where a margin is empty are left out, as they say nothing.
"""

import importlib.metadata
import itertools
import json
from pathlib import Path

import numpy as np
import pandas as pd
import sklearn.metrics as sk
from scipy.stats import ks_2samp
from statsmodels.stats.contingency_tables import StratifiedTable, Table2x2

GOLDEN = Path(__file__).parents[2] / "tests" / "golden"
UNKNOWN = "(unknown)"
# attribute -> (reference, stratum)
COMPARED = {"sex": ("Male", "race"), "race": ("White", "sex")}


def table() -> dict:
    known = json.loads((GOLDEN / "fairness.json").read_text())
    rows = pd.DataFrame(known["rows"]).assign(decision=lambda rows: (rows["score"] >= known["threshold"]).astype(int))
    for name in COMPARED:
        rows[name] = rows[name].where(rows[name].notna(), UNKNOWN)
    return {
        "what": "comparisons of the rows of fairness.json, and within strata",
        "versions": {name: importlib.metadata.version(name) for name in ("statsmodels", "scipy", "scikit-learn", "numpy")},
        "compared": {
            name: {
                "reference": reference,
                "stratum": stratum,
                "groups": against_reference(rows, name, reference, stratum),
                "across": across(rows[rows[name] != UNKNOWN], name),
            }
            for name, (reference, stratum) in COMPARED.items()
        },
        "overall": inequality(rows),
    }


def against_reference(rows, name, reference, stratum) -> dict:
    base = rows[rows[name] == reference]
    groups = {group: part for group, part in rows.groupby(name) if group not in (reference, UNKNOWN)}
    groups["(others)"] = rows[~rows[name].isin([reference, UNKNOWN])]
    out = {group: comparisons(part, base, stratum) for group, part in groups.items()}
    out["(others)"] |= {
        f"clarify_{name}": conditional_disparity(groups["(others)"], base, stratum, column)
        for name, column in (("cddl", "label"), ("cddpl", "decision"))
    }
    return out


def comparisons(group, base, stratum) -> dict:
    cross, back = cross_auc(group, base), cross_auc(base, group)
    pooled = (group["decision"].sum() + base["decision"].sum()) / (len(group) + len(base))
    spread = np.sqrt((group["score"].var(ddof=0) + base["score"].var(ddof=0)) / 2)
    odds = Table2x2([counts(group), counts(base)])
    out = {
        "xauc": cross,
        "xauc_difference": None if None in (cross, back) else cross - back,
        "abroca": abroca(group, base),
        "score_ks": float(ks_2samp(group["score"], base["score"]).statistic),
        "standardized_mean_difference": float((group["score"].mean() - base["score"].mean()) / spread),
        "shortfall": float(len(group) * pooled - group["decision"].sum()),
        "odds_ratio": float(odds.oddsratio),
        "odds_ratio ci": [float(end) for end in odds.oddsratio_confint()],
    }
    return out | within_strata(group, base, stratum)


def counts(rows) -> list:
    return [int((rows["decision"] == 1).sum()), int((rows["decision"] == 0).sum())]


def within_strata(group, base, stratum) -> dict:
    tables = []
    for level in sorted(set(group[stratum]) | set(base[stratum])):
        both = np.array([counts(group[group[stratum] == level]), counts(base[base[stratum] == level])])
        if (both.sum(axis=0) > 0).all() and (both.sum(axis=1) > 0).all():
            tables.append(both)
    strata = StratifiedTable(tables)
    common, equal = strata.test_null_odds(), strata.test_equal_odds(adjust=True)
    return {
        "conditional_odds_ratio": float(strata.oddsratio_pooled),
        "conditional_odds_ratio ci": [float(end) for end in strata.oddsratio_pooled_confint()],
        "conditional_odds_ratio p": float(common.pvalue),
        "odds_ratio_homogeneity": float(equal.statistic),
        "odds_ratio_homogeneity p": float(equal.pvalue),
    }


def conditional_disparity(others, base, stratum, column) -> float:
    """Clarify's CDD: the mean over strata, by size, of the others' share of rejected minus their share of accepted."""
    both = pd.concat([others.assign(other=True), base.assign(other=False)])
    parts = [part for _, part in both.groupby(stratum) if part[column].nunique() == 2]
    disparities = [part["other"][part[column] == 0].mean() - part["other"][part[column] == 1].mean() for part in parts]
    return float(np.average(disparities, weights=[len(part) for part in parts]))


def cross_auc(positives_of, negatives_of):
    positives = positives_of["score"][positives_of["label"] == 1].to_numpy()
    negatives = negatives_of["score"][negatives_of["label"] == 0].to_numpy()
    if not len(positives) or not len(negatives):
        return None
    return float(np.mean([(p > n) + (p == n) / 2 for p, n in itertools.product(positives, negatives)]))


def abroca(group, base):
    if group["label"].nunique() < 2 or base["label"].nunique() < 2:
        return None
    curves = [sk.roc_curve(part["label"], part["score"], drop_intermediate=False)[:2] for part in (group, base)]
    corners = np.unique(np.concatenate([curve[0] for curve in curves]))
    area = 0.0
    for left, right in itertools.pairwise(corners):
        # Both curves are straight between corners; where they cross, the stretch is cut in two.
        slope = [(height(c, right, -1) - height(c, left, +1)) / (right - left) for c in curves]
        gap_left = height(curves[0], left, +1) - height(curves[1], left, +1)
        change = slope[0] - slope[1]
        cuts = [left, right]
        if change != 0 and left < (crossing := left - gap_left / change) < right:
            cuts = [left, crossing, right]
        for a, b in itertools.pairwise(cuts):
            middle = (a + b) / 2
            area += abs(gap_left + change * (middle - left)) * (b - a)
    return float(area)


def height(curve, x, side):
    """The curve just right (+1) or left (-1) of x."""
    fpr, tpr = curve
    if side > 0:
        start = np.flatnonzero(fpr <= x)[-1]
        end = min(start + 1, len(fpr) - 1)
    else:
        end = np.flatnonzero(fpr >= x)[0]
        start = max(end - 1, 0)
    if fpr[end] == fpr[start]:
        return tpr[start]
    return tpr[start] + (tpr[end] - tpr[start]) * (x - fpr[start]) / (fpr[end] - fpr[start])


def across(rows, name) -> dict:
    benefit = 1 + rows["decision"] - rows["label"]
    means = benefit.groupby(rows[name]).transform("mean")
    return {
        "differential_fairness": differential(rows.groupby(name)["decision"]),
        "label_differential_fairness": differential(rows.groupby(name)["label"]),
        "within_group_generalized_entropy_index": entropy(benefit) - entropy(means),
        "within_group_theil_index": theil(benefit) - theil(means),
    }


def differential(groups) -> float:
    """AIF360's smoothed empirical differential fairness, concentration 1."""
    rates = (groups.sum() + 0.5) / (groups.count() + 1)
    pairs = itertools.product(rates, rates)
    return float(max(max(abs(np.log(a / b)), abs(np.log((1 - a) / (1 - b)))) for a, b in pairs))


def inequality(rows) -> dict:
    benefit = 1 + rows["decision"] - rows["label"]
    return {
        "atkinson_index": float(1 - np.mean(np.sqrt(benefit)) ** 2 / benefit.mean()),
        "calibration_gap": float(rows["score"].mean() - rows["label"].mean()),
    }


def entropy(benefit) -> float:
    return float(np.mean((benefit / benefit.mean()) ** 2 - 1) / 2)


def theil(benefit) -> float:
    ratio = benefit / benefit.mean()
    return float(np.mean([r * np.log(r) if r > 0 else 0.0 for r in ratio]))
