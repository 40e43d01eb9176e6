"""Columns of numbers: row numbers and keys among them, and what float32 makes of the others."""

from typing import NamedTuple

import numpy as np

from sagetree.errors import quote
from sagetree.tables.cells import MissingValues
from sagetree.tables.encoding import Floats
from sagetree.tables.forms import number_forms
from sagetree.tables.index_names import is_index_name, is_key_name
from sagetree.tables.schema import Column, Kind
from sagetree.tables.table import Table
from sagetree.train.columns.precision import find_precision
from sagetree.train.columns.telling import Telling
from sagetree.train.settings.settings import Columns

# With fewer rows every column of measurements may well be unique.
IDENTIFIER_ROWS = 20


class Found(NamedTuple):
    """What a column is; how its cells are read, and warnings about that, a sentence each."""

    column: Column
    notes: tuple[str, ...] = ()
    reading: str = ""


class Given(NamedTuple):
    """What is known before the cells of a column are looked at."""

    table: Table
    settings: Columns
    missing: MissingValues
    telling: Telling


def number_column(given: Given, name: str, values: Floats) -> Found:
    """Return what a column is whose cells are all numbers (n, NaN = missing)."""
    present = np.sort(values[~np.isnan(values)])  # many times faster than np.unique
    distinct = int(np.count_nonzero(np.diff(present))) + bool(len(present))
    missing = len(values) - len(present)
    kind: Kind = "number"
    notes: tuple[str, ...] = ()
    if distinct == 0 or (distinct == 1 and not missing):
        kind = "constant"
    elif distinct == len(values) and _may_be_identifier(name, present):
        kind, notes = _judged(name, given.telling.share(values))
    column = Column(name=name, kind=kind, missing=missing, distinct=distinct)
    if distinct:
        column = column.model_copy(update=_seen(kind, present))
    return shifted(given, column, present, notes) if kind == "number" else Found(column, notes)


def _seen(kind: Kind, present: Floats) -> dict[str, object]:
    """Return what a column keeps of its numbers, sorted, for rows that come without names."""
    low, high = float(present[0]), float(present[-1])
    if kind == "number":
        return {"low": low, "high": high}
    return {"forms": number_forms(low, high)}


def shifted(given: Given, column: Column, present: Floats, notes: tuple[str, ...] = ()) -> Found:
    """Return a column of numbers, with a shift where float32 needs it and the preset allows it."""
    found = find_precision(present)
    shift, lost = found.shift, found.lost
    if shift and not given.settings.shifts:
        shift, lost = None, found.lost_unshifted
    if lost:
        notes = (
            *notes,
            f"column {quote(column.name)} has numbers that XGBoost cannot tell apart: "
            f"{lost}. List it in categorical_columns if they are codes",
        )
    return Found(column.model_copy(update={"shift": shift}), notes)


def _may_be_identifier(name: str, values: Floats) -> bool:
    """Say whether unique values, sorted, are row numbers or keys, if they tell nothing."""
    if (values != np.floor(values)).any():
        return False
    if is_key_name(name) or is_index_name(name):
        return True
    is_consecutive = values[0] in (0, 1) and values[-1] - values[0] == len(values) - 1
    return len(values) >= IDENTIFIER_ROWS and bool(is_consecutive)


def _judged(name: str, share: float) -> tuple[Kind, tuple[str, ...]]:
    """Return the kind of a column that looks like row numbers or keys, by what it tells."""
    if not share:
        return "identifier", ()
    told = f"column {quote(name)} tells something about the label ({share:.0%} of its variance)"
    if is_index_name(name):
        return "identifier", (
            f"{told} and is left out as the index of a frame: if it is more than that, set "
            f'column_types={{"{name}": "number"}}',
        )
    return "number", (
        f"{told} and is taken as a number, though it may only number the rows: if so, list it in "
        "drop_columns",
    )
