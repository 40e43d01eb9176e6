"""Numbers and booleans: the value itself."""

from typing import ClassVar, Literal

from sagetree.features.base import Feature
from sagetree.tables.cells import Cell, MissingValues, to_boolean
from sagetree.tables.encoding import Encoder, Floats, Misfit, encode_numbers, number_encoder
from sagetree.tables.table import Cells


class Number(Feature):
    """A quantity, as it is."""

    kind: Literal["number"] = "number"

    def encoder(self, missing: MissingValues) -> Encoder:
        """Return the function cell -> number."""
        return number_encoder(missing)

    def encode(self, cells: Cells, missing: MissingValues) -> tuple[Floats, list[Misfit]]:
        """Return the column as numbers; Arrow's own numbers are taken as they are."""
        return encode_numbers(cells, missing)


class Boolean(Feature):
    """True as 1, false as 0, also when written as words or numbers."""

    kind: Literal["boolean"] = "boolean"
    types: ClassVar[str] = "i"

    def encoder(self, missing: MissingValues) -> Encoder:
        """Return the function cell -> 0.0 or 1.0."""
        number = number_encoder(missing)

        def encoder(cell: Cell) -> float:
            value = number(cell)  # knows the user's missing values
            return value if value != value else to_boolean(cell)

        return encoder
