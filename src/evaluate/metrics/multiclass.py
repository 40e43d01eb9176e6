"""Metrics of several classes, from their confusion matrix alone; names as SageMaker has them.

A class's precision, recall and F count by its share of the labels ("weighted"),
as scikit-learn's do with average="weighted" and zero_division=0.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sagetree.evaluate.metrics.measured import RESAMPLES, Measured, spread
from sagetree.evaluate.metrics.measures import Scalars

Counts = NDArray[np.float64]

_BETAS = {"weighted_f0_5": 0.5, "weighted_f1": 1.0, "weighted_f2": 2.0}


def measure_classes(
    labels: NDArray[np.intp], called: NDArray[np.intp], classes: Sequence[str], *, seed: int = 0
) -> Measured:
    """Return the metrics of class numbers (n) that were called, for the labels (n)."""
    count = len(classes)
    cells = np.bincount(labels * count + called, minlength=count * count)
    counts = cells.reshape(count, count)
    values = _measure(counts.astype(np.float64))
    random = np.random.default_rng(seed)
    # To draw the number of rows in each cell is the same as to draw rows.
    drawn = random.multinomial(len(labels), cells / len(labels), RESAMPLES)
    samples = [_measure(sample.reshape(count, count).astype(np.float64)) for sample in drawn]
    return Measured(
        rows=len(labels),
        scalars=values,
        deviations=spread(samples),
        headline="accuracy",
        baseline=values["accuracy_best_constant_classifier"],
        confusion={
            name: dict(zip(classes, row, strict=True))
            for name, row in zip(classes, counts.tolist(), strict=True)
        },
    )


def _measure(counts: Counts) -> Scalars:
    """Return all metrics of a confusion matrix (k, k), rows by label.

    `*_best_constant_classifier` is what calling every row the most frequent
    class reaches.
    """
    totals = counts.sum(axis=1)
    constant = np.zeros_like(counts)
    constant[:, int(totals.argmax())] = totals
    values = _of_matrix(counts)
    return values | {
        f"{name}_best_constant_classifier": value for name, value in _of_matrix(constant).items()
    }


def _of_matrix(counts: Counts) -> Scalars:
    totals, called, hits = counts.sum(axis=1), counts.sum(axis=0), counts.diagonal()
    shares = totals / totals.sum()
    recall = _ratio(hits, totals)
    precision = _ratio(hits, called)
    values = {
        "accuracy": float(hits.sum() / totals.sum()),
        "weighted_recall": float(shares @ recall),
        "weighted_precision": float(shares @ precision),
    }
    for name, beta in _BETAS.items():
        square = beta**2
        f = _ratio((1 + square) * hits, square * totals + called)
        values[name] = float(shares @ f)
    return values


def _ratio(over: NDArray[np.float64], under: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.divide(over, under, out=np.zeros_like(over), where=under > 0)
