"""Metrics of predicted numbers, and of predicted quantiles."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from sagetree.evaluate.metrics.measured import MOST_DRAWN, RESAMPLES, Measured, spread
from sagetree.evaluate.metrics.measures import Scalars

Floats = NDArray[np.float64]


def measure_numbers(labels: Floats, predictions: Floats, *, seed: int = 0) -> Measured:
    """Return mae, mse, rmse and r2 of predictions (n) for labels (n).

    r2 is 0 for a model that says the mean of these labels of every row; where
    all labels are equal it is 1 if all are met, else 0, as scikit-learn has it.
    """
    values = _errors(labels, predictions)
    deviations = _bootstrap(
        lambda rows: _errors(labels[rows], predictions[rows]), len(labels), seed
    )
    return Measured(len(labels), values, deviations, headline="r2", baseline=0.0)


def _errors(labels: Floats, predictions: Floats) -> Scalars:
    errors = labels - predictions
    mse = float(np.mean(errors**2))
    spread_of_labels = float(np.sum((labels - labels.mean()) ** 2))
    lost = float(np.sum(errors**2))
    r2 = 1 - lost / spread_of_labels if spread_of_labels else float(lost == 0)
    return {"mae": float(np.mean(np.abs(errors))), "mse": mse, "rmse": mse**0.5, "r2": r2}


def measure_quantiles(
    labels: Floats, predictions: Floats, quantiles: Sequence[float], *, seed: int = 0
) -> Measured:
    """Return the pinball loss and the coverage of each quantile predicted (n, k).

    The coverage is the share of labels not above the prediction: of a good
    model, the quantile itself. `pinball_loss` is the mean over the quantiles.
    """

    def values(rows: NDArray[np.intp]) -> Scalars:
        return _quantile_losses(labels[rows], predictions[rows], quantiles)

    every = np.arange(len(labels))
    constant = np.quantile(labels, quantiles) * np.ones_like(predictions)
    baseline = _quantile_losses(labels, constant, quantiles)["pinball_loss"]
    return Measured(
        len(labels),
        values(every),
        _bootstrap(values, len(labels), seed),
        headline="pinball_loss",
        baseline=baseline,
        falling=True,
    )


def _quantile_losses(labels: Floats, predictions: Floats, quantiles: Sequence[float]) -> Scalars:
    values: Scalars = {"pinball_loss": 0.0}
    for quantile, predicted in zip(quantiles, predictions.T, strict=True):
        errors = labels - predicted
        loss = float(np.mean(np.maximum(quantile * errors, (quantile - 1) * errors)))
        values["pinball_loss"] += loss / len(quantiles)
        values[f"pinball_loss@{quantile:g}"] = loss
        values[f"coverage@{quantile:g}"] = float(np.mean(labels <= predicted))
    return values


def _bootstrap(measure: Callable[[NDArray[np.intp]], Scalars], rows: int, seed: int) -> Scalars:
    """Return the standard deviation of each metric over resamples of the rows."""
    random = np.random.default_rng(seed)
    drawn = min(rows, MOST_DRAWN)
    samples = [measure(random.integers(0, rows, drawn)) for _ in range(RESAMPLES)]
    return spread(samples, (drawn / rows) ** 0.5)
