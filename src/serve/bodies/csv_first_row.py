"""The first row of a CSV body: which delimiter parts it, and whether it is a header."""

import re
from collections.abc import Sequence
from types import MappingProxyType

from sagetree.errors import DecodingError, RequestError, SchemaError, Violation, quote
from sagetree.formats.first_row import COMMA, CsvError, FirstRow, first_line, read_first_row
from sagetree.formats.whole_rows import quoted_cell
from sagetree.serve.bodies.hints import Hints
from sagetree.serve.bodies.tables import most_columns, refuse_width
from sagetree.tables.schema import header_names

# RFC 4180's parameter of text/csv; None leaves it to the trained names.
HEADER = MappingProxyType({"present": True, "absent": False, "": None})

# A semicolon cannot stand in a header unquoted, a tab not at all: so they have names, the same as
# in training. A bar or a space is none that a body is tried with.
_NAMED = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|", "space": " "}
DELIMITERS = MappingProxyType({**_NAMED, **{mark: mark for mark in _NAMED.values()}})
_OTHERS = MappingProxyType({b";": ";", b"\t": "\t"})

_LINE_END = re.compile(rb"[\r\n]")


def first_row_of(text: bytes, delimiter: str, hints: Hints, *, goes_on: bool = False) -> FirstRow:
    """Return the first row, and whether it is a header; `goes_on` says that more rows follow.

    Raises DecodingError where it is not CSV, SchemaError for a faulty header.
    """
    try:
        first = read_first_row(text, delimiter, goes_on=goes_on)
    except CsvError as error:
        raise refused(error) from error
    return first._replace(is_header=True) if _has_header(first.cells, hints) else first


def refused(error: CsvError, lines_before: int = 0) -> DecodingError:
    """Return the error of a text with this many lines of the body before it."""
    return DecodingError(str(error), where=f"line {lines_before + error.line}", hint=error.hint)


def find_delimiter(text: bytes, hints: Hints) -> str:
    """Return the parameter `delimiter`, else the one that makes the first row fit the model.

    It is a comma where none does. Raises RequestError where several do, SchemaError
    for a row that is far too wide to be worth its parsing.
    """
    delimiter = _delimiter(text, hints)
    _refuse_width(text, delimiter, hints)
    return delimiter


def _delimiter(text: bytes, hints: Hints) -> str:
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
            f"the delimiter may be {names}: the first row fits the model with each of them",
            where="Content-Type",
            hint=f"Write text/csv; delimiter={_named(fitting[0])}",
        )
    return fitting[0] if fitting else COMMA


def _named(delimiter: str) -> str:
    return next(name for name, meant in _NAMED.items() if meant == delimiter)


def _told_delimiter(word: str) -> str:
    delimiter = DELIMITERS.get(word.lower())
    if delimiter is None:
        raise RequestError(
            f"the parameter delimiter is {quote(word)}",
            where="Content-Type",
            hint=f"Write delimiter= and one of {', '.join(_NAMED)}, or leave it out",
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
        cells = read_first_row(text, delimiter).cells
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
                [
                    Violation(
                        "", "the header's columns are not in the trained order", where="line 1"
                    )
                ],
                hint=(
                    "A batch job cuts a file into parts, and only the first part has the header. "
                    "Put the columns in the trained order, or write header=present if every body "
                    "has a header (SplitType None)"
                ),
            )
    return found
