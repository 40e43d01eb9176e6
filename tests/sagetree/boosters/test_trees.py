"""A booster's trees, read some rounds at a time."""

from typing import Any

import numpy as np
import pytest
import xgboost

from sagetree.boosters.library import NativeBooster
from sagetree.boosters.trees import read_trees, trees_and_weights

KINDS: list[dict[str, Any]] = [
    {},
    {"objective": "multi:softprob", "num_class": 3, "num_parallel_tree": 2},
    {"booster": "dart", "rate_drop": 0.5, "verbosity": 0},
    {"max_depth": 0, "grow_policy": "lossguide", "max_leaves": 5},
]


def trained(rows: int, rounds: int, **params: Any) -> NativeBooster:
    random = np.random.default_rng(0)
    matrix = random.normal(size=(rows, 4)).astype(np.float32)
    matrix[:, 3] = random.integers(0, 5, rows)
    labels = random.integers(0, params.get("num_class", 2), rows)
    data = xgboost.DMatrix(
        matrix, labels, feature_types=["q", "q", "q", "c"], enable_categorical=True
    )
    made = xgboost.train({"objective": "binary:logistic", "nthread": 1, **params}, data, rounds)
    return NativeBooster(bytes(made.save_raw("ubj")))


def check(booster: NativeBooster) -> None:
    """Hold each tree to what XGBoost says about its round alone."""
    parts = list(read_trees(booster, most_splits=20))
    expected = [trees_and_weights(booster, number) for number in range(booster.rounds)]
    trees = [tree for model, _ in expected for tree in model["trees"]]
    weights = np.concatenate([weights for _, weights in expected])
    assert len(parts) > 1
    assert sum(len(part.roots) for part in parts) == len(trees)
    assert np.concatenate([part.outputs for part in parts]).tolist() == [
        output for model, _ in expected for output in model["tree_info"]
    ]
    values = [
        np.where(np.array(tree["left_children"]) < 0, np.float32(weight), np.float32(1))
        * np.array(tree["split_conditions"], np.float32)
        for tree, weight in zip(trees, weights, strict=True)
    ]
    np.testing.assert_array_equal(
        np.concatenate([part.value for part in parts]), np.concatenate(values)
    )
    assert sum(len(part.categories) for part in parts) == sum(
        len(tree["categories_nodes"]) for tree in trees
    )


@pytest.mark.parametrize("rounds", [10, 15, 16, 17, 40])
@pytest.mark.parametrize("params", KINDS, ids=str)
def test_trees_are_those_of_the_rounds(params: dict[str, Any], rounds: int) -> None:
    check(trained(300, rounds, **params))


def test_a_large_model_has_the_trees_of_its_rounds() -> None:
    check(trained(8000, 60, max_depth=14, min_child_weight=0))
