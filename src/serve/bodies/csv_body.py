"""CSV bodies: which delimiter, whether there is a header, and the rows in slices."""

import re
from collections.abc import Iterable, Iterator, Sequence
from types import MappingProxyType

from sagetree.errors import (
    DecodingError,
    PayloadTooLargeError,
    RequestError,
    SchemaError,
    UnsupportedMediaTypeError,
    Violation,
    quote,
)
from sagetree.formats.csv_text import (
    COMMA,
    NO_NUMBERS,
    CsvError,
    CsvText,
    Numbers,
    first_line,
    first_row,
    first_row_end,
    is_plain,
    line_count,
    parse_csv,
    parse_rows,
    quoted_cell,
    rows_end,
)
from sagetree.serve.bodies.hints import Hints
from sagetree.serve.bodies.lines import pieces
from sagetree.serve.bodies.tables import most_columns, refuse_width, table_of_columns
from sagetree.serve.protocol.messages import Body
from sagetree.tables.schema import header_names
from sagetree.tables.table import Source, Table

# The charsets of web pages and spreadsheets, by their registered names. Not
# codecs.lookup(): it knows codecs that are no charsets, and never forgets a name.
CHARSETS = ("utf-8", "us-ascii", "iso-8859-1", "windows-1252", "utf-16")
ALIASES = MappingProxyType({"utf8": "utf-8", "ascii": "us-ascii", "latin-1": "iso-8859-1"})

# RFC 4180's parameter of text/csv; None leaves it to the trained names.
HEADER = MappingProxyType({"present": True, "absent": False, "": None})

# A semicolon cannot stand in a header unquoted, a tab not at all: hence their names.
DELIMITERS = MappingProxyType(
    {",": ",", "comma": ",", ";": ";", "semicolon": ";", "\t": "\t", "tab": "\t"}
)
_OTHERS = MappingProxyType({b";": ";", b"\t": "\t"})

# As much of the text is looked at for its delimiter.
DELIMITER_BYTES = 64 * 1024

# Text that only Python's own reader reads aright takes 80 bytes a row: it is
# read in slices of this size.
UNEVEN_BYTES = 2**18

_BOM = b"\xef\xbb\xbf"
_LINE_END = re.compile(rb"[\r\n]")


def decode_csv(body: Body, hints: Hints) -> Iterable[Table]:
    """Return the rows of CSV text, named where its first row is a header.

    Raises DecodingError naming the line, SchemaError for a repeated name.
    """
    if len(body) > min(UNEVEN_BYTES, hints.slice_bytes):
        return _slices(body, hints)
    text = as_utf8(body[:], hints).removeprefix(_BOM)
    delimiter = find_delimiter(text, hints)
    _refuse_width(text, delimiter, hints)
    try:
        found = parse_csv(text, delimiter)
    except CsvError as error:
        raise _refused(error) from error
    if not _has_header(found.first_row, hints):
        return (_table(None, found, first_line=1),)
    rows = found.without_first_row()
    if not rows.rows:
        return _no_rows(hints)
    return (_table(header_names(found.first_row), rows, first_line=2),)


def _refused(error: CsvError, lines_before: int = 0) -> DecodingError:
    return DecodingError(str(error), where=f"line {lines_before + error.line}", hint=error.hint)


def _no_rows(hints: Hints) -> tuple[Table, ...]:
    """Return no table, for the part of a batch job's file that is only its header."""
    if hints.batch:
        return ()
    hint = "Send at least one row below the header"
    raise DecodingError("there is a header and no row", where="line 1", hint=hint)


def _table(names: tuple[str, ...] | None, text: CsvText, first_line: int) -> Table:
    """Return the table, its rows located by line where every row is one, else by row."""
    if text.one_line_each:
        source = Source(text.rows, unit="line", first=first_line)
    else:
        source = Source(text.rows)
    return table_of_columns(names, text.columns, source)


def _slices(body: Body, hints: Hints) -> Iterator[Table]:
    """Yield the rows in slices, as `decode_csv` would return them."""
    if charset_of(hints) == "utf-16":  # its line ends cannot be found by their bytes
        hint = "Send UTF-8"
        raise PayloadTooLargeError("a large body cannot be UTF-16", where="Content-Type", hint=hint)
    start = len(_BOM) if body[:3] == _BOM else 0
    text = as_utf8(body[start : start + DELIMITER_BYTES], hints)
    delimiter = find_delimiter(text, hints)
    _refuse_width(text, delimiter, hints)
    end = _rows_end(body, start, delimiter, hints)
    names = None
    numbers = NO_NUMBERS
    header = width = rows = lines = 0
    one_line_each = True
    for piece, plain in _even_pieces(body, start, end, delimiter, hints):
        text = as_utf8(piece, hints)
        try:
            if not width:
                cells = tuple(first_row(text, delimiter))
                width = len(cells)
                if _has_header(cells, hints):
                    names, header = header_names(cells), 1
                    cut = first_row_end(text, delimiter)
                    lines = line_count(text[:cut])
                    one_line_each = lines == 1
                    text = text[cut:]
                    plain = plain and not text.startswith(_BOM)  # Arrow would drop it
                numbers = _numbers(names, width, hints)
            found = parse_rows(text, delimiter, width, numbers, plain) if text else None
        except CsvError as error:
            raise _refused(error, lines) from error
        if found is None:  # a piece that was only the header
            continue
        one_line_each = one_line_each and found.one_line_each
        place = ("line", header + rows + 1) if one_line_each else ("row", rows + 1)
        source = Source(found.rows, unit=place[0], first=place[1])
        yield table_of_columns(names, found.columns, source)
        rows += found.rows
        lines += found.rows if found.one_line_each else line_count(text)
    if not rows:
        yield from _no_rows(hints)


def _numbers(names: tuple[str, ...] | None, width: int, hints: Hints) -> Numbers:
    """Return the places of the columns of which numbers will do."""
    schema = hints.schema
    if names is None:
        names = schema.input_names if width == len(schema.input_names) else schema.all_names
    places = [place for place, name in enumerate(names[:width]) if name in hints.numbers]
    return Numbers(places, hints.missing)


def _even_pieces(
    body: Body, start: int, end: int, delimiter: str, hints: Hints
) -> Iterator[tuple[bytes, bool]]:
    """Yield pieces of whole rows, and whether they are plain; smaller ones where they are not."""
    for piece in pieces(body, start, end, hints.slice_bytes, delimiter):
        plain = is_plain(piece, delimiter)
        if plain or len(piece) <= UNEVEN_BYTES:
            yield piece, plain
        else:
            for part in pieces(piece, 0, len(piece), UNEVEN_BYTES, delimiter):
                yield part, is_plain(part, delimiter)


def _rows_end(body: Body, start: int, delimiter: str, hints: Hints) -> int:
    """Return where the rows end, as `sagetree.formats.csv_text.rows_end` does for a small text."""
    end = len(body)
    while end > start:
        tail = body[max(start, end - UNEVEN_BYTES) : end]
        stripped = tail.rstrip(b"\r\n")
        end -= len(tail) - len(stripped)
        if stripped:
            break
    if end == start:
        raise DecodingError("there are no rows", where="line 1", hint="Send at least one row")
    # the first row, and the line ends, tell it as much as the whole text would
    line_ends = body[end : end + 3]
    sample = as_utf8(body[start : min(end, start + UNEVEN_BYTES)], hints) + line_ends
    if line_ends in (b"\n", b"\r\n") or rows_end(sample, delimiter) == len(sample):
        return len(body)  # a whole body need not be copied to be cut
    return end


def find_delimiter(text: bytes, hints: Hints) -> str:
    """Return the parameter `delimiter`, else the one that makes the first row fit the model.

    It is a comma where none does. Raises RequestError where several do.
    """
    told = hints.parameters.get("delimiter")
    if told is not None:
        return _told_delimiter(told)
    if b";" not in text and b"\t" not in text:  # the usual case
        return COMMA
    line = first_line(text)
    others = [delimiter for mark, delimiter in _OTHERS.items() if mark in line]
    if not others:
        return COMMA
    fitting = [delimiter for delimiter in (COMMA, *others) if _fits(text, delimiter, hints)]
    if len(fitting) > 1:
        names = " or ".join(map(_named, fitting))
        raise RequestError(
            f"the delimiter may be {names}: with each the first row fits the model",
            where="Content-Type",
            hint=f"Write text/csv; delimiter={_named(fitting[0])}",
        )
    return fitting[0] if fitting else COMMA


def _named(delimiter: str) -> str:
    return next(name for name, meant in DELIMITERS.items() if meant == delimiter and len(name) > 1)


def _told_delimiter(word: str) -> str:
    delimiter = DELIMITERS.get(word.lower())
    if delimiter is None:
        raise RequestError(
            f"the parameter delimiter is {quote(word)}",
            where="Content-Type",
            hint="Write delimiter=comma, delimiter=semicolon or delimiter=tab, or leave it out",
        )
    return delimiter


def _refuse_width(text: bytes, delimiter: str, hints: Hints) -> None:
    """Raise SchemaError for a first row that is far too wide to be worth its parsing."""
    mark = delimiter.encode()
    if text.count(mark) < most_columns(hints.schema):
        return
    text = quoted_cell(delimiter).sub(b"", text) if b'"' in text else text
    refuse_width(_LINE_END.split(text, 1)[0].count(mark) + 1, hints.schema, "line 1")


def _fits(text: bytes, delimiter: str, hints: Hints) -> bool:
    """Say whether the first row has the model's columns, in number or by name."""
    try:
        _refuse_width(text, delimiter, hints)
        cells = tuple(first_row(text, delimiter))
    except (CsvError, SchemaError):
        return False
    if len(cells) == 1 and delimiter != COMMA:
        return False
    schema, told = hints.schema, _told_header(hints)
    as_rows = len(cells) in (len(schema.input_names), len(schema.all_names))
    return (told is not True and as_rows) or (told is not False and schema.is_header(cells))


def _told_header(hints: Hints) -> bool | None:
    if "header" not in hints.parameters:
        return None
    word = hints.parameters["header"].lower()
    if word not in HEADER:
        raise RequestError(
            f"the parameter header is {quote(word)}",
            where="Content-Type",
            hint="Write header=present or header=absent, or leave it out",
        )
    return HEADER[word]


def _has_header(cells: Sequence[str], hints: Hints) -> bool:
    """Say whether the first row is a header.

    In a batch job the parts of a file behind its first are without: raises
    SchemaError for a header that would not be right for them.
    """
    told = _told_header(hints)
    found = hints.schema.is_header(cells) if told is None else told
    if found and told is None and hints.batch:
        schema, names = hints.schema, header_names(cells)
        complete = set(schema.input_names) <= set(names)  # else it is refused for that
        if complete and names not in (schema.input_names, schema.all_names):
            raise SchemaError(
                [Violation("", "the header has not the trained columns in their order")],
                hint="A batch job cuts a file into parts, of which only the first has the header. "
                "Put the columns in the trained order, or write header=present if every body has "
                "a header (SplitType None)",
            )
    return found


def charset_of(hints: Hints) -> str:
    """Return the charset that the content type names. Raises UnsupportedMediaTypeError."""
    name = hints.parameters.get("charset", "utf-8")
    charset = ALIASES.get(name.lower(), name.lower())
    if charset not in CHARSETS:
        hint = f"Send one of {', '.join(CHARSETS)}"
        problem = f"the charset {quote(name)} is not read here"
        raise UnsupportedMediaTypeError(problem, where="Content-Type", hint=hint)
    return charset


def as_utf8(body: bytes, hints: Hints) -> bytes:
    """Return text in UTF-8. Raises DecodingError for what is not of its charset."""
    charset = charset_of(hints) if "charset" in hints.parameters else "utf-8"
    if charset == "utf-8":
        return body
    try:
        return body.decode(charset).encode()
    except UnicodeError as error:
        hint = "Correct the charset, or send UTF-8"
        raise DecodingError(f"the text is not {charset}", where="the body", hint=hint) from error
