"""Rows of numbers as libsvm and recordio-protobuf hold them: only the cells that are there.

A cell that is not written is a missing value, as XGBoost takes it, not a zero.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sagetree.errors import DataError
from sagetree.tables.cells import NAN

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


class RecordError(ValueError):
    """Bytes that are not libsvm, recordio or JSON Lines; `place` is such as `line 7`."""

    def __init__(self, message: str, place: str, hint: str) -> None:
        self.place = place
        self.hint = hint
        super().__init__(message)

    def in_file(self, name: str) -> DataError:
        """Return what it is where the bytes are the file called `name`."""
        return DataError(str(self), where=f"{name} {self.place}", hint=self.hint)


@dataclass(frozen=True)
class SparseRows:
    """`n` rows of numbers with what stands beside them.

    Row i has the cells `values[starts[i]:starts[i + 1]]` in the columns
    `indices[...]`; `starts` has n + 1 entries, `width` is one more than the
    largest index, or what the data declare; `dense` says that its cells came as
    whole rows, without indices. `labels` (n) is NaN where a row has
    none; `weights` and `groups` (n) are None where the format or the data have
    none.
    """

    values: Floats
    indices: Integers
    starts: Integers
    width: int
    labels: Floats
    weights: Floats | None = None
    groups: Integers | None = None
    dense: bool = False

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(self.starts) - 1

    @property
    def lowest(self) -> int | None:
        """The smallest index of all rows, None where no row has a cell."""
        return int(self.indices.min()) if len(self.indices) else None

    def part(self, begin: int, end: int) -> "SparseRows":
        """Return the rows from `begin` up to `end`."""
        low, high = int(self.starts[begin]), int(self.starts[end])
        return SparseRows(
            values=self.values[low:high],
            indices=self.indices[low:high],
            starts=self.starts[begin : end + 1] - low,
            width=self.width,
            labels=self.labels[begin:end],
            weights=None if self.weights is None else self.weights[begin:end],
            groups=None if self.groups is None else self.groups[begin:end],
        )

    def matrix(self, first: int, width: int) -> Floats:
        """Return the columns `first` to `first + width - 1` (n, width), NaN where absent.

        Cells outside of them are left out.
        """
        inside = (self.indices >= first) & (self.indices < first + width)
        dense = np.full((self.rows, width), NAN)
        row = np.repeat(np.arange(self.rows), np.diff(self.starts))
        dense[row[inside], self.indices[inside] - first] = self.values[inside]
        return dense


def join(parts: Sequence[SparseRows]) -> SparseRows:
    """Return the rows of all parts, in order; weights absent from some are 1."""
    if len(parts) == 1:
        return parts[0]
    counts = np.concatenate([np.diff(part.starts) for part in parts])
    return SparseRows(
        values=np.concatenate([part.values for part in parts]),
        indices=np.concatenate([part.indices for part in parts]),
        starts=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        width=max(part.width for part in parts),
        labels=np.concatenate([part.labels for part in parts]),
        weights=_weights(parts),
        groups=_groups(parts),
        dense=any(part.dense for part in parts),
    )


def _weights(parts: Sequence[SparseRows]) -> Floats | None:
    if all(part.weights is None for part in parts):
        return None
    return np.concatenate([np.ones(p.rows) if p.weights is None else p.weights for p in parts])


def _groups(parts: Sequence[SparseRows]) -> Integers | None:
    groups = [part.groups for part in parts if part.groups is not None]
    return np.concatenate(groups) if len(groups) == len(parts) else None
