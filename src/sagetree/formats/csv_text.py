"""CSV bytes to columns of text: all cells as they stand, nothing inferred.

Small bodies are read by the standard library, which costs microseconds, large
ones by Arrow, which is many times faster per row; both give the same cells.
"""

import io
from codecs import BOM_UTF8
from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sagetree.formats.first_row import (
    COMMA,
    SHORT_BYTES,
    FirstRow,
    csv_rows,
    decode,
    read_first_row,
    rows_end,
)
from sagetree.formats.whole_rows import has_tidy_quotes, line_count, without_blanks
from sagetree.tables.cells import FLOAT32_LIMIT, MISSING_TEXTS
from sagetree.tables.encoding import FEW_ROWS
from sagetree.tables.table import Cells, OneRow

if TYPE_CHECKING:
    import pyarrow as pa

# The two readers need the same time at about 150 rows of 45 columns.
BULK_BYTES = 32 * 1024

# This much of a text is checked at a time: what is made of it stays in the cache.
BLOCK_BYTES = 64 * 1024

# This many numbers are checked at a time: what is done once for each column takes long.
_SOUND_CELLS = 2**17

# Arrow reads this much at a time; of many columns more, since each costs time in every piece:
# 8 MB of 1000 columns take half as long, of 10 000 a quarter.
PIECE_BYTES, PIECE_BYTES_OF_COLUMN = 1024 * 1024, 4096


class CsvText(NamedTuple):
    """Rows of a CSV text, a header row among them until it is taken away.

    `first` is the first row of the whole text. `one_line_each` is False where a
    cell holds a line end, so that a row's number is not its line's.
    """

    first: FirstRow
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
    body = data.removeprefix(BOM_UTF8)
    first = read_first_row(body, delimiter)
    return parse_rows(body[: rows_end(body, first)], first)


@dataclass(frozen=True)
class Numbers:
    """The places of columns that may be read as numbers at once, and what is missing there."""

    places: Sequence[int] = ()
    missing: Collection[str] = ()


NO_NUMBERS = Numbers()


def parse_rows(
    body: bytes, first: FirstRow, numbers: Numbers = NO_NUMBERS, plain: bool | None = None
) -> CsvText:
    """Return the cells of whole rows of text; every line end ends a row.

    Each must have as many cells as the text's first row, which may be one of
    them. Large texts give the columns of `numbers` as numbers (float64, null
    where missing) if all their cells are. `plain` is what `is_plain` says, where
    that is known. Raises CsvError with the number of the faulty line in `body`.
    """
    if not plain and b'"' in body:
        tidied = without_blanks(body, first.delimiter)
        if len(tidied) < len(body):
            body, plain = tidied, None
    if len(body) < BULK_BYTES:
        plain = False
    if is_plain(body, first.delimiter) if plain is None else plain:
        return _parse_bulk(body, first, numbers)
    return _parse_small(body, first)


def only_row(first: FirstRow) -> CsvText:
    """Return the cells of a text that is nothing but its first row."""
    return CsvText(first, OneRow(first.cells), 1, first.lines == 1)


def _one_line_each(body: bytes, rows: int) -> bool:
    if b'"' not in body:
        return True
    return line_count(body) == rows


def _parse_small(body: bytes, first: FirstRow) -> CsvText:
    rows = _split(body, first) or list(_rows(body, first))
    columns = OneRow(rows[0]) if len(rows) == 1 else tuple(map(list, zip(*rows, strict=True)))
    return CsvText(first, columns, len(rows), _one_line_each(body, len(rows)))


def _rows(body: bytes, first: FirstRow) -> Iterator[list[str]]:
    return csv_rows(io.StringIO(decode(body), newline=""), first.delimiter, first.width)


def _split(body: bytes, first: FirstRow) -> list[list[str]]:
    """Return the rows of a short text without quotes, as the csv module would; [] for others.

    Setting that module up takes a third of the reading of a request of one row.
    """
    if len(body) > SHORT_BYTES or b'"' in body or b"\r" in body or not body.isascii():
        return []
    lines = body.decode().removesuffix("\n").split("\n")
    rows = [line.split(first.delimiter) for line in lines]
    return rows if {*map(len, rows)} == {first.width} else []


def is_plain(body: bytes, delimiter: str = COMMA, tidy: bool | None = None) -> bool:
    """Say whether Arrow reads a text as the csv module does.

    It takes empty lines for rows of empty cells, makes something of unbalanced
    quotes, and drops a second byte-order mark. `tidy` is what `has_tidy_quotes`
    says, where that is known.
    """
    if body.startswith((b"\n", b"\r", BOM_UTF8)) or _has_empty_line(body):
        return False
    return has_tidy_quotes(body, delimiter) if tidy is None else tidy


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


def _parse_bulk(body: bytes, first: FirstRow, numbers: Numbers = NO_NUMBERS) -> CsvText:
    import pyarrow as pa  # costs 0.3 s and 40 MB, which small requests never need

    types = dict.fromkeys(map(str, range(first.width)), pa.string())
    missing = [*MISSING_TEXTS, *numbers.missing]
    try:
        kinds = types | dict.fromkeys(map(str, numbers.places), pa.float64())
        columns = _sound(_read_bulk(body, first.delimiter, kinds, missing), numbers.places)
        if columns is None:
            columns = _read_bulk(body, first.delimiter, types, missing).columns
    except pa.ArrowInvalid:
        if numbers.places:  # some cell is text
            return _parse_bulk(body, first)
        deque(_rows(body, first), maxlen=0)  # names the faulty line, keeping none
        return _parse_small(body, first)
    except pa.ArrowException as error:
        # "a chunk failed converting for an unknown reason": Arrow's threads lose a piece, once
        # in thousands of reads on a busy machine, of text that they read the next time
        if type(error) is not pa.ArrowException:
            raise
        return _parse_small(body, first)
    rows = len(columns[0])
    return CsvText(first, tuple(columns), rows, _one_line_each(body, rows))


def _read_bulk(
    body: bytes, delimiter: str, types: Mapping[str, "pa.DataType"], missing: Collection[str]
) -> "pa.Table":
    import pyarrow as pa
    import pyarrow.csv as pa_csv

    return pa_csv.read_csv(
        pa.BufferReader(body),
        read_options=pa_csv.ReadOptions(
            column_names=list(types),
            block_size=max(PIECE_BYTES, min(len(body), len(types) * PIECE_BYTES_OF_COLUMN)),
        ),
        parse_options=pa_csv.ParseOptions(
            delimiter=delimiter,
            # cutting at any newline is faster, and wrong only inside quotes
            newlines_in_values=b'"' in body,
            ignore_empty_lines=False,
        ),
        convert_options=pa_csv.ConvertOptions(column_types=types, null_values=missing),
    )


def _sound(table: "pa.Table", places: Sequence[int]) -> Sequence["pa.ChunkedArray"] | None:
    """Return the columns, those of numbers (`places`) with NaN for null and in one piece.

    None where Arrow's numbers are not those of `to_number`: it reads infinite
    and too large ones, and several words as NaN.
    """
    import pyarrow as pa

    columns: list[pa.ChunkedArray] = table.columns
    parts = 1 + len(places) * table.num_rows // _SOUND_CELLS
    for part in filter(len, np.array_split(places, parts)):
        numbers = table.select(part.tolist())
        batch, *more = numbers.to_batches()
        if more:
            (batch,) = numbers.combine_chunks().to_batches()
        values = batch.to_tensor(null_to_nan=True, row_major=False).to_numpy()
        absent = np.count_nonzero(values != values)
        within = np.count_nonzero(np.abs(values) < FLOAT32_LIMIT)
        nulls = sum(columns[place].null_count for place in part)
        if absent != nulls or absent + within < values.size:
            return None
        for place, found in zip(part.tolist(), _columns_of(values), strict=True):
            columns[place] = pa.chunked_array([found])
    return columns


def _columns_of(values: NDArray[np.float64]) -> Iterator["NDArray[np.float64] | pa.Array"]:
    """Yield the columns (n) of values (n, m); those of few rows share their memory.

    Of many rows a column that is kept would keep all others.
    """
    import pyarrow as pa

    rows = len(values)
    if rows > FEW_ROWS:
        yield from (column.copy() for column in values.T)
    else:
        whole = pa.array(values.ravel("F"))
        yield from (whole.slice(begin, rows) for begin in range(0, len(whole), rows))
