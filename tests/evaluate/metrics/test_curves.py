"""Curves equal scikit-learn's, and keep their shape when they are thinned."""

import numpy as np
import pytest
from hypothesis import given
from sklearn.metrics import auc, precision_recall_curve, roc_curve

from sagetree.evaluate.metrics.curves import PrecisionRecallCurve, RocCurve
from sagetree.evaluate.metrics.thinning import MOST_POINTS, thin
from tests.evaluate.labelled import labelled, realistic


@given(labelled())
def test_small_curves_are_scikit_learns(rows):
    false, true, _ = roc_curve(*rows)
    precision, recall, _ = precision_recall_curve(*rows, drop_intermediate=True)

    roc, curve = RocCurve.of(*rows), PrecisionRecallCurve.of(*rows)

    assert roc == RocCurve(tuple(false), tuple(true))
    assert curve == PrecisionRecallCurve(tuple(precision[::-1]), tuple(recall[::-1]))


def farthest(x, y, kept_x, kept_y):
    """How far a point of a curve is at most from the nearest kept one, as |dx| + |dy|."""
    away = np.abs(np.subtract.outer(x, kept_x)) + np.abs(np.subtract.outer(y, kept_y))
    return away.min(axis=1).max()


@pytest.mark.parametrize(("count", "share"), [(8000, 0.5), (20_000, 0.03)])
def test_large_curves_keep_their_shape(count, share):
    rows = realistic(count, share)
    false, true, _ = roc_curve(*rows)
    precision, recall, _ = precision_recall_curve(*rows, drop_intermediate=True)

    roc, curve = RocCurve.of(*rows), PrecisionRecallCurve.of(*rows)

    x, y = roc.false_positive_rates, roc.true_positive_rates
    assert len(x) == len(y) <= MOST_POINTS < len(false)
    assert (x[0], y[0], x[-1], y[-1]) == (0, 0, 1, 1)
    assert farthest(false, true, x, y) <= 2 / (MOST_POINTS - 1)
    assert auc(x, y) == pytest.approx(auc(false, true), abs=1e-4)
    x, y = curve.recalls, curve.precisions
    assert len(x) == len(y) <= MOST_POINTS
    assert (x[0], y[0], x[-1]) == (0, 1, 1)
    assert farthest(recall, precision, x, y) <= 0.01
    assert auc(x, y) == pytest.approx(auc(recall, precision), abs=1e-3)


@given(labelled(most=60))
def test_a_left_out_point_is_nearer_than_a_step_to_a_kept_one(rows):
    x, y, _ = roc_curve(*rows, drop_intermediate=False)
    points = 7

    kept = thin(x, y, points)

    assert len(kept) <= points
    assert {0, len(x) - 1} <= set(kept.tolist())
    assert farthest(x, y, x[kept], y[kept]) <= 2 / (points - 1) + 1e-12


def test_a_short_curve_is_not_thinned():
    line = np.linspace(0, 1, 5)

    assert thin(line, line, 5).tolist() == [0, 1, 2, 3, 4]
