"""Metrics of predicted numbers, and of predicted quantiles."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from sagetree.evaluate.metrics.bootstrap import MOST_DRAWN, Rows, resampled, spread
from sagetree.evaluate.metrics.measured import Measured
from sagetree.evaluate.metrics.measures import Scalars
from sagetree.evaluate.metrics.rows import Weights
from sagetree.evaluate.metrics.weighted import Floats, Predicted, mae, mse, pinball_loss, r2, rmse


def measure_numbers(
    labels: Floats, predictions: Floats, *, weights: Weights = None, seed: int = 0
) -> Measured:
    """Return mae, mse, rmse and r2 of predictions (n) for labels (n).

    r2 is 0 for a model that says the mean of these labels of every row; where
    all labels are equal it is 1 if all are met, else 0, as scikit-learn has it.
    """

    def values(rows: Rows | slice) -> Scalars:
        predicted = _predicted(labels, predictions, weights, rows)
        return {measure.__name__: measure(predicted) for measure in (mae, mse, rmse, r2)}

    return Measured(
        len(labels),
        values(slice(None)),
        _deviations(values, len(labels), seed),
        headline="r2",
        baseline=0.0,
    )


def measure_quantiles(
    labels: Floats,
    predictions: Floats,
    quantiles: Sequence[float],
    *,
    weights: Weights = None,
    seed: int = 0,
) -> Measured:
    """Return the pinball loss and the coverage of each quantile predicted (n, k).

    The coverage is the share of labels not above the prediction: of a good
    model, the quantile itself. `pinball_loss` is the mean over the quantiles.
    """

    def values(rows: Rows | slice) -> Scalars:
        return _quantile_losses(_predicted(labels, predictions, weights, rows), quantiles)

    constant = _quantiles(labels, quantiles, weights) * np.ones_like(predictions)
    baseline = _quantile_losses(Predicted(labels, constant, weights), quantiles)["pinball_loss"]
    return Measured(
        len(labels),
        values(slice(None)),
        _deviations(values, len(labels), seed),
        headline="pinball_loss",
        baseline=baseline,
        falling=True,
    )


def _predicted(
    labels: Floats, predictions: Floats, weights: Weights, rows: Rows | slice
) -> Predicted:
    return Predicted(labels[rows], predictions[rows], None if weights is None else weights[rows])


def _quantiles(labels: Floats, quantiles: Sequence[float], weights: Weights) -> Floats:
    if weights is None:
        return np.quantile(labels, quantiles)
    return np.quantile(labels, quantiles, weights=weights, method="inverted_cdf")


def _quantile_losses(rows: Predicted, quantiles: Sequence[float]) -> Scalars:
    values: Scalars = {"pinball_loss": 0.0}
    for quantile, predicted in zip(quantiles, rows.predictions.T, strict=True):
        loss = pinball_loss(replace(rows, predictions=predicted), quantile)
        values["pinball_loss"] += loss / len(quantiles)
        values[f"pinball_loss@{quantile:g}"] = loss
        values[f"coverage@{quantile:g}"] = rows.mean((rows.labels <= predicted).astype(np.float64))
    return values


def _deviations(measure: Callable[[Rows], Scalars], rows: int, seed: int) -> Scalars:
    """Return the standard deviation of each metric over resamples of the rows."""
    drawn = min(rows, MOST_DRAWN)
    return spread(resampled(measure, rows, drawn, seed), (drawn / rows) ** 0.5)
