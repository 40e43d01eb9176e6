"""What every transform of one column shares.

A transform is fitted state as data: a frozen record that JSON can hold. It
turns a cell into one number (`encoder`), and those numbers into the columns of
the feature matrix (`expand`); nothing else knows how, in training or serving.
"""

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from sagetree.tables.cells import MissingValues
from sagetree.tables.encoding import CellEncoder, Floats, Misfit, encode
from sagetree.tables.stored_record import StoredRecord
from sagetree.tables.table import Cells

# What a category that training never saw is encoded as. It never reaches the matrix, and
# lies between two numbers of float32, so that no code and no statistic of a label is it.
UNSEEN = -1.0 - 2.0**-40


class Feature(StoredRecord, ABC):
    """The fitted transform of the column named `column`."""

    # One letter per produced feature, as XGBoost's feature_types has it: q a
    # quantity, i an integer or indicator, c a category code.
    types: ClassVar[str] = "q"

    column: str

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the produced features."""
        return (self.column,)

    @property
    def feature_types(self) -> tuple[str, ...]:
        """XGBoost's type of each produced feature."""
        return (self.types,) * len(self.names)

    @abstractmethod
    def encoder(self, missing: MissingValues) -> CellEncoder:
        """Return the function cell -> number: NaN if missing, UNSEEN for a new category."""

    def encode(self, cells: Cells, missing: MissingValues) -> tuple[Floats, list[Misfit]]:
        """Return the encoded column (n) and the cells that are not of its kind."""
        return encode(cells, self.encoder(missing))

    def restore(self, values: NDArray[np.float32]) -> NDArray[np.floating]:
        """Return the produced features (n, number of names) in the user's own unit."""
        return values

    def is_absent(self, values: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Say which rows of the produced features (n, number of names) come from no value."""
        return np.isnan(values[:, 0])

    def expand(self, values: Floats) -> NDArray[np.float32]:
        """Return the produced features (n, number of names) of encoded values (n)."""
        return values.astype(np.float32)[:, None]
