"""Rows as XGBoost learns from them: features, labels, and each row's role."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sagetree.features.statistics import take_statistics
from sagetree.tables.label import Labels
from sagetree.tables.roles import NO_ROLES, RowRoles
from sagetree.train.examples.matrix import drop_pages

_PARTS = 16

# Values of one block of rows: 8 MB as float32.
BLOCK_CELLS = 2**21

Matrix = NDArray[np.float32]
Rows = NDArray[np.intp]


@dataclass(frozen=True)
class Statistics:
    """What stands for the codes of categories in some rows, by the codes' place in their source.

    Each of `tables` is (parts, codes, outputs); `parts` (n) says which part of it a row
    has, None: there is but one.
    """

    tables: Mapping[int, NDArray[np.float32]]
    parts: NDArray[np.uint8] | None = None

    def take(self, rows: Rows) -> "Statistics":
        """Return those of some rows."""
        return self if self.parts is None else replace(self, parts=self.parts[rows])

    def widened(self, width: int) -> int:
        """Return how many features there are where the source has this many columns."""
        return width + sum(int(table.shape[2]) - 1 for table in self.tables.values())

    def replace_codes(self, source: Matrix, rows: slice | Rows) -> Matrix:
        """Return the features of some of the rows; `source` has their columns."""
        found = np.empty((len(source), self.widened(source.shape[1])), np.float32)
        begin = 0
        for place, values in enumerate(source.T):
            table = self.tables.get(place)
            end = begin + (1 if table is None else table.shape[2])
            if table is None:
                found[:, begin] = values
            else:
                found[:, begin:end] = self._of(table, values, rows)
            begin = end
        return found

    def _of(self, table: NDArray[np.float32], codes: Matrix, rows: slice | Rows) -> Matrix:
        parts, size, outputs = table.shape
        places = codes if self.parts is None else codes + self.parts[rows] * np.float64(size)
        return take_statistics(table.reshape(parts * size, outputs), places)


@dataclass(frozen=True)
class Examples:
    """Rows to learn from or to choose on: features (n, m), labels (n) or (n, 2), roles.

    `source` holds the features of these and perhaps of other rows, `picked` (n)
    the numbers of these, None for all: rows taken out share their memory, or
    the file they are in. `external` says that XGBoost's own form of them is to be in
    files too, because the memory is too small. With `statistics` the features are not the
    source's codes, but what stands for them. `copies` (n) is a number that copies of a
    row share, None where there are none.
    """

    source: Matrix
    labels: Labels
    roles: RowRoles = NO_ROLES
    picked: Rows | None = None
    external: bool = False
    statistics: Statistics | None = None
    copies: Rows | None = None

    @property
    def rows(self) -> int:
        """The number of rows."""
        return len(self.labels)

    @property
    def width(self) -> int:
        """The number of features."""
        width = int(self.source.shape[1])
        return self.statistics.widened(width) if self.statistics else width

    @property
    def matrix(self) -> Matrix:
        """The features (n, m) as one array, a copy where these are not all rows of their source."""
        source = self.source if self.picked is None else self._read(self.picked)
        return self._featured(source, slice(None))

    def blocks(self, cells: int = BLOCK_CELLS) -> Iterator[tuple[slice, Matrix]]:
        """Yield consecutive rows and their features, this many values at a time.

        Of no row at all there is one block, which is empty.
        """
        step = max(1, cells // max(1, self.width))
        for begin in range(0, max(1, self.rows), step):
            part = slice(begin, min(begin + step, self.rows))
            source = self.source[part] if self.picked is None else self._read(self.picked[part])
            yield part, self._featured(source, part)
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
        source = self._read(numbers if self.picked is None else self.picked[numbers])
        return self._featured(source, numbers)

    def _read(self, rows: Rows) -> Matrix:
        """Return rows of the source as a copy; all at once would load a whole file."""
        if not isinstance(self.source, np.memmap):
            return self.source[rows]
        parts = []
        for part in np.array_split(rows, _PARTS):
            parts.append(np.asarray(self.source[part]))
            drop_pages(self.source)
        return np.concatenate(parts)

    def take(self, rows: Rows) -> "Examples":
        """Return some rows; their features stay where they are."""
        picked = rows if self.picked is None else self.picked[rows]
        statistics = self.statistics.take(rows) if self.statistics else None
        return replace(
            self,
            labels=self.labels[rows],
            roles=self.roles.take(rows),
            picked=picked,
            statistics=statistics,
            copies=None if self.copies is None else self.copies[rows],
        )

    def _featured(self, source: Matrix, rows: slice | Rows) -> Matrix:
        return self.statistics.replace_codes(source, rows) if self.statistics else source

    def joined(self, other: "Examples") -> "Examples":
        """Return these rows and those after them, as a copy that knows of no copies in it."""
        return Examples(
            np.concatenate([self.matrix, other.matrix]),
            np.concatenate([self.labels, other.labels]),
            self.roles.joined(other.roles),
        )


def group_sizes(groups: Rows) -> NDArray[np.intp]:
    """Return how many rows each run of equal groups has.

    >>> group_sizes(np.array([4, 4, 0, 1, 1, 1])).tolist()
    [2, 1, 3]
    """
    ends = np.flatnonzero(np.diff(groups)) + 1
    return np.diff(np.concatenate([[0], ends, [len(groups)]]))
