"""A booster of anybody's becomes a bundle that serves as it predicts."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xgboost

from sagetree.bundle.bundle import ModelBundle
from sagetree.bundle.model import Model
from sagetree.errors import ArtifactError
from sagetree.export import save_booster
from sagetree.tables.label import ClassLabel, Label, NumberLabel
from sagetree.tables.table import Source, Table

ROWS = np.random.default_rng(0).normal(size=(60, 3)).astype(np.float32)
ROWS[::7, 1] = np.nan
LABELS = np.arange(60) % 3


def trained(objective: str, names: list[str] | None = None, **params: object) -> xgboost.Booster:
    labels = LABELS % 2 if objective.startswith("binary") else LABELS
    data = xgboost.DMatrix(ROWS, labels, feature_names=names)
    return xgboost.train({"objective": objective, "nthread": 1, **params}, data, 4)


NAMES = ["age", "amount", "days"]


@pytest.mark.parametrize(
    ("objective", "params", "label"),
    [
        ("binary:logistic", {}, Label(name="label", negative="0", positive="1")),
        ("multi:softprob", {"num_class": 3}, ClassLabel(name="label", classes=("0", "1", "2"))),
        ("reg:squarederror", {}, NumberLabel(name="label")),
    ],
)
def test_a_booster_becomes_a_bundle(
    objective: str, params: dict[str, object], label: object, tmp_path: Path
) -> None:
    booster = trained(objective, NAMES, **params)
    save_booster(booster, ROWS, tmp_path)
    model = Model.load(tmp_path)
    shuffled = Table(
        ("days", "age", "amount"), tuple(ROWS[:, i].tolist() for i in (2, 0, 1)), 60, True,
        (Source(60),),
    )  # fmt: skip
    expected = booster.predict(xgboost.DMatrix(ROWS, feature_names=NAMES))
    assert np.array_equal(model.score(shuffled), expected)
    assert model.schema.label == label
    assert len(ModelBundle.load(tmp_path).selfcheck.rows) == 20


def test_a_label_may_have_its_own_words(tmp_path: Path) -> None:
    booster = trained("binary:logistic", NAMES)
    save_booster(booster, ROWS.tolist(), tmp_path, label="fraud", classes=("no", "yes"))
    label = Model.load(tmp_path).schema.label
    assert label == Label(name="fraud", negative="no", positive="yes")


def test_without_names_columns_go_by_position(tmp_path: Path) -> None:
    save_booster(trained("binary:logistic"), ROWS, tmp_path)
    schema = Model.load(tmp_path).schema
    assert (schema.named, schema.input_names) == (False, ("f0", "f1", "f2"))


def test_what_a_bundle_cannot_hold_is_refused(tmp_path: Path) -> None:
    booster = trained("binary:logistic")
    with pytest.raises(ArtifactError) as caught:
        save_booster(booster, ROWS[:, :2], tmp_path)
    assert str(caught.value) == (
        "the booster has 3 features, and the rows are of shape (60, 2). "
        "Give some rows of its training matrix"
    )
    data = xgboost.DMatrix(
        np.abs(ROWS).round(), LABELS % 2, feature_types=["c", "q", "q"], enable_categorical=True
    )
    with pytest.raises(ArtifactError) as caught:
        save_booster(xgboost.train({"nthread": 1}, data, 1), ROWS, tmp_path)
    assert str(caught.value) == (
        "the booster has XGBoost's own categories, whose names a bundle cannot store. "
        "Turn them into numbers, or train with sagetree train"
    )
    assert not list(tmp_path.iterdir())


def test_the_columns_of_a_frame_are_found_by_name(tmp_path: Path) -> None:
    frame = pd.DataFrame(ROWS, columns=NAMES).assign(label="no", days=lambda f: f["days"].round())
    frame["days"] = frame["days"].astype("Int64").where(frame["days"] > 0)
    booster = trained("binary:logistic", NAMES)
    save_booster(booster, frame[["label", "days", "age", "amount"]], tmp_path)
    rows = ModelBundle.load(tmp_path).selfcheck.rows
    expected = frame[NAMES].astype(np.float32).to_numpy()[:20]
    assert np.array_equal(np.array(rows, np.float32), expected, equal_nan=True)


HINT = "Give the numbers that the booster was trained on, NaN where missing"


@pytest.mark.parametrize(
    ("rows", "text"),
    [
        (
            pd.DataFrame({"age": [1], "amount": ["CA"], "days": [2]}),
            "column 'amount': some values are not numbers: could not convert string to float: "
            f"'CA'. {HINT}",
        ),
        (
            pd.DataFrame({"age": [1], "amount": pd.Categorical(["CA"]), "days": [2]}),
            "column 'amount': some values are not numbers: could not convert string to float: "
            f"'CA'. {HINT}",
        ),
        (
            pd.DataFrame({"age": [1], "amount": [1], "days": np.zeros(1, "datetime64[us]")}),
            f"column 'days': some values are of type datetime64[us]. {HINT}",
        ),
        (
            [[1, "CA", 2]],
            f"some values are not numbers: could not convert string to float: 'CA'. {HINT}",
        ),
        (
            pd.DataFrame({"age": [1], "sum": [1], "days": [2]}),
            "the booster's feature 'amount' is missing from the rows' columns. "
            "Give some rows of its training matrix",
        ),
    ],
    ids=["words", "categories", "dates", "a list", "another name"],
)
def test_rows_that_are_no_numbers_are_refused(rows: object, text: str, tmp_path: Path) -> None:
    with pytest.raises(ArtifactError) as caught:
        save_booster(trained("binary:logistic", NAMES), rows, tmp_path)
    assert str(caught.value) == text
    assert not list(tmp_path.iterdir())


def test_categories_of_xgboosts_own_are_named_before_the_words_of_the_rows(tmp_path: Path) -> None:
    frame = pd.DataFrame({"state": pd.Categorical(["CA", "WA"] * 10)})
    data = xgboost.DMatrix(frame, [0, 1] * 10, enable_categorical=True)
    with pytest.raises(ArtifactError) as caught:
        save_booster(xgboost.train({"nthread": 1}, data, 1), frame, tmp_path)
    assert str(caught.value) == (
        "the booster has XGBoost's own categories, whose names a bundle cannot store. "
        "Turn them into numbers, or train with sagetree train"
    )
