"""A CSV file of any size, block by block, its cells read as training reads them.

Not the database's own reader: that takes `1,2,` for two cells, gives up on
mixed line ends, and names no line for most faults.
"""

from codecs import BOM_UTF8
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

import pyarrow as pa

from sagetree.errors import DataError, quote
from sagetree.files.csv_stream import BLOCK_BYTES, CsvRules, excel_delimiter, read_csv
from sagetree.formats.first_row import COMMA
from sagetree.tables.table import Source


@dataclass(frozen=True)
class Block:
    """Rows of a file, all cells text ("" where empty), and where they stand.

    `headers` counts the header lines among them, which are left out.
    """

    rows: pa.Table
    sources: tuple[Source, ...]
    headers: int


def read_blocks(file: BinaryIO, name: str, block_bytes: int = BLOCK_BYTES) -> Iterator[Block]:
    """Yield the rows of a file with a header: at least one block, perhaps without rows.

    Raises DataError naming file and line, `name` being the file's name in it.
    """
    head = file.read(block_bytes)
    if not head.partition(b"\n")[0].strip():
        raise DataError("the file is empty", where=name, hint="Remove it, or write it again")
    delimiter, _ = excel_delimiter(head.removeprefix(BOM_UTF8))
    rules = CsvRules(is_header=lambda _: True, delimiter=delimiter or COMMA)
    for table in read_csv(file, head, name, rules, block_bytes):
        check_names(table.names, name)
        rows = pa.Table.from_arrays([*table.columns], names=[*table.names])
        yield Block(rows, table.sources, table.repeated_headers)


def check_names(names: tuple[str, ...], where: str) -> None:
    """Raise DataError where two columns have one name to SQL, which does not tell a from A."""
    counts = Counter(name.lower() for name in names)
    for name in names:
        if counts[name.lower()] > 1:
            alike = [other for other in names if other.lower() == name.lower()]
            raise DataError(
                f"two columns are called {quote(alike[0])} and {quote(alike[1])}",
                where=where,
                hint="Give every column its own name; SQL takes a and A for the same",
            )
