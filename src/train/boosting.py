"""Feature matrix to boosters: how many rounds, chosen on rows that were left out."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xgboost

from sagetree.cores import usable_cores
from sagetree.errors import SettingsError
from sagetree.features.pipeline import FeaturePipeline
from sagetree.label import Labels
from sagetree.objectives import Objective
from sagetree.program import LOG
from sagetree.scoring import Scores
from train.examples import Examples, Layout, RowRoles
from train.folds import Fold, Splitter
from train.metrics import is_maximized
from train.progress import Progress, metric_line
from train.rounds import Boosted, Callback, Keeper, Part, Stopping, boost
from train.settings import Boosting

# From here on one hold-out says as much as folds, in a fifth of the time.
HOLD_OUT_ROWS = 200_000
HOLD_OUT_SHARE = 0.1

# With fewer cells a round is so short that threads wait for each other longer
# than they work: one of them is up to five times faster (5000 rows, 30 columns).
THREADED_CELLS = 1_000_000

# What XGBoost puts before its messages: the time and a line of its source.
_XGBOOST_PLACE = re.compile(r"^\[[0-9:]+\] \S+:\d+: (Check failed: .*?: )?")


@dataclass(frozen=True)
class Rounds:
    """How many rounds were found best, and how the rows left out fared.

    `labels`, `scores` and `roles` are of the rows left out (n), in the order of
    the rows they were taken from; `metrics` holds the value of each metric at
    the best round, `deviations` its standard deviation over folds (empty without
    folds); `rows` says in words which rows these are.
    """

    best: int
    labels: Labels
    scores: Scores
    roles: RowRoles
    metrics: Mapping[str, float]
    deviations: Mapping[str, float]
    rows: str


@dataclass(frozen=True)
class Course:
    """How a job's boosting goes beside its settings: what it begins with, and who looks on.

    `first` is a model whose trees come before all rounds, `keeper` gives the
    checkpoints of a phase of so many boosters, `is_stopped` ends a phase early, and
    `check_stopped` is then given its rounds and raises if no model is to be left.
    """

    first: bytes | None = None
    callbacks: Sequence[Callback] = ()
    keeper: Callable[[str, int], Keeper | None] = lambda _phase, _parts: None
    is_stopped: Callable[[], bool] = lambda: False
    check_stopped: Callable[[int], None] = lambda _rounds: None


@dataclass(frozen=True)
class _Cut:
    """Boosters cut at their best round, and each metric there, of each booster."""

    boosters: tuple[xgboost.Booster, ...]
    best: int
    metrics: Mapping[str, Sequence[float]]

    def means(self) -> dict[str, float]:
        """Return the mean of each metric over the boosters."""
        return {name: float(np.mean(values)) for name, values in self.metrics.items()}

    def deviations(self) -> dict[str, float]:
        """Return the standard deviation of each metric over the boosters."""
        return {name: float(np.std(values)) for name, values in self.metrics.items()}


class Fitter:
    """Fits boosters with fixed settings on matrices of one pipeline."""

    def __init__(
        self,
        settings: Boosting,
        features: FeaturePipeline,
        objective: Objective,
        classes: int,
        course: Course | None = None,
    ) -> None:
        """Take the settings; `classes` is the number of them, 0 for other labels."""
        self.settings = settings
        self.features = features
        self.objective = objective
        self.course = course or Course()
        self.params: dict[str, Any] = {
            **settings.params,
            **settings.constraints.params(features),
            "objective": objective.name,
            "eval_metric": list(settings.metrics),
        }
        if objective.task == "multiclass":
            self.params["num_class"] = classes
        self.splitter = Splitter(objective, settings.nfold, settings.stratified, settings.seed)

    def fit(
        self, train: Examples, validation: Examples | None
    ) -> tuple[tuple[xgboost.Booster, ...], Rounds]:
        """Return the boosters, cut at their best round, and how that round was chosen.

        With validation rows they choose the rounds; else cross-validation does,
        or from 200 000 rows on a hold-out, and all rows are fitted afterwards.
        Where that was stopped, the boosters that chose the rounds are the model.
        """
        self.params.setdefault("nthread", _threads(train))
        self.layout = Layout(
            names=self.features.safe_names,
            types=self.features.types,
            feature_weights=self.settings.constraints.feature_weights(self.features),
            threads=self.params["nthread"],
            queries=self.objective.task == "ranking",
            bounds=self.objective.name == "survival:aft",
        )
        try:
            if validation is not None:
                return self._fit_watched(train, validation, "watched", "the validation channel")
            if self.settings.nfold or train.rows <= HOLD_OUT_ROWS:
                chosen, rounds = self._cross_validate(train)
            else:
                chosen, rounds = self._hold_out(train)
            return self._fit_all(train, rounds.best, chosen), rounds
        except xgboost.core.XGBoostError as error:
            reason = _XGBOOST_PLACE.sub("", str(error).strip()).splitlines()[0]
            raise SettingsError(
                f"XGBoost refuses the training: {reason}",
                hint="Change the hyperparameter it names",
            ) from error

    def _fit_all(
        self, train: Examples, rounds: int, otherwise: tuple[xgboost.Booster, ...]
    ) -> tuple[xgboost.Booster, ...]:
        """Return the booster of all rows; where it is stopped before its end, those given."""
        if not self.course.is_stopped():
            LOG.info("Fitting all %d rows for %d rounds", train.rows, rounds)
            boosted = self._boost("all-rows", [Part(self.layout.data(train))], rounds)
            if not boosted.stopped:
                return boosted.boosters
        LOG.warning("Stopped by SIGTERM: the model is what chose the rounds, fitted on fewer rows")
        return otherwise

    def _fit_watched(
        self, train: Examples, watched: Examples, phase: str, rows: str
    ) -> tuple[tuple[xgboost.Booster, ...], Rounds]:
        cut = self._watched(phase, [Part(self.layout.data(train), self.layout.data(watched))])
        scores = self._predict(cut.boosters[0], watched)
        metrics = cut.means()
        _tell_choice(cut.best, metrics, rows)
        rounds = Rounds(cut.best, watched.labels, scores, watched.roles, metrics, {}, rows)
        return cut.boosters, rounds

    def _hold_out(self, train: Examples) -> tuple[tuple[xgboost.Booster, ...], Rounds]:
        inside, outside = self.splitter.hold_out(train, HOLD_OUT_SHARE)
        rows = f"a hold-out of {HOLD_OUT_SHARE:.0%} of train"
        return self._fit_watched(train.take(inside), train.take(outside), "hold-out", rows)

    def _cross_validate(self, train: Examples) -> tuple[tuple[xgboost.Booster, ...], Rounds]:
        folds = self.splitter.split(train)
        cut, scores = self._fit_folds(train, folds, "folds")
        rows = f"the rows left out by {len(folds)}-fold cross-validation"
        metrics = cut.means()
        _tell_choice(cut.best, metrics, rows)
        kept = np.sort(np.concatenate([outside for _, outside in folds]))
        return cut.boosters, Rounds(
            cut.best,
            train.labels[kept],
            scores[kept],
            train.roles.take(kept),
            metrics,
            cut.deviations(),
            rows,
        )

    def _fit_folds(self, train: Examples, folds: Sequence[Fold], phase: str) -> tuple[_Cut, Scores]:
        """Return a booster for each fold and the scores of the rows it left out.

        The rounds are those with the best mean over the folds. Rows that no
        fold leaves out (the first in time) have the score NaN.
        """
        parts = [
            Part(self.layout.data(train.take(inside)), self.layout.data(train.take(outside)))
            for inside, outside in folds
        ]
        cut = self._watched(phase, parts)
        scores: Scores | None = None
        for (_, outside), booster in zip(folds, cut.boosters, strict=True):
            found = self._predict(booster, train.take(outside))
            if scores is None:
                scores = np.full((train.rows, *found.shape[1:]), np.nan, np.float32)
            scores[outside] = found
        assert scores is not None  # noqa: S101 - there are two folds at least
        return cut, scores

    def _predict(self, booster: xgboost.Booster, examples: Examples) -> Scores:
        """Return what serving would answer: it knows of no margin to start from."""
        scores: Scores = booster.predict(self.layout.data(examples.without_margin()))
        return scores

    def _watched(self, phase: str, parts: Sequence[Part]) -> _Cut:
        """Boost on each part, all in step, until the rows left out get no better."""
        limit, patience = self.settings.rounds, self.settings.patience
        metric = self.settings.stopping_metric
        stopping = Stopping(metric, is_maximized(metric), patience) if patience else None
        boosted = self._boost(phase, parts, limit, stopping)
        best = boosted.best
        if boosted.stopped:
            self.course.check_stopped(boosted.rounds)
        return _Cut(
            tuple(self._first_rounds(booster, best) for booster in boosted.boosters),
            best,
            {
                f"{rows}-{name}": series[best - 1]
                for rows, metrics in boosted.history.items()
                for name, series in metrics.items()
            },
        )

    def _boost(
        self, phase: str, parts: Sequence[Part], limit: int, stopping: Stopping | None = None
    ) -> Boosted:
        course = self.course
        watched = parts[0].validation is not None
        return boost(
            self.params,
            parts,
            limit,
            first=course.first,
            stopping=stopping,
            callbacks=[*([Progress(limit)] if watched else []), *course.callbacks],
            keeper=course.keeper(phase, len(parts)),
            is_stopped=course.is_stopped,
        )

    def _first_rounds(self, booster: xgboost.Booster, rounds: int) -> xgboost.Booster:
        made = booster.num_boosted_rounds()
        return booster if made == rounds else booster[:rounds]


def _threads(train: Examples) -> int:
    return usable_cores() if train.matrix.size >= THREADED_CELLS else 1


def _tell_choice(best: int, metrics: Mapping[str, float], rows: str) -> None:
    LOG.info("Best round, metrics named validation on %s:", rows)
    LOG.info(metric_line(best - 1, metrics))
