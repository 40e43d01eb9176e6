"""Numbers and booleans: the value itself, or its distance from another one."""

from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from sagetree.features.base import Feature
from sagetree.tables.cells import Cell, MissingValues, NumberShape, to_boolean
from sagetree.tables.encoding import (
    CellEncoder,
    Floats,
    Misfit,
    encode_numbers,
    number_encoder,
    shape_encoder,
)
from sagetree.tables.schema import Shift
from sagetree.tables.table import Cells


class Number(Feature):
    """A quantity, as it is."""

    kind: Literal["number"] = "number"

    def encoder(self, missing: MissingValues) -> CellEncoder:
        """Return the function cell -> number."""
        return number_encoder(missing)

    def encode(self, cells: Cells, missing: MissingValues) -> tuple[Floats, list[Misfit]]:
        """Return the column as numbers; Arrow's own numbers are taken as they are."""
        return encode_numbers(cells, missing)


class RuledNumber(Feature):
    """A quantity that its column has a rule for, which Number has not: one-row requests pay it."""

    kind: Literal["ruled number"] = "ruled number"

    shift: Shift = Shift(offset=0.0, scale=1.0)
    written: NumberShape | None = None

    def encoder(self, missing: MissingValues) -> CellEncoder:
        """Return the function cell -> number as the model is given it."""
        number = number_encoder(missing, shape_encoder(self.written))
        offset, scale = self.shift.offset, self.shift.scale
        return lambda cell: (number(cell) - offset) / scale

    def encode(self, cells: Cells, missing: MissingValues) -> tuple[Floats, list[Misfit]]:
        """Return the column as the model is given it; Arrow's own numbers need no look at each."""
        values, misfits = encode_numbers(cells, missing, shape_encoder(self.written))
        return (values - self.shift.offset) / self.shift.scale, misfits

    def restore(self, values: NDArray[np.float32]) -> Floats:
        """Return the numbers that the data hold."""
        return values.astype(np.float64) * self.shift.scale + self.shift.offset


class Boolean(Feature):
    """True as 1, false as 0, also when written as words or numbers."""

    kind: Literal["boolean"] = "boolean"
    types: ClassVar[str] = "i"

    def encoder(self, missing: MissingValues) -> CellEncoder:
        """Return the function cell -> 0.0 or 1.0."""
        number = number_encoder(missing)

        def encoder(cell: Cell) -> float:
            value = number(cell)  # knows the user's missing values
            return value if value != value else to_boolean(cell)

        return encoder
