"""Tables: columns by name, rows by place, cells as Python has them."""

from datetime import datetime
from decimal import Decimal

import pyarrow as pa
import pytest

from sagetree.tables.cells import Cell
from sagetree.tables.table import OneRow, Source, Table, column_cell, pick
from tests.sagetree.columns import chunked


@pytest.fixture
def sample() -> Table:
    return Table(
        ("age", "state"),
        ([31, 40, None], chunked(["WA", "OR", None], pa.string(), 1)),
        3,
        True,
        (Source(1, "a.csv", "line", 2), Source(2, "b.parquet", "row")),
    )


@pytest.mark.parametrize(
    ("row", "place"),
    [(0, "a.csv line 2"), (1, "b.parquet row 1"), (2, "b.parquet row 2"), (3, "")],
)
def test_a_row_is_located_in_its_file(sample: Table, row: int, place: str) -> None:
    assert sample.locate(row) == place


def test_a_row_of_a_request_has_no_file() -> None:
    assert Table(("a",), ([1],), 1, True, (Source(1),)).locate(0) == "row 1"


def test_columns_by_name(sample: Table) -> None:
    assert sample.column("age") == [31, 40, None]
    assert sample.without("age").names == ("state",)
    assert sample.without("age").take([2, 0]) == [[None, "WA"]]
    assert sample.without("state").columns == ([31, 40, None],)
    assert sample.take([2, 0]) == [[None, 31], [None, "WA"]]


@pytest.mark.parametrize(
    ("kind", "stored", "cell"),
    [
        (pa.float32(), 0.1, 0.1),
        (pa.decimal128(5, 2), Decimal("1.50"), 1.5),
        (pa.timestamp("ns"), 86_400 * 10**9, datetime(1970, 1, 2)),
    ],
    ids=str,
)
def test_one_cell_of_a_dictionary_is_a_plain_cell(
    kind: pa.DataType, stored: object, cell: Cell
) -> None:
    found = column_cell(chunked([stored], kind).dictionary_encode(), 0)
    assert found == cell
    assert type(found) is type(cell)


def test_the_columns_of_one_row_are_a_sequence_of_columns() -> None:
    row = OneRow(["a", 1, None])
    assert len(row) == 3
    assert list(row) == [["a"], [1], [None]]
    assert row[-1] == [None]
    assert list(row[:2]) == [["a"], [1]]
    assert list(pick(row, [2, 0])) == [[None], ["a"]]
    table = Table(("x", "y", "z"), row, 1, True, (Source(1),))
    assert list(table.without("y").columns) == [["a"], [None]]
    assert table.part(0, 1).take([0]) == [["a"], [1], [None]]
