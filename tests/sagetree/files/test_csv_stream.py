"""A CSV file block by block: the rows are those of the whole, wherever it is cut."""

import csv
import io

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sagetree.errors import DataError
from sagetree.files.csv_stream import (
    BLOCK_BYTES,
    BLOCK_BYTES_OF_COLUMN,
    MOST_BLOCK_BYTES,
    CsvRules,
    read_csv,
)
from sagetree.tables.table import cell_list

RULES = CsvRules(lambda _: False, ",")
CELLS = st.sampled_from(["", "1", '"x"', '"a\nb"', '"a\r\nb"', '"q""q"', '"a,b"', 'x"y', "é"])


def rows_of(body: bytes, block_bytes: int) -> list[tuple[object, ...]]:
    tables = read_csv(io.BytesIO(body), b"", "t.csv", RULES, block_bytes)
    columns = ([cell_list(cells) for cells in table.columns] for table in tables)
    return [row for table in columns for row in zip(*table, strict=True)]


@given(
    st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=12),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.integers(20, 60),
)
@example([('5" pipe', "6"), ("7", '"8\n9"'), ("1", "2"), ("3", "4")], "\n", 20)
def test_a_cut_never_falls_into_a_cell(
    rows: list[tuple[str, str]], end: str, block_bytes: int
) -> None:
    text = end.join(map(",".join, rows)) + end
    expected = list(map(tuple, csv.reader(io.StringIO(text, newline=""))))
    assert rows_of(text.encode(), block_bytes) == expected


class Reads(io.BytesIO):
    """A file that knows the most bytes that were asked of it at once."""

    most = 0

    def read(self, size: int | None = -1, /) -> bytes:
        assert size is not None
        self.most = max(self.most, size)
        return super().read(size)


@pytest.mark.parametrize(
    ("columns", "end", "bytes_at_once"),
    [
        (6, "\n", BLOCK_BYTES),
        (6, "\r", BLOCK_BYTES),  # nor are all lines of it the first
        (6, "\r\n", BLOCK_BYTES),
        (4001, "\r", 4000 * BLOCK_BYTES_OF_COLUMN),
        (100_000, "\n", MOST_BLOCK_BYTES),
    ],
)
def test_a_block_grows_with_the_columns_up_to_a_bound(
    columns: int, end: str, bytes_at_once: int
) -> None:
    file = Reads((",".join(["1"] * columns) + end).encode() * 300)
    next(read_csv(file, b"", "t.csv", RULES))
    assert file.most == bytes_at_once


def test_a_row_that_does_not_end_is_refused_before_it_fills_the_memory() -> None:
    file = io.BytesIO(b'1,2\n3,"4\n' + b"5,6\n" * 1000)
    with pytest.raises(DataError) as caught:
        list(read_csv(file, b"", "t.csv", RULES, 64))
    assert str(caught.value) == (
        "t.csv line 2: the row does not end. "
        'Close every quote; write a quote inside a quoted cell twice ("")'
    )
    assert file.tell() < 400
