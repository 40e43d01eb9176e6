"""What kind each column is: declared by the user, else inferred from its cells."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, cast

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sagetree.errors import DataError, SettingsError, did_you_mean, quote
from sagetree.tables.cells import (
    Cell,
    CellError,
    MissingValues,
    category_text,
    to_boolean,
    to_moment,
    to_number,
)
from sagetree.tables.encoding import Floats, as_numbers, distinct_cells, encode
from sagetree.tables.schema import Column, Kind
from sagetree.tables.table import Table
from sagetree.train.columns.precision import find_precision
from sagetree.train.columns.telling import Telling
from sagetree.train.settings.settings import Columns

# With fewer rows every column of measurements may well be unique.
IDENTIFIER_ROWS = 20

_KEY_NAME = re.compile(r"(?i)(.*_)?(id|key|uuid|guid)")

# pandas gives these names to the index of a frame.
_INDEX_NAME = re.compile(r"Unnamed: \d+|__index_level_\d+__")

# A column with more numbers than words is one of numbers with mistakes in it.
MOSTLY = 0.5


@dataclass(frozen=True)
class _Distinct:
    """A column's distinct cells, where they stand, and the category each is (None: missing)."""

    name: str
    codes: NDArray[np.int64]
    cells: tuple[Cell, ...]
    texts: tuple[str | None, ...]

    @classmethod
    def of(cls, name: str, column: pa.ChunkedArray, missing: MissingValues) -> "_Distinct":
        codes, cells = distinct_cells(column)
        texts = [category_text(cell) for cell in cells]
        return cls(
            name, codes, tuple(cells), tuple(None if t in missing.texts else t for t in texts)
        )

    @property
    def rows(self) -> int:
        return len(self.codes)

    @cached_property
    def present(self) -> NDArray[np.bool_]:
        """Which cells (k) are not missing."""
        return np.array([text is not None for text in self.texts], dtype=bool)

    @cached_property
    def counts(self) -> NDArray[np.int64]:
        """The rows of each cell (k)."""
        return np.bincount(self.codes, minlength=len(self.cells))

    @cached_property
    def categories(self) -> tuple[str, ...]:
        """The distinct categories, sorted."""
        return tuple(sorted({text for text in self.texts if text is not None}))

    @property
    def missing(self) -> int:
        """The rows without a value."""
        return int(self.counts[~self.present].sum())

    def fits(self, convert: Callable[[Cell], object]) -> NDArray[np.bool_]:
        """Say for each cell (k) whether it is present and `convert` takes it."""
        pairs = zip(self.cells, self.present, strict=True)
        return np.array([here and _takes(convert, cell) for cell, here in pairs], dtype=bool)

    def all_fit(self, convert: Callable[[Cell], object]) -> bool:
        """Say whether `convert` takes every cell that is present."""
        pairs = zip(self.cells, self.present, strict=True)
        return all(_takes(convert, cell) for cell, here in pairs if here)

    def numbers(self) -> Floats:
        """Return the rows' numbers (n), all present cells being some."""
        pairs = zip(self.cells, self.present, strict=True)
        return np.array([to_number(cell) if here else np.nan for cell, here in pairs])[self.codes]

    def column(self, kind: Kind) -> Column:
        """Return the column as one of the given kind."""
        categories = self.categories
        listed = categories if kind in ("category", "ordinal") else ()
        return Column(
            name=self.name,
            kind=kind,
            missing=self.missing,
            distinct=len(categories),
            categories=listed,
        )


def _takes(convert: Callable[[Cell], object], cell: Cell) -> bool:
    try:
        convert(cell)
    except CellError:
        return False
    return True


class Found(NamedTuple):
    """What a column is, and what the user should know about that, a sentence each."""

    column: Column
    notes: tuple[str, ...] = ()


class _Given(NamedTuple):
    """What is known before the cells of a column are looked at."""

    table: Table
    settings: Columns
    missing: MissingValues
    telling: Telling


def infer_columns(table: Table, settings: Columns, telling: Telling) -> tuple[Found, ...]:
    """Return the kind of each column of a table without its label.

    Raises SettingsError for a declared column that is not there, DataError for
    one that is neither numbers nor words, or that does not fit what was
    declared.
    """
    _check_names(table, settings)
    given = _Given(table, settings, MissingValues.of(settings.missing_values), telling)
    columns = [
        _column(given, name, cast("pa.ChunkedArray", cells))
        for name, cells in zip(table.names, table.columns, strict=True)
    ]
    if not any(found.column.is_input for found in columns):
        raise DataError(
            "no column is left to learn from",
            where=table.locate(0),
            hint="All are dropped, constant or identifiers: set column_types to keep some",
        )
    return tuple(columns)


def _check_names(table: Table, settings: Columns) -> None:
    faults = [
        f"{quote(name)}{did_you_mean(name, table.names)}"
        for name in (*settings.dropped, *settings.kinds)
        if name not in table.names
    ]
    if faults:
        raise SettingsError(
            f"the data have no column {', '.join(faults)}",
            where="drop_columns, categorical_columns, ordinal_columns, column_types",
            hint=f"The columns are {', '.join(map(quote, table.names))}",
        )


def _column(given: _Given, name: str, cells: pa.ChunkedArray) -> Found:
    if name in given.settings.dropped:
        return Found(Column(name=name, kind="dropped", missing=0, distinct=0))
    _check_type(name, cells.type)
    declared = given.settings.kinds.get(name)
    if declared:
        return _declared(given, _Distinct.of(name, cells, given.missing), declared)
    numbers = as_numbers(cells, given.missing)
    if numbers is not None:
        return _number_column(given, name, numbers)
    return _infer(given, _Distinct.of(name, cells, given.missing))


def _declared(given: _Given, distinct: _Distinct, declared: str) -> Found:
    order = given.settings.orders.get(distinct.name, ())
    _check_declared(given.table, distinct, declared, order)
    if declared == "category" and not distinct.categories:
        return Found(distinct.column("constant"))  # no category to know later
    column = distinct.column(cast("Kind", declared))
    if order:
        return Found(column.model_copy(update={"categories": _spelled(order)}))
    return _shifted(given, column, distinct.numbers()) if declared == "number" else Found(column)


def _spelled(order: Sequence[str]) -> tuple[str, ...]:
    return tuple(str(category_text(text)) for text in order)


def _check_type(name: str, kind: pa.DataType) -> None:
    unusable = (
        pa.types.is_nested, pa.types.is_binary, pa.types.is_large_binary,
        pa.types.is_fixed_size_binary, pa.types.is_time, pa.types.is_duration,
    )  # fmt: skip
    if any(test(kind) for test in unusable):
        raise DataError(
            f"its cells are of type {kind}",
            where=f"column {quote(name)}",
            hint="Write it as numbers, text or dates, or list it in drop_columns",
        )


def _infer(given: _Given, distinct: _Distinct) -> Found:
    present = distinct.present
    if not distinct.categories or (len(distinct.categories) == 1 and not distinct.missing):
        return Found(distinct.column("constant"))
    numeric = distinct.fits(to_number)
    if set(distinct.categories) <= {"true", "false"}:
        return Found(distinct.column("boolean"))
    if (numeric == present).all():
        return _number_column(given, distinct.name, distinct.numbers())
    counts = distinct.counts
    if counts[numeric].sum() > MOSTLY * counts[present].sum():
        raise _mixed(given.table, distinct, present & ~numeric)
    if distinct.all_fit(to_moment):
        return Found(distinct.column("datetime"))
    unique = len(distinct.categories) == distinct.rows >= IDENTIFIER_ROWS
    return Found(distinct.column("identifier" if unique else "category"))


def _mixed(table: Table, distinct: _Distinct, words: NDArray[np.bool_]) -> DataError:
    row = int(np.flatnonzero(words[distinct.codes])[0])
    _, misfits = encode([distinct.cells[distinct.codes[row]]], to_number)
    return DataError(
        misfits[0].reason,
        where=f"{table.locate(row)}, column {quote(distinct.name)}",
        hint="Correct the cell, list the text in missing_values if it means no value, "
        "or list the column in categorical_columns",
    )


def _number_column(given: _Given, name: str, values: Floats) -> Found:
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
    return _shifted(given, column, present, notes) if kind == "number" else Found(column, notes)


def _shifted(given: _Given, column: Column, present: Floats, notes: tuple[str, ...] = ()) -> Found:
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
    if _KEY_NAME.fullmatch(name) or _INDEX_NAME.fullmatch(name):
        return True
    is_consecutive = values[0] in (0, 1) and values[-1] - values[0] == len(values) - 1
    return len(values) >= IDENTIFIER_ROWS and bool(is_consecutive)


def _judged(name: str, share: float) -> tuple[Kind, tuple[str, ...]]:
    """Return the kind of a column that looks like row numbers or keys, by what it tells."""
    if not share:
        return "identifier", ()
    told = f"column {quote(name)} tells something about the label ({share:.0%} of its variance)"
    if _INDEX_NAME.fullmatch(name):
        return "identifier", (
            f"{told} and is left out as the index of a frame: if it is more than that, set "
            f'column_types={{"{name}": "number"}}',
        )
    return "number", (
        f"{told} and is taken as a number, though it may only number the rows: if so, list it in "
        "drop_columns",
    )


def _check_declared(table: Table, distinct: _Distinct, declared: str, order: Sequence[str]) -> None:
    known = set(_spelled(order))

    def in_order(cell: Cell) -> None:
        if category_text(cell) not in known:
            raise CellError

    checks: Mapping[str, Callable[[Cell], object]] = {
        "number": to_number,
        "boolean": to_boolean,
        "datetime": to_moment,
        "ordinal": in_order,
    }
    wrong = distinct.present & ~distinct.fits(checks.get(declared, str))
    rows = np.flatnonzero(wrong[distinct.codes])
    if len(rows):
        cell = distinct.cells[distinct.codes[rows[0]]]
        what = f"none of {', '.join(map(quote, order))}" if order else f"no {declared}"
        raise DataError(
            f"{quote(cell)} is {what}, which the column was declared to be",
            where=f"{table.locate(int(rows[0]))}, column {quote(distinct.name)}",
            hint="Correct the cell, or the column's declaration",
        )
