"""How the values of a column, or scores, are spread, before and now."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sagetree.bundle.baseline import Histogram, stability_index
from sagetree.drift.measures.chance import as_far, as_unlike
from sagetree.drift.measures.findings import Severity
from sagetree.drift.measures.groups import Groups, Steps, category_groups, number_groups, steps_of
from sagetree.drift.settings import SERIOUS_COMPARISON

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Distribution:
    """Two distributions over the same groups, and how unlike they are.

    `index` is the population stability index, `distance` that of Kolmogorov and Smirnov, or of
    categories the largest difference of a share; the chances are those of as much where nothing
    has changed. `steps` are of numbers.
    """

    groups: Groups
    index: float
    distance: float
    chance_of_groups: float
    chance_of_distance: float
    steps: Steps | None = None

    def severity(self, comparison: float, chance: float) -> Severity:
        """Return how serious the change is: by its size, where chance does not explain it."""
        sizes = (
            (self.index, self.chance_of_groups),
            (self.distance, self.chance_of_distance),
        )
        surely = [size for size, found in sizes if found < chance]
        size = max(surely, default=0.0)
        if size >= max(comparison, SERIOUS_COMPARISON):
            return Severity.SERIOUS
        return Severity.MODERATE if size >= comparison else Severity.NONE


def of_numbers(histogram: Histogram, values: Floats) -> Distribution | None:
    """Compare numbers (n) with training's histogram; None where either has none at all."""
    there = values[~np.isnan(values)]
    rows = sum(histogram.counts[:-1])
    if not len(there) or not rows:
        return None
    groups, steps = number_groups(histogram, there), steps_of(histogram, there)
    return Distribution(
        groups,
        _index(groups),
        steps.distance,
        as_unlike(groups.before, groups.now),
        as_far(steps.distance, rows, len(there)),
        steps,
    )


def of_categories(before: dict[str, int], now: dict[str, int]) -> Distribution | None:
    """Compare counts of categories; None where either has none at all."""
    if not sum(before.values()) or not sum(now.values()):
        return None
    groups = category_groups(before, now)
    one, other = groups.shares
    chance = as_unlike(groups.before, groups.now)
    distance = float(np.abs(one - other).max())
    return Distribution(groups, _index(groups), distance, chance, chance)


def _index(groups: Groups) -> float:
    return stability_index(groups.before.astype(int).tolist(), groups.now.astype(int).tolist())
