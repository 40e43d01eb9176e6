"""CSV bytes to columns of text: all cells as they stand, nothing inferred.

Small bodies are read by the standard library, which costs microseconds, large
ones by Arrow, which is many times faster per row; both give the same cells.
"""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from sagetree.cells import Cell
from sagetree.table import Cells

# The two readers need the same time at about 150 rows of 45 columns.
BULK_BYTES = 32 * 1024

_BOM = b"\xef\xbb\xbf"
_NEWLINES = b"\r\n"
_LINE_ENDS = (b"", b"\n", b"\r\n", b"\r")

# A well-formed quoted cell: from a cell's start to a cell's end, inner quotes doubled.
# Not (?:[^"]|"")*, which takes 100 bytes of memory for each of the cell.
_QUOTED_CELL = re.compile(rb'(?<![^,\r\n])"[^"]*(?:""[^"]*)*"(?![^,\r\n])')


class CsvError(ValueError):
    """The bytes are not CSV; `line` is the number of the faulty line."""

    def __init__(self, message: str, line: int, hint: str) -> None:
        self.line = line
        self.hint = hint
        super().__init__(message)


@dataclass(frozen=True)
class CsvText:
    """All rows of a CSV text, a header row among them if there is one.

    `one_line_each` is False where a cell holds a line end, so that a row's
    number is not its line's.
    """

    first_row: tuple[str, ...]
    columns: tuple[Cells, ...]
    rows: int
    one_line_each: bool

    def without_first_row(self) -> "CsvText":
        """Return the rows below the header."""
        columns = tuple(cells[1:] for cells in self.columns)
        return replace(self, columns=columns, rows=self.rows - 1)


def parse_csv(data: bytes) -> CsvText:
    """Return the cells of comma-separated text in UTF-8 (a byte-order mark is dropped).

    Empty lines at the end do not count. Raises CsvError for text that is empty,
    not UTF-8, or whose rows differ in length.
    """
    body = data.removeprefix(_BOM)
    body = _without_last_lines(body)
    if not body:
        raise CsvError("there are no rows", 1, "Send at least one line of comma-separated values")
    if len(body) >= BULK_BYTES and _is_plain(body):
        return _parse_bulk(body)
    return _parse_small(body)


def _one_line_each(body: bytes, rows: int) -> bool:
    if b'"' not in body:
        return True
    ends = body.count(b"\n") + body.count(b"\r") - body.count(b"\r\n")
    return ends + (not body.endswith((b"\n", b"\r"))) == rows


def _parse_small(body: bytes) -> CsvText:
    rows = list(_rows(body))
    # Transposed to lists: the request path asks for each column once.
    columns: list[list[Cell]] = [list(column) for column in zip(*rows, strict=True)]
    return CsvText(tuple(rows[0]), tuple(columns), len(rows), _one_line_each(body, len(rows)))


def _without_last_lines(body: bytes) -> bytes:
    """Return the text without the line end and empty lines at its end.

    One column is the exception: there an empty line is a row whose cell is missing.
    """
    stripped = body.rstrip(_NEWLINES)
    if not stripped or body[len(stripped) :] in _LINE_ENDS:
        return stripped
    try:
        one_column = len(_first_row(stripped)) == 1
    except CsvError:  # to be found again, with all that is wrong before it
        return stripped
    return body if one_column else stripped


def _rows(body: bytes) -> Iterator[list[str]]:
    """Yield each row. Raises CsvError with the number of the faulty line."""
    reader = csv.reader(io.StringIO(_decode(body), newline=""), strict=True)
    width = 0
    try:
        for row in reader:
            cells = row or [""]
            width = width or len(cells)
            if len(cells) != width:
                raise CsvError(
                    f"{len(cells)} cells where the first line has {width}",
                    reader.line_num,
                    "Give every line as many cells; quote a cell that holds a comma",
                )
            yield cells
    except csv.Error as error:
        raise CsvError(f"the line is not CSV: {error}", reader.line_num, QUOTE_HINT) from error


QUOTE_HINT = 'Close every quote; write a quote inside a quoted cell twice ("")'


def _is_plain(body: bytes) -> bool:
    """Say whether Arrow reads the text as the csv module does.

    It takes empty lines for rows of empty cells, makes something of unbalanced
    quotes, and drops a second byte-order mark.
    """
    empty_lines = (b"\n\n", b"\n\r", b"\r\r")
    if body.startswith((b"\n", b"\r", _BOM)) or any(pair in body for pair in empty_lines):
        return False
    return b'"' not in body or b'"' not in _QUOTED_CELL.sub(b"", body)


def _decode(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        line = body.count(b"\n", 0, error.start) + 1
        raise CsvError("the text is not UTF-8", line, "Save the file as UTF-8") from error


def _parse_bulk(body: bytes) -> CsvText:
    import pyarrow as pa  # costs 0.3 s and 40 MB, which small requests never need
    import pyarrow.csv as pa_csv

    first_row = _first_row(body)
    names = [str(index) for index in range(len(first_row))]
    try:
        table = pa_csv.read_csv(
            pa.BufferReader(body),
            read_options=pa_csv.ReadOptions(column_names=names),
            parse_options=pa_csv.ParseOptions(
                # cutting at any newline is faster, and wrong only inside quotes
                newlines_in_values=b'"' in body,
                ignore_empty_lines=False,
            ),
            convert_options=pa_csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string())),
        )
    except pa.ArrowInvalid:
        return _parse_small(body)  # names the faulty line
    rows = table.num_rows
    return CsvText(tuple(first_row), tuple(table.columns), rows, _one_line_each(body, rows))


def _first_row(body: bytes) -> list[str]:
    """Return the first row's cells, which may hold line ends inside quotes."""
    end = quotes = 0
    for line in io.BytesIO(body):
        end += len(line)
        quotes += line.count(b'"')
        if quotes % 2 == 0:
            break
    return next(_rows(body[:end]))
