"""The 95 % confidence interval of a difference of two models' metrics, from its moves.

The variance is the sum of the squared moves: for AUCs that is DeLong's. Student's t
has Satterthwaite's degrees of freedom, of two kinds, and the fewer count: by the
number of rows of each label, and by how few rows make up the variance. The second
matters where two models differ in a handful of rows: four that all speak for one of
them are no more than four tosses of a coin that fall alike, and show nothing.
"""

import numpy as np
from scipy.special import stdtrit

from sagetree.evaluate.comparison.moves import Flags
from sagetree.evaluate.metrics.interval import LEVEL, Interval
from sagetree.evaluate.metrics.weighted import Floats

_TAIL = (1 - LEVEL) / 2

# This many tosses of a coin that all fall alike are less likely than 5 %.
LEAST_AGREED = 6


def paired_interval(
    difference: float, moves: Floats, weights: Floats, strata: tuple[Flags, ...], limit: float
) -> Interval:
    """Return the interval of a difference between `-limit` and `limit`.

    `moves` and `weights` are those of its rows (n), and each row is in one of the `strata`:
    with a label, or all. A stratum of a single row says nothing of its spread: nothing is
    known then. Moves of 0 are an interval without width only where there is no difference.
    """
    counts = [_effective(weights[chosen]) for chosen in strata]
    if min(counts) <= 1:
        return -limit, limit
    if not moves.any():
        return _agreed(difference, min(counts), limit)
    parts = np.array(
        [
            float(moves[chosen] @ moves[chosen]) * count / (count - 1)
            for chosen, count in zip(strata, counts, strict=True)
        ]
    )
    variance = float(parts.sum())
    by_rows = variance**2 / float(np.sum(parts**2 / (np.array(counts) - 1)))
    freedom = min(by_rows, _freedom_of_few(moves, strata))
    half = float(stdtrit(freedom, 1 - _TAIL)) * variance**0.5
    return max(-limit, difference - half), min(limit, difference + half)


def _effective(weights: Floats) -> float:
    """Return the number of rows of equal weight that say as much (Kish)."""
    return float(weights.sum() ** 2 / (weights @ weights))


def _freedom_of_few(moves: Floats, strata: tuple[Flags, ...]) -> float:
    """Return the degrees of freedom that a variance of such moves has."""
    squares = [moves[chosen] ** 2 for chosen in strata]
    spread = sum(float(each @ each - each.sum() ** 2 / len(each)) for each in squares)
    whole = sum(float(each.sum()) for each in squares)
    return 2 * whole**2 / spread if spread > 0 else np.inf


def _agreed(difference: float, rows: float, limit: float) -> Interval:
    """Return the interval of a difference that no row moves.

    Were rows that say the opposite more than a share of 1 - _TAIL ** (1 / rows), this many would
    hold none of them in less than 2.5 % of draws; they could say anything up to the limit.
    """
    if difference == 0:
        return 0.0, 0.0
    if limit == np.inf:
        return (difference, difference) if rows >= LEAST_AGREED else (-limit, limit)
    others = 1 - _TAIL ** (1 / rows)
    return difference - others * (limit + difference), difference + others * (limit - difference)
