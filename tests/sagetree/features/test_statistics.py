"""Statistics of the label for categories: what serving makes of a cell."""

import math

import numpy as np
import pytest
from pydantic import ValidationError

from sagetree.errors import SchemaError
from sagetree.features.base import UNSEEN
from sagetree.features.number import Number
from sagetree.features.pipeline import FeaturePipeline
from sagetree.features.statistics import ClassShares, ManyCategories, TargetMean
from sagetree.tables.cells import Cell
from sagetree.tables.table import OneRow, Source, Table
from tests.sagetree.columns import table

# -1 is a mean that labels may have
MEANS = TargetMean(column="c", categories=("1", "a", "b"), means=(0.5, -1.0, 0.25), mean=0.125)
SHARES = ClassShares(
    column="c",
    categories=("1", "a"),
    classes=("fox", "owl"),
    shares=((0.75, 0.25), (0.0, 1.0), (0.5, 0.5)),
)
MANY = ManyCategories(column="c", categories=("1", "a"))


def pipeline(*features: object, unknown: str = "missing") -> FeaturePipeline:
    return FeaturePipeline(missing_values=("?",), unknown_category=unknown, features=features)


def test_no_number_of_float32_is_taken_for_a_category_never_seen() -> None:
    assert float(np.float32(UNSEEN)) != UNSEEN


@pytest.mark.parametrize(
    ("feature", "expected"),
    [
        (MEANS, [[-1.0], [0.5], [0.5], [0.125], [math.nan], [math.nan]]),
        (
            SHARES,
            [[0.0, 1.0], [0.75, 0.25], [0.75, 0.25], [0.5, 0.5], [math.nan] * 2, [math.nan] * 2],
        ),
        (MANY, [[1], [0], [0], [2], [math.nan], [math.nan]]),
    ],
)
def test_a_new_category_is_as_all_rows_are_and_a_missing_one_is_missing(
    feature: object, expected: list[list[float]]
) -> None:
    made = pipeline(feature, Number(column="x"))
    cells: list[Cell] = [" a ", "1.0", 1, "new", "?", None]
    found = made.transform(table(c=cells, x=[2] * 6))
    np.testing.assert_array_equal(found.values[:, :-1], np.array(expected, np.float32))
    assert found.unseen == ((3, "c"),)
    for number, cell in enumerate(cells):  # the way of one row
        row = Table(("c", "x"), OneRow([cell, 2]), 1, True, (Source(1),))
        alone = made.transform(row)
        np.testing.assert_array_equal(alone.values, found.values[number : number + 1])
        assert alone.unseen == (((0, "c"),) if cell == "new" else ())


def test_a_new_category_can_be_refused() -> None:
    with pytest.raises(SchemaError, match="training did not see"):
        pipeline(MEANS, unknown="error").transform(table(c=["a", "new"]))


def test_names_and_types() -> None:
    made = pipeline(MEANS, SHARES.model_copy(update={"column": "d"}), Number(column="x"))
    assert made.names == ("c", "d.fox", "d.owl", "x")
    assert made.types == ("q",) * 4
    assert made.owners == (0, 1, 1, 2)
    assert made.misses_unseen == frozenset()
    again = FeaturePipeline.model_validate_json(made.model_dump_json())
    assert again == made
    assert [type(feature) for feature in again.features] == [TargetMean, ClassShares, Number]


@pytest.mark.parametrize(
    ("feature", "changes", "error"),
    [
        (MEANS, {"means": (0.5,)}, "every category needs its mean"),
        (SHARES, {"shares": ((0.5, 0.5),)}, "every category needs its shares, and so do all rows"),
        (SHARES, {"classes": ("fox",)}, "every class needs its share"),
    ],
)
def test_a_statistic_is_there_for_each(
    feature: TargetMean | ClassShares, changes: dict[str, object], error: str
) -> None:
    with pytest.raises(ValidationError, match=error):
        type(feature).model_validate(feature.model_dump() | changes)
