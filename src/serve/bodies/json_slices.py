"""JSON bodies too large to be read as a whole: the list of their rows, some at a time.

A slice of the list ends at a comma up to which it reads as whole values: then
it has been cut between two of them.
"""

import re
from codecs import BOM_UTF8
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from sagetree.errors import DecodingError, SchemaError
from sagetree.formats.json_constants import loads
from sagetree.serve.bodies.json_body import JsonColumns, columns_of_value, refuse_repeated
from sagetree.serve.bodies.lines import LONGEST_ROW, let_go, too_long
from sagetree.serve.bodies.tables import refuse_lacking, row_place
from sagetree.serve.protocol.messages import Body
from sagetree.tables.schema import Schema

# Where one row may end and the next one begin.
_BETWEEN = re.compile(rb"[\]}][ \t\r\n]*,[ \t\r\n]*(?=[\[{])")

# Such places inside of a row, or of a text, that are tried before a body is given up.
MOST_TRIES = 32

# The text after the last row must begin in this much of the body.
_TAIL_BYTES = 4096

_NUMBER = re.compile(r"\d+")


def _pattern(text: bytes) -> re.Pattern[bytes]:
    """Return a pattern in which ~ stands for white space."""
    return re.compile(text.replace(b"~", rb"[ \t\r\n]*"))


_FIRST = rb"(?:%b)?~" % BOM_UTF8
_KEYS = rb"instances|features|inputs|dataframe_records"
_SPLIT = (
    rb'\{~"columns"~:~(?P<names>\[[^][]*\])~,~'
    rb'(?:"index"~:~\[[^][]*\]~,~)?"(?:data|rows)"~:~\[~(?=\[)'
)

# What stands before the first row and behind the last, in each shape that can be cut.
_SHAPES = (
    (_pattern(_FIRST + rb"\[~(?=[\[{])"), _pattern(rb"\]~\Z")),
    (
        _pattern(
            _FIRST + rb'\{~"(?P<key>instances|features|inputs|dataframe_records)"~:~\[~(?=[\[{])'
        ),
        _pattern(rb"\]~\}~\Z"),
    ),
    (_pattern(_FIRST + _SPLIT), _pattern(rb"\]~\}~\Z")),
    (_pattern(_FIRST + rb'\{~"dataframe_split"~:~' + _SPLIT), _pattern(rb"\]~\}~\}~\Z")),
)


@dataclass(frozen=True)
class RowList:
    """Where the rows of a body are, and what stands around each slice of them."""

    start: int
    end: int
    around: Mapping[str, Any]
    key: str

    def value(self, rows: list[Any]) -> Any:  # noqa: ANN401 - one of the shapes of JSON
        """Return some rows in the body's own shape."""
        return {**self.around, self.key: rows} if self.key else rows


def row_list(body: Body) -> RowList | None:
    """Return where a body has its rows, None if it is of a shape that cannot be cut."""
    for begin, end in _SHAPES:
        first = begin.match(body)
        if first is None:
            continue
        tail = body[max(first.end(), len(body) - _TAIL_BYTES) :]
        last = end.search(tail)
        if last is None:
            continue
        stop = len(body) - len(tail) + last.start()
        found = first.groupdict()
        if "names" not in found:
            return RowList(first.end(), stop, {}, (found.get("key") or b"").decode())
        try:
            return RowList(first.end(), stop, {"columns": orjson.loads(found["names"])}, "data")
        except orjson.JSONDecodeError:
            return None
    return None


def json_slices(body: Body, rows: RowList, size: int, schema: Schema) -> Iterator[JsonColumns]:
    """Yield the columns of some rows after the other, of about `size` bytes.

    Raises as `sagetree.serve.bodies.json_body.columns_of_json` does, with the number that a row
    has in the body.
    """
    before = 0
    kind: type | None = None
    for piece in _pieces(body, rows, size):
        if kind is not None and type(piece[0]) is not kind:
            problem = f"the row is {'not a ' if kind is dict else 'a '}record, unlike the first row"
            raise DecodingError(problem, where=f"row {before + 1}", hint="Send rows of one kind")
        kind = type(piece[0])
        try:
            found = columns_of_value(rows.value(piece), schema)
        except SchemaError as error:
            raise error.moved(before, row_place) from error
        except DecodingError as error:
            where = _shifted(error.where, before)
            raise DecodingError(error.message, where=where, hint=error.hint) from error
        if before and found.names is not None:
            missing = (name for name in schema.input_names if name not in found.names)
            refuse_lacking((name, before) for name in missing)
        yield found
        before += found.rows


def _pieces(body: Body, rows: RowList, size: int) -> Iterator[list[Any]]:
    start = rows.start
    while start < rows.end:
        piece, stop = _piece(body, start, rows.end, size)
        yield piece
        let_go(body, start, stop)
        start = stop


def _piece(body: Body, start: int, end: int, size: int) -> tuple[list[Any], int]:
    """Return the values from `start` on, and where the next ones begin."""
    at = start + size
    refused: orjson.JSONDecodeError | None = None
    for _ in range(MOST_TRIES):
        cut = _BETWEEN.search(body, at, min(end, at + LONGEST_ROW)) if at < end else None
        if cut is None and end - at > LONGEST_ROW:
            raise too_long(start, hint="Send rows one by one, in a list")
        text = body[start : cut.start() + 1 if cut else end]
        try:
            found = loads(b"[%b]" % text)
        except orjson.JSONDecodeError as error:
            refused = refused or error
        else:
            refuse_repeated(b"[%b]" % text, found)
            return found, cut.end() if cut else end
        if cut is None:
            break
        at = cut.end()
    raise DecodingError(
        f"the body is not JSON: {refused.msg if refused else ''}",
        where=f"byte {start + (refused.pos if refused else 0)}",
        hint="Send JSON in UTF-8; a missing value is null or NaN",
    )


def _shifted(place: str, rows: int) -> str:
    """Return a place such as "row 3" as it is with this many rows before it."""
    return _NUMBER.sub(lambda number: str(int(number[0]) + rows), place)
