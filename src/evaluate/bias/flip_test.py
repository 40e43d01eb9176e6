"""Clarify's flip test: what would the facet's rows be predicted, were they like those around them?

The predictions of the five nearest rows outside the facet say so. Distances are Euclidean,
of numbers as they are, as Clarify's. Clarify refuses words; here a category is its
indicators, as in a table that one-hot encoding has made for it.
"""

import numpy as np
from numpy.typing import NDArray

from sagetree.errors import quote
from sagetree.evaluate.bias.counts import Flags, MetricError
from sagetree.features.category import Category, OneHot, Ordinal
from sagetree.features.mixed import Mixed
from sagetree.features.pipeline import FeaturePipeline

Floats = NDArray[np.float64]
Matrix = NDArray[np.float32]

# Up to this many rows outside the facet only the nearest of them counts.
NEIGHBOURS, MOST_WITH_ONE = 5, 9

# Distances grow with the square of the rows: of more these are taken, evenly.
MOST_ROWS = 5000

# Distances held at once.
_CELLS = 2_000_000


def rows_of_test(count: int) -> NDArray[np.intp]:
    """Return which of this many rows the test is of: all, or some of many."""
    return np.linspace(0, count - 1, min(count, MOST_ROWS)).astype(np.intp)


def flip_test(places: Floats, inside: Flags, predictions: Flags) -> float:
    """Return the facet's rows that would lose a favourable prediction, less those that would gain.

    It is a share of the facet's rows. `places` (n, m) are what distances are taken of.
    Raises MetricError where one part is empty, and where cells are missing.
    """
    if not inside.any():
        raise MetricError("Facet set is empty")
    if inside.all():
        raise MetricError("Negated facet set is empty")
    lacking = int(np.isnan(places).any(axis=1).sum())
    if lacking:
        raise MetricError(f"The flip test needs whole rows, and {lacking} have missing cells")
    around = _predicted_around(places[inside], places[~inside], predictions[~inside])
    own = predictions[inside]
    flips = int((own & ~around).sum()) - int((~own & around).sum())
    return flips / len(own)


def places_of(features: FeaturePipeline, matrix: Matrix, left_out: str) -> Floats:
    """Return what distances between rows are taken of, of all columns but one.

    `matrix` (n, m) holds the features that a model is given; codes become indicators. Raises
    MetricError for a column of numbers and words: from one to the other there is no distance.
    """
    for feature in features.features:
        if isinstance(feature, Mixed) and feature.column != left_out:
            raise MetricError(
                f"The flip test has no distances in column {quote(feature.column)}, which holds "
                "numbers and words"
            )
    own = features.in_own_units(matrix)
    parts = [
        _indicators(feature, own[:, part]) if _is_coded(feature) else own[:, part]
        for feature, part in zip(features.features, features.parts, strict=True)
        if feature.column != left_out
    ]
    return np.concatenate([np.empty((len(matrix), 0)), *parts], axis=1, dtype=np.float64)


def _is_coded(feature: object) -> bool:
    return isinstance(feature, Category) and not isinstance(feature, OneHot | Ordinal)


def _indicators(feature: object, codes: NDArray[np.floating]) -> NDArray[np.floating]:
    if "c" not in getattr(feature, "feature_types", ()):  # statistics of the label are numbers
        return codes
    found = np.unique(codes[~np.isnan(codes)])
    indicators: Floats = (codes == found).astype(np.float64)
    indicators[np.isnan(codes[:, 0])] = np.nan
    return indicators


def _predicted_around(facet: Floats, others: Floats, predictions: Flags) -> Flags:
    """Return what most of the nearest other rows are predicted, for each row of the facet."""
    count = NEIGHBOURS if len(others) > MOST_WITH_ONE else 1
    centre = others.mean(axis=0)
    facet, others = facet - centre, others - centre
    lengths = (others**2).sum(axis=1)
    step = max(1, _CELLS // len(others))
    found = [
        _votes(lengths - 2 * (facet[begin : begin + step] @ others.T), predictions, count)
        for begin in range(0, len(facet), step)
    ]
    return np.concatenate(found) * 2 > count


def _votes(distances: Floats, predictions: Flags, count: int) -> NDArray[np.intp]:
    """Return how many of the nearest (k, n) are predicted favourably; of equal ones the first."""
    last = np.partition(distances, count - 1, axis=1)[:, count - 1 : count]
    nearer, equal = distances < last, distances == last
    room = count - nearer.sum(axis=1, keepdims=True)
    taken = nearer | (equal & (equal.cumsum(axis=1) <= room))
    return np.asarray((taken & predictions).sum(axis=1))
