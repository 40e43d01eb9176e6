"""Body bytes to tables: the table of content types.

A decoder takes a body and a `Hints` and returns the rows in one table or,
where there are many, in several. Their own modules hold what each type means.
"""

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType

from sagetree.errors import SchemaError, Violation
from sagetree.formats.json_constants import has_constants, without_constants
from sagetree.formats.json_lines import JsonLines, parse_json_lines
from sagetree.formats.media_types import CSV, JSON, JSON_LINES, LIBSVM, NPY, PARQUET, RECORDIO
from sagetree.formats.sparse_rows import RecordError
from sagetree.serve.bodies.charset import as_utf8, charset_of
from sagetree.serve.bodies.csv_body import decode_csv
from sagetree.serve.bodies.hints import Decoder, Hints
from sagetree.serve.bodies.json_body import JsonColumns, columns_of_json
from sagetree.serve.bodies.json_slices import json_slices, row_list
from sagetree.serve.bodies.lines import pieces
from sagetree.serve.bodies.npy import decode_npy
from sagetree.serve.bodies.parquet_body import decode_parquet
from sagetree.serve.bodies.sparse_bodies import decode_libsvm, decode_recordio, refused
from sagetree.serve.bodies.tables import (
    most_columns,
    refuse_lacking,
    refuse_width,
    table_of_columns,
)
from sagetree.serve.protocol.messages import Body
from sagetree.tables.schema import LABEL_IN_REQUEST
from sagetree.tables.table import Source, Table

# Python's objects take much memory: of this many values at a time features are made.
JSON_VALUES = 2**18

# Records of one cell take 30 times their text.
JSON_BYTES = 2**19

# The values of a line are only counted in one of more bytes.
LONG_LINE = 64 * 1024


def decode_json(body: Body, hints: Hints) -> Iterable[Table]:
    """Return the rows of a JSON body, in any of the shapes of `sagetree.serve.bodies.json_body`.

    Raises DecodingError naming the place, SchemaError naming row and column.
    """
    if len(body) > hints.slice_bytes and charset_of(hints) == "utf-8":
        rows = row_list(body)
        if rows is not None:
            size = min(JSON_BYTES, hints.slice_bytes)
            return _tables(json_slices(body, rows, size, hints.schema))
    text = as_utf8(body[:], hints) if "charset" in hints.parameters else body
    found = columns_of_json(text, hints.schema)
    step = max(1, min(JSON_VALUES, hints.slice_values) // max(len(found.columns), 1))
    if found.rows <= step:
        return (table_of_columns(found.names, found.columns, Source(found.rows)),)
    return _tables(_parts(found, step))


def _parts(found: JsonColumns, step: int) -> Iterator[JsonColumns]:
    for start in range(0, found.rows, step):
        columns = [cells[start : start + step] for cells in found.columns]
        yield JsonColumns(found.names, columns, min(step, found.rows - start))


def _tables(slices: Iterable[JsonColumns]) -> Iterator[Table]:
    before = 0
    for part in slices:
        yield table_of_columns(part.names, part.columns, Source(part.rows, first=before + 1))
        before += part.rows


def decode_json_lines(body: Body, hints: Hints) -> Iterable[Table]:
    """Return the rows of JSON Lines: a record, a list or {"features": [...]} in each line.

    Raises DecodingError naming the line, SchemaError for a key that a record lacks.
    """
    size = min(JSON_BYTES, hints.slice_bytes)
    if len(body) <= size:
        return (_lines_table(_json_lines(as_utf8(body[:], hints), 0, hints), 0, 0),)
    return _json_lines_slices(body, size, hints)


def _json_lines_slices(body: Body, size: int, hints: Hints) -> Iterator[Table]:
    lines = rows = 0
    named: bool | None = None
    for piece in pieces(body, 0, len(body), size):
        if piece.strip():
            found = _json_lines(as_utf8(piece, hints), lines, hints)
            if named not in (None, found.names is not None):
                problem = "the line does not have the first line's shape"
                raise refused(RecordError(problem, "line 1", SHAPE_HINT), lines)
            named = found.names is not None
            yield _lines_table(found, lines, rows)
            rows += found.rows
        lines += piece.count(b"\n")
    if not rows:
        _json_lines(b"", 0, hints)  # says so


SHAPE_HINT = "Send records in all lines, or values in order in all lines"


def _json_lines(text: bytes, lines_before: int, hints: Hints) -> JsonLines:
    if text.count(b",") > most_columns(hints.schema):
        _refuse_wide_line(text, lines_before, hints)
    if has_constants(text):  # files are strict
        text = without_constants(text)
    try:
        found = parse_json_lines(text, hints.schema.input_names)
    except RecordError as error:
        raise refused(error, lines_before) from error
    if found.label is not None:
        violation = Violation("label", LABEL_IN_REQUEST)
        raise SchemaError([violation], hint="Send the features alone")
    return found


def _refuse_wide_line(text: bytes, lines_before: int, hints: Hints) -> None:
    """Raise SchemaError for a long line with far too many values; commas in texts count too."""
    for number, line in enumerate(text.split(b"\n"), lines_before + 1):
        if len(line) > LONG_LINE:
            refuse_width(line.count(b","), hints.schema, f"line {number}")


def _lines_table(found: JsonLines, lines: int, rows: int) -> Table:
    if found.one_line_each and lines == rows:
        source = Source(found.rows, unit="line", first=lines + 1)
    else:
        source = Source(found.rows, first=rows + 1)
    table = table_of_columns(found.names, found.columns, source)
    # what no record of a body holds is found missing by the schema
    refuse_lacking(
        ((name, row) for name, row in found.lacking.items() if rows or name in table.names),
        table.locate,
    )
    return table


DECODERS: Mapping[str, Decoder] = MappingProxyType(
    {
        CSV: decode_csv,
        JSON: decode_json,
        JSON_LINES: decode_json_lines,
        LIBSVM: decode_libsvm,
        PARQUET: decode_parquet,
        RECORDIO: decode_recordio,
        NPY: decode_npy,
    }
)
