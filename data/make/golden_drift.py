"""Distances between made-up samples, as SciPy and scikit-learn measure them.

`samples`: Kolmogorov-Smirnov and Wasserstein distances of numbers, some weighted (`null` is missing and left out).
`shares`: the Jensen-Shannon distance of two lists of shares, and the population stability index by its formula.
`rankings`: NDCG of a ranking by `now`, judged by the gains `before`.
"""

import importlib.metadata

import numpy as np
from scipy import stats
from scipy.spatial import distance
from sklearn.metrics import ndcg_score

SEED = 7
SMALLEST_SHARE = 1e-4


def table() -> dict:
    random = np.random.default_rng(SEED)
    return {
        "versions": {name: importlib.metadata.version(name) for name in ("numpy", "scipy", "scikit-learn")},
        "samples": [sample(*pair) for pair in samples(random)],
        "shares": [shares(*pair) for pair in share_lists(random)],
        "rankings": [ranking(random.exponential(size=n), random.exponential(size=n)) for n in (1, 2, 7, 30)],
    }


def samples(random):
    normal = random.normal(size=300)
    yield "a shift", normal, random.normal(0.3, 1.2, size=250), None, None
    yield "the same sample", normal, normal, None, None
    yield "ties", random.poisson(2, size=200), random.poisson(2.5, size=150), None, None
    yield "nothing in common", random.uniform(0, 1, size=20), random.uniform(5, 9, size=30), None, None
    yield "heavy tails on both sides of zero", random.standard_cauchy(size=200), random.standard_cauchy(size=200) * 2, None, None
    yield "one value each", np.array([1.0]), np.array([-3.5]), None, None
    before, now = random.lognormal(size=120), random.lognormal(0.5, size=90)
    yield "weights", before, now, random.uniform(0.1, 3, size=120), random.integers(1, 5, size=90).astype(float)


def sample(name, before, now, weights_before, weights_now) -> dict:
    before, now = np.asarray(before, float), np.asarray(now, float)
    if weights_before is None:
        ks = stats.ks_2samp(before, now).statistic
    else:
        # SciPy's test takes no weights: the two distribution functions at every value.
        at = np.unique(np.concatenate([before, now]))
        share = lambda values, weights: np.array([weights[values <= x].sum() for x in at]) / weights.sum()
        ks = np.abs(share(before, weights_before) - share(now, weights_now)).max()
    return {
        "name": name, "before": before.tolist(), "now": now.tolist(),
        "weights_before": None if weights_before is None else weights_before.tolist(),
        "weights_now": None if weights_now is None else weights_now.tolist(),
        "ks": float(ks),
        "wasserstein": float(stats.wasserstein_distance(before, now, weights_before, weights_now)),
    }


def share_lists(random):
    yield [0.25, 0.25, 0.5], [0.2, 0.3, 0.5]
    yield [0.5, 0.5], [0.5, 0.5]
    yield [1.0, 0.0], [0.0, 1.0]
    yield [0.99995, 0.00005, 0.0], [0.9, 0.05, 0.05]
    yield random.dirichlet(np.ones(10)).tolist(), random.dirichlet(np.ones(10)).tolist()


def shares(before, now) -> dict:
    p, q = (np.maximum(np.asarray(one), SMALLEST_SHARE) for one in (before, now))
    return {
        "before": before, "now": now,
        "js": float(distance.jensenshannon(before, now)),
        "psi": float(np.sum((q - p) * np.log(q / p))),
    }


def ranking(before, now) -> dict:
    # One feature cannot be ranked in another way; scikit-learn refuses to say so.
    ndcg = ndcg_score([before], [now]) if len(before) > 1 else 1.0
    return {"before": before.tolist(), "now": now.tolist(), "ndcg": float(ndcg)}
