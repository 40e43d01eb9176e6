"""A CSV file of any size to tables of whole rows, front to back.

A block is some megabytes: enough for Arrow to be fast, few enough that text
never fills the memory.
"""

import csv
import re
from codecs import BOM_UTF8
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import BinaryIO

import numpy as np
import pyarrow as pa

from sagetree.errors import DataError, quote
from sagetree.files.header import HeaderRule, is_title_above, repeats_of_header
from sagetree.files.shrink import text_as_numbers
from sagetree.formats.csv_text import NO_NUMBERS, CsvText, Numbers, is_plain, parse_rows
from sagetree.formats.first_row import QUOTE_HINT, CsvError, FirstRow, read_first_row, rows_end
from sagetree.formats.whole_rows import LINE_ENDS, end_of_rows, line_count
from sagetree.tables.cells import MissingValues
from sagetree.tables.index_names import is_index_name
from sagetree.tables.table import Cells, Source, Table

BLOCK_BYTES = 8 * 1024 * 1024

# A block of many columns has more, up to a bound: each column costs time in every block.
BLOCK_BYTES_OF_COLUMN, MOST_BLOCK_BYTES = 4 * 1024, 128 * 1024 * 1024

_LINE_END = re.compile(rb"[\r\n]")

# No row is longer than this many blocks; a quote that is never closed makes such a row.
LONGEST_ROW = 2

# What may stand between cells; the first is meant where several would do.
DELIMITERS = (",", ";", "\t", "|", " ")

# The delimiter is detected in this many lines: one alone may be a title, or a cell with commas.
_DELIMITER_LINES = 200

# A title is told from the table below it by this many lines.
_TITLE_LINES = 20

_EXCEL_LINE = re.compile(rb'"?sep=([,;\t| ])"?(?:\r\n|\r|\n)', re.IGNORECASE)

NOTHING_MISSING = MissingValues.of(())

# The delimiter is detected in this much of a file.
SNIFFED_BYTES = 256 * 1024

# Names, and whether the data brought them -> the columns that may be read as numbers.
NumberRule = Callable[[Sequence[str], bool], Sequence[bool]]


@dataclass(frozen=True)
class CsvRules:
    """How a CSV file is read: `delimiter` None is found; `numbers` None leaves all cells text."""

    is_header: HeaderRule
    delimiter: str | None = None
    numbers: NumberRule | None = None
    missing: MissingValues = NOTHING_MISSING


def read_csv(
    file: BinaryIO, head: bytes, name: str, rules: CsvRules, block_bytes: int | None = None
) -> Iterator[Table]:
    """Yield the rows of a CSV file whose `head` is read already: one table at least.

    Raises DataError naming file and line.
    """
    begin = (head + file.read(block_bytes or BLOCK_BYTES)).removeprefix(BOM_UTF8)
    told, above = excel_delimiter(begin)
    begin = begin[above:]
    delimiter = rules.delimiter or told or find_delimiter(begin[:SNIFFED_BYTES])
    size = block_bytes or _block_bytes(begin, delimiter)
    blocks = _whole_rows(file, begin, name, delimiter, size, first_line=1 + bool(above))
    block = next(blocks)
    first = _first_row(block, name, delimiter)
    text = _parse_first(block, name, first)
    first = first._replace(is_header=rules.is_header(text))
    if first.is_header and is_title_above(text):
        raise _title(first, "its other cells are empty, and names stand below it", name, block)
    names = first.names or tuple(map(str, range(first.width)))
    allowed = rules.numbers(names, first.is_header) if rules.numbers else [False] * len(names)
    if first.is_header:
        text = text.without_first_row()
    source = _source(text, name, block.line + first.is_header, 1)
    rows = text.rows
    text, sources = _without_headers(text, block.data, first.end, first, source)
    text, places = _typed(text, allowed, rules.missing)
    numbers = Numbers(places, rules.missing.texts)
    yield _table(text, first, sources, rows - text.rows)
    for block in blocks:
        text = _parse(block, name, first, numbers)
        source = _source(text, name, block.line, rows + 1)
        count = text.rows
        text, sources = _without_headers(text, block.data, 0, first, source)
        if numbers.places and not pa.types.is_floating(_type(text, numbers.places[0])):
            allowed = [place in numbers.places for place in range(len(names))]
            text, places = _typed(text, allowed, rules.missing)
            numbers = replace(numbers, places=places)
        yield _table(text, first, sources, count - text.rows)
        rows += count


def _block_bytes(begin: bytes, delimiter: str) -> int:
    """Return the bytes of a block of as many columns as the first line has."""
    columns = _LINE_END.split(begin, maxsplit=1)[0].count(delimiter.encode())
    return min(MOST_BLOCK_BYTES, max(BLOCK_BYTES, columns * BLOCK_BYTES_OF_COLUMN))


def excel_delimiter(text: bytes) -> tuple[str | None, int]:
    r"""Return the delimiter that a line for Excel tells, and the bytes of the line; (None, 0) else.

    >>> excel_delimiter(b"sep=;\r\na;b\r\n")
    (';', 7)
    """
    found = _EXCEL_LINE.match(text)
    return (found[1].decode(), found.end()) if found else (None, 0)


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
    rows = csv.reader(lines, delimiter=delimiter, skipinitialspace=delimiter != " ")
    try:
        widths = Counter(len(row) for row in rows if row)
    except csv.Error:  # a line of more than 128 KB without the delimiter
        return 0.0, 0
    width, count = max(widths.items(), key=lambda item: item[1], default=(0, 0))
    return (count / widths.total(), width) if width > 1 else (0.0, 0)


@dataclass(frozen=True)
class _Block:
    """Whole rows; `line` is the number of the first one's line, `last` says that none follow.

    `tidy` says whether their quotes are, None where that is not known.
    """

    data: bytes
    line: int
    tidy: bool | None = None
    last: bool = False


def _whole_rows(
    file: BinaryIO, data: bytes, name: str, delimiter: str, size: int, first_line: int
) -> Iterator[_Block]:
    """Yield the text, which begins with `data`, cut between rows; an empty one as one block."""
    line = first_line
    while True:
        chunk = file.read(size)
        if not chunk and len(data) < LONGEST_ROW * size:
            break
        end, tidy = end_of_rows(data, delimiter)
        if len(data) - end >= LONGEST_ROW * size:
            line += data.count(b"\n", 0, end)
            where = f"{name} line {line}"
            raise DataError("the row does not end", where=where, hint=QUOTE_HINT)
        if not chunk:
            break
        end = _before_empty_lines(data, end)
        if end:
            yield _Block(data[:end], line, tidy)
            line += line_count(data[:end])
        data = data[end:] + chunk
    if line == first_line or data.strip(LINE_ENDS):
        yield _Block(data, line, last=True)


def _before_empty_lines(data: bytes, end: int) -> int:
    """Return where the last row before `end` ends that is not an empty line.

    Empty lines are left for what follows: they count only if rows do.
    """
    row = len(data[:end].rstrip(LINE_ENDS))
    return row + (2 if data[row : row + 2] == b"\r\n" else 1) if row else 0


def _first_row(block: _Block, name: str, delimiter: str) -> FirstRow:
    try:
        return read_first_row(block.data, delimiter)
    except CsvError as error:
        raise _refused(error, name, block) from error


def _parse(block: _Block, name: str, first: FirstRow, numbers: Numbers = NO_NUMBERS) -> CsvText:
    # Empty lines count where rows follow, so only the last block may end with some.
    data = block.data[: rows_end(block.data, first)] if block.last else block.data
    try:
        return parse_rows(data, first, numbers, is_plain(data, first.delimiter, block.tidy))
    except CsvError as error:
        raise _refused(error, name, block) from error


def _parse_first(block: _Block, name: str, first: FirstRow) -> CsvText:
    """Return the file's first rows. Raises DataError for a title above them, in its own words."""
    try:
        return _parse(block, name, first)
    except DataError as error:
        lines = block.data[:SNIFFED_BYTES].decode(errors="replace").splitlines()[:_TITLE_LINES]
        widths = [len(row) or 1 for row in csv.reader(lines, delimiter=first.delimiter)]
        below = [width for width in widths if width > 1 and width >= 2 * first.width]
        if len(below) > 1 and len({*below}) == 1 and widths[-len(below) :] == below:
            cells = "1 cell" if first.width == 1 else f"{first.width} cells"
            why = f"it has {cells}, and the lines below have {below[0]}"
            raise _title(first, why, name, block) from error
        raise


def _title(first: FirstRow, why: str, name: str, block: _Block) -> DataError:
    text = first.delimiter.join(cell for cell in first.cells if cell.strip())
    hint = "Delete the lines above the one with the names of the columns"
    what = f"{quote(text)} looks like a title above the table: {why}"
    return DataError(what, where=f"{name} line {block.line}", hint=hint)


def _refused(error: CsvError, name: str, block: _Block) -> DataError:
    where = f"{name} line {block.line + error.line - 1}"
    return DataError(str(error), where=where, hint=error.hint)


def _source(text: CsvText, name: str, line: int, row: int) -> Source:
    if text.one_line_each:
        return Source(text.rows, name, "line", line)
    return Source(text.rows, name, "row", row)


def _table(text: CsvText, first: FirstRow, sources: tuple[Source, ...], repeated: int) -> Table:
    names = first.names or tuple(map(str, range(first.width)))
    columns = _columns(text)
    return Table(names, columns, text.rows, first.is_header, sources, repeated_headers=repeated)


def _without_headers(
    text: CsvText, data: bytes, begin: int, first: FirstRow, source: Source
) -> tuple[CsvText, tuple[Source, ...]]:
    """Return the rows of data[begin:] less those that repeat the header, and where they are."""
    names = first.names
    if names is None:
        return text, (source,)
    mark = max((name for name in names if not is_index_name(name)), key=len, default="")
    # Looking for the bytes costs next to nothing, and finds none in nearly every file.
    if '"' not in mark and data.find(mark.encode(), begin) < 0:
        return text, (source,)
    columns = _columns(text)
    if not all(pa.types.is_string(column.type) for column in columns):  # some are numbers
        return text, (source,)
    stray = repeats_of_header(names, columns)
    if not stray:
        return text, (source,)
    keep = np.ones(text.rows, bool)
    keep[stray] = False
    sources = tuple(
        source._replace(rows=stop - start - 1, first=source.first + start + 1)
        for start, stop in pairwise([-1, *stray, text.rows])
        if stop - start > 1
    )
    kept = [column.filter(pa.array(keep)) for column in columns]
    text = text._replace(columns=kept, rows=text.rows - len(stray))
    return text, sources or (source._replace(rows=0),)


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


def _columns(text: CsvText) -> tuple[pa.ChunkedArray, ...]:
    return tuple(map(_arrow, text.columns))


def _arrow(cells: Cells) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array(cells, pa.string())]) if isinstance(cells, list) else cells
