"""Body bytes to a table: one function per content type, and the table of them."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from sagemaker_inference import content_types

from sagetree.csv_text import CsvError, CsvText, parse_csv
from sagetree.errors import (
    DecodingError,
    RequestError,
    SchemaError,
    UnsupportedMediaTypeError,
    Violation,
    quote,
)
from sagetree.schema import Schema, header_names
from sagetree.table import Cells, Source, Table
from serve.json_body import columns_of_json

Decoder = Callable[[bytes, Mapping[str, str], Schema], Table]

# The charsets of web pages and spreadsheets, by their registered names. Not
# codecs.lookup(): it knows codecs that are no charsets, and never forgets a name.
CHARSETS = ("utf-8", "us-ascii", "iso-8859-1", "windows-1252", "utf-16")
ALIASES = MappingProxyType({"utf8": "utf-8", "ascii": "us-ascii", "latin-1": "iso-8859-1"})

# RFC 4180's parameter of text/csv; None leaves it to the trained names.
HEADER = MappingProxyType({"present": True, "absent": False, "": None})


def decode_csv(body: bytes, parameters: Mapping[str, str], schema: Schema) -> Table:
    """Return the rows of CSV text, named where its first row is a header.

    Raises DecodingError naming the line, SchemaError for a repeated name.
    """
    try:
        text = parse_csv(_as_utf8(body, parameters))
    except CsvError as error:
        raise DecodingError(str(error), where=f"line {error.line}", hint=error.hint) from error
    if not _has_header(text, parameters, schema):
        return _table(None, text.columns, _source(text, first_line=1))
    rows = text.without_first_row()
    if not rows.rows:
        hint = "Send at least one row below the header"
        raise DecodingError("there is a header and no row", where="line 1", hint=hint)
    return _table(header_names(text.first_row), rows.columns, _source(rows, first_line=2))


def _source(text: CsvText, first_line: int) -> Source:
    """Return where the rows stand: by line, where every row is one, else by row."""
    if text.one_line_each:
        return Source(text.rows, unit="line", first=first_line)
    return Source(text.rows)


def decode_json(body: bytes, parameters: Mapping[str, str], schema: Schema) -> Table:
    """Return the rows of a JSON body, in any of the shapes of `serve.json_body`.

    Raises DecodingError naming the place, SchemaError naming row and column.
    """
    found = columns_of_json(_as_utf8(body, parameters), schema.input_names)
    return _table(found.names, found.columns, Source(found.rows))


def _has_header(text: CsvText, parameters: Mapping[str, str], schema: Schema) -> bool:
    word = parameters.get("header", "").lower()
    if word not in HEADER:
        raise RequestError(
            f"the parameter header is {quote(word)}",
            where="Content-Type",
            hint="Write header=present or header=absent, or leave it out",
        )
    told = HEADER[word]
    return schema.is_header(text.first_row) if told is None else told


def _as_utf8(body: bytes, parameters: Mapping[str, str]) -> bytes:
    name = parameters.get("charset", "utf-8")
    charset = ALIASES.get(name.lower(), name.lower())
    if charset not in CHARSETS:
        hint = f"Send one of {', '.join(CHARSETS)}"
        problem = f"the charset {quote(name)} is not read here"
        raise UnsupportedMediaTypeError(problem, where="Content-Type", hint=hint)
    if charset == "utf-8":
        return body
    try:
        return body.decode(charset).encode()
    except UnicodeError as error:
        hint = "Correct the charset, or send UTF-8"
        raise DecodingError(f"the text is not {charset}", where="the body", hint=hint) from error


def _table(names: Sequence[str] | None, columns: Sequence[Cells], source: Source) -> Table:
    """Return the table; without names its columns count from 0."""
    if names is None:
        return Table(
            tuple(map(str, range(len(columns)))), tuple(columns), source.rows, False, (source,)
        )
    repeated = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    if repeated:
        violations = [Violation(name, "is given twice") for name in repeated]
        raise SchemaError(violations, hint="Send every column once")
    return Table(tuple(names), tuple(columns), source.rows, True, (source,))


DECODERS: Mapping[str, Decoder] = MappingProxyType(
    {content_types.CSV: decode_csv, content_types.JSON: decode_json}
)
