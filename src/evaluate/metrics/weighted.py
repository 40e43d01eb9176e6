"""Metrics in numpy, of weighted rows: what training needs in its rounds and of its held-out rows.

They equal scikit-learn's on the same predictions without importing it: that
costs a process 1.3 s and 100 MB, and a bootstrap would call it 200 times for
each metric. So each stands here once, for rounds, resamples and evaluations.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Values = NDArray[Any]

# A probability is kept off 0 and 1 by as much as float32 is exact there.
_EPSILON = float(np.finfo(np.float32).eps)


@dataclass(frozen=True)
class Predicted:
    """Rows with their labels (n), what was predicted of them, and their weights (n) or None.

    `predictions` are probabilities of the label 1 (n), of each class (n, k),
    class numbers (n) with `are_classes`, or values (n). A row is called 1 from
    `threshold` on, or where that is None above 0.5.
    """

    labels: Values
    predictions: Values
    weights: NDArray[np.float32] | None = None
    are_classes: bool = False
    threshold: float | None = None

    @cached_property
    def true_classes(self) -> NDArray[np.intp]:
        """The label of each row as a class number (n)."""
        return self.labels.astype(np.intp)

    @cached_property
    def classes(self) -> NDArray[np.intp]:
        """The class each row is called (n): the likeliest, of two the first if they tie."""
        if self.predictions.ndim == 2:
            return np.asarray(self.predictions.argmax(axis=1), np.intp)
        if self.are_classes:
            return self.predictions.astype(np.intp)
        if self.threshold is not None:
            return (self.predictions >= self.threshold).astype(np.intp)
        return (self.predictions > 0.5).astype(np.intp)

    @cached_property
    def confusion(self) -> Floats:
        """The weight of the rows by true and called class (k, k)."""
        size = 1 + int(max(1, self.true_classes.max(), self.classes.max()))
        return confusion_matrix(self.true_classes, self.classes, size, self.weights)

    @cached_property
    def present(self) -> NDArray[np.bool_]:
        """For each class (k) whether any row has it or is called it, whatever it weighs."""
        size = len(self.confusion)
        return (
            np.bincount(self.true_classes, minlength=size)
            + np.bincount(self.classes, minlength=size)
        ) > 0

    @cached_property
    def errors(self) -> Floats:
        """How much each label is above its prediction (n)."""
        return self.labels.astype(np.float64) - self.predictions

    @cached_property
    def squared_errors(self) -> Floats:
        """The square of each row's error (n)."""
        return self.errors**2

    def mean(self, values: Floats) -> float:
        """Return the weighted mean of one value a row (n), NaN if no row has weight."""
        part, whole = self.sums(values)
        return part / whole if whole else float("nan")

    def sums(self, values: Floats) -> tuple[float, float]:
        """Return the weighted sum of values, and that of the weights."""
        return _sums(values, self.weights)


def accuracy(rows: Predicted, _: float = 0.0) -> float:
    """Return the share of rows that are called what they are."""
    return float(accuracies(rows.confusion))


def balanced_accuracy(rows: Predicted, _: float = 0.0) -> float:
    """Return the mean recall over the classes there are."""
    return float(recalls(rows.confusion)[rows.confusion.sum(axis=1) > 0].mean())


def f1_binary(rows: Predicted, _: float = 0.0) -> float:
    """Return the F1 of the label 1."""
    return float(f_scores(rows.confusion)[1])


def f1_macro(rows: Predicted, _: float = 0.0) -> float:
    """Return the mean F1 over classes."""
    return float(f_scores(rows.confusion)[rows.present].mean())


def precision_binary(rows: Predicted, _: float = 0.0) -> float:
    """Return the share of rows called 1 that are."""
    return float(precisions(rows.confusion)[1])


def precision_macro(rows: Predicted, _: float = 0.0) -> float:
    """Return the mean precision over classes."""
    return float(precisions(rows.confusion)[rows.present].mean())


def recall_binary(rows: Predicted, _: float = 0.0) -> float:
    """Return the share of the rows with label 1 that are called so."""
    return float(recalls(rows.confusion)[1])


def recall_macro(rows: Predicted, _: float = 0.0) -> float:
    """Return the mean recall over classes."""
    return float(recalls(rows.confusion)[rows.present].mean())


def aucpr(rows: Predicted, _: float = 0.0) -> float:
    """Return the average precision; of several classes, each against the rest by its weight."""
    if rows.predictions.ndim == 1:
        return average_precision(rows.labels, rows.predictions, rows.weights)
    of_class = [rows.labels == number for number in range(rows.predictions.shape[1])]
    each = [
        average_precision(labels, scores, rows.weights)
        for labels, scores in zip(of_class, rows.predictions.T, strict=True)
    ]
    shares = [rows.sums(labels.astype(np.float64))[0] for labels in of_class]
    return float(np.average(each, weights=shares))


def recall_at_precision(rows: Predicted, precision: float) -> float:
    """Return the best recall of a threshold from which at least this precision is reached."""
    _, true, called = cumulated(rows.labels, rows.predictions, rows.weights)
    if not len(true) or not true[-1]:
        return 0.0
    enough = true >= precision * called
    return float((true[enough] / true[-1]).max(initial=0.0))


def error(rows: Predicted, threshold: float) -> float:
    """Return the share of rows called wrong, those above `threshold` being called 1."""
    wrong = (rows.predictions > threshold) != (rows.labels > 0.5)
    return rows.mean(wrong.astype(np.float64))


def logloss(rows: Predicted, _: float = 0.0) -> float:
    """Return the mean negative log-likelihood of the label."""
    return rows.mean(log_losses(rows.labels, rows.predictions))


def mse(rows: Predicted, _: float = 0.0) -> float:
    """Return the mean squared error."""
    return rows.mean(rows.squared_errors)


def rmse(rows: Predicted, _: float = 0.0) -> float:
    """Return the root of the mean squared error."""
    return float(np.sqrt(mse(rows)))


def mae(rows: Predicted, _: float = 0.0) -> float:
    """Return the mean absolute error."""
    return rows.mean(np.abs(rows.errors))


def r2(rows: Predicted, _: float = 0.0) -> float:
    """Return the share of the label's variance that is explained; if it has none, 1 or 0.

    Then it is 1 where every label is met.
    """
    labels = rows.labels.astype(np.float64)
    variation, _weight = rows.sums((labels - rows.mean(labels)) ** 2)
    unexplained, _weight = rows.sums(rows.squared_errors)
    return 1 - unexplained / variation if variation else float(unexplained == 0)


def confusion_matrix(
    labels: NDArray[np.intp],
    called: NDArray[np.intp],
    size: int,
    weights: NDArray[np.float32] | None = None,
) -> Floats:
    """Return the weight of the rows by true and called class (size, size)."""
    counts = np.bincount(labels * size + called, weights, minlength=size * size)
    return counts.astype(np.float64).reshape(size, size)


def accuracies(confusion: Floats) -> Floats:
    """Return the share of each matrix (..., k, k) on its diagonal; NaN if it has no weight."""
    hits = np.asarray(np.trace(confusion, axis1=-2, axis2=-1))
    return _share(hits, confusion.sum(axis=(-2, -1)), empty=np.nan)


def precisions(confusion: Floats) -> Floats:
    """Return the precision of each class (..., k) in matrices (..., k, k), 0 if never called."""
    return _share(_hits(confusion), confusion.sum(axis=-2))


def recalls(confusion: Floats) -> Floats:
    """Return the recall of each class (..., k) in matrices (..., k, k), 0 where it has no rows."""
    return _share(_hits(confusion), confusion.sum(axis=-1))


def f_scores(confusion: Floats, beta: float = 1.0) -> Floats:
    """Return the F of each class (..., k) in matrices; recall weighs `beta` times as much."""
    square = beta**2
    wholes = square * confusion.sum(axis=-1) + confusion.sum(axis=-2)
    return _share((1 + square) * _hits(confusion), wholes)


def log_losses(labels: Values, probabilities: Values) -> Floats:
    """Return each row's negative log-likelihood (n) under the probability of the label 1.

    A float32 that rounds to 1 is not certainty, so probabilities are clipped as
    scikit-learn clips them.
    """
    shares = probabilities.astype(np.float64).clip(_EPSILON, 1 - _EPSILON)
    return np.asarray(-np.where(labels > 0.5, np.log(shares), np.log1p(-shares)))


class Cumulated(NamedTuple):
    """For each distinct score, from the highest: it, and the weight of the rows that reach it.

    `true` is that of the rows with label 1, `called` that of all.
    """

    scores: Values
    true: Floats
    called: Floats


def cumulated(
    labels: Values, scores: Values, weights: NDArray[np.float32] | None = None
) -> Cumulated:
    """Return what each distinct score would call positive, were it the threshold.

    Rows without weight are not rows.
    """
    if weights is not None and not weights.all():
        kept = weights > 0
        labels, scores, weights = labels[kept], scores[kept], weights[kept]
    order = np.argsort(-scores)
    ordered = scores[order]
    last = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True)) if len(order) else order
    hits = labels[order] > 0.5
    if weights is None:
        true, called = np.cumsum(hits, dtype=np.float64)[last], (last + 1).astype(np.float64)
    else:
        wide = weights[order].astype(np.float64)
        true, called = np.cumsum(hits * wide)[last], np.cumsum(wide)[last]
    return Cumulated(ordered[last], true, called)


class BestCall(NamedTuple):
    """A threshold, and the weight of rows: true positives, those it calls, all positives."""

    threshold: float
    true: float
    called: float
    positives: float

    @property
    def f1(self) -> float:
        """The F1 it reaches."""
        return 2 * self.true / (self.called + self.positives)


def greatest_f1(
    labels: Values, scores: Values, weights: NDArray[np.float32] | None = None
) -> BestCall:
    """Return the score with the greatest F1, of equals the lowest; without positives no score."""
    distinct, true, called = (values[::-1] for values in cumulated(labels, scores, weights))
    if not len(true) or not true[0]:
        return BestCall(np.inf, 0.0, 0.0, 0.0)
    # A quotient of whole numbers, so that equal F1 are equal to the bit.
    best = int(np.argmax(2 * true / (called + true[0])))
    return BestCall(float(distinct[best]), float(true[best]), float(called[best]), float(true[0]))


def average_precision(
    labels: Values, scores: Values, weights: NDArray[np.float32] | None = None
) -> float:
    """Return the precision at each threshold, weighted by the recall it adds; 0 without labels."""
    _, true, called = cumulated(labels, scores, weights)
    if not len(true) or not true[-1]:
        return 0.0
    return float(np.sum(np.diff(true / true[-1], prepend=0.0) * (true / called)))


def roc_auc(labels: Values, scores: Values, weights: NDArray[np.float32] | None = None) -> float:
    """Return the area under the ROC curve of rows of both labels; a tie counts half."""
    false, true = roc_points(labels, scores, weights)
    return float(np.trapezoid(true, false))


def roc_points(
    labels: Values, scores: Values, weights: NDArray[np.float32] | None = None
) -> tuple[Floats, Floats]:
    """Return the false and true positive rates of rows of both labels, from (0, 0) to (1, 1)."""
    _, true, called = cumulated(labels, scores, weights)
    false = called - true
    if len(false) > 2:  # as scikit-learn, which leaves out points inside of straight lines
        corner = (np.diff(false, 2) != 0) | (np.diff(true, 2) != 0)
        keep = np.concatenate([[True], corner, [True]])
        false, true = false[keep], true[keep]
    false, true = np.append(0.0, false), np.append(0.0, true)
    return false / false[-1], true / true[-1]


def pinball_loss(rows: Predicted, quantile: float) -> float:
    """Return the mean loss that is least where `quantile` of the labels are not above."""
    return rows.mean(np.maximum(quantile * rows.errors, (quantile - 1) * rows.errors))


def _sums(values: Floats, weights: NDArray[np.float32] | None) -> tuple[float, float]:
    if weights is None:
        return float(values.sum()), float(len(values))
    wide = weights.astype(np.float64)
    return float(values @ wide), float(wide.sum())


def _hits(confusion: Floats) -> Floats:
    return np.asarray(np.diagonal(confusion, axis1=-2, axis2=-1))


def _share(parts: Floats, wholes: Floats, empty: float = 0.0) -> Floats:
    """Return parts / wholes, `empty` where a whole is 0."""
    shares = np.full(parts.shape, empty)
    np.divide(parts, wholes, out=shares, where=wholes > 0)
    return shares
