"""All transforms together: the matrix, its names, and what is said about cells that do not fit."""

import math
import re
import subprocess
import sys
from datetime import date

import numpy as np
import pyarrow as pa
import pytest
import xgboost
from hypothesis import example, given
from hypothesis import strategies as st

from sagetree.errors import SchemaError
from sagetree.features.base import UNSEEN
from sagetree.features.category import Category, OneHot, Ordinal
from sagetree.features.moment import Moment
from sagetree.features.number import Boolean, Number
from sagetree.features.pipeline import FeaturePipeline
from sagetree.tables.cells import Cell
from sagetree.tables.table import Cells, OneRow, Source, Table
from tests.sagetree.columns import chunked, table, texts

FEATURES = (
    Number(column="age"),
    Boolean(column="x,y"),
    Category(column="a<b", categories=("front", "rear")),
    OneHot(column="state", categories=("OR", "WA")),
    Ordinal(column="size", categories=("small", "large")),
    Moment(column="seen"),
)


def pipeline(*features: object, unknown: str = "missing", missing: object = ()) -> FeaturePipeline:
    return FeaturePipeline(missing_values=missing, unknown_category=unknown, features=features)


def rows(*cells: list[Cell]) -> Table:
    """Columns of the six features above, as a file with a header holds them."""
    names = [feature.column for feature in FEATURES]
    return table(**dict(zip(names, map(list, zip(*cells, strict=True)), strict=True)))


def test_the_matrix_has_every_feature_in_order() -> None:
    found = pipeline(*FEATURES).transform(
        rows([31, True, "rear", "WA", "large", "1970-01-02"], [None, "", None, "", "", ""])
    )
    nan = math.nan
    expected = [
        [31, 1, 1, 0, 1, 1, 1, 1970, 1, 2, 4, 0],
        [nan, nan, nan, 0, 0, nan, nan, nan, nan, nan, nan, nan],
    ]
    assert found.values.dtype == np.float32
    np.testing.assert_array_equal(found.values, expected)
    assert found.unseen == ()
    assert not found.values.flags.writeable


def test_names_types_and_owners_go_together() -> None:
    made = pipeline(*FEATURES)
    assert made.names == (
        "age", "x,y", "a<b", "state=OR", "state=WA", "size",
        "seen.days", "seen.year", "seen.month", "seen.day", "seen.weekday", "seen.hour",
    )  # fmt: skip
    assert made.types == ("q", "i", "c", "i", "i", "q", *["q"] * 6)
    assert made.owners == (0, 1, 2, 3, 3, 4, *[5] * 6)


def test_safe_names_are_without_what_xgboost_refuses() -> None:
    made = pipeline(*(Number(column=name) for name in ("a<b", "a_b", "a[b", "[x]", "y", "a_b__")))
    assert made.safe_names == ("a_b", "a_b_", "a_b__", "_x_", "y", "a_b___")


def test_a_one_hot_name_may_be_another_columns_name() -> None:
    made = pipeline(Number(column="a=1"), OneHot(column="a", categories=("1", "<", "[")))
    assert made.names == ("a=1", "a=1", "a=<", "a=[")
    assert made.safe_names == ("a=1", "a=1_", "a=_", "a=__")


@given(st.lists(st.text(alphabet="ab_<[]=. ", max_size=4) | st.text(max_size=5), min_size=1))
@example(["a<", "a[", "a_", "a__", "a]"])
def test_safe_names_are_unique_and_taken_by_xgboost(columns: list[str]) -> None:
    columns = [name or "Unnamed: 0" for name in columns]
    made = pipeline(*(OneHot(column=name, categories=("x", "<")) for name in columns))
    safe = made.safe_names
    assert len(set(safe)) == len(safe) == 2 * len(columns)
    assert not any(re.search(r"[\[\]<]", name) for name in safe)
    data = xgboost.DMatrix(np.zeros((1, len(safe)), np.float32), feature_names=list(safe))
    assert data.feature_names == list(safe)


def test_unseen_categories_are_missing_and_counted() -> None:
    found = pipeline(*FEATURES).transform(
        rows(
            [1, 0, "new", "CA", "huge", "1970-01-01"],
            [1, 0, "front", "OR", "small", "1970-01-01"],
            [1, 0, "New", "OR", "small", "1970-01-01"],
        )
    )
    assert found.unseen == ((0, "a<b"), (2, "a<b"), (0, "state"), (0, "size"))
    np.testing.assert_array_equal(found.values[:, 2], [math.nan, 0, math.nan])
    np.testing.assert_array_equal(found.values[:, 3:5], [[0, 0], [1, 0], [1, 0]])
    np.testing.assert_array_equal(found.values[:, 5], [math.nan, 0, 0])


@pytest.mark.parametrize("kind", [Category, OneHot, Ordinal])
@pytest.mark.parametrize("arrow", [False, True])
def test_unseen_categories_are_errors_where_the_user_wants_that(
    kind: type[Category], arrow: bool
) -> None:
    made = pipeline(kind(column="state", categories=("OR",)), unknown="error")
    cells: Cells = ["OR", "CA", "", "WA"]
    if arrow:
        cells = chunked(cells, pa.string(), 1)
    with pytest.raises(SchemaError) as caught:
        made.transform(table(state=cells))
    assert str(caught.value) == (
        "t.csv row 2, column 'state': the category is one that training did not see "
        "(and 1 more like it). "
        "Send a trained category, or train with unknown_category=missing to score it as missing"
    )
    assert [violation.row for violation in caught.value.violations] == [1, 3]
    assert made.transform(table(state=["OR", "", None])).unseen == ()


def test_text_where_a_number_is_trained_is_named_by_line_column_and_value() -> None:
    request = Table(("age",), (["31", "abc"],), 2, True, (Source(2, "", "line", 2),))
    with pytest.raises(SchemaError) as caught:
        pipeline(Number(column="age")).transform(request)
    assert str(caught.value) == (
        "line 3, column 'age': 'abc' is text where a number is expected. "
        "Correct the cell, or leave it empty if the value is missing"
    )
    assert caught.value.status == 422


def test_every_cell_that_does_not_fit_is_named() -> None:
    with pytest.raises(SchemaError) as caught:
        pipeline(*FEATURES).transform(
            rows(
                ["x", "maybe", "rear", "WA", "large", "tomorrow"],
                [1, 2, "rear", "WA", "large", "2026-02-30"],
                ["N/A", 1, "rear", "WA", "large", 20260101],
            )
        )
    error = caught.value
    assert str(error) == (
        "t.csv row 1, column 'age': 'x' is text where a number is expected "
        "(and 6 more like it). Correct the cell, or leave it empty if the value is missing"
    )
    with pytest.raises(ValueError) as python:  # whose words are others in 3.14
        date.fromisoformat("2026-02-30")
    not_a_date = "is not a date written as 2026-01-31 or 2026-01-31T13:45:00"
    assert [str(violation) for violation in error.violations] == [
        "t.csv row 1, column 'age': 'x' is text where a number is expected",
        "t.csv row 3, column 'age': 'N/A' is text where a number is expected",
        "t.csv row 1, column 'x,y': 'maybe' is text where a number is expected",
        "t.csv row 2, column 'x,y': '2' is neither true nor false",
        f"t.csv row 1, column 'seen': 'tomorrow' {not_a_date}",
        f"t.csv row 2, column 'seen': '2026-02-30' is not a date: {python.value}",
        f"t.csv row 3, column 'seen': '20260101' {not_a_date}",
    ]


def test_only_the_first_violations_are_held() -> None:
    with pytest.raises(SchemaError) as caught:
        pipeline(Number(column="a")).transform(table(a=["x"] * 1000))
    assert len(caught.value.violations) == 20
    assert caught.value.message == ("'x' is text where a number is expected (and 999 more like it)")


def test_a_column_of_a_type_without_cells_is_no_silent_category() -> None:
    with pytest.raises(SchemaError) as caught:
        pipeline(Category(column="state", categories=("OR",))).transform(
            table(state=chunked([b"OR"], pa.binary()))
        )
    assert str(caught.value) == (
        "t.csv row 1, column 'state': its cells are of type binary, not text, numbers or dates. "
        "Correct the cell, or leave it empty if the value is missing"
    )


def test_declared_missing_values_hold_for_every_kind() -> None:
    found = pipeline(*FEATURES, missing=("?", "-1")).transform(
        rows(["?", "?", "?", "?", "?", "?"], [-1, -1.0, "-1", -1, "-1.0", -1])
    )
    nan = math.nan
    expected = [nan, nan, nan, 0, 0, *[nan] * 7]
    np.testing.assert_array_equal(found.values, [expected, expected])
    assert found.unseen == ()


def by_column(made: FeaturePipeline, cells: list[Cell]) -> bytes | None:
    """The features of a row by the encoder of each column alone, None if a cell does not fit."""
    blocks = []
    for feature, cell in zip(made.features, cells, strict=True):
        values, misfits = feature.encode([cell], made.missing)
        if misfits:
            return None
        if isinstance(feature, Category):  # -1 is a number elsewhere
            values = np.where(values == UNSEEN, math.nan, values)
        blocks.append(feature.expand(values))
    return np.concatenate(blocks, axis=1).tobytes()


CELLS = st.one_of(
    texts,
    st.sampled_from(["front", "WA", "small", "1970-01-02", "31", "true", ""]),
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
)
KEPT = (FEATURES, (FEATURES[0],) * 3, (*FEATURES[:3], FEATURES[4]))


@given(
    st.lists(CELLS, min_size=6, max_size=6),
    st.sampled_from(KEPT),
    st.sampled_from([(), ("?", "-1"), ("1",)]),
)
@example(["31", "1", "rear", "WA", "large", ""], FEATURES, ())
@example([None, False, "new", "CA", None, None], FEATURES, ())
@example(["-1.0", "0", "?", "", "small", None], KEPT[2], ("?", "-1"))
@example(["1_000", "2", "3", "", "", ""], KEPT[1], ())
@example(["3.4028235677973366e38", "2", "3", "", "", ""], KEPT[1], ())
@example(["-inf", "2", "3", "", "", ""], KEPT[1], ())
@example(["", "-1", None, "", "", ""], KEPT[1], ())
def test_one_row_has_the_features_of_its_columns(
    cells: list[Cell], features: tuple[object, ...], missing: tuple[str, ...]
) -> None:
    made = pipeline(*features, missing=missing)
    cells = cells[: len(features)]
    names = tuple(map(str, range(len(features))))
    expected = by_column(made, cells)
    for rows_in, columns in ((1, OneRow(cells)), (2, [[cell, cell] for cell in cells])):
        table_in = Table(names, columns, rows_in, True, (Source(rows_in),))
        if expected is None:
            with pytest.raises(SchemaError):
                made.transform(table_in)
        else:
            found = made.transform(table_in).values
            assert found.tobytes() == expected * rows_in
            assert not found.flags.writeable


def test_a_pipeline_is_its_json() -> None:
    made = pipeline(*FEATURES, missing=("?",))
    again = FeaturePipeline.model_validate_json(made.model_dump_json())
    assert again == made
    assert list(map(type, again.features)) == list(map(type, made.features))


NUMBERS = st.one_of(
    st.none(),
    st.floats(allow_nan=True, allow_infinity=False, width=32),
    st.sampled_from([-999.0, 0.0, -0.0, 1e-310]),
)


@given(cells=st.lists(st.lists(NUMBERS, min_size=3, max_size=3), min_size=1, max_size=5))
def test_numbers_read_at_once_are_those_of_each_column(cells: list[list[float | None]]) -> None:
    features = (Number(column="a"), Category(column="b", categories=("u",)), Number(column="c"),
                Number(column="d"))  # fmt: skip
    made = pipeline(*features, missing=("-999",))
    count = len(cells)
    words = pa.chunked_array([["u"] * count])

    def transformed(*chunks: slice) -> np.ndarray:
        columns = [
            pa.chunked_array([pa.array([row[n] for row in cells[c]], pa.float64()) for c in chunks])
            for n in range(3)
        ]
        source = (Source(count),)
        found = Table(("a", "b", "c", "d"), (columns[0], words, *columns[1:]), count, True, source)
        return made.transform(found).values

    expected = transformed(slice(0, 1), slice(1, None))  # two pieces: each column by itself
    np.testing.assert_array_equal(transformed(slice(None)), expected)


@pytest.mark.parametrize("rows", [3, 1025])
def test_a_number_that_is_too_large_is_named_beside_sound_ones(rows: int) -> None:
    column = pa.chunked_array([np.ones(rows)])
    large = pa.chunked_array([np.where(np.arange(rows) == 2, 1e39, 1.0)])
    given = Table(("a", "b"), (column, large), rows, True, (Source(rows),))
    with pytest.raises(SchemaError, match="column 'b'") as found:
        pipeline(Number(column="a"), Number(column="b")).transform(given)
    assert "too large" in str(found.value)


LISTS = """
import sys
from sagetree.errors import SchemaError
from sagetree.features.category import Category
from sagetree.features.number import Number
from sagetree.features.pipeline import FeaturePipeline
from sagetree.tables.table import Source, Table
features = (Number(column="a"), Category(column="b", categories=("u",)))
made = FeaturePipeline(missing_values=(), unknown_category="missing", features=features)
for a, b in (["1", "2"], ["u", "v"]), (["1", ""], ["u", ""]), (["1", "x"], ["u", "u"]):
    try:
        made.transform(Table(("a", "b"), (a, b), 2, True, (Source(2),)))
    except SchemaError as error:
        assert "'x'" in str(error)
sys.exit("pyarrow" in sys.modules)
"""


def test_lists_of_cells_load_no_arrow() -> None:
    """It takes 40 MB of a worker, and the first request that has it .3 s."""
    subprocess.run([sys.executable, "-c", LISTS], check=True, timeout=60)
