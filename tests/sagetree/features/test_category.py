"""Categories: own codes from a stored list."""

import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagetree.features.base import UNSEEN
from sagetree.features.category import Category, OneHot, Ordinal
from sagetree.tables.cells import Cell, MissingValues, category_text
from tests.sagetree.columns import chunked, texts

NOTHING = MissingValues.of(())
WORDS = ("N/A", "None", "rear", "1")


def test_codes_are_places_in_the_list() -> None:
    category = Category(column="c", categories=WORDS)
    values, misfits = category.encode(["1", 1.0, True, "rear ", "N/A", "None", "", None], NOTHING)
    np.testing.assert_array_equal(values, [3, 3, UNSEEN, 2, 0, 1, math.nan, math.nan])
    assert misfits == []
    np.testing.assert_array_equal(category.expand(values)[:, 0], values.astype(np.float32))


def test_arrow_columns_have_the_same_codes() -> None:
    category = Category(column="c", categories=WORDS)
    column = chunked(["rear", "N/A", None, "new"], pa.string(), 2)
    np.testing.assert_array_equal(category.encode(column, NOTHING)[0], [2, 0, math.nan, UNSEEN])


def test_types_for_xgboost() -> None:
    assert Category(column="c", categories=WORDS).feature_types == ("c",)
    assert Ordinal(column="c", categories=WORDS).feature_types == ("q",)
    assert OneHot(column="c", categories=WORDS).feature_types == ("i",) * 4


def test_an_ordinal_keeps_the_users_order() -> None:
    size = Ordinal(column="size", categories=("small", "medium", "large"))
    assert size.names == ("size",)
    values, _ = size.encode(["large", "small", "medium", "huge"], NOTHING)
    assert values.tolist() == [2, 0, 1, UNSEEN]


@pytest.mark.parametrize("kind", [Category, Ordinal, OneHot])
def test_declared_missing_values(kind: type[Category]) -> None:
    missing = MissingValues.of([" N/A ", "999"])
    cells: list[Cell] = ["N/A", 999, "999.0", " 999", 999.0, "None"]
    values, _ = kind(column="c", categories=("None",)).encode(cells, missing)
    np.testing.assert_array_equal(values, [*[math.nan] * 5, 0])


def test_one_hot_has_one_indicator_per_category() -> None:
    onehot = OneHot(column="c", categories=("b", "a"))
    assert onehot.names == ("c=b", "c=a")
    matrix = onehot.expand(np.array([0.0, 1.0, math.nan]))
    assert matrix.dtype == np.float32
    assert matrix.tolist() == [[1, 0], [0, 1], [0, 0]]


def test_one_hot_of_a_missing_or_unseen_category_is_all_zero() -> None:
    """The pipeline makes NaN of UNSEEN first, and counts it."""
    onehot = OneHot(column="c", categories=())
    assert onehot.expand(np.array([math.nan, math.nan])).shape == (2, 0)


@given(st.lists(texts, min_size=1))
def test_every_listed_category_has_its_own_code(cells: list[str]) -> None:
    listed = tuple(sorted({text for cell in cells if (text := category_text(cell)) is not None}))
    codes, _ = Category(column="c", categories=listed).encode(list(cells), NOTHING)
    for cell, code in zip(cells, codes, strict=True):
        text = category_text(cell)
        assert math.isnan(code) if text is None else listed[int(code)] == text
    indicators = OneHot(column="c", categories=listed).expand(codes)
    present = [category_text(cell) is not None for cell in cells]
    assert indicators.sum(axis=1).tolist() == present
