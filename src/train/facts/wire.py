"""Cells and arrays as the JSON that hosts exchange."""

from base64 import b64decode, b64encode
from datetime import date, datetime
from typing import Any

import numpy as np

from sagetree.tables.cells import Cell
from sagetree.tables.encoding import Floats


def packed_floats(values: Floats) -> str:
    """Return numbers as text, to the bit."""
    return b64encode(values.astype("<f8").tobytes()).decode()


def unpacked_floats(text: str) -> Floats:
    """Return what `packed_floats` wrote."""
    return np.frombuffer(b64decode(text), "<f8").astype(np.float64, copy=False)


def packed_cell(cell: Cell) -> Any:  # noqa: ANN401 - JSON
    """Return a cell as JSON has it, dates in a list of one."""
    return [cell.isoformat()] if isinstance(cell, date) else cell


def unpacked_cell(found: Any) -> Cell:  # noqa: ANN401 - JSON
    """Return what `packed_cell` wrote."""
    if not isinstance(found, list):
        cell: Cell = found
        return cell
    (text,) = found
    return datetime.fromisoformat(text) if "T" in text else date.fromisoformat(text)


def cell_key(cell: Cell) -> object:
    """Return what two cells have in common that are the same: 1, 1.0 and True are not."""
    return cell if isinstance(cell, str) else (type(cell), repr(cell))
