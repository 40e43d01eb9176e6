"""When a training is over, by the history of its metrics: patience, and hope to reach another."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from sagetree.errors import SettingsError
from sagetree.train.settings.channel_settings import VALIDATION

# Values of a metric by round, of each booster; none in rounds that did not measure its rows.
Series = list[list[float]]

# Rows ("train", "validation") -> metric -> its values.
History = dict[str, dict[str, Series]]


class Leader(NamedTuple):
    """The best value that another training has reached, and the rounds it took."""

    value: float
    rounds: int


@dataclass(frozen=True)
class EarlyStopping:
    """Stop once `metric` of the held-out rows has not improved for `patience` rounds.

    Of several boosters the mean counts; any number is better than NaN. The state
    of early stopping is the history itself: nothing else is kept, so nothing can
    contradict it. Where there is a `leader`, a training that will not reach it stops
    too.
    """

    metric: str
    maximize: bool
    patience: int
    leader: Leader | None = None

    def best(self, history: History) -> int:
        """Return the best round, from 0. The first of equal ones counts."""
        values = self._values(history)
        best = 0
        for index in range(1, len(values)):
            best = self._better(values, best, index)
        return best

    def best_by_others(self, history: History, booster: int) -> tuple[int, float]:
        """Return the round, from 0, that the other boosters find best, and their mean there.

        Of one booster alone it is its own. At a round that it helped to choose a booster's
        rows look better than rows that chose nothing: where nothing is to be learnt, AUC .53
        for .50 (300 rows).
        """
        values = np.array(self._values(history), float)
        others = np.delete(values, booster, axis=1) if values.shape[1] > 1 else values
        means = others.mean(axis=1)
        costs = np.where(np.isnan(means), np.inf, -means if self.maximize else means)
        best = int(np.argmin(costs))
        return best, float(means[best])

    def best_after(self, history: History, best: int) -> int:
        """Return the best round after one more, where `best` was it before."""
        values = self._values(history)
        return self._better(values, best, len(values) - 1)

    def is_over(self, history: History, best: int) -> bool:
        """Say whether patience has run out, or hope to reach the leader."""
        rounds = len(self._values(history))
        return rounds > 0 and (rounds - 1 - best >= self.patience or self._is_behind(history, best))

    def rounds_left(self, history: History, best: int) -> int:
        """Return how many rounds, 1 at least, it takes until the training may be over."""
        last = len(self._values(history)) - 1
        left = self.patience - (last - best)
        if self.leader is not None:
            left = min(left, self.leader.rounds - last)
        return max(1, left)

    def value(self, history: History, best: int) -> float:
        """Return the mean of the metric over the boosters in the best round."""
        return float(np.mean(self._values(history)[best]))

    def is_better(self, one: float, other: float) -> bool:
        """Say whether one value of the metric is better than another."""
        return one > other if self.maximize else one < other

    def _is_behind(self, history: History, best: int) -> bool:
        """Say whether more is lacking than twice what the later half of the rounds gained.

        A curve that flattens gains no more than that in as many rounds again; it is judged once it
        has had the rounds that the leader took.
        """
        if self.leader is None or best < self.leader.rounds:
            return False
        now = self.value(history, best)
        lacking, gained = abs(self.leader.value - now), abs(now - self.value(history, best // 2))
        return self.is_better(self.leader.value, now) and lacking > 2 * gained

    def _values(self, history: History) -> Series:
        return history.get(VALIDATION, {}).get(self.metric, [])

    def _better(self, values: Series, best: int, index: int) -> int:
        one, other = np.mean(values[best]), np.mean(values[index])
        if np.isnan(one):
            return best if np.isnan(other) else index
        return index if self.is_better(float(other), float(one)) else best

    def check(self, history: History, best: int) -> None:
        """Raise SettingsError if the metric is not finite even in the best round."""
        values = self._values(history)
        if values and not np.isfinite(np.mean(values[best])):
            raise SettingsError(
                f"the metric {self.metric} is not finite in any round, and cannot choose one",
                hint="Name another one last in eval_metric",
            )
