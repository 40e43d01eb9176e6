"""What a task's metrics are of some rows: values, how certain they are, and what to beat."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from sagetree.evaluate.metrics.measures import Scalars

# As many as `sagetree.evaluate.metrics.bootstrap` draws, for the same reason.
RESAMPLES = 200

# A resample of more rows would only take longer: the spread of a mean of n rows
# is that of one of m, times the root of m / n.
MOST_DRAWN = 50_000


@dataclass(frozen=True)
class Measured:
    """The metrics of rows of one task, by name, and their standard deviations.

    `headline` is the one a verdict goes by; better is higher, unless `falling`,
    and `baseline` is what a model reaches that says the same of every row.
    `confusion` counts rows of classes, by the label and by what they were called.
    """

    rows: int
    scalars: Scalars
    deviations: Scalars
    headline: str
    baseline: float
    falling: bool = False
    confusion: Mapping[str, Mapping[str, int]] | None = None


def spread(samples: Sequence[Scalars], scale: float = 1.0) -> Scalars:
    """Return the standard deviation of each metric over resamples, times `scale`."""
    return {
        name: float(np.std([sample[name] for sample in samples], ddof=1)) * scale
        for name in samples[0]
    }
