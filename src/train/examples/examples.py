"""Rows as XGBoost learns from them: features, labels, and each row's role."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sagetree.tables.label import Labels
from sagetree.tables.roles import NO_ROLES, RowRoles
from sagetree.train.examples.matrix import drop_pages

_PARTS = 16

# Values of one block of rows: 8 MB as float32.
BLOCK_CELLS = 2**21

Matrix = NDArray[np.float32]
Rows = NDArray[np.intp]


@dataclass(frozen=True)
class Examples:
    """Rows to learn from or to choose on: features (n, m), labels (n) or (n, 2), roles.

    `source` holds the features of these and perhaps of other rows, `picked` (n)
    the numbers of these, None for all: rows taken out share their memory, or
    the file they are in. `external` says that XGBoost's own form of them is to be in
    files too, because the memory is too small.
    """

    source: Matrix
    labels: Labels
    roles: RowRoles = NO_ROLES
    picked: Rows | None = None
    external: bool = False

    @property
    def rows(self) -> int:
        """The number of rows."""
        return len(self.labels)

    @property
    def width(self) -> int:
        """The number of features."""
        return int(self.source.shape[1])

    @property
    def matrix(self) -> Matrix:
        """The features (n, m) as one array, a copy where these are not all rows of their source."""
        return self.source if self.picked is None else self.source[self.picked]

    def blocks(self) -> Iterator[tuple[slice, Matrix]]:
        """Yield consecutive rows and their features, some megabytes at a time."""
        step = max(1, BLOCK_CELLS // max(1, self.width))
        for begin in range(0, self.rows, step):
            part = slice(begin, min(begin + step, self.rows))
            picked = part if self.picked is None else self.picked[part]
            yield part, self.source[picked]
            drop_pages(self.source)

    def are_complete(self) -> NDArray[np.bool_]:
        """Say for each feature (m) whether every row has a value."""
        complete = np.ones(self.width, np.bool_)
        for _, values in self.blocks():
            complete &= ~np.isnan(values).any(axis=0)
        return complete

    def some(self, most: int) -> Matrix:
        """Return the features of `most` rows at most, from all over, as a copy."""
        count = min(most, self.rows)
        numbers = np.linspace(0, self.rows - 1, count).astype(np.intp)
        parts = []
        for part in np.array_split(numbers, _PARTS):  # all at once would load the whole file
            parts.append(self.source[part if self.picked is None else self.picked[part]])
            drop_pages(self.source)
        return np.concatenate(parts)

    def take(self, rows: Rows) -> "Examples":
        """Return some rows; their features stay where they are."""
        picked = rows if self.picked is None else self.picked[rows]
        return replace(self, labels=self.labels[rows], roles=self.roles.take(rows), picked=picked)

    def joined(self, other: "Examples") -> "Examples":
        """Return these rows and those after them, as a copy."""
        return Examples(
            np.concatenate([self.matrix, other.matrix]),
            np.concatenate([self.labels, other.labels]),
            self.roles.joined(other.roles),
        )


@dataclass(frozen=True)
class LeftOut:
    """Labels (n) or (n, 2) and roles of rows that were left out, to measure their scores by."""

    labels: Labels
    roles: RowRoles

    @classmethod
    def of(cls, examples: Examples, rows: Rows | None = None) -> "LeftOut":
        """Take all rows, or some."""
        if rows is None:
            return cls(examples.labels, examples.roles)
        return cls(examples.labels[rows], examples.roles.take(rows))


def group_sizes(groups: Rows) -> NDArray[np.intp]:
    """Return how many rows each run of equal groups has.

    >>> group_sizes(np.array([4, 4, 0, 1, 1, 1])).tolist()
    [2, 1, 3]
    """
    ends = np.flatnonzero(np.diff(groups)) + 1
    return np.diff(np.concatenate([[0], ends, [len(groups)]]))
