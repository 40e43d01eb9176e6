"""Counts over groups of values, each large enough that chance moves it little.

Which values are a group follows from both counts taken together: were it training's alone,
a category would be a group because it happened to be frequent there, and then be rarer ever after.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sagetree.bundle.baseline import Histogram, bin_counts

Floats = NDArray[np.float64]

# Rows that a group should have in the smaller of both tables: chi-square is right from there on.
LEAST = 10

# Bins of equal numbers of rows: ten is the stability index's custom.
BINS = 10

# Categories that are a group each; the others are one together.
MOST_CATEGORIES = 20

REST = "all others"

# Numbers from here on are written whole.
_LARGE = 10_000


class Groups(NamedTuple):
    """Rows in each group (k), before and now; `names` say what is in it."""

    names: tuple[str, ...]
    before: Floats
    now: Floats

    @property
    def shares(self) -> tuple[Floats, Floats]:
        """The groups' shares of the rows, before and now."""
        return _shares(self.before), _shares(self.now)


def _shares(counts: Floats) -> Floats:
    shares: Floats = counts / max(counts.sum(), 1.0)
    return shares


class Steps(NamedTuple):
    """Rows below each edge (k): cumulative shares, before and now."""

    edges: Floats
    before: Floats
    now: Floats

    @property
    def distance(self) -> float:
        """The largest difference: Kolmogorov and Smirnov's statistic at the edges."""
        return float(np.abs(self.before - self.now).max(initial=0.0))


def steps_of(histogram: Histogram, values: Floats) -> Steps:
    """Return the cumulative shares of a histogram and of new values (n), without missing ones."""
    before = np.array(histogram.counts[:-1], np.float64)
    now = bin_counts(histogram.cuts, values)[:-1].astype(np.float64)
    return Steps(histogram.cuts, np.cumsum(_shares(before))[:-1], np.cumsum(_shares(now))[:-1])


def number_groups(histogram: Histogram, values: Floats) -> Groups:
    """Return groups of numbers next to each other, ten at most unless there are few values."""
    before = np.array(histogram.counts[:-1], np.float64)
    now = bin_counts(histogram.cuts, values)[:-1].astype(np.float64)
    starts = _starts(before, now)
    edges = [_short(histogram.edges[start - 1]) for start in starts[1:]]
    names = map(_between, ("", *edges), (*edges, ""))
    return Groups(tuple(names), np.add.reduceat(before, starts), np.add.reduceat(now, starts))


def _starts(before: Floats, now: Floats) -> list[int]:
    """Return the first bin of each group; what is left at the end belongs to the last one."""
    is_fine = len(before) > 2 * BINS
    least = float(before.sum()) / BINS if is_fine else 0.0
    enough = _enough(before, now)
    found = [0]
    for end in range(1, len(before) + 1):
        part = slice(found[-1], end)
        is_full = float(before[:end].sum()) >= least * len(found) * (1 - 1e-9)
        if is_full and float(before[part].sum() + now[part].sum()) >= enough:
            found.append(end)
    return found[:-1] if len(found) > 1 else found


def _short(edge: float) -> str:
    return f"{edge:.4g}" if abs(edge) < _LARGE else f"{edge:,.0f}"


def _between(low: str, high: str) -> str:
    if low and high:
        return f"{low} to {high}"
    return f"from {low}" if low else f"below {high}" if high else "all"


def category_groups(before: Mapping[str, int], now: Mapping[str, int]) -> Groups:
    """Return the most frequent categories of both tables, and the others as one group."""
    both = ((name, before.get(name, 0) + now.get(name, 0)) for name in {**before, **now})
    totals = {name: count for name, count in both if count}
    sums = (np.array(list(counts.values()) or [0], np.float64) for counts in (before, now))
    enough = _enough(*sums)
    ordered = sorted(totals, key=lambda name: (-totals[name], name))
    large = [name for name in ordered[:MOST_CATEGORIES] if totals[name] >= enough]
    rest = ordered[len(large) :]
    columns = [_counted(large, rest, counts) for counts in (before, now)]
    names = (*large, *([REST] if rest else []))
    if rest and len(large) > 1 and sum(totals[name] for name in rest) < enough:
        # too few to stand alone: they go with the rarest of the others
        names = (*large[:-1], REST)
        columns = [np.append(column[:-2], column[-2:].sum()) for column in columns]
    return Groups(names, *columns)


def _counted(large: Sequence[str], rest: Sequence[str], counts: Mapping[str, int]) -> Floats:
    found = [counts.get(name, 0) for name in large]
    if rest:
        found.append(sum(counts.get(name, 0) for name in rest))
    return np.array(found, np.float64)


def _enough(before: Floats, now: Floats) -> float:
    """Return how many rows of both tables a group needs for LEAST in the smaller one."""
    sums = float(before.sum()), float(now.sum())
    return LEAST * sum(sums) / max(min(sums), 1.0)
