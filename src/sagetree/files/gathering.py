"""Rows of many files, taken one table after the other, to one table."""

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pyarrow as pa

from sagetree.errors import DataError, quote
from sagetree.files.shrink import ShrinkingColumn
from sagetree.files.spill import Spill
from sagetree.tables.cells import MissingValues
from sagetree.tables.schema import header_names
from sagetree.tables.table import Source, Table

_SAME_COLUMNS = "All files of a channel need the same columns"


@dataclass(frozen=True)
class Shrink:
    """How a large table is kept small while it is read.

    `names` are given to the columns of files that bring none, if there are as many.
    Columns that `kept` returns stay as they are read, those in `text` are words
    whatever they look like; the others become numbers where they are, unless
    `keeps_text` says that only the cells' text tells which. What is shrunk goes into the files
    of a `spill`, if there is one.
    """

    names: Callable[[int], tuple[str, ...]]
    kept: Callable[[Sequence[str]], Collection[str]]
    text: frozenset[str]
    missing: MissingValues
    keeps_text: bool = False
    spill: Spill | None = None

    def may_be_numbers(
        self, names: Sequence[str], named: bool, words: Collection[str]
    ) -> Sequence[bool]:
        """Say for each column, called so by its file, whether it may become numbers.

        Those of `words` may not, in which an earlier file has some.
        """
        known = names if named else self.names(len(names))
        other = self.text | set(self.kept(known)) | set(words)
        return [name not in other and not self.keeps_text for name in known]

    def column(self, name: str) -> ShrinkingColumn:
        """Return the column called `name`, without any rows."""
        as_text = self.keeps_text or name in self.text
        return ShrinkingColumn(self.missing, as_text, self.spill)


class Gathered:
    """What came of the files so far: each column's parts, in the first file's order."""

    def __init__(self, shrink: Shrink | None, only: Collection[str] | None) -> None:
        """Take all columns, or those named in `only`."""
        self._shrink = shrink
        self._only = only
        self._first: Table | None = None
        self._columns: dict[str, _Column] = {}
        self._sources: list[Source] = []
        self.repeated_headers = 0
        self.empty: list[str] = []

    def has_names(self, cells: Sequence[str]) -> bool:
        """Say whether a first row holds the names that the first file brought."""
        first = self._first
        return first is not None and first.named and {*header_names(cells)} == {*first.names}

    @property
    def files(self) -> list[str]:
        """The names of the files, in order."""
        return list(dict.fromkeys(source.name for source in self._sources))

    @property
    def words(self) -> frozenset[str]:
        """The columns in which words have been found."""
        columns = self._columns.items()
        return frozenset(name for name, column in columns if column.parts.has_words)

    @property
    def lost_text(self) -> frozenset[str]:
        """The columns that must be read again as text."""
        columns = self._columns.items()
        return frozenset(name for name, column in columns if column.parts.lost_text)

    def replace(self, other: "Gathered") -> None:
        """Add another's columns to those of the same name."""
        self._columns.update(other._columns)

    def add(self, table: Table, *, from_csv: bool = False) -> None:
        """Take the next rows. Raises DataError where they do not go with those before."""
        file = table.file
        table = table._replace(names=_unique_names(table, file))
        if not table.named and self._shrink and not table.roles and table.names[0] == "0":
            table = table._replace(names=self._shrink.names(len(table.names)))
        if self._first is None:
            empty = tuple(column[:0] for column in table.columns)
            self._first = table._replace(columns=empty)
            self._columns = self._new_columns(table)
        table = _align(table, self._first)
        for name, cells in zip(table.names, table.columns, strict=True):
            if name in self._columns:
                column = cast("pa.ChunkedArray", cells)
                kind = pa.string() if from_csv else column.type
                self._columns[name].add(column, kind, file)
        self._sources += table.sources
        self.repeated_headers += table.repeated_headers

    def _new_columns(self, table: Table) -> "dict[str, _Column]":
        names = table.names
        wanted = [name for name in names if self._only is None or name in self._only]
        shrink = self._shrink
        if shrink is None:
            return {name: _Column(name, _Kept()) for name in wanted}
        kept = set(shrink.kept([name for name in names if name not in table.index_columns]))
        return {
            name: _Column(
                name,
                _Kept() if name in kept else shrink.column(name),
            )
            for name in wanted
        }

    def table(self, folder: Path, *, may_be_empty: bool = False) -> Table:
        """Return all rows as one table. Raises DataError if there are none and must be some."""
        rows = sum(source.rows for source in self._sources)
        if self._first is None or not (rows or may_be_empty):
            hint = "Put rows below the header"
            raise DataError("there are no rows", where=str(folder), hint=hint)
        columns = tuple(self._columns.pop(name).finish() for name in self._first.names)
        return self._first._replace(columns=columns, rows=rows, sources=tuple(self._sources))


class _Kept:
    """A column whose cells stay as they are read."""

    has_words = False
    lost_text = False

    def __init__(self) -> None:
        self._parts: list[pa.ChunkedArray] = []

    def add(self, cells: pa.ChunkedArray) -> None:
        if pa.types.is_dictionary(cells.type):  # files code their words each anew
            cells = cells.cast(cells.type.value_type)
        self._parts.append(cells)

    def finish(self) -> pa.ChunkedArray:
        tables = [pa.table({"cells": part}) for part in self._parts]
        return pa.concat_tables(tables, promote_options="permissive").column("cells")


class _Column:
    """A column, and the type that each file gives it."""

    def __init__(self, name: str, parts: _Kept | ShrinkingColumn) -> None:
        self.name = name
        self.parts = parts
        self.kinds: dict[str, pa.DataType] = {}

    def add(self, cells: pa.ChunkedArray, kind: pa.DataType, file: str) -> None:
        if file not in self.kinds:
            self.kinds[file] = kind.value_type if pa.types.is_dictionary(kind) else kind
            self._check_kinds()
        self.parts.add(cells)

    def _check_kinds(self) -> None:
        try:
            pa.unify_schemas(
                [pa.schema([("cells", kind)]) for kind in self.kinds.values()],
                promote_options="permissive",
            )
        except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError) as error:
            types = ", ".join(f"{kind} in {file}" for file, kind in self.kinds.items())
            raise DataError(
                f"its types do not agree: {types}",
                where=f"column {quote(self.name)}",
                hint="Write the column with the same type in all files",
            ) from error

    def finish(self) -> pa.ChunkedArray:
        return self.parts.finish()


def _unique_names(table: Table, file: str) -> tuple[str, ...]:
    names = header_names(table.names)
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        first = table.sources[0]
        where = f"{file} line 1" if (first.unit, first.first) == ("line", 2) else file
        hint = "Give every column its own name"
        raise DataError(f"two columns are called {quote(repeated[0])}", where=where, hint=hint)
    return names


def _align(table: Table, first: Table) -> Table:
    """Return `table` with its columns in the order of the first file's."""
    where, other = table.file, first.file
    if table.named != first.named:
        holder = where if table.named else other
        hint = "Give every file a header, or none of them; or set header=true or header=false"
        raise DataError(f"only {holder} has a header, of {where} and {other}", hint=hint)
    if not table.named and len(table.names) != len(first.names):
        counts = f"it has {len(table.names)} columns, and {other} has {len(first.names)}"
        raise DataError(counts, where=where, hint=_SAME_COLUMNS)
    different = sorted(set(table.names) ^ set(first.names))
    if different:
        holder = where if different[0] in table.names else other
        raise DataError(
            f"column {quote(different[0])} is only in {holder}, of {where} and {other}",
            hint=_SAME_COLUMNS,
        )
    if table.names == first.names:
        return table
    found = dict(zip(table.names, table.columns, strict=True))
    return table._replace(names=first.names, columns=tuple(found[name] for name in first.names))
