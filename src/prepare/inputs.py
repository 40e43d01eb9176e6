"""Which tables a processing job has: the folders and files below processing/input."""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path

from sagetree.errors import DataError, quote_all
from sagetree.files.finding import data_files
from sagetree.prepare.query import Query
from sagetree.prepare.stores.iceberg import Snapshot, current_snapshot

SUFFIXES = frozenset({".csv", ".parquet"})

# This many names fit a message that people still read.
NAMES_SHOWN = 20


@dataclass(frozen=True)
class TableFiles:
    """The files of one table, each with the name it has below processing/input.

    `snapshot` is an Iceberg table's; None where only the files say which columns there are.
    """

    name: str
    files: Mapping[str, Path]
    snapshot: Snapshot | None = None


def find_tables(folder: Path, query: Query | None, apart: Sequence[Path] = ()) -> list[TableFiles]:
    """Return the tables that the query mentions, without a query all, by name.

    A folder is a table of all its files but those of `apart`, if it has others;
    a CSV or Parquet file is one by itself.
    Raises DataError where there is none, or one twice.
    """
    entries = sorted(folder.iterdir()) if folder.is_dir() else []
    no_data = {path.resolve() for path in apart}
    entries = [path for path in entries if not _holds_only(path, no_data)]
    tables = [(table_name(path), path) for path in entries if is_table(path)]
    found: dict[str, Path] = {}
    for name, path in tables:
        if query and not query.mentions(name):
            continue
        if other := find_name(found, name):
            raise DataError(
                f"{found[other].name} and {path.name} are one table to SQL",
                where=str(folder),
                hint="Leave one of them, or put the files of both into one folder",
            )
        found[name] = path
    if not found:
        names = listing(name for name, _ in tables)
        reads_none = f"{query.name} reads none of the tables there: {names}" if query else ""
        raise DataError(
            reads_none if tables else "no table there",
            where=str(folder),
            hint="Put a CSV or Parquet file there for each table, or a folder of them"
            f"{', named as in the query' if query else ''}",
        )
    return [_table_files(name, folder, path, no_data) for name, path in sorted(found.items())]


def _holds_only(folder: Path, files: AbstractSet[Path]) -> bool:
    """Say whether a folder has no files but these, and some of them."""
    inside = any(file.is_relative_to(folder.resolve()) for file in files)
    return inside and all(path.resolve() in files for path in data_files(folder))


def is_table(path: Path) -> bool:
    """Say whether a path is called as a table is."""
    hidden = path.name.startswith(".")
    return not hidden and (path.is_dir() or path.suffix.lower() in SUFFIXES)


def table_name(path: Path) -> str:
    """Return what a table is called in queries."""
    return path.name if path.is_dir() else path.stem


def _table_files(name: str, folder: Path, path: Path, no_data: AbstractSet[Path]) -> TableFiles:
    files: Sequence[Path] = [file for file in data_files(path) if file.resolve() not in no_data]
    snapshot = current_snapshot(path, files) if path.is_dir() else None
    if snapshot:
        files = snapshot.files
    named = {str(file.relative_to(folder)): file for file in files}
    return TableFiles(name, named, snapshot)


def find_name(names: Iterable[str], wanted: str) -> str | None:
    """Return the name that SQL takes `wanted` for, whatever its capitals; None if there is none."""
    return next((name for name in names if name.lower() == wanted.lower()), None)


def listing(names: Iterable[str]) -> str:
    """Return names for a message of limited length."""
    return quote_all(names, NAMES_SHOWN)
