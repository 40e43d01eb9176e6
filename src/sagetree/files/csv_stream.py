"""A CSV file of any size to tables of whole rows, front to back.

A block is some megabytes: enough for Arrow to be fast, few enough that text
never fills the memory.
"""

import csv
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import BinaryIO

import pyarrow as pa

from sagetree.errors import DataError
from sagetree.files.shrink import text_as_numbers
from sagetree.formats.csv_text import (
    BOM,
    NO_NUMBERS,
    CsvError,
    CsvText,
    Numbers,
    parse_csv,
    parse_rows,
    rows_end,
)
from sagetree.tables.cells import MissingValues
from sagetree.tables.schema import header_names
from sagetree.tables.table import Cells, Source, Table

BLOCK_BYTES = 8 * 1024 * 1024

# What may stand between cells; the first is meant where several would do.
DELIMITERS = (",", ";", "\t", "|", " ")

# So many lines tell the delimiter: one alone may be a title, or a cell with commas.
_DELIMITER_LINES = 200

NOTHING_MISSING = MissingValues.of(())

# So much of a file tells its delimiter.
_SAMPLE_BYTES = 256 * 1024

HeaderRule = Callable[[CsvText], bool]

# Names, and whether the data brought them -> the columns that may be read as numbers.
NumberRule = Callable[[Sequence[str], bool], Sequence[bool]]


@dataclass(frozen=True)
class CsvRules:
    """How a CSV file is read: `delimiter` None is found; `numbers` None leaves all cells text."""

    is_header: HeaderRule
    delimiter: str | None = None
    numbers: NumberRule | None = None
    missing: MissingValues = NOTHING_MISSING


def read_csv(file: BinaryIO, head: bytes, name: str, rules: CsvRules) -> Iterator[Table]:
    """Yield the rows of a CSV file, of which `head` is read already: one table at least.

    Raises DataError naming file and line.
    """
    blocks = _whole_rows(file, head.removeprefix(BOM))
    first = next(blocks)
    delimiter = rules.delimiter or find_delimiter(first.data[:_SAMPLE_BYTES])
    text = _parse(first, name, delimiter)
    named = rules.is_header(text)
    names = header_names(text.first_row) if named else tuple(map(str, range(len(text.columns))))
    allowed = rules.numbers(names, named) if rules.numbers else [False] * len(names)
    if named:
        text = text.without_first_row()
    place = _Place(name, line=2 if named else 1, row=1)
    text, places = _typed(text, allowed, rules.missing)
    numbers = Numbers(places, rules.missing.texts)
    yield _table(text, names, named, place)
    place = place.after(text, lines=first.lines - named)
    for block in blocks:
        text = _parse(block, name, delimiter, len(names), numbers)
        if numbers.places and not pa.types.is_floating(_type(text, numbers.places[0])):
            allowed = [place in numbers.places for place in range(len(names))]
            text, places = _typed(text, allowed, rules.missing)
            numbers = replace(numbers, places=places)
        yield _table(text, names, named, place)
        place = place.after(text, lines=block.lines)


def find_delimiter(text: bytes) -> str:
    r"""Return what stands between the cells of the first lines of a text.

    It is the one that cuts most lines into equally many cells, several of them.

    >>> find_delimiter(b"a;b\n1,5;2\n1;2,5\n")
    ';'
    """
    lines = text.decode(errors="replace").splitlines()[:_DELIMITER_LINES]
    found = {delimiter: _regularity(lines, delimiter) for delimiter in DELIMITERS}
    return max(found, key=lambda delimiter: found[delimiter])


def _regularity(lines: list[str], delimiter: str) -> tuple[float, int]:
    """Return the share of lines with the usual number of cells, and that number."""
    rows = csv.reader(lines, delimiter=delimiter)
    try:
        widths = Counter(len(row) for row in rows if row)
    except csv.Error:  # a line of more than 128 KB without the delimiter
        return 0.0, 0
    width, count = max(widths.items(), key=lambda item: item[1], default=(0, 0))
    return (count / widths.total(), width) if width > 1 else (0.0, 0)


@dataclass(frozen=True)
class _Block:
    """Whole rows; `line` is the number of the first one's line, `last` says that none follow."""

    data: bytes
    line: int
    last: bool

    @property
    def lines(self) -> int:
        return self.data.count(b"\n")


@dataclass(frozen=True)
class _Place:
    """Where the next row stands."""

    name: str
    line: int
    row: int

    def source(self, text: CsvText) -> Source:
        if text.one_line_each:
            return Source(text.rows, self.name, "line", self.line)
        return Source(text.rows, self.name, "row", self.row)

    def after(self, text: CsvText, lines: int) -> "_Place":
        return replace(self, line=self.line + lines, row=self.row + text.rows)


def _whole_rows(file: BinaryIO, head: bytes) -> Iterator[_Block]:
    """Yield the text cut between rows; a file that is empty is one empty block."""
    data, line = head, 1
    chunk = file.read(BLOCK_BYTES)
    while chunk:
        data += chunk
        chunk = file.read(BLOCK_BYTES)
        end = _end_of_rows(data) if chunk else 0  # the last block is what is left
        if end:
            yield _Block(data[:end], line, last=False)
            line += data.count(b"\n", 0, end)
            data = data[end:]
    if line == 1 or data.strip(b"\r\n"):
        yield _Block(data, line, last=True)


def _end_of_rows(data: bytes) -> int:
    """Return where the last row that is whole ends: at a line end outside quotes.

    Empty lines behind it are left for what follows: they count only if rows do.
    """
    end = len(data[: data.rfind(b"\n") + 1].rstrip(b"\r\n"))
    end = data.find(b"\n", end) + 1 if end else 0
    quotes = data.count(b'"', 0, end)
    while end and quotes % 2:
        previous = data.rfind(b"\n", 0, end - 1) + 1
        quotes -= data.count(b'"', previous, end)
        end = previous
    return end


def _parse(
    block: _Block, name: str, delimiter: str, width: int = 0, numbers: Numbers = NO_NUMBERS
) -> CsvText:
    # Empty lines count where rows follow, so only the last block may end with some.
    data = block.data[: rows_end(block.data, delimiter)] if block.last else block.data
    try:
        return parse_rows(data, delimiter, width, numbers) if data else parse_csv(data)
    except CsvError as error:
        where = f"{name} line {block.line + error.line - 1}"
        raise DataError(str(error), where=where, hint=error.hint) from error


def _type(text: CsvText, place: int) -> pa.DataType:
    cells = text.columns[place]
    return pa.string() if isinstance(cells, list) else cells.type


def _typed(
    text: CsvText, allowed: Sequence[bool], missing: MissingValues
) -> tuple[CsvText, tuple[int, ...]]:
    """Return the text with its columns of numbers as numbers, and their places."""
    columns = [*map(_arrow, text.columns)]
    places = []
    for place, may in enumerate(allowed):
        if may and (numbers := _as_numbers(columns[place], missing)) is not None:
            columns[place] = numbers
            places.append(place)
    return text._replace(columns=columns), tuple(places)


def _as_numbers(cells: pa.ChunkedArray, missing: MissingValues) -> pa.ChunkedArray | None:
    if pa.types.is_floating(cells.type):
        return cells
    values = text_as_numbers(cells, missing)
    return None if values is None else pa.chunked_array([pa.array(values, from_pandas=True)])


def _table(text: CsvText, names: tuple[str, ...], named: bool, place: _Place) -> Table:
    columns = tuple(map(_arrow, text.columns))
    return Table(names, columns, text.rows, named, (place.source(text),))


def _arrow(cells: Cells) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array(cells, pa.string())]) if isinstance(cells, list) else cells
