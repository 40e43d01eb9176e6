r"""JSON Lines to columns of cells: one record a line, with the meanings of a JSON body.

    {"age": 31, "state": "WA"}          a record
    {"features": [31, "WA"]}            values in order, perhaps with a "label" beside them
    [31, "WA"]                          values in order

Small bodies are read line by line, large ones by Arrow; both give the same cells.
"""

from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

import orjson

from sagetree.errors import quote
from sagetree.formats.json_keys import repeated_key
from sagetree.formats.sparse_rows import RecordError
from sagetree.tables.cells import Cell
from sagetree.tables.table import Cells

if TYPE_CHECKING:
    import pyarrow as pa

# As for CSV: below, Arrow's set-up costs more than it saves.
BULK_BYTES = 32 * 1024

# Larger integers are not exact as floats: the line by line way keeps their digits.
EXACT = 2.0**53

FEATURES, LABEL = "features", "label"

HINT = 'Write one record a line: {"column": value, ...}, or {"features": [value, ...]}'
_LENGTH_HINT = "Give every line a value for every column, null where missing"


@dataclass(frozen=True)
class JsonLines:
    """Columns of cells; `names` is None where the lines hold values in order.

    `label` is what stands beside "features"; `lacking` holds, of the needed
    names, those that some record has not, with the first such row (from 0).
    `one_line_each` is False where empty lines stand between the records.
    """

    names: tuple[str, ...] | None
    columns: tuple[Cells, ...]
    rows: int
    label: list[Cell] | None
    lacking: dict[str, int]
    one_line_each: bool

    def without_first(self) -> Self:
        """Return the rows behind the first one."""
        label = None if self.label is None else self.label[1:]
        columns = tuple(cells[1:] for cells in self.columns)
        return replace(self, columns=columns, rows=self.rows - 1, label=label)


def parse_json_lines(data: bytes, needed: Sequence[str] = ()) -> JsonLines:
    """Return the columns of JSON Lines in UTF-8; a key that a record lacks is missing there.

    Raises RecordError naming the line, for a cell that is not a single value the
    column too.
    """
    body = data.removeprefix(BOM_UTF8)
    if not body.strip():
        raise _no_rows()
    return _read(body, needed, 1)


def parse_blocks(blocks: Iterable[bytes]) -> Iterator[JsonLines]:
    """Yield the columns of each of a text's blocks of whole lines that has rows.

    A block may know fewer names than another, and give a column another type.
    Raises RecordError as `parse_json_lines` does.
    """
    first, lines = b"", 0
    for block in blocks:
        body = block if lines else block.removeprefix(BOM_UTF8)
        if not body.strip():
            pass
        elif first:  # is read again with each block, which has to be of its shape
            yield _read(first + body, (), lines).without_first()
        else:
            yield _read(body, (), lines + 1)
            first = body.lstrip().split(b"\n", 1)[0] + b"\n"
        lines += block.count(b"\n")
    if not first:
        raise _no_rows()


def _no_rows() -> RecordError:
    return RecordError("there are no rows", "line 1", HINT)


def _read(body: bytes, needed: Sequence[str], begin: int) -> JsonLines:
    """Return the columns of a text that has some; `begin` is the number of its first line."""
    text = body.strip()
    if len(text) >= BULK_BYTES:
        table = _read_bulk(text)
        if table is not None and all(_in_every_record(text, n, table.num_rows) for n in needed):
            columns = tuple(table.columns)
            return JsonLines(tuple(table.column_names), columns, table.num_rows, None, {}, True)
    return _read_small(body, needed, begin)


def _in_every_record(body: bytes, name: str, rows: int) -> bool:
    """Say whether the key is surely in every record: inside of a text its quotes are escaped."""
    key = orjson.dumps(name)
    return body.count(key + b":") + body.count(key + b" :") == rows


def _read_bulk(body: bytes) -> "pa.Table | None":
    """Return a table of records, None where Arrow does not surely read what the lines mean."""
    import pyarrow as pa
    import pyarrow.json as pa_json

    rows = body.count(b"\n") + 1
    if not body.startswith(b"{") or body.count(b"}\n{") + body.count(b"}\r\n{") != rows - 1:
        return None
    try:
        table = pa_json.read_json(pa.BufferReader(body))
        moments = [f.name for f in table.schema if pa.types.is_timestamp(f.type)]
        if moments:  # they are text
            schema = pa.schema([(name, pa.string()) for name in moments])
            options = pa_json.ParseOptions(explicit_schema=schema)
            table = pa_json.read_json(pa.BufferReader(body), parse_options=options)
            table = table.select(sorted(table.column_names, key=_order(body, table)))
        table.validate(full=True)  # text in another encoding than UTF-8
    except pa.ArrowInvalid:
        return None
    return table if table.num_rows == rows and all(map(_is_exact, table.columns)) else None


def _order(body: bytes, table: "pa.Table") -> Any:  # noqa: ANN401 - a key for sorted
    """Return the place of a key in the first record, then in the table."""
    first = list(orjson.loads(body[: body.find(b"\n")]))
    known = [*first, *(name for name in table.column_names if name not in first)]
    return known.index


def _is_exact(column: "pa.ChunkedArray") -> bool:
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = column.type
    if pa.types.is_floating(kind):
        highest = pc.max(pc.abs(column)).as_py()  # NaN, which JSON has not, is none
        return not pc.any(pc.is_nan(column)).as_py() and (highest is None or highest < EXACT)
    return any(
        test(kind)
        for test in (pa.types.is_string, pa.types.is_int64, pa.types.is_boolean, pa.types.is_null)
    )


def _read_small(body: bytes, needed: Sequence[str], begin: int) -> JsonLines:
    numbers, records = [], []
    for number, line in enumerate(body.split(b"\n"), begin):
        if line.strip():
            numbers.append(number)
            records.append(_parse(line, number))
    in_order = isinstance(records[0], list) or _has_features(records[0])
    if not records[0]:
        raise RecordError("the line has no values", f"line {numbers[0]}", HINT)
    width = len(numbers)
    one_line_each = numbers[-1] == begin + width - 1
    if in_order:
        label, lists = _lists(records, numbers)
        columns = _transposed(lists, numbers)
        _refuse_nested([str(n) for n in range(1, len(columns) + 1)], columns, numbers)
        return JsonLines(None, tuple(columns), width, label, {}, one_line_each)
    for number, record in zip(numbers, records, strict=True):
        if not isinstance(record, dict):
            raise RecordError(
                "the line is not a record, and the first line is", f"line {number}", HINT
            )
    names = tuple(dict.fromkeys(key for record in records for key in record))
    columns = [[record.get(name) for record in records] for name in names]
    _refuse_nested(names, columns, numbers)
    lacking = dict(_lacking(records, needed))
    return JsonLines(names, tuple(columns), width, None, lacking, one_line_each)


def _lacking(records: Sequence[dict[str, Any]], needed: Sequence[str]) -> Iterator[tuple[str, int]]:
    for name in needed:
        row = next((row for row, record in enumerate(records) if name not in record), None)
        if row is not None:
            yield name, row


def _parse(line: bytes, number: int) -> Any:  # noqa: ANN401 - whatever JSON can hold
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        place = f"line {number}"
        hint = "Send JSON in UTF-8; write null for a missing value: NaN and Infinity are not JSON"
        raise RecordError(f"the line is not JSON: {error.msg}", place, hint) from error
    if not isinstance(value, (dict, list)):
        raise RecordError("the line is not a record", f"line {number}", HINT)
    key = repeated_key(line, len(value)) if isinstance(value, dict) else None
    if key is not None:
        place = f"line {number}, column {quote(key)}"
        raise RecordError("the record has this key twice", place, "Give every key once")
    return value


def _has_features(record: dict[str, Any]) -> bool:
    return isinstance(record.get(FEATURES), list) and record.keys() <= {FEATURES, LABEL}


def _lists(records: Sequence[Any], numbers: Sequence[int]) -> tuple[list[Cell] | None, list[Any]]:
    """Return the labels, if there are any, and the values of each line."""
    kind = type(records[0])
    labelled = kind is dict and LABEL in records[0]
    for number, record in zip(numbers, records, strict=True):
        if type(record) is not kind or (kind is dict and not _has_features(record)):
            problem = "the line does not have the first line's shape"
            raise RecordError(problem, f"line {number}", HINT)
        if kind is dict and (LABEL in record) != labelled:
            problem = f"only one of this line and the first line has a {quote(LABEL)}"
            raise RecordError(problem, f"line {number}", "Give every line a label, or none")
    if kind is list:
        return None, list(records)
    labels = [record[LABEL] for record in records] if labelled else None
    if labels is not None:
        _refuse_nested([LABEL], [labels], numbers)
    return labels, [record[FEATURES] for record in records]


def _transposed(lists: Sequence[list[Any]], numbers: Sequence[int]) -> list[list[Cell]]:
    for number, values in zip(numbers, lists, strict=True):
        if len(values) != len(lists[0]):
            problem = f"the line has {len(values)} values, and the first line has {len(lists[0])}"
            raise RecordError(problem, f"line {number}", _LENGTH_HINT)
    return [list(column) for column in zip(*lists, strict=True)]


def _refuse_nested(
    names: Sequence[str], columns: Sequence[list[Any]], numbers: Sequence[int]
) -> None:
    for name, cells in zip(names, columns, strict=True):
        for number, cell in zip(numbers, cells, strict=True):
            if isinstance(cell, (list, dict)):
                found = "a list" if isinstance(cell, list) else "an object"
                raise RecordError(
                    f"{found} stands where a single value is expected",
                    f"line {number}, column {quote(name)}",
                    HINT,
                )
