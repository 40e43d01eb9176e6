"""What a CSV column is: numbers only where the number says all that the text says."""

import re
from collections.abc import Mapping, Sequence
from itertools import islice

from sagetree.errors import DataError, quote
from sagetree.prepare.database import Database
from sagetree.prepare.inputs import find_name, listing
from sagetree.prepare.loading import TEXT, RawTable

WHOLE = "BIGINT"
NUMBER = "DOUBLE"

# A double holds up to 15 digits before the point exactly; no leading zeros, no plus sign.
_DECIMAL = r"-?(0|[1-9][0-9]{0,14})(\.[0-9]+)?([eE][+-]?[0-9]{1,2})?"
_WHOLE_DECIMAL = r"-?(0|[1-9][0-9]{0,14})\.0+"

_NUMERIC = re.compile(r"U?(TINY|SMALL|BIG|HUGE)?INT|U?INTEGER|DECIMAL\(.*\)|FLOAT|DOUBLE")
_TIME = re.compile(r"DATE|TIMESTAMP.*")

# What the database plans for this many columns in one query is still small: for ten times as many
# it took a hundred times as long, and gigabytes beside its own limit.
COLUMNS_AT_ONCE = 100

# As numbers first: 20200131 is one, and no ISO 8601 time that the database knows.
_TIME_KINDS = ("DECIMAL(38, 9)", "TIMESTAMPTZ")

TIMES_HINT = "Write all times as numbers, or all as 2026-01-31T13:45:00Z"


def is_numeric(kind: str) -> bool:
    """Say whether a type of the database is numbers."""
    return _NUMERIC.fullmatch(kind) is not None


def is_time(kind: str) -> bool:
    """Say whether a type of the database is dates or moments."""
    return _TIME.fullmatch(kind) is not None


def present(cell: str, kind: str) -> str:
    """Return the SQL of a cell that is NULL where nothing is there: NaN is nothing."""
    return f"nullif({cell}, CAST('NaN' AS {kind}))" if kind in ("FLOAT", NUMBER) else cell


def order_of_times(
    db: Database, rows: str, cell: tuple[str, str], place: str
) -> tuple[str, tuple[object, object] | None]:
    """Return the SQL by which rows are ordered in time, the cell given as SQL with its type.

    With it comes the first row whose cell is neither number nor date, else the first
    one without a cell (None if there is none): what `place` is there, and the cell.
    """
    time, kind = cell
    is_text = kind == TEXT
    for known in _TIME_KINDS:
        order = f"TRY_CAST(trim({time}) AS {known})" if is_text else present(time, kind)
        found = db.rows(
            f"SELECT {place}, {time} FROM {rows} WHERE {order} IS NULL "
            f"ORDER BY {time} IS NULL, 1 LIMIT 1"
        )
        if not found:
            return order, None
        if found[0][1] is None:  # what is there are times
            break
    at, value = found[0]
    return order, (at, value)


def typed_cells(db: Database, raw: RawTable) -> dict[str, str]:
    """Return the SQL of each column's cells: of CSV numbers where all of them are.

    A column is whole numbers where each cell, written back, is the same text
    (spaces around it aside), else numbers where each is a plain decimal
    number, else the text as it stands.
    """
    cells = {column: raw.cell(column) for column in raw.columns}
    if not raw.is_csv:
        return cells
    texts = [*raw.columns]
    for kind, test in ((WHOLE, _is_whole), (NUMBER, _is_decimal)):
        numbers = _all_pass(db, raw, {column: test(_trimmed(raw, column)) for column in texts})
        cells |= {column: f"CAST({_trimmed(raw, column)} AS {kind})" for column in numbers}
        texts = [column for column in texts if column not in numbers]
    return cells


def key_cells(db: Database, tables: Sequence[RawTable], key: str) -> Mapping[str, str]:
    """Return the SQL of each table's key: whole numbers where all tables have such, else text.

    So 7 and 7.0 are one key, 7 and 007 are two. Raises DataError for a table
    without the column.
    """
    kinds = {table.name: _key_kind(db, table, key_column(table, key)) for table in tables}
    alike = len({*kinds.values()}) == 1
    return {
        table.name: _key_cell(table, key_column(table, key), kinds[table.name], alike)
        for table in tables
    }


def key_column(table: RawTable, key: str) -> str:
    """Return the key's name as the table writes it. Raises DataError where it has none."""
    column = find_name(table.columns, key)
    if column is None:
        raise DataError(
            f"key column {quote(key)} is missing",
            where=f"table {table.name}",
            hint=f"Name it with --key; the columns (of CSV the cells of the first line) are "
            f"{listing(table.columns)}",
        )
    return column


def _key_kind(db: Database, table: RawTable, column: str) -> str:
    """Return BIGINT where all keys are whole numbers, else the column's own type."""
    kind = table.columns[column]
    if table.is_csv:
        cell = _trimmed(table, column)
        test = f"{_is_whole(cell)} OR regexp_full_match({cell}, '{_WHOLE_DECIMAL}')"
    elif is_numeric(kind):
        cell = table.cell(column)
        test = f"coalesce(TRY_CAST({cell} AS {WHOLE}) = {cell}, false)"
    else:
        return kind
    return WHOLE if _all_pass(db, table, {column: test}) else kind


def _key_cell(table: RawTable, column: str, kind: str, alike: bool) -> str:
    """Return a table's key as SQL; text unless the keys of all tables are `alike`."""
    given = _trimmed(table, column) if table.is_csv or kind == TEXT else table.cell(column)
    cell = given if kind == TEXT else f"CAST({given} AS {kind})"
    return cell if alike else f"CAST({cell} AS {TEXT})"


def _trimmed(table: RawTable, column: str) -> str:
    return f"trim({table.cell(column)})"


def _is_whole(cell: str) -> str:
    return f"coalesce(CAST(TRY_CAST({cell} AS {WHOLE}) AS {TEXT}) = {cell}, false)"


def _is_decimal(cell: str) -> str:
    return f"regexp_full_match({cell}, '{_DECIMAL}')"


def _all_pass(db: Database, raw: RawTable, tests: Mapping[str, str]) -> set[str]:
    """Return the columns whose cells, where there are any, all pass the column's test."""
    found: set[str] = set()
    left = iter(tests.items())
    while asked := list(islice(left, COLUMNS_AT_ONCE)):
        passed = (
            f"bool_and({test}) FILTER ({raw.cell(column)} IS NOT NULL)" for column, test in asked
        )
        holds = db.row(f"SELECT {', '.join(passed)} FROM {raw.sql}")
        found.update(column for (column, _), held in zip(asked, holds, strict=True) if held)
    return found
