"""A slow and plain reader of ONNX tree ensembles: margins in float64, straight from the operator's attributes."""

from dataclasses import dataclass

import numpy as np
import onnx

HOLDS = {
    "BRANCH_LEQ": np.less_equal, "BRANCH_LT": np.less, "BRANCH_GTE": np.greater_equal, "BRANCH_GT": np.greater,
    "BRANCH_EQ": np.equal, "BRANCH_NEQ": np.not_equal,
}


@dataclass
class Split:
    feature: int
    mode: str
    threshold: float
    yes: int
    no: int
    missing_yes: bool

    def next(self, x: float) -> int:
        if np.isnan(x):
            return self.yes if self.missing_yes else self.no
        return self.yes if HOLDS[self.mode](x, self.threshold) else self.no


class Ensemble:
    """The one `TreeEnsembleClassifier` or `TreeEnsembleRegressor` of a model.

    Margins are [n × outputs]: one output for binary models and regression, one for each class otherwise.
    """

    def __init__(self, model: onnx.ModelProto):
        [node] = [node for node in model.graph.node if node.op_type.startswith("TreeEnsemble")]
        attributes = {item.name: onnx.helper.get_attribute_value(item) for item in node.attribute}

        def take(name):
            tensor = attributes.get(f"{name}_as_tensor")
            return attributes.get(name, []) if tensor is None else onnx.numpy_helper.to_array(tensor)

        # Rows are compared in the input's own type, also where thresholds are stored as float32.
        self.double = model.graph.input[0].type.tensor_type.elem_type == onnx.TensorProto.DOUBLE
        n_nodes = len(take("nodes_nodeids"))
        missing = list(take("nodes_missing_value_tracks_true")) or [0] * n_nodes
        columns = [take(f"nodes_{name}") for name in ("treeids", "nodeids", "featureids", "modes", "values",
                                                      "truenodeids", "falsenodeids")]
        self.splits, nodes = {}, []
        for tree, at, feature, mode, threshold, yes, no, tracks in zip(*columns, missing, strict=True):
            nodes.append((int(tree), int(at)))
            if mode != b"LEAF":
                split = Split(int(feature), mode.decode(), float(threshold), int(yes), int(no), bool(tracks))
                self.splits[int(tree), int(at)] = split
        self.nodes = nodes

        kind = "class" if node.op_type == "TreeEnsembleClassifier" else "target"
        votes = list(zip(*(take(f"{kind}_{name}") for name in ("treeids", "nodeids", "ids", "weights")), strict=True))
        outputs = sorted({int(vote[2]) for vote in votes})
        if len(outputs) == 2 and kind == "class":
            outputs = [1]  # both classes are stored; the positive one is explained
        self.base = np.zeros(len(outputs))
        base = np.asarray(take("base_values"), np.float64)
        if base.size:
            self.base += base[outputs] if base.size > 1 else base
        children = {(tree, child) for (tree, _), split in self.splits.items() for child in (split.yes, split.no)}
        self.roots = {tree: at for tree, at in nodes if (tree, at) not in children}
        share = 1 / len(self.roots) if attributes.get("aggregate_function") == b"AVERAGE" else 1.0
        self.leaves = {}
        for tree, at, output, weight in votes:
            if int(output) in outputs:
                leaf = self.leaves.setdefault((int(tree), int(at)), np.zeros(len(outputs)))
                leaf[outputs.index(int(output))] += float(weight) * share
        self._nothing = np.zeros(len(outputs))

    def leaf(self, tree: int, node: int) -> np.ndarray:
        return self.leaves.get((tree, node), self._nothing)

    def margin(self, rows) -> np.ndarray:
        rows = np.asarray(rows, np.float64 if self.double else np.float32).astype(np.float64)
        out = np.tile(self.base, (len(rows), 1))
        for at, row in enumerate(rows):
            for tree, node in self.roots.items():
                while (split := self.splits.get((tree, node))) is not None:
                    node = split.next(row[split.feature])
                out[at] += self.leaf(tree, node)
        return out

    def covers(self, left, right, weights) -> dict:
        """Cover by ONNX node: the framework's trees are walked beside the ONNX ones, yes = left.

        left, right, weights: for each tree an array over the framework's nodes.
        """
        found = {}
        for number, (tree, root) in enumerate(self.roots.items()):
            pairs = [(root, 0)]
            while pairs:
                ours, theirs = pairs.pop()
                found[tree, ours] = float(weights[number][theirs])
                split = self.splits.get((tree, ours))
                if (split is None) != (left[number][theirs] < 0):
                    raise ValueError(f"tree {tree}, node {ours}: a leaf on one side only")
                if split is not None:
                    pairs += [(split.yes, left[number][theirs]), (split.no, right[number][theirs])]
        return found
