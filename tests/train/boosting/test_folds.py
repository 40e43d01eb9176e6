"""Folds: whose they equal, and that no row is scored by a model that has seen it or its like."""

from dataclasses import replace

import numpy as np
import pytest
import xgboost
from sklearn.model_selection import StratifiedKFold

from sagetree.boosters.objectives import OBJECTIVES
from sagetree.errors import DataError
from sagetree.tables.roles import RowRoles
from sagetree.train.boosting.folds import Splitter, rows_left_out
from sagetree.train.examples.examples import Examples

BINARY, MULTI, NUMBER = (
    OBJECTIVES[name] for name in ("binary:logistic", "multi:softprob", "reg:squarederror")
)


def examples(labels: np.ndarray, **roles: np.ndarray) -> Examples:
    matrix = np.arange(len(labels), dtype=np.float32)[:, None]
    return Examples(matrix, labels.astype(np.float32), RowRoles(**roles))


@pytest.mark.parametrize("classes", [2, 3, 5])
@pytest.mark.parametrize("seed", [0, 7])
def test_stratified_folds_are_scikit_learns(classes: int, seed: int) -> None:
    labels = np.random.default_rng(seed).integers(0, classes, 101)
    folds = Splitter(MULTI if classes > 2 else BINARY, 4, True, seed).split(examples(labels))
    theirs = StratifiedKFold(4, shuffle=True, random_state=seed).split(labels, labels)
    for (inside, outside), (their_inside, their_outside) in zip(folds, theirs, strict=True):
        np.testing.assert_array_equal(inside, their_inside)
        np.testing.assert_array_equal(outside, their_outside)


def test_plain_folds_are_those_of_xgboost_cv() -> None:
    labels = np.random.default_rng(1).normal(size=53)
    seen: list[np.ndarray] = []

    def keep(train, test, params):
        seen.append(test.get_label())
        return train, test, params

    data = xgboost.DMatrix(np.zeros((53, 1)), labels)
    xgboost.cv({"nthread": 1}, data, 1, nfold=5, seed=3, fpreproc=keep)
    folds = Splitter(NUMBER, 5, True, 3).split(examples(labels))
    for (inside, outside), theirs in zip(folds, seen, strict=True):
        np.testing.assert_array_equal(labels[outside].astype(np.float32), theirs)
        assert sorted([*inside, *outside]) == list(range(53))


def test_groups_are_never_split_and_folds_are_of_like_size() -> None:
    random = np.random.default_rng(0)
    groups = random.integers(0, 23, 400)
    folds = Splitter(NUMBER, 5, True, 0).split(examples(random.normal(size=400), groups=groups))
    for inside, outside in folds:
        assert not set(groups[inside]) & set(groups[outside])
        assert 70 <= len(outside) <= 90
        assert (np.diff(outside) > 0).all()  # rows of a query stay together
    np.testing.assert_array_equal(rows_left_out(folds), np.arange(400))


@pytest.mark.parametrize("ties", [1, 3, 40])
def test_in_time_every_fold_is_tested_on_what_comes_after_it(ties: int) -> None:
    random = np.random.default_rng(2)
    times = random.permutation(200) // ties * 1.5
    folds = Splitter(NUMBER, 4, True, 0).split(examples(random.normal(size=200), times=times))
    assert len(folds) == 4
    for inside, outside in folds:
        assert len(inside)
        assert times[inside].max() < times[outside].min()
    assert len(rows_left_out(folds)) < 200
    assert times[rows_left_out(folds)].max() == times.max()


@pytest.mark.parametrize(("objective", "stratified"), [(BINARY, True), (MULTI, False)])
@pytest.mark.parametrize("share", [None, 0.1])
def test_copies_are_on_one_side_and_distinct_rows_are_split_evenly(
    objective, stratified: bool, share: float | None
) -> None:
    random = np.random.default_rng(3)
    copies = random.permutation(np.concatenate([np.arange(100), np.repeat(np.arange(20), 10)]))
    rows = replace(examples(copies % 2), copies=copies)
    splitter = Splitter(objective, None if share else 4, stratified, 0)
    folds = splitter.split(rows) if share is None else [splitter.hold_out(rows, share)]
    for inside, outside in folds:
        assert not set(copies[inside]) & set(copies[outside])
        assert sorted([*inside, *outside]) == list(range(300))
        distinct = np.unique(copies[outside])
        assert len(distinct) == round(100 * (share or 0.25))
        if stratified:
            assert abs(np.sum(distinct % 2) - len(distinct) / 2) <= 1
    if share is None:
        np.testing.assert_array_equal(rows_left_out(folds), np.arange(300))


@pytest.mark.parametrize("role", ["groups", "times"])
def test_a_group_or_time_column_says_where_copies_are(role: str) -> None:
    values = np.arange(90) // 3
    rows = examples(np.arange(90) % 2, **{role: values * 1.0 if role == "times" else values})
    with_copies = replace(rows, copies=np.arange(90) % 45)
    splitter = Splitter(BINARY, 3, True, 0)
    for fold, other in zip(splitter.split(rows), splitter.split(with_copies), strict=True):
        np.testing.assert_array_equal(fold[1], other[1])


def test_repeats_differ_and_a_seed_repeats_them() -> None:
    rows = examples(np.arange(60) % 2)
    splitter = Splitter(BINARY, 3, True, 0)
    first, second = (splitter.split(rows, repeat=repeat)[0][1].tolist() for repeat in (0, 1))
    assert first != second
    assert splitter.split(rows)[0][1].tolist() == first


@pytest.mark.parametrize(
    "roles", [{}, {"times": np.arange(100.0)}, {"groups": np.arange(100) // 4}]
)
def test_a_hold_out_is_about_a_tenth(roles: dict[str, np.ndarray]) -> None:
    inside, outside = Splitter(BINARY, None, True, 0).hold_out(
        examples(np.arange(100) % 2, **roles), 0.1
    )
    assert 8 <= len(outside) <= 12
    assert not set(inside) & set(outside)


@pytest.mark.parametrize(
    ("rows", "objective", "folds", "text"),
    [
        (examples(np.arange(3)), NUMBER, 4, "there are 3 rows, too few for 4 folds"),
        (
            examples(np.arange(9), groups=np.arange(9) // 3),
            NUMBER,
            4,
            "there are 3 groups, too few for 4 folds",
        ),
        (
            examples(np.arange(9), times=np.arange(9) // 3 * 1.0),
            NUMBER,
            3,
            "there are 3 moments in time, too few for 4 folds",
        ),
        (
            examples(np.arange(9) % 9 == 0),
            BINARY,
            2,
            "the rarer label has 1 row, too few for 2 folds",
        ),
    ],
)
def test_too_few(rows: Examples, objective, folds: int, text: str) -> None:
    with pytest.raises(DataError) as caught:
        Splitter(objective, folds, True, 0).split(rows)
    assert caught.value.message == text
    assert str(caught.value).startswith("channel train: ")


def test_there_are_never_fewer_than_two_folds() -> None:
    with pytest.raises(DataError) as caught:
        Splitter(BINARY, 2, True, 0).split(examples(np.arange(9) % 9 == 0))
    assert str(caught.value) == (
        "channel train: the rarer label has 1 row, too few for 2 folds. Add rows of it, set "
        "neither nfold nor _kfold, or give a validation channel"
    )
    with pytest.raises(DataError) as caught:
        Splitter(BINARY, 2, True, 0).split(
            examples(np.array([0, 0, 1, 1]), groups=np.array([0, 0, 1, 1]))
        )
    assert str(caught.value) == "channel train: a fold has rows of one label only. Add rows"


@pytest.mark.parametrize(
    ("rows", "objective", "allowed"),
    [
        (examples(np.arange(1)), NUMBER, False),
        (examples(np.arange(2)), NUMBER, True),
        (examples(np.arange(9) % 9 == 0), BINARY, False),
        (examples(np.arange(10) % 9 == 0), BINARY, True),
        (examples(np.arange(9), groups=np.zeros(9, int)), NUMBER, False),
        (examples(np.arange(9), groups=np.arange(9) // 5), NUMBER, True),
        (examples(np.arange(9) // 5, groups=np.arange(9) // 5), BINARY, False),
        (examples(np.arange(9), times=np.arange(9) // 5 * 1.0), NUMBER, False),
        (examples(np.arange(9), times=np.arange(9) // 3 * 1.0), NUMBER, True),
        (replace(examples(np.arange(9)), copies=np.zeros(9, int)), NUMBER, False),
        (replace(examples(np.arange(9)), copies=np.arange(9) // 5), NUMBER, True),
        (replace(examples(np.arange(9) // 5), copies=np.arange(9) // 5), BINARY, False),
        (replace(examples(np.arange(9) % 3), copies=np.arange(9) % 3), MULTI, False),
        (replace(examples(np.arange(9) % 3), copies=np.arange(9) % 4), MULTI, True),
    ],
)
def test_whether_folds_can_be_made(rows: Examples, objective, allowed: bool) -> None:
    splitter = Splitter(objective, None, True, 0)
    assert splitter.allows_folds(rows) == allowed
    if allowed:
        assert len(splitter.split(rows)) >= 2


def test_groups_of_one_label_only() -> None:
    labels = np.repeat([0, 1, 0, 1], 5)
    with pytest.raises(DataError) as caught:
        Splitter(BINARY, 4, True, 0).split(examples(labels, groups=np.repeat(np.arange(4), 5)))
    assert str(caught.value) == (
        "channel train: a fold has rows of one label only. Lower nfold, or add rows"
    )
