"""Files that are read whole to tables: JSON Lines, libsvm, recordio-protobuf."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa

from sagetree.cells import category_text
from sagetree.errors import DataError
from sagetree.json_lines import parse_json_lines
from sagetree.libsvm import parse_libsvm
from sagetree.recordio import parse_recordio
from sagetree.sparse_rows import RecordError, SparseRows
from sagetree.table import Cells, Role, Source, Table

LABEL, WEIGHT, GROUP = "label", "weight", "qid"

# Rows of one table: its cells are written out, absent ones too.
BATCH_ROWS = 16 * 1024

# Integers up to here are exact as floats.
_EXACT = 2**53


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
    """The rows of one libsvm or recordio file; `unit` is what a row is called there."""

    name: str
    rows: SparseRows
    unit: str


def read_json_lines(data: bytes, name: str) -> Table:
    """Return the rows of JSON Lines; without names the label comes first.

    Raises DataError naming file, line and column.
    """
    try:
        found = parse_json_lines(data)
    except RecordError as error:
        raise _fault(error, name) from error
    columns = tuple(map(_arrow, ([found.label] if found.label else []) + [*found.columns]))
    names = found.names or tuple(map(str, range(len(columns))))
    unit = "line" if found.one_line_each else "row"
    return Table(
        names, columns, found.rows, found.names is not None, (Source(found.rows, name, unit),)
    )


def _fault(error: RecordError, name: str) -> DataError:
    return DataError(str(error), where=f"{name} {error.place}", hint=error.hint)


def _arrow(cells: Cells) -> pa.ChunkedArray:
    """Return cells as a column of one type; of several types, as what CSV would hold."""
    if isinstance(cells, pa.ChunkedArray):
        return cells
    kinds = {type(cell) for cell in cells if cell is not None}
    whole = [cell for cell in cells if type(cell) is int]
    if kinds == {int, float} and all(-_EXACT <= cell <= _EXACT for cell in whole):
        kinds = {float}
    if kinds == {int} and not all(-(2**63) <= cell < 2**63 for cell in whole):
        kinds = {int, str}
    if len(kinds) > 1:
        cells = [cell if isinstance(cell, str) else category_text(cell) for cell in cells]
        kinds = {str}
    types = {float: pa.float64(), int: pa.int64(), bool: pa.bool_(), str: pa.string()}
    return pa.chunked_array([pa.array(cells, types[kinds.pop()] if kinds else pa.null())])


def read_libsvm(data: bytes, name: str) -> SparseFile:
    """Return the rows of libsvm text. Raises DataError naming file and line."""
    try:
        rows = parse_libsvm(data)
    except RecordError as error:
        raise _fault(error, name) from error
    lines = data.count(b"\n") + (not data.endswith(b"\n"))
    return SparseFile(name, rows, "line" if lines == rows.rows else "row")


def read_recordio(data: bytes, name: str) -> SparseFile:
    """Return the rows of recordio-protobuf. Raises DataError naming file and record."""
    try:
        return SparseFile(name, parse_recordio(data), "record")
    except RecordError as error:
        raise _fault(error, name) from error


def sparse_tables(
    files: Sequence[SparseFile], based: bool, indices: Indices | None
) -> Iterator[Table]:
    """Yield the rows of all files as columns: label, perhaps weight and qid, then f and the index.

    With `based` the lowest index of all may be 0 or 1, which is then the first
    column. Raises DataError for a cell outside of `indices`.
    """
    lowest = min((file.rows.lowest for file in files if file.rows.lowest is not None), default=0)
    first = min(lowest, 1) if based else 0
    indices = indices or Indices(first, max(file.rows.width for file in files) - first)
    weighted = any(file.rows.weights is not None for file in files)
    grouped = all(file.rows.groups is not None for file in files)
    for file in files:
        _check_range(file, indices)
        for begin in range(0, file.rows.rows, BATCH_ROWS):
            part = file.rows.part(begin, min(begin + BATCH_ROWS, file.rows.rows))
            table = _sparse_table(part, indices, weighted, grouped, file, begin)
            yield table._replace(first_index=indices.first if based else None)


def _check_range(file: SparseFile, indices: Indices) -> None:
    last = indices.first + indices.width - 1
    wrong = (file.rows.indices < indices.first) | (file.rows.indices > last)
    if not wrong.any():
        return
    at = int(wrong.argmax())
    row = int((file.rows.starts > at).argmax()) - 1
    raise DataError(
        f"the index {file.rows.indices[at]} is outside of {indices.first} to {last}, "
        "the indices of training",
        where=f"{file.name} {file.unit} {row + 1}",
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
