"""Parquet bodies: what is read, and what would unpack to too much."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pytest

from sagetree.errors import DecodingError, PayloadTooLargeError, SchemaError
from sagetree.serve.bodies.hints import Hints
from sagetree.serve.bodies.parquet_body import HINT, decode_parquet
from sagetree.tables.table import cell_list
from tests.serve.bodies.test_csv_body import THREE, cells_of
from tests.serve.encoded import parquet

NO_PARQUET = "the body: it is not a Parquet file: "
LIMIT = 25 * 2**20


def read(body: bytes, limit: int | None = LIMIT) -> list[object]:
    return list(decode_parquet(body, Hints(THREE, {}, limit)))


@pytest.mark.parametrize(
    ("column", "cells"),
    [
        (["a", None, ""], ["a", None, ""]),
        (pa.array(["a", None, "a"]).dictionary_encode(), ["a", None, "a"]),
        ([1, None, -3], [1, None, -3]),
        ([True, None, False], [True, None, False]),
        (pa.array([0.1, None, 2], pa.float32()), [0.1, None, 2.0]),
        ([Decimal("1.50"), None, Decimal(2)], [1.5, None, 2.0]),
        ([date(2026, 1, 31), None, None], [date(2026, 1, 31), None, None]),
        (
            [datetime(2026, 1, 31, 13, tzinfo=UTC), None, None],
            [datetime(2026, 1, 31, 13, tzinfo=UTC), None, None],
        ),
        (pa.nulls(3), [None, None, None]),
    ],
)
@pytest.mark.parametrize("options", [{}, {"compression": "zstd", "use_dictionary": False}])
def test_every_kind_of_column_is_read(column: object, cells: object, options: dict[str, object]):
    (table,) = read(parquet({"a": column}, **options))
    assert (table.names, table.named, table.locate(2)) == (("a",), True, "row 3")
    assert cell_list(table.columns[0]) == cells


@pytest.mark.parametrize("version", ["1.0", "2.0"])
@pytest.mark.parametrize("compression", ["none", "snappy", "gzip", "brotli", "zstd", "lz4"])
def test_every_packing_is_read(version: str, compression: str):
    columns = {"a": list(range(1000)), "b": [str(n % 7) for n in range(1000)]}
    body = parquet(
        columns, compression=compression, data_page_version=version, data_page_size=500,
        row_group_size=300,
    )  # fmt: skip
    _, cells, places = cells_of(read(body))
    assert cells == [columns["a"], columns["b"]]
    assert places[-1] == "row 1000"


def test_many_rows_come_in_batches():
    body = parquet({"a": list(range(100)), "b": ["x"] * 100})
    tables = list(decode_parquet(body, Hints(THREE, {}, LIMIT, slice_values=30)))
    assert [table.rows for table in tables] == [15] * 6 + [10]
    assert tables[-1].locate(9) == "row 100"


GOOD = parquet({"a": [1]})


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"1,2\n", "its first or last four bytes are not PAR1"),
        (GOOD[:-1], "its first or last four bytes are not PAR1"),
        (GOOD[:-8] + b"\xff\xff\xff\x7fPAR1", "the length of its footer is wrong"),
        (b"PAR1" + b"\xff" * 20 + GOOD[24:], "its description is not Parquet's"),
        # a list of 2^63 bytes, a text of as many
        (b"PAR1\x19\xf3" + b"\xff" * 8 + b"\x7f" + GOOD[15:], "its description is cut off"),
        (b"PAR1\x18" + b"\xff" * 8 + b"\x7f" + GOOD[14:], "its description is cut off"),
        (
            parquet({"a": ["ab", "abc"]}, use_dictionary=False,
                    column_encoding={"a": "DELTA_BYTE_ARRAY"}),
            "its encoding DELTA_BYTE_ARRAY is not supported",
        ),
        (
            parquet({"a": list(range(60_000))}, data_page_size=1, write_batch_size=1,
                    use_dictionary=False, compression="none"),
            "it has more than 20000 pages",
        ),
    ],
)  # fmt: skip
def test_what_is_no_parquet_is_refused(body: bytes, reason: str):
    with pytest.raises(DecodingError) as caught:
        read(body)
    assert str(caught.value) == f"{NO_PARQUET}{reason}. {HINT}"


def test_a_footer_that_arrow_cannot_read_is_refused():
    with pytest.raises(DecodingError) as caught:
        read(GOOD[:-40] + b"\xff" * 32 + GOOD[-8:])
    assert str(caught.value).startswith(f"{NO_PARQUET}Couldn't deserialize thrift: ")


@pytest.mark.parametrize("use_dictionary", [True, False])
def test_a_text_that_is_not_utf_8_is_refused(use_dictionary: bool):
    offsets = pa.py_buffer(b"\0\0\0\0\1\0\0\0")
    text = pa.StringArray.from_buffers(1, offsets, pa.py_buffer(b"\x98"))
    with pytest.raises(DecodingError) as caught:
        read(parquet({"a": [1], "b": text}, use_dictionary=use_dictionary))
    assert "Invalid UTF8 sequence at string index 0" in str(caught.value)


def test_no_rows_are_refused():
    with pytest.raises(DecodingError) as caught:
        read(parquet({"a": pa.array([], pa.int8())}))
    assert str(caught.value) == f"the body: there are no rows. {HINT}"


def test_columns_of_columns_are_refused():
    with pytest.raises(SchemaError) as caught:
        read(parquet({"a": [[1, 2]], "b": [{"c": 1}], "d": [b"x"]}))
    assert [violation.reason for violation in caught.value.violations] == [
        "holds cells of type list<element: int64>, not text, numbers or dates",
        "holds cells of type struct<c: int64>, not text, numbers or dates",
        "holds cells of type binary, not text, numbers or dates",
    ]


def test_far_too_many_columns_are_refused():
    with pytest.raises(SchemaError) as caught:
        read(parquet({str(n): [1] for n in range(1001)}))
    assert str(caught.value) == (
        "there are more than 1000 columns, and the model has 3. Send the trained columns"
    )


@pytest.mark.parametrize(
    "columns",
    [
        {"a": pa.array([0] * 1_100_000, pa.int8())},  # run lengths: some bytes for a million rows
        {"a": ["x" * 2_000_000]},  # one page
    ],
)
def test_what_unpacks_to_too_much_is_refused(columns: dict[str, object]):
    body = parquet(columns, compression="zstd")
    assert len(body) < 6000
    with pytest.raises(PayloadTooLargeError) as caught:
        read(body, limit=2**20)
    assert str(caught.value) == (
        "the body: the Parquet file is larger than 1 MB when unpacked. Send fewer rows at once"
    )
    assert len(read(body, limit=None)) == 1


def test_a_text_that_is_referred_to_a_million_times_is_refused():
    column = pa.array(["x" * 1000]).dictionary_encode().take(pa.array([0] * 70_000))
    with pytest.raises(PayloadTooLargeError) as caught:
        read(parquet({"a": column}))
    assert str(caught.value) == (
        "the body: the texts of a column take more than 64 MB. Send fewer rows at once"
    )
