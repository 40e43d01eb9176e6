"""Columns of numbers: keys among them, words between them, and what float32 makes of them."""

from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from sagetree.errors import quote
from sagetree.tables.cells import NumberShape, is_taken
from sagetree.tables.encoding import Floats, shape_encoder
from sagetree.tables.forms import is_word, number_forms
from sagetree.tables.index_names import is_index_name, is_key_name
from sagetree.tables.schema import Column, Kind
from sagetree.train.columns.precision import find_precision
from sagetree.train.facts.distinct import Distinct
from sagetree.train.facts.facts import Facts
from sagetree.train.facts.numbers import DistinctNumbers
from sagetree.train.facts.telling import Telling
from sagetree.train.facts.witnesses import CODE
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
    """What is known of all columns before one of them is decided."""

    facts: Facts
    settings: Columns
    telling: Telling


def number_column(
    given: Given, name: str, numbers: DistinctNumbers, shape: NumberShape | None = None
) -> Found:
    """Return what a column is whose cells are all numbers, written in this way."""
    kind: Kind = "number"
    notes: tuple[str, ...] = ()
    if numbers.distinct == 0 or (numbers.distinct == 1 and not numbers.missing):
        kind = "constant"
    elif numbers.is_unique and not numbers.missing and _may_be_identifier(name, numbers):
        values = given.facts.row_numbers(name, shape)
        kind, notes = _judged(name, given.telling.share(values))
    column = Column(name=name, kind=kind, missing=numbers.missing, distinct=numbers.distinct)
    if numbers.distinct:
        column = column.model_copy(update=_seen(kind, numbers))
    return shifted(given, column, numbers, notes) if kind == "number" else Found(column, notes)


class NumbersAndWords(NamedTuple):
    """A column's distinct cells (k) as numbers, NaN where they are none, and which are words.

    Where numbers or words are incidental, no cell counts as a word. `share` is that of
    the rows with a value that have a number, as `rows` have; `shape` is how these are written.
    """

    numbers: Floats
    words: NDArray[np.bool_]
    share: float
    rows: int
    shape: NumberShape | None

    @classmethod
    def of(cls, distinct: Distinct, shape: NumberShape | None) -> Self:
        """Split the cells of a column that has a value in some row."""
        numbers = distinct.numbers(shape_encoder(shape))
        is_number = ~np.isnan(numbers)
        rows = distinct.sums.numbers if distinct.sums else distinct.rows_of(is_number)
        share = rows / (distinct.rows - distinct.missing)
        words = np.zeros(len(numbers), dtype=bool)
        if _is_between(share):
            words = np.array([is_word(cell) for cell in distinct.cells]) & distinct.present
        return cls(numbers, words & ~is_number, share, rows, shape)

    def is_mixed(self, distinct: Distinct) -> bool:
        """Say whether all cells are numbers and words, both too many to be slips."""
        is_either = ~np.isnan(self.numbers) | self.words
        return _is_between(self.share) and bool(is_either[distinct.present].all())

    def has_sizes(self, distinct: Distinct) -> bool:
        """Say whether the numbers are quantities, and differ.

        One among words is a word, and so are true, false and codes such as 007.
        """
        if any(isinstance(cell, str) and CODE.match(cell) for cell in distinct.cells):
            return False
        pairs = zip(self.numbers.tolist(), distinct.texts, strict=True)
        found = {number for number, text in pairs if number == number and text not in _BOOLEANS}
        return len(found) > 1


def _is_between(share: float) -> bool:
    return INCIDENTAL <= share <= 1 - INCIDENTAL


_BOOLEANS = ("true", "false")


def mixed_column(given: Given, distinct: Distinct, split: NumbersAndWords) -> Found:
    """Return a column of numbers and words, and in words what it holds."""
    numbers = given.facts.shaped(distinct, split.shape)
    is_number = shape_encoder(split.shape)
    categories = given.facts.categories(distinct, lambda cell: not is_taken(cell, is_number))
    column = distinct.column("mixed", categories).model_copy(
        update={"written": split.shape, **_seen("number", numbers)}
    )
    words = distinct.rows - distinct.missing - split.rows
    reading = (
        f"column {quote(distinct.name)} is mixed: {split.rows} rows hold numbers, and {words} "
        f"hold words, which are categories, such as {quote(distinct.those(split.words)[0])}"
    )
    return shifted(given, column, numbers)._replace(reading=reading)


def _seen(kind: Kind, numbers: DistinctNumbers) -> dict[str, object]:
    """Return what a column keeps of its numbers for rows that come without names."""
    low, high = float(numbers.values[0]), float(numbers.values[-1])
    if kind == "number":
        return {"low": low, "high": high}
    return {"forms": number_forms(low, high)}


def shifted(
    given: Given, column: Column, numbers: DistinctNumbers, notes: tuple[str, ...] = ()
) -> Found:
    """Return a column of numbers, with a shift where float32 needs it and the preset allows it."""
    found = find_precision(numbers.values)
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


def _may_be_identifier(name: str, numbers: DistinctNumbers) -> bool:
    """Say whether unique values are row numbers or keys, if they tell nothing."""
    values, rows = numbers.values, numbers.rows
    if (values != np.floor(values)).any():
        return False
    if is_key_name(name) or is_index_name(name):
        return True
    is_consecutive = values[0] in (0, 1) and values[-1] - values[0] == rows - 1
    return rows >= IDENTIFIER_ROWS and bool(is_consecutive)


def _judged(name: str, share: float) -> tuple[Kind, tuple[str, ...]]:
    """Return the kind of a column that looks like row numbers or keys, by what it tells."""
    if not share:
        return "identifier", ()
    told = f"column {quote(name)} tells something about the label ({share:.0%} of its variance)"
    if is_index_name(name):
        return "identifier", (
            f"{told} and is left out as the index of a data frame: if it is more than that, set "
            f'column_types={{"{name}": "number"}}',
        )
    return "number", (
        f"{told} and is taken as a number, though it may only number the rows: if so, list it in "
        "drop_columns",
    )
