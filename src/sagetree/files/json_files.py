"""Files of JSON Lines: read in blocks, the columns of all blocks then given one type each."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain
from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute as pc

from sagetree.files.finding import WholeLines
from sagetree.formats.json_lines import EXACT, JsonLines, parse_blocks
from sagetree.formats.sparse_rows import RecordError
from sagetree.tables.cells import Cell, category_text
from sagetree.tables.table import Cells, Source, Table

_INT64 = 2**63


def read_json_lines(file: BinaryIO, name: str) -> Iterator[Table]:
    """Yield the rows of JSON Lines; without names the label comes first.

    All tables have the same names and types; a key that no record of a block has
    is missing there. The whole file is read before the first table comes.
    Raises DataError naming file, line and column.
    """
    text = WholeLines(file)
    yield from _whole(parse_blocks(text), text, name)


def stream_json_lines(file: BinaryIO, name: str, needed: Collection[str]) -> Iterator[Table]:
    """Yield the rows of JSON Lines as they are read, without a label beside "features".

    A key that no record of a block has is missing there, if an earlier one had it. Where
    the first block lacks one of the `needed` keys the whole file is read first.
    A column's type may change from table to table. Raises as `read_json_lines`.
    """
    text = WholeLines(file)
    blocks = parse_blocks(text)
    try:
        first = next(blocks)
        if first.names is not None and not set(needed) <= set(first.names):
            yield from _whole(chain([first], blocks), text, name)
            return
        known: dict[str, None] = {}
        rows = 0
        for found in chain([first], blocks):
            part = _as_arrow(replace(found, label=None))
            known |= dict.fromkeys(part.column_names)
            columns = tuple(_column(part, _field(part, key)) for key in known)
            source = Source(found.rows, name, text.unit(rows + found.rows), rows + 1)
            yield Table(tuple(known), columns, found.rows, found.names is not None, (source,))
            rows += found.rows
    except RecordError as error:
        raise error.in_file(name) from error


def _field(part: pa.Table, key: str) -> pa.Field:
    return pa.field(key, part[key].type if key in part.column_names else pa.null())


def _whole(blocks: Iterable[JsonLines], text: WholeLines, name: str) -> Iterator[Table]:
    """Yield the rows of all blocks, once the last one is read."""
    parts: list[pa.Table] = []
    named = False
    try:
        for found in blocks:
            parts.append(_as_arrow(found))
            named = found.names is not None
    except RecordError as error:
        raise error.in_file(name) from error
    unit = text.unit(sum(part.num_rows for part in parts))
    schema = _common_schema(parts)
    before = 0
    while parts:
        part = parts.pop(0)
        columns = tuple(_column(part, field) for field in schema)
        source = Source(part.num_rows, name, unit, before + 1)
        yield Table(tuple(schema.names), columns, part.num_rows, named, (source,))
        before += part.num_rows


def _as_arrow(found: JsonLines) -> pa.Table:
    columns = [] if found.label is None else [_typed(found.label)]
    columns += map(_typed, found.columns)
    names = found.names or map(str, range(len(columns)))
    return pa.table(dict(zip(names, columns, strict=True)))


def _typed(cells: Cells) -> pa.ChunkedArray:
    """Return cells as a column of one type; of several types, as what CSV would hold."""
    if isinstance(cells, pa.ChunkedArray):
        return cells
    kinds = {type(cell) for cell in cells if cell is not None}
    whole = [cell for cell in cells if type(cell) is int]
    if kinds == {int, float} and all(-EXACT <= cell <= EXACT for cell in whole):
        kinds = {float}
    if len(kinds) > 1 or not all(-_INT64 <= cell < _INT64 for cell in whole):
        return pa.chunked_array([_texts(cells)])
    types = {float: pa.float64(), int: pa.int64(), bool: pa.bool_(), str: pa.string()}
    return pa.chunked_array([pa.array(cells, types[kinds.pop()] if kinds else pa.null())])


def _texts(cells: Sequence[Cell]) -> pa.Array:
    texts = [cell if isinstance(cell, str) else category_text(cell) for cell in cells]
    return pa.array(texts, pa.string())


def _common_schema(parts: Sequence[pa.Table]) -> pa.Schema:
    """Return the names of all parts, in order, and what type each has over all of them."""
    names = dict.fromkeys(name for part in parts for name in part.column_names)
    return pa.schema(
        (name, _common_type([part[name] for part in parts if name in part.column_names]))
        for name in names
    )


def _common_type(columns: Sequence[pa.ChunkedArray]) -> pa.DataType:
    kinds = {column.type for column in columns} - {pa.null()}
    if kinds == {pa.int64(), pa.float64()} and all(map(_is_exact, columns)):
        return pa.float64()
    if len(kinds) > 1:
        return pa.string()
    return kinds.pop() if kinds else pa.null()


def _is_exact(column: pa.ChunkedArray) -> bool:
    if column.type != pa.int64():
        return True
    bounds = pc.min_max(column).as_py()
    return bounds["min"] is None or -EXACT <= bounds["min"] <= bounds["max"] <= EXACT


def _column(part: pa.Table, field: pa.Field) -> pa.ChunkedArray:
    if field.name not in part.column_names:
        return pa.chunked_array([pa.nulls(part.num_rows, field.type)])
    column = part[field.name]
    if field.type == pa.string() and column.type not in (pa.string(), pa.null()):
        return pa.chunked_array([_texts(column.to_pylist())])
    return column.cast(field.type)
