"""Missing cells of features that training had whole: they follow most of its rows."""

import json
from typing import Any

import numpy as np
import pytest
import xgboost

from sagetree.boosters.directions import send_missing_to_most

RANDOM = np.random.default_rng(0)
X = np.column_stack([RANDOM.random((400, 3)), RANDOM.integers(0, 5, 400)]).astype(np.float32)
LABELS = (X[:, 0] + X[:, 1] > 1.3).astype(int) + (X[:, 3] == 2)
TYPES = ["q", "q", "q", "c"]

KINDS: dict[str, dict[str, Any]] = {
    "trees": {"objective": "reg:squarederror"},
    "classes": {"objective": "multi:softprob", "num_class": 3},
    "vectors": {
        "objective": "multi:softprob",
        "num_class": 3,
        "multi_strategy": "multi_output_tree",
    },
    "dart": {"objective": "reg:squarederror", "booster": "dart", "rate_drop": 0.2},
}


def trained(data: xgboost.DMatrix, **params: object) -> xgboost.Booster:
    return xgboost.train({"nthread": 1, "max_depth": 3, **params}, data, 5)


def trees(model: bytes) -> list[dict[str, Any]]:
    raw = bytes(xgboost.Booster(model_file=bytearray(model)).save_raw("json"))
    found = json.loads(raw)["learner"]["gradient_booster"]
    return found.get("gbtree", found)["model"]["trees"]


@pytest.mark.parametrize("kind", KINDS)
def test_the_missing_follow_most_rows(kind: str) -> None:
    types = None if kind == "vectors" else TYPES  # which XGBoost has not for categories
    data = xgboost.DMatrix(X, LABELS, feature_types=types, enable_categorical=True)
    booster = trained(data, **KINDS[kind])
    before = bytes(booster.save_raw("ubj"))
    some = np.array([True, False, True, True])
    after = send_missing_to_most(before, some)
    for old, new in zip(trees(before), trees(after), strict=True):
        for node, left in enumerate(old["left_children"]):
            right = old["right_children"][node]
            if left >= 0 and some[old["split_indices"][node]]:
                most = old["sum_hessian"][left] >= old["sum_hessian"][right]
                assert new["default_left"][node] == int(most)
            else:
                assert new["default_left"][node] == old["default_left"][node]
        assert {**old, "default_left": 0} == {**new, "default_left": 0}
    assert {tuple(tree["default_left"]) for tree in trees(before)} != {
        tuple(tree["default_left"]) for tree in trees(after)
    }
    served = xgboost.Booster(model_file=bytearray(after))
    np.testing.assert_array_equal(served.predict(data), booster.predict(data))


def test_nothing_else_changes() -> None:
    data = xgboost.DMatrix(X, LABELS)
    model = bytes(trained(data).save_raw("ubj"))
    assert send_missing_to_most(model, np.zeros(4, np.bool_)) == model
    linear = xgboost.train({"booster": "gblinear", "nthread": 1}, data, 2)
    model = bytes(linear.save_raw("ubj"))
    assert send_missing_to_most(model, np.ones(4, np.bool_)) == model
