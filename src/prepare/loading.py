"""The files of a table to one table of the database, every cell as it stands."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from sagetree.errors import DataError, quote
from sagetree.files.finding import listed
from sagetree.formats.detection import refuse_stand_in
from sagetree.machine.program import LOG
from sagetree.prepare.csv_blocks import Block, check_names, read_blocks
from sagetree.prepare.database import Database, identifier
from sagetree.prepare.inputs import TableFiles
from sagetree.tables.index_names import is_index_name
from sagetree.tables.table import Source, place_of

_PARQUET_MAGIC = b"PAR1"

# Text has none of these bytes; compressed files, images and UTF-16 have.
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1f]")
_PROBE_BYTES = 4096

# The database packs 122 880 rows at a time, and is slow with fewer.
BLOCKS_AT_ONCE = 6

# The database's type of a column without any value.
_NO_TYPE = '"NULL"'
TEXT = "VARCHAR"


@dataclass(frozen=True)
class RawTable:
    """A table as read: `columns` has the database's type of each, of CSV all text.

    `headers` counts the header lines that stood among the rows, `nameless` are
    the columns without a name; both are left out. `sources` are where the rows
    come from, in order.
    """

    name: str
    columns: Mapping[str, str]
    is_csv: bool
    nameless: tuple[str, ...]
    headers: int
    sources: tuple[Source, ...]

    @property
    def sql(self) -> str:
        """The table's name in a query."""
        return f"raw.{identifier(self.name)}"

    @staticmethod
    def cell(column: str) -> str:
        """Return a column's name in the table as SQL: prefixed, as one may be called rowid."""
        return identifier(f"cell {column}")

    @property
    def rows(self) -> int:
        """The number of rows, header lines not counted."""
        return sum(source.rows for source in self.sources)

    def locate(self, row: int) -> str:
        """Return file and line of the row with this rowid."""
        return place_of(row, self.sources)


def load_table(db: Database, table: TableFiles) -> RawTable:
    """Load the files of a table into the schema `raw`.

    The rows are numbered (rowid) in the order of the files. Raises DataError
    naming file and line.
    """
    table = _without_empty_files(table)
    kinds = {name: _is_parquet(path, name) for name, path in table.files.items()}
    if len(set(kinds.values())) > 1:
        raise DataError(
            "some of its files are CSV, some Parquet",
            where=f"table {table.name}",
            hint="Leave files of one kind: is the same data there twice?",
        )
    load = _load_parquet if all(kinds.values()) else _load_csv
    raw = load(db, table)
    if not raw.rows:
        hint = "Put rows below the header"
        raise DataError("there are no rows", where=f"table {table.name}", hint=hint)
    return raw


def _without_empty_files(table: TableFiles) -> TableFiles:
    """Return the table less its files without a byte, if it has others."""
    files = {name: path for name, path in table.files.items() if path.stat().st_size}
    empty = [name for name in table.files if name not in files]
    if not empty or not files:
        return table
    LOG.info("%s: empty and left out: %s", table.name, listed(empty))
    return replace(table, files=files)


def _is_parquet(path: Path, name: str) -> bool:
    with path.open("rb") as file:
        probe = file.read(_PROBE_BYTES)
    if probe.startswith(_PARQUET_MAGIC):
        return True
    if _CONTROL.search(probe):
        hint = "Put CSV (UTF-8 text) or Parquet files there; unpack compressed ones"
        raise DataError("this is neither CSV nor Parquet", where=name, hint=hint)
    refuse_stand_in(probe, name)
    return False


def _load_csv(db: Database, table: TableFiles) -> RawTable:
    target = f"raw.{identifier(table.name)}"
    columns: dict[str, Sequence[str]] = {}
    sources: list[Source] = []
    headers = 0
    for name, path in table.files.items():
        with path.open("rb") as file:
            blocks = read_blocks(file, name)
            first = next(blocks)
            columns[name] = first.rows.column_names
            _check_same_columns(columns)
            if len(columns) == 1:
                cells = (f"{RawTable.cell(column)} {TEXT}" for column in _named(columns[name]))
                db.run(f"CREATE TABLE {target} ({', '.join(cells)})")
            kept, stray = _append(db, target, chain([first], blocks))
        sources += kept
        headers += stray
    kinds = dict.fromkeys(_named(next(iter(columns.values()))), TEXT)
    return RawTable(table.name, kinds, True, _nameless(columns), headers, tuple(sources))


def _append(db: Database, target: str, blocks: Iterator[Block]) -> tuple[list[Source], int]:
    """Insert the rows of one file; return where they stand, and the header lines among them."""
    headers = 0
    sources: list[Source] = []
    while batch := list(islice(blocks, BLOCKS_AT_ONCE)):
        names = _named(batch[0].rows.column_names)
        cells = (f"nullif({identifier(name)}, '') AS {RawTable.cell(name)}" for name in names)
        db.insert(target, ", ".join(cells), pa.concat_tables(block.rows for block in batch))
        headers += sum(block.headers for block in batch)
        sources += [source for block in batch for source in block.sources if source.rows]
    return sources, headers


def _load_parquet(db: Database, table: TableFiles) -> RawTable:
    columns: dict[str, Sequence[str]] = {}
    sources: list[Source] = []
    for name, path in table.files.items():
        columns[name], rows = _parquet_footer(path, name)
        _check_same_columns(columns)
        sources.append(Source(rows, name))
    try:
        kinds = _parquet_kinds(db, table)
        cells = (
            f"CAST({identifier(c)} AS {kind}) AS {RawTable.cell(c)}" for c, kind in kinds.items()
        )
        db.run(
            f"CREATE TABLE raw.{identifier(table.name)} AS SELECT {', '.join(cells)} "
            "FROM read_parquet(?, union_by_name = true)",
            [[str(path) for path in table.files.values()]],
        )
    except duckdb.Error as error:
        raise _damaged(str(error).splitlines()[0], f"table {table.name}") from error
    return RawTable(table.name, kinds, False, _nameless(columns), 0, tuple(sources))


def _parquet_footer(path: Path, name: str) -> tuple[Sequence[str], int]:
    """Return a file's columns and the number of its rows."""
    try:
        metadata = pq.read_metadata(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise _damaged(str(error).splitlines()[0], name) from error
    columns = metadata.schema.to_arrow_schema().names
    check_names(columns, name)
    return columns, metadata.num_rows


def _damaged(reason: str, where: str) -> DataError:
    hint = "Write the file again; it may be cut off"
    return DataError(f"the Parquet file is damaged: {reason}", where=where, hint=hint)


def _parquet_kinds(db: Database, table: TableFiles) -> Mapping[str, str]:
    """Return the types the columns have in all files together.

    Raises DataError where one is text in some files alone: numbers of several
    kinds go together, numbers and text do not.
    """
    describe = "DESCRIBE SELECT * FROM read_parquet(?, union_by_name = true)"
    paths = {name: str(path) for name, path in table.files.items()}
    together = {c: kind for c, kind, *_ in db.rows(describe, [list(paths.values())])}
    for name, path in paths.items():
        for column, kind, *_ in db.rows(describe, [[path]]):
            if together[column] == TEXT and kind not in (TEXT, _NO_TYPE):
                raise DataError(
                    f"it is {kind} in {name} and {TEXT} in others",
                    where=f"table {table.name}, column {quote(column)}",
                    hint="Write the column with one type in all files",
                )
    kinds = {column: together[column] for column in _named([*together])}
    return {column: TEXT if kind == _NO_TYPE else kind for column, kind in kinds.items()}


def _named(columns: Sequence[str]) -> list[str]:
    return [column for column in columns if not is_index_name(column)]


def _nameless(columns: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    found = {name for names in columns.values() for name in names if is_index_name(name)}
    return tuple(sorted(found))


def _check_same_columns(columns: dict[str, Sequence[str]]) -> None:
    """Hold the last file's columns against the first one's; `columns` is by file."""
    first, last = next(iter(columns)), next(reversed(columns))
    different = sorted({*_named(columns[first])} ^ {*_named(columns[last])})
    if different:
        holder = first if different[0] in columns[first] else last
        raise DataError(
            f"of {first} and {last} only {holder} has the column {quote(different[0])}",
            hint="All files of a table need the same columns",
        )
    if not _named(columns[last]):
        raise DataError("no column has a name", where=last, hint="Put a header on the first line")
