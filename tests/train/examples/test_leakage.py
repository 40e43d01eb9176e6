"""Leakage: rows of train in another channel are found, what chance makes look alike is not."""

import numpy as np
import pytest

from sagetree.bundle.training_rows import TrainingRows
from sagetree.errors import DataError
from sagetree.features.number import Number
from sagetree.features.pipeline import FeaturePipeline
from sagetree.train.examples.examples import Examples
from sagetree.train.examples.leakage import Leakage, find_leakage, hashes_of, useless_columns

ROWS = 2000
RANDOM = np.random.default_rng(5)
LABELS = (RANDOM.random(ROWS) < 0.1).astype(np.float32)
NOISE = RANDOM.normal(size=ROWS).astype(np.float32)
NAN = np.float32("nan")


def examples(*columns: np.ndarray, labels: np.ndarray = LABELS) -> Examples:
    return Examples(np.stack(columns, axis=1).astype(np.float32), labels)


def found(train: Examples, **others: Examples) -> tuple[str, ...]:
    """Return what looks like leakage between channels of two numbers."""
    numbers = tuple(Number(column=f"c{n}") for n in range(train.width))
    features = FeaturePipeline(missing_values=(), unknown_category="missing", features=numbers)
    known = TrainingRows.of(hashes_of(train).rows)
    return find_leakage(train, others, known, features, "binary").suspects


def test_rows_of_other_channels_that_are_in_train_are_counted() -> None:
    train = examples(NOISE, np.where(LABELS > 0, NAN, 1)[::-1])
    other = examples(NOISE + 100, LABELS[::-1])
    assert found(train, validation=other) == ()
    assert found(train, validation=other.joined(train.take(np.arange(15)))) == ()
    repeating = other.joined(train.take(np.arange(25)))
    assert found(train, validation=repeating, test=train) == (
        "25 of 2025 rows of validation are rows of train too",
        "2000 of 2000 rows of test are rows of train too",
    )
    otherwise_labelled = Examples(train.matrix, 1 - train.labels)
    assert found(train, test=otherwise_labelled) == ()


def test_rows_that_repeat_in_train_itself_may_repeat_in_another_channel() -> None:
    train = examples(np.arange(ROWS) % 7, np.arange(ROWS) % 3)
    assert found(train, validation=train, test=train.take(np.arange(30))) == ()


def test_columns_good_for_nothing_are_named() -> None:
    empty = np.where(np.arange(ROWS) < 5, 1, NAN)
    assert useless_columns(examples(NOISE, empty, NOISE, LABELS), ["a", "b", "c", "d"]) == [
        f"column 'b' has a value in 5 of {ROWS} rows",
        "column 'c' holds the same as 'a'",
    ]


def test_leakage_is_an_error_only_where_it_is_asked_for() -> None:
    Leakage(("column 'x' tells",)).check(fails=False)
    Leakage(()).check(fails=True)
    with pytest.raises(DataError) as caught:
        Leakage(("column 'x' tells", "rows repeat")).check(fails=True)
    assert str(caught.value) == (
        "channel train: column 'x' tells; rows repeat. List such columns in drop_columns, and "
        "split by key (sagetree prepare does); or set fail_on_leakage=false if all of it is "
        "known before the label is"
    )
