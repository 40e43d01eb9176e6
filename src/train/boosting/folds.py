"""Rows inside and held-out rows: the folds of cross-validation, and one hold-out.

Without a group or time column they are those scikit-learn (stratified) and
xgboost.cv (not stratified) make for the same seed; tests compare. Of rows that are
copies of each other one is split so, and the others are where it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sagetree.boosters.objectives import Objective
from sagetree.errors import DataError
from sagetree.train.examples.examples import Examples, Rows
from sagetree.train.examples.gathered import MOST_GATHERED, unit_hashes
from sagetree.train.hosts.group import Group

DEFAULT_FOLDS = 5
LEAST_FOLDS = 2

# How often rows are dealt anew by a hash, where one side of a hold-out lacks a label.
_CHOICES = 20

# Rows inside, held-out rows.
Fold = tuple[Rows, Rows]


@dataclass(frozen=True)
class Splitter:
    """How rows are split: `folds` None takes as many as the rows allow, `most` at most."""

    objective: Objective
    folds: int | None
    stratified: bool
    seed: int
    most: int = DEFAULT_FOLDS

    def split(self, examples: Examples, *, repeat: int = 0) -> list[Fold]:
        """Return the folds; each further `repeat` gives others.

        Raises DataError for rows that are too few or too unlike for them.
        """
        copies = _copies(examples)
        if copies is None:
            return self._split(examples, repeat, "row")
        _, first, row = np.unique(copies, return_index=True, return_inverse=True)
        folds = self._split(examples.take(first), repeat, "distinct row")
        numbers = np.empty(len(first), np.intp)
        for number, (_, outside) in enumerate(folds):
            numbers[outside] = number
        return _folds(numbers[row], len(folds))

    def _split(self, examples: Examples, repeat: int, unit: str) -> list[Fold]:
        """Return the folds of rows, which an error calls `unit`."""
        roles, seed = examples.roles, (self.seed + repeat) % 2**32
        if roles.times is not None:
            folds = self._in_time(roles.times)
        elif roles.groups is not None:
            folds = self._of_groups(roles.groups, seed)
        elif self.stratified and self.objective.is_classification:
            folds = self._stratified(examples.labels.astype(np.intp), seed, unit)
        else:
            folds = self._shuffled(examples.rows, seed, unit)
        if self.objective.task == "binary":
            _check_both_labels(examples, folds, named=roles.groups is None and roles.times is None)
        return folds

    def allows_folds(self, examples: Examples) -> bool:
        """Say whether two folds could be made of the rows, each with both of two labels.

        Of copies in several classes, one class needs to be known by rows of both folds.
        """
        copies = _copies(examples)
        if copies is not None:  # `split` goes by the label of the first
            examples = examples.take(np.unique(copies, return_index=True)[1])
        roles, least = examples.roles, LEAST_FOLDS
        units: NDArray[Any] = np.arange(examples.rows)
        is_of_classes = copies is not None and self.objective.task == "multiclass"
        if is_of_classes and np.bincount(examples.labels.astype(np.intp)).max() < LEAST_FOLDS:
            return False
        if roles.times is not None:
            units, least = roles.times, LEAST_FOLDS + 1  # no fold leaves out the first moments
        elif roles.groups is not None:
            units = roles.groups
        if self.objective.task == "binary":
            parts = [units[examples.labels == label] for label in (0, 1)]
            if min(len(np.unique(part)) for part in parts) < LEAST_FOLDS:
                return False
        return len(np.unique(units)) >= least

    def hold_out(self, examples: Examples, share: float) -> Fold:
        """Return one fold that leaves out about `share` of the rows; in time, the last ones."""
        one = replace(self, folds=None, most=round(1 / share))
        return one.split(examples)[-1]

    def hold_out_of(self, group: Group, examples: Examples, share: float) -> Fold | None:
        """Return the fold of this host that leaves out about `share` of all hosts' rows.

        Each row, or group of rows, is chosen by its hash, in time the last ones are. None
        where either side would have no row, or rows of one of two labels only.
        """
        if examples.roles.times is not None:
            outside = self._is_last(group, examples.roles.times, share)
            return _fold_of(outside) if self._are_sides(group, examples, outside) else None
        for choice in range(_CHOICES):  # by chance, the few rows of a label are on one side
            outside = unit_hashes(examples, (self.seed + choice) % 2**32) < share
            if self._are_sides(group, examples, outside):
                return _fold_of(outside)
        return None

    def _is_last(self, group: Group, times: NDArray[np.float64], share: float) -> NDArray[np.bool_]:
        """Say which rows (n) come last, of all hosts' about `share`; rows of a moment are alike."""
        some = int(group.total(np.array([len(times)]))[0]) // MOST_GATHERED + 1
        known = np.sort(group.gather_rows(np.sort(times)[::some]))
        if not len(known):
            return np.zeros(0, np.bool_)
        last = min(float(np.quantile(known, 1 - share)), float(known[-1]))
        earlier = known[known < known[-1]]
        return times > (last if last < known[-1] or not len(earlier) else earlier[-1])

    def _are_sides(self, group: Group, examples: Examples, outside: NDArray[np.bool_]) -> bool:
        """Say whether all hosts together have rows of each label on both sides."""
        is_binary = self.objective.task == "binary"
        kinds = examples.labels.astype(np.intp) if is_binary else np.zeros(examples.rows, np.intp)
        sides = np.bincount(2 * kinds + outside, minlength=4 if is_binary else 2)
        return bool(group.total(sides).all())

    def _stratified(self, labels: Rows, seed: int, unit: str) -> list[Fold]:
        counts = np.bincount(labels)
        rarest = int(counts[counts > 0].min())
        nfold = self.folds or max(2, min(self.most, rarest))
        if self.objective.task == "binary" and rarest < nfold:
            raise DataError(
                f"the rarer label has {rarest} {unit}{'' if rarest == 1 else 's'}, too few for "
                f"{nfold} folds",
                where="channel train",
                hint=f"Add rows of it, {_fewer(nfold)}, or give a validation channel",
            )
        _check_count(len(labels), nfold, f"{unit}s")
        return _folds(stratified_numbers(labels, nfold, seed), nfold)

    def _shuffled(self, rows: int, seed: int, unit: str) -> list[Fold]:
        nfold = self.folds or max(2, min(self.most, rows))
        _check_count(rows, nfold, f"{unit}s")
        order = np.random.RandomState(seed).permutation(rows)
        outside = np.array_split(order, nfold)
        inside = [np.concatenate([*outside[:k], *outside[k + 1 :]]) for k in range(nfold)]
        return list(zip(inside, outside, strict=True))

    def _of_groups(self, groups: Rows, seed: int) -> list[Fold]:
        """Put whole groups into folds of about equal size, the largest groups first."""
        names, numbers = np.unique(groups, return_inverse=True)
        nfold = self.folds or max(2, min(self.most, len(names)))
        _check_count(len(names), nfold, "groups")
        sizes = np.bincount(numbers)
        shuffled = np.random.RandomState(seed).permutation(len(names))
        fold_of = np.empty(len(names), np.intp)
        filled = np.zeros(nfold, np.intp)
        for group in shuffled[np.argsort(-sizes[shuffled], kind="stable")]:
            fold_of[group] = np.argmin(filled)
            filled[fold_of[group]] += sizes[group]
        return _folds(fold_of[numbers], nfold)

    def _in_time(self, times: NDArray[np.float64]) -> list[Fold]:
        """Cut time into blocks; each but the first is left out by a fold of those before it."""
        moments, numbers = np.unique(times, return_inverse=True)
        nfold = self.folds or max(2, min(self.most, len(moments) - 1))
        _check_count(len(moments), nfold, "moments in time", before=1)
        # Rows of one moment are never on both sides: a block ends where a moment does.
        before = np.cumsum(np.bincount(numbers))
        ends = np.searchsorted(before, len(times) * np.arange(1, nfold + 1) / (nfold + 1))
        least = np.arange(nfold)
        ends = np.clip(ends, least, len(moments) - 1 - nfold + least)
        ends = np.maximum.accumulate(ends - least) + least
        block = np.searchsorted(ends, numbers, side="left")
        rows = np.arange(len(times))
        return [(rows[block < k], rows[block == k]) for k in range(1, nfold + 1)]


def stratified_numbers(labels: Rows, nfold: int, seed: int) -> Rows:
    """Return the fold that leaves out each row (n), with the labels' shares in every fold."""
    _, first, numbers = np.unique(labels, return_index=True, return_inverse=True)
    codes = np.argsort(np.argsort(first))[numbers]  # by first appearance
    ordered = np.sort(codes)
    shares = [np.bincount(ordered[k::nfold], minlength=len(first)) for k in range(nfold)]
    random = np.random.RandomState(seed)
    folds = np.empty(len(labels), np.intp)
    for code in range(len(first)):
        of_code = np.repeat(np.arange(nfold), [share[code] for share in shares])
        random.shuffle(of_code)
        folds[codes == code] = of_code
    return folds


def part_numbers(examples: Examples, count: int, *, by_label: bool, seed: int) -> Rows | None:
    """Return the part of `count` that each row (n) is in, None where there are no parts.

    Copies of a row, and rows of a group, are in one part; by time, parts follow each other.
    With `by_label` every label has its share in each part, and a label that is not in each
    says nothing.
    """
    roles = examples.roles
    units = next(
        (each for each in (roles.times, roles.groups, examples.copies) if each is not None), None
    )
    if units is None:
        units = np.arange(examples.rows)
    _, first, row = np.unique(units, return_index=True, return_inverse=True)
    if roles.times is not None:
        before = np.cumsum(np.bincount(row))
        numbers = np.minimum((before - 1) * count // examples.rows, count - 1)
    else:
        order = np.argsort(first)  # as they stand in the table, whatever names they have
        labels = examples.labels[first[order]] if by_label else np.zeros(len(first))
        numbers = np.empty(len(first), np.intp)
        numbers[order] = stratified_numbers(labels.astype(np.intp), count, seed)
    found: Rows = numbers[row]
    if by_label:
        of_parts = [np.unique(examples.labels[found == part]) for part in range(count)]
        if any(len(kinds) < len(np.unique(examples.labels)) for kinds in of_parts):
            return None
    return found if len(first) >= count else None


def rows_left_out(folds: Sequence[Fold]) -> Rows:
    """Return the rows that a fold leaves out, in their order; in time the first ones never are."""
    return np.sort(np.concatenate([outside for _, outside in folds]))


def _copies(examples: Examples) -> Rows | None:
    """Return which rows are copies; a group or time column has said what stays together."""
    roles = examples.roles
    return examples.copies if roles.groups is None and roles.times is None else None


def _fold_of(outside: NDArray[np.bool_]) -> Fold:
    return np.flatnonzero(~outside), np.flatnonzero(outside)


def _folds(numbers: Rows, nfold: int) -> list[Fold]:
    return [(np.flatnonzero(numbers != k), np.flatnonzero(numbers == k)) for k in range(nfold)]


def _fewer(nfold: int) -> str:
    """Return what may be done about too many folds; fewer than two are impossible."""
    return "lower nfold" if nfold > LEAST_FOLDS else "set neither nfold nor _kfold"


def _check_count(count: int, nfold: int, what: str, *, before: int = 0) -> None:
    """Raise DataError for fewer than one for each fold, and `before` that no fold leaves out."""
    if count < nfold + before:
        raise DataError(
            f"there are {count} {what}, too few for {nfold + before} folds",
            where="channel train",
            hint=f"Add rows, {_fewer(nfold)}, or give a validation channel",
        )


def _check_both_labels(examples: Examples, folds: list[Fold], *, named: bool) -> None:
    if any(len(np.unique(examples.labels[rows])) < 2 for fold in folds for rows in fold):
        lower = "Lower nfold, or add rows" if len(folds) > LEAST_FOLDS else "Add rows"
        hint = "Set stratified=true, or another seed" if named else lower
        raise DataError("a fold has rows of one label only", where="channel train", hint=hint)
