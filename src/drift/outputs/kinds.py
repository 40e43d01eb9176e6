"""What Model Monitor calls a column's type."""

from typing import Literal

import numpy as np

from sagetree.bundle.column_baseline import Floats
from sagetree.drift.measures.columns import ColumnDrift

InferredType = Literal["Integral", "Fractional", "String", "Unknown"]


def observed_type(column: ColumnDrift) -> InferredType:
    """Return the type of the captured cells."""
    if column.cells.numbers is None or column.cells.codes is not None or column.known.is_moment:
        return "String"
    return number_type(column.cells.numbers)


def number_type(values: Floats) -> InferredType:
    """Return the type of numbers (n); some may be missing.

    >>> number_type(np.array([1.0, np.nan])), number_type(np.array([0.5]))
    ('Integral', 'Fractional')
    """
    there = values[np.isfinite(values)]
    if not len(there):
        return "Unknown"
    return "Integral" if (there == np.floor(there)).all() else "Fractional"


def trained_type(column: ColumnDrift) -> InferredType:
    """Return the type of training's cells."""
    known = column.known
    if column.cells.codes is not None or known.is_moment:
        return "String"
    return "Integral" if known.are_whole else "Fractional"
