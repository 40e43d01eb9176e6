"""libsvm and recordio-protobuf bodies: rows of numbers; absent ones are missing."""

import re
import struct
from collections.abc import Iterable, Iterator

import numpy as np

from sagetree.errors import DecodingError, SchemaError, Violation
from sagetree.formats.libsvm import parse_libsvm
from sagetree.formats.recordio import MAGIC, parse_recordio
from sagetree.formats.sparse_rows import RecordError, SparseRows
from sagetree.serve.bodies.hints import Hints
from sagetree.serve.bodies.lines import let_go, pieces
from sagetree.serve.bodies.tables import table_of_array
from sagetree.serve.protocol.messages import Body
from sagetree.tables.schema import Schema
from sagetree.tables.table import Table

# libsvm's arrays take some 20 times the text's bytes, protobuf's values 8 times.
LIBSVM_BYTES = 4 * 2**20
RECORDIO_BYTES = 2 * 2**20

# A record of more bytes than this, and than this many for each trained column
# (a key and a value take 20 at most), is not unpacked.
MOST_RECORD_BYTES = 64 * 1024
MOST_PER_COLUMN = 40

# RecordIO's second word: 3 bits say which part of a record it is, 29 how long.
_FLAG = 29
_LENGTH = (1 << _FLAG) - 1
_ENDING = (0, 3)
_HEADER = struct.Struct("<II")
_NUMBERED = re.compile(r"(?<=^line )\d+|(?<=^record )\d+")


def decode_libsvm(body: Body, hints: Hints) -> Iterable[Table]:
    """Return the rows of libsvm text, with or without labels, which do not count.

    Indices count from 0, or as in training (`Schema.first_index`). Raises
    DecodingError naming the line, SchemaError for an index beyond the columns.
    """
    size = min(LIBSVM_BYTES, hints.slice_bytes)
    if len(body) <= size:
        return _tables(_libsvm(body[:], 0), hints, 0)
    return _libsvm_slices(body, size, hints)


def _libsvm_slices(body: Body, size: int, hints: Hints) -> Iterator[Table]:
    lines = rows = 0
    for piece in pieces(body, 0, len(body), size):
        if piece.strip():
            found = _libsvm(piece, lines)
            yield from _tables(found, hints, rows)
            rows += found.rows
        lines += piece.count(b"\n")
    if not rows:
        _libsvm(b"", 0)  # says so


def _libsvm(text: bytes, lines_before: int) -> SparseRows:
    try:
        return parse_libsvm(text, request=True)
    except RecordError as error:
        raise refused(error, lines_before) from error


def decode_recordio(body: Body, hints: Hints) -> Iterable[Table]:
    """Return the rows of recordio-protobuf, dense or sparse; labels do not count.

    Raises DecodingError naming the record, SchemaError for a key beyond the columns.
    """
    size = min(RECORDIO_BYTES, hints.slice_bytes)
    return _recordio_slices(body, size, hints)


def _recordio_slices(body: Body, size: int, hints: Hints) -> Iterator[Table]:
    start = rows = 0
    for end in _record_ends(body, hints):
        if end - start < size and end < len(body):
            continue
        try:
            found = parse_recordio(body[start:end])
        except RecordError as error:
            raise refused(error, rows) from error
        yield from _tables(found, hints, rows)
        rows += found.rows
        let_go(body, start, end)
        start = end


def _record_ends(body: Body, hints: Hints) -> Iterator[int]:
    """Yield where each record ends; what follows no RecordIO is one more, for the parser to refuse.

    Raises DecodingError for a record that is far longer than a row can be.
    """
    longest = max(MOST_RECORD_BYTES, MOST_PER_COLUMN * len(hints.schema.all_names))
    begin = end = 0
    number = 1
    while len(body) - end >= _HEADER.size:
        magic, word = _HEADER.unpack_from(body, end)
        if magic != MAGIC:
            break
        length = word & _LENGTH
        end += _HEADER.size + length + -length % 4
        if end - begin > longest:
            raise DecodingError(
                f"the record is longer than {longest} bytes, more than a row of this model takes",
                where=f"record {number}",
                hint="Send each row as a record of its own",
            )
        if word >> _FLAG in _ENDING:
            yield min(end, len(body))
            begin, number = end, number + 1
    if begin < len(body):
        yield len(body)


def refused(error: RecordError, before: int) -> DecodingError:
    """Return the error of a slice with its line or record counted from the body's first."""
    place = _NUMBERED.sub(lambda found: str(int(found[0]) + before), error.place)
    return DecodingError(str(error), where=place, hint=error.hint)


def _tables(rows: SparseRows, hints: Hints, before: int) -> Iterable[Table]:
    """Return the rows as tables with the model's columns, not too many cells in each."""
    schema = hints.schema
    first = 0 if rows.dense else schema.first_index
    width = rows.width if rows.dense else len(schema.numbered_names)
    if not rows.dense:
        _check_indices(rows, schema, before)

    def table(part: SparseRows, at: int) -> Table:
        found = table_of_array(part.matrix(first, width), first_row=before + at + 1)
        if rows.dense or (schema.named and width == len(schema.all_names)):
            return found  # which columns they are is for the schema to say
        return found._replace(names=schema.numbered_names, named=True)

    step = max(1, hints.slice_values // max(width, 1))
    if rows.rows <= step:
        return (table(rows, 0),)
    parts = range(0, rows.rows, step)
    return (table(rows.part(at, min(at + step, rows.rows)), at) for at in parts)


def _check_indices(rows: SparseRows, schema: Schema, before: int) -> None:
    """Raise SchemaError for cells outside of the model's columns."""
    first, columns = schema.first_index, len(schema.numbered_names)
    outside = (rows.indices < first) | (rows.indices >= first + columns)
    if not outside.any():
        return
    cells = np.flatnonzero(outside)
    places = np.searchsorted(rows.starts, cells, "right") - 1
    violations = [
        Violation(
            str(rows.indices[cell]),
            f"the index {rows.indices[cell]} is not one of the model's, {first} to "
            f"{first + columns - 1}",
            int(row),
            f"row {before + int(row) + 1}",
        )
        for cell, row in zip(cells[:21].tolist(), places[:21].tolist(), strict=True)
    ]
    raise SchemaError(violations, hint=f"Count the columns from {first}, as in training")
