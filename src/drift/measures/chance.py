"""How likely what was found is, were nothing to have changed.

scipy.special has what is needed here; scipy.stats takes a second to import.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float64]


def more_than(found: int, rows: int, share: float) -> float:
    """Return how likely at least `found` of the rows are, each by itself with probability `share`.

    >>> round(more_than(2, 2, 0.5), 4)
    0.25
    """
    if found <= 0 or share >= 1:
        return 1.0
    return float(special.bdtrc(found - 1, rows, share)) if share > 0 else 0.0


def as_far(distance: float, rows: int, others: int) -> float:
    """Return how likely a distance of two cumulative distributions is (Kolmogorov and Smirnov).

    It is a little too high for few rows, and where values repeat.
    """
    if not rows or not others:
        return 1.0
    return float(special.kolmogorov(distance * np.sqrt(rows * others / (rows + others))))


def as_unlike(before: Floats, now: Floats) -> float:
    """Return how likely two counts over the same groups (k) are, by Pearson's chi-square.

    Each group should have some ten rows expected of either: see `sagetree.drift.measures.groups`.
    Of two groups, which may be small, it is Fisher's exact test.

    >>> as_unlike(np.array([10.0, 10.0]), np.array([30.0, 30.0]))
    1.0
    """
    both = before + now
    if len(both) < 2 or not before.sum() or not now.sum():
        return 1.0
    if len(both) == 2:
        return _exactly(before, now)
    total = both.sum()
    found = 0.0
    for counts in (before, now):
        expected = both * (counts.sum() / total)
        found += float(((counts - expected) ** 2 / expected).sum())
    return float(special.chdtrc(len(both) - 1, found))


def _exactly(before: Floats, now: Floats) -> float:
    """Return how likely a table of two by two is, or one further from what is expected."""
    rows, first, others = now.sum(), before[0] + now[0], before[1] + now[1]
    found = np.arange(max(0.0, rows - others), min(rows, first) + 1)
    logs = _log_choices(first, found) + _log_choices(others, rows - found)
    shares = np.exp(logs - logs.max())
    shares /= shares.sum()
    below, above = shares[found <= now[0]].sum(), shares[found >= now[0]].sum()
    return min(1.0, 2 * float(min(below, above)))


def _log_choices(most: float, some: Floats) -> Floats:
    found: Floats = -special.betaln(1 + most - some, 1 + some) - np.log1p(most)
    return found


def at_least(deviations: float) -> float:
    """Return how likely a normal value is this many standard deviations above its mean."""
    return float(special.ndtr(-deviations))
