"""Shapley values by their definition: every coalition of every row. For at most 10 players."""

from math import factorial

import numpy as np


def interventional(payoff, rows, background):
    """Players outside a coalition take the values of each background row in turn; the payoff is averaged over them.

    payoff: [n × p] -> [n × outputs]; rows [n × p], background [m × p] of the same kind.
    Returns base values [outputs] and values [n × outputs × p], float64.
    """

    def value(row, members):
        mixed = background.copy()
        mixed[:, members] = row[members]
        return np.asarray(payoff(mixed), np.float64).mean(axis=0)

    return _shapley(value, rows)


def path_dependent(trees, covers, rows):
    """A split on a player outside the coalition goes both ways, weighted by cover (TreeSHAP's `tree_path_dependent`).

    trees: `onnx_trees.Ensemble`; covers: {(tree, node): cover}; rows [n × p].
    """

    def value(row, members):
        known = set(np.flatnonzero(members))
        total = trees.base.copy()
        for tree in trees.roots:
            total += walk(tree, trees.roots[tree], row, known)
        return total

    def walk(tree, node, row, known):
        split = trees.splits.get((tree, node))
        if split is None:
            return trees.leaf(tree, node)
        if split.feature in known:
            return walk(tree, split.next(row[split.feature]), row, known)
        yes, no = covers[tree, split.yes], covers[tree, split.no]
        return (yes * walk(tree, split.yes, row, known) + no * walk(tree, split.no, row, known)) / (yes + no)

    return _shapley(value, rows)


def _shapley(value, rows):
    n_players = rows.shape[1]
    masks = (np.arange(2**n_players)[:, None] >> np.arange(n_players)) & 1 == 1
    weight = [
        factorial(size) * factorial(n_players - size - 1) / factorial(n_players) for size in range(n_players)
    ]
    phi = []
    for row in rows:
        payoffs = np.array([value(row, members) for members in masks])
        base = payoffs[0]
        of_row = np.zeros((payoffs.shape[1], n_players))
        for player in range(n_players):
            for code in np.flatnonzero(~masks[:, player]):
                gain = payoffs[code | 1 << player] - payoffs[code]
                of_row[:, player] += weight[masks[code].sum()] * gain
        phi.append(of_row)
    return base, np.array(phi)
