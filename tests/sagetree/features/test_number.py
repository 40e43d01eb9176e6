"""Numbers and booleans as features."""

import math

import numpy as np
import pyarrow as pa
import pytest

from sagetree.features.number import Boolean, Number, RuledNumber
from sagetree.tables.cells import Cell, MissingValues
from sagetree.tables.encoding import Misfit
from sagetree.tables.schema import Shift
from tests.sagetree.columns import chunked

NOTHING = MissingValues.of(())


@pytest.mark.parametrize("feature", [Number(column="a"), Boolean(column="a")])
def test_one_feature_called_like_its_column(feature: Number | Boolean) -> None:
    assert feature.names == ("a",)


def test_types_for_xgboost() -> None:
    assert Number(column="a").feature_types == ("q",)
    assert Boolean(column="a").feature_types == ("i",)


def test_values_become_float32() -> None:
    feature = Number(column="a")
    values, misfits = feature.encode([1, "2.5", None, True, 16777217], NOTHING)
    matrix = feature.expand(values)
    assert misfits == []
    assert matrix.dtype == np.float32
    np.testing.assert_array_equal(matrix, np.array([[1, 2.5, math.nan, 1, 16777216]]).T)


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        ([True, False, None], [1, 0, math.nan]),
        (["True", "false", ""], [1, 0, math.nan]),
        ([1, 0.0, math.nan], [1, 0, math.nan]),
        (["1", "0.0", " "], [1, 0, math.nan]),
    ],
)
def test_booleans_in_any_spelling(cells: list[Cell], values: list[float]) -> None:
    encoded, misfits = Boolean(column="a").encode(cells, NOTHING)
    np.testing.assert_array_equal(encoded, values)
    assert misfits == []


@pytest.mark.parametrize(
    ("kind", "cells"),
    [
        (pa.bool_(), [True, False, None]),
        (pa.int8(), [1, 0, None]),
        (pa.float32(), [1.0, 0.0, math.nan]),
        (pa.string(), ["true", "0", ""]),
        (pa.dictionary(pa.int8(), pa.string()), ["True", "False", None]),
    ],
    ids=str,
)
def test_booleans_of_typed_columns(kind: pa.DataType, cells: list[object]) -> None:
    values, misfits = Boolean(column="a").encode(chunked(cells, kind, 1), NOTHING)
    np.testing.assert_array_equal(values, [1, 0, math.nan])
    assert misfits == []


@pytest.mark.parametrize("cell", ["2", 2, 2.0])
def test_what_is_no_boolean(cell: Cell) -> None:
    _, misfits = Boolean(column="a").encode([True, cell], NOTHING)
    assert misfits == [Misfit(1, f"'{cell}' is neither true nor false")]


@pytest.mark.parametrize("feature", [Number(column="a"), Boolean(column="a")])
@pytest.mark.parametrize("cell", ["-9", " -9.0 ", -9, -9.0, "?", " ? "])
def test_declared_missing_values_in_any_spelling(feature: Number | Boolean, cell: Cell) -> None:
    missing = MissingValues.of(["?", "-9"])
    values, misfits = feature.encode([cell, True], missing)
    np.testing.assert_array_equal(values, [math.nan, 1])
    assert misfits == []


@pytest.mark.parametrize("feature", [Number(column="a"), Boolean(column="a")])
def test_other_words_than_the_declared_are_refused(feature: Number | Boolean) -> None:
    missing = MissingValues.of(["?", "inf"])
    expected = [
        Misfit(1, "'abc' is text where a number is expected"),
        Misfit(2, "'-inf' is infinite or too large for float32"),
    ]
    cells: list[Cell] = ["?", "abc", "-inf", "inf", "1"]
    for column in (cells, chunked(cells, pa.string(), 2)):
        values, misfits = feature.encode(column, missing)
        np.testing.assert_array_equal(values, [*[math.nan] * 4, 1])
        assert misfits == expected
    assert [feature.encoder(missing)(cell) for cell in ("1", True)] == [1, 1]


@pytest.mark.parametrize(
    ("kind", "cells"),
    [
        (None, ["20180131", 20180132, 20180133.0, None]),
        (pa.int64(), [20180131, 20180132, 20180133, None]),
        (pa.float64(), [20180131.0, 20180132.0, 20180133.0, None]),
        (pa.string(), ["20180131", "20180132", " 20180133.0", ""]),
    ],
    ids=str,
)
def test_a_shift_keeps_large_numbers_apart(kind: pa.DataType | None, cells: list[Cell]) -> None:
    feature = RuledNumber(column="a", shift=Shift(offset=20180131, scale=0.5))
    values, misfits = feature.encode(chunked(cells, kind, 1) if kind else cells, NOTHING)
    assert misfits == []
    np.testing.assert_array_equal(values, [0, 2, 4, math.nan])
    matrix = feature.expand(values)[:, 0]
    np.testing.assert_array_equal(feature.restore(matrix), [20180131, 20180132, 20180133, math.nan])
