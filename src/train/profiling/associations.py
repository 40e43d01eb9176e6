"""How much two columns go together: correlations of numbers, associations of categories.

Pearson's and Spearman's correlation of two numbers; a yes or no is 0 and 1 beside a number.
Cramer's V of two categories (Bergsma's, less what chance gives), and the correlation ratio
eta of a category and a number (Kelley's, likewise): many categories explain anything.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from sagetree.evaluate.report.columns import CodedColumn, Floats

# From this many cells on a table of two columns is counted by sorting.
_DENSE_CELLS = 2**20

_LEAST_ROWS = 3

PEARSON, CRAMER, ETA = "Pearson's r", "Cramér's V", "eta"


@dataclass(frozen=True)
class Pair:
    """Two columns, the measure of how they go together, and on how many rows.

    `spearman` is there for two numbers alone.
    """

    first: str
    second: str
    measure: str
    value: float
    spearman: float | None
    rows: int

    @property
    def strength(self) -> float:
        """From 0 to 1: how much they go together by either measure."""
        return max(abs(self.value), abs(self.spearman or 0.0))


@dataclass(frozen=True)
class Ranked:
    """A column's values (n), and with them the place of each among its distinct ones."""

    column: CodedColumn

    @cached_property
    def there(self) -> NDArray[np.bool_]:
        """Which rows (n) have a value."""
        return ~self.column.is_missing

    @cached_property
    def places(self) -> NDArray[np.intp]:
        """The place of each value (n), the missing ones behind the last."""
        if self.column.categories:
            missing = float(len(self.column.categories))
            return np.nan_to_num(self.column.values, nan=missing).astype(np.intp)
        return np.unique(self.column.values, return_inverse=True)[1]

    @cached_property
    def ranks(self) -> Floats:
        """The rank of each value (n) where none is missing."""
        return _ranks(self.places)

    @property
    def is_number(self) -> bool:
        """Whether its order counts beside a number: of two values it does."""
        return not self.column.categories or self.column.kind == "boolean"


def associations(columns: Sequence[CodedColumn]) -> tuple[Pair, ...]:
    """Return every pair of columns that can be measured, the strongest first."""
    pairs = [pair_of(*two) for two in combinations(map(Ranked, columns), 2)]
    return strongest([pair for pair in pairs if pair is not None])


def strongest(pairs: Sequence[Pair]) -> tuple[Pair, ...]:
    """Return pairs in the order of their strength."""
    return tuple(sorted(pairs, key=lambda pair: -pair.strength))


def pair_of(first: Ranked, second: Ranked) -> Pair | None:
    """Return how two columns go together, None where one does not vary in the rows of both."""
    mask = first.there & second.there
    rows = int(mask.sum())
    is_whole = rows == len(mask)
    both: NDArray[np.bool_] | slice = slice(None) if is_whole else mask  # no needless copies
    one, other = first.places[both], second.places[both]
    if rows < _LEAST_ROWS or one.min() == one.max() or other.min() == other.max():
        return None
    names = first.column.name, second.column.name
    words = bool(first.column.categories), bool(second.column.categories)
    if all(words):
        return Pair(*names, CRAMER, cramer(one, other), None, rows)
    if first.is_number and second.is_number:
        value = pearson(first.column.values[both], second.column.values[both])
        ranks = (first.ranks, second.ranks) if is_whole else (_ranks(one), _ranks(other))
        return Pair(*names, PEARSON, value, pearson(*ranks), rows)
    category, number = (one, second) if words[0] else (other, first)
    return Pair(*names, ETA, eta(category, number.column.values[both]), None, rows)


def pearson(one: Floats, other: Floats) -> float:
    """Return the correlation of numbers (n), neither of them constant."""
    a, b = one - one.mean(), other - other.mean()
    scale = float(np.sqrt((a @ a) * (b @ b)))
    return float(np.clip(a @ b / scale, -1, 1)) if scale else 0.0


def _ranks(places: NDArray[np.intp]) -> Floats:
    """Return the ranks of values by their places among the distinct ones, ties their mean."""
    counts = np.bincount(places)
    return (np.cumsum(counts) - (counts - 1) / 2)[places]


def cramer(one: NDArray[np.intp], other: NDArray[np.intp]) -> float:
    """Return Cramer's V of two categories (n), less what chance gives (Bergsma 2013)."""
    rows, wide = len(one), int(other.max()) + 1
    both = one * wide + other
    of_one, of_other = np.bincount(one), np.bincount(other)
    if len(of_one) * wide <= _DENSE_CELLS:
        counts = np.bincount(both)
        cells = np.flatnonzero(counts)
        counts = counts[cells]
    else:
        cells, counts = np.unique(both, return_counts=True)
    expected = of_one[cells // wide] * (of_other[cells % wide] / rows)
    phi = float((counts / expected * counts).sum()) / rows - 1
    k, m = int(np.count_nonzero(of_one)), int(np.count_nonzero(of_other))
    phi = max(0.0, phi - (k - 1) * (m - 1) / (rows - 1))
    most = min(k - (k - 1) ** 2 / (rows - 1), m - (m - 1) ** 2 / (rows - 1)) - 1
    return float(min(1.0, np.sqrt(phi / most))) if most > 0 else 0.0


def eta(category: NDArray[np.intp], values: Floats) -> float:
    """Return the correlation ratio of a category and a number (n), less what chance gives."""
    counts = np.bincount(category)
    groups = int(np.count_nonzero(counts))
    centred = values - values.mean()
    means = np.bincount(category, centred) / np.maximum(counts, 1)
    whole = float(centred @ centred)
    within = whole - float((counts * means**2).sum())
    rows = len(values)
    if not whole or groups == rows:
        return 0.0
    share = 1 - within / whole * (rows - 1) / (rows - groups)
    return float(np.sqrt(max(0.0, share)))
