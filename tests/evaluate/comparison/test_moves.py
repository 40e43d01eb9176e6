"""Metrics and how much each row moves them: values, derivatives, and DeLong's own example."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagetree.evaluate.comparison.moves import (
    Moved,
    moved_auc,
    moved_average_precision,
    moved_mean,
    moved_r2,
    moved_root,
)
from sagetree.evaluate.metrics.weighted import average_precision, roc_auc
from tests.evaluate.labelled import Labelled, labelled

# DeLong, DeLong and Clarke-Pearson (1988), ovarian cancer: albumin, total protein, K-G score (the
# lower the better), and whether surgery helped.
OVARIAN = """
3.0 5.8 10 0   3.2 6.3  5 1   3.9 6.8  3 1   2.8 4.8  6 0   3.2 5.8  3 1   0.9 4.0  5 0
2.5 5.7  8 0   1.6 5.6  5 1   3.8 5.7  5 1   3.7 6.7  6 1   3.2 5.4  4 1   3.8 6.6  6 1
4.1 6.6  5 1   3.6 5.7  5 1   4.3 7.0  4 1   3.6 6.7  4 0   2.3 4.4  6 1   4.2 7.6  4 0
4.0 6.6  6 0   3.5 5.8  6 1   3.8 6.8  7 1   3.0 4.7  8 0   4.5 7.4  5 1   3.7 7.4  5 1
3.1 6.6  6 1   4.1 8.2  6 1   4.3 7.0  5 1   4.3 6.5  4 1   3.2 5.1  5 1   2.6 4.7  6 1
3.3 6.8  6 0   1.7 4.0  7 0   3.7 6.1  5 1   3.3 6.3  7 1   4.2 7.7  6 1   3.5 6.2  5 1
2.9 5.7  9 0   2.1 4.8  7 1   2.8 6.2  8 0   4.0 7.0  7 1   3.3 5.7  6 1   3.7 6.9  5 1
3.6 6.6  5 1
"""


def deviation(moves: np.ndarray, *strata: np.ndarray) -> float:
    parts = [s.sum() / (s.sum() - 1) * float(moves[s] @ moves[s]) for s in strata]
    return float(np.sqrt(sum(parts)))


def test_delongs_example_has_the_published_areas_and_standard_errors() -> None:
    data = np.array(OVARIAN.split(), float).reshape(-1, 4)
    positive, ones = data[:, 3] == 1, np.ones(len(data))
    both = positive, ~positive
    albumin, protein, score = (
        moved_auc(positive, values, ones) for values in (data[:, 0], data[:, 1], -data[:, 2])
    )
    areas = [(round(each.value, 4), round(deviation(each.moves, *both), 4))
             for each in (albumin, protein, score)]  # fmt: skip
    assert areas == [(0.7366, 0.0927), (0.6478, 0.1000), (0.7258, 0.1028)]
    assert round(deviation(albumin.moves - score.moves, *both), 4) == 0.0953
    assert round(deviation(protein.moves - score.moves, *both), 4) == 0.1046


def test_an_example_worked_by_hand() -> None:
    # positives at 3 and 1, negatives at 2 and 0: of four pairs three are right
    positive = np.array([True, True, False, False])
    found = moved_auc(positive, np.array([3.0, 1.0, 2.0, 0.0]), np.ones(4))
    assert found.value == 0.75
    # the positives are above all and half of the negatives, these below half and all of them
    assert found.moves.tolist() == [0.125, -0.125, -0.125, 0.125]


@given(labelled(), st.data())
def test_the_values_are_those_of_evaluations(rows: Labelled, data: st.DataObject) -> None:
    labels, scores = rows
    drawn = st.lists(st.floats(0.125, 9, width=32), min_size=len(labels), max_size=len(labels))
    weights = np.array(data.draw(drawn), np.float32)
    wide = weights.astype(np.float64)
    positive, ordered = labels == 1, scores.astype(np.float64)
    area = moved_auc(positive, ordered, wide)
    precision = moved_average_precision(positive, ordered, wide)
    assert area.value == pytest.approx(roc_auc(labels, scores, weights))
    assert precision.value == pytest.approx(average_precision(labels, scores, weights))
    assert area.moves.sum() == pytest.approx(0, abs=1e-9)
    assert precision.moves.sum() == pytest.approx(0, abs=1e-9)


LABELS = np.array([1, 0, 0, 1, 1, 0, 0, 1.0])
SCORES = np.array([0.9, 0.8, 0.5, 0.5, 0.5, 0.2, 0.1, 0.05])
WEIGHTS = np.array([1, 2, 0.5, 1, 3, 1, 1, 1.5])
ERRORS = (LABELS - SCORES) ** 2


@pytest.mark.parametrize(
    "measured",
    [
        lambda w: moved_average_precision(LABELS == 1, SCORES, w),
        lambda w: moved_auc(LABELS == 1, SCORES, w),
        lambda w: moved_mean(ERRORS, w),
        lambda w: moved_root(moved_mean(ERRORS, w)),
        lambda w: moved_r2(LABELS, moved_mean(ERRORS, w), w),
    ],
    ids=["average precision", "auc", "mean", "rmse", "r2"],
)
def test_a_rows_move_is_the_derivative_by_its_weight(
    measured: Callable[[np.ndarray], Moved],
) -> None:
    found = measured(WEIGHTS).moves
    for row in range(len(LABELS)):
        more, less = WEIGHTS.copy(), WEIGHTS.copy()
        more[row] *= 1 + 1e-6
        less[row] *= 1 - 1e-6
        slope = (measured(more).value - measured(less).value) / 2e-6
        assert found[row] == pytest.approx(slope, abs=1e-8)


def test_a_root_of_nothing_is_moved_by_no_row() -> None:
    assert moved_root(moved_mean(np.zeros(3), np.ones(3))).moves.tolist() == [0, 0, 0]
