"""Files of JSON Lines: the same rows in whatever blocks they are read."""

import io
import tracemalloc

import orjson
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagetree.errors import DataError
from sagetree.files.json_files import read_json_lines
from sagetree.formats.json_lines import BULK_BYTES
from sagetree.formats.whole_rows import TEXT_BYTES
from sagetree.tables.table import Table
from tests.sagetree.formats.test_json_lines import CELLS, lines


class Drip(io.BytesIO):
    """A file that gives a few bytes at a time."""

    def __init__(self, data: bytes, size: int) -> None:
        super().__init__(data)
        self.size = size

    def read(self, size: int | None = -1) -> bytes:
        """Return at most `self.size` bytes."""
        return super().read(self.size if size is None or size < 0 else min(size, self.size))


def found(data: bytes, size: int) -> tuple[list[Table], object]:
    """Return the tables, and all that is to be the same for each way to read them."""
    try:
        tables = list(read_json_lines(Drip(data, size), "a.jsonl"))
    except DataError as error:
        return [], str(error)
    assert len({table.names for table in tables}) == 1
    columns = [
        pa.chunked_array([chunk for cells in column for chunk in cells.chunks])
        for column in zip(*(table.columns for table in tables), strict=True)
    ]
    rows = [table.locate(row) for table in tables for row in range(table.rows)]
    content = [(column.type, column.to_pylist()) for column in columns]
    return tables, (tables[0].names, tables[0].named, rows, repr(content))


KEYS = st.dictionaries(st.sampled_from("abc"), CELLS, max_size=3)
RECORDS = st.one_of(
    st.lists(KEYS, min_size=1, max_size=12),
    st.lists(st.lists(CELLS, min_size=2, max_size=2), min_size=1, max_size=12),
    st.lists(
        st.fixed_dictionaries({"label": CELLS, "features": CELLS.map(lambda cell: [cell])}),
        min_size=1, max_size=12,
    ),
)  # fmt: skip
STARTS = st.sampled_from([b"", b"\xef\xbb\xbf", b"\n \n"])


@given(RECORDS, STARTS, st.sampled_from([b"\n", b"\r\n", b"\n\n"]), st.integers(1, 60))
def test_blocks_change_nothing(records: list, start: bytes, end: bytes, size: int) -> None:
    data = start + lines(records, end) + end
    assert found(data, size)[1] == found(data, len(data))[1]


@pytest.mark.parametrize(
    ("late", "kind", "cells"),
    [
        (2.5, pa.float64(), [1.0, 2.5]),
        ("x", pa.string(), ["1", "x"]),
        (True, pa.string(), ["1", "true"]),
        (None, pa.int64(), [1, None]),
        (2**63, pa.string(), ["1", str(2**63)]),
    ],
)
def test_a_late_cell_gives_all_blocks_its_type(
    late: object, kind: pa.DataType, cells: list
) -> None:
    early = lines([{"a": 1}] * (BULK_BYTES // 4)) + b"\n"  # a block that Arrow reads
    tables, _ = found(early + orjson.dumps({"a": late, "b": 7}), len(early) - 1)
    assert [table.names for table in tables] == [("a", "b")] * 2
    assert [table.columns[0].type for table in tables] == [kind] * 2
    assert [table.columns[0][0].as_py() for table in tables] == cells
    assert [table.columns[1][0].as_py() for table in tables] == [None, 7]


def test_large_integers_stay_exact_beside_fractions() -> None:
    data = lines([{"a": 2**53 + 1}, {"a": 0.5}])
    assert [table.columns[0].to_pylist() for table in found(data, 3)[0]] == [
        ["9007199254740993"],
        ["0.5"],
    ]


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (b"[1, 2]", "the line is not a record, and the first line is"),
        (b"{", "the line is not JSON: unexpected end of data"),
    ],
)
def test_a_fault_in_a_later_block_names_its_line(fault: bytes, message: str) -> None:
    good = lines([{"a": 1}] * BULK_BYTES) + b"\n"
    _, text = found(good + fault, BULK_BYTES)
    assert isinstance(text, str)
    assert text.startswith(f"a.jsonl line {BULK_BYTES + 1}: {message}")


def test_the_text_is_not_in_memory_as_a_whole() -> None:
    record = orjson.dumps({"a": "x" * 1000, "b": None}) + b"\n"
    data = record * (8 * TEXT_BYTES // len(record))
    file = io.BytesIO(data)
    tracemalloc.start()
    before = pa.total_allocated_bytes()
    tables = read_json_lines(file, "a.jsonl")
    next(tables)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 * TEXT_BYTES, f"{peak} bytes of text were held"
    assert pa.total_allocated_bytes() - before < 2 * len(data)
