"""What one cell means: the same for CSV, JSON and Parquet, in training and serving.

A cell is what a format gives: text (CSV), or text, number, boolean or null
(JSON), or those and moments in time (Parquet). The functions here are the only
place where a cell becomes a value; whole columns go through them by way of
their distinct cells.
"""

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime

from sagetree.errors import quote

Cell = str | int | float | bool | date | None

NAN = math.nan

# Written by numpy, pandas and C for a value that is not there. Other words
# ("NA", "N/A", "None", "null") are text unless the user lists them.
MISSING_TEXTS = frozenset({"", "nan", "NaN"})

# From here on a number rounds to infinity as float32, which XGBoost works in.
FLOAT32_LIMIT = 3.4028235677973366e38

# A float that is an integer, as text; -0.0 is written as 0.
_WHOLE = re.compile(r"(?:-(?=0\.))?([+-]?\d+)\.0*")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}([T ].*)?")
_BOOLEANS = {"true": 1.0, "false": 0.0}


class CellError(ValueError):
    """A cell that cannot be what its column needs; the text says why."""


@dataclass(frozen=True)
class MissingValues:
    """The texts a user declared to mean "no value", beside the empty cell."""

    texts: frozenset[str]
    numbers: frozenset[float]

    @classmethod
    def of(cls, values: Iterable[str]) -> "MissingValues":
        """Declare `values`; one that is a number also matches other spellings of it."""
        texts = frozenset(category_text(value) or "" for value in values)
        return cls(texts, frozenset(n for n in map(_number_or_none, texts) if n is not None))


def to_number(cell: Cell) -> float:
    """Return the number in `cell`; NaN if it is missing.

    >>> [to_number(cell) for cell in (" 1e5 ", "1.0", "True", False, 7)]
    [100000.0, 1.0, 1.0, 0.0, 7.0]

    Raises CellError for text, for infinity and for what float32 cannot hold.
    """
    if type(cell) is str:  # the usual case on the request path, where each call counts
        try:
            value = float(cell)
        except ValueError:
            return _word(cell)
        if "_" in cell:  # float() reads 1_000; in data that is a code
            raise CellError(f"{quote(cell)} is text where a number is expected")
    elif cell is None:
        return NAN
    elif isinstance(cell, date):
        raise CellError("is a date where a number is expected")
    else:
        try:
            value = float(cell)
        except OverflowError:
            value = math.inf
    if -FLOAT32_LIMIT < value < FLOAT32_LIMIT or value != value:
        return value
    raise CellError(f"{quote(cell)} is infinite or too large (float32)")


def _word(text: str) -> float:
    """Return the number a text stands for that is not written as one."""
    word = text.strip()
    if word in MISSING_TEXTS:
        return NAN
    value = _BOOLEANS.get(word.lower(), NAN)
    if value != value:
        raise CellError(f"{quote(text)} is text where a number is expected")
    return value


def _number_or_none(text: str) -> float | None:
    try:
        return to_number(text) if text and text not in _BOOLEANS else None
    except CellError:
        return None


def to_boolean(cell: Cell) -> float:
    """Return 1.0 for true, 0.0 for false (also as words or numbers), NaN if missing.

    Raises CellError for anything else.
    """
    value = to_number(cell)
    if value == value and value not in (0.0, 1.0):
        raise CellError(f"{quote(cell)} is neither true nor false")
    return value


def to_moment(cell: Cell) -> float:
    """Return seconds since 1970 (UTC) of an ISO 8601 date or time; NaN if missing.

    A time without a zone is taken as UTC. Raises CellError for anything else.
    """
    if isinstance(cell, str):
        text = cell.strip()
        if text in MISSING_TEXTS:
            return NAN
        try:
            cell = datetime.fromisoformat(text) if _DATE.fullmatch(text) else cell
        except ValueError as error:
            raise CellError(f"{quote(text)} is no date: {error}") from error
    elif cell is None or cell != cell:
        return NAN
    if isinstance(cell, datetime):
        return (cell if cell.tzinfo else cell.replace(tzinfo=UTC)).timestamp()
    if isinstance(cell, date):
        return datetime(cell.year, cell.month, cell.day, tzinfo=UTC).timestamp()
    raise CellError(f"{quote(cell)} is not a date written as 2026-01-31 or 2026-01-31T13:45:00")


def category_text(cell: Cell) -> str | None:
    """Return the one spelling of a category; None if it is missing.

    >>> [category_text(cell) for cell in (" Rear ", "1.0", 1, 1.0, True, "TRUE", "007", None)]
    ['Rear', '1', '1', '1', 'true', 'true', '007', None]
    """
    if isinstance(cell, float):
        cell = repr(cell)  # as CSV holds it
    if isinstance(cell, str):
        text = cell.strip()
        if text in MISSING_TEXTS:
            return None
        if text.lower() in _BOOLEANS:
            return text.lower()
        whole = _WHOLE.fullmatch(text)
        return whole[1] if whole else text
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return cell.isoformat() if isinstance(cell, date) else None if cell is None else str(cell)
