"""What kind each column is: declared by the user, else inferred from its cells."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import cast

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
from sagetree.tables.index_names import is_index_name, is_key_name
from sagetree.tables.schema import Column, Kind
from sagetree.tables.table import Table
from sagetree.train.settings.settings import Columns

# With fewer rows every column of measurements may well be unique.
IDENTIFIER_ROWS = 20

# Unique integers that fill at least half of their range are numbered rows.
DENSE = 2.0

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


def infer_columns(table: Table, settings: Columns) -> tuple[Column, ...]:
    """Return the kind of each column of a table without its label.

    Raises SettingsError for a declared column that is not there, DataError for
    one that is neither numbers nor words, or that does not fit what was
    declared.
    """
    _check_names(table, settings)
    missing = MissingValues.of(settings.missing_values)
    columns = [
        _column(table, name, cast("pa.ChunkedArray", cells), settings, missing)
        for name, cells in zip(table.names, table.columns, strict=True)
    ]
    if not any(column.is_input for column in columns):
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


def _column(
    table: Table, name: str, cells: pa.ChunkedArray, settings: Columns, missing: MissingValues
) -> Column:
    if name in settings.dropped:
        return Column(name=name, kind="dropped", missing=0, distinct=0)
    _check_type(name, cells.type)
    declared = settings.kinds.get(name)
    if declared:
        distinct = _Distinct.of(name, cells, missing)
        _check_declared(table, distinct, declared, settings.orders.get(name, ()))
        if declared == "category" and not distinct.categories:
            return distinct.column("constant")  # no category to know later
        column = distinct.column(cast("Kind", declared))
        order = settings.orders.get(name)
        return column.model_copy(update={"categories": _spelled(order)}) if order else column
    numbers = as_numbers(cells, missing)
    if numbers is not None:
        column = _number_column(name, numbers)
    else:
        column = _infer(table, _Distinct.of(name, cells, missing))
    if column.is_input and (is_index_name(name) or name in table.index_columns):
        return column.model_copy(update={"kind": "identifier", "categories": ()})
    return column


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


def _infer(table: Table, distinct: _Distinct) -> Column:
    present = distinct.present
    if not distinct.categories or (len(distinct.categories) == 1 and not distinct.missing):
        return distinct.column("constant")
    numeric = distinct.fits(to_number)
    if set(distinct.categories) <= {"true", "false"}:
        return distinct.column("boolean")
    if (numeric == present).all():
        pairs = zip(distinct.cells, numeric, strict=True)
        values = np.array([to_number(cell) if here else np.nan for cell, here in pairs])
        return _number_column(distinct.name, values[distinct.codes])
    counts = distinct.counts
    if counts[numeric].sum() > MOSTLY * counts[present].sum():
        raise _mixed(table, distinct, present & ~numeric)
    if distinct.all_fit(to_moment):
        return distinct.column("datetime")
    unique = len(distinct.categories) == distinct.rows >= IDENTIFIER_ROWS
    return distinct.column("identifier" if unique else "category")


def _mixed(table: Table, distinct: _Distinct, words: NDArray[np.bool_]) -> DataError:
    row = int(np.flatnonzero(words[distinct.codes])[0])
    _, misfits = encode([distinct.cells[distinct.codes[row]]], to_number)
    return DataError(
        misfits[0].reason,
        where=f"{table.locate(row)}, column {quote(distinct.name)}",
        hint="Correct the cell, list the text in missing_values if it means no value, "
        "or list the column in categorical_columns",
    )


def _number_column(name: str, values: Floats) -> Column:
    present = np.sort(values[~np.isnan(values)])  # many times faster than np.unique
    distinct = np.count_nonzero(np.diff(present)) + bool(len(present))
    missing = len(values) - len(present)
    constant = distinct == 0 or (distinct == 1 and not missing)
    numbered = not missing and distinct == len(values) and _is_numbering(name, values)
    kind: Kind = "constant" if constant else "identifier" if numbered else "number"
    return Column(name=name, kind=kind, missing=missing, distinct=distinct)


def _is_numbering(name: str, values: Floats) -> bool:
    """Say whether unique values are row numbers or keys, not measurements."""
    if (values != np.floor(values)).any():
        return False
    if is_key_name(name):
        return True
    span = values.max() - values.min() + 1
    numbered = bool((np.diff(values) > 0).all()) or span <= DENSE * len(values)
    return numbered and len(values) >= IDENTIFIER_ROWS


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
