"""CSV bodies: the first row, and by it the others, in slices where they are many."""

from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator

from sagetree.errors import DecodingError, PayloadTooLargeError
from sagetree.formats.csv_text import NO_NUMBERS, CsvText, Numbers, is_plain, only_row, parse_rows
from sagetree.formats.first_row import CsvError, FirstRow, rows_end
from sagetree.formats.whole_rows import LINE_ENDS, line_count
from sagetree.serve.bodies.charset import as_utf8, charset_of
from sagetree.serve.bodies.csv_first_row import find_delimiter, first_row_of, refused
from sagetree.serve.bodies.hints import Hints
from sagetree.serve.bodies.lines import pieces_of_csv
from sagetree.serve.bodies.tables import table_of_columns
from sagetree.serve.protocol.messages import Body
from sagetree.tables.table import Source, Table

# The delimiter is detected in this much of the text.
DELIMITER_BYTES = 64 * 1024

# Text that only Python's own reader reads aright takes 80 bytes a row: it is
# read in slices of this size.
UNEVEN_BYTES = 2**18


def decode_csv(body: Body, hints: Hints) -> Iterable[Table]:
    """Return the rows of CSV text, named where its first row is a header.

    Raises DecodingError naming the line, SchemaError for a repeated name.
    """
    if len(body) > min(UNEVEN_BYTES, hints.slice_bytes):
        return _slices(body, hints)
    text = as_utf8(body[:], hints).removeprefix(BOM_UTF8)
    first = first_row_of(text, find_delimiter(text, hints), hints)
    end = rows_end(text, first)
    if first.begin >= end:
        return _no_rows(hints)
    if not first.begin and first.end >= end:
        found = only_row(first)
    else:
        found = _parse(text[first.begin : end], first, first.lines if first.is_header else 0)
    return (_table(found, found.one_line_each and first.lines == 1, 0),)


def _slices(body: Body, hints: Hints) -> Iterator[Table]:
    """Yield the rows in slices, as `decode_csv` would return them."""
    if charset_of(hints) == "utf-16":  # its line ends cannot be found by their bytes
        hint = "Send UTF-8"
        raise PayloadTooLargeError(
            "a large body cannot be in UTF-16", where="Content-Type", hint=hint
        )
    start = len(BOM_UTF8) if body[:3] == BOM_UTF8 else 0
    text = as_utf8(body[start : start + DELIMITER_BYTES], hints)
    delimiter = find_delimiter(text, hints)
    end = _stripped_end(body, start)
    size = min(UNEVEN_BYTES, hints.slice_bytes)
    piece, _ = next(pieces_of_csv(body, start, len(body), size, delimiter))
    first = first_row_of(as_utf8(piece, hints), delimiter, hints, goes_on=True)
    line_ends = body[end : end + 3]
    if line_ends in (b"\n", b"\r\n") or first.has_rows_in(line_ends):
        end = len(body)  # a whole body need not be copied to be cut
    numbers = _numbers(first, hints)
    rows, lines, one_line_each = 0, 0, True
    for piece, plain in _even_pieces(body, start, end, delimiter, hints):
        text = as_utf8(piece, hints)
        if first.is_header and not lines:
            text, lines, one_line_each = text[first.end :], first.lines, first.lines == 1
            plain = plain and not text.startswith(BOM_UTF8)  # Arrow would drop it
            if not text:
                continue
        found = _parse(text, first, lines, numbers, plain)
        one_line_each = one_line_each and found.one_line_each
        yield _table(found, one_line_each, rows)
        rows += found.rows
        lines += found.rows if found.one_line_each else line_count(text)
    if not rows:
        yield from _no_rows(hints)


def _parse(
    text: bytes,
    first: FirstRow,
    lines_before: int,
    numbers: Numbers = NO_NUMBERS,
    plain: bool | None = None,
) -> CsvText:
    try:
        return parse_rows(text, first, numbers, plain)
    except CsvError as error:
        raise refused(error, lines_before) from error


def _no_rows(hints: Hints) -> tuple[Table, ...]:
    """Return no table, for the part of a batch job's file that is only its header."""
    if hints.batch:
        return ()
    hint = "Send at least one row below the header"
    raise DecodingError("there is a header and there are no rows", where="line 1", hint=hint)


def _table(text: CsvText, one_line_each: bool, before: int) -> Table:
    """Return the table, its rows located by line where every row so far is one, else by row."""
    first = text.first
    if one_line_each:
        source = Source(text.rows, unit="line", first=first.is_header + before + 1)
    else:
        source = Source(text.rows, first=before + 1)
    return table_of_columns(first.names, text.columns, source)


def _numbers(first: FirstRow, hints: Hints) -> Numbers:
    """Return the places of the columns that are needed as numbers only."""
    names, schema = first.names, hints.schema
    if names is None:
        by_place = first.width == len(schema.input_names)
        names = schema.input_names if by_place else schema.all_names
    places = [place for place, name in enumerate(names[: first.width]) if name in hints.numbers]
    return Numbers(places, hints.missing)


def _even_pieces(
    body: Body, start: int, end: int, delimiter: str, hints: Hints
) -> Iterator[tuple[bytes, bool]]:
    """Yield pieces of whole rows, and whether they are plain; smaller ones where they are not."""
    for piece, tidy in pieces_of_csv(body, start, end, hints.slice_bytes, delimiter):
        plain = is_plain(piece, delimiter, tidy)
        if plain or len(piece) <= UNEVEN_BYTES:
            yield piece, plain
        else:
            for part, tidy in pieces_of_csv(piece, 0, len(piece), UNEVEN_BYTES, delimiter):
                yield part, is_plain(part, delimiter, tidy)


def _stripped_end(body: Body, start: int) -> int:
    """Return where the body ends less its last line ends. Raises DecodingError if it is empty."""
    end = len(body)
    while end > start:
        tail = body[max(start, end - UNEVEN_BYTES) : end]
        stripped = tail.rstrip(LINE_ENDS)
        end -= len(tail) - len(stripped)
        if stripped:
            return end
    raise DecodingError("there are no rows", where="line 1", hint="Send at least one row")
