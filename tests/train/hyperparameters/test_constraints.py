"""What is asked of columns holds for each feature made of them, in the model that comes out."""

import numpy as np
import pytest
import xgboost

from sagetree.errors import SettingsError
from sagetree.features.category import Category, OneHot, Ordinal
from sagetree.features.moment import Moment
from sagetree.features.number import Number
from sagetree.features.pipeline import FeaturePipeline
from sagetree.train.hyperparameters.constraints import Constraints
from sagetree.train.settings.settings import TrainSettings

FEATURES = FeaturePipeline(
    missing_values=(),
    unknown_category="missing",
    features=(
        Number(column="amount"),
        OneHot(column="state", categories=("OR", "WA")),
        Category(column="kind", categories=("a", "b")),
        Ordinal(column="size", categories=("S", "M")),
        Moment(column="seen"),
    ),
)
M = len(FEATURES.names)


def constraints(**texts: str) -> Constraints:
    return TrainSettings.of(texts).boosting.constraints


def test_columns_by_name_reach_every_feature_of_theirs() -> None:
    asked = constraints(
        monotone_constraints='{"amount": 1, "state": -1, "size": 1}',
        interaction_constraints='[["amount", "state"], ["seen"]]',
        feature_weights='{"state": 3, "kind": 0.5, "amount": 0}',
    )
    assert asked.params(FEATURES) == {
        "monotone_constraints": "(1,-1,-1,0,1,0,0,0,0,0,0)",
        "interaction_constraints": "[[0, 1, 2], [5, 6, 7, 8, 9, 10]]",
    }
    weights = asked.feature_weights(FEATURES)
    assert weights is not None
    assert weights.tolist() == [0, 3, 3, 0.5, 1, 1, 1, 1, 1, 1, 1]  # 0: never drawn


@pytest.mark.parametrize(
    "text", ["(1, -1,-1,0,0,0,0,0,0,0,0)", "[1,-1,-1,0,0,0,0,0,0,0,0]", "1,-1,-1,0,0,0,0,0,0,0,0,"]
)
def test_the_official_tuple_goes_by_feature(text: str) -> None:
    params = constraints(monotone_constraints=text).params(FEATURES)
    assert params["monotone_constraints"] == "(1,-1,-1,0,0,0,0,0,0,0,0)"


@pytest.mark.parametrize("text", ["[[0, 1], [9]]", "[[0,1],[9]]"])
def test_the_official_nested_list_counts_features_from_0(text: str) -> None:
    params = constraints(interaction_constraints=text).params(FEATURES)
    assert params["interaction_constraints"] == "[[0, 1], [9]]"


def test_nothing_asked_is_nothing_set() -> None:
    assert constraints().params(FEATURES) == {}
    assert constraints().feature_weights(FEATURES) is None


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (
            {"monotone_constraints": '{"amont": 1}'},
            "monotone_constraints names 'amont', which the model does not use. "
            "The columns are 'amount', 'state', 'kind', 'size', 'seen'",
        ),
        (
            {"monotone_constraints": "(1,0)"},
            "monotone_constraints has 2 values for 11 features. The features are amount, "
            "state=OR, state=WA, kind, size, seen.days, seen.year, seen.month, seen.day, "
            "seen.weekday, seen.hour",
        ),
        (
            {"monotone_constraints": '{"kind": 1}'},
            "monotone_constraints gives a direction to 'kind', whose categories have no order. "
            "Give them one with ordinal_columns, or set encoding=onehot",
        ),
        (
            {"interaction_constraints": '[["amount", "stat"]]'},
            "interaction_constraints names 'stat', which the model does not use. "
            "The columns are 'amount', 'state', 'kind', 'size', 'seen'",
        ),
        (
            {"interaction_constraints": "[[0, 11]]"},
            "interaction_constraints names feature 11 of 11. "
            "Features count from 0; better name columns",
        ),
        (
            {"feature_weights": '{"amont": 2}'},
            "feature_weights names 'amont', which the model does not use. "
            "The columns are 'amount', 'state', 'kind', 'size', 'seen'",
        ),
    ],
)
def test_columns_and_features_that_are_not_there(texts: dict[str, str], message: str) -> None:
    asked = constraints(**texts)
    method = asked.feature_weights if asked.weights else asked.params
    with pytest.raises(SettingsError) as caught:
        method(FEATURES)
    assert str(caught.value) == message


def test_xgboost_heeds_them() -> None:
    random = np.random.default_rng(0)
    matrix = random.normal(size=(300, 2)).astype(np.float32)
    labels = np.sin(2 * matrix[:, 0]) + matrix[:, 0] * matrix[:, 1]
    features = FeaturePipeline(
        missing_values=(),
        unknown_category="missing",
        features=(Number(column="x"), Number(column="y")),
    )
    asked = constraints(
        monotone_constraints='{"x": 1}', interaction_constraints='[["x"], ["y"]]'
    ).params(features)
    data = xgboost.DMatrix(matrix, labels, nthread=1)
    booster = xgboost.train({"max_depth": 4, "nthread": 1, **asked}, data, 5)
    line = np.column_stack([np.linspace(-2, 2, 50), np.zeros(50)])
    assert (np.diff(booster.inplace_predict(line)) >= 0).all()
    used = [set(tree.split()) for tree in booster.get_dump(dump_format="text")]
    assert all(len({f for f in ("f0", "f1") if any(f in w for w in tree)}) < 2 for tree in used)
