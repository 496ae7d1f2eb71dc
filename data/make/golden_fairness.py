"""Fairness metrics of 400 made-up decisions: scikit-learn's by group, fairlearn's between groups, AIF360's formulas.

Undefined is null: a rate whose denominator is zero, a ranking metric of a group with one class. Such a group is left
out of comparisons, and so is "(unknown)", the group of missing values. fairlearn says 0 for 0/0, so it is asked only
where every group is defined.
"""

import importlib.metadata

import fairlearn.metrics as fl
import numpy as np
import pandas as pd
import sklearn.metrics as sk

SEED = 7
N_ROWS = 400
THRESHOLD = 0.5
UNKNOWN = "(unknown)"
ATTRIBUTES = {"sex": "Male", "race": "White", "sex,race": "Male,White"}

FAIRLEARN = {
    "selection_rate": fl.selection_rate, "true_positive_rate": fl.true_positive_rate,
    "true_negative_rate": fl.true_negative_rate, "false_positive_rate": fl.false_positive_rate,
    "false_negative_rate": fl.false_negative_rate, "accuracy": sk.accuracy_score,
}


def table() -> dict:
    rows = decisions()
    return {
        "what": "400 decisions on two attributes; positive and favourable: label 1, decision: score >= threshold",
        "versions": {name: importlib.metadata.version(name) for name in ("fairlearn", "scikit-learn", "numpy")},
        "threshold": THRESHOLD,
        "tolerance": 1e-12,
        "rows": {
            name: [None if pd.isna(item) else item for item in rows[name].tolist()]
            for name in ("label", "score", "sex", "race", "weight")
        },
        "by_group": by_group(rows, weighted=False),
        "by_group_weighted": by_group(rows, weighted=True),
        "between_groups": {name: between_groups(rows, name) for name in ATTRIBUTES},
        "against_reference": {name: against_reference(rows, name) for name in ATTRIBUTES},
        "others_against_reference": {name: others_against_reference(rows, name) for name in ATTRIBUTES},
    }


def decisions() -> pd.DataFrame:
    """Scores are multiples of 1/256 with ties, some exactly on the threshold; races are missing here and there."""
    generator = np.random.default_rng(SEED)
    sex = generator.choice(["Female", "Male"], N_ROWS, p=[0.45, 0.55])
    race = generator.choice(["White", "Black", "Asian", "Other"], N_ROWS, p=[0.62, 0.22, 0.12, 0.04]).astype(object)
    ability = generator.normal(0, 1, N_ROWS) + 0.4 * (sex == "Male") + 0.3 * (race == "White")
    label = (ability + generator.normal(0, 0.8, N_ROWS) > 0.6).astype(int)
    label[(sex == "Female") & (race == "Other")] = 0  # no positives: its true positive rate is undefined
    race[generator.random(N_ROWS) < 0.06] = None
    score = np.clip(np.round(256 / (1 + np.exp(-1.5 * (ability - 0.5)))), 1, 255) / 256
    score[generator.choice(N_ROWS, 12, replace=False)] = THRESHOLD
    weight = generator.integers(1, 9, N_ROWS) / 4
    decision = (score >= THRESHOLD).astype(int)
    frame = pd.DataFrame(dict(label=label, score=score, decision=decision, sex=sex, race=race, weight=weight))
    known = frame["race"].fillna(UNKNOWN)
    return frame.assign(**{"group sex": sex, "group race": known, "group sex,race": frame["sex"] + "," + known})


def by_group(rows, weighted) -> dict:
    out = {"": {"": metrics(rows, weighted)}}
    for name in ATTRIBUTES:
        out[name] = {group: metrics(part, weighted) for group, part in rows.groupby(f"group {name}")}
    if not weighted:
        agree_with_fairlearn(rows, out)
    return out


def metrics(part, weighted) -> dict:
    y, s, d = (part[name].to_numpy() for name in ("label", "score", "decision"))
    w = part["weight"].to_numpy() if weighted else np.ones(len(part))
    tp, fp, tn, fn = (float(w[(d == a) & (y == b)].sum()) for a, b in ((1, 1), (1, 0), (0, 0), (0, 1)))
    both = len(set(y)) == 2
    return {
        "n": len(part), "weight": float(w.sum()), "tp": tp, "fp": fp, "tn": tn, "fn": fn,
        "selection_rate": ratio(tp + fp, w.sum()),
        "base_rate": ratio(tp + fn, w.sum()),
        "accuracy": ratio(tp + tn, w.sum()),
        "balanced_accuracy": float(sk.balanced_accuracy_score(y, d, sample_weight=w)) if both else None,
        "precision": ratio(tp, tp + fp),
        "recall": ratio(tp, tp + fn),
        "f1": ratio(2 * tp, 2 * tp + fp + fn),
        "true_positive_rate": ratio(tp, tp + fn),
        "true_negative_rate": ratio(tn, tn + fp),
        "false_positive_rate": ratio(fp, tn + fp),
        "false_negative_rate": ratio(fn, tp + fn),
        "false_discovery_rate": ratio(fp, tp + fp),
        "false_omission_rate": ratio(fn, tn + fn),
        "roc_auc": float(sk.roc_auc_score(y, s, sample_weight=w)) if both else None,
        "average_precision": float(sk.average_precision_score(y, s, sample_weight=w)) if both else None,
        "log_loss": float(sk.log_loss(y, s, sample_weight=w, labels=[0, 1])),
        "brier": float(np.average((s - y) ** 2, weights=w)),
        "ece": expected_calibration_error(y, s, w),
        "mean_score": float(np.average(s, weights=w)),
    }


def expected_calibration_error(y, s, w, n_bins=10) -> float:
    """Bins [k/10, (k+1)/10), the last one closed: the mean of |observed rate - mean score|, weighted by the bin."""
    bins = np.minimum((s * n_bins).astype(int), n_bins - 1)
    gaps = [abs((w * (y - s))[bins == bin].sum()) for bin in range(n_bins)]
    return float(sum(gaps) / w.sum())


def between_groups(rows, name) -> dict:
    """max - min and min / max over the known, defined groups; the named ones as fairlearn defines them."""
    groups = {group: metrics(part, False) for group, part in rows.groupby(f"group {name}") if UNKNOWN not in group}
    rates = pd.DataFrame(groups).T.drop(columns=["n", "weight", "tp", "fp", "tn", "fn"]).astype(float)
    high, low = rates.max(), rates.min()
    out = {}
    for metric in rates:
        out[f"{metric}_difference"] = high[metric] - low[metric]
        out[f"{metric}_ratio"] = ratio(low[metric], high[metric])
    tpr, fpr = "true_positive_rate", "false_positive_rate"
    difference, quotient = (lambda m: out[f"{m}_difference"]), (lambda m: out[f"{m}_ratio"])
    out |= {
        "demographic_parity_difference": difference("selection_rate"),
        "demographic_parity_ratio": quotient("selection_rate"),
        "equal_opportunity_difference": difference(tpr),
        "equal_opportunity_ratio": quotient(tpr),
        "equalized_odds_difference": max(difference(tpr), difference(fpr)),
        "equalized_odds_ratio": min(quotient(tpr), quotient(fpr)),
        "equalized_odds_difference_mean": (difference(tpr) + difference(fpr)) / 2,
        "equalized_odds_ratio_mean": (quotient(tpr) + quotient(fpr)) / 2,
    }
    if not rates[[tpr, fpr]].isna().any().any():
        named_as_in_fairlearn(rows, name, out)
    return {metric: None if value is None else float(value) for metric, value in out.items()}


def named_as_in_fairlearn(rows, name, ours) -> None:
    known = rows[~rows[f"group {name}"].str.contains(UNKNOWN, regex=False)]
    asked = dict(y_true=known["label"], y_pred=known["decision"], sensitive_features=known[f"group {name}"])
    for kind in ("difference", "ratio"):
        for metric in ("demographic_parity", "equal_opportunity", "equalized_odds"):
            same(ours[f"{metric}_{kind}"], getattr(fl, f"{metric}_{kind}")(**asked), f"{name} {metric}_{kind}")
        mean = getattr(fl, f"equalized_odds_{kind}")(**asked, agg="mean")
        same(ours[f"equalized_odds_{kind}_mean"], mean, f"{name} equalized_odds_{kind}_mean")


def agree_with_fairlearn(rows, ours) -> None:
    for name in ATTRIBUTES:
        asked = dict(y_true=rows["label"], y_pred=rows["decision"], sensitive_features=rows[f"group {name}"])
        frame = fl.MetricFrame(metrics=FAIRLEARN, **asked)
        for group, values in frame.by_group.iterrows():
            for metric, theirs in values.items():
                if ours[name][group][metric] is not None:
                    same(ours[name][group][metric], theirs, f"{name} {group} {metric}")


def against_reference(rows, name) -> dict:
    """Each group minus (over) the reference."""
    groups = dict(list(rows.groupby(f"group {name}")))
    reference = metrics(groups[ATTRIBUTES[name]], False)
    return {
        "reference": ATTRIBUTES[name],
        "groups": {
            group: comparisons(metrics(part, False), reference)
            for group, part in groups.items()
            if group != ATTRIBUTES[name] and UNKNOWN not in group
        },
    }


def others_against_reference(rows, name) -> dict:
    """All other known rows together minus (over) the reference: AIF360's unprivileged and privileged."""
    groups = rows[f"group {name}"]
    privileged = groups == ATTRIBUTES[name]
    others = ~privileged & ~groups.str.contains(UNKNOWN, regex=False)
    return {
        "reference": ATTRIBUTES[name],
        "metrics": comparisons(metrics(rows[others], False), metrics(rows[privileged], False)),
    }


def comparisons(group, reference) -> dict:
    def minus(metric):
        return None if None in (group[metric], reference[metric]) else group[metric] - reference[metric]

    tpr, fpr = minus("true_positive_rate"), minus("false_positive_rate")
    error, error_reference = 1 - group["accuracy"], 1 - reference["accuracy"]
    return {
        "statistical_parity_difference": minus("selection_rate"),
        "disparate_impact": ratio(group["selection_rate"], reference["selection_rate"]),
        "equal_opportunity_difference": tpr,
        "average_odds_difference": None if None in (tpr, fpr) else (tpr + fpr) / 2,
        "average_abs_odds_difference": None if None in (tpr, fpr) else (abs(tpr) + abs(fpr)) / 2,
        "false_positive_rate_difference": fpr,
        "false_negative_rate_difference": minus("false_negative_rate"),
        "false_discovery_rate_difference": minus("false_discovery_rate"),
        "false_omission_rate_difference": minus("false_omission_rate"),
        "error_rate_difference": error - error_reference,
        "error_rate_ratio": ratio(error, error_reference),
    }


def ratio(part, whole):
    return float(part / whole) if whole else None


def same(ours, theirs, what) -> None:
    if not abs(ours - theirs) <= 1e-12:
        raise ValueError(f"{what}: {ours} here, {theirs} in fairlearn")
