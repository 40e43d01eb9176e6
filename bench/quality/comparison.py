"""Paired differences between contenders, and how far chance alone would carry them."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

# A measure's value on each fold, by (repeat, number).
Values = Mapping[tuple[int, int], float]


class Difference(NamedTuple):
    """A mean difference and its standard error, which is NaN where there is but one pair."""

    mean: float
    error: float

    @property
    def in_errors(self) -> float:
        """Return the difference in standard errors; 0 where there is none."""
        if self.mean == 0 or np.isnan(self.error):
            return 0.0
        with np.errstate(divide="ignore"):  # the same difference on each fold
            return float(np.divide(self.mean, self.error))


def of_folds(differences: Sequence[float], folds: int) -> Difference:
    """Return the mean over folds of (repeated) cross-validation by Nadeau and Bengio.

    Training sets overlap, so that folds vary less than fresh tables would: to 1/n comes
    the ratio of test rows to training rows, 1 / (folds - 1).
    """
    return _difference(differences, 1 / len(differences) + 1 / (folds - 1))


def of_tables(differences: Sequence[float]) -> Difference:
    """Return the mean over tables, which have no rows in common, and its standard error."""
    return _difference(differences, 1 / len(differences))


def _difference(differences: Sequence[float], share: float) -> Difference:
    mean = float(np.mean(differences))
    if len(differences) < 2:
        return Difference(mean, float("nan"))
    return Difference(mean, float(np.sqrt(share * np.var(differences, ddof=1))))


class Result(NamedTuple):
    """One measure on one table: everyone's mean, and sagetree's gain on each rival."""

    table: str
    means: Mapping[str, float]
    gains: Mapping[str, Difference]

    def least_gain(self, names: Sequence[str]) -> tuple[str, Difference] | None:
        """Return whom of these sagetree gains least on: the best of them, in hindsight."""
        found = [(name, self.gains[name]) for name in names if name in self.gains]
        return min(found, key=lambda item: item[1].mean, default=None)


def compare(table: str, us: str, values: Mapping[str, Values], *, folds: int, sign: int) -> Result:
    """Compare `us` with the others on the folds that both have; `sign` is -1 for a loss."""
    own = values[us]
    gains = {}
    for name, theirs in values.items():
        pairs = [sign * (own[place] - theirs[place]) for place in own if place in theirs]
        if name != us and pairs:
            gains[name] = of_folds(pairs, folds)
    means = {name: float(np.mean(list(found.values()))) for name, found in values.items() if found}
    return Result(table, means, gains)
