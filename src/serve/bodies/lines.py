"""Large text bodies, cut into pieces of whole rows."""

import mmap
from collections.abc import Callable, Iterator

from sagetree.errors import DecodingError
from sagetree.formats.whole_rows import end_of_lines, end_of_rows
from sagetree.serve.protocol.messages import Body

# A row of more bytes is not a row: csv's own bound for one cell is 128 kB.
LONGEST_ROW = 8 * 2**20

# Where the last whole row of a text ends (0 where none does), and whether its quotes are tidy.
_RowEnd = Callable[[bytes], tuple[int, bool]]


def pieces(body: Body, start: int, end: int, size: int) -> Iterator[bytes]:
    """Yield body[start:end] in pieces of about `size` bytes, each ending with its line.

    Raises DecodingError for a row longer than LONGEST_ROW.
    """
    for piece, _ in _pieces(body, start, end, size, lambda text: (end_of_lines(text), True)):
        yield piece


def pieces_of_csv(
    body: Body, start: int, end: int, size: int, delimiter: str
) -> Iterator[tuple[bytes, bool | None]]:
    """Yield body[start:end] as `pieces` does, but cut where CSV rows end.

    Beside each piece stands whether its quotes are tidy, None where that is not known.
    """
    return _pieces(body, start, end, size, lambda text: end_of_rows(text, delimiter))


def _pieces(
    body: Body, start: int, end: int, size: int, row_end: _RowEnd
) -> Iterator[tuple[bytes, bool | None]]:
    while start < end:
        piece, tidy = _piece(body, start, end, size, row_end)
        yield piece, tidy
        let_go(body, start, start + len(piece))
        start += len(piece)


def let_go(body: Body, start: int, stop: int) -> None:
    """Tell the machine that this part of a body in a file need not stay in memory."""
    begin = start - start % mmap.PAGESIZE
    if isinstance(body, mmap.mmap) and stop > begin:
        body.madvise(mmap.MADV_DONTNEED, begin, stop - begin)


def _piece(
    body: Body, start: int, end: int, size: int, row_end: _RowEnd
) -> tuple[bytes, bool | None]:
    while start + size < end:
        text = body[start : start + size]
        length, tidy = row_end(text)
        if length:
            return text[:length], tidy
        if size >= LONGEST_ROW:
            raise too_long(start, hint="End every row by a line end, and close every quote")
        size *= 2
    return body[start:end], None


def too_long(start: int, *, hint: str) -> DecodingError:
    """Return the error of a row that begins at this byte (from 0), and does not end."""
    problem = f"a row is longer than {LONGEST_ROW >> 20} MB"
    return DecodingError(problem, where=f"byte {start + 1}", hint=hint)
