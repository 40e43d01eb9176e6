"""A CSV file of any size, block by block, its cells read as training reads them.

Not the database's own reader: that takes `1,2,` for two cells, gives up on
mixed line ends, and names no line for most faults.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

import pyarrow as pa

from sagetree.errors import DataError, quote
from sagetree.formats.csv_text import QUOTE_HINT, CsvError, CsvText, parse_csv
from sagetree.tables.schema import header_names
from sagetree.tables.table import Source

# A block costs some ten times its size while its cells are Python strings, as they are
# where quotes stand inside cells.
BLOCK_BYTES = 8 * 1024 * 1024

# No row is longer than so many blocks; a quote that is never closed makes one.
LONGEST_ROW = 2


@dataclass(frozen=True)
class Block:
    """Consecutive rows of a file, all cells text ("" where empty)."""

    rows: pa.Table
    source: Source


def read_blocks(file: BinaryIO, name: str, block_bytes: int = BLOCK_BYTES) -> Iterator[Block]:
    """Yield the rows of a file with a header: at least one block, perhaps without rows.

    Raises DataError naming file and line, `name` being the file's name in it.
    """
    longest = LONGEST_ROW * block_bytes
    header = _header(file, name, longest)
    line, row = 1 + header.count(b"\n"), 1
    for data in _whole_rows(file, name, line, block_bytes):
        block = _block(header, data, name, line, row)
        yield block
        line, row = line + data.count(b"\n"), row + block.source.rows
    if row == 1:
        yield _block(header, b"", name, line, row)


def _header(file: BinaryIO, name: str, longest: int) -> bytes:
    """Return the first row as it stands, which may have line ends inside quotes."""
    header = b""
    while more := file.readline(longest):
        header += more
        if len(header) >= longest:
            raise _too_long(name, 1)
        if header.count(b'"') % 2 == 0:
            break
    if not header.strip():
        raise DataError("the file is empty", where=name, hint="Remove it, or write it again")
    return header


def _whole_rows(file: BinaryIO, name: str, line: int, block_bytes: int) -> Iterator[bytes]:
    """Yield the rest of the file, from `line` on, cut between rows."""
    rest = b""
    while chunk := file.read(block_bytes):
        data = rest + chunk
        end = _end_of_rows(data)
        rest = data[end:]
        if end:
            yield data[:end]
            line += data.count(b"\n", 0, end)
        if len(rest) >= LONGEST_ROW * block_bytes:
            raise _too_long(name, line)
    if rest:
        yield rest


def _too_long(name: str, line: int) -> DataError:
    return DataError("the row does not end", where=f"{name} line {line}", hint=QUOTE_HINT)


def _end_of_rows(data: bytes) -> int:
    """Return where the last row that is whole ends: at a line end outside quotes."""
    end = data.rfind(b"\n") + 1
    quotes = data.count(b'"', 0, end)
    while end and quotes % 2:
        previous = data.rfind(b"\n", 0, end - 1) + 1
        quotes -= data.count(b'"', previous, end)
        end = previous
    return end


def _block(header: bytes, data: bytes, name: str, line: int, row: int) -> Block:
    """Parse rows below the header, so that each is held against the header's length."""
    end = b"" if header.endswith(b"\n") else b"\n"
    try:
        text = parse_csv(header + end + data)
    except CsvError as error:
        above = header.count(b"\n") + len(end)
        faulty = error.line if not data or error.line <= above else line + error.line - above - 1
        where = f"{name} line {faulty}"
        raise DataError(str(error), where=where, hint=error.hint) from error
    names = _names(text, name)
    cells = text.without_first_row()
    columns = [
        pa.array(column, pa.string()) if isinstance(column, list) else column
        for column in cells.columns
    ]
    lines = data.count(b"\n") + (not data.endswith(b"\n"))
    # Cells with line ends make lines and rows differ; then only the row is known.
    source = (
        Source(cells.rows, name, "line", line)
        if lines == cells.rows
        else Source(cells.rows, name, "row", row)
    )
    return Block(pa.Table.from_arrays(columns, names=list(names)), source)


def _names(text: CsvText, where: str) -> tuple[str, ...]:
    names = header_names(text.first_row)
    check_names(names, where)
    return names


def check_names(names: tuple[str, ...], where: str) -> None:
    """Raise DataError where two columns have one name to SQL, which does not tell a from A."""
    folded = [name.lower() for name in names]
    for name in names:
        if folded.count(name.lower()) > 1:
            alike = [other for other in names if other.lower() == name.lower()]
            raise DataError(
                f"two columns are called {quote(alike[0])} and {quote(alike[1])}",
                where=where,
                hint="Give every column its own name; SQL takes a and A for the same",
            )
