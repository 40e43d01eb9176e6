"""Decoded cells as tables: by name, or by position where the body has no names."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from sagetree.errors import SchemaError, Violation
from sagetree.tables.cells import Cell
from sagetree.tables.schema import Schema
from sagetree.tables.table import Cells, OneRow, Source, Table

# From this many values on Arrow's columns are worth its import (0.3 s, 40 MB).
BULK_VALUES = 50_000

# A body with more columns than this, and than this many for each trained one,
# is not a mistake of a column or two.
MOST_COLUMNS = 1000
MOST_PER_COLUMN = 4


def refuse_width(columns: int, schema: Schema, where: str = "") -> None:
    """Raise SchemaError for far more columns than the model has, before they are taken apart."""
    most = most_columns(schema)
    if columns > most:
        reason = f"there are more than {most} columns, and the model has {len(schema.all_names)}"
        raise SchemaError([Violation("", reason, where=where)], hint="Send the trained columns")


def most_columns(schema: Schema) -> int:
    """Return how many columns a body may have, for its error to name those that are too many."""
    return max(MOST_COLUMNS, MOST_PER_COLUMN * len(schema.all_names))


def row_place(row: int) -> str:
    """Return the place of row number `row` (from 0) of a body that has no lines."""
    return f"row {row + 1}"


def refuse_lacking(
    lacking: Iterable[tuple[str, int]], place: Callable[[int], str] = row_place
) -> None:
    """Raise SchemaError where there are needed columns that records lack, each with its row."""
    reason = "the column is missing from the record"
    violations = [Violation(name, reason, row, place(row)) for name, row in lacking]
    if violations:
        hint = "Give every record every column, null where missing"
        raise SchemaError(violations, hint=hint)


def table_of_columns(
    names: Sequence[str] | None, columns: Sequence[Cells], source: Source
) -> Table:
    """Return the table; without names its columns count from 0.

    Raises SchemaError for a name that is given twice.
    """
    columns = columns if isinstance(columns, OneRow) else tuple(columns)
    if names is None:
        return Table(_numbers(len(columns)), columns, source.rows, False, (source,))
    if len(set(names)) < len(names):
        repeated = [name for name, count in Counter(names).items() if count > 1]
        violations = [Violation(name, "is given twice") for name in repeated]
        raise SchemaError(violations, hint="Send every column once")
    return Table(tuple(names), columns, source.rows, True, (source,))


@lru_cache(16)
def _numbers(columns: int) -> tuple[str, ...]:
    return tuple(map(str, range(columns)))


def table_of_array(values: NDArray[Any], *, first_row: int = 1, unit: str = "row") -> Table:
    """Return the rows of an array of numbers or booleans (n, columns); NaN is missing.

    A float32 counts as the shortest decimal number that it is nearest to, as in
    text. `first_row` is the number of the first row, counted in `unit`.
    """
    source = Source(len(values), unit=unit, first=first_row)
    return table_of_columns(None, columns_of_array(values), source)


def columns_of_array(values: NDArray[Any]) -> Sequence[Cells]:
    """Return the cells of each column of an array, as `table_of_array` does."""
    return _lists(values) if values.size < BULK_VALUES else _arrow(values)


def _arrow(values: NDArray[Any]) -> list[Cells]:
    import pyarrow as pa

    native = values.astype(values.dtype.newbyteorder("="), copy=False)
    return [pa.chunked_array([np.ascontiguousarray(column)]) for column in native.T]


def _lists(values: NDArray[Any]) -> list[list[Cell]]:
    if values.dtype.kind != "f" or values.dtype.itemsize == 8:
        whole: list[list[Cell]] = values.T.tolist()
        return whole
    if values.dtype.itemsize == 2 or np.isinf(values).any():  # which orjson writes as null
        return [[float(str(value)) for value in column] for column in values.T]
    columns = np.ascontiguousarray(values.T, np.float32)
    cells: list[list[Cell]] = orjson.loads(orjson.dumps(columns, option=orjson.OPT_SERIALIZE_NUMPY))
    return cells
