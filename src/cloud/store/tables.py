"""A table's rows as Feature Store takes them: texts, with a type for each column.

CSV and Parquet files are read as `sagetree prepare` reads them, so that a column is a number here
where it is one there. In JSON Lines each value says itself what it is.
"""

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from sagetree.cloud.store.groups import FeatureType
from sagetree.errors import DataError, quote
from sagetree.files.finding import data_files
from sagetree.prepare.database import Database, DuckDatabase, open_database
from sagetree.prepare.inputs import TableFiles, listing
from sagetree.prepare.kinds import is_numeric, is_time, key_cells, present, typed_cells
from sagetree.prepare.loading import RawTable, load_table

# A function of 2 GB has room for more; what does not fit goes to the disk.
_MEMORY = 500_000_000

# Rows that are read at once.
BLOCK_ROWS = 500

_MOMENT = "%Y-%m-%dT%H:%M:%S.%gZ"


class Row(NamedTuple):
    """A row, numbered from 1: its cells that are there, or why it cannot be read."""

    number: int
    cells: Mapping[str, str]
    fault: str = ""


@dataclass(frozen=True)
class SourceTable:
    """A table to be written: its columns with their types, and its rows in blocks.

    `blocks` gets which columns are texts in the group: of CSV these come as they stand. `where`
    says in which file and line a row stands, by its number.
    """

    name: str
    types: Mapping[str, FeatureType]
    rows: int
    blocks: Callable[[AbstractSet[str]], Iterator[Sequence[Row]]]
    where: Callable[[int], str]


@contextmanager
def open_table(name: str, path: Path, id_field: str) -> Iterator[SourceTable]:
    """Yield the table of a file, or of all files of a folder, by its identifier's column.

    Raises DataError for a table that cannot be read, or whose rows have no identifier.
    """
    if not path.exists():
        raise DataError("the file does not exist", where=str(path), hint="Name a file or a folder")
    named = {str(file.relative_to(path.parent)): file for file in data_files(path)}
    if lines := {place: file for place, file in named.items() if _begins_with_brace(file)}:
        _check_all_lines(name, named, lines)
        yield _identified(_json_lines(name, lines, id_field), id_field)
        return
    with open_database(_MEMORY) as db:
        raw = load_table(db, TableFiles(name, named))
        if raw.written:
            raise DataError(
                "these are files of an offline store",
                where=f"table {name}",
                hint="Ingest the table that the store was made of",
            )
        yield _identified(_of_database(db, raw, id_field), id_field)


def _check_all_lines(name: str, files: Mapping[str, Path], lines: Mapping[str, Path]) -> None:
    """Raise DataError for a folder of JSON Lines in which something else is; empty files may be."""
    if others := [n for n, file in files.items() if n not in lines and file.stat().st_size]:
        raise DataError(
            f"some of its files are JSON Lines, and {quote(others[0])} is not",
            where=f"table {name}",
            hint="Leave files of one kind: is the same data there twice?",
        )


def _identified(table: SourceTable, id_field: str) -> SourceTable:
    """Return the table. Raises DataError where its rows have no identifier."""
    kind = table.types.get(id_field)
    if kind is None:
        raise DataError(
            f"column {quote(id_field)}, which identifies its rows, is missing",
            where=f"table {table.name}",
            hint=f"It is the stack's IdField; the table has {listing(table.types)}",
        )
    if kind == "Fractional":
        raise DataError(
            "a record is identified by a whole number or a text, and these are fractions",
            where=f"table {table.name}, column {quote(id_field)}",
            hint="Write it as whole numbers or as texts",
        )
    return table


def _of_database(db: DuckDatabase, raw: RawTable, id_field: str) -> SourceTable:
    cells = typed_cells(db, raw)
    if id_field in raw.columns:  # 7.0 is 7 there, as it is in a claim
        cells[id_field] = key_cells(db, [raw], id_field)[raw.name]
    types: dict[str, FeatureType] = {}
    typed = {}
    for column, kind in raw.columns.items():
        now = _kind_of(db, raw, cells[column]) if raw.is_csv or column == id_field else kind
        types[column] = _feature_type(now, f"table {raw.name}, column {quote(column)}")
        typed[column] = _text(present(cells[column], now), now)

    def blocks(texts: AbstractSet[str]) -> Iterator[Sequence[Row]]:
        # 7 stays 7 there though another cell is 7.5, which makes it 7.0 as a number
        kept = {c for c in texts & types.keys() if raw.is_csv and types[c] == "Fractional"}
        told = [f"trim({raw.cell(c)})" if c in kept else sql for c, sql in typed.items()]
        found = db.run(f"SELECT rowid, {', '.join(told)} FROM {raw.sql} ORDER BY rowid")
        while block := found.fetchmany(BLOCK_ROWS):
            yield [_row(number + 1, dict(zip(types, row, strict=True))) for number, *row in block]

    return SourceTable(raw.name, types, raw.rows, blocks, lambda n: raw.locate(n - 1))


def _row(number: int, cells: Mapping[str, str | None]) -> Row:
    return Row(number, {name: cell for name, cell in cells.items() if cell})


def _kind_of(db: Database, raw: RawTable, cell: str) -> str:
    return str(db.row(f"SELECT typeof({cell}) FROM {raw.sql} LIMIT 1")[0])


def _feature_type(kind: str, where: str) -> FeatureType:
    """Return the feature's type for a type of the database. Raises DataError for lists and such."""
    if is_numeric(kind):
        return "Integral" if "INT" in kind else "Fractional"
    if kind in ("VARCHAR", "BOOLEAN", "UUID", "TIME") or is_time(kind) or kind.startswith("ENUM"):
        return "String"
    raise DataError(
        f"a feature cannot be {kind}",
        where=where,
        hint="Write each value into a column of its own, or leave the column out",
    )


def _text(cell: str, kind: str) -> str:
    """Return the SQL of a cell as text."""
    if is_time(kind) and kind != "DATE":
        return f"strftime(CAST({cell} AS TIMESTAMPTZ), '{_MOMENT}')"
    return f"CAST({cell} AS VARCHAR)"


def _begins_with_brace(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4096).removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"{", b"[")


def _json_lines(name: str, files: Mapping[str, Path], id_field: str) -> SourceTable:
    kinds: dict[str, set[type]] = {}
    places = []
    for place, line in _lines(files):
        places.append(place)
        record = _record(line, id_field)
        for column, value in record.items() if isinstance(record, dict) else ():
            if _cell(value) is not None:
                kinds.setdefault(column, set()).add(type(value))
    if not kinds:
        raise DataError(
            "no line of it is a record",
            where=next(iter(files)),
            hint='Write one record a line: {"column": value, ...}',
        )
    types = {column: _type_of(found) for column, found in kinds.items()}

    def blocks(_texts: AbstractSet[str]) -> Iterator[Sequence[Row]]:
        rows = (_json_row(n, line, id_field) for n, (_, line) in enumerate(_lines(files), 1))
        while block := list(islice(rows, BLOCK_ROWS)):
            yield block

    def where(number: int) -> str:
        file, line = places[number - 1]
        return f"{file} line {line}"

    return SourceTable(name, types, len(places), blocks, where)


def _lines(files: Mapping[str, Path]) -> Iterator[tuple[tuple[str, int], bytes]]:
    """Yield each line that is not empty, after its file's name and its number there."""
    for name, path in files.items():
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if text := line.removeprefix(b"\xef\xbb\xbf").strip():
                    yield (name, number), text


def _record(line: bytes, id_field: str) -> object:
    """Return the record in a line, or a sentence that says why there is none."""
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        return f"it is not JSON ({error})"
    if not isinstance(record, dict):
        return "it is not an object"
    identifier = record.get(id_field)
    if isinstance(identifier, float) and identifier.is_integer():  # as it is in a claim
        record[id_field] = int(identifier)
    return record


def _json_row(number: int, line: bytes, id_field: str) -> Row:
    record = _record(line, id_field)
    if not isinstance(record, dict):
        return Row(number, {}, str(record))
    for column, value in record.items():
        if isinstance(value, dict | list):
            return Row(number, {}, f"{column}: it is not a single value")
    return _row(number, {column: _cell(value) for column, value in record.items()})


def _cell(value: object) -> str | None:
    """Return a value as text, None where nothing is there."""
    match value:
        case bool():
            return "true" if value else "false"
        case float():
            return None if math.isnan(value) else repr(value)
        case int():
            return str(value)
        case str():
            return value or None
    return None


def _type_of(kinds: set[type]) -> FeatureType:
    if kinds == {int}:
        return "Integral"
    return "Fractional" if kinds <= {int, float} else "String"
