"""Columns of numbers: keys among them, words between them, and what float32 makes of them."""

import re
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from sagetree.errors import quote
from sagetree.tables.cells import NAN, MissingValues, NumberShape
from sagetree.tables.encoding import Floats, numbers_among, shape_encoder
from sagetree.tables.forms import is_word, number_forms
from sagetree.tables.index_names import is_index_name, is_key_name
from sagetree.tables.schema import Column, Kind
from sagetree.tables.table import Table
from sagetree.train.columns.distinct import Distinct
from sagetree.train.columns.precision import find_precision
from sagetree.train.columns.telling import Telling
from sagetree.train.settings.columns import Columns

# With fewer rows every column of measurements may well be unique.
IDENTIFIER_ROWS = 20

# Words in a smaller share of a column's rows are mistakes among its numbers; numbers in a
# smaller share are words like the others.
INCIDENTAL = 0.02


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


class NumbersAndWords(NamedTuple):
    """A column's distinct cells (k) as numbers, NaN where they are none, and which are words.

    Where numbers or words are incidental, no cell is said to be a word. `share` is that of
    the rows with a value that have a number; `shape` is how these are written.
    """

    numbers: Floats
    words: NDArray[np.bool_]
    share: float
    shape: NumberShape | None

    @classmethod
    def of(cls, distinct: Distinct, shape: NumberShape | None) -> Self:
        """Split the cells of a column that has a value in some row."""
        numbers = numbers_among(distinct.cells, shape_encoder(shape))
        numbers[~distinct.present] = NAN
        is_number = ~np.isnan(numbers)
        counts = distinct.counts
        share = float(counts[is_number].sum() / counts[distinct.present].sum())
        words = np.zeros(len(numbers), dtype=bool)
        if _is_between(share):
            words = np.array([is_word(cell) for cell in distinct.cells]) & distinct.present
        return cls(numbers, words & ~is_number, share, shape)

    def is_mixed(self, distinct: Distinct) -> bool:
        """Say whether all cells are numbers and words, both too many to be slips."""
        is_either = ~np.isnan(self.numbers) | self.words
        return _is_between(self.share) and bool(is_either[distinct.present].all())

    def has_sizes(self, distinct: Distinct) -> bool:
        """Say whether the numbers are quantities, and differ.

        One among words is a word, and so are true, false and codes such as 007.
        """
        if any(isinstance(cell, str) and _CODE.match(cell) for cell in distinct.cells):
            return False
        pairs = zip(self.numbers.tolist(), distinct.texts, strict=True)
        found = {number for number, text in pairs if number == number and text not in _BOOLEANS}
        return len(found) > 1


def _is_between(share: float) -> bool:
    return INCIDENTAL <= share <= 1 - INCIDENTAL


_BOOLEANS = ("true", "false")

# Digits behind a zero: no number is written so.
_CODE = re.compile(r"\s*0\d+\s*$")


def mixed_column(given: Given, distinct: Distinct, split: NumbersAndWords) -> Found:
    """Return a column of numbers and words, and in words what it holds."""
    rows = split.numbers[distinct.codes]
    present = np.sort(rows[~np.isnan(rows)])
    places = np.flatnonzero(split.words)
    column = distinct.column("mixed").model_copy(
        update={
            "categories": tuple(sorted({str(distinct.texts[place]) for place in places})),
            "written": split.shape,
            **_seen("number", present),
        }
    )
    words = int(distinct.counts[places].sum())
    reading = (
        f"column {quote(distinct.name)} is mixed: {len(present)} rows hold numbers, and {words} "
        f"hold words, which are categories, such as {quote(distinct.cells[places[0]])}"
    )
    return shifted(given, column, present)._replace(reading=reading)


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
