"""Leakage: what alone tells the label is found, what chance makes look alike is not."""

import numpy as np
import pytest

from sagetree.errors import DataError
from sagetree.train.examples.examples import Examples
from sagetree.train.examples.leakage import Leakage, column_auc, find_leakage, useless_columns

ROWS = 2000
RANDOM = np.random.default_rng(5)
LABELS = (RANDOM.random(ROWS) < 0.1).astype(np.float32)
NOISE = RANDOM.normal(size=ROWS).astype(np.float32)
NAN = np.float32("nan")


def examples(*columns: np.ndarray, labels: np.ndarray = LABELS) -> Examples:
    return Examples(np.stack(columns, axis=1).astype(np.float32), labels)


def suspects(*columns: np.ndarray, kind: str = "q", labels: np.ndarray = LABELS) -> tuple[str, ...]:
    names = [f"c{n}" for n in range(len(columns))]
    train = examples(*columns, labels=labels)
    return find_leakage(train, None, names, [kind] * len(columns), is_binary=True).suspects


TELLTALES = {
    "a number": (LABELS * 100 + NOISE, "q"),
    "the same, turned round": (NOISE - LABELS * 100, "q"),
    "both ends": (NOISE * (1 + 500 * LABELS), "q"),
    "only whether it is missing": (np.where(LABELS > 0, NAN, NOISE), "q"),
    "a category": (np.where(LABELS > 0, 3, RANDOM.integers(0, 3, ROWS)), "c"),
}


@pytest.mark.parametrize(("column", "kind"), TELLTALES.values(), ids=TELLTALES)
def test_a_column_that_tells_the_label_is_named(column: np.ndarray, kind: str) -> None:
    (suspect,) = suspects(column, kind=kind)
    assert suspect.startswith("column 'c0' alone tells the label (AUC ")


HARMLESS = {
    "noise": (NOISE, "q"),
    "a strong column": (LABELS * 2 + NOISE, "q"),
    "all categories different": (np.arange(ROWS), "c"),
    "nothing but missing": (np.full(ROWS, NAN), "q"),
    "one value": (np.zeros(ROWS), "q"),
    "few values missing": (np.where(np.arange(ROWS) % 50 == 0, NAN, NOISE), "q"),
}


@pytest.mark.parametrize(("column", "kind"), HARMLESS.values(), ids=HARMLESS)
def test_a_column_that_does_not_is_left_in_peace(column: np.ndarray, kind: str) -> None:
    assert suspects(column, kind=kind) == ()


def test_a_handful_of_positives_says_nothing() -> None:
    labels = np.zeros(ROWS, np.float32)
    labels[:15] = 1
    assert suspects(labels, labels=labels) == ()


def test_only_two_labels_have_an_auc() -> None:
    train = examples(LABELS)
    assert find_leakage(train, None, ["c"], ["q"], is_binary=False).suspects == ()


def test_the_auc_is_that_of_ranks() -> None:
    labels = np.array([0, 1] * 50, bool)
    values = np.tile([1, 2, 1, 1], 25).astype(np.float32)
    # of the positives half have 2, which no negative has: 1/2 won, 1/2 tied
    assert column_auc(values, labels, 48, is_category=False) == 0.75


def test_rows_of_validation_that_are_in_train_are_counted() -> None:
    train = examples(NOISE, np.where(LABELS > 0, NAN, 1))
    other = examples(NOISE + 100, LABELS)

    def found(validation: Examples) -> tuple[str, ...]:
        return find_leakage(train, validation, ["a", "b"], ["q", "q"], is_binary=False).suspects

    assert found(other) == ()
    assert found(other.joined(train.take(np.arange(15)))) == ()
    assert found(other.joined(train.take(np.arange(25)))) == (
        "25 of 2025 rows of validation are rows of train too",
    )
    otherwise_labelled = Examples(train.matrix, 1 - train.labels)
    assert found(otherwise_labelled) == ()


def test_rows_that_repeat_in_train_itself_may_repeat_in_validation() -> None:
    train = examples(np.arange(ROWS) % 7, np.arange(ROWS) % 3)
    assert find_leakage(train, train, ["a", "b"], ["q", "q"], is_binary=False).suspects == ()


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
