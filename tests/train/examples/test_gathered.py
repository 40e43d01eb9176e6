"""Rows of several hosts on each of them, and a hold-out for which it is all one who has which."""

from itertools import chain

import numpy as np
import pytest
from numpy.typing import NDArray

from sagetree.boosters.objectives import objective_of
from sagetree.machine.program import LOG
from sagetree.tables.roles import RowRoles
from sagetree.train.boosting.folds import Fold, Splitter
from sagetree.train.examples.examples import Examples
from sagetree.train.examples.gathered import gathered
from sagetree.train.hosts.group import ONE, Group
from tests.train.hosts.threads import together

COUNT = 600


def rows(**roles: NDArray[np.generic]) -> Examples:
    """Return rows whose first feature is their number; the second half are copies of the first."""
    numbers = np.arange(COUNT) % (COUNT // 2)
    matrix = np.stack([numbers, numbers**2], axis=1).astype(np.float32)
    labels = (numbers % 3 == 0).astype(np.float32)
    return Examples(matrix, labels, RowRoles(**roles), copies=numbers)  # type: ignore[arg-type]


def shares(count: int, *, empty: bool = False) -> list[NDArray[np.intp]]:
    """Return which rows each host has; the first one may have none."""
    dealt = [np.arange(COUNT)[number :: count - empty] for number in range(count - empty)]
    return [np.empty(0, np.intp), *dealt] if empty else dealt


def numbers_of(examples: Examples) -> list[int]:
    return sorted(examples.matrix[:, 0].astype(int).tolist())


DEALT = [shares(2), shares(3), shares(3, empty=True)]


@pytest.mark.parametrize("dealt", DEALT)
def test_every_host_has_all_rows_and_what_is_known_of_them(dealt: list[NDArray[np.intp]]) -> None:
    every = rows(weight=np.arange(COUNT, dtype=np.float32))
    found = together(len(dealt), lambda group: gathered(group, every.take(dealt[group.rank])))
    order = np.concatenate(dealt)
    for examples in found:
        assert (examples.matrix == every.matrix[order]).all()
        assert (examples.labels == every.labels[order]).all()
        assert (examples.roles.weight == order).all()
    assert gathered(ONE, every) is every


@pytest.mark.parametrize("roles", [{}, {"groups": np.arange(COUNT) // 10}])
def test_of_very_many_rows_some_are_taken_the_same_however_they_are_dealt(
    caplog: pytest.LogCaptureFixture, roles: dict[str, NDArray[np.intp]]
) -> None:
    every, taken = rows(**roles), list[list[int]]()
    caplog.set_level("INFO", logger=LOG.name)
    for dealt in DEALT:

        def some(group: Group, dealt: list[NDArray[np.intp]] = dealt) -> Examples:
            return gathered(group, every.take(dealt[group.rank]), "channel validation", most=200)

        taken += map(numbers_of, together(len(dealt), some))
    assert all(other == taken[0] for other in taken)
    assert 150 < len(taken[0]) < 250
    if not roles:  # copies are taken together
        assert taken[0] == sorted(2 * sorted(set(taken[0])))
    told = "About 200 of the 600 rows of channel validation are taken, by their hashes"
    assert told in caplog.messages


@pytest.mark.parametrize(
    "roles",
    [
        {},
        {"groups": np.arange(COUNT) // 10},
        {"times": (np.arange(COUNT) // 4).astype(np.float64)},
    ],
)
def test_a_hold_out_is_the_same_however_rows_are_dealt(roles: dict[str, NDArray[np.intp]]) -> None:
    every = rows(**roles)
    splitter = Splitter(objective_of("binary:logistic"), None, stratified=True, seed=0)
    outside = []
    for dealt in DEALT:

        def left_out(group: Group, dealt: list[NDArray[np.intp]] = dealt) -> list[int]:
            own = every.take(dealt[group.rank])
            fold = splitter.hold_out_of(group, own, 0.1)
            assert fold is not None
            assert sorted(np.concatenate(fold).tolist()) == list(range(own.rows))
            return numbers_of(own.take(fold[1]))

        outside.append(sorted(chain(*together(len(dealt), left_out))))
    assert outside[1:] == outside[:1] * 2
    assert 30 <= len(outside[0]) <= 90
    if "times" in roles:
        assert outside[0] == list(range(COUNT // 2 - len(outside[0]), COUNT // 2))
    elif not roles:  # copies are held out together
        assert outside[0] == sorted(2 * sorted(set(outside[0])))


def test_rows_that_are_equal_and_no_copies_are_held_out_one_by_one() -> None:
    """Of the four rows that two columns of indicators can make, a tenth of each."""
    numbers = np.arange(4000)
    matrix = np.stack([numbers % 2, numbers // 2 % 2], axis=1).astype(np.float32)
    coarse = Examples(matrix, (numbers % 3 == 0).astype(np.float32))
    splitter = Splitter(objective_of("binary:logistic"), None, stratified=True, seed=0)

    def left_out(group: Group) -> NDArray[np.float32]:
        own = coarse.take(np.arange(group.rank, coarse.rows, group.size))
        fold = splitter.hold_out_of(group, own, 0.1)
        assert fold is not None
        return own.take(fold[1]).matrix

    _, counts = np.unique(np.concatenate(together(3, left_out)), axis=0, return_counts=True)
    assert ((counts > 60) & (counts < 140)).all()
    assert len(counts) == 4


@pytest.mark.parametrize("label", [0, 7])
def test_there_is_no_hold_out_without_both_labels_on_both_sides(label: int) -> None:
    """One row has another label: on whichever side, the other has none such."""
    every = rows()
    every = Examples(every.matrix, (every.matrix[:, 0] == label).astype(np.float32)).take(
        np.arange(COUNT // 2)
    )
    splitter = Splitter(objective_of("binary:logistic"), None, stratified=True, seed=0)

    def hold_out(group: Group) -> Fold | None:
        own = np.arange(every.rows)[group.rank :: group.size]
        return splitter.hold_out_of(group, every.take(own), 0.1)

    assert together(2, hold_out) == [None, None]


def test_another_seed_holds_out_other_rows() -> None:
    outside = []
    for seed in (0, 2**32 - 1):
        splitter = Splitter(objective_of("binary:logistic"), None, stratified=True, seed=seed)
        fold = splitter.hold_out_of(ONE, rows(), 0.1)
        assert fold is not None
        outside.append(set(fold[1].tolist()))
    assert len(outside[0] & outside[1]) < len(outside[0]) / 2
