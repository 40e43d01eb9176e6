"""One trial: boosters of some settings on the folds of a search, group by group.

It computes nothing but the deciding metric, ends its rounds where it will not reach the best
trial so far, and is pruned behind a group of folds in which half of the trials were better.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import ceil

import numpy as np

from sagetree.bundle.learning_curve import Settings, Trial
from sagetree.train.boosting.early_stopping import EarlyStopping, History, Leader
from sagetree.train.boosting.judging import deciding
from sagetree.train.boosting.phases import boost_phase
from sagetree.train.boosting.plan import BoostingPlan, RunOptions
from sagetree.train.boosting.rounds import (
    BoosterData,
    TrainingResult,
)
from sagetree.train.hyperparameters.eval_metrics import is_maximized
from sagetree.train.settings.channel_settings import VALIDATION
from sagetree.train.tuning.proposals import means_so_far

# With larger steps a metric needs fewer rounds to show that it gets no better.
_ETA, _LEAST_PATIENCE = 0.05, 15

Groups = Sequence[Sequence[BoosterData]]


@dataclass(frozen=True)
class Tried:
    """What a trial made; `trial` is None where it was ended from outside.

    `results` are those of each group of folds that it came to.
    """

    trial: Trial | None
    settings: Settings
    results: tuple[TrainingResult, ...]


class TrialStopping(EarlyStopping):
    """Early stopping of a trial: one whose metric is not a number is not an error, but pruned."""

    def check(self, history: History, best: int) -> None:
        """Leave the metric to whoever tries."""


def in_groups(data: Sequence[BoosterData]) -> Groups:
    """Return folds in the order in which a trial meets them: less than half of them first."""
    first = len(data) // 2
    return [part for part in (data[len(data) - first :], data[: len(data) - first]) if part]


def attempt(
    plan: BoostingPlan,
    settings: Settings,
    groups: Groups,
    leaders: Sequence[Leader | None],
    is_poor: Callable[[Sequence[float]], bool],
    is_stopped: Callable[[], bool],
) -> Tried:
    """Try a plan, which has the settings, on groups of folds; `leaders` are the best in each."""
    tried = deciding(replace(plan, run=RunOptions(is_stopped=is_stopped)))
    results = list[TrainingResult]()
    values, rounds = list[tuple[float, ...]](), list[int]()
    for result in _results(tried, groups, leaders):
        results.append(result)
        if result.stopped:
            return Tried(None, settings, tuple(results))
        found = result.history[VALIDATION][plan.settings.stopping_metric][result.best - 1]
        if not np.isfinite(found).all():
            break
        values.append(tuple(found))
        rounds.append(result.best)
        if len(values) < len(groups) and is_poor(means_so_far(values)):
            break
    trial = Trial(
        settings=settings,
        state="complete" if len(values) == len(groups) else "pruned",
        values=tuple(values),
        rounds=tuple(rounds),
    )
    return Tried(trial, settings, tuple(results))


def _results(
    plan: BoostingPlan, groups: Groups, leaders: Sequence[Leader | None]
) -> Iterator[TrainingResult]:
    """Yield the training of each group; of what is pruned the later ones are never made."""
    settings = plan.settings
    maximize = is_maximized(settings.stopping_metric)
    for group, leader in zip(groups, leaders, strict=True):
        stopping = None
        if settings.patience:
            patience = _patience(settings.patience, float(plan.params.get("eta", _ETA)))
            stopping = TrialStopping(settings.stopping_metric, maximize, patience, leader)
        yield boost_phase(plan, "trial", group, settings.rounds, stopping, is_told=False)


def _patience(patience: int, eta: float) -> int:
    """Return the rounds without improvement after which steps of this size get no better."""
    return min(patience, max(_LEAST_PATIENCE, ceil(patience * _ETA / max(eta, 1e-9))))
