"""Cells to features for one row and for small tables, where no cell raises a question.

The numbers are those of `FeaturePipeline.transform`'s plain way, in a fraction
of its time: there numpy's overhead would be most of it. Any cell that is not
plainly of its column's kind makes the answer None; the plain way then says
what is wrong with it, or what it means.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from itertools import chain, repeat
from operator import itemgetter
from struct import Struct
from typing import Any, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from sagetree.features.base import UNSEEN, Feature
from sagetree.features.category import Category
from sagetree.features.number import Number
from sagetree.tables.cells import FLOAT32_LIMIT, Cell, MissingValues
from sagetree.tables.encoding import CellEncoder, Floats, short_values
from sagetree.tables.table import Cells

# Gives the values at some places of a sequence.
Picker: TypeAlias = Callable[[Sequence[Any]], Sequence[Any]]

# Makes features (n, m) of encoded columns (columns, n).
Expand: TypeAlias = Callable[[Floats], NDArray[np.float32]]


def places_of(kind: type[Feature], features: Sequence[Feature]) -> Sequence[int]:
    """Return the places of the features of a kind."""
    return [i for i, feature in enumerate(features) if isinstance(feature, kind)]


def picker(places: Sequence[int]) -> Picker:
    """Return the function that gives the values at `places`."""
    if len(places) < 2:  # itemgetter makes no tuple of one
        return lambda values: [values[place] for place in places]
    return itemgetter(*places)


class ShortWay:
    """What a pipeline's features need to encode cells without a look at each."""

    def __init__(
        self, features: Sequence[Feature], missing: MissingValues, expand: Expand | None
    ) -> None:
        """Take the features; `expand` is None where each encoded column is a feature as it is."""
        self.features = features
        self.missing = missing
        self.absent = missing.numbers
        self.expand = expand
        self.numbers = places_of(Number, features)
        self.numbers_of = picker(self.numbers)
        self.categories_of = picker(places_of(Category, features))
        # The bytes of a row of float32; a value that is too large for one is an error.
        self.row_format = Struct(f"<{len(features)}f")

    @cached_property
    def encoders(self) -> tuple[CellEncoder, ...]:
        """Each column's way from cell to number; the short one where `short_values` allows it."""
        number = cast("CellEncoder", float)
        return tuple(
            number if isinstance(feature, Number) else feature.encoder(self.missing)
            for feature in self.features
        )

    def row(self, cells: Sequence[Cell]) -> NDArray[np.float32] | None:
        """Return the features of one row (1, m), None where there is a question about a cell."""
        values = self._values(cells, self.encoders, self.numbers_of)
        if values is None or UNSEEN in self.categories_of(values):
            return None
        try:
            row = self.row_format.pack(*values)
        except OverflowError:
            return None
        if self.expand is not None:
            return self.expand(np.array(values)[:, None])
        return np.frombuffer(row, np.float32).reshape(1, -1)

    def encode(self, columns: Sequence[Cells]) -> Floats | None:
        """Return the encoded columns (columns, n) of a small table.

        None where a column is Arrow's, or there is a question about a cell.
        """
        if {*map(type, columns)} != {list}:
            return None
        rows = len(columns[0])
        encoders = chain.from_iterable(repeat(encoder, rows) for encoder in self.encoders)
        numbers = [i for place in self.numbers for i in range(place * rows, (place + 1) * rows)]
        cells: list[Cell] = [*chain.from_iterable(columns)]
        found = self._values(cells, encoders, picker(numbers))
        if found is None:
            return None
        values = np.array(found).reshape(len(columns), rows)
        return values if np.fmax.reduce(np.abs(values), None, initial=0) < FLOAT32_LIMIT else None

    def _values(
        self, cells: Sequence[Cell], encoders: Iterable[CellEncoder], numbers_of: Picker
    ) -> list[float] | None:
        values = short_values(cells, encoders, numbers_of(cells))
        if values is None or not self.absent:
            return values
        return values if self.absent.isdisjoint(numbers_of(values)) else None
