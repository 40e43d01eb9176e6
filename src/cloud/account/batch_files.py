"""Files of rows in parts that a batch transform job can send as they are: whole, each by itself."""

from codecs import BOM_UTF8
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import IO

from sagetree.errors import UserError, quote
from sagetree.formats.first_row import COMMA, CsvError, FirstRow, read_first_row
from sagetree.formats.media_types import CSV, JSON_LINES, PARQUET
from sagetree.formats.whole_rows import end_of_lines, end_of_rows
from sagetree.tables.schema import header_names

MEGABYTE = 2**20

# A request may have 100 MB together with those at the same time; four of them keep a small
# instance busy.
PART_MB = 24
AT_ONCE = 4

# What the endpoint takes between cells where nothing is set. The last one's error is reported.
_DELIMITERS = (";", "\t", COMMA)

TYPES = {".csv": CSV, ".jsonl": JSON_LINES, ".parquet": PARQUET}


def content_type(path: str) -> str:
    """Return the media type of a file by its name. Raises UserError for others."""
    suffix = Path(path).suffix.lower()
    if suffix not in TYPES:
        raise UserError(
            f"its suffix is {quote(suffix)}",
            where=path,
            hint=f"Score files whose names end in {', '.join(TYPES)}",
        )
    return TYPES[suffix]


def parts(path: Path, needed: frozenset[str], size: int = PART_MB * MEGABYTE) -> Iterator[bytes]:
    """Yield the file in parts of `size` bytes at most, each of whole rows.

    Each part of a CSV file whose first row holds all names that are `needed` begins with that
    row. Raises UserError for an empty file, and for one that cannot be cut.
    """
    kind = content_type(str(path))
    if not path.stat().st_size:
        raise UserError("the file is empty", where=str(path), hint="Name files that hold rows")
    if path.stat().st_size <= size:
        yield path.read_bytes()
    elif kind == PARQUET:
        raise UserError(
            f"it has {path.stat().st_size} bytes, and one request may have at most {size}",
            where=str(path),
            hint="Write it as several files, or as .csv or .jsonl, which the command splits",
        )
    else:
        with path.open("rb") as file:
            if kind == CSV:
                header, delimiter = _header(file, path, size, needed)
                yield from _cut(file, header, path, size, partial(_end_of_rows, delimiter))
            else:
                yield from _cut(file, b"", path, size, end_of_lines)


def _header(file: IO[bytes], path: Path, size: int, needed: frozenset[str]) -> tuple[bytes, str]:
    """Return the first row where it is a header, and leave the file behind it; and the delimiter.

    The endpoint knows a header by the same names, so that parts without one are read as it reads
    the whole file: by position.
    """
    begin = file.read(size)
    text = begin.removeprefix(BOM_UTF8)
    for delimiter in _DELIMITERS:
        first = _first_row(text, delimiter, path)
        if first and needed <= set(header_names(first.cells)):
            file.seek(len(begin) - len(text) + first.end)
            return text[: first.end], delimiter
    file.seek(0)
    return b"", COMMA


def _first_row(text: bytes, delimiter: str, path: Path) -> FirstRow | None:
    """Return the first row, None where there is none with this delimiter."""
    try:
        return read_first_row(text, delimiter)
    except CsvError as error:
        if delimiter != _DELIMITERS[-1]:
            return None
        where = f"{path}, line {error.line}"
        raise UserError(str(error), where=where, hint=error.hint) from error


def _end_of_rows(delimiter: str, text: bytes) -> int:
    return end_of_rows(text, delimiter)[0]


def _cut(
    file: IO[bytes], header: bytes, path: Path, size: int, end_of: Callable[[bytes], int]
) -> Iterator[bytes]:
    rest = b""
    while True:
        text = rest + file.read(size - len(header) - len(rest))
        if len(header) + len(text) < size:  # the end of the file
            if text:
                yield header + text
            return
        end = end_of(text)
        if not end:
            raise UserError(
                f"a row has more than {size} bytes",
                where=str(path),
                hint="Close every quote; one request may not have more",
            )
        yield header + text[:end]
        rest = text[end:]
