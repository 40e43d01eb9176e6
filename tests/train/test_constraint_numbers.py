"""Constraints by number mean the data's own columns, in the trees of a real job."""

import numpy as np
import pytest
import xgboost

from tests.train.conftest import Job, Ran

RANDOM = np.random.default_rng(4)
MATRIX = RANDOM.integers(1, 60, size=(400, 6)).astype(float)
PRODUCTS = MATRIX[:, 0] * MATRIX[:, 1] + MATRIX[:, 2] * MATRIX[:, 3] + MATRIX[:, 4] * MATRIX[:, 5]
LABELS = PRODUCTS + MATRIX @ [1, 5, 25, 125, 40, 2]
SETTINGS = {
    "objective": "reg:squarederror",
    "preset": "xgboost",
    "num_round": 20,
    "tree_method": "exact",
}


def libsvm() -> str:
    rows = zip(LABELS, MATRIX, strict=True)
    return "".join(
        f"{label:g} {' '.join(f'{i}:{v:g}' for i, v in enumerate(row, 1))}\n" for label, row in rows
    )


def csv() -> str:
    """A third column is constant, and left out of training."""
    rows = zip(LABELS, np.insert(MATRIX, 2, 7, axis=1), strict=True)
    return "".join(f"{label:g},{','.join(f'{v:g}' for v in row)}\n" for label, row in rows)


def booster_of(ran: Ran) -> xgboost.Booster:
    assert ran.code == 0, ran.log
    return xgboost.Booster(model_file=bytearray((ran.opt_ml.model / "xgboost-model").read_bytes()))


def together(booster: xgboost.Booster) -> set[frozenset[str]]:
    """Return the pairs of columns that stand in one branch."""
    frame = booster.trees_to_dataframe()
    parents = {
        child: node for node, *children in frame[["ID", "Yes", "No"]].values for child in children
    }
    features = dict(frame[["ID", "Feature"]].values)
    pairs = set()
    for node, feature in features.items():
        above = parents.get(node)
        while above is not None and feature != "Leaf":
            pairs.add(frozenset({feature, features[above]}))
            above = parents.get(above)
    return {pair for pair in pairs if len(pair) > 1}


@pytest.mark.parametrize(
    ("file", "content", "asked", "pairs"),
    [
        ("a.libsvm", libsvm(), "[[1,2],[3,4]]", {("f1", "f2"), ("f3", "f4")}),
        pytest.param("a.csv", csv(), "[[3,4]]", {("f3", "f4")}, marks=pytest.mark.long),
        ("a.csv", csv(), "[[0,1,2],[2,5,6]]", {("f0", "f1"), ("f5", "f6")}),
    ],
)
def test_only_the_pairs_that_are_asked_for_meet(
    job: Job, file: str, content: str, asked: str, pairs: set[tuple[str, str]]
) -> None:
    ran = job({"train": {file: content}}, {**SETTINGS, "interaction_constraints": asked})
    assert together(booster_of(ran)) == set(map(frozenset, pairs))


def test_the_tuple_is_xgboosts_own_of_the_whole_matrix(job: Job) -> None:
    """XGBoost reads libsvm from index 0: a column more than there are, and always empty."""
    directions = "(0,1,1,-1,0,0,-1)"
    ran = job({"train": {"a.libsvm": libsvm()}}, {**SETTINGS, "monotone_constraints": directions})
    whole = np.insert(MATRIX, 0, np.nan, axis=1).astype(np.float32)
    data = xgboost.DMatrix(whole, LABELS.astype(np.float32), nthread=1)
    params = {"tree_method": "exact", "nthread": 1, "monotone_constraints": directions}
    expected = xgboost.train(params, data, 20).predict(data)
    found = booster_of(ran)
    mine = found.predict(xgboost.DMatrix(MATRIX, feature_names=found.feature_names))
    np.testing.assert_allclose(mine, expected, rtol=1e-5)
