"""Whether a booster's parts fit together, which XGBoost takes for granted when it predicts.

A child that is not a node of its tree, or a feature that is not one of the
model's, has the library read memory that is not the model's, and a tree that
leads back to itself never ends.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sagetree.boosters.library import NativeBooster
from sagetree.boosters.trees import Integers, trees_and_weights

_LEAF = -1


def find_fault(booster: NativeBooster, features: int, outputs: int) -> str:
    """Return the first fault of the trees or of the weights, "" where there is none.

    `features` and `outputs` are how many the booster has.
    """
    if booster.config()["gradient_booster"]["name"] == "gblinear":
        weights = booster.learner()["gradient_booster"]["model"]["weights"]
        needed = (features + 1) * outputs
        return (
            ""
            if len(weights) == needed
            else f"there are {len(weights)} weights, and {needed} are needed"
        )
    place = 0
    for number in range(booster.rounds):
        model, weights = trees_and_weights(booster, number)
        trees = model["trees"]
        for tree, output in zip(trees, model["tree_info"], strict=True):
            fault = _fault_of_tree(tree, features)
            if not 0 <= output < outputs:
                fault = f"it adds to output {output} of {outputs}"
            if fault:
                return f"tree {place}: {fault}"
            place += 1
        if len(weights) != len(trees):
            return f"{len(weights)} weights of {len(trees)} trees"
    return ""


def _fault_of_tree(tree: dict[str, Any], features: int) -> str:
    left, right = np.array(tree["left_children"]), np.array(tree["right_children"])
    count = len(left)
    reached = np.zeros(count, np.intp)
    front: Integers = np.zeros(1, np.intp)
    while len(front):
        np.add.at(reached, front, 1)
        if reached.max() > 1:
            return f"node {int(reached.argmax())} has two parents"
        front = front[left[front] != _LEAF]
        front = np.concatenate([left[front], right[front]])
        strange = front[(front <= 0) | (front >= count)]
        if len(strange):
            return f"node {int(strange[0])} is not one of its {count} nodes"
    return _fault_of_splits(tree, (reached > 0) & (left != _LEAF), features) or _fault_of_leaves(
        tree, (reached > 0) & (left == _LEAF)
    )


def _fault_of_splits(tree: dict[str, Any], splits: NDArray[np.bool_], features: int) -> str:
    used = np.array(tree["split_indices"])[splits]
    strange: Sequence[int] = used[(used < 0) | (used >= features)].tolist()
    return f"it splits by feature {strange[0]} of {features}" if strange else ""


def _fault_of_leaves(tree: dict[str, Any], leaves: NDArray[np.bool_]) -> str:
    """Return the fault of leaves of several values, which their right child numbers."""
    values = int(tree["tree_param"]["size_leaf_vector"])
    if values <= 1:
        return ""
    count = len(tree["leaf_weights"]) // values
    used = np.array(tree["right_children"])[leaves]
    strange = used[(used < 0) | (used >= count)]
    return f"leaf {int(strange[0])} is not one of its {count} leaves" if len(strange) else ""
