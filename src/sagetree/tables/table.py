"""A table as it was read: named columns of cells, and where each row came from.

Small tables (requests) hold lists, large ones Arrow arrays; who reads
cells by the functions of this module and of `sagetree.tables.encoding` sees no difference.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias, overload

import numpy as np

from sagetree.tables.cells import Cell

if TYPE_CHECKING:
    import pyarrow as pa

Cells: TypeAlias = "list[Cell] | pa.ChunkedArray"
Role: TypeAlias = Literal["weight", "group"]


class Source(NamedTuple):
    """Where consecutive rows of a table come from: `first` is the number of the first one.

    Of the file they are every `step`-th row.
    """

    rows: int
    name: str = ""
    unit: str = "row"
    first: int = 1
    step: int = 1


def place_of(row: int, sources: Sequence[Source]) -> str:
    """Return file and line of row number `row` (from 0) of what comes from `sources`, in order."""
    for source in sources:
        if row < source.rows:
            return f"{source.name} {source.unit} {source.first + row * source.step}".strip()
        row -= source.rows
    return ""


class OneRow(Sequence[Cells]):
    """The columns of a table of one row, each made when it is asked for.

    Most requests are one row, and `cells` is all that is needed of it.
    """

    __slots__ = ("cells",)

    def __init__(self, cells: Sequence[Cell]) -> None:
        self.cells = cells

    def __len__(self) -> int:
        return len(self.cells)

    @overload
    def __getitem__(self, place: int) -> Cells: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Cells]: ...
    def __getitem__(self, place: int | slice) -> "Cells | Sequence[Cells]":
        return OneRow(self.cells[place]) if isinstance(place, slice) else [self.cells[place]]


def pick(columns: Sequence[Cells], places: Sequence[int]) -> Sequence[Cells]:
    """Return the columns at `places`."""
    if isinstance(columns, OneRow):
        return OneRow([columns.cells[place] for place in places])
    return tuple(columns[place] for place in places)


class Table(NamedTuple):
    """Columns of equal length; `named` says whether the data brought their names.

    `roles` names the columns that a format itself sets apart: libsvm has a
    weight and a group for each row; `first_index` is the number that libsvm
    gives the first column, None in other formats. `index_columns` are those that
    pandas wrote for a frame's index; `repeated_headers` counts the lines among the
    rows that repeated the header, and are left out.
    """

    names: tuple[str, ...]
    columns: Sequence[Cells]
    rows: int
    named: bool
    sources: tuple[Source, ...]
    roles: Mapping[Role, str] = MappingProxyType({})
    first_index: int | None = None
    index_columns: tuple[str, ...] = ()
    repeated_headers: int = 0

    def locate(self, row: int) -> str:
        """Return the place of row number `row` (from 0), such as `claims.csv line 7`."""
        return place_of(row, self.sources)

    @property
    def file(self) -> str:
        """The name of the file that the first row comes from, "" where it comes from none."""
        return self.sources[0].name if self.sources else ""

    def column(self, name: str) -> Cells:
        """Return the cells of the column called `name`."""
        return self.columns[self.names.index(name)]

    def without(self, name: str) -> "Table":
        """Return the table less the column called `name`."""
        index = self.names.index(name)
        return self._replace(
            names=self.names[:index] + self.names[index + 1 :],
            columns=(*self.columns[:index], *self.columns[index + 1 :]),
        )

    def part(self, begin: int, end: int) -> "Table":
        """Return the rows from `begin` up to `end`."""
        columns = tuple(cells[begin:end] for cells in self.columns)
        return self._replace(
            columns=columns, rows=end - begin, sources=self._part_of_sources(begin, end)
        )

    def every(self, step: int, begin: int) -> "Table":
        """Return each `step`-th row of Arrow columns, from row number `begin` on."""
        import pyarrow as pa

        sources, before = [], 0
        for source in self.sources:
            low = (begin - before) % step
            rows = len(range(low, source.rows, step))
            if rows:
                first = source.first + low * source.step
                sources.append(source._replace(rows=rows, first=first, step=source.step * step))
            before += source.rows
        chosen = pa.array(np.arange(begin, self.rows, step))
        columns = tuple(cells.take(chosen) for cells in self.columns)  # type: ignore[union-attr]
        return self._replace(columns=columns, rows=len(chosen), sources=tuple(sources))

    def _part_of_sources(self, begin: int, end: int) -> "tuple[Source, ...]":
        parts, before = [], 0
        for source in self.sources:
            low, high = max(begin - before, 0), min(end - before, source.rows)
            if low < high:
                first = source.first + low * source.step
                parts.append(source._replace(rows=high - low, first=first))
            before += source.rows
        return tuple(parts)

    def take(self, rows: Sequence[int]) -> list[list[Cell]]:
        """Return the given rows as lists of cells, one list per column."""
        return [[column_cell(cells, row) for row in rows] for cells in self.columns]


def column_cell(cells: Cells, row: int) -> Cell:
    """Return one cell of a column."""
    return cells[row] if isinstance(cells, list) else python_cells(cells.slice(row, 1))[0]


def cell_list(cells: Cells) -> list[Cell]:
    """Return all cells of a column."""
    return cells if isinstance(cells, list) else python_cells(cells)


def python_cells(cells: "pa.ChunkedArray | pa.Array") -> list[Cell]:
    """Return Arrow values as cells: decimals as floats, times to the microsecond."""
    import pyarrow as pa

    kind = cells.type
    if pa.types.is_dictionary(kind):
        return python_cells(cells.cast(kind.value_type))
    if pa.types.is_timestamp(kind):
        # Python has no nanoseconds, and a machine may not know the zone's name.
        unit = "us" if kind.unit == "ns" else kind.unit
        zone = "+00:00" if kind.tz else None
        cells = cells.cast(pa.timestamp(unit, zone), safe=False)
    try:
        values: list[Any] = cells.to_pylist()
    except (OverflowError, ValueError):  # a date outside Python's years 1 to 9999
        values = cells.cast(pa.string()).to_pylist()  # text, which is not a date
    if pa.types.is_decimal(kind):
        return [None if value is None else float(value) for value in values]
    if pa.types.is_float32(kind) or pa.types.is_float16(kind):
        # the float that prints as the float32 does: 0.1, not 0.10000000149011612
        return [None if value is None else float(str(np.float32(value))) for value in values]
    return values
