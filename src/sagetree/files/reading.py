"""Files of a channel or a processing input to one table."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import BinaryIO

from sagetree.errors import DataError
from sagetree.files.csv_stream import CsvRules, read_csv
from sagetree.files.finding import (
    data_files,
    head_of,
    listed,
    opened,
    partition,
    rejoined,
    with_partition,
)
from sagetree.files.gathering import Gathered, Shrink
from sagetree.files.header import HeaderRule
from sagetree.files.json_files import read_json_lines
from sagetree.files.parquet_stream import read_parquet
from sagetree.files.sparse_files import (
    Indices,
    SparseFile,
    read_libsvm,
    read_recordio,
    sparse_tables,
)
from sagetree.formats.charsets import UTF_8
from sagetree.formats.csv_text import CsvText
from sagetree.formats.detection import TITLES, Format, find_format
from sagetree.machine.allocator import return_freed_memory
from sagetree.machine.program import LOG
from sagetree.tables.table import Table


@dataclass(frozen=True)
class Reading:
    """How the files of a channel are read.

    `is_header` says whether a CSV file's first row is its header, `delimiter`
    what stands between its cells (None: what is found there); `format` is what
    the files must be, None for whatever each of them is; `indices` are the
    columns that libsvm and recordio files must have, None for what they have.
    `charset` is that of text. `may_be_empty` takes files that have columns and no rows.
    """

    is_header: HeaderRule
    format: Format | None = None
    delimiter: str | None = None
    indices: Indices | None = None
    shrink: Shrink | None = None
    charset: str = UTF_8
    may_be_empty: bool = False


def read_table(folder: Path, is_header: HeaderRule, format: Format | None = None) -> Table:  # noqa: A002
    """Return the rows of all data files in `folder`, each cell as its file holds it.

    `is_header` says whether a CSV file's first row is its header; `format` is
    what the files must be, None for whatever each of them is. Raises
    DataError naming file and line.
    """
    return read_files(folder, Reading(is_header, format))


def read_files(folder: Path, reading: Reading) -> Table:
    """Return the rows of all data files in `folder` as one table of Arrow columns.

    Each file is opened once and read front to back, unless a column proves to
    be words after many numbers. Raises DataError naming file and line.
    """
    gathered = _gather(folder, reading, None)
    lost = gathered.lost_text
    if lost and reading.shrink:
        shrink = replace(reading.shrink, text=reading.shrink.text | lost)
        gathered.replace(_gather(folder, replace(reading, shrink=shrink), lost))
    if gathered.empty:
        LOG.info("%s: empty and skipped: %s", folder.name, listed(gathered.empty))
    if count := gathered.repeated_headers:
        lines = "1 line" if count == 1 else f"{count} lines"
        LOG.info("%s: %s among the rows repeated the header: skipped", folder.name, lines)
    return gathered.table(folder, may_be_empty=reading.may_be_empty)


def _gather(folder: Path, reading: Reading, only: frozenset[str] | None) -> Gathered:
    """Read all files; only the columns named in `only`, if that is not None."""
    gathered = Gathered(reading.shrink, only)
    sparse: list[tuple[Format, SparseFile]] = []
    paths = data_files(folder)
    for path in paths:
        name = str(path.relative_to(folder)) if path != folder else path.name
        with opened(path, name, reading.charset) as file:
            head = head_of(file)
            if not head and len(paths) > 1:
                gathered.empty.append(name)
                continue
            found = find_format(head, name, reading.format)
            if found in ("libsvm", "recordio"):
                read_rows = read_libsvm if found == "libsvm" else read_recordio
                sparse.append((found, read_rows(rejoined(head, file), name)))
                continue
            for table in _tables(file, head, name, found, reading, gathered):
                pairs = partition(name) if table.named else {}
                gathered.add(with_partition(table, pairs), from_csv=found == "csv")
        return_freed_memory()  # of the file's text, before the next one takes its own
    if len(gathered.empty) == len(paths):
        hint = "Put rows into them"
        raise DataError("all its files are empty", where=str(folder), hint=hint)
    if sparse:
        _refuse_mixture(sparse, gathered.files)
        based = sparse[0][0] == "libsvm"
        for table in sparse_tables([file for _, file in sparse], based, reading.indices):
            gathered.add(table)
    return gathered


def _tables(
    file: BinaryIO, head: bytes, name: str, found: Format, reading: Reading, before: Gathered
) -> Iterator[Table]:
    if found == "parquet":
        return read_parquet(file, head, name)
    if found == "jsonlines":
        return read_json_lines(rejoined(head, file), name)

    def is_header(text: CsvText) -> bool:
        return before.has_names(text.first.cells) or reading.is_header(text)

    shrink = reading.shrink
    if shrink is None:
        return read_csv(file, head, name, CsvRules(is_header, reading.delimiter))
    numbers = partial(shrink.may_be_numbers, words=before.words)
    rules = CsvRules(is_header, reading.delimiter, numbers, shrink.missing)
    return read_csv(file, head, name, rules)


def _refuse_mixture(sparse: Sequence[tuple[Format, SparseFile]], others: Sequence[str]) -> None:
    format, file = sparse[0]  # noqa: A001
    unlike = [*others, *(other.name for found, other in sparse if found != format)]
    if unlike:
        raise DataError(
            f"{file.name} is {TITLES[format]}, and {unlike[0]} is not",
            hint="All files of a channel need the same format",
        )
