"""Metrics that XGBoost lacks, or means otherwise than scikit-learn: numbers for one round.

They equal scikit-learn's on the same predictions, without importing it, and
are a few passes over the rows: they are computed in every round.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# A probability is kept off 0 and 1 by as much as float32 is exact there.
_EPSILON = float(np.finfo(np.float32).eps)


@dataclass(frozen=True)
class Predicted:
    """Rows with their labels (n), what was predicted of them, and their weights (n) or None.

    `predictions` are probabilities of the label 1 (n), of each class (n, k),
    class numbers (n) with `are_classes`, or values (n).
    """

    labels: NDArray[np.float32]
    predictions: NDArray[np.float32]
    weights: NDArray[np.float32] | None
    are_classes: bool = False

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
        return (self.predictions > 0.5).astype(np.intp)

    @cached_property
    def confusion(self) -> Floats:
        """The weight of the rows by true and called class (k, k)."""
        size = 1 + int(max(1, self.true_classes.max(), self.classes.max()))
        cells = self.true_classes * size + self.classes
        counts = np.bincount(cells, self.weights, minlength=size * size)
        return counts.astype(np.float64).reshape(size, size)

    @cached_property
    def present(self) -> NDArray[np.bool_]:
        """For each class (k) whether any row has it or is called it, whatever it weighs."""
        size = len(self.confusion)
        return (
            np.bincount(self.true_classes, minlength=size)
            + np.bincount(self.classes, minlength=size)
        ) > 0

    def mean(self, values: Floats) -> float:
        """Return the weighted mean of one value a row (n)."""
        return _ratio(*_sums(values, self.weights))


def accuracy(rows: Predicted, _: float) -> float:
    """Return the share of rows that are called what they are."""
    return _ratio(rows.confusion.trace(), rows.confusion.sum())


def balanced_accuracy(rows: Predicted, _: float) -> float:
    """Return the mean recall over the classes there are."""
    totals = rows.confusion.sum(axis=1)
    return float(np.mean(rows.confusion.diagonal()[totals > 0] / totals[totals > 0]))


def f1_binary(rows: Predicted, _: float) -> float:
    """Return the F1 of the label 1."""
    return float(_f1(rows.confusion)[1])


def f1_macro(rows: Predicted, _: float) -> float:
    """Return the mean F1 over classes."""
    return float(_f1(rows.confusion)[rows.present].mean())


def precision_binary(rows: Predicted, _: float) -> float:
    """Return the share of rows called 1 that are."""
    return float(_precision(rows.confusion)[1])


def precision_macro(rows: Predicted, _: float) -> float:
    """Return the mean precision over classes."""
    return float(_precision(rows.confusion)[rows.present].mean())


def recall_binary(rows: Predicted, _: float) -> float:
    """Return the share of the rows with label 1 that are called so."""
    return float(_recall(rows.confusion)[1])


def recall_macro(rows: Predicted, _: float) -> float:
    """Return the mean recall over classes."""
    return float(_recall(rows.confusion)[rows.present].mean())


def aucpr(rows: Predicted, _: float) -> float:
    """Return the average precision; of several classes, each against the rest by its weight."""
    if rows.predictions.ndim == 1:
        return _average_precision(rows.labels, rows.predictions, rows.weights)
    classes = range(rows.predictions.shape[1])
    each = [(rows.labels == number).astype(np.float32) for number in classes]
    precisions = [
        _average_precision(labels, rows.predictions[:, number], rows.weights)
        for number, labels in zip(classes, each, strict=True)
    ]
    shares = [_sums(labels.astype(np.float64), rows.weights)[0] for labels in each]
    return float(np.average(precisions, weights=shares))


def recall_at_precision(rows: Predicted, precision: float) -> float:
    """Return the best recall of a threshold from which at least this precision is reached."""
    true, called = _cumulated(rows.labels, rows.predictions, rows.weights)
    if not len(true) or not true[-1]:
        return 0.0
    enough = true >= precision * called
    return float((true[enough] / true[-1]).max(initial=0.0))


def error(rows: Predicted, threshold: float) -> float:
    """Return the share of rows called wrong, those above `threshold` being called 1."""
    wrong = (rows.predictions > threshold) != (rows.labels > 0.5)
    return rows.mean(wrong.astype(np.float64))


def logloss(rows: Predicted, _: float) -> float:
    """Return the mean negative log-likelihood of the label."""
    likelihood = np.where(rows.labels > 0.5, rows.predictions, 1 - rows.predictions)
    return rows.mean(-np.log(np.clip(likelihood, _EPSILON, 1 - _EPSILON).astype(np.float64)))


def mse(rows: Predicted, _: float) -> float:
    """Return the mean squared error."""
    return rows.mean(_errors(rows) ** 2)


def rmse(rows: Predicted, _: float) -> float:
    """Return the root of the mean squared error."""
    return float(np.sqrt(mse(rows, _)))


def mae(rows: Predicted, _: float) -> float:
    """Return the mean absolute error."""
    return rows.mean(np.abs(_errors(rows)))


def r2(rows: Predicted, _: float) -> float:
    """Return the share of the label's variance that is explained; 0 if it has none."""
    labels = rows.labels.astype(np.float64)
    variance = rows.mean((labels - rows.mean(labels)) ** 2)
    unexplained = mse(rows, _)
    if variance == 0:
        return float(unexplained == 0)
    return 1 - unexplained / variance


def _errors(rows: Predicted) -> Floats:
    return rows.labels.astype(np.float64) - rows.predictions


def _sums(values: Floats, weights: NDArray[np.float32] | None) -> tuple[float, float]:
    """Return the weighted sum of values, and that of the weights."""
    if weights is None:
        return float(values.sum()), float(len(values))
    wide = weights.astype(np.float64)
    return float(values @ wide), float(wide.sum())


def _ratio(part: float, whole: float) -> float:
    return float(part / whole) if whole else float("nan")


def _share(parts: Floats, wholes: Floats) -> Floats:
    """Return parts / wholes, 0 where a whole is 0."""
    return np.divide(parts, wholes, out=np.zeros_like(parts), where=wholes > 0)


def _precision(confusion: Floats) -> Floats:
    return _share(confusion.diagonal().copy(), confusion.sum(axis=0))


def _recall(confusion: Floats) -> Floats:
    return _share(confusion.diagonal().copy(), confusion.sum(axis=1))


def _f1(confusion: Floats) -> Floats:
    called_or_true = confusion.sum(axis=0) + confusion.sum(axis=1)
    return _share(2 * confusion.diagonal(), called_or_true)


def _cumulated(
    labels: NDArray[np.float32],
    predictions: NDArray[np.float32],
    weights: NDArray[np.float32] | None,
) -> tuple[Floats, Floats]:
    """Return for each distinct score, from the highest, the weight of rows at least so high.

    First that of the rows with label 1, then that of all. Rows without weight
    are no rows.
    """
    if weights is not None and not weights.all():
        kept = weights > 0
        labels, predictions, weights = labels[kept], predictions[kept], weights[kept]
    order = np.argsort(-predictions)
    ordered = predictions[order]
    last = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True)) if len(order) else order
    hits = labels[order] > 0.5
    if weights is None:
        return np.cumsum(hits, dtype=np.float64)[last], (last + 1).astype(np.float64)
    ordered_weights = weights[order].astype(np.float64)
    return np.cumsum(hits * ordered_weights)[last], np.cumsum(ordered_weights)[last]


def _average_precision(
    labels: NDArray[np.float32],
    predictions: NDArray[np.float32],
    weights: NDArray[np.float32] | None,
) -> float:
    """Return the precision at each threshold, weighted by the recall it adds; 0 without labels."""
    true, called = _cumulated(labels, predictions, weights)
    if not len(true) or not true[-1]:
        return 0.0
    added = np.diff(true, prepend=0.0) / true[-1]
    return float(np.sum(added * (true / called)))
