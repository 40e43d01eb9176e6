"""What a column that only seems to name rows says about the label."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from sagetree.tables.encoding import Floats
from sagetree.tables.label import Labels
from sagetree.train.facts.facts import Facts

# This many rows, evenly spread, are read.
EXAMINED_ROWS = 50_000

# Rows are cut into at most this many groups of equal size by the column's order.
GROUPS = 16
ROWS_PER_GROUP = 10

# A label of at most this many values is measured value by value, another by its ranks.
CLASSES = 20

# Chance gives such a difference between the groups once in 30 000 columns (a normal
# deviate of 4), and less than this share of the label's variance does not count.
DEVIATE = 4.0
LEAST_SHARE = 0.01


@dataclass(frozen=True)
class Telling:
    """Says how much of the label columns tell; `encode` reads it when it is first asked for.

    Both are of this host's rows, and the result is about those of all.
    """

    facts: Facts
    encode: Callable[[], Labels]
    # cached_property holds a lock of the class (Python 3.11), and these wait for other hosts
    _targets: list[Floats] = field(default_factory=list, init=False, repr=False)

    def share(self, values: Floats) -> float:
        """Return the share of the label's variance that values (n, none missing) explain.

        0 where that may be chance. Only the order of the values matters.
        """
        if not self._targets:
            self._targets.extend(self._read_targets())
        some = self.facts.spread(values, EXAMINED_ROWS)
        groups = np.clip(len(some) // ROWS_PER_GROUP, 2, GROUPS)
        ranks = np.argsort(np.argsort(some, kind="stable"), kind="stable")
        group = ranks * groups // len(some)
        return max(_explained(target, group) for target in self._targets)

    def _read_targets(self) -> list[Floats]:
        labels = self.encode()
        some = self.facts.spread(labels if labels.ndim == 1 else labels[:, 0], EXAMINED_ROWS)
        found, codes = np.unique(some, return_inverse=True)
        if len(found) > CLASSES:
            return [codes.astype(np.float64)]
        return [(codes == code).astype(np.float64) for code in range(len(found))]


def _explained(target: Floats, group: NDArray[np.intp]) -> float:
    """Return the share of the target's variance between groups, less what chance gives."""
    variance = target.var()
    if not variance:
        return 0.0
    counts = np.bincount(group)
    means = np.bincount(group, target) / counts
    statistic = float((counts * (means - target.mean()) ** 2).sum() / variance)
    freedom = len(counts) - 1
    spread = 2 / (9 * freedom)  # Wilson and Hilferty's quantile of chi-squared
    if statistic < freedom * (1 - spread + DEVIATE * spread**0.5) ** 3:
        return 0.0
    share = (statistic - freedom) / len(target)
    return share if share >= LEAST_SHARE else 0.0
