"""Labels of every kind: the number each cell is, and what is said about the others."""

import math

import numpy as np
import pyarrow as pa
import pytest
from pydantic import ValidationError

from sagetree.errors import DataError, SchemaError
from sagetree.tables.cells import Cell, MissingValues
from sagetree.tables.label import (
    AnyLabel,
    ClassLabel,
    IntervalLabel,
    Label,
    NumberLabel,
)
from sagetree.tables.label_range import LabelRange
from sagetree.tables.schema import Column, Schema
from sagetree.tables.table import Source, Table
from tests.sagetree.columns import chunked

NOTHING = MissingValues.of(())
CLASSES = ClassLabel(name="y", classes=("a", "b", "10"))
COUNT = NumberLabel(name="y", allowed=LabelRange(low=0, whole=True))
TIMES = IntervalLabel(lower="lo", upper="hi")


def table(*, named: bool = True, **columns: list[Cell]) -> Table:
    rows = len(next(iter(columns.values())))
    source = Source(rows, "t.csv", "line", 2)
    return Table(tuple(columns), tuple(columns.values()), rows, named, (source,))


def test_classes_are_their_place_in_the_list() -> None:
    labels, rest = CLASSES.encode(table(x=[1, 2, 3, 4], y=["b", " a", 10.0, "10"]), NOTHING)
    assert (labels.dtype, labels.tolist()) == (np.float32, [1, 0, 2, 2])
    assert rest.names == ("x",)


SPELLINGS: list[Cell] = [1, "1.0", "+1", "1e0", "01"]


@pytest.mark.parametrize(
    ("negative", "positive", "ones", "others"),
    [
        ("0", "1", [*SPELLINGS, True, "TRUE"], [0, "-0", "false", False]),
        ("false", "true", [*SPELLINGS, True, "True"], [0, "0.0", False]),
        ("-1", "+1", SPELLINGS, [-1, "-1.0"]),
        ("0.5", "1.50", [1.5, "1.5"], ["0.50", ".5"]),
    ],
)
def test_two_numbers_may_be_spelled_differently(
    negative: str, positive: str, ones: list[Cell], others: list[Cell]
) -> None:
    label = Label(name="y", negative=negative, positive=positive)
    cells = [*ones, *others]
    labels, _ = label.encode(table(y=cells, x=[0] * len(cells)), NOTHING)
    assert labels.tolist() == [1] * len(ones) + [0] * len(others)


@pytest.mark.parametrize(
    ("negative", "positive", "cell"),
    [
        ("-1", "1", True),
        ("0", "1", 2),
        ("0", "1", "yes"),
        ("01", "1", "1.00e0"),
        ("no", "1", "1e0"),
    ],
)
def test_what_spells_neither_is_refused(negative: str, positive: str, cell: Cell) -> None:
    label = Label(name="y", negative=negative, positive=positive)
    with pytest.raises(DataError) as caught:
        label.encode(table(y=[positive, cell], x=[0, 0]), NOTHING)
    assert str(caught.value) == (
        f"t.csv line 3, column 'y': the label is '{cell}'. "
        f"Every label must be '{negative}' or '{positive}'"
    )


def test_numbers_are_themselves() -> None:
    cells: list[Cell] = ["1e2", 3, " 2.0 ", True]
    labels, _ = COUNT.encode(table(y=cells, x=[0] * 4), NOTHING)
    assert (labels.dtype, labels.tolist()) == (np.float32, [100, 3, 2, 1])


@pytest.mark.parametrize("as_arrow", [False, True])
def test_bounds_stand_side_by_side_and_no_upper_one_is_infinity(as_arrow: bool) -> None:
    upper: list[Cell] = ["1.5", "", "inf", "2"]
    rows = table(lo=["1.5", "1", "0", "1"], x=["", "", "", ""], hi=upper)
    if as_arrow:
        columns = tuple(chunked(cells, pa.string()) for cells in rows.columns)
        rows = Table(rows.names, columns, 4, True, rows.sources)
    labels, rest = TIMES.encode(rows, NOTHING)
    assert labels.tolist() == [[1.5, 1.5], [1, math.inf], [0, math.inf], [1, 2]]
    assert rest.names == ("x",)


def test_a_declared_missing_value_is_no_upper_bound() -> None:
    rows = table(lo=["1", "2"], hi=["-9", "3"])
    labels, _ = TIMES.encode(rows, MissingValues.of(["-9"]))
    assert labels[0].tolist() == [1, math.inf]


MANY = ClassLabel(name="y", classes=tuple(f"c{n}" for n in range(12)))
TEN = ", ".join(f"'c{n}'" for n in range(10))


@pytest.mark.parametrize(
    ("label", "cells", "text"),
    [
        (CLASSES, ["a", "c"], "the label is 'c'. Every label must be one of 'a', 'b', '10'"),
        (
            CLASSES,
            ["a", None],
            "the label is empty. Leave out the rows without a label. "
            "Every label must be one of 'a', 'b', '10'",
        ),
        (MANY, ["c1", "d"], f"the label is 'd'. Every label must be one of {TEN}, ... (12 in all)"),
        (COUNT, [1, -1], "the label is '-1'. Every label must be a whole number from 0"),
        (COUNT, [1, 0.5], "the label is '0.5'. Every label must be a whole number from 0"),
        (COUNT, [1, "no"], "the label is 'no'. Every label must be a whole number from 0"),
        (
            COUNT,
            [1, math.nan],
            "the label is empty. Leave out the rows without a label. "
            "Every label must be a whole number from 0",
        ),
    ],
)
def test_labels_that_are_none(label: AnyLabel, cells: list[Cell], text: str) -> None:
    with pytest.raises(DataError) as caught:
        label.encode(table(y=cells, x=[0, 0]), NOTHING)
    assert str(caught.value) == f"t.csv line 3, column 'y': {text}"


def test_the_first_wrong_row_is_named() -> None:
    with pytest.raises(DataError, match="the label is '-1'"):
        COUNT.encode(table(y=[1, -1, "no", 0.5], x=[0] * 4), NOTHING)


@pytest.mark.parametrize(
    ("allowed", "words"),
    [
        (LabelRange(), "a number"),
        (LabelRange(low=0, above=True), "a number above 0"),
        (LabelRange(low=-1, above=True), "a number above -1"),
        (LabelRange(low=0, high=31, whole=True), "a whole number from 0 to 31"),
    ],
)
def test_ranges_in_words(allowed: LabelRange, words: str) -> None:
    assert allowed.words == words
    low = -5.0 if allowed.low is None else allowed.low
    fits = allowed.fits(np.array([low, low + 1, low + 1.5, 1e9, math.nan]))
    assert fits.tolist() == [
        not allowed.above, True, not allowed.whole, allowed.high is None, False
    ]  # fmt: skip


def test_two_bounds_need_two_columns() -> None:
    with pytest.raises(ValidationError, match="two columns are needed"):
        IntervalLabel(lower="t", upper="t")


@pytest.mark.parametrize(
    "label", [Label(name="y", negative="0", positive="1"), CLASSES, COUNT, TIMES]
)
def test_a_schema_keeps_its_label_and_no_request_may_hold_it(label: AnyLabel) -> None:
    columns = (
        Column(name="x", kind="number", missing=0, distinct=2),
        Column(name="w", kind="weight", missing=0, distinct=0),
    )
    schema = Schema(columns=columns, label=label, named=True)
    assert Schema.model_validate_json(schema.model_dump_json()) == schema
    assert schema.arrange(table(w=[1], x=[5])).columns == ([5],)
    for name in label.columns:
        assert schema.is_header((name, "x", "w"))
        with pytest.raises(SchemaError) as caught:
            schema.arrange(table(**{name: [1], "x": [2]}))
        assert str(caught.value) == (
            f"t.csv: column '{name}' is the label: leave it out of the request. The model needs x"
        )
