"""Files of a channel or a processing input to one table."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

import pyarrow as pa
import pyarrow.parquet as pq

from sagetree.cells import Cell, CellError, category_text, to_number
from sagetree.csv_text import CsvError, CsvText, parse_csv
from sagetree.errors import DataError, PlatformError, quote
from sagetree.schema import header_names
from sagetree.table import Cells, Source, Table

Format = Literal["csv", "parquet"]
HeaderRule = Callable[[CsvText], bool]

# What other programs leave beside data: Spark and Hadoop (_SUCCESS, *.crc),
# SageMaker (*.manifest).
_SKIPPED_NAMES = frozenset({"_SUCCESS"})
_SKIPPED_SUFFIXES = frozenset({".crc", ".manifest"})

_PARQUET_MAGIC = b"PAR1"
_OTHER_MAGIC = {
    b"\x1f\x8b": "a gzip file",
    b"PK\x03\x04": "a zip or Excel file",
    b"\x28\xb5\x2f\xfd": "a zstd file",
    b"\x89PNG": "a PNG image",
    b"%PDF": "a PDF document",
    b"\x80": "a Python pickle",
    b"\x0a\x23\xd7\xce": "a RecordIO file",
    b"ARROW1": "an Arrow file",
    b"Obj\x01": "an Avro file",
    b'{"': "JSON",
    b'[{"': "JSON",
    b"<?xml": "XML",
}

# Rows looked at to tell a header from data.
_HEADER_SAMPLE = 1000


def data_files(folder: Path) -> list[Path]:
    """Return the data files in `folder` and below it, sorted; a file is its own list.

    Hidden files and what Spark, Hadoop and SageMaker leave beside data are
    skipped. Raises DataError where nothing is left.
    """
    if folder.is_file():
        return [folder]
    files = sorted(_walk(folder, frozenset()))
    if not files:
        reason = "holds no data file" if folder.is_dir() else "does not exist"
        raise DataError(f"the folder {reason}", where=str(folder), hint="Put CSV or Parquet there")
    return files


def _walk(folder: Path, above: frozenset[Path]) -> Iterator[Path]:
    """Yield files depth first, through links, but not round in circles."""
    real = folder.resolve()
    if real in above or not folder.is_dir():
        return
    for path in folder.iterdir():
        if path.name.startswith(".") or path.name in _SKIPPED_NAMES:
            continue
        if path.is_dir():
            yield from _walk(path, above | {real})
        elif path.suffix not in _SKIPPED_SUFFIXES:
            yield path


def read_table(folder: Path, is_header: HeaderRule, format: Format | None = None) -> Table:  # noqa: A002
    """Return the rows of all data files in `folder` as one table of Arrow columns.

    `is_header` says whether a CSV file's first row is its header; `format` is
    what the files must be, None for whatever each of them is. Raises
    DataError naming file and line.
    """
    tables = []
    for path in data_files(folder):
        name = str(path.relative_to(folder)) if path != folder else path.name
        tables.append(_read_file(path, name, is_header, format))
    table = _concatenate(tables)
    if not table.rows:
        raise DataError("there are no rows", where=str(folder), hint="Put rows below the header")
    return table


def _read_file(path: Path, name: str, is_header: HeaderRule, format: Format | None) -> Table:  # noqa: A002
    try:
        data = path.read_bytes()
    except OSError as error:
        hint = "Check its permissions, and where it leads if it is a link"
        raise PlatformError("the file cannot be read", where=name, hint=hint) from error
    found: Format = "parquet" if data.startswith(_PARQUET_MAGIC) else "csv"
    if format not in (None, found):
        kind = "a Parquet file" if found == "parquet" else "no Parquet file"
        hint = f"Its channel's ContentType promises {format}: correct the one or the other"
        raise DataError(f"this is {kind}", where=name, hint=hint)
    return _read_parquet(data, name) if found == "parquet" else _read_csv(data, name, is_header)


def _read_parquet(data: bytes, name: str) -> Table:
    try:
        # not read_table: to that, two columns of one name are a damaged file
        table = pq.ParquetFile(pa.BufferReader(data)).read()
        table.validate(full=True)  # text in another encoding than UTF-8, for one
    except (pa.ArrowInvalid, OSError) as error:
        reason = str(error).splitlines()[0].rstrip(".")
        hint = "Write the file again; it may be cut off"
        raise DataError(f"the Parquet file is damaged: {reason}", where=name, hint=hint) from error
    names = _unique_names(header_names(table.column_names), name)
    source = Source(table.num_rows, name)
    return Table(names, tuple(table.columns), table.num_rows, True, (source,))


def _read_csv(data: bytes, name: str, is_header: HeaderRule) -> Table:
    for magic, kind in _OTHER_MAGIC.items():
        if data.startswith(magic):
            hint = "Put CSV (UTF-8) or Parquet files into the channel"
            raise DataError(f"this is {kind}", where=name, hint=hint)
    try:
        text = parse_csv(data)
    except CsvError as error:
        where = f"{name} line {error.line}"
        raise DataError(str(error), where=where, hint=error.hint) from error
    if not is_header(text):
        names = tuple(map(str, range(len(text.columns))))
        return _csv_table(text, names, False, name)
    names = _unique_names(header_names(text.first_row), f"{name} line 1")
    return _csv_table(text.without_first_row(), names, True, name)


def _csv_table(text: CsvText, names: tuple[str, ...], named: bool, name: str) -> Table:
    columns = tuple(map(_arrow, text.columns))
    source = Source(text.rows, name)
    if text.one_line_each:
        source = Source(text.rows, name, "line", 2 if named else 1)
    return Table(names, columns, text.rows, named, (source,))


def _arrow(cells: Cells) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array(cells, pa.string())]) if isinstance(cells, list) else cells


def _unique_names(names: Sequence[str], where: str) -> tuple[str, ...]:
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        hint = "Give every column its own name"
        raise DataError(f"two columns are called {quote(repeated[0])}", where=where, hint=hint)
    return tuple(names)


def _concatenate(tables: Sequence[Table]) -> Table:
    first = tables[0]
    if len(tables) == 1:
        return first
    aligned = [_align(table, first) for table in tables]
    columns = []
    for index, name in enumerate(first.names):
        parts = [table.columns[index] for table in aligned]
        columns.append(_join(parts, name, [table.sources[0].name for table in tables]))
    rows = sum(table.rows for table in tables)
    sources = tuple(source for table in tables for source in table.sources)
    return replace(first, columns=tuple(columns), rows=rows, sources=sources)


def _align(table: Table, first: Table) -> Table:
    """Return `table` with its columns in the order of the first file's."""
    where, other = table.sources[0].name, first.sources[0].name
    if table.named != first.named:
        holder = where if table.named else other
        hint = "Give every file a header, or none; or set header=true or header=false"
        raise DataError(f"of {where} and {other} only {holder} has a header", hint=hint)
    if not table.named and len(table.names) != len(first.names):
        counts = f"{len(table.names)} columns where {other} has {len(first.names)}"
        raise DataError(counts, where=where, hint="All files of a channel need the same columns")
    different = sorted(set(table.names) ^ set(first.names))
    if different:
        holder = where if different[0] in table.names else other
        raise DataError(
            f"of {where} and {other} only {holder} has the column {quote(different[0])}",
            hint="All files of a channel need the same columns",
        )
    return replace(table, names=first.names, columns=tuple(map(table.column, first.names)))


def _join(parts: Sequence[Cells], name: str, files: Sequence[str]) -> pa.ChunkedArray:
    tables = [pa.table({"cells": _decoded(part)}) for part in parts]
    try:
        return pa.concat_tables(tables, promote_options="permissive").column("cells")
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError) as error:
        types = ", ".join(f"{t.schema.types[0]} in {f}" for t, f in zip(tables, files, strict=True))
        hint = "Write the column with one type in all files"
        raise DataError(
            f"its types do not go together: {types}", where=f"column {quote(name)}", hint=hint
        ) from error


def _decoded(cells: Cells) -> Cells:
    """Return a column of categories as one of what they stand for: files code them each anew."""
    if isinstance(cells, pa.ChunkedArray) and pa.types.is_dictionary(cells.type):
        return cells.cast(cells.type.value_type)
    return cells


def looks_like_header(text: CsvText) -> bool:
    """Say whether a CSV's first row is a header, for a reader that knows no names.

    It is where all its cells are text and do not fit the columns below them:
    a word stands above numbers, or all cells differ and none is repeated below.
    """
    first = text.first_row
    names = header_names(first)
    if not all(map(_is_text, names)):
        return False
    samples = [_sample(cells) for cells in text.columns]
    above_numbers = (any(not _is_text(cell) for cell in sample) for sample in samples)
    if any(cell.strip() and numbers for cell, numbers in zip(first, above_numbers, strict=True)):
        return True
    repeated = any(name in sample for name, sample in zip(first, samples, strict=True))
    return not repeated and len(set(names)) == len(names)


def _sample(cells: Cells) -> set[Cell]:
    below = cells[1 : 1 + _HEADER_SAMPLE]
    cells_below = set(below if isinstance(below, list) else below.to_pylist())
    return {cell for cell in cells_below if category_text(cell) is not None}


def _is_text(cell: Cell) -> bool:
    try:
        to_number(cell)
    except CellError:
        return True
    return False
