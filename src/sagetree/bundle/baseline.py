"""What training's rows looked like, column by column, to tell when requests no longer do.

A histogram per feature and per output of the model. Serving counts its own rows
into the same bins and compares the shares: the population stability index.
"""

from collections.abc import Sequence
from functools import cached_property
from math import sqrt
from typing import Self, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import model_validator

from sagetree.tables.stored_record import StoredRecord

Counts: TypeAlias = NDArray[np.int64]
Real = TypeVar("Real", bound=np.floating)

# A feature with as many values at most gets a bin for each: categories, booleans, counts.
MOST_VALUES = 20

# Others are cut into bins of equal numbers of rows; ten is the index's custom.
QUANTILES = 10

# Shares of this many rows are as good as those of all, and cost no time.
MOST_ROWS = 50_000

# How many standard deviations chance is allowed, where counts are compared with a share.
DEVIATIONS = 3

# Added to every bin, so that an empty one does not make the index infinite.
PSEUDO_COUNT = 0.5


class Histogram(StoredRecord):
    """Counts of one feature's rows.

    Bin k holds the values from `edges[k - 1]` up to below `edges[k]`, the last
    bin but one the values from the last edge on, the last bin those that are missing.
    """

    edges: tuple[float, ...]
    counts: tuple[int, ...]

    @model_validator(mode="after")
    def _has_a_count_per_bin(self) -> Self:
        if len(self.counts) != len(self.edges) + 2:
            raise ValueError("every bin needs its count")
        if any(low >= high for low, high in zip(self.edges, self.edges[1:], strict=False)):
            raise ValueError("the edges must ascend")
        return self

    @classmethod
    def measure(cls, values: NDArray[np.floating], quantiles: int = QUANTILES) -> "Histogram":
        """Return the histogram of a feature's values (n), its edges chosen from them."""
        present = values[~np.isnan(values)].astype(np.float64)
        found = np.unique(present)
        if len(found) <= MOST_VALUES:
            edges = (found[1:] + found[:-1]) / 2
        else:
            inner = np.linspace(0, 1, quantiles + 1)[1:-1]
            # the least of all values is not an edge: nothing would lie below it
            edges = np.setdiff1d(np.quantile(present, inner, method="higher"), found[:1])
        # infinite values have no middle between them
        ascending = np.unique(edges[np.isfinite(edges)])
        listed = tuple(ascending.tolist())
        return cls(edges=listed, counts=tuple(bin_counts(ascending, values).tolist()))

    @cached_property
    def cuts(self) -> NDArray[np.float64]:
        """The edges as an array, for `bin_counts`."""
        return np.asarray(self.edges, np.float64)


class Baseline(StoredRecord):
    """The histograms of a training table: one per feature, one per output of the model."""

    features: tuple[Histogram, ...]
    scores: tuple[Histogram, ...]

    @classmethod
    def measure(cls, matrix: NDArray[np.floating], scores: NDArray[np.float32]) -> "Baseline":
        """Return the baseline of features (n, m), in the user's units, and of scores (k, outputs).

        The scores should be of rows the model was not fitted on, as those of requests.
        """
        rows = spread(matrix, MOST_ROWS)
        outputs = spread(scores if scores.ndim > 1 else scores[:, None], MOST_ROWS)
        return cls(
            features=tuple(Histogram.measure(column) for column in rows.T),
            scores=tuple(Histogram.measure(column) for column in outputs.T),
        )


def spread(rows: NDArray[Real], most: int) -> NDArray[Real]:
    """Return at most `most` of the rows, evenly spread.

    >>> spread(np.arange(10, dtype=np.float32), 4).tolist()
    [0.0, 3.0, 6.0, 9.0]
    """
    if len(rows) <= most:
        return rows
    return rows[np.linspace(0, len(rows) - 1, most).astype(np.intp)]


def bin_counts(cuts: NDArray[np.float64], values: NDArray[np.floating]) -> Counts:
    """Return how many of the values (n) fall into each bin between the cuts (edges + 2).

    >>> bin_counts(np.array([0.5]), np.array([0, 1, 1, np.nan], np.float32)).tolist()
    [1, 2, 1]
    """
    bins = np.searchsorted(cuts, values, side="right")
    bins[np.isnan(values)] = len(cuts) + 1
    return np.bincount(bins, minlength=len(cuts) + 2).astype(np.int64)


def stability_index(expected: Sequence[int], found: Sequence[int]) -> float:
    """Return the population stability index of two counts over the same bins.

    0 where the shares agree; by custom a shift from 0.1 on is worth a look, from
    0.25 on it is large.

    >>> stability_index([50, 50], [500, 500])
    0.0
    >>> round(stability_index([50, 50, 0], [90, 10, 0]), 2)
    0.85
    """
    shares = []
    for counts in (expected, found):
        smooth = np.asarray(counts, np.float64) + PSEUDO_COUNT
        shares.append(smooth / smooth.sum())
    before, now = shares
    return float(np.sum((now - before) * np.log(now / before)))


def is_beyond(found: int, rows: int, share: float, margin: float) -> bool:
    """Say whether `found` of the rows are more than training's share of them explains.

    Chance is allowed for, and a margin (a share) beyond it.

    >>> [is_beyond(found, 100, 0.1, 0.05) for found in (24, 25)]
    [False, True]
    """
    chance = DEVIATIONS * sqrt(rows * share * (1 - share))
    return found > rows * (share + margin) + chance
