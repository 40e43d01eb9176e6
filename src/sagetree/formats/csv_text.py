"""CSV bytes to columns of text: all cells as they stand, nothing inferred.

Small bodies are read by the standard library, which costs microseconds, large
ones by Arrow, which is many times faster per row; both give the same cells.
"""

import csv
import io
import re
from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sagetree.tables.cells import FLOAT32_LIMIT, MISSING_TEXTS
from sagetree.tables.table import Cells, OneRow

if TYPE_CHECKING:
    import pyarrow as pa

# The two readers need the same time at about 150 rows of 45 columns.
BULK_BYTES = 32 * 1024

# A text in which no cell can be longer than the csv module takes.
SHORT_BYTES = 64 * 1024

# As much of a text is looked at at a time: what is made of it stays in the cache.
BLOCK_BYTES = 64 * 1024

BOM = b"\xef\xbb\xbf"
_NEWLINES = b"\r\n"
_LINE_ENDS = (b"", b"\n", b"\r\n", b"\r")

COMMA = ","


@cache
def quoted_cell(delimiter: str) -> re.Pattern[bytes]:
    """Return the pattern of a well-formed quoted cell: from a cell's start to a cell's end.

    Inner quotes are doubled. Not (?:[^"]|"")*, which takes 100 bytes of memory
    for each of the cell.
    """
    other = rb"[^%s\r\n]" % re.escape(delimiter.encode())
    return re.compile(rb'(?<!%s)"[^"]*+(?:""[^"]*+)*+"(?!%s)' % (other, other))


class CsvError(ValueError):
    """The bytes are not CSV; `line` is the number of the faulty line."""

    def __init__(self, message: str, line: int, hint: str) -> None:
        self.line = line
        self.hint = hint
        super().__init__(message)


class CsvText(NamedTuple):
    """All rows of a CSV text, a header row among them if there is one.

    `one_line_each` is False where a cell holds a line end, so that a row's
    number is not its line's.
    """

    first_row: tuple[str, ...]
    columns: Sequence[Cells]
    rows: int
    one_line_each: bool

    def without_first_row(self) -> "CsvText":
        """Return the rows below the header."""
        columns = tuple(cells[1:] for cells in self.columns)
        return self._replace(columns=columns, rows=self.rows - 1)


def parse_csv(data: bytes, delimiter: str = COMMA) -> CsvText:
    """Return the cells of delimited text in UTF-8 (a byte-order mark is dropped).

    Empty lines at the end do not count. Raises CsvError for text that is empty,
    not UTF-8, or whose rows differ in length.
    """
    body = data.removeprefix(BOM)
    body = body[: rows_end(body, delimiter)]
    if not body:
        raise CsvError("there are no rows", 1, "Send at least one line of comma-separated values")
    return parse_rows(body, delimiter)


@dataclass(frozen=True)
class Numbers:
    """The places of columns that may be read as numbers at once, and what is missing there."""

    places: Sequence[int] = ()
    missing: Collection[str] = ()


NO_NUMBERS = Numbers()


def parse_rows(
    body: bytes,
    delimiter: str = COMMA,
    width: int = 0,
    numbers: Numbers = NO_NUMBERS,
    plain: bool | None = None,
) -> CsvText:
    """Return the cells of whole rows of text, of which every line end ends one.

    Each must have as many cells as the first, or `width` where it is given.
    Large texts give the columns of `numbers` as numbers (float64, null where
    missing) if all their cells are. `plain` is what `is_plain` says, where that
    is known. Raises CsvError with the number of the faulty line in `body`.
    """
    if len(body) < BULK_BYTES:
        plain = False
    if is_plain(body, delimiter) if plain is None else plain:
        return _parse_bulk(body, delimiter, width, numbers)
    return _parse_small(body, delimiter, width)


def _one_line_each(body: bytes, rows: int) -> bool:
    if b'"' not in body:
        return True
    return line_count(body) == rows


def line_count(text: bytes) -> int:
    """Return how many lines there are, also ones that end inside of a quoted cell."""
    ends = text.count(b"\n")
    if b"\r" in text:  # two bytes are looked for in ten times the time of one
        ends += text.count(b"\r") - text.count(b"\r\n")
    return ends + (not text.endswith((b"\n", b"\r")))


def _parse_small(body: bytes, delimiter: str = COMMA, width: int = 0) -> CsvText:
    rows = _split(body, delimiter, width) or list(_rows(body, delimiter, width))
    columns = OneRow(rows[0]) if len(rows) == 1 else tuple(map(list, zip(*rows, strict=True)))
    return CsvText(tuple(rows[0]), columns, len(rows), _one_line_each(body, len(rows)))


def _split(body: bytes, delimiter: str, width: int) -> list[list[str]]:
    """Return the rows of a short text without quotes, as the csv module would; [] for others.

    Setting that module up takes a third of the reading of a request of one row.
    """
    if len(body) > SHORT_BYTES or b'"' in body or b"\r" in body or not body.isascii():
        return []
    lines = body.decode().removesuffix("\n").split("\n")
    rows = [line.split(delimiter) for line in lines]
    return rows if {*map(len, rows)} == {width or len(rows[0])} else []


def rows_end(body: bytes, delimiter: str = COMMA) -> int:
    """Return where the rows end: before the line end and the empty lines at the text's end.

    One column is the exception: there an empty line is a row whose cell is missing.
    """
    end = len(body.rstrip(_NEWLINES))
    if not end or body[end:] in _LINE_ENDS:
        return end
    try:
        one_column = len(first_row(body[:end], delimiter)) == 1
    except CsvError:  # to be found again, with all that is wrong before it
        return end
    return len(body) if one_column else end


def _rows(body: bytes, delimiter: str, width: int = 0) -> Iterator[list[str]]:
    """Yield each row. Raises CsvError with the number of the faulty line."""
    reader = csv.reader(io.StringIO(_decode(body), newline=""), delimiter=delimiter, strict=True)
    try:
        for row in reader:
            cells = row or [""]
            width = width or len(cells)
            if len(cells) != width:
                raise CsvError(
                    f"{len(cells)} cells where the first line has {width}",
                    reader.line_num,
                    f"Give every line as many cells; quote a cell that holds {_NAMES[delimiter]}",
                )
            yield cells
    except csv.Error as error:
        raise CsvError(f"the line is not CSV: {error}", reader.line_num, QUOTE_HINT) from error


_NAMES = {",": "a comma", ";": "a semicolon", "\t": "a tab", "|": "a bar", " ": "a space"}

QUOTE_HINT = 'Close every quote; write a quote inside a quoted cell twice ("")'


def is_plain(body: bytes, delimiter: str = COMMA) -> bool:
    """Say whether Arrow reads a text as the csv module does.

    It takes empty lines for rows of empty cells, makes something of unbalanced
    quotes, and drops a second byte-order mark.
    """
    if body.startswith((b"\n", b"\r", BOM)) or _has_empty_line(body):
        return False
    return b'"' not in body or b'"' not in quoted_cell(delimiter).sub(b"", body)


def _has_empty_line(body: bytes) -> bool:
    """Say whether a line end follows another: in a fifth of the time `in` takes for two bytes."""
    text = np.frombuffer(body, np.uint8)
    returns = b"\r" in body
    for start in range(0, len(text), BLOCK_BYTES):
        block = text[start : start + BLOCK_BYTES + 1]
        ends = block == ord("\n")
        behind = ends[1:]
        if returns:
            others = block == ord("\r")
            if (others[:-1] & others[1:]).any():
                return True
            behind = behind | others[1:]
        if (ends[:-1] & behind).any():
            return True
    return False


def _decode(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        line = body.count(b"\n", 0, error.start) + 1
        raise CsvError("the text is not UTF-8", line, "Save the file as UTF-8") from error


def _parse_bulk(
    body: bytes, delimiter: str = COMMA, width: int = 0, numbers: Numbers = NO_NUMBERS
) -> CsvText:
    import pyarrow as pa  # costs 0.3 s and 40 MB, which small requests never need

    first = first_row(body, delimiter)
    if width not in (0, len(first)):
        return _parse_small(body, delimiter, width)  # says so
    types = {str(place): pa.string() for place in range(len(first))}
    missing = [*MISSING_TEXTS, *numbers.missing]
    try:
        kinds = types | {str(place): pa.float64() for place in numbers.places}
        columns = _sound(_read_bulk(body, delimiter, kinds, missing))
        if columns is None:
            columns = _read_bulk(body, delimiter, types, missing).columns
    except pa.ArrowInvalid:
        if numbers.places:  # some cell is text
            return _parse_bulk(body, delimiter, width)
        deque(_rows(body, delimiter, width), maxlen=0)  # names the faulty line, keeping none
        return _parse_small(body, delimiter, width)
    rows = len(columns[0])
    return CsvText(tuple(first), tuple(columns), rows, _one_line_each(body, rows))


def _read_bulk(
    body: bytes, delimiter: str, types: Mapping[str, "pa.DataType"], missing: Collection[str]
) -> "pa.Table":
    import pyarrow as pa
    import pyarrow.csv as pa_csv

    return pa_csv.read_csv(
        pa.BufferReader(body),
        read_options=pa_csv.ReadOptions(column_names=list(types)),
        parse_options=pa_csv.ParseOptions(
            delimiter=delimiter,
            # cutting at any newline is faster, and wrong only inside quotes
            newlines_in_values=b'"' in body,
            ignore_empty_lines=False,
        ),
        convert_options=pa_csv.ConvertOptions(column_types=types, null_values=missing),
    )


def _sound(table: "pa.Table") -> Sequence["pa.ChunkedArray"] | None:
    """Return the columns, those of numbers with NaN for null and in one piece.

    None where Arrow's numbers are not those of `to_number`: it reads infinite
    and too large ones, and several words as NaN.
    """
    import pyarrow as pa

    columns = []
    for column in table.columns:
        if pa.types.is_floating(column.type):
            values = column.to_numpy(zero_copy_only=False)
            absent = np.count_nonzero(values != values)
            within = np.count_nonzero(np.abs(values) < FLOAT32_LIMIT)
            if absent != column.null_count or absent + within < len(values):
                return None
            column = pa.chunked_array([values])
        columns.append(column)
    return columns


def first_row(body: bytes, delimiter: str = COMMA) -> list[str]:
    """Return the first row's cells, which may hold line ends inside quotes.

    Raises CsvError where it is no row.
    """
    return _first(body, delimiter)[0]


def first_row_end(body: bytes, delimiter: str = COMMA) -> int:
    """Return where the first row ends: behind its line end. Raises as `first_row` does."""
    text = _decode(_first(body, delimiter)[1])
    stream = io.StringIO(text, newline="")
    next(csv.reader(stream, delimiter=delimiter, strict=True))
    return len(text[: stream.tell()].encode())


def _first(body: bytes, delimiter: str) -> tuple[list[str], bytes]:
    """Return the first row's cells, and as little of the text as has it."""
    line = first_line(body)
    try:
        return next(_rows(line, delimiter)), line
    except CsvError:  # a stray quote made it end too early, or there is no row
        return next(_rows(body, delimiter)), body


def first_line(body: bytes) -> bytes:
    """Return the first row's text, which is more than a line where quotes hold line ends."""
    if b'"' not in body:
        return body[: body.find(b"\n") + 1] or body
    end = quotes = 0
    for line in io.BytesIO(body):
        end += len(line)
        quotes += line.count(b'"')
        if quotes % 2 == 0:
            break
    return body[:end]
