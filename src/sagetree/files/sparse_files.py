"""Files of libsvm and recordio-protobuf, which are read whole before they are tables."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

import pyarrow as pa

from sagetree.errors import DataError
from sagetree.files.finding import WholeLines
from sagetree.formats.libsvm import parse_blocks
from sagetree.formats.recordio import parse_records
from sagetree.formats.sparse_rows import RecordError, SparseRows
from sagetree.tables.table import Role, Source, Table

LABEL, WEIGHT, GROUP = "label", "weight", "qid"

# Rows of one table: its cells are written out, absent ones too.
BATCH_ROWS = 16 * 1024


@dataclass(frozen=True)
class Indices:
    """The columns of libsvm and recordio rows: the lowest index, and how many there are."""

    first: int
    width: int

    @property
    def names(self) -> tuple[str, ...]:
        """The columns' names: f and the index."""
        return tuple(f"f{index}" for index in range(self.first, self.first + self.width))


@dataclass(frozen=True)
class SparseFile:
    """The rows of one libsvm or recordio file, in parts; `unit` is what a row is called there."""

    name: str
    parts: list[SparseRows]
    unit: str


def read_libsvm(file: BinaryIO, name: str, *, request: bool = False) -> SparseFile:
    """Return the rows of libsvm text; in a `request` they need no label, and have no weights.

    Raises DataError naming file and line.
    """
    text = WholeLines(file)
    try:
        parts = parse_blocks(text, request=request)
    except RecordError as error:
        raise error.in_file(name) from error
    return SparseFile(name, parts, text.unit(sum(part.rows for part in parts)))


def read_recordio(file: BinaryIO, name: str) -> SparseFile:
    """Return the rows of recordio-protobuf. Raises DataError naming file and record."""
    try:
        return SparseFile(name, parse_records(file), "record")
    except RecordError as error:
        raise error.in_file(name) from error


def sparse_tables(
    files: Sequence[SparseFile], based: bool, indices: Indices | None
) -> Iterator[Table]:
    """Yield the rows of all files as columns: label, perhaps weight and qid, then f and the index.

    With `based` the lowest index of all may be 0 or 1, which is then the first
    column. The files' parts are given up one after the other. Raises DataError
    for a cell outside of `indices`.
    """
    parts = [part for file in files for part in file.parts]
    lowest = min((part.lowest for part in parts if part.lowest is not None), default=0)
    first = min(lowest, 1) if based else 0
    indices = indices or Indices(first, max(part.width for part in parts) - first)
    weighted = any(part.weights is not None for part in parts)
    grouped = all(part.groups is not None for part in parts)
    del parts
    for file in files:
        before = 0
        while file.parts:
            rows = file.parts.pop(0)
            _check_range(rows, indices, file, before)
            for begin in range(0, rows.rows, BATCH_ROWS):
                part = rows.part(begin, min(begin + BATCH_ROWS, rows.rows))
                table = _sparse_table(part, indices, weighted, grouped, file, before + begin)
                yield table._replace(first_index=indices.first if based else None)
            before += rows.rows


def _check_range(rows: SparseRows, indices: Indices, file: SparseFile, before: int) -> None:
    """Raise DataError for a cell outside of `indices`; `before` rows stand above these."""
    last = indices.first + indices.width - 1
    wrong = (rows.indices < indices.first) | (rows.indices > last)
    if not wrong.any():
        return
    at = int(wrong.argmax())
    row = int((rows.starts > at).argmax()) - 1
    raise DataError(
        f"the index {rows.indices[at]} is outside {indices.first} to {last}, the indices of "
        "training",
        where=f"{file.name} {file.unit} {before + row + 1}",
        hint="Write the files of all channels with the same indices",
    )


def _sparse_table(
    part: SparseRows,
    indices: Indices,
    weighted: bool,
    grouped: bool,
    file: SparseFile,
    begin: int,
) -> Table:
    matrix = part.matrix(indices.first, indices.width)
    columns = {LABEL: pa.array(part.labels, from_pandas=True)}  # NaN is null
    if weighted:
        columns[WEIGHT] = pa.array([1.0] * part.rows if part.weights is None else part.weights)
    if grouped:
        columns[GROUP] = pa.array(part.groups)
    for name, values in zip(indices.names, matrix.T, strict=True):
        columns[name] = pa.array(values, from_pandas=True)
    roles: dict[Role, str] = {"weight": WEIGHT} if weighted else {}
    if grouped:
        roles["group"] = GROUP
    return Table(
        tuple(columns),
        tuple(pa.chunked_array([column]) for column in columns.values()),
        part.rows,
        False,
        (Source(part.rows, file.name, file.unit, begin + 1),),
        roles,
    )
