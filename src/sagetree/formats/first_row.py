"""The first row of a CSV text, by which all others are read."""

import codecs
import csv
import io
from collections.abc import Iterator
from typing import NamedTuple, TextIO

from sagetree.formats.charsets import UTF_16
from sagetree.formats.whole_rows import LINE_ENDS, end_of_line, line_count, without_blanks
from sagetree.tables.schema import header_names

COMMA = ","

# A text in which no cell can be longer than the csv module takes.
SHORT_BYTES = 64 * 1024

QUOTE_HINT = 'Close every quote; write a quote inside a quoted cell twice ("")'

_UTF_16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)

_NAMES = {",": "a comma", ";": "a semicolon", "\t": "a tab", "|": "a bar", " ": "a space"}


class CsvError(ValueError):
    """The bytes are not CSV; `line` is the number of the faulty line."""

    def __init__(self, message: str, line: int, hint: str) -> None:
        self.line = line
        self.hint = hint
        super().__init__(message)


class FirstRow(NamedTuple):
    """What the first row says about a text: made once, from its first bytes, and handed on.

    `end` is where the next row begins, in bytes; `lines` are more than one where a cell
    holds line ends. `is_header` is for the reader's rule to say: until then its
    cells count as data.
    """

    cells: tuple[str, ...]
    delimiter: str
    end: int
    lines: int = 1
    is_header: bool = False

    @property
    def width(self) -> int:
        """How many cells each row must have."""
        return len(self.cells)

    @property
    def names(self) -> tuple[str, ...] | None:
        """The columns' names, None where the row is not a header."""
        return header_names(self.cells) if self.is_header else None

    @property
    def begin(self) -> int:
        """Where the rows of data begin, in bytes."""
        return self.end if self.is_header else 0

    def has_rows_in(self, line_ends: bytes) -> bool:
        """Say whether line ends at the text's end are rows, beyond the end of the last one."""
        return self.width == 1 and line_ends not in (b"", b"\n", b"\r\n", b"\r")


def read_first_row(text: bytes, delimiter: str = COMMA, *, goes_on: bool = False) -> FirstRow:
    """Return the first row of a text without byte-order mark, whose cells may hold line ends.

    Raises CsvError where there is none: a text of empty lines has rows only if it
    `goes_on` with others.
    """
    line = first_line(text)
    row = line.removesuffix(b"\n").removesuffix(b"\r")
    if not (goes_on or row.strip(LINE_ENDS) or text.strip(LINE_ENDS)):
        hint = "Send at least one line of comma-separated values"
        raise CsvError("there are no rows", 1, hint)
    if len(row) <= SHORT_BYTES and b'"' not in row and b"\r" not in row and row.isascii():
        return FirstRow(tuple(row.decode().split(delimiter)), delimiter, len(line))
    try:
        return _read(line, delimiter)
    except CsvError:  # a stray quote made it end too early
        return _read(text.rstrip(LINE_ENDS), delimiter)


def first_line(text: bytes) -> bytes:
    """Return the first row's text, which is more than a line where quotes hold line ends."""
    end = text.find(b"\n") + 1 or len(text)
    if b'"' not in text[:end]:
        return text[:end]
    end = quotes = 0
    for line in io.BytesIO(text):
        end += len(line)
        quotes += line.count(b'"')
        if quotes % 2 == 0:
            break
    return text[:end]


def _read(text: bytes, delimiter: str) -> FirstRow:
    tidied = without_blanks(text, delimiter)
    decoded = decode(tidied)
    stream = io.StringIO(decoded, newline="")
    cells = next(csv_rows(stream, delimiter))
    end = len(decoded[: stream.tell()].encode())
    lines = line_count(tidied[:end])
    if len(tidied) < len(text):  # the row ends in the same line, further on
        end = end_of_line(text, lines)
    return FirstRow(tuple(cells), delimiter, end, lines)


def rows_end(text: bytes, first: FirstRow) -> int:
    """Return where the rows end: before the line end and the empty lines at the text's end.

    One column is the exception: there an empty line is a row whose cell is missing.
    """
    end = len(text.rstrip(LINE_ENDS))
    return len(text) if first.has_rows_in(text[end:]) else end


def csv_rows(stream: TextIO, delimiter: str, width: int = 0) -> Iterator[list[str]]:
    """Yield each row, as long as the first or `width`. Raises CsvError with the faulty line."""
    reader = csv.reader(stream, delimiter=delimiter, strict=True)
    try:
        for row in reader:
            cells = row or [""]
            width = width or len(cells)
            if len(cells) != width:
                problem = f"the line has {len(cells)} cells, and the first line has {width}"
                raise CsvError(problem, reader.line_num, _width_hint(cells, delimiter))
            yield cells
    except csv.Error as error:
        raise CsvError(f"the line is not CSV: {error}", reader.line_num, QUOTE_HINT) from error


def _width_hint(cells: list[str], delimiter: str) -> str:
    if len(cells) == 1 and not cells[0].strip():
        return "The line is blank: remove it"
    return f"Give every line the same number of cells; quote a cell that holds {_NAMES[delimiter]}"


def decode(text: bytes) -> str:
    """Return text in UTF-8 as characters. Raises CsvError with the faulty line."""
    try:
        return text.decode()
    except UnicodeDecodeError as error:
        line = text.count(b"\n", 0, error.start) + 1
        charset = UTF_16 if text.startswith(_UTF_16_MARKS) else "windows-1252"
        hint = f"Save the file as UTF-8, such as with: iconv -f {charset} -t utf-8 FILE"
        raise CsvError("the text is not UTF-8", line, hint) from error
