"""The trees of a booster as arrays: what XGBoost's JSON of a model says about its nodes."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sagetree.boosters.library import NativeBooster

Integers = NDArray[np.intp]

# Read one by one rounds take three times as long; all at once they would leave megabytes behind in
# each worker.
_ROUNDS_AT_ONCE = 16


class Trees(NamedTuple):
    """Some trees, their nodes numbered from the first tree's root to the last tree's end.

    `roots` and `outputs` hold for each tree its root and the output it adds to.
    The others hold for each node its children (-1 below a leaf), the feature
    and value it splits by (of a leaf: what it adds), whether missing values go
    left, the weight of the training rows that came to it, and whether it is
    split by categories: then `categories` has those that go right.
    """

    roots: Integers
    outputs: Integers
    left: Integers
    right: Integers
    feature: Integers
    value: NDArray[np.float32]
    default_left: NDArray[np.bool_]
    cover: NDArray[np.float64]
    is_categorical: NDArray[np.bool_]
    categories: dict[int, Sequence[int]]

    @property
    def splits(self) -> int:
        """The number of nodes that are not leaves."""
        return int(np.count_nonzero(self.left >= 0))

    def moved(self, by: int) -> "Trees":
        """Return the same trees with higher numbers for their nodes."""
        return self._replace(
            roots=self.roots + by,
            left=np.where(self.left < 0, -1, self.left + by),
            right=np.where(self.right < 0, -1, self.right + by),
            categories={node + by: found for node, found in self.categories.items()},
        )


def has_plain_trees(booster: NativeBooster) -> bool:
    """Say whether the booster has trees, and each of their leaves one value."""
    if booster.config()["gradient_booster"]["name"] == "gblinear" or not booster.rounds:
        return False
    trees, _ = trees_and_weights(booster, 0)
    return int(trees["trees"][0]["tree_param"]["size_leaf_vector"]) <= 1


def has_splits(booster: NativeBooster) -> bool:
    """Say whether a tree of the booster tells rows apart; a linear one always may."""
    if booster.config()["gradient_booster"]["name"] == "gblinear":
        return True
    rounds = (model for model, _ in _rounds(booster))
    return any(tree["left_children"][0] >= 0 for model in rounds for tree in model["trees"])


def read_trees(booster: NativeBooster, most_splits: int) -> Iterator[Trees]:
    """Yield the trees of a booster that has plain ones, those of several rounds together.

    These have at most `most_splits` splits, unless a single round has more.
    """
    gathered: list[Trees] = []
    splits = 0
    for model, weights in _rounds(booster):
        trees = _round(model, weights)
        if gathered and splits + trees.splits > most_splits:
            yield _joined(gathered)
            gathered, splits = [], 0
        gathered.append(trees)
        splits += trees.splits
    if gathered:
        yield _joined(gathered)


def trees_and_weights(booster: NativeBooster, number: int) -> tuple[dict[str, Any], list[float]]:
    """Return XGBoost's JSON of one round's trees, and the weights that dart gives them."""
    return _trees_and_weights(booster.learner(number, number + 1))


def _rounds(booster: NativeBooster) -> Iterator[tuple[dict[str, Any], list[float]]]:
    """Yield what `trees_and_weights` returns of each round."""
    rounds = booster.rounds
    for first in range(0, rounds, _ROUNDS_AT_ONCE):
        learner = booster.learner(first, min(first + _ROUNDS_AT_ONCE, rounds))
        model, weights = _trees_and_weights(learner)
        for begin, end in pairwise(model["iteration_indptr"]):
            part = {name: model[name][begin:end] for name in ("trees", "tree_info")}
            yield part, weights[begin:end]


def _trees_and_weights(learner: dict[str, Any]) -> tuple[dict[str, Any], list[float]]:
    found = learner["gradient_booster"]
    model = found.get("gbtree", found)["model"]  # dart's, before XGBoost 3.4
    weights = found.get("weight_drop") or model.get("weight_drop") or [1.0] * len(model["trees"])
    return model, weights


def _round(model: dict[str, Any], weights: Sequence[float]) -> Trees:
    parts = zip(model["trees"], model["tree_info"], weights, strict=True)
    return _joined([_tree(*part) for part in parts])


def _tree(tree: dict[str, Any], output: int, weight: float) -> Trees:
    left, value = np.array(tree["left_children"]), np.array(tree["split_conditions"], np.float32)
    pieces = zip(
        tree["categories_nodes"], tree["categories_segments"], tree["categories_sizes"], strict=True
    )
    return Trees(
        roots=np.zeros(1, np.intp),
        outputs=np.array([output], np.intp),
        left=left,
        right=np.array(tree["right_children"]),
        feature=np.array(tree["split_indices"]),
        value=np.where(left < 0, value * np.float32(weight), value),
        default_left=np.array(tree["default_left"], np.bool_),
        cover=np.array(tree["sum_hessian"]),
        is_categorical=np.array(tree["split_type"], np.bool_),
        categories={node: tree["categories"][begin : begin + size] for node, begin, size in pieces},
    )


def _joined(parts: Sequence[Trees]) -> Trees:
    """Return the trees one after the other, their nodes numbered anew."""
    begins = np.cumsum([0, *(len(part.left) for part in parts[:-1])]).tolist()
    moved = [part.moved(begin) for part, begin in zip(parts, begins, strict=True)]
    *arrays, categories = zip(*moved, strict=True)
    together = {node: found for part in categories for node, found in part.items()}
    return Trees._make((*map(np.concatenate, arrays), together))
