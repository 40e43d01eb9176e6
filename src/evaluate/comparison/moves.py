"""A metric of one model, and how much each of its rows moves it.

The moves are the metric's derivative by each row's weight (the infinitesimal
jackknife): of a mean they are the rows' distances from it, of an AUC DeLong's
placement values. Those of two models on the same rows, subtracted, are the moves
of the difference of their metrics, with all that the models have in common taken
away. They cost one sort per model where a bootstrap would take hundreds.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sagetree.evaluate.metrics.rows import Weights
from sagetree.evaluate.metrics.weighted import Floats

Flags = NDArray[np.bool_]


class Moved(NamedTuple):
    """The value of a metric, and how much each row (n) moves it; the moves sum to 0."""

    value: float
    moves: Floats


def counted(weights: Weights, rows: int) -> Floats:
    """Return how much each row (n) counts, 1 where nothing is said about it."""
    return np.ones(rows) if weights is None else weights.astype(np.float64)


def moved_mean(values: Floats, weights: Floats) -> Moved:
    """Return the weighted mean of a value for each row (n)."""
    whole = weights.sum()
    mean = float(values @ weights / whole)
    return Moved(mean, weights * (values - mean) / whole)


def moved_root(mean: Moved) -> Moved:
    """Return the root of a mean of squares; one of 0 is moved by no row."""
    root = mean.value**0.5
    return Moved(root, mean.moves / (2 * root) if root else np.zeros_like(mean.moves))


def moved_r2(labels: Floats, squared_errors: Moved, weights: Floats) -> Moved:
    """Return r2, for the labels (n) and the mean of the squared errors; the labels vary."""
    center = float(labels @ weights / weights.sum())
    variance = moved_mean((labels - center) ** 2, weights)
    unexplained = squared_errors.value / variance.value
    moves = (unexplained * variance.moves - squared_errors.moves) / variance.value
    return Moved(1 - unexplained, moves)


def moved_auc(positive: Flags, scores: Floats, weights: Floats) -> Moved:
    """Return the area under the ROC curve of rows of both labels (n); a tie counts half.

    Its moves are those of DeLong, DeLong and Clarke-Pearson (Biometrics 44, 1988): how
    far the share of the other label that a row is on the right side of is from the AUC.
    """
    high, low = scores[positive], scores[~positive]
    of_high, of_low = weights[positive], weights[~positive]
    over = _share_below(high, low, of_low)
    under = 1 - _share_below(low, high, of_high)
    moves = np.empty(len(scores))
    value, moves[positive] = moved_mean(over, of_high)
    moves[~positive] = moved_mean(under, of_low).moves
    return Moved(value, moves)


def _share_below(values: Floats, others: Floats, weights: Floats) -> Floats:
    """Return the share of the others below each value, of those equal to it the half."""
    order = np.argsort(others)
    ordered, below = others[order], np.append(0.0, np.cumsum(weights[order]))
    first, last = (np.searchsorted(ordered, values, side) for side in ("left", "right"))
    return np.asarray((below[first] + below[last]) / 2 / below[-1])


def moved_average_precision(positive: Flags, scores: Floats, weights: Floats) -> Moved:
    """Return the average precision of rows of both labels (n).

    A row moves the precision at each score that it reaches, up if it is positive and
    down if not; a positive one counts by the precision at its own score as well.
    """
    order = np.argsort(-scores)
    ordered, hit, wide = scores[order], positive[order], weights[order]
    ends = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True))
    found = wide * hit
    true, called = np.cumsum(found)[ends], np.cumsum(wide)[ends]
    precision = true / called
    added = np.diff(true, prepend=0.0)  # the weight of the positives at each score
    value = float(added @ precision / true[-1])
    # of all scores that a row at this one reaches: this one and those below
    up = np.cumsum((added / called)[::-1])[::-1]
    down = np.cumsum((added * precision / called)[::-1])[::-1]
    place = np.repeat(np.arange(len(ends)), np.diff(ends, prepend=-1))
    moves = np.empty(len(scores))
    own = hit * (precision[place] - value + up[place])
    moves[order] = wide * (own - down[place]) / true[-1]
    return Moved(value, moves)
