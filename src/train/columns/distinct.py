"""A column by its distinct cells, each of which is looked at once."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sagetree.tables.cells import Cell, MissingValues, category_text, is_taken
from sagetree.tables.encoding import CellEncoder, Floats, distinct_cells
from sagetree.tables.forms import forms_of
from sagetree.tables.schema import Column, Kind


@dataclass(frozen=True)
class Distinct:
    """A column's distinct cells, where they stand, and the category each is (None: missing)."""

    name: str
    codes: NDArray[np.int64]
    cells: tuple[Cell, ...]
    texts: tuple[str | None, ...]

    @classmethod
    def of(cls, name: str, column: pa.ChunkedArray, missing: MissingValues) -> "Distinct":
        """Return the column called `name`. Raises CellError for a type that holds no cells."""
        codes, cells = distinct_cells(column)
        texts = [category_text(cell) for cell in cells]
        return cls(
            name, codes, tuple(cells), tuple(None if t in missing.texts else t for t in texts)
        )

    @property
    def rows(self) -> int:
        """The number of its rows (n)."""
        return len(self.codes)

    @cached_property
    def present(self) -> NDArray[np.bool_]:
        """Which cells (k) are not missing."""
        return np.array([text is not None for text in self.texts], dtype=bool)

    @cached_property
    def counts(self) -> NDArray[np.int64]:
        """The rows of each cell (k)."""
        return np.bincount(self.codes, minlength=len(self.cells))

    @cached_property
    def categories(self) -> tuple[str, ...]:
        """The distinct categories, sorted."""
        return tuple(sorted({text for text in self.texts if text is not None}))

    @cached_property
    def share_alone(self) -> float:
        """The share of rows whose category no other row has."""
        numbers = {text: number for number, text in enumerate(self.categories)}
        places = [-1 if text is None else numbers[text] for text in self.texts]
        found = np.array(places, np.intp)[self.codes]
        alone = np.bincount(found[found >= 0], minlength=len(numbers)) == 1
        return float(np.count_nonzero(alone)) / self.rows

    @property
    def missing(self) -> int:
        """The rows without a value."""
        return int(self.counts[~self.present].sum())

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
        """Return the rows' numbers (n), `number` taking every cell that is present."""
        pairs = zip(self.cells, self.present, strict=True)
        return np.array([number(cell) if here else np.nan for cell, here in pairs])[self.codes]

    def column(self, kind: Kind) -> Column:
        """Return the column as one of the given kind."""
        categories = self.categories
        listed = categories if kind in ("category", "ordinal") else ()
        return Column(
            name=self.name,
            kind=kind,
            missing=self.missing,
            distinct=len(categories),
            categories=listed,
            forms=forms_of(categories) if kind in ("identifier", "constant") else (),
        )
