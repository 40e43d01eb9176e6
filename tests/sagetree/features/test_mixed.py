"""A column of numbers and words: what each cell becomes, and what is missing."""

import numpy as np
import pyarrow as pa
import pytest

from sagetree.errors import SchemaError
from sagetree.features.category import Category, OneHot
from sagetree.features.mixed import Mixed
from sagetree.features.number import Number, RuledNumber
from sagetree.features.pipeline import FeaturePipeline
from sagetree.tables.schema import Shift
from sagetree.tables.table import Cells, OneRow, Source, Table

WORDS = ("LINE", "PC 1")
CELLS = ["17", "LINE", "-1", "", "PC 1", "new", "1e3", "?"]
NAN = np.nan


def pipeline(unknown: str = "missing", *, onehot: bool = False, shift: Shift | None = None):
    words = OneHot if onehot else Category
    number = RuledNumber(column="t", shift=shift) if shift else Number(column="t")
    mixed = Mixed(column="t", number=number, words=words(column="t", categories=WORDS))
    return FeaturePipeline(
        missing_values=("?",), unknown_category=unknown, features=(mixed, Number(column="n"))
    )


def table(cells: Cells) -> Table:
    others = [1.0] * len(cells)
    n = others if isinstance(cells, list) else pa.chunked_array([others])
    return Table(("t", "n"), (cells, n), len(cells), True, (Source(len(cells), "t.csv"),))


@pytest.mark.parametrize("cells", [CELLS, pa.chunked_array([CELLS])])
def test_a_row_has_a_number_or_a_word(cells: Cells) -> None:
    features = pipeline()
    found = features.transform(table(cells))
    np.testing.assert_array_equal(
        found.values[:, :2],
        [[17, NAN], [NAN, 0], [-1, NAN], [NAN, NAN], [NAN, 1], [NAN, NAN], [1000, NAN], [NAN, NAN]],
    )
    assert found.unseen == ((5, "t"),)
    assert features.names == ("t.number", "t.word", "n")
    assert features.types == ("q", "c", "q")
    assert features.owners == (0, 0, 1)
    absent = features.features[0].is_absent(found.values[:, features.parts[0]])
    assert absent.tolist() == [False, False, False, True, False, True, False, True]


@pytest.mark.parametrize("cell", [*CELLS, 17, -1.0, None, True])
def test_one_row_is_as_many(cell: object) -> None:
    many = pipeline().transform(table([cell, "17"]))
    one = pipeline().transform(Table(("t", "n"), OneRow([cell, 1.0]), 1, True, (Source(1),)))
    np.testing.assert_array_equal(one.values, many.values[:1])
    assert one.unseen == many.unseen


def test_words_may_be_indicators() -> None:
    features = pipeline(onehot=True)
    values = features.transform(table(["17", "PC 1", "", "new"])).values
    np.testing.assert_array_equal(
        values[:, :3], [[17, 0, 0], [NAN, 0, 1], [NAN, 0, 0], [NAN, 0, 0]]
    )
    assert features.names == ("t.number", "t=LINE", "t=PC 1", "n")
    assert features.features[0].is_absent(values[:, :3]).tolist() == [False, False, True, True]


def test_numbers_may_have_a_shift() -> None:
    features = pipeline(shift=Shift(offset=2.0**25, scale=1.0))
    values = features.transform(table([str(2**25 + 1), "LINE"])).values
    np.testing.assert_array_equal(values[:, :2], [[1, NAN], [NAN, 0]])
    np.testing.assert_array_equal(features.in_own_units(values), [[2**25 + 1, NAN, 1], [NAN, 0, 1]])


@pytest.mark.parametrize(
    ("unknown", "cell", "message"),
    [
        ("error", "new", "the category is one that training did not see"),
        ("missing", "inf", "'inf' is infinite or too large for float32"),
        ("missing", "1e39", "'1e39' is infinite or too large for float32"),
    ],
)
def test_what_is_neither_is_refused(unknown: str, cell: str, message: str) -> None:
    with pytest.raises(SchemaError) as caught:
        pipeline(unknown).transform(table(["17", cell]))
    assert str(caught.value).startswith(f"t.csv row 2, column 't': {message}")
