"""How deep trees grow, where nobody says it: tried on held-out rows, by the deciding metric.

Rows with interactions ask for depth, few positives forbid it, and no default knows
which a table has. A trial takes larger steps, and so fewer rounds, on the folds or the
one hold-out that the job boosts on anyway, and computes nothing but the deciding
metric. Depths between are not trials: they differ by less than folds do. What else no
default knows of several classes is tried at the best depth: the preset's rival.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil

import numpy as np

from sagetree.machine.program import LOG
from sagetree.train.boosting.early_stopping import EarlyStopping, Leader
from sagetree.train.boosting.judging import (
    deciding,
    evidence,
    predict_left_out,
    without_last,
)
from sagetree.train.boosting.phases import (
    best_boosters,
    boost_phase,
    boost_until_best,
)
from sagetree.train.boosting.plan import BoostingPlan
from sagetree.train.boosting.results import BestBoosters
from sagetree.train.boosting.rounds import (
    BoosterData,
    TrainingResult,
)
from sagetree.train.hyperparameters.eval_metrics import is_maximized

TRIAL = "trial"

# A trial's eta, where the job's own is smaller, and the patience that it needs.
_ETA, _PATIENCE = 0.2, 15

# With this many held-out rows, of the rarer label if there are two, more folds would hardly choose
# differently.
_ENOUGH_LEFT_OUT = 1000

# Rows to learn from, of the rarer label if there are two, for each leaf of a full tree.
_ROWS_A_LEAF = 20


@dataclass(frozen=True)
class _Trial:
    """What one choice reached: in `result`, up to its best round; NaN if it made none."""

    plan: BoostingPlan
    stopping: EarlyStopping
    result: TrainingResult
    value: float

    @property
    def depth(self) -> int:
        """The depth that was tried."""
        return int(self.plan.params["max_depth"])

    @property
    def words(self) -> str:
        """What was tried, as hyperparameters are written."""
        return ", ".join(f"{name}={value:g}" for name, value in self.plan.chosen.items())

    @property
    def told(self) -> str:
        """What was reached, and by what."""
        _, *rival = self.words.split(", ")
        return f"{self.value:.5g} at {self.depth}" + (f" ({', '.join(rival)})" if rival else "")

    def is_beaten(self, other: TrainingResult) -> bool:
        """Say whether another training has reached a better value."""
        if not other.rounds:
            return False
        value = self.stopping.value(other.history, other.best - 1)
        return self.stopping.is_better(value, self.value)


def boost_at_best_capacity(
    plan: BoostingPlan, phase: str, data: Sequence[BoosterData]
) -> tuple[BoostingPlan, BestBoosters]:
    """Choose what is open, and return the plan of that and its boosters up to the best round.

    Stopped before these are better than the best trial, they are that trial's, on the last
    of `data` alone. Raises Terminated where no model is to be left.
    """
    if not plan.settings.depths or plan.chosen:
        return plan, best_boosters(plan, phase, data, boost_until_best(plan, phase, data))
    tried = [replace(part, evaluates_train=False) for part in _enough(plan, data)]
    trials = list(_trials(plan, tried))
    best = _best(plan, trials)
    if not plan.run.is_stopped():
        _tell(plan, trials, best, f"{len(tried)} of {len(data)} folds" if data[1:] else "")
    plan = plan.choosing(best.plan.chosen)
    result = boost_until_best(plan, phase, data)
    if result.stopped and not best.is_beaten(result):
        rounds = result.rounds or best.result.rounds  # those that the log has shown, if any
        stopped = replace(best.result, stopped=True, rounds=rounds)
        found = best_boosters(best.plan, TRIAL, tried, stopped)
        LOG.warning("None is better yet than the trial of %s: that is kept", best.words)
        return best.plan, found
    return plan, _judged(trials, best, tried, best_boosters(plan, phase, data, result))


def _judged(
    trials: Sequence[_Trial], best: _Trial, tried: Sequence[BoosterData], found: BestBoosters
) -> BestBoosters:
    """Return the boosters with scores of each fold's rows by what the others choose.

    Where that is another trial, they are its own. Folds that were not tried chose nothing,
    and where some were not, those that were have so many rows that the choice is not chance.
    Nor has one booster another trial's: its rounds, which halves of its rows choose for each
    other, are what was chosen by chance (of 300 rows of noise the AUC is then .499).
    """
    if len(tried) != len(found.boosters) or len(tried) == 1:
        return found
    trials = [trial for trial in trials if trial.result.rounds]
    judged = list(found.judged)
    for index, part in enumerate(tried):
        reached = [t.stopping.best_by_others(t.result.history, index) for t in trials]
        sign = -1 if best.stopping.maximize else 1
        costs = [sign * value if np.isfinite(value) else np.inf for _, value in reached]
        chosen = int(np.argmin(costs))
        if trials[chosen] is not best:
            booster = trials[chosen].result.boosters[index]
            later = trials[chosen].result.rounds - 1 - reached[chosen][0]
            judged[index] = predict_left_out(best.plan, without_last(booster, later), part)
    return replace(found, judged=tuple(judged))


def _trials(plan: BoostingPlan, data: Sequence[BoosterData]) -> Iterator[_Trial]:
    """Yield what is reached by the first depth, the shallower one, and perhaps the deepest.

    And then by the preset's rival at the best of them.
    """
    first, shallower, deepest = plan.settings.depths
    trials: list[_Trial] = []

    def attempt(chosen: Mapping[str, float]) -> _Trial:
        leader = _best(plan, trials) if trials else None
        trials.append(_try(plan, data, chosen, leader))
        return trials[-1]

    yield attempt({"max_depth": first})
    if plan.run.is_stopped():
        return
    yield attempt({"max_depth": shallower})
    gains = _best(plan, trials) is trials[0]
    has_rows = evidence(plan, data[-1].train, plan.group) >= _ROWS_A_LEAF * 2**deepest
    if gains and has_rows and not plan.run.is_stopped():
        yield attempt({"max_depth": deepest})
    if plan.rival and not plan.run.is_stopped():
        yield attempt({"max_depth": _best(plan, trials).depth, **plan.rival})


def _try(
    plan: BoostingPlan,
    data: Sequence[BoosterData],
    chosen: Mapping[str, float],
    best: _Trial | None,
) -> _Trial:
    """Reach what a choice can, as long as there is hope to beat the best trial before."""
    settings, eta = plan.settings, float(plan.params["eta"])
    stride = max(1.0, _ETA / eta) if eta else 1.0
    metric, trial = settings.stopping_metric, deciding(plan)
    trial = replace(trial, params={**trial.params, "eta": stride * eta}).choosing(chosen)
    leader = Leader(best.value, best.result.best) if best else None
    rounds = ceil(settings.rounds / stride)
    patience = min(settings.patience or _PATIENCE, _PATIENCE)
    stopping = EarlyStopping(metric, is_maximized(metric), patience, leader)
    result = boost_phase(trial, TRIAL, data, rounds, stopping, is_told=False)
    value = stopping.value(result.history, result.best - 1) if result.rounds else np.nan
    return _Trial(trial, stopping, result, value)


def _best(plan: BoostingPlan, trials: Sequence[_Trial]) -> _Trial:
    """Return the best of the trials that made a round; of equal ones the first."""
    sign = -1 if is_maximized(plan.settings.stopping_metric) else 1
    return min(trials, key=lambda t: sign * t.value if np.isfinite(t.value) else np.inf)


def _enough(plan: BoostingPlan, data: Sequence[BoosterData]) -> Sequence[BoosterData]:
    """Return the last folds, as many as tell depths apart; in time the last have most rows."""
    counts = [
        evidence(plan, part.validation) for part in reversed(data) if part.validation is not None
    ]
    folds = 1 + int(np.searchsorted(np.cumsum(counts), _ENOUGH_LEFT_OUT))
    return data[-folds:]


def _tell(plan: BoostingPlan, trials: Sequence[_Trial], best: _Trial, folds: str) -> None:
    metric = plan.settings.stopping_metric
    trials = sorted(trials, key=lambda trial: trial.depth)
    values = ", ".join(trial.told for trial in trials)
    rows = f"the held-out rows of {folds}" if folds else "the held-out rows"
    verb = "is" if len(best.plan.chosen) == 1 else "are"
    LOG.info("%s %s chosen: %s of %s is %s", best.words, verb, metric, rows, values)
