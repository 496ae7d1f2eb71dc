"""Owen values of shap's PartitionExplainer, of a function that tests can compute again.

usage: golden_partition.py      (writes tests/golden/partition.json; needs requirements.txt)

A picture's parts are on or off, its hierarchy the halves of halves across the longer side; shap gets it as a clustering
and evaluates all of it.
"""

import json
import pathlib

import numpy as np
import shap

OUTPUTS = 2


def numbers(n, step):
    """Numbers between -1 and 1 that anyone can make again: exact in single precision."""
    return np.array([((at * step) % 17 - 8) / 8 for at in range(n)])


def score(x):
    """Two outputs of pictures, `[n × numbers]`: pixels act together in both."""
    a, b, c = (x @ numbers(x.shape[1], step) for step in (5, 3, 7))
    return np.stack([a + b**2, a * b * c / 64], 1)


def halves(top, bottom, left, right, nodes):
    """Leaves of a rectangle of parts and the number of its node; inner nodes are added to `nodes`, children first."""
    if (bottom - top) * (right - left) == 1:
        return [(top, left)], None
    if bottom - top >= right - left:
        middle = (top + bottom) // 2
        parts = (top, middle, left, right), (middle, bottom, left, right)
    else:
        middle = (left + right) // 2
        parts = (top, bottom, left, middle), (top, bottom, middle, right)
    found = [halves(*part, nodes) for part in parts]
    leaves = found[0][0] + found[1][0]
    nodes.append(((found[0], found[1]), len(leaves)))
    return leaves, len(nodes) - 1


def explained(height, width, channels, patch):
    rows, columns = -(-height // patch[0]), -(-width // patch[1])
    nodes = []
    halves(0, rows, 0, columns, nodes)
    number = lambda found: found[0][0][0] * columns + found[0][0][1] if found[1] is None else rows * columns + found[1]
    # The form of scipy's linkage: both children, their distance, how many leaves they have.
    clustering = np.array([[*map(number, children), at + 1.0, size] for at, (children, size) in enumerate(nodes)])
    n = height * width * channels
    picture, baseline = numbers(n, 7), numbers(n, 11)
    y, x = np.divmod(np.arange(height * width), width)
    part = np.repeat(y // patch[0] * columns + x // patch[1], channels)

    def game(switches):
        return score(np.where(switches[:, part] > 0.5, picture, baseline))

    masker = shap.maskers.Partition(np.zeros((1, rows * columns)), clustering=clustering)
    found = shap.PartitionExplainer(game, masker)(np.ones((1, rows * columns)), max_evals=10_000_000, silent=True)
    values = found.values[0].T
    total = game(np.ones((1, rows * columns)))[0] - game(np.zeros((1, rows * columns)))[0]
    np.testing.assert_allclose(values.sum(1), total, rtol=1e-9, atol=1e-12)
    return {"height": height, "width": width, "channels": channels, "patch": patch, "values": values.tolist()}


def main():
    shapes = [(3, 4, 1, (1, 1)), (4, 5, 2, (1, 1)), (1, 9, 1, (1, 1)), (6, 7, 1, (2, 3)), (5, 5, 3, (2, 1))]
    golden = {
        "made_with": f"shap {shap.__version__}, numpy {np.__version__}",
        "cases": [explained(*shape) for shape in shapes],
    }
    target = pathlib.Path(__file__).parents[2] / "tests" / "golden" / "partition.json"
    target.write_text(json.dumps(golden, indent=1) + "\n")


if __name__ == "__main__":
    main()
