"""How a training's metrics went from round to round, for whoever asks whether it went well."""

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Self

import numpy as np
from pydantic import model_validator

from sagetree.tables.stored_record import StoredRecord

# More than a chart has pixels to show.
MOST_POINTS = 250


class LearningCurve(StoredRecord):
    """Metrics after some of the rounds, which count from 1, and the best round.

    `values` has them by rows and name, such as `validation-auc`, of several models the mean.
    """

    best: int
    rounds: tuple[int, ...]
    values: dict[str, tuple[float, ...]]

    @model_validator(mode="after")
    def _has_a_value_per_round(self) -> Self:
        if any(len(values) != len(self.rounds) for values in self.values.values()):
            raise ValueError("every round needs its value")
        return self

    @classmethod
    def of(cls, best: int, series: Mapping[str, Sequence[float]]) -> "LearningCurve | None":
        """Return 250 rounds at most, ends and best included; metrics that are no number are not.

        >>> LearningCurve.of(2, {"validation-auc": [0.5, 0.75, 0.7]}).rounds
        (1, 2, 3)
        """
        kept = {name: values for name, values in series.items() if all(map(isfinite, values))}
        made = max(map(len, kept.values()), default=0)
        kept = {name: values for name, values in kept.items() if len(values) == made}
        if not made:
            return None
        even = np.linspace(1, made, min(made, MOST_POINTS)).astype(int).tolist()
        rounds = sorted({*even, min(best, made)})
        picked = {name: tuple(float(v[n - 1]) for n in rounds) for name, v in kept.items()}
        return cls(best=best, rounds=tuple(rounds), values=picked)
