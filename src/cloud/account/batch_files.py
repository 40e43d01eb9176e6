"""Files of rows in parts that a batch transform job can send as they are: whole, each by itself."""

from codecs import BOM_UTF8
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from sagetree.errors import UserError, quote
from sagetree.formats.first_row import COMMA, CsvError, read_first_row
from sagetree.formats.media_types import CSV, JSON_LINES, PARQUET
from sagetree.formats.whole_rows import end_of_lines, end_of_rows

MEGABYTE = 2**20

# A request may have 100 MB together with those at the same time; four of them keep a small
# instance busy.
PART_MB = 24
AT_ONCE = 4

TYPES = {".csv": CSV, ".jsonl": JSON_LINES, ".parquet": PARQUET}


def content_type(path: str) -> str:
    """Return the media type of a file by its name. Raises UserError for others."""
    suffix = Path(path).suffix.lower()
    if suffix not in TYPES:
        raise UserError(
            f"its name ends in {quote(suffix)}",
            where=path,
            hint=f"Score files whose names end in {', '.join(TYPES)}",
        )
    return TYPES[suffix]


def parts(path: Path, needed: frozenset[str], size: int = PART_MB * MEGABYTE) -> Iterator[bytes]:
    """Yield the file in parts of `size` bytes at most, each of whole rows.

    Each part of a CSV file whose first row holds all names that are `needed` begins with that
    row. Raises UserError for a file that cannot be cut.
    """
    kind = content_type(str(path))
    if path.stat().st_size <= size:
        yield path.read_bytes()
    elif kind == PARQUET:
        raise UserError(
            f"it has {path.stat().st_size} bytes, and one request may have {size}",
            where=str(path),
            hint="Write it as several files, or as .csv or .jsonl, which are cut for you",
        )
    else:
        with path.open("rb") as file:
            header = _header(file, path, size, needed) if kind == CSV else b""
            yield from _cut(file, header, path, size)


def _header(file: IO[bytes], path: Path, size: int, needed: frozenset[str]) -> bytes:
    """Return the first row where it is a header, and leave the file behind it."""
    text = file.read(size).removeprefix(BOM_UTF8)
    try:
        first = read_first_row(text)
    except CsvError as error:
        raise UserError(str(error), where=f"{path}, line {error.line}", hint=error.hint) from error
    is_header = needed <= set(first.cells)
    file.seek(first.end if is_header else 0)
    return text[: first.end] if is_header else b""


def _cut(file: IO[bytes], header: bytes, path: Path, size: int) -> Iterator[bytes]:
    rest = b""
    while True:
        text = rest + file.read(size - len(header) - len(rest))
        if len(header) + len(text) < size:  # the end of the file
            if text:
                yield header + text
            return
        end = end_of_rows(text, COMMA)[0] if content_type(str(path)) == CSV else end_of_lines(text)
        if not end:
            raise UserError(
                f"a row has more than {size} bytes",
                where=str(path),
                hint="Close every quote; one request may not have more",
            )
        yield header + text[:end]
        rest = text[end:]
