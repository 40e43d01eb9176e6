"""Metrics of several classes, from their confusion matrix alone; names as SageMaker has them.

A class's precision, recall and F count by its share of the labels ("weighted"),
as scikit-learn's do with average="weighted" and zero_division=0.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sagetree.evaluate.metrics.bootstrap import RESAMPLES, spread
from sagetree.evaluate.metrics.measured import Measured, by_name
from sagetree.evaluate.metrics.measures import Samples
from sagetree.evaluate.metrics.rows import Weights
from sagetree.evaluate.metrics.weighted import (
    Floats,
    accuracies,
    confusion_matrix,
    f_scores,
    precisions,
    recalls,
)


def measure_classes(
    labels: NDArray[np.intp],
    called: NDArray[np.intp],
    classes: Sequence[str],
    *,
    weights: Weights = None,
    seed: int = 0,
) -> Measured:
    """Return the metrics of class numbers (n) that were called, for the labels (n)."""
    size = len(classes)
    counts = confusion_matrix(labels, called, size, weights)
    random = np.random.default_rng(seed)
    if weights is None:
        # To draw the number of rows in each cell is the same as to draw rows.
        drawn = random.multinomial(len(labels), counts.ravel() / len(labels), RESAMPLES)
    else:
        draws = (random.integers(0, len(labels), len(labels)) for _ in range(RESAMPLES))
        drawn = np.array(
            [confusion_matrix(labels[d], called[d], size, weights[d]).ravel() for d in draws]
        )
    values = {name: float(value) for name, value in _measure(counts).items()}
    return Measured(
        rows=len(labels),
        scalars=values,
        deviations=spread(_measure(drawn.astype(np.float64).reshape(-1, *counts.shape))),
        headline="accuracy",
        baseline=values["accuracy_best_constant_classifier"],
        confusion=by_name(counts, classes),
    )


def _measure(confusion: Floats) -> Samples:
    """Return all metrics of confusion matrices (..., k, k), rows by label.

    `*_best_constant_classifier` is what calling every row the most frequent
    class reaches.
    """
    totals = confusion.sum(axis=-1)
    is_most = np.arange(totals.shape[-1]) == totals.argmax(axis=-1)[..., None]
    constant = totals[..., :, None] * is_most[..., None, :]
    return {
        **_of_matrix(confusion),
        **{f"{name}_best_constant_classifier": v for name, v in _of_matrix(constant).items()},
    }


def _of_matrix(confusion: Floats) -> Samples:
    totals = confusion.sum(axis=-1)
    shares = totals / totals.sum(axis=-1, keepdims=True)

    def weighted(of_each: Floats) -> Floats:
        return np.asarray((shares * of_each).sum(axis=-1))

    return {
        "accuracy": accuracies(confusion),
        "weighted_recall": weighted(recalls(confusion)),
        "weighted_precision": weighted(precisions(confusion)),
        "weighted_f0_5": weighted(f_scores(confusion, 0.5)),
        "weighted_f1": weighted(f_scores(confusion, 1)),
        "weighted_f2": weighted(f_scores(confusion, 2)),
    }
