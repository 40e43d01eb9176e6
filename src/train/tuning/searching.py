"""One search: trial after trial on folds of some rows, and the choice among them."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from sagetree.bundle.tuning_history import Settings, Trial
from sagetree.errors import SettingsError
from sagetree.machine.program import LOG
from sagetree.train.boosting.folds import Fold
from sagetree.train.boosting.judging import evidence
from sagetree.train.boosting.phases import MANY_ROWS, fold_data
from sagetree.train.boosting.plan import BoostingPlan
from sagetree.train.boosting.rounds import Leader
from sagetree.train.boosting.strategies import HOLD_OUT_SHARE
from sagetree.train.examples.examples import Examples, Rows
from sagetree.train.hyperparameters.eval_metrics import is_maximized
from sagetree.train.hyperparameters.searching import ENCODING
from sagetree.train.hyperparameters.value_types import Budget
from sagetree.train.settings.tuning import Tuning
from sagetree.train.tuning.encodings import NATIVE, Encoded
from sagetree.train.tuning.proposals import Proposer
from sagetree.train.tuning.store import TrialStore
from sagetree.train.tuning.trying import Groups, Tried, attempt, in_groups

# With so many rows left out, of the rarer label if there are two, more folds would hardly
# choose differently.
_ENOUGH_LEFT_OUT = 1000

# What XGBoost does where neither the preset nor the user says anything.
_XGBOOST_DEFAULTS: Mapping[str, float] = {
    "max_depth": 6, "eta": 0.3, "min_child_weight": 1, "lambda": 1, "alpha": 0, "subsample": 1,
    "colsample_bytree": 1,
}  # fmt: skip
_LINEAR_DEFAULTS: Mapping[str, float] = {"eta": 0.5, "lambda": 0, "alpha": 0}


@dataclass(frozen=True)
class Found:
    """The trials of a search, how many of them are the defaults, and the place of the chosen one.

    `left` is what there is in memory of the chosen one, or of a trial that was stopped
    before any was whole; `folds` are the search's own.
    """

    trials: tuple[Trial, ...]
    defaults: int
    chosen: int
    left: Tried | None
    folds: Sequence[Fold]

    @property
    def trial(self) -> Trial:
        """The chosen trial."""
        return self.trials[self.chosen]


@dataclass(frozen=True)
class Search:
    """A search of `tuning` within `budget`; `words` say in the log what it is for."""

    tuning: Tuning
    encoded: Mapping[str, Encoded]
    budget: Budget
    words: str

    @property
    def plan(self) -> BoostingPlan:
        """The plan that holds without a search."""
        return self.encoded[NATIVE].plan

    def planned(self, settings: Settings) -> BoostingPlan:
        """Return the plan with settings of a trial."""
        return self.encoded[str(settings.get(ENCODING, NATIVE))].planned(settings)

    def run(self, rows: Rows, store: TrialStore) -> Found:
        """Search on some rows of train, from the trials in `store` on.

        Raises SettingsError where no trial's metric is a number.
        """
        started, stored = time.monotonic(), store.read()
        trials = stored.trials if stored else ()
        spent = stored.seconds if stored else 0.0
        course = _Course(self, rows)
        left: Tried | None = None

        def seconds() -> float:
            return spent + time.monotonic() - started

        while not (stored and stored.is_over) and not self._is_over(trials, seconds()):
            if self.plan.run.is_stopped():
                break
            tried = course.attempt(trials, lambda: self._is_late(trials, seconds()))  # noqa: B023
            if tried.trial is None:
                left = left if self.plan.run.is_stopped() and left else tried
                break
            trials = (*trials, tried.trial)
            best = choose(trials, len(course.defaults), maximize=course.maximize)
            left = tried if best == len(trials) - 1 else left
            self._tell(trials, best)
            store.write(trials, seconds(), is_over=False)
        if not self.plan.run.is_stopped():
            store.write(trials, seconds(), is_over=True)
        return course.found(trials, left)

    def _is_over(self, trials: Sequence[Trial], seconds: float) -> bool:
        if self.budget.trials is not None:
            return len(trials) >= self.budget.trials
        return self._is_late(trials, seconds)

    def _is_late(self, trials: Iterable[Trial], seconds: float) -> bool:
        """Say whether the time is up; one whole trial is made in any case."""
        has_whole = any(trial.state == "complete" for trial in trials)
        return self.budget.seconds is not None and has_whole and seconds >= self.budget.seconds

    def _tell(self, trials: Sequence[Trial], best: int) -> None:
        metric, trial = self.plan.settings.stopping_metric, trials[-1]
        said = " ".join(f"{name}={shown(value)}" for name, value in trial.settings.items())
        value = "no number" if trial.value is None else f"{trial.value:.5g}"
        pruned = ", pruned" if trial.state == "pruned" else ""
        chosen = "" if trials[best].value is None else f", {trials[best].value:.5g} of {best + 1}"
        LOG.info(
            "%s, trial %d: %s %s%s (best%s): %s",
            self.words, len(trials), metric, value, pruned, chosen, said,
        )  # fmt: skip


class _Course:
    """What the trials of one search share: the rows' folds, and the sampler."""

    def __init__(self, search: Search, rows: Rows) -> None:
        self.search = search
        self.rows = rows
        plan, train = search.plan, search.encoded[NATIVE].train.take(rows)
        self.folds = inner_folds(plan, train)
        self.maximize = is_maximized(plan.settings.stopping_metric)
        self.defaults = default_settings(search.tuning, plan, has_encoding=len(search.encoded) > 1)
        has_encoding = len(search.encoded) > 1
        seed = plan.settings.seed
        self.proposer = Proposer(search.tuning.ranges, has_encoding, self.maximize, seed)
        self._groups: dict[str, Groups] = {}

    def attempt(self, trials: Sequence[Trial], is_late: Callable[[], bool]) -> Tried:
        """Try the settings that come after these trials."""
        number = len(trials)
        is_default = number < len(self.defaults)
        settings = self.defaults[number] if is_default else self.proposer.propose(trials)
        plan = self.search.planned(settings)
        groups = self.groups(str(settings.get(ENCODING, NATIVE)))
        stopped = self.search.plan.run.is_stopped
        return attempt(
            plan,
            settings,
            groups,
            self._leaders(trials, len(groups)),
            lambda means: not is_default and self.proposer.is_poor(trials, means),
            lambda: stopped() or is_late(),
        )

    def groups(self, encoding: str) -> Groups:
        """Return the folds by an encoding, as a trial meets them."""
        if encoding not in self._groups:
            one = self.search.encoded[encoding]
            data = fold_data(one.plan, one.train.take(self.rows), self.folds)
            self._groups[encoding] = in_groups(
                [replace(part, evaluates_train=False) for part in data]
            )
        return self._groups[encoding]

    def _leaders(self, trials: Sequence[Trial], count: int) -> list[Leader | None]:
        whole = [trial for trial in trials if trial.state == "complete"]
        if not whole:
            return [None] * count
        best = whole[_best(whole, maximize=self.maximize)]
        means = [float(np.mean(group)) for group in best.values]
        return [Leader(*each) for each in zip(means, best.rounds, strict=True)]

    def found(self, trials: tuple[Trial, ...], left: Tried | None) -> Found:
        """Return what a search has found. Raises SettingsError where that is nothing."""
        metric = self.search.plan.settings.stopping_metric
        stopped = self.search.plan.run.is_stopped()
        if not stopped and all(trial.value is None for trial in trials):
            raise SettingsError(
                f"the metric {metric} is not a number in any trial, and cannot choose one",
                hint="Name another one last in eval_metric",
            )
        chosen = choose(trials, len(self.defaults), maximize=self.maximize) if trials else 0
        defaults = min(len(self.defaults), len(trials))
        return Found(trials, defaults, chosen, left, self.folds)


def default_settings(
    tuning: Tuning, plan: BoostingPlan, *, has_encoding: bool
) -> tuple[Settings, ...]:
    """Return what holds without a search, for each depth that a job chooses among if it is open."""
    is_linear = plan.params.get("booster") == "gblinear"
    known = {**(_LINEAR_DEFAULTS if is_linear else _XGBOOST_DEFAULTS), **plan.params}
    usual: Settings = {each.name: known[each.name] for each in tuning.ranges}
    usual |= {ENCODING: NATIVE} if has_encoding else {}
    if "max_depth" not in usual or not plan.settings.depths:
        return (usual,)
    return tuple({**usual, "max_depth": depth} for depth in plan.settings.depths)


def inner_folds(plan: BoostingPlan, rows: Examples) -> list[Fold]:
    """Return the folds of a search: as many of the last as tell settings apart, or one hold-out."""
    splitter = replace(plan.splitter, folds=None)
    if rows.rows > MANY_ROWS:
        return [splitter.hold_out(rows, HOLD_OUT_SHARE)]
    folds = splitter.split(rows)
    data = [plan.matrices.build(rows.take(outside)) for _, outside in reversed(folds)]
    counts = [evidence(plan, part) for part in data]
    return folds[-(1 + int(np.searchsorted(np.cumsum(counts), _ENOUGH_LEFT_OUT))) :]


def choose(trials: Sequence[Trial], defaults: int, *, maximize: bool) -> int:
    """Return the place of the best trial; the best of the defaults where it gains less than noise.

    Noise is the standard error of the gain over the folds, which both were tried on.
    """
    whole = [place for place, trial in enumerate(trials) if trial.state == "complete"]
    if not whole:
        return 0
    best = whole[_best([trials[place] for place in whole], maximize=maximize)]
    usual = [place for place in whole if place < defaults]
    if best < defaults or not usual:
        return best
    standard = usual[_best([trials[place] for place in usual], maximize=maximize)]
    one, other = (np.concatenate(trials[place].values) for place in (best, standard))
    gains = (one - other) * (1 if maximize else -1)
    if len(gains) > 1 and gains.mean() <= gains.std(ddof=1) / np.sqrt(len(gains)):
        return standard
    return best


def _best(trials: Sequence[Trial], *, maximize: bool) -> int:
    """Return the place of the best of whole trials; of equal ones the first."""
    values = [np.mean(np.concatenate(trial.values)) for trial in trials]
    return int(np.argmax(values) if maximize else np.argmin(values))


def shown(value: float | str) -> str:
    """Return a setting's value in few digits."""
    return value if isinstance(value, str) else f"{value:.4g}"
