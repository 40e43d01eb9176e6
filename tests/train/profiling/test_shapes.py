"""Quantiles, histograms and bars, against plain counting."""

import numpy as np
import pandas as pd
import pytest

from sagetree.evaluate.report.columns import CodedColumn
from sagetree.train.profiling.groups import RowGroups
from sagetree.train.profiling.shapes import (
    QUANTILES,
    Bars,
    GroupedHistogram,
    number_facts,
    shape_of,
)

RANDOM = np.random.default_rng(5)
VALUES = np.append(RANDOM.normal(size=500), [np.nan, 60.0, -70.0])
GROUPS = RowGroups(("a", "b"), (np.arange(len(VALUES)) % 3 == 0).astype(np.int8))


def test_number_facts_are_those_of_pandas() -> None:
    facts, series = number_facts(VALUES), pd.Series(VALUES)
    assert facts is not None
    assert facts.quantiles == pytest.approx(series.quantile(list(QUANTILES)).tolist())
    assert (facts.mean, facts.deviation) == pytest.approx((series.mean(), series.std()))
    low, high = series.quantile([0.25, 0.75])
    far = 3 * (high - low)
    assert facts.outliers == ((series < low - far) | (series > high + far)).sum() == 2
    assert number_facts(np.array([np.nan])) is None


def test_where_the_quartiles_are_equal_nothing_is_an_outlier() -> None:
    facts = number_facts(np.append(np.zeros(50), 9.0))
    assert facts is not None
    assert facts.outliers == 0


def test_a_histogram_counts_each_group_between_its_edges() -> None:
    shape = shape_of(CodedColumn("x", "number", VALUES), GROUPS)
    assert isinstance(shape, GroupedHistogram)
    for number in (0, 1):
        of_group = VALUES[GROUPS.codes == number]
        for place, count in enumerate(shape.counts[number]):
            low, high = shape.edges[place : place + 2]
            is_last = place == len(shape.edges) - 2
            expected = (of_group >= low) & ((of_group <= high) if is_last else (of_group < high))
            assert count == expected.sum()
    assert shape.beyond == 2
    assert shape.counts.sum() == 500


def test_bins_of_whole_numbers_hold_equally_many_of_them() -> None:
    values = np.repeat(np.arange(18.0, 71.0), 4)
    shape = shape_of(CodedColumn("age", "number", values), RowGroups.one(len(values)))
    assert isinstance(shape, GroupedHistogram)
    assert set(shape.counts[0][:-1].tolist()) == {8}
    assert shape.counts.sum() == len(values)


def test_few_numbers_and_categories_are_bars_with_exact_counts() -> None:
    codes = RANDOM.integers(0, 15, len(VALUES)).astype(float)
    codes[5] = np.nan
    names = tuple(f"w{n}" for n in range(15))
    shape = shape_of(CodedColumn("c", "category", codes, names), GROUPS)
    assert isinstance(shape, Bars)
    counts = pd.Series(codes).value_counts()
    assert [*shape.counts.sum(axis=0)] == counts.to_list()[:10]
    assert shape.more == 5
    first = names.index(shape.names[0])
    assert shape.counts[1, 0] == ((codes == first) & (GROUPS.codes == 1)).sum()
    few = shape_of(CodedColumn("n", "number", np.array([2.0, 0.5, 2.0, np.nan])), RowGroups.one(4))
    assert isinstance(few, Bars)
    assert (few.names, few.counts.tolist(), few.more) == (("0.5", "2"), [[1, 2]], 0)
    assert shape_of(CodedColumn("n", "number", np.full(3, np.nan)), RowGroups.one(3)) is None


def test_ordered_categories_keep_their_order() -> None:
    column = CodedColumn("o", "ordinal", np.array([1.0, 1.0, 0.0]), ("low", "high"))
    shape = shape_of(column, RowGroups.one(3))
    assert isinstance(shape, Bars)
    assert (shape.names, shape.counts.tolist()) == (("low", "high"), [[1, 2]])


def test_groups_of_a_label_are_its_classes_or_quarters() -> None:
    two = RowGroups.of(CodedColumn("y", "boolean", np.array([0.0, 1, 1]), ("no", "yes")))
    assert (two.names, two.sizes.tolist()) == (("y = no", "y = yes"), [1, 2])
    codes = np.repeat(np.arange(6.0), [1, 9, 2, 8, 3, 7])
    many = RowGroups.of(CodedColumn("y", "category", codes, tuple("abcdef")))
    assert many.names == ("y = b", "y = d", "y = f", "other classes")
    assert many.sizes.tolist() == [9, 8, 7, 6]
    quarters = RowGroups.of(CodedColumn("y", "number", np.arange(1.0, 10.0)))
    assert quarters.names == ("y to 3", "y between", "y from 7")
    assert quarters.sizes.tolist() == [3, 3, 3]
    # of a label with few values some parts are empty
    assert RowGroups.of(CodedColumn("y", "number", np.array([0.0, 0, 0, 5]))).sizes.sum() == 4
