"""What is asked of columns holds for each feature made of them, in the model that comes out."""

import numpy as np
import pytest
import xgboost

from sagetree.errors import SettingsError
from sagetree.features.category import Category, OneHot, Ordinal
from sagetree.features.moment import Moment
from sagetree.features.number import Number
from sagetree.features.pipeline import FeaturePipeline
from sagetree.tables.schema import Column, Kind, Schema
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


def schema(first_index: int = 0, **kinds: Kind) -> Schema:
    columns = tuple(Column(name=n, kind=k, missing=0, distinct=2) for n, k in kinds.items())
    return Schema(columns=columns, label=None, named=True, first_index=first_index)


# Columns keep their numbers where training leaves some out; one with a role has none.
SCHEMA = schema(
    policy="identifier",  # 0
    amount="number",
    share="weight",
    state="category",  # 2
    one="constant",
    kind="category",  # 4
    size="ordinal",
    note="dropped",
    seen="datetime",  # 7
)
NUMBERS = (
    "The columns are 0 'policy', 1 'amount', 2 'state', 3 'one', 4 'kind', 5 'size', 6 'note', "
    "7 'seen'; or name them"
)


def constraints(**texts: str) -> Constraints:
    return TrainSettings.of(texts).boosting.constraints


def test_columns_by_name_reach_every_feature_of_theirs() -> None:
    asked = constraints(
        monotone_constraints='{"amount": 1, "state": -1, "size": 1}',
        interaction_constraints='[["amount", "state"], ["seen"]]',
        feature_weights='{"state": 3, "kind": 0.5, "amount": 0}',
    )
    assert asked.params(SCHEMA, FEATURES) == {
        "monotone_constraints": "(1,-1,-1,0,1,0,0,0,0,0,0)",
        "interaction_constraints": "[[0, 1, 2], [5, 6, 7, 8, 9, 10]]",
    }
    weights = asked.feature_weights(FEATURES)
    assert weights is not None
    assert weights.tolist() == [0, 3, 3, 0.5, 1, 1, 1, 1, 1, 1, 1]  # 0: never drawn


@pytest.mark.parametrize(
    "text", ["(0, 1,-1,0,0,1,0,0)", "[0,1,-1,0,0,1,0,0]", "0,1,-1,1,0,1,1", "0,1,-1,0,0,1,"]
)
def test_the_official_tuple_goes_by_column_and_a_short_one_is_filled_with_0(text: str) -> None:
    params = constraints(monotone_constraints=text).params(SCHEMA, FEATURES)
    assert params["monotone_constraints"] == "(1,-1,-1,0,1,0,0,0,0,0,0)"


@pytest.mark.parametrize("text", ["[[1, 2], [5]]", "[[1,2,3],[6],[5, 0]]"])
def test_the_official_nested_list_goes_by_column(text: str) -> None:
    params = constraints(interaction_constraints=text).params(SCHEMA, FEATURES)
    assert params["interaction_constraints"] == "[[0, 1, 2], [4]]"


INDICES = {f"f{index}": "number" for index in range(1, 9)}
ABALONE = FeaturePipeline(
    missing_values=(),
    unknown_category="missing",
    features=tuple(Number(column=name) for name in INDICES),
)


@pytest.mark.parametrize(
    ("text", "directions"),
    [
        ("(0,1,0,0,0,0,0,0,-1)", "(1,0,0,0,0,0,0,-1)"),
        ("(1,1,1,1,1,1,1,1,1)", "(1,1,1,1,1,1,1,1)"),  # of 0 there is no cell
        ("(0,1)", "(1,0,0,0,0,0,0,0)"),
    ],
)
def test_numbers_of_libsvm_are_its_indices(text: str, directions: str) -> None:
    params = constraints(monotone_constraints=text, interaction_constraints="[[1,2],[3,4]]").params(
        schema(1, **INDICES), ABALONE
    )
    assert params == {
        "monotone_constraints": directions,
        "interaction_constraints": "[[0, 1], [2, 3]]",
    }


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (
            {"monotone_constraints": "(1,0,0,0,0,0,0,-1)"},
            "the first value of monotone_constraints is for column 0, which does not exist. ",
        ),
        (
            {"monotone_constraints": "(0,1,0,0,0,0,0,0,0,-1)"},
            "monotone_constraints has 10 values, and the numbers of columns end at 8. ",
        ),
        (
            {"interaction_constraints": "[[0,1]]"},
            "interaction_constraints names column 0, which does not exist. ",
        ),
    ],
)
def test_numbers_of_libsvm_that_name_nothing(texts: dict[str, str], message: str) -> None:
    with pytest.raises(SettingsError) as caught:
        constraints(**texts).params(schema(1, **INDICES), ABALONE)
    assert str(caught.value) == message + (
        "The columns are 1 'f1', 2 'f2', 3 'f3', 4 'f4', 5 'f5', 6 'f6', 7 'f7', 8 'f8'; "
        "or name them"
    )


def test_of_many_numbers_the_last_is_shown_too() -> None:
    many = schema(**{f"c{number}": "number" for number in range(40)})
    with pytest.raises(SettingsError) as caught:
        constraints(interaction_constraints="[[40]]").params(many, ABALONE)
    shown = ", ".join(f"{number} 'c{number}'" for number in range(19))
    assert str(caught.value) == (
        "interaction_constraints names column 40, which does not exist. "
        f"The columns are {shown}, ..., 39 'c39'; or name them"
    )


def test_nothing_asked_is_nothing_set() -> None:
    assert constraints().params(SCHEMA, FEATURES) == {}
    assert constraints().feature_weights(FEATURES) is None


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (
            {"monotone_constraints": '{"amont": 1}'},
            "monotone_constraints names 'amont' (did you mean 'amount'?), which the model does "
            "not use. "
            "The columns are 'amount', 'state', 'kind', 'size', 'seen'",
        ),
        (
            {"monotone_constraints": "(1,0,0,0,0,0,0,0,0)"},
            f"monotone_constraints has 9 values, and the numbers of columns end at 7. {NUMBERS}",
        ),
        (
            {"monotone_constraints": "(0,0,0,0,1)"},
            "monotone_constraints gives a direction to 'kind', whose categories have no order. "
            "Give them one with ordinal_columns, or set encoding=onehot",
        ),
        (
            {"monotone_constraints": '{"kind": 1}'},
            "monotone_constraints gives a direction to 'kind', whose categories have no order. "
            "Give them one with ordinal_columns, or set encoding=onehot",
        ),
        (
            {"interaction_constraints": '[["amount", "stat"]]'},
            "interaction_constraints names 'stat' (did you mean 'state'?), which the model does "
            "not use. "
            "The columns are 'amount', 'state', 'kind', 'size', 'seen'",
        ),
        (
            {"interaction_constraints": "[[0, 8]]"},
            f"interaction_constraints names column 8, which does not exist. {NUMBERS}",
        ),
        (
            {"interaction_constraints": "[[0], [3, 6]]"},
            "interaction_constraints names only columns that are left out of training. "
            "The columns in training are 'amount', 'state', 'kind', 'size', 'seen'",
        ),
        (
            {"feature_weights": '{"amont": 2}'},
            "feature_weights names 'amont' (did you mean 'amount'?), which the model does "
            "not use. "
            "The columns are 'amount', 'state', 'kind', 'size', 'seen'",
        ),
    ],
)
def test_columns_and_features_that_are_not_there(texts: dict[str, str], message: str) -> None:
    asked = constraints(**texts)
    with pytest.raises(SettingsError) as caught:
        asked.feature_weights(FEATURES) if asked.weights else asked.params(SCHEMA, FEATURES)
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
    ).params(schema(x="number", y="number"), features)
    data = xgboost.DMatrix(matrix, labels, nthread=1)
    booster = xgboost.train({"max_depth": 4, "nthread": 1, **asked}, data, 5)
    line = np.column_stack([np.linspace(-2, 2, 50), np.zeros(50)])
    assert (np.diff(booster.inplace_predict(line)) >= 0).all()
    used = [set(tree.split()) for tree in booster.get_dump(dump_format="text")]
    assert all(len({f for f in ("f0", "f1") if any(f in w for w in tree)}) < 2 for tree in used)
