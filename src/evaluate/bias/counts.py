"""What a facet's metrics are made of: its rows and the others, by label and prediction."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Flags = NDArray[np.bool_]


class MetricError(ValueError):
    """A metric is not defined on these rows; the text is what Clarify says, or why."""


class Confusion(NamedTuple):
    """Rows by label and prediction; positive is favourable."""

    tp: int
    fp: int
    fn: int
    tn: int

    @classmethod
    def of(cls, labels: Flags, predictions: Flags) -> "Confusion":
        """Count rows by whether label and prediction (n) are favourable."""
        tp, fp, fn = (
            int(np.count_nonzero(one & other))
            for one, other in (
                (labels, predictions),
                (~labels, predictions),
                (labels, ~predictions),
            )
        )
        return cls(tp, fp, fn, len(labels) - tp - fp - fn)

    @property
    def rows(self) -> int:
        """All of them."""
        return sum(self)

    @property
    def labelled(self) -> int:
        """Those with a favourable label."""
        return self.tp + self.fn

    @property
    def predicted(self) -> int:
        """Those with a favourable prediction."""
        return self.tp + self.fp


@dataclass(frozen=True)
class Parts:
    """The favourable labels (n) of rows in a facet, `inside`, and of the others.

    `groups` (n) are compared within, None without. `predictions` (n) are None before training.
    """

    inside: Flags
    labels: Flags
    groups: NDArray[np.intp] | None = None
    predictions: Flags | None = None

    def check(self) -> None:
        """Raise MetricError where one of the two parts is empty."""
        if not self.inside.any():
            raise MetricError("Facet set is empty")
        if self.inside.all():
            raise MetricError("Negated facet set is empty")

    def share(self, flags: Flags, *, inside: bool) -> float:
        """Return the share of a part's rows that are favourable by `flags` (n)."""
        part = self.inside if inside else ~self.inside
        return float(flags[part].mean())


def ratio(above: float, below: float) -> float:
    """Return a quotient as Clarify does: 0 of nothing in nothing, else infinite where 0 is below.

    >>> ratio(1, 4), ratio(0, 0), ratio(3, 0)
    (0.25, 0.0, inf)
    """
    if below == 0:
        return 0.0 if above == 0 else float("inf")
    return above / below


def difference(first: float, second: float) -> float:
    """Return a difference that is 0 of two infinities."""
    return 0.0 if first == second else first - second


def conditional_disparity(parts: Parts, flags: Flags) -> float:
    """Return the mean over groups, by their rows, of the facet's shares of both outcomes.

    Of each group it is the facet's share of the rows that are not favourable by `flags` (n),
    less its share of those that are. Raises MetricError without groups, and where all rows
    have one outcome.
    """
    if parts.groups is None:
        raise MetricError("Group variable is empty or not provided")
    parts.check()
    for outcome, word in ((flags, "positive"), (~flags, "negative")):
        if not outcome.any():
            raise MetricError(f"No {word} labels in set")
    _, codes = np.unique(parts.groups, return_inverse=True)
    sizes = np.bincount(codes)

    def shares(outcome: Flags) -> NDArray[np.float64]:
        of_all = np.bincount(codes[outcome], minlength=len(sizes))
        of_facet = np.bincount(codes[outcome & parts.inside], minlength=len(sizes))
        return np.divide(of_facet, of_all, out=np.zeros(len(sizes)), where=of_all > 0)

    return float(sizes @ (shares(~flags) - shares(flags)) / sizes.sum())
