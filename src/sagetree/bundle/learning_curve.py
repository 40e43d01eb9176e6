"""How a training went: its metrics from round to round, and the search before it, if any.

For whoever asks whether it went well, and what else was tried.
"""

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Literal, Self, TypeAlias

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
    def of(cls, best: int, series: Mapping[str, Sequence[float | None]]) -> "LearningCurve | None":
        """Return 250 rounds at most, ends and best included, of those that measured all metrics.

        `series` has None for a round that did not measure one. Metrics that are not numbers
        are left out.

        >>> LearningCurve.of(2, {"validation-auc": [0.5, 0.75, None, 0.7]}).rounds
        (1, 2, 4)
        """
        kept = {n: v for n, v in series.items() if all(x is None or isfinite(x) for x in v)}
        made = max(map(len, kept.values()), default=0)
        kept = {name: values for name, values in kept.items() if len(values) == made}
        whole = [n for n in range(1, made + 1) if all(v[n - 1] is not None for v in kept.values())]
        if not whole:
            return None
        places = np.linspace(0, len(whole) - 1, min(len(whole), MOST_POINTS)).astype(int)
        rounds = sorted({whole[place] for place in places} | ({best} & set(whole)))
        picked = {
            name: tuple(x for n in rounds if (x := values[n - 1]) is not None)
            for name, values in kept.items()
        }
        return cls(best=best, rounds=tuple(rounds), values=picked)


# A hyperparameter's value, as JSON has it.
Setting: TypeAlias = int | float | str

Settings: TypeAlias = dict[str, Setting]


class Trial(StoredRecord):
    """One setting, and the metric in each fold that it was tried on, in their groups.

    Folds of a group are boosted in step: `rounds` has for each the round that was best. A
    trial that was pruned lacks the later groups; one whose metric was not a number has none.
    """

    settings: Settings
    state: Literal["complete", "pruned"]
    values: tuple[tuple[float, ...], ...]
    rounds: tuple[int, ...]

    @property
    def value(self) -> float | None:
        """The mean over the folds, None where there is none."""
        values = [value for group in self.values for value in group]
        return sum(values) / len(values) if values else None

    @property
    def best_round(self) -> int:
        """The mean of the best rounds, by the folds they are of."""
        counts = [len(group) for group in self.values]
        total = sum(n * rounds for n, rounds in zip(counts, self.rounds, strict=True))
        return max(1, round(total / sum(counts)))


class TuningHistory(StoredRecord):
    """The trials of the search that settled a model, by `metric`; `chosen` is the place of one.

    The first `defaults` of them are what holds without a search. `folds` has what the searches
    chose whose models score the held-out rows, one for each fold of theirs; it is empty where these
    rows had no part in the only search.
    """

    metric: str
    is_maximized: bool
    trials: tuple[Trial, ...]
    defaults: int
    chosen: int
    folds: tuple[Settings, ...] = ()

    @model_validator(mode="after")
    def _has_what_was_chosen(self) -> "TuningHistory":
        if not 0 <= self.chosen < len(self.trials):
            raise ValueError("the trial that was chosen is not among them")
        return self
