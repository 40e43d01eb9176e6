"""A rule and the points of a curve to the point that the rule chooses."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sagetree.decisions.curve import Points
from sagetree.decisions.rules import Bound, GreatestF1, LeastCost, Rule

# What sums of weights and amounts leave of two that are equal.
_ROUNDING = 1e-12


class Chosen(NamedTuple):
    """The place of a point, and why the rule has no better one; "" where it holds."""

    place: int
    unreached: str = ""


def choose(rule: Rule, points: Points) -> Chosen:
    """Return the point that a rule chooses; where no point keeps its bound, the nearest to it.

    Of equals the one that finds the most positives is chosen. To call nobody is a choice
    where that is the least cost.
    """
    match rule:
        case GreatestF1():
            return Chosen(_last(points.f1 == points.f1.max()))
        case LeastCost():
            cost = points.cost(rule)
            return Chosen(_last(cost <= cost.min() * (1 + _ROUNDING)))
        case Bound(measure="precision", share=share):
            return _by_precision(points, share)
        case Bound(measure="recall", share=share):
            return Chosen(int(np.argmax(points.recall >= share - _ROUNDING)))
        case Bound(share=share):
            return _by_alerts(points, share)


def _by_precision(points: Points, share: float) -> Chosen:
    """Return the point that finds the most with a precision; of equals that of fewest alerts."""
    kept = points.precision >= share - _ROUNDING
    if kept.any():
        return Chosen(_first_of_most(points.true, kept))
    best = float(points.precision.max())
    place = _first_of_most(points.true, points.precision >= best - _ROUNDING)
    return Chosen(place, f"the greatest precision is {100 * best:.4g}%")


def _by_alerts(points: Points, share: float) -> Chosen:
    """Return the point that calls the most rows within a share, or the fewest that can be."""
    kept = points.alerts <= share + _ROUNDING
    kept[0] = False  # nobody
    if kept.any():
        return Chosen(_last(kept))
    return Chosen(1, f"the fewest are {100 * float(points.alerts[1]):.4g}%, which have one score")


def _last(is_kept: NDArray[np.bool_]) -> int:
    return int(np.flatnonzero(is_kept)[-1])


def _first_of_most(values: NDArray[np.float64], is_kept: NDArray[np.bool_]) -> int:
    places = np.flatnonzero(is_kept)
    return int(places[np.argmax(values[places])])
