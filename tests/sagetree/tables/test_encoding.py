"""Encoding: one meaning of a cell, whatever holds it."""

import math
import struct
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from time import process_time

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sagetree.tables.cells import (
    FLOAT32_LIMIT,
    NAN,
    Cell,
    CellError,
    MissingValues,
    category_text,
    to_moment,
    to_number,
)
from sagetree.tables.encoding import (
    CellEncoder,
    Misfit,
    distinct_cells,
    encode,
    encode_numbers,
    numbers_among,
    short_values,
)
from sagetree.tables.table import column_cell
from tests.sagetree.columns import chunked, decimals, texts, typed

NOTHING = MissingValues.of(())
DECLARED = MissingValues.of(("?", "999", "-1.0", "N/A", "0.1", "inf"))


def categories(seen: dict[str, float]) -> CellEncoder:
    """An encoder that numbers spellings as they come, to compare columns by."""

    def encoder(cell: Cell) -> float:
        text = category_text(cell)
        return math.nan if text is None else seen.setdefault(text, float(len(seen)))

    return encoder


def same(one: tuple[np.ndarray, list[Misfit]], other: tuple[np.ndarray, list[Misfit]]) -> None:
    assert one[0].tobytes() == other[0].tobytes()
    assert one[1] == other[1]


@given(typed())
def test_typed_columns_hold_the_same_categories(
    columns: tuple[list[Cell], pa.ChunkedArray],
) -> None:
    cells, column = columns
    seen: dict[str, float] = {}
    same(encode(cells, categories(seen)), encode(column, categories(seen)))


@given(typed(), st.sampled_from([NOTHING, DECLARED]))
def test_typed_columns_hold_the_same_numbers(
    columns: tuple[list[Cell], pa.ChunkedArray], missing: MissingValues
) -> None:
    """As float32, which is what the model is given: 0.1 of float32 is not 0.1 of float64."""
    (values, misfits), (typed_values, typed_misfits) = (
        encode_numbers(cells, missing) for cells in columns
    )
    np.testing.assert_array_equal(values.astype(np.float32), typed_values.astype(np.float32))
    assert misfits == typed_misfits


@given(typed())
def test_typed_columns_hold_the_same_moments(columns: tuple[list[Cell], pa.ChunkedArray]) -> None:
    cells, column = columns
    same(encode(cells, to_moment), encode(column, to_moment))


@given(st.lists(texts, min_size=1), st.sampled_from([NOTHING, DECLARED]), st.booleans())
@example(["1.5", "", "2"], NOTHING, False)
@example(["NAN", "1"], NOTHING, False)
@example(["nan(1)", "1"], NOTHING, False)  # a number to Arrow
@example(["inf", "1"], NOTHING, False)
def test_text_is_read_alike_in_lists_and_arrow(
    cells: list[Cell], missing: MissingValues, large: bool
) -> None:
    column = chunked(cells, pa.large_string() if large else pa.string(), len(cells) // 2)
    same(encode_numbers(cells, missing), encode_numbers(column, missing))
    same(encode(cells, to_moment), encode(column, to_moment))
    seen: dict[str, float] = {}
    same(encode(cells, categories(seen)), encode(column, categories(seen)))


@given(st.lists(st.integers(-(2**70), 2**70) | st.floats(allow_nan=False), min_size=1))
def test_a_number_is_the_same_number_as_text(cells: list[Cell]) -> None:
    same(
        encode_numbers(cells, NOTHING),
        encode_numbers(chunked([repr(cell) for cell in cells], pa.string()), NOTHING),
    )


@pytest.mark.parametrize(
    ("kind", "cell"),
    [
        (pa.int8(), 3),
        (pa.int64(), 3),
        (pa.uint16(), 3),
        (pa.float16(), np.float16(3)),
        (pa.float32(), 3.0),
        (pa.float64(), 3.0),
        (pa.decimal128(5, 2), Decimal("3.00")),
        (pa.decimal256(50, 2), Decimal("3.00")),
        (pa.string(), "3.0"),
        (pa.string(), " 3 "),
        (pa.large_string(), "3"),
        (pa.string_view(), "3"),
        (pa.dictionary(pa.int8(), pa.string()), "3"),
        (pa.dictionary(pa.int32(), pa.int64()), 3),
    ],
    ids=str,
)
def test_three_is_three_in_every_type(kind: pa.DataType, cell: object) -> None:
    column = chunked([cell, None], kind, 1)
    values, misfits = encode_numbers(column, NOTHING)
    np.testing.assert_array_equal(values, [3.0, math.nan])
    assert misfits == []
    assert category_text(column_cell(column, 0)) == "3"
    assert column_cell(column, 1) is None


@pytest.mark.parametrize(
    ("kind", "cell"),
    [
        (pa.float16(), np.float16(-9.99)),
        (pa.float32(), -9.99),
        (pa.float64(), -9.99),
        (pa.decimal128(5, 2), Decimal("-9.99")),
        (pa.string(), "-9.99"),
        (pa.string(), " -9.990"),
        (pa.dictionary(pa.int8(), pa.float32()), -9.99),
    ],
    ids=str,
)
def test_a_declared_number_is_missing_in_every_type(kind: pa.DataType, cell: object) -> None:
    missing = MissingValues.of(["-9.99", "1e300"])
    if kind == pa.float16():  # prints as -9.99 too, so it is the same number to its writer
        assert str(cell) == "-9.99"
    values, misfits = encode_numbers(chunked([cell, cell, None], kind, 1), missing)
    assert np.isnan(values).all()
    assert misfits == []
    values, _ = encode_numbers(chunked([cell, None], kind), NOTHING)
    assert values[0] == pytest.approx(-9.99, abs=0.01)


@pytest.mark.parametrize(
    ("kind", "cell"),
    [
        (pa.date32(), date(1970, 1, 2)),
        (pa.date64(), date(1970, 1, 2)),
        (pa.timestamp("s"), datetime(1970, 1, 2)),
        (pa.timestamp("ns"), datetime(1970, 1, 2)),
        (pa.timestamp("us", tz="UTC"), datetime(1970, 1, 2)),
        (pa.timestamp("ns", tz="America/New_York"), datetime(1970, 1, 2)),
        (pa.string(), "1970-01-02"),
    ],
    ids=str,
)
def test_a_day_is_a_day_in_every_type(kind: pa.DataType, cell: object) -> None:
    values, misfits = encode(chunked([cell, None], kind), to_moment)
    np.testing.assert_array_equal(values, [86400.0, math.nan])
    assert misfits == []


@given(decimals)
@example(Decimal("74797.9300"))
def test_a_decimal_is_the_nearest_float(cell: Decimal) -> None:
    """Arrow's own conversion of 74797.93 gives 74797.93000000001."""
    column = chunked([cell], pa.decimal128(12, 4))
    assert encode_numbers(column, NOTHING)[0].tolist() == [float(cell)]
    assert np.isnan(encode_numbers(column, MissingValues.of([str(cell)]))[0]).all()


@pytest.mark.parametrize("cells", [["inf", "1"], [math.inf, 1.0]])
def test_infinity_may_be_declared_missing(cells: list[Cell]) -> None:
    missing = MissingValues.of(["inf"])
    kind = pa.string() if isinstance(cells[0], str) else pa.float64()
    for column in (cells, chunked(cells, kind)):
        values, misfits = encode_numbers(column, missing)
        np.testing.assert_array_equal(values, [math.nan, 1.0])
        assert misfits == []


@pytest.mark.parametrize("encoder", [to_number, to_moment, categories({})])
def test_a_column_of_nulls_has_no_value(encoder: CellEncoder) -> None:
    """pandas writes an empty column of text as one of Arrow's type null."""
    values, misfits = encode(pa.chunked_array([pa.nulls(2)]), encoder)
    assert np.isnan(values).all()
    assert misfits == []
    assert np.isnan(encode_numbers(pa.chunked_array([pa.nulls(2)]), NOTHING)[0]).all()


def test_nanoseconds_are_cut_to_microseconds() -> None:
    values, _ = encode(chunked([1_000_000_999], pa.timestamp("ns")), to_moment)
    assert values.tolist() == [1.0]


@pytest.mark.parametrize(
    ("kind", "cell", "reason"),
    [
        (pa.list_(pa.int64()), [1], "list<item: int64>"),
        (pa.struct([("a", pa.int64())]), {"a": 1}, "struct<a: int64>"),
        (pa.binary(), b"x", "binary"),
        (pa.time64("us"), time(1, 2), "time64[us]"),
        (pa.duration("us"), timedelta(1), "duration[us]"),
        (pa.dictionary(pa.int8(), pa.binary()), b"x", "binary"),
    ],
    ids=str,
)
@pytest.mark.parametrize("encoder", [to_number, to_moment, categories({})])
def test_a_type_without_cells_is_refused(
    kind: pa.DataType, cell: object, reason: str, encoder: CellEncoder
) -> None:
    values, misfits = encode(chunked([cell, cell], kind), encoder)
    assert np.isnan(values).all()
    assert misfits == [Misfit(0, f"its cells are of type {reason}, not text, numbers or dates")]


@pytest.mark.parametrize(
    ("kind", "far"),
    [
        (pa.timestamp("s"), 10**12),
        (pa.timestamp("s"), 2**62),
        (pa.timestamp("s", tz="Europe/Berlin"), 2**62),
        (pa.timestamp("ms"), 10**15),
        (pa.timestamp("us"), 10**18),
        (pa.date32(), 2 * 10**9),
        (pa.date64(), 10**15),
    ],
    ids=str,
)
def test_a_time_after_the_year_9999_is_no_date(kind: pa.DataType, far: int) -> None:
    """The other dates of its column are as they were."""
    column = chunked([0, far, None, 0], kind, 1)
    values, misfits = encode(column, to_moment)
    np.testing.assert_array_equal(values, [0, math.nan, math.nan, 0])
    assert [misfit.row for misfit in misfits] == [1]
    assert misfits[0].reason.endswith("is not a date written as 2026-01-31 or 2026-01-31T13:45:00")


def test_a_time_zone_need_not_be_known_to_the_machine() -> None:
    column = chunked([86400], pa.timestamp("s", tz="Mars/Olympus"))
    values, misfits = encode(column, to_moment)
    assert (values.tolist(), misfits) == ([86400.0], [])


@pytest.mark.long
def test_a_column_of_refused_words_is_read_in_one_pass() -> None:
    """It took time by the square of the distinct words: hours for a million."""
    words = [f"w{number}" for number in range(100_000)]
    values, misfits = encode_numbers(chunked(words, pa.string()), NOTHING)
    assert np.isnan(values).all()
    assert [misfit.row for misfit in misfits] == list(range(100_000))


@pytest.mark.parametrize("indices", [pa.int8(), pa.uint8()])
def test_a_dictionary_may_fill_its_indices(indices: pa.DataType) -> None:
    size = 128 if indices == pa.int8() else 256
    words = [f"w{number}" for number in range(size)]
    coded = pa.DictionaryArray.from_arrays(pa.array([0, None, size - 1], indices), pa.array(words))
    codes, cells = distinct_cells(pa.chunked_array([coded]))
    assert [cells[code] for code in codes] == ["w0", None, f"w{size - 1}"]


def test_dictionaries_of_files_may_have_more_words_than_their_indices_count() -> None:
    parts = [
        pa.DictionaryArray.from_arrays(
            pa.array([0, 99, None], pa.int8()), pa.array([f"{part}{n}" for n in range(100)])
        )
        for part in "ab"
    ]
    codes, cells = distinct_cells(pa.chunked_array(parts))
    assert [cells[code] for code in codes] == ["a0", "a99", None, "b0", "b99", None]


def test_a_list_that_all_chunks_share_is_walked_once():
    words = pa.array([f"word {number}" for number in range(50_000)])
    whole = pa.array(np.arange(50_000, dtype=np.int32))

    def seconds(chunks: int) -> float:
        size = len(whole) // chunks
        parts = [
            pa.DictionaryArray.from_arrays(whole[place : place + size], words)
            for place in range(0, len(whole), size)
        ]
        start = process_time()
        codes, cells = distinct_cells(pa.chunked_array(parts))
        spent = process_time() - start
        assert codes.tolist() == list(range(50_000))
        assert len(cells) == 50_001
        return spent

    assert seconds(200) < 10 * seconds(1)  # 70 times as long, walked for each chunk


@pytest.mark.parametrize("kind", [pa.string(), pa.int64(), pa.dictionary(pa.int8(), pa.string())])
def test_a_column_without_rows(kind: pa.DataType) -> None:
    values, misfits = encode(pa.chunked_array([], type=kind), to_number)
    assert values.tolist() == misfits == []


def test_numbers_among_other_cells():
    cells: list[Cell] = [
        "1e3",
        " 2 ",
        "1_000",
        "x",
        "",
        None,
        "True",
        False,
        math.inf,
        date(2026, 1, 2),
    ]
    expected = [1e3, 2, NAN, NAN, NAN, NAN, 1, 0, NAN, NAN]
    np.testing.assert_array_equal(numbers_among(cells, to_number), expected)


def test_every_refused_cell_is_named_in_the_order_of_rows() -> None:
    cells: list[Cell] = ["1", "b", "", "a", "b"]
    expected = [
        Misfit(1, "'b' is text where a number is expected"),
        Misfit(3, "'a' is text where a number is expected"),
        Misfit(4, "'b' is text where a number is expected"),
    ]
    for column in (cells, chunked(cells, pa.string(), 2)):
        values, misfits = encode_numbers(column, NOTHING)
        np.testing.assert_array_equal(values, [1.0, *[math.nan] * 4])
        assert misfits == expected


def test_a_declared_number_that_a_column_cannot_hold_means_no_cell_of_it() -> None:
    """999 as one byte would be -25."""
    values, _ = encode_numbers(chunked([-25, 1], pa.int8()), MissingValues.of(["999", "1"]))
    np.testing.assert_array_equal(values, [-25, math.nan])


SHORT = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.floats().map(repr),
    st.integers(-(10**6), 10**6).map(str),
    st.sampled_from(("", " ", " 7 ", "nan", "NaN", "NAN", "inf", "-Infinity", "1_000", "true")),
    st.sampled_from(("False", "1e39", "-3.5e38", "1e400", "x", "0x10", "٣", "null", "1,5")),
    st.just(10**400),
    st.dates(),
)


@given(st.lists(SHORT, max_size=6))
@example(["1.5", "", "-0.0"])
@example([1, None, 2.5])
@example([0, 0.0, False])
@example(["-0", -0.0])
def test_numbers_read_at_once_are_those_read_one_by_one(cells: list[Cell]) -> None:
    found = short_values(cells, [float] * len(cells), cells)
    if found is None:  # for the reader of one cell to say, or to refuse
        return
    for value, cell in zip(found, cells, strict=True):
        if abs(value) >= FLOAT32_LIMIT:  # as float32, which the caller makes, it is an error
            with pytest.raises(CellError):
                to_number(cell)
        else:
            assert struct.pack("d", value) == struct.pack("d", to_number(cell))


@pytest.mark.parametrize(
    "cells", [["1", " 2.5", ""], ["", "-1e5"], [1, 2.5, None], [0, True], ["nan", "7"], [None]]
)
def test_numbers_of_the_usual_kinds_are_read_at_once(cells: list[Cell]) -> None:
    assert short_values(cells, [float] * len(cells), cells) is not None


@pytest.mark.parametrize(
    "cells", [["1_0"], ["1_0", 2], ["x"], ["true"], ["inf"], [-math.inf], [10**400]]
)
def test_numbers_of_other_kinds_are_not(cells: list[Cell]) -> None:
    assert short_values(cells, [float] * len(cells), cells) is None
