"""Clarify's metrics of predictions, beside labels."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from sagetree.evaluate.bias.counts import (
    Confusion,
    Flags,
    MetricError,
    Parts,
    conditional_disparity,
    difference,
    ratio,
)


class Compared(NamedTuple):
    """The confusions of the facet's rows and of the others."""

    facet: Confusion
    others: Confusion

    @classmethod
    def of(cls, parts: Parts) -> "Compared":
        """Count both. Raises MetricError where one has no rows."""
        parts.check()
        found = (
            Confusion.of(parts.labels[part], _predictions(parts)[part])
            for part in (parts.inside, ~parts.inside)
        )
        return cls(*found)


Rate = Callable[[Confusion], float]


def _predictions(parts: Parts) -> Flags:
    assert parts.predictions is not None  # noqa: S101 - whoever measures predictions has them
    return parts.predictions


def _favour(rate: Rate) -> Callable[[Parts], float]:
    """Return the metric that is the others' rate less the facet's."""

    def metric(parts: Parts) -> float:
        facet, others = Compared.of(parts)
        return difference(rate(others), rate(facet))

    return metric


def _burden(rate: Rate) -> Callable[[Parts], float]:
    """Return the metric that is the facet's rate less the others'."""

    def metric(parts: Parts) -> float:
        facet, others = Compared.of(parts)
        return difference(rate(facet), rate(others))

    return metric


def _disparate_impact(parts: Parts) -> float:
    facet, others = Compared.of(parts)
    return ratio(facet.predicted / facet.rows, others.predicted / others.rows)


def _generalised_entropy(parts: Parts) -> float:
    """Return how unequal benefits are over all rows: a mistake that favours is 2, one against 0."""
    counts = Confusion.of(parts.labels, _predictions(parts))
    rows = counts.rows
    mean = (rows + counts.fp - counts.fn) / rows
    if mean == 0:
        raise MetricError(
            "All predicted labels are false negatives. There should be at least one prediction "
            "that is not false negative."
        )
    squares = (4 * counts.fp + counts.tp + counts.tn) / rows
    return (squares / mean**2 - 1) / 2


# Clarify's name of each metric -> its words, and the function; the flip test needs features.
POST_TRAINING: Mapping[str, tuple[str, Callable[[Parts], float]]] = MappingProxyType(
    {
        "AD": ("Accuracy Difference (AD)", _favour(lambda c: ratio(c.tp + c.tn, c.rows))),
        "CDDPL": (
            "Conditional Demographic Disparity in Predicted Labels (CDDPL)",
            lambda parts: conditional_disparity(parts, _predictions(parts)),
        ),
        "DAR": (
            "Difference in Acceptance Rates (DAR)",
            _favour(lambda c: ratio(c.tp, c.predicted)),
        ),
        "DCA": (
            "Difference in Conditional Acceptance (DCA)",
            _favour(lambda c: ratio(c.labelled, c.predicted)),
        ),
        "DCR": (
            "Difference in Conditional Rejection (DCR)",
            _burden(lambda c: ratio(c.fp + c.tn, c.fn + c.tn)),
        ),
        "DI": ("Disparate Impact (DI)", _disparate_impact),
        "DPPL": (
            "Difference in Positive Proportions in Predicted Labels (DPPL)",
            _favour(lambda c: c.predicted / c.rows),
        ),
        "DRR": (
            "Difference in Rejection Rates (DRR)",
            _burden(lambda c: ratio(c.tn, c.fn + c.tn)),
        ),
        "GE": ("Generalized Entropy (GE)", _generalised_entropy),
        "RD": ("Recall Difference (RD)", _favour(lambda c: ratio(c.tp, c.labelled))),
        "SD": ("Specificity Difference (SD)", _burden(lambda c: ratio(c.tn, c.fp + c.tn))),
        "TE": ("Treatment Equality (TE)", _burden(lambda c: ratio(c.fn, c.fp))),
    }
)
