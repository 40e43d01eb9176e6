"""Labels and predictions of rows to the bias analysis of their facets."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sagetree.evaluate.bias.analysis import (
    BiasAnalysis,
    FacetBias,
    FavourablePredictions,
    measure_labels,
    measure_predictions,
)
from sagetree.evaluate.bias.counts import Flags
from sagetree.evaluate.bias.favourable import favourable_labels
from sagetree.evaluate.bias.flip_test import Floats, places_of
from sagetree.evaluate.bias.members import Members
from sagetree.evaluate.metrics.rows import Weights
from sagetree.features.pipeline import FeaturePipeline
from sagetree.tables.label import AnyLabel, Labels


@dataclass(frozen=True)
class PredictedRows:
    """Rows with labels (n), and which of them (n) are predicted favourably.

    `matrix` gives the features of some of them, as `features` made them. Rows of weight 0
    are none.
    """

    labels: Labels
    predictions: Flags
    features: FeaturePipeline
    matrix: Callable[[NDArray[np.intp]], NDArray[np.float32]]
    weights: Weights = None


def labels_before(
    members: Members, labels: Labels, favourable: int, weights: Weights = None
) -> tuple[FacetBias, ...]:
    """Return the metrics before training of rows with these labels (n)."""
    there = _counting(labels, weights)
    members = members.take(there)
    good = favourable_labels(labels[there], favourable)
    return measure_labels(members.facets, members.rows, good)


def predictions_after(
    members: Members, rows: PredictedRows, favourable: int
) -> tuple[FacetBias, ...]:
    """Return the metrics after training of rows with these labels and predictions."""
    there = _counting(rows.labels, rows.weights)
    members = members.take(there)

    def places(column: str, some: NDArray[np.intp]) -> Floats:
        return places_of(rows.features, rows.matrix(there[some]), column)

    good = favourable_labels(rows.labels[there], favourable)
    predicted = FavourablePredictions(rows.predictions[there], places)
    return measure_predictions(members.facets, members.rows, good, predicted)


def measure_bias(
    members: Members, rows: PredictedRows, label: AnyLabel, favourable: int
) -> BiasAnalysis:
    """Return what labels and predictions of the same rows say about their facets."""
    return BiasAnalysis(
        label.name,
        label.classes[favourable],
        labels_before(members, rows.labels, favourable, rows.weights),
        predictions_after(members, rows, favourable),
        members.notes,
    )


def _counting(labels: Labels, weights: Weights) -> NDArray[np.intp]:
    """Return the numbers of the rows that count: one of weight 0 is not a row."""
    return np.arange(len(labels)) if weights is None else np.flatnonzero(weights)
