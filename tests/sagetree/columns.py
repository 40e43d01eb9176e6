"""The same cells as a list, as Arrow text and as Arrow's own types; Hypothesis draws them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal

import numpy as np
import pyarrow as pa
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from sagetree.tables.cells import Cell
from sagetree.tables.table import Cells, Source, Table

# What users put into cells: numbers in many spellings, words that mean nothing, any text.
AWKWARD_TEXTS = (
    "", " ", "nan", "NaN", "NAN", "N/A", "NA", "None", "null", "True", "FALSE", "true", " 1 ",
    "1.0", "1.", "1e5", "1E5", "-0", "-0.0", "+1", "007", "1_000", "1,5", "0x1", "inf", "-inf",
    "1e400", "1e-400", "3.5e38", "١", "\ufeff1", "1\u00a0", "a<b", "x,y", '"', "größe",
    "2026-01-31", "2026-01-31T13:45:00Z", "999", "-1", "?",
)  # fmt: skip

texts: SearchStrategy[str] = (
    st.sampled_from(AWKWARD_TEXTS)
    | st.integers().map(str)
    | st.floats().map(repr)
    | st.text(max_size=8)
)


def chunked(cells: Sequence[object], kind: pa.DataType, cut: int = 0) -> pa.ChunkedArray:
    """An Arrow column in two pieces; one may be empty."""
    return pa.chunked_array([pa.array(cells[:cut], kind), pa.array(cells[cut:], kind)], type=kind)


def table(**columns: Cells) -> Table:
    """A table with names and lines, as if read from a file."""
    rows = len(next(iter(columns.values())))
    return Table(tuple(columns), tuple(columns.values()), rows, True, (Source(rows, "t.csv"),))


def or_null(cells: SearchStrategy[object]) -> SearchStrategy[list[object]]:
    return st.lists(cells | st.none(), min_size=1, max_size=8)


moments = st.datetimes(datetime(1678, 1, 1), datetime(2261, 1, 1))
decimals = st.decimals(1 - 10**8, 10**8 - 1, places=4, allow_nan=False)
float32s = st.floats(width=32)


@st.composite
def typed(draw: st.DrawFn) -> tuple[list[Cell], pa.ChunkedArray]:
    """Cells as JSON or CSV would hold them, and the same ones in a typed Arrow column."""
    kind = draw(st.sampled_from(list(_TYPES)))
    cells = draw(or_null(_TYPES[kind]))
    column = chunked(cells, kind, draw(st.integers(0, len(cells))))
    if draw(st.booleans()):
        column = column.dictionary_encode()
    return [None if cell is None else _plain(cell, kind) for cell in cells], column


def _plain(cell: object, kind: pa.DataType) -> Cell:
    if isinstance(cell, Decimal):
        return float(cell)
    if pa.types.is_float32(kind):  # printed as its own type prints it
        return float(str(np.float32(cell)))
    if pa.types.is_timestamp(kind) and kind.tz:
        return cell.replace(tzinfo=UTC)
    return cell


_TYPES: dict[pa.DataType, SearchStrategy[object]] = {
    pa.int8(): st.integers(-128, 127),
    pa.int64(): st.integers(-(2**63), 2**63 - 1),
    pa.uint64(): st.integers(0, 2**64 - 1),
    pa.float32(): float32s,
    pa.float64(): st.floats(),
    pa.decimal128(12, 4): decimals,
    pa.bool_(): st.booleans(),
    pa.string(): texts,
    pa.large_string(): texts,
    pa.timestamp("ns"): moments,
    pa.timestamp("us"): st.datetimes(),
    pa.timestamp("us", tz="UTC"): st.datetimes(),
    pa.date32(): st.dates(),
}
