"""The files of a table to one table of the database, every cell as it stands."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from sagetree.errors import DataError, quote
from sagetree.files.finding import listed
from sagetree.formats.detection import refuse_stand_in
from sagetree.machine.program import LOG
from sagetree.prepare.csv_blocks import Block, check_names, read_blocks
from sagetree.prepare.database import DuckDatabase, identifier, literal
from sagetree.prepare.inputs import TableFiles
from sagetree.prepare.stores.columns import check_same_columns, named, nameless
from sagetree.prepare.stores.feature_store import WRITTEN, is_feature_store
from sagetree.prepare.stores.folders import (
    Values,
    all_whole,
    columns_by_folder,
    folder_values,
    groups,
)
from sagetree.prepare.stores.iceberg import REWRITE, Snapshot
from sagetree.tables.table import Source, place_of

_PARQUET_MAGIC = b"PAR1"

# Text has none of these bytes; compressed files, images and UTF-16 have.
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1f]")
PROBE_BYTES = 4096

# The database packs 122 880 rows at a time, and is slow with fewer: of many columns a block has
# few rows, and four times the blocks take two thirds of the time (5000 columns).
BLOCKS_AT_ONCE, MOST_BLOCKS, COLUMNS_A_BLOCK = 6, 24, 250

# The database's type of a column without any value.
_NO_TYPE = '"NULL"'
TEXT = "VARCHAR"

# Folders called key=value are read by `stores.folders`: the database gives them a type for each
# file, and takes the folders above the table for columns, too.
_READ_PARQUET = "read_parquet(?, union_by_name = true, hive_partitioning = false)"


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
    written: tuple[str, ...] = ()

    @property
    def sql(self) -> str:
        """The table's name in a query."""
        return f"raw.{identifier(self.name)}"

    @staticmethod
    def cell(column: str) -> str:
        """Return a column's name in the table as SQL: prefixed, as one may be called rowid."""
        return identifier(_cell_name(column))

    @property
    def rows(self) -> int:
        """The number of rows, header lines not counted."""
        return sum(source.rows for source in self.sources)

    def locate(self, row: int) -> str:
        """Return file and line of the row with this rowid."""
        return place_of(row, self.sources)


def _cell_name(column: str) -> str:
    return f"cell {column}"


def load_table(db: DuckDatabase, table: TableFiles) -> RawTable:
    """Load the files of a table into the schema `raw`.

    The rows are numbered (rowid) in the order of the files. Raises DataError
    naming file and line.
    """
    table = _without_empty_files(table)
    kinds = {name: is_parquet(_head(path), name) for name, path in table.files.items()}
    if len(set(kinds.values())) > 1:
        raise DataError(
            "some of its files are CSV, and others Parquet",
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
    LOG.info("%s: empty and skipped: %s", table.name, listed(empty))
    return replace(table, files=files)


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(PROBE_BYTES)


def is_parquet(probe: bytes, name: str) -> bool:
    """Say whether a file is Parquet by its first PROBE_BYTES; else it is CSV, as far as one sees.

    Raises DataError where it is neither.
    """
    if probe.startswith(_PARQUET_MAGIC):
        return True
    if _CONTROL.search(probe):
        hint = "Put CSV (UTF-8 text) or Parquet files there; unpack compressed ones"
        raise DataError("this is neither CSV nor Parquet", where=name, hint=hint)
    refuse_stand_in(probe, name)
    return False


def _load_csv(db: DuckDatabase, table: TableFiles) -> RawTable:
    columns: dict[str, Sequence[str]] = {}
    sources: list[Source] = []
    headers = 0
    for name, path in table.files.items():
        with path.open("rb") as file:
            blocks = read_blocks(file, name)
            first = next(blocks)
            own = first.rows.column_names
            values = folder_values({name: own})[name]
            columns[name] = [*own, *values]
            check_same_columns(columns)
            if len(columns) == 1:
                kinds = dict.fromkeys(named(columns[name]), TEXT)
                _create(db, table, kinds)
            kept, stray = _append(db, table.name, chain([first], blocks), values)
        sources += kept
        headers += stray
    return _raw_table(table, kinds, columns, sources, headers)


def _create(db: DuckDatabase, table: TableFiles, kinds: Mapping[str, str]) -> None:
    cells = (f"{RawTable.cell(column)} {kind}" for column, kind in kinds.items())
    db.run(f"CREATE TABLE raw.{identifier(table.name)} ({', '.join(cells)})")


def _raw_table(
    table: TableFiles,
    kinds: Mapping[str, str],
    columns: Mapping[str, Sequence[str]],
    sources: Sequence[Source],
    headers: int | None,
) -> RawTable:
    """Return what was loaded; `columns` are by file, `headers` None of Parquet."""
    written = WRITTEN if is_feature_store(columns.values()) else ()
    others = {column: kind for column, kind in kinds.items() if column not in written}
    return RawTable(
        name=table.name,
        columns=others,
        is_csv=headers is not None,
        nameless=nameless(columns),
        headers=headers or 0,
        sources=tuple(sources),
        written=written,
    )


def _append(
    db: DuckDatabase, table: str, blocks: Iterator[Block], values: Values
) -> tuple[list[Source], int]:
    """Insert the rows of one file; return where they stand, and the header lines among them."""
    headers = 0
    sources: list[Source] = []
    first = next(blocks)
    names = named(first.rows.column_names)
    count = min(MOST_BLOCKS, max(BLOCKS_AT_ONCE, len(names) // COLUMNS_A_BLOCK))
    every = chain([first], blocks)
    while batch := list(islice(every, count)):
        rows = pa.concat_tables(block.rows for block in batch)
        own = {_cell_name(name): _filled(rows[name]) for name in names}
        cells = [*(["*"] if own else []), *_constants(values)]
        db.insert(f"raw.{identifier(table)}", ", ".join(cells), pa.table(own) if own else rows)
        headers += sum(block.headers for block in batch)
        sources += [source for block in batch for source in block.sources if source.rows]
    return sources, headers


def _filled(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column with empty cells missing.

    Said in SQL, an expression for each column, it takes the database time that grows with
    the square of their number: of 8000 columns 7 s for each insertion.
    """
    is_empty = pc.equal(column, "")
    return pc.if_else(is_empty, None, column) if pc.any(is_empty).as_py() else column


def _constants(values: Values) -> list[str]:
    """Return the SQL of the columns that a file's folders give."""
    return [
        f"{'NULL' if value is None else literal(value)} AS {RawTable.cell(column)}"
        for column, value in values.items()
    ]


def _load_parquet(db: DuckDatabase, table: TableFiles) -> RawTable:
    own: dict[str, Sequence[str]] = {}
    sources: list[Source] = []
    for name, path in table.files.items():
        own[name], rows = _parquet_footer(path, name, table.snapshot)
        sources.append(Source(rows, name))
    values = columns_by_folder(table.name, own, only_repeated=table.snapshot is not None)
    columns = {name: [*own[name], *values[name]] for name in own}
    try:
        kinds = _parquet_kinds(db, table, values)
        _create(db, table, kinds)
        for given, names in groups(values):
            taken = [column for column in kinds if column not in given]
            cells = [f"CAST({identifier(c)} AS {kinds[c]}) AS {RawTable.cell(c)}" for c in taken]
            db.run(
                f"INSERT INTO raw.{identifier(table.name)} BY NAME "
                f"SELECT {', '.join([*cells, *_constants(given)])} FROM {_READ_PARQUET}",
                [[_exactly(table.files[name]) for name in names]],
            )
    except duckdb.Error as error:
        raise _damaged(str(error).splitlines()[0], f"table {table.name}") from error
    return _raw_table(table, kinds, columns, sources, None)


def _exactly(path: Path) -> str:
    """Return a path for the database, which takes * ? and [ for patterns."""
    return re.sub(r"[*?\[]", r"[\g<0>]", str(path))


def _parquet_footer(path: Path, name: str, snapshot: Snapshot | None) -> tuple[Sequence[str], int]:
    """Return a file's columns, of an Iceberg table's the ones it has now, and its rows' number."""
    try:
        metadata = pq.read_metadata(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise _damaged(str(error).splitlines()[0], name) from error
    schema = metadata.schema.to_arrow_schema()
    check_names(schema.names, name)
    if snapshot is None:
        return schema.names, metadata.num_rows
    _check_fields(schema, name, snapshot)
    known = {*snapshot.columns.values()}
    return [column for column in schema.names if column in known], metadata.num_rows


def _check_fields(schema: pa.Schema, name: str, snapshot: Snapshot) -> None:
    """Raise DataError where an Iceberg table's file has other columns than the table now."""
    known = snapshot.columns
    for field in schema:
        number = (field.metadata or {}).get(b"PARQUET:field_id", b"").decode()
        if number and known.get(int(number), field.name) != field.name:
            raise DataError(
                f"the column {quote(field.name)} is called {quote(known[int(number)])} now",
                where=name,
                hint=f"{REWRITE}, and copy its folder again",
            )
    if not {*schema.names} & {*known.values()}:
        hint = "Leave the file out, or write it again"
        raise DataError("it has none of the Iceberg table's columns", where=name, hint=hint)
    if lacking := sorted(snapshot.partitions - {*schema.names}):
        raise DataError(
            f"the column {quote(lacking[0])} is in the Iceberg table's metadata alone",
            where=name,
            hint=f"{REWRITE}, and copy its folder again",
        )


def _damaged(reason: str, where: str) -> DataError:
    hint = "Write the file again; it may be cut off"
    return DataError(f"the Parquet file is damaged: {reason}", where=where, hint=hint)


def _parquet_kinds(
    db: DuckDatabase, table: TableFiles, values: Mapping[str, Values]
) -> Mapping[str, str]:
    """Return the types the columns have in all files together, those of `values` last.

    Raises DataError where one is text in some files alone: numbers of several
    kinds go together, numbers and text do not.
    """
    describe = f"DESCRIBE SELECT * FROM {_READ_PARQUET}"
    paths = {name: _exactly(path) for name, path in table.files.items()}
    together = {c: kind for c, kind, *_ in db.rows(describe, [list(paths.values())])}
    for name, path in paths.items():
        for column, kind, *_ in db.rows(describe, [[path]]):
            if together[column] == TEXT and kind not in (TEXT, _NO_TYPE):
                raise DataError(
                    f"it is {kind} in {name} and {TEXT} in others",
                    where=f"table {table.name}, column {quote(column)}",
                    hint="Write the column with the same type in all files",
                )
    known = {*table.snapshot.columns.values()} if table.snapshot else None
    kept = [column for column in named([*together]) if known is None or column in known]
    kinds = {c: TEXT if together[c] == _NO_TYPE else together[c] for c in kept}
    for column in named([*next(iter(values.values()))]):
        whole = all_whole(given[column] for given in values.values())
        kinds[column] = "BIGINT" if whole else TEXT
    return kinds
