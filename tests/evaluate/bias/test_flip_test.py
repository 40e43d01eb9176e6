"""The flip test on rows that one can see: who the nearest others are."""

import numpy as np
import pytest

from sagetree.evaluate.bias.counts import MetricError
from sagetree.evaluate.bias.flip_test import MOST_ROWS, flip_test, places_of, rows_of_test
from sagetree.features.category import Category, OneHot
from sagetree.features.mixed import Mixed
from sagetree.features.number import Number
from sagetree.features.pipeline import FeaturePipeline


def test_neighbours_outside_the_facet_say_what_would_be_predicted() -> None:
    """Ten others on a line, favoured from 5 on: members at 1, 2 and 8 would be as these are."""
    others = np.arange(10.0)
    members = np.array([1.1, 2.1, 8.1])
    places = np.append(others, members)[:, None]
    inside = np.arange(13) >= 10
    favoured = np.append(others >= 5, [True, True, False])
    assert flip_test(places, inside, favoured) == pytest.approx((2 - 1) / 3)
    # as they are predicted, they are treated alike
    assert flip_test(places, inside, np.append(others >= 5, [False, False, True])) == 0


def test_of_few_others_one_neighbour_counts() -> None:
    """Of five all would count at once."""
    places = np.array([0.0, 1, 2, 3, 4, 3.9])[:, None]
    inside = np.arange(6) == 5
    favoured = np.array([False, False, False, False, True, False])
    assert flip_test(places, inside, favoured) == -1


def test_a_missing_cell_or_an_empty_part_is_said() -> None:
    places = np.array([[0.0], [np.nan], [1.0]])
    inside = np.array([True, False, False])
    with pytest.raises(MetricError, match="The flip test needs whole rows, and 1 have missing"):
        flip_test(places, inside, inside)
    with pytest.raises(MetricError, match=r"^Facet set is empty$"):
        flip_test(places[:1], np.array([False]), np.array([True]))
    with pytest.raises(MetricError, match=r"^Negated facet set is empty$"):
        flip_test(places[:1], np.array([True]), np.array([True]))


def test_a_column_of_numbers_and_words_has_no_distances() -> None:
    """Each row lacks one of its two features: no cell is missing."""
    number, words = Number(column="code"), Category(column="code", categories=("a",))
    features = FeaturePipeline(
        missing_values=(),
        unknown_category="missing",
        features=(Mixed(column="code", number=number, words=words), Number(column="amount")),
    )
    matrix = np.array([[5, np.nan, 1], [np.nan, 0, 2]], np.float32)
    problem = r"^The flip test has no distances in column 'code', which holds numbers and words$"
    with pytest.raises(MetricError, match=problem):
        places_of(features, matrix, "amount")
    assert places_of(features, matrix, "code").tolist() == [[1], [2]]


def test_categories_are_their_indicators_and_the_facets_own_column_is_none() -> None:
    features = FeaturePipeline(
        missing_values=(),
        unknown_category="missing",
        features=(
            Number(column="amount"),
            Category(column="kind", categories=("a", "b", "c")),
            OneHot(column="sex", categories=("f", "m")),
        ),
    )
    matrix = np.array([[5, 0, 1, 0], [6, 2, 0, 1], [7, np.nan, 1, 0]], np.float32)
    assert np.array_equal(
        places_of(features, matrix, "sex"),
        [[5, 1, 0], [6, 0, 1], [7, np.nan, np.nan]],
        equal_nan=True,
    )
    assert places_of(features, matrix, "kind").tolist() == [[5, 1, 0], [6, 0, 1], [7, 1, 0]]


def test_of_many_rows_some_are_taken_evenly() -> None:
    assert rows_of_test(3).tolist() == [0, 1, 2]
    some = rows_of_test(4 * MOST_ROWS)
    assert len(some) == MOST_ROWS
    assert {*np.diff(some)} <= {4, 3, 5}
