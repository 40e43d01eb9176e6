"""ROC and precision-recall curves, thin enough for a JSON file."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sagetree.boosters.scoring import Scores
from sagetree.tables.label import Labels

Floats = NDArray[np.float64]

# More than a chart has pixels; two curves of it take some 80 kB of JSON.
MOST_POINTS = 1000


@dataclass(frozen=True)
class RocCurve:
    """True over false positive rates, from (0, 0) to (1, 1)."""

    false_positive_rates: tuple[float, ...]
    true_positive_rates: tuple[float, ...]

    @classmethod
    def of(cls, labels: Labels, scores: Scores) -> "RocCurve":
        """Return scikit-learn's curve, thinned to 1000 points; `labels` hold 0 and 1."""
        false, true = roc_points(labels, scores)
        keep = thin(false, true)
        return cls(tuple(false[keep].tolist()), tuple(true[keep].tolist()))


@dataclass(frozen=True)
class PrecisionRecallCurve:
    """Precision over recall, by ascending recall, from scikit-learn's (recall 0, precision 1)."""

    precisions: tuple[float, ...]
    recalls: tuple[float, ...]

    @classmethod
    def of(cls, labels: Labels, scores: Scores) -> "PrecisionRecallCurve":
        """Return scikit-learn's curve, thinned to 1000 points; `labels` hold 0 and 1."""
        precision, recall = precision_recall_points(labels, scores)
        keep = thin(recall, precision)
        return cls(tuple(precision[keep].tolist()), tuple(recall[keep].tolist()))


def counts_from_above(labels: Labels, scores: Scores) -> tuple[Floats, Floats]:
    """Return how many negative and positive rows reach each distinct score, the highest first."""
    order = np.argsort(scores, kind="stable")[::-1]
    ends = np.append(np.flatnonzero(np.diff(scores[order])), len(scores) - 1)
    hits = np.cumsum(labels[order] == 1, dtype=np.float64)[ends]
    return 1 + ends - hits, hits


def roc_points(labels: Labels, scores: Scores) -> tuple[Floats, Floats]:
    """Return false and true positive rates from (0, 0) on, less points inside of straight lines."""
    false, true = counts_from_above(labels, scores)
    if len(false) > 2:
        corner = (np.diff(false, 2) != 0) | (np.diff(true, 2) != 0)
        keep = np.concatenate([[True], corner, [True]])
        false, true = false[keep], true[keep]
    false, true = np.append(0.0, false), np.append(0.0, true)
    return false / false[-1], true / true[-1]


def auc_of(labels: Labels, scores: Scores) -> float:
    """Return the area under the ROC curve; of scores that tie the middle, as scikit-learn does."""
    false, true = roc_points(labels, scores)
    return float(np.trapezoid(true, false))


def average_precision_of(labels: Labels, scores: Scores) -> float:
    """Return the mean of the precision over the steps of the recall."""
    false, true = counts_from_above(labels, scores)
    precision, recall = true / (true + false), true / true[-1]
    return float(np.sum(np.diff(recall, prepend=0.0) * precision))


def precision_recall_points(labels: Labels, scores: Scores) -> tuple[Floats, Floats]:
    """Return precision and recall from (1, 0) on, of points of one recall the outer ones."""
    false, true = counts_from_above(labels, scores)
    if len(false) > 2:
        outer = (np.diff(true[:-1]) != 0) | (np.diff(true[1:]) != 0)
        keep = np.concatenate([[True], outer, [True]])
        false, true = false[keep], true[keep]
    return np.append(1.0, true / (true + false)), np.append(0.0, true / true[-1])


def thin(
    x: NDArray[np.float64], y: NDArray[np.float64], points: int = MOST_POINTS
) -> NDArray[np.intp]:
    """Return the numbers of at most `points` points that keep a curve's shape, ends included.

    They lie at equal steps along the curve, its length measured as |dx| + |dy|,
    so that steep parts keep as many as flat ones. A point that is left out is
    then nearer than one step, length / (points - 1), to one that is kept: for
    a ROC curve, whose length is 2, that is 0.002.
    """
    if len(x) <= points:
        return np.arange(len(x))
    length = np.append(0.0, np.cumsum(np.abs(np.diff(x)) + np.abs(np.diff(y))))
    steps = np.linspace(0, length[-1], points)[1:-1]
    inner = np.searchsorted(length, steps)
    return np.unique(np.concatenate(([0], inner, [len(x) - 1])))
