"""What the trials of one search share: the rows' folds, the sampler, and the defaults."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from sagetree.bundle.learning_curve import Settings, Trial
from sagetree.train.boosting.early_stopping import Leader
from sagetree.train.boosting.folds import Fold
from sagetree.train.boosting.judging import evidence
from sagetree.train.boosting.phases import MANY_ROWS, fold_data
from sagetree.train.boosting.plan import BoostingPlan
from sagetree.train.boosting.rounds import (
    BoosterData,
)
from sagetree.train.boosting.strategies import HOLD_OUT_SHARE
from sagetree.train.examples.examples import Examples, Rows
from sagetree.train.hyperparameters.eval_metrics import is_maximized
from sagetree.train.hyperparameters.searching import ENCODING
from sagetree.train.settings.tuning import Tuning
from sagetree.train.tuning.choosing import choose, finalists, ranked
from sagetree.train.tuning.encodings import NATIVE, Encoded
from sagetree.train.tuning.proposals import Proposer
from sagetree.train.tuning.trying import Groups, Tried, attempt, in_groups

# With this many held-out rows, of the rarer label if there are two, more folds would hardly
# choose differently.
_ENOUGH_LEFT_OUT = 1000

# Where there are fewer, the best trials are tried on the folds of this many more splits.
_SPLITS_AGAIN = 2

# What XGBoost does where neither the preset nor the user says anything.
_XGBOOST_DEFAULTS: Mapping[str, float] = {
    "max_depth": 6, "eta": 0.3, "min_child_weight": 1, "lambda": 1, "alpha": 0, "subsample": 1,
    "colsample_bytree": 1,
}  # fmt: skip
_LINEAR_DEFAULTS: Mapping[str, float] = {"eta": 0.5, "lambda": 0, "alpha": 0}


@dataclass(frozen=True)
class SearchFolds:
    """The folds of a search, and those that its best trials are tried on again."""

    first: Sequence[Fold]
    again: Sequence[Sequence[Fold]]

    @classmethod
    def of(cls, plan: BoostingPlan, rows: Examples) -> "SearchFolds":
        """Return as many of the last folds as tell settings apart, or of many rows one hold-out."""
        splitter = replace(plan.splitter, folds=None)
        if rows.rows > MANY_ROWS:
            return cls([splitter.hold_out(rows, HOLD_OUT_SHARE)], ())
        folds = splitter.split(rows)
        parts = [plan.matrices.build(rows.take(outside)) for _, outside in reversed(folds)]
        counts = np.cumsum([evidence(plan, part) for part in parts])
        few = folds[-(1 + int(np.searchsorted(counts, _ENOUGH_LEFT_OUT))) :]
        if counts[-1] >= _ENOUGH_LEFT_OUT or rows.roles.times is not None:  # which splits one way
            return cls(few, ())
        return cls(few, [splitter.split(rows, repeat=1 + n) for n in range(_SPLITS_AGAIN)])


class Course:
    """The course of one search of `tuning` on some rows of train; makes a fold's data but once."""

    def __init__(self, tuning: Tuning, encoded: Mapping[str, Encoded], rows: Rows) -> None:
        self.encoded = encoded
        self.rows = rows
        plan = encoded[NATIVE].plan
        self.stopped = plan.run.is_stopped
        self.folds = SearchFolds.of(plan, encoded[NATIVE].train.take(rows))
        self.maximize = is_maximized(plan.settings.stopping_metric)
        has_encoding = len(encoded) > 1
        self.defaults = default_settings(tuning, plan, has_encoding=has_encoding)
        self.proposer = Proposer(tuning.ranges, has_encoding, self.maximize, plan.settings.seed)
        self._groups: dict[str, Groups] = {}

    def attempt(self, trials: Sequence[Trial], is_late: Callable[[], bool]) -> Tried:
        """Try the settings that come after these trials."""
        number = len(trials)
        is_default = number < len(self.defaults)
        settings = self.defaults[number] if is_default else self.proposer.propose(trials)
        encoding = str(settings.get(ENCODING, NATIVE))
        if encoding not in self._groups:
            self._groups[encoding] = in_groups(self._data(encoding, self.folds.first))
        groups = self._groups[encoding]
        return attempt(
            self.encoded[encoding].planned(settings),
            settings,
            groups,
            self._leaders(trials, len(groups)),
            lambda means: not is_default and self.proposer.is_poor(trials, means),
            lambda: self.stopped() or is_late(),
        )

    def again(self, trial: Trial) -> Trial | None:
        """Return a trial with its values on other folds too, None if it was stopped."""
        encoding = str(trial.settings.get(ENCODING, NATIVE))
        groups = [self._data(encoding, folds) for folds in self.folds.again]
        plan, leaders = self.encoded[encoding].planned(trial.settings), [None] * len(groups)
        made = attempt(plan, trial.settings, groups, leaders, lambda _: False, self.stopped).trial
        if made is None or made.state != "complete":
            return made and trial.model_copy(update={"state": "pruned"})
        values, rounds = (*trial.values, *made.values), (*trial.rounds, *made.rounds)
        return trial.model_copy(update={"values": values, "rounds": rounds})

    def finalists(self, trials: Sequence[Trial]) -> Sequence[int]:
        """Return the places of trials that are to be tried again and have not been."""
        if not self.folds.again:
            return ()
        groups = min(2, len(self.folds.first))
        found = finalists(trials, len(self.defaults), groups, maximize=self.maximize)
        return [place for place in found if len(trials[place].values) == groups]

    def chosen(self, trials: Sequence[Trial]) -> int:
        """Return the place of the best trial so far."""
        return choose(trials, len(self.defaults), maximize=self.maximize)

    def _data(self, encoding: str, folds: Sequence[Fold]) -> list[BoosterData]:
        one = self.encoded[encoding]
        data = fold_data(one.plan, one.train.take(self.rows), folds)
        return [replace(part, evaluates_train=False) for part in data]

    def _leaders(self, trials: Sequence[Trial], count: int) -> list[Leader | None]:
        whole = [place for place, trial in enumerate(trials) if trial.state == "complete"]
        if not whole:
            return [None] * count
        best = trials[ranked(trials, whole, maximize=self.maximize)[0]]
        means = [float(np.mean(group)) for group in best.values]
        return [Leader(*each) for each in zip(means, best.rounds, strict=True)]


def default_settings(
    tuning: Tuning, plan: BoostingPlan, *, has_encoding: bool
) -> tuple[Settings, ...]:
    """Return what holds without a search: of all that a job chooses among where it is open."""
    is_linear = plan.params.get("booster") == "gblinear"
    known = {**(_LINEAR_DEFAULTS if is_linear else _XGBOOST_DEFAULTS), **plan.params}
    usual: Settings = {each.name: known[each.name] for each in tuning.ranges}
    usual |= {ENCODING: NATIVE} if has_encoding else {}
    if "max_depth" not in usual or not plan.settings.depths:
        return (usual,)
    found = [{**usual, "max_depth": depth} for depth in plan.settings.depths]
    return (*found, *({**each, **plan.rival} for each in found if plan.rival))
