"""How good scores are: what is measured of each kind of label, on one fold's rows."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from sklearn.metrics import brier_score_loss, log_loss, r2_score, roc_auc_score

from bench.quality.table import BINARY, MULTICLASS, REGRESSION, FloatArray

# No probability counts as further from 0 or 1 than this: one wrong row would decide alone.
LEAST = 1e-7

BINS = 10

# A slope this far from 1 is as bad as any: of a few rows that a model separates it has no end.
FARTHEST = 1.0


class Measure(NamedTuple):
    """A measure: (labels, scores) -> value; `sign` is 1 where more is better, else -1."""

    name: str
    of: Callable[[FloatArray, FloatArray], float]
    sign: int


def calibration_slope(labels: FloatArray, scores: FloatArray) -> float:
    """Return the slope of a logistic regression of the labels on the scores' log odds.

    1 is right; less is too sure of itself, more not sure enough.
    """
    inside = np.clip(scores, LEAST, 1 - LEAST)
    rows = np.stack([np.ones(len(labels)), np.log(inside / (1 - inside))], axis=1)
    found = np.array([0.0, 1.0])
    for _ in range(50):
        expected = 1 / (1 + np.exp(-np.clip(rows @ found, -30, 30)))
        # The small term keeps the step finite where all rows have the same score.
        curvature = (rows.T * (expected * (1 - expected))) @ rows + 1e-6 * np.eye(2)
        step = np.linalg.solve(curvature, rows.T @ (labels - expected))
        found = found + np.clip(step, -1, 1)
        if abs(step).max() < 1e-9:
            break
    return float(found[1])


def calibration_error(labels: FloatArray, scores: FloatArray) -> float:
    """Return the expected calibration error: mean |label - score| of ten bins of as many rows."""
    order = np.argsort(scores, kind="stable")
    # Rows of one score have no order of their own: each counts as the mean of their labels.
    _, place, count = np.unique(scores, return_inverse=True, return_counts=True)
    means = (np.bincount(place, weights=labels) / count)[place]
    bins = np.array_split(order, BINS)
    return float(sum(abs((means[rows] - scores[rows]).sum()) for rows in bins) / len(labels))


def _auc(labels: FloatArray, scores: FloatArray) -> float:
    return float(roc_auc_score(labels, scores))


def _log_loss(labels: FloatArray, scores: FloatArray) -> float:
    return float(log_loss(labels, np.clip(scores, LEAST, 1 - LEAST), labels=[0, 1]))


def _log_loss_of_classes(labels: FloatArray, scores: FloatArray) -> float:
    inside = np.clip(scores, LEAST, 1)
    inside /= inside.sum(axis=1, keepdims=True)
    return float(log_loss(labels, inside, labels=range(inside.shape[1])))


def _brier(labels: FloatArray, scores: FloatArray) -> float:
    return float(brier_score_loss(labels, np.clip(scores, 0, 1)))


def _distance_of_slope(labels: FloatArray, scores: FloatArray) -> float:
    return min(abs(calibration_slope(labels, scores) - 1), FARTHEST)


def _r2(labels: FloatArray, scores: FloatArray) -> float:
    return float(r2_score(labels, scores))


def _relative_rmse(labels: FloatArray, scores: FloatArray) -> float:
    return float(np.sqrt(np.mean((labels - scores) ** 2)) / np.std(labels))


MEASURES = {
    BINARY: (
        Measure("AUC", _auc, 1),
        Measure("log loss", _log_loss, -1),
        Measure("Brier score", _brier, -1),
        Measure("ECE", calibration_error, -1),
        Measure("slope from 1", _distance_of_slope, -1),
    ),
    MULTICLASS: (Measure("mlogloss", _log_loss_of_classes, -1),),
    REGRESSION: (Measure("R2", _r2, 1), Measure("RMSE / sd", _relative_rmse, -1)),
}
