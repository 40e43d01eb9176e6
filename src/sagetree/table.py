"""A table as it was read: named columns of cells, and where each row came from.

Small tables (requests) hold lists, large ones Arrow arrays; every reader of
cells goes through the functions of this module and sees no difference.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import call
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias, overload

import numpy as np
from numpy.typing import NDArray

from sagetree.cells import (
    FLOAT32_LIMIT,
    NAN,
    Cell,
    CellError,
    MissingValues,
    category_text,
    to_number,
)

if TYPE_CHECKING:
    import pyarrow as pa

Floats: TypeAlias = NDArray[np.float64]
Cells: TypeAlias = "list[Cell] | pa.ChunkedArray"
Encoder: TypeAlias = Callable[[Cell], float]
Role: TypeAlias = Literal["weight", "group"]


class Source(NamedTuple):
    """Where consecutive rows of a table come from: `first` is the number of the first one."""

    rows: int
    name: str = ""
    unit: str = "row"
    first: int = 1


class OneRow(Sequence[Cells]):
    """The columns of a table of one row, each made when it is asked for.

    Most requests are one row, of which `cells` is all that is needed.
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
    gives the first column, None in other formats.
    """

    names: tuple[str, ...]
    columns: Sequence[Cells]
    rows: int
    named: bool
    sources: tuple[Source, ...]
    roles: Mapping[Role, str] = MappingProxyType({})
    first_index: int | None = None

    def locate(self, row: int) -> str:
        """Return the place of row number `row` (from 0), such as `claims.csv line 7`."""
        for source in self.sources:
            if row < source.rows:
                return f"{source.name} {source.unit} {source.first + row}".strip()
            row -= source.rows
        return ""

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

    def _part_of_sources(self, begin: int, end: int) -> "tuple[Source, ...]":
        parts, before = [], 0
        for source in self.sources:
            low, high = max(begin - before, 0), min(end - before, source.rows)
            if low < high:
                parts.append(source._replace(rows=high - low, first=source.first + low))
            before += source.rows
        return tuple(parts)

    def take(self, rows: Sequence[int]) -> list[list[Cell]]:
        """Return the given rows as lists of cells, one list per column."""
        return [[column_cell(cells, row) for row in rows] for cells in self.columns]


def column_cell(cells: Cells, row: int) -> Cell:
    """Return one cell of a column."""
    return cells[row] if isinstance(cells, list) else _python_cells(cells.slice(row, 1))[0]


def cell_list(cells: Cells) -> list[Cell]:
    """Return all cells of a column."""
    return cells if isinstance(cells, list) else _python_cells(cells)


def _python_cells(cells: "pa.ChunkedArray | pa.Array") -> list[Cell]:
    """Return Arrow values as cells: decimals as floats, times to the microsecond."""
    import pyarrow as pa

    kind = cells.type
    if pa.types.is_dictionary(kind):
        return _python_cells(cells.cast(kind.value_type))
    if pa.types.is_timestamp(kind):
        # Python has no nanoseconds, and a machine may not know the zone's name.
        unit = "us" if kind.unit == "ns" else kind.unit
        zone = "+00:00" if kind.tz else None
        cells = cells.cast(pa.timestamp(unit, zone), safe=False)
    try:
        values: list[Any] = cells.to_pylist()
    except (OverflowError, ValueError):  # a date outside Python's years 1 to 9999
        values = cells.cast(pa.string()).to_pylist()  # text, which is no date
    if pa.types.is_decimal(kind):
        return [None if value is None else float(value) for value in values]
    if pa.types.is_float32(kind) or pa.types.is_float16(kind):
        # the float that prints as the float32 does: 0.1, not 0.10000000149011612
        return [None if value is None else float(str(np.float32(value))) for value in values]
    return values


def _check_type(kind: "pa.DataType") -> None:
    """Raise CellError for what is no text, number, boolean or moment."""
    import pyarrow as pa

    types = pa.types
    readable = (
        types.is_string, types.is_large_string, types.is_string_view, types.is_boolean,
        types.is_integer, types.is_floating, types.is_decimal, types.is_date,
        types.is_timestamp, types.is_null,
    )  # fmt: skip
    if not any(test(kind) for test in readable):
        raise CellError(f"its cells are of type {kind}, not text, numbers or dates")


@dataclass(frozen=True)
class Misfit:
    """A cell that its column's encoder refused."""

    row: int
    reason: str


def encode(cells: Cells, encoder: Encoder) -> tuple[Floats, list[Misfit]]:
    """Return `encoder` of every cell (float64, n rows) and the cells it refused.

    The values of refused cells are NaN. Arrow columns are encoded by way of
    their distinct values, so that both kinds go through the same function.
    """
    if not isinstance(cells, list):
        return _encode_arrow(cells, encoder)
    try:
        return np.fromiter(map(encoder, cells), np.float64, len(cells)), []
    except CellError:
        return _encode_each(cells, encoder)


def _encode_each(cells: Sequence[Cell], encoder: Encoder) -> tuple[Floats, list[Misfit]]:
    values = np.full(len(cells), NAN)
    misfits = []
    for row, cell in enumerate(cells):
        try:
            values[row] = encoder(cell)
        except CellError as error:
            misfits.append(Misfit(row, str(error)))
    return values, misfits


def _encode_arrow(cells: "pa.ChunkedArray", encoder: Encoder) -> tuple[Floats, list[Misfit]]:
    try:
        codes, distinct = distinct_cells(cells)
    except CellError as error:
        return np.full(len(cells), NAN), [Misfit(0, str(error))]
    values, refused = _encode_each(distinct, encoder)
    reasons = {misfit.row: misfit.reason for misfit in refused}
    rows = np.flatnonzero(np.isin(codes, list(reasons)))
    return values[codes], [Misfit(int(row), reasons[int(codes[row])]) for row in rows]


def distinct_cells(cells: "pa.ChunkedArray") -> tuple[NDArray[np.int64], list[Cell]]:
    """Return each row's index into the list of distinct cells, and that list (None last).

    A column of codes brings its list, which may have words that no row has.

    Raises CellError for a column whose type holds no cells.
    """
    import pyarrow as pa

    if pa.types.is_dictionary(cells.type):
        _check_type(cells.type.value_type)
        cells = _with_wide_indices(cells)
    else:
        _check_type(cells.type)
        cells = cells.dictionary_encode()
    coded = cells.unify_dictionaries().combine_chunks()
    if isinstance(coded, pa.ChunkedArray):  # of a column without rows
        return np.zeros(0, np.int64), [None]
    distinct = _python_cells(coded.dictionary)
    codes = coded.indices.fill_null(len(distinct)).to_numpy(zero_copy_only=False)
    return codes.astype(np.int64), [*distinct, None]


def _with_wide_indices(cells: "pa.ChunkedArray") -> "pa.ChunkedArray":
    """Return codes whose indices have room for the words of all chunks, and one more."""
    import pyarrow as pa

    wide = [
        pa.DictionaryArray.from_arrays(chunk.indices.cast(pa.int32()), chunk.dictionary)
        for chunk in cells.chunks
    ]
    return pa.chunked_array(wide, pa.dictionary(pa.int32(), cells.type.value_type))


def short_values(
    cells: Sequence[Cell], encoders: Iterable[Encoder], numbers: Sequence[Cell]
) -> list[float] | None:
    """Return each cell by its own encoder, None where the cells have to be looked at one by one.

    `numbers` are those cells that are numbers, whose encoder may be `float`
    itself: `to_number` takes five times as long, and differs in infinities and
    in texts such as 1_000.
    """
    if "" in cells or None in cells:  # for every encoder they are missing
        cells = [NAN if cell is None or cell == "" else cell for cell in cells]
    try:
        values = [*map(call, encoders, cells)]
    except (ValueError, TypeError, OverflowError):
        return None
    if math.inf in values or -math.inf in values:
        return None
    return None if _has_underscore(numbers) else values


def _has_underscore(cells: Sequence[Cell]) -> bool:
    try:
        return "_" in "".join(cells)  # type: ignore[arg-type]
    except TypeError:
        return any(isinstance(cell, str) and "_" in cell for cell in cells)


def encode_numbers(cells: Cells, missing: MissingValues) -> tuple[Floats, list[Misfit]]:
    """Return a column as numbers (float64, NaN = missing) and the cells that are none."""
    quick = None if isinstance(cells, list) else as_numbers(cells, missing)
    return encode(cells, number_encoder(missing)) if quick is None else (quick, [])


def as_numbers(cells: "pa.ChunkedArray", missing: MissingValues) -> Floats | None:
    """Return an Arrow column as numbers (float64), None if that needs a look at each cell."""
    values = _cast(cells)
    if values is not None and missing.numbers:
        values[np.isin(values, _as_stored(missing.numbers, cells))] = NAN
    return values


def _as_stored(numbers: Iterable[float], cells: "pa.ChunkedArray") -> Floats:
    """Return numbers as a column of their type holds them: -9.99 is another one in float32."""
    import pyarrow as pa

    narrow = pa.types.is_float16(cells.type) or pa.types.is_float32(cells.type)
    dtype = cells.type.to_pandas_dtype() if narrow else np.float64
    with np.errstate(over="ignore"):
        return np.array([*numbers]).astype(dtype).astype(np.float64)


def number_encoder(missing: MissingValues) -> Encoder:
    """Return the function cell -> number that also knows the user's missing values."""
    texts, numbers = missing.texts, missing.numbers
    if not texts:
        return to_number

    def encoder(cell: Cell) -> float:
        if isinstance(cell, str) and cell.strip() in texts:
            return NAN
        try:
            value = to_number(cell)
        except CellError:
            if category_text(cell) in texts:  # infinity
                return NAN
            raise
        return NAN if value in numbers else value

    return encoder


def _cast(cells: "pa.ChunkedArray") -> Floats | None:
    """Return an Arrow column as numbers where Arrow surely reads them as `to_number` does."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = cells.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        cells = pc.if_else(pc.equal(cells, ""), None, cells)
    elif pa.types.is_decimal(kind):  # Arrow's own conversion is not always to the nearest float
        cells = pc.cast(cells, pa.string())
    elif not (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
        return None
    try:
        # unsafe: an int64 above 2^53 is rounded, as Python's float() does
        numbers = pc.cast(cells, pa.float64(), safe=False)
    except pa.ArrowInvalid:
        return None
    values: Floats = np.asarray(numbers.to_numpy(zero_copy_only=False), np.float64)
    if not values.flags.writeable:  # Arrow's own memory
        values = values.copy()
    # Text that Arrow reads as NaN, and what float32 cannot hold, is for to_number to judge.
    if np.count_nonzero(values != values) > cells.null_count and not pa.types.is_floating(kind):
        return None
    return None if (np.abs(values) >= FLOAT32_LIMIT).any() else values
