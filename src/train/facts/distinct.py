"""A column by its distinct cells, all of them or those that decide; each is read once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sagetree.bundle.training_rows import EVERY_HASH
from sagetree.tables.cells import Cell, MissingValues, category_text, is_taken
from sagetree.tables.encoding import CellEncoder, Floats, distinct_cells, numbers_among
from sagetree.tables.forms import forms_of
from sagetree.tables.schema import Column, Kind
from sagetree.train.facts.sampling import bound_of, hashes_of_texts, scaled
from sagetree.train.facts.wire import cell_key, packed_cell, unpacked_cell
from sagetree.train.facts.witnesses import witnesses


class Sums(NamedTuple):
    """What is known of all cells of a column where not all of them are exchanged.

    Rows that are missing, categories, rows whose category no other has, and rows with a number.
    """

    missing: int
    distinct: int
    alone: int
    numbers: int


class _Sampled(NamedTuple):
    """How many categories are in a sample, and how many of them a single row has."""

    distinct: int
    alone: int


@dataclass(frozen=True)
class Distinct:
    """A column's distinct cells, the rows of each, and the category each is (None: missing).

    Where these are not all, `sums` are of all, and those of categories above the hash
    `bound` only those that are in `is_witness` (k), by which decisions on all come out alike.
    """

    name: str
    rows: int
    cells: tuple[Cell, ...]
    texts: tuple[str | None, ...]
    counts: NDArray[np.int64]
    bound: int = EVERY_HASH
    sums: Sums | None = None
    is_witness: NDArray[np.bool_] | None = None

    @classmethod
    def of(cls, name: str, column: pa.ChunkedArray, missing: MissingValues) -> "Distinct":
        """Return the column called `name`. Raises CellError for a type that holds no cells."""
        return coded(name, column, missing)[0]

    @property
    def is_whole(self) -> bool:
        """Whether all distinct cells are known."""
        return self.sums is None

    @cached_property
    def present(self) -> NDArray[np.bool_]:
        """Which cells (k) are not missing."""
        return np.array([text is not None for text in self.texts], dtype=bool)

    @cached_property
    def categories(self) -> tuple[str, ...]:
        """The distinct categories that are known, sorted."""
        return tuple(sorted({text for text in self.texts if text is not None}))

    @property
    def distinct(self) -> int:
        """How many categories there are."""
        return self.sums.distinct if self.sums else len(self.categories)

    @cached_property
    def share_alone(self) -> float:
        """The share of rows whose category no other row has."""
        return (self.sums.alone if self.sums else self._alone(self.texts, self.counts)) / self.rows

    @property
    def is_empty(self) -> bool:
        """Whether no row has a value."""
        return self.missing == self.rows

    @property
    def missing(self) -> int:
        """The rows without a value."""
        return self.sums.missing if self.sums else int(self.counts[~self.present].sum())

    @staticmethod
    def _alone(texts: Sequence[str | None], counts: NDArray[np.int64]) -> int:
        rows: dict[str | None, int] = {}
        for text, count in zip(texts, counts.tolist(), strict=True):
            rows[text] = rows.get(text, 0) + count
        rows.pop(None, None)
        return sum(count == 1 for count in rows.values())

    def rows_of(self, chosen: NDArray[np.bool_]) -> int:
        """Return how many rows have one of the chosen cells (k), of those that are known."""
        return int(self.counts[chosen].sum())

    def fits(self, convert: Callable[[Cell], object]) -> NDArray[np.bool_]:
        """Say for each cell (k) whether it is present and `convert` takes it."""
        pairs = zip(self.cells, self.present, strict=True)
        return np.array([here and is_taken(cell, convert) for cell, here in pairs], dtype=bool)

    def all_fit(self, convert: Callable[[Cell], object]) -> bool:
        """Say whether `convert` takes every cell that is present."""
        pairs = zip(self.cells, self.present, strict=True)
        return all(is_taken(cell, convert) for cell, here in pairs if here)

    @property
    def present_cells(self) -> list[Cell]:
        """The distinct cells that are not missing."""
        return self.those(self.present)

    def those(self, chosen: NDArray[np.bool_]) -> list[Cell]:
        """Return the chosen ones of the distinct cells (k)."""
        return [cell for cell, here in zip(self.cells, chosen, strict=True) if here]

    def numbers(self, number: CellEncoder) -> Floats:
        """Return the number of each cell (k) that `number` takes, NaN for the others."""
        found = numbers_among(self.cells, number)
        found[~self.present] = np.nan
        return found

    def column(self, kind: Kind, categories: Sequence[str] = ()) -> Column:
        """Return the column as one of the given kind, with those categories."""
        return Column(
            name=self.name,
            kind=kind,
            missing=self.missing,
            distinct=self.distinct,
            categories=tuple(categories),
            forms=forms_of(self.categories) if kind in ("identifier", "constant") else (),
        )

    def told(self, most: int, number: CellEncoder) -> "Distinct":
        """Return what other hosts get: the cells of `most` categories, and those that decide.

        `number` reads numbers among words.
        """
        if len(self.cells) <= most:
            return self
        hashes = hashes_of_texts(self.texts)
        bound = bound_of(hashes, most)
        kept = hashes <= np.uint64(bound)
        found = self._summed(number)
        return replace(found, bound=bound)._only(kept | found._marks, found._marks)

    def _summed(self, number: CellEncoder) -> "Distinct":
        """Return the column with its sums, and with marks at those of its cells that decide."""
        if self.sums:
            return self
        numbers = self.numbers(number)
        alone = self._alone(self.texts, self.counts)
        sums = Sums(self.missing, self.distinct, alone, self.rows_of(~np.isnan(numbers)))
        marks = np.zeros(len(self.cells), bool)
        marks[witnesses(self.cells, self.present, numbers)] = True
        return replace(self, sums=sums, is_witness=marks)

    @property
    def _marks(self) -> NDArray[np.bool_]:
        return np.zeros(len(self.cells), bool) if self.is_witness is None else self.is_witness

    def _only(self, kept: NDArray[np.bool_], witness: NDArray[np.bool_]) -> "Distinct":
        return replace(
            self,
            cells=tuple(self.those(kept)),
            texts=tuple(text for text, here in zip(self.texts, kept, strict=True) if here),
            counts=self.counts[kept],
            is_witness=witness[kept],
        )

    @classmethod
    def none(cls, name: str, rows: int) -> "Distinct":
        """Return a column that has no value in any of its rows."""
        return cls(name, rows, (None,), (None,), np.array([rows], np.int64))

    @classmethod
    def merged(cls, found: Sequence["Distinct"], number: CellEncoder) -> "Distinct":
        """Return what the rows of all these facts hold together."""
        bound = min(each.bound for each in found)
        if bound == EVERY_HASH:
            return replace(cls._joined(found), is_witness=None)
        told = [each._up_to(bound, number) for each in found]
        joined = replace(cls._joined(told), bound=bound)
        return replace(joined, sums=joined._estimated(told))

    @classmethod
    def _joined(cls, found: Sequence["Distinct"]) -> "Distinct":
        """Return the cells that are exchanged, and their rows."""
        known: dict[object, tuple[Cell, str | None, int, bool]] = {}
        for each in found:
            counts, marks = each.counts.tolist(), each._marks.tolist()
            for cell, text, count, mark in zip(each.cells, each.texts, counts, marks, strict=True):
                key = cell_key(cell)
                *_, rows, is_marked = known.get(key, (0, False))
                known[key] = cell, text, rows + count, is_marked or mark
        cells, texts, counts, marks = zip(*known.values(), strict=True)
        return cls(
            name=found[0].name,
            rows=sum(each.rows for each in found),
            cells=cells,
            texts=texts,
            counts=np.array(counts, np.int64),
            is_witness=np.array(marks),
        )

    def _up_to(self, bound: int, number: CellEncoder) -> "Distinct":
        kept = hashes_of_texts(self.texts) <= np.uint64(bound)
        found = self._summed(number)
        return found._only(kept | found._marks, found._marks)

    def _estimated(self, found: Sequence["Distinct"]) -> Sums:
        """Return the sums of what hosts have found, this column being what they sent.

        What a host has counted may meet the same on others, as often as in the sample.
        """
        of_each = [each.sums for each in found if each.sums]
        samples = [each._sampled(self.bound) for each in found]
        distinct = [sample.distinct for sample in samples]
        alone = [sample.alone for sample in samples]
        together = self._sampled(self.bound)
        return Sums(
            missing=sum(sums.missing for sums in of_each),
            distinct=scaled(sum(s.distinct for s in of_each), together.distinct, distinct),
            alone=scaled(sum(s.alone for s in of_each), together.alone, alone),
            numbers=sum(sums.numbers for sums in of_each),
        )

    def _sampled(self, bound: int) -> "_Sampled":
        kept = hashes_of_texts(self.texts) <= np.uint64(bound)
        texts = [text for text, here in zip(self.texts, kept, strict=True) if here]
        return _Sampled(len({*texts} - {None}), self._alone(texts, self.counts[kept]))

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON; texts follow from the cells."""
        return {
            "name": self.name,
            "rows": self.rows,
            "cells": [*map(packed_cell, self.cells)],
            "counts": self.counts.tolist(),
            "bound": self.bound,
            "sums": self.sums,
            "is_witness": None if self.is_witness is None else self.is_witness.tolist(),
        }

    @classmethod
    def from_json(cls, found: dict[str, Any], missing: MissingValues) -> "Distinct":
        """Return what `as_json` wrote."""
        cells = tuple(map(unpacked_cell, found["cells"]))
        sums, marks = found["sums"], found["is_witness"]
        return cls(
            name=found["name"],
            rows=found["rows"],
            cells=cells,
            texts=_texts(cells, missing),
            counts=np.array(found["counts"], np.int64),
            bound=found["bound"],
            sums=sums and Sums(*sums),
            is_witness=None if marks is None else np.array(marks, bool),
        )


def coded(
    name: str, column: pa.ChunkedArray, missing: MissingValues
) -> tuple[Distinct, NDArray[np.int64]]:
    """Return a column by its distinct cells, and the place among them of each row's (n).

    Raises CellError for a type that holds no cells.
    """
    codes, cells = distinct_cells(column)
    counts = np.bincount(codes, minlength=len(cells))
    return Distinct(name, len(codes), tuple(cells), _texts(cells, missing), counts), codes


def _texts(cells: Sequence[Cell], missing: MissingValues) -> tuple[str | None, ...]:
    texts = map(category_text, cells)
    return tuple(None if text in missing.texts else text for text in texts)
