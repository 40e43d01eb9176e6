"""The two ways to SHAP values, held equal on random models of every kind of plain trees."""

from typing import Any

import numpy as np
import pytest
import xgboost
from hypothesis import given, settings
from hypothesis import strategies as st

from sagetree.boosters.explainer import Explainer
from sagetree.boosters.library import CONTRIBUTIONS, MARGIN, Matrix, NativeBooster

CLASSES = 3

# Labels, and how many outputs they make.
OBJECTIVES = {
    "reg:squarederror": 1,
    "reg:absoluteerror": 1,
    "reg:tweedie": 1,
    "binary:logistic": 1,
    "multi:softprob": CLASSES,
}

# Of the largest number in a row: both ways add up float32 in another order.
TOLERANCE = 2e-5

models = st.fixed_dictionaries(
    {
        "objective": st.sampled_from(sorted(OBJECTIVES)),
        "max_depth": st.integers(1, 9),
        "eta": st.sampled_from([0.05, 0.3, 1.0]),
        "min_child_weight": st.sampled_from([0.5, 1, 5]),
        "lambda": st.sampled_from([0.1, 1, 10]),
        "gamma": st.sampled_from([0, 0.5]),
        "subsample": st.sampled_from([0.5, 1]),
        "colsample_bynode": st.sampled_from([0.5, 1]),
        "num_parallel_tree": st.sampled_from([1, 3]),
        "grow_policy": st.sampled_from(["depthwise", "lossguide"]),
        "max_cat_to_onehot": st.sampled_from([1, 4, 100]),
        "seed": st.integers(0, 2**16),
    }
)


def rows_of(seed: int, count: int, numbers: int, categories: int, missing: float) -> Matrix:
    """Rows whose last `categories` features are codes; the share `missing` of cells is NaN."""
    source = np.random.default_rng(seed)
    width = numbers + categories
    rows = source.normal(size=(count, width)).round(1).astype(np.float32)
    rows[:, numbers:] = source.integers(0, 40, (count, categories))
    rows[source.random(rows.shape) < missing] = np.nan
    return rows


def trained(rows: Matrix, kinds: list[str], params: dict[str, Any], rounds: int) -> NativeBooster:
    """A booster that learns a label with some noise."""
    source = np.random.default_rng(params["seed"])
    known = np.nan_to_num(rows)
    label = known[:, 0] * known[:, -1] + source.normal(size=len(rows))
    if params["objective"] == "multi:softprob":
        label = np.digitize(label, np.quantile(label, [0.3, 0.6]))
        params = params | {"num_class": CLASSES}
    elif params["objective"] == "binary:logistic":
        label = label > 0
    elif params["objective"] == "reg:tweedie":
        label = np.maximum(label, 0)
    data = xgboost.DMatrix(rows, label, feature_types=kinds, enable_categorical=True)
    booster = xgboost.train({"nthread": 1, **params}, data, rounds)
    return NativeBooster(bytes(booster.save_raw("ubj")))


@pytest.mark.long
@settings(max_examples=400)
@given(
    params=models,
    rounds=st.integers(1, 20),
    numbers=st.integers(1, 12),
    categories=st.integers(0, 4),
    missing=st.sampled_from([0, 0.1, 0.7]),
)
def test_both_ways_give_the_same_contributions(
    params: dict[str, Any], rounds: int, numbers: int, categories: int, missing: float
) -> None:
    kinds = ["q"] * numbers + ["c"] * categories
    rows = rows_of(params["seed"], 300, numbers, categories, missing)
    booster = trained(rows, kinds, params, rounds)
    outputs = OBJECTIVES[params["objective"]]
    asked = rows_of(params["seed"] + 1, 40, numbers, categories, missing)
    ours, theirs = (
        Explainer(booster, outputs, method).contributions(asked)
        for method in ("sagetree", "xgboost")
    )
    assert theirs.tobytes() == booster.predict(asked, CONTRIBUTIONS).tobytes()
    scale = TOLERANCE * np.abs(theirs).max(axis=-1, keepdims=True)
    assert (np.abs(ours - theirs) <= scale + 1e-6).all()
    margins = booster.predict_in_place(asked, MARGIN)
    assert (np.abs(ours.sum(axis=-1) - margins) <= scale[..., 0] + 1e-5).all()


def test_the_librarys_way_needs_no_preparation_and_is_its_own_answer() -> None:
    rows = rows_of(1, 300, 3, 2, 0.1)
    params = {"objective": "reg:squarederror", "seed": 1}
    booster = trained(rows, ["q"] * 3 + ["c"] * 2, params, 5)
    explainer = Explainer(booster, 1, "xgboost")
    assert (explainer.is_possible, explainer.is_ready) == (True, True)
    found = explainer.contributions(rows)
    assert found.tobytes() == booster.predict(rows, CONTRIBUTIONS).tobytes()
