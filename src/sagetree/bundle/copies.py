"""Rows that are copies of others: duplicated by a join, drawn with replacement, upsampled.

Equal features are enough: a model that has learnt one of them knows the other's label.
But rows of a few coarse columns are equal without being copies, and new ones will be equal
to them again. They are told apart by what copying does to a table: more rows are equal than
chance would make so, and equal rows agree on their labels.
"""

from collections.abc import Callable
from math import prod
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from sagetree.bundle.training_rows import Hashes
from sagetree.tables.label import Labels

Rows: TypeAlias = NDArray[np.intp]
Features: TypeAlias = NDArray[np.float32]

# Pairs of equal rows are more than chance if this many times as many as columns that know
# nothing of each other would have; columns that depend on each other have more than these.
BEYOND_CHANCE = 5

# Equal rows agree if less than this share of the labels' spread is left among them.
_SPREAD_LEFT = 0.25

# From this share of copies on they are worth a line.
TOLD_COPIES = 0.01

# Where one column alone varies, no other says whether equal rows are copies. Whole numbers,
# codes or indicators come again without copying if they are no more than these.
_FEW_VALUES = 64

# Rows and values from which the chance is estimated.
SAMPLE_ROWS = 20_000
_SAMPLE_VALUES = 2**21


def find_copies(
    hashes: Hashes, labels: Labels, features: Callable[[Rows], Features]
) -> Rows | None:
    """Return a number for each row (n) that copies share, None where no rows are copies.

    `hashes` (n) are of the rows' features, `features` returns those (k, m) of some rows (k).
    """
    ordered = np.sort(hashes)
    if not (ordered[1:] == ordered[:-1]).any():
        return None
    _, numbers, counts = np.unique(hashes, return_inverse=True, return_counts=True)
    share = pairs_in(counts) / pairs_in(np.array([len(hashes)]))
    if share <= BEYOND_CHANCE * share_by_chance(numbers, features):
        return None
    return numbers if do_agree(numbers, counts, labels) else None


def distinct_count(copies: Rows) -> int:
    """Return how many rows there are if copies are one."""
    return len(np.unique(copies))


def pairs_in(counts: Rows) -> float:
    """Return how many pairs there are in sets of this many rows."""
    wide = counts.astype(np.float64)
    return float((wide * (wide - 1)).sum()) / 2


def share_by_chance(numbers: Rows, features: Callable[[Rows], Features]) -> float:
    """Return which share of pairs would be equal, did columns know nothing of each other.

    Of each column it is the share that is equal in it among pairs that are not in all: copies
    would make every column coarse.
    """
    some = min(len(numbers), SAMPLE_ROWS)
    width = features(np.linspace(0, len(numbers) - 1, min(some, 2)).astype(np.intp)).shape[1]
    some = max(2, min(some, _SAMPLE_VALUES // max(1, width)))
    rows = np.linspace(0, len(numbers) - 1, some).astype(np.intp)
    counts = _counts(numbers[rows])
    equal = pairs_in(counts)
    others = pairs_in(np.array([some])) - equal
    if not others:
        return 0.0
    varying = [values for values in features(rows).T if len(_counts(values)) > 1]
    if _come_again(varying, some, len(counts)):
        return 1.0
    share = 1.0
    for values in varying:
        share *= (pairs_in(_counts(values)) - equal) / others
    return share


def _come_again(columns: list[Features], rows: int, distinct: int) -> bool:
    """Say whether rows of these columns (rows) are sure to be equal to others without copying.

    Either most of what their few values can make together is there, or one column of few whole
    numbers is all that varies.
    """
    can_be = prod(len(_counts(values)) for values in columns)
    if can_be**2 <= rows and 2 * distinct > can_be:
        return True
    return len(columns) == 1 and _are_few_and_whole(columns[0])


def _are_few_and_whole(values: Features) -> bool:
    found = np.unique(values[~np.isnan(values)])
    return len(found) <= _FEW_VALUES and bool((found == np.rint(found)).all())


def _counts(values: NDArray[np.generic]) -> Rows:
    counts: Rows = np.unique(values, return_counts=True)[1]
    return counts


def do_agree(numbers: Rows, counts: Rows, labels: Labels) -> bool:
    """Say whether equal rows have equal labels, beside some."""
    _, codes = np.unique(labels, axis=0, return_inverse=True)
    size = int(codes.max()) + 1
    cells, cell_counts = np.unique(numbers * size + codes.reshape(-1), return_counts=True)
    alike = np.bincount(cells // size, cell_counts * (cell_counts - 1.0))
    repeated = counts > 1
    of_each = 1 - alike[repeated] / (counts[repeated] * (counts[repeated] - 1.0))
    left = float(np.average(of_each, weights=counts[repeated]))
    whole = 1 - pairs_in(np.bincount(codes.reshape(-1))) / pairs_in(np.array([len(numbers)]))
    return left <= _SPREAD_LEFT * whole
