"""Data files as tables of some megabytes, one after the other: for rows that need no others.

CSV, JSON Lines and Parquet are read in blocks, so that a file may be of any size.
libsvm and recordio-protobuf are read whole, one file at a time, without the cells
that are not written.
"""

from collections.abc import Callable, Collection, Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NamedTuple

from sagetree.errors import DataError
from sagetree.files.csv_stream import CsvRules, NumberRule, read_csv
from sagetree.files.finding import (
    data_files,
    head_of,
    listed,
    opened,
    partition,
    rejoined,
    with_partition,
)
from sagetree.files.header import HeaderRule
from sagetree.files.json_files import stream_json_lines
from sagetree.files.parquet_stream import read_parquet
from sagetree.files.sparse_files import (
    LABEL,
    Indices,
    SparseFile,
    read_libsvm,
    read_recordio,
    sparse_tables,
)
from sagetree.formats.detection import find_format
from sagetree.machine.allocator import return_freed_memory
from sagetree.machine.program import LOG
from sagetree.tables.cells import MissingValues
from sagetree.tables.table import Table


@dataclass(frozen=True)
class Slicing:
    """What is known of the columns before a file is read.

    `is_header` says whether a CSV file's first row is its header, `numbers` which
    of its columns may be read as numbers; `names` are those that folders called
    name=value may give, `needed` those that JSON Lines must have; `indices` are
    the columns that sparse rows number, and `numbered` their names, () where they
    have none.
    """

    is_header: HeaderRule
    numbers: NumberRule
    missing: MissingValues
    names: frozenset[str]
    needed: frozenset[str]
    indices: Indices
    numbered: tuple[str, ...]


def files_of(paths: Collection[Path]) -> list[Path]:
    """Return the data files that paths name, those of a folder sorted.

    Raises DataError for a path that is not there, and for a folder without any.
    """
    for path in paths:
        if not path.exists():
            hint = "Check its name, and the current folder"
            raise DataError("the file or folder does not exist", where=str(path), hint=hint)
    return [file for path in paths for file in data_files(path)]


class RowCount(NamedTuple):
    """What reading a file came to; `repeated` counts the lines that repeated its header."""

    rows: int = 0
    repeated: int = 0
    is_empty: bool = False


def read_slices(
    files: Collection[Path], slicing: Slicing, tell: Callable[[int], None]
) -> Iterator[Table]:
    """Yield the rows of the files in their order; those of libsvm and recordio without labels.

    `tell` gets the bytes that were read, each time. Raises DataError naming file
    and line, and where no file has a row.
    """
    tallies = []
    for path in files:
        tally = yield from read_file(path, slicing, tell)
        tallies.append(tally)
    conclude(files, tallies)


def read_file(
    path: Path, slicing: Slicing, tell: Callable[[int], None]
) -> Generator[Table, None, RowCount]:
    """Yield the rows of one file as `read_slices` does, and return what they came to."""
    rows = repeated = 0
    name = str(path)
    with opened(path, name, tell=tell) as file:
        head = head_of(file)
        if not head:
            return RowCount(is_empty=True)
        pairs = {k: v for k, v in partition(name).items() if k in slicing.names}
        for table in _tables(file, head, name, slicing, slicing.needed - pairs.keys()):
            rows += table.rows
            repeated += table.repeated_headers
            if table.rows:
                yield with_partition(table, pairs) if table.named else table
    return_freed_memory()  # of the file's text, before the next one takes its own
    return RowCount(rows, repeated)


def conclude(files: Collection[Path], tallies: Sequence[RowCount]) -> None:
    """Say what was left out of the files that were read. Raises DataError if none has a row."""
    if not any(tally.rows for tally in tallies):
        where = listed(list(map(str, files)))
        raise DataError("there are no rows", where=where, hint="Put rows below the header")
    empty = [str(path) for path, tally in zip(files, tallies, strict=True) if tally.is_empty]
    if empty:
        LOG.info("Empty and skipped: %s", listed(empty))
    repeated = sum(tally.repeated for tally in tallies)
    if repeated:
        lines = "1 line" if repeated == 1 else f"{repeated} lines"
        LOG.info("%s among the rows repeated the header: skipped", lines)


def _tables(
    file: BinaryIO, head: bytes, name: str, slicing: Slicing, needed: frozenset[str]
) -> Iterator[Table]:
    match find_format(head, name, None):
        case "csv":
            rules = CsvRules(slicing.is_header, numbers=slicing.numbers, missing=slicing.missing)
            return read_csv(file, head, name, rules)
        case "parquet":
            return read_parquet(file, head, name)
        case "jsonlines":
            return stream_json_lines(rejoined(head, file), name, needed)
        case "libsvm":
            return _sparse(read_libsvm(rejoined(head, file), name, request=True), True, slicing)
        case "recordio":
            return _sparse(read_recordio(rejoined(head, file), name), False, slicing)


def _sparse(file: SparseFile, based: bool, slicing: Slicing) -> Iterator[Table]:
    """Yield rows of numbers; dense ones have as many columns as they hold, without names."""
    dense = any(part.dense for part in file.parts)
    names = () if dense else slicing.numbered
    for table in sparse_tables([file], based, None if dense else slicing.indices):
        cells = table
        for name in (LABEL, *table.roles.values()):
            cells = cells.without(name)
        yield cells._replace(names=names or cells.names, named=bool(names), roles={})
