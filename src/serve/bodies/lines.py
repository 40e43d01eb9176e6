"""Large text bodies, cut into pieces of whole rows."""

import mmap
import re
from collections.abc import Iterator
from functools import cache

from sagetree.errors import DecodingError
from sagetree.serve.protocol.messages import Body

# A row of more bytes is no row: csv's own bound for one cell is 128 kB.
LONGEST_ROW = 8 * 2**20

_QUOTE = b'"'


def pieces(body: Body, start: int, end: int, size: int, delimiter: str = "") -> Iterator[bytes]:
    """Yield body[start:end] in pieces of about `size` bytes, each ending with its line.

    With a `delimiter` the lines are CSV's, of which a quoted cell may hold
    several. Raises DecodingError for a row longer than LONGEST_ROW.
    """
    while start < end:
        stop = _piece_end(body, start, end, size, delimiter)
        yield body[start:stop]
        let_go(body, start, stop)
        start = stop


def let_go(body: Body, start: int, stop: int) -> None:
    """Tell the machine that this part of a body in a file need not stay in memory."""
    begin = start - start % mmap.PAGESIZE
    if isinstance(body, mmap.mmap) and stop > begin:
        body.madvise(mmap.MADV_DONTNEED, begin, stop - begin)


def _piece_end(body: Body, start: int, end: int, size: int, delimiter: str) -> int:
    while start + size < end:
        # one byte more, which shows whether a \r at the end has its \n behind it
        piece = body[start : start + size + 1]
        length = _rows_length(piece, delimiter)
        if length:
            return start + length
        if size >= LONGEST_ROW:
            raise too_long(start, hint="End every row by a line end, and close every quote")
        size *= 2
    return end


def too_long(start: int, *, hint: str) -> DecodingError:
    """Return the error of a row that begins at this byte (from 0), and does not end."""
    problem = f"a row is longer than {LONGEST_ROW >> 20} MB"
    return DecodingError(problem, where=f"byte {start + 1}", hint=hint)


def _rows_length(piece: bytes, delimiter: str) -> int:
    """Return the length of the whole rows at the beginning of `piece`, less its last byte."""
    last = len(piece) - 1
    if not delimiter or _QUOTE not in piece:
        return _line_end(piece, 0, last)
    return _csv_rows_length(piece, last, delimiter)


def _line_end(piece: bytes, start: int, stop: int) -> int:
    """Return where the last line between `start` and `stop` ends, 0 where none does."""
    end = max(piece.rfind(b"\n", start, stop), piece.rfind(b"\r", start, stop)) + 1
    if end and piece[end - 1 : end + 1] == b"\r\n":  # its \n is not in sight, or cut off
        return _line_end(piece, start, end - 1)
    return end


@cache
def _opening(delimiter: str) -> re.Pattern[bytes]:
    """Return the pattern of a quote that opens a cell: at a row's or a cell's start."""
    return re.compile(rb'(?<![^%s\r\n])"' % re.escape(delimiter.encode()))


_CELL_REST = re.compile(rb'[^"]*+(?:""[^"]*+)*+"')


def _csv_rows_length(piece: bytes, last: int, delimiter: str) -> int:
    """Return the length of the whole rows; line ends inside quoted cells end none."""
    opening, length, outside = _opening(delimiter), 0, 0
    while found := opening.search(piece, outside):
        length = _line_end(piece, outside, min(found.start(), last)) or length
        rest = _CELL_REST.match(piece, found.end())
        if rest is None:
            return length
        outside = rest.end()
    return _line_end(piece, outside, last) or length
