"""Clarify's metrics of labels, before any training."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from sagetree.evaluate.bias.counts import MetricError, Parts, conditional_disparity

Floats = NDArray[np.float64]


def class_imbalance(parts: Parts) -> float:
    """Return how many more rows are outside the facet than in it, as a share of all."""
    parts.check()
    count = int(parts.inside.sum())
    return (len(parts.inside) - 2 * count) / len(parts.inside)


def positive_difference(parts: Parts) -> float:
    """Return the others' share of favourable labels less the facet's."""
    parts.check()
    return parts.share(parts.labels, inside=False) - parts.share(parts.labels, inside=True)


def _both(parts: Parts) -> tuple[Floats, Floats]:
    """Return the shares of the outcomes that both parts have, of the others and of the facet.

    Clarify leaves out an outcome that one of them lacks.
    """
    parts.check()
    shares = [parts.share(parts.labels, inside=inside) for inside in (False, True)]
    others, facet = (np.array([1 - share, share]) for share in shares)
    common = (others > 0) & (facet > 0)
    if not common.any():
        raise MetricError("No instance of common facet found, dataset may be too small")
    return others[common], facet[common]


def kullback_leibler(parts: Parts) -> float:
    """Return the divergence of the others' labels from the facet's, in nats."""
    others, facet = _both(parts)
    return float(others @ np.log(others / facet))


def jensen_shannon(parts: Parts) -> float:
    """Return the mean divergence of both parts' labels from their mean, in nats."""
    others, facet = _both(parts)
    mean = (others + facet) / 2
    return float(others @ np.log(others / mean) + facet @ np.log(facet / mean)) / 2


def _norm(parts: Parts, order: float) -> float:
    others, facet = _both(parts)
    return float(np.linalg.norm(others - facet, order))


# Clarify's name of each metric -> its words, and the function.
PRE_TRAINING: Mapping[str, tuple[str, Callable[[Parts], float]]] = MappingProxyType(
    {
        "CDDL": (
            "Conditional Demographic Disparity in Labels (CDDL)",
            lambda parts: conditional_disparity(parts, parts.labels),
        ),
        "CI": ("Class Imbalance (CI)", class_imbalance),
        "DPL": ("Difference in Positive Proportions in Labels (DPL)", positive_difference),
        "JS": ("Jensen-Shannon Divergence (JS)", jensen_shannon),
        "KL": ("Kullback-Liebler Divergence (KL)", kullback_leibler),
        "KS": ("Kolmogorov-Smirnov Distance (KS)", lambda parts: _norm(parts, np.inf)),
        "LP": ("L-p Norm (LP)", lambda parts: _norm(parts, 2)),
        "TVD": ("Total Variation Distance (TVD)", lambda parts: _norm(parts, 1) / 2),
    }
)
