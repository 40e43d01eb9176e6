"""A job with a search: the settings it finds, the model of all rows, and what judges both.

The rows that judge never choose. With a validation channel the search is in folds of train;
of many rows it leaves the held-out tenth alone. Else the job is judged by nested
cross-validation: each fold has a search of its own in the rows inside it, whose model scores
those outside, and one more search, in all rows, settles the model.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import xgboost

from sagetree.boosters.scoring import Scores
from sagetree.bundle.learning_curve import Settings, TuningHistory
from sagetree.errors import DataError
from sagetree.machine.program import LOG
from sagetree.train.boosting.checkpoints import Checkpoints
from sagetree.train.boosting.judging import predict_left_out, without_last
from sagetree.train.boosting.phases import (
    MANY_ROWS,
    all_rows,
    boost_phase,
    booster_data,
    log_best,
)
from sagetree.train.boosting.plan import BoostingPlan, RunOptions
from sagetree.train.boosting.results import TrainedModels, ValidationResult
from sagetree.train.boosting.rounds import BoosterData, evaluate_rows, to_ubjson
from sagetree.train.boosting.strategies import HOLD_OUT_SHARE, fit, xgboost_refusals
from sagetree.train.channels.ingest import Ingested
from sagetree.train.examples.examples import Examples, Rows
from sagetree.train.hyperparameters.eval_metrics import is_maximized
from sagetree.train.hyperparameters.searching import ENCODING
from sagetree.train.hyperparameters.value_types import Budget
from sagetree.train.settings.channel_settings import VALIDATION
from sagetree.train.settings.tuning import Tuning
from sagetree.train.tuning.encodings import NATIVE, Encoded, encodings_of
from sagetree.train.tuning.searching import Search, SearchResult, in_words
from sagetree.train.tuning.store import TrialStore

_NESTED = "nested cross-validation"


class Tuned(NamedTuple):
    """What was read, by the encoding that was chosen; the plan, its models, and the trials."""

    read: Ingested
    plan: BoostingPlan
    trained: TrainedModels
    history: TuningHistory | None


@dataclass(frozen=True)
class _Judged:
    """A model, and what it says about rows (`left_out`) that had no part in its search.

    `is_whole` says that the search came to its end, and learnt from all rows it had.
    """

    found: SearchResult
    encoded: Encoded
    plan: BoostingPlan
    booster: xgboost.Booster
    rounds: int
    left_out: Rows
    scores: Scores
    metrics: Mapping[str, float]
    is_whole: bool


def fit_tuned(
    read: Ingested, tuning: Tuning, run: RunOptions, checkpoints: Checkpoints | None
) -> Tuned:
    """Search, and fit the model of what was found.

    Raises SettingsError for what XGBoost refuses, DataError for rows too few to search on.
    """
    job = _Job(encodings_of(read, run), tuning, run, checkpoints)
    settings, validation = read.settings.boosting, read.examples.get(VALIDATION)
    is_nested = validation is None and (settings.nfold or job.train.rows <= MANY_ROWS)
    with xgboost_refusals():
        return job.nested() if is_nested else job.held_out()


@dataclass(frozen=True)
class _Job:
    encoded: Mapping[str, Encoded]
    tuning: Tuning
    run: RunOptions
    checkpoints: Checkpoints | None

    @property
    def plan(self) -> BoostingPlan:
        """The plan that holds without a search."""
        return self.encoded[NATIVE].plan

    @property
    def train(self) -> Examples:
        """The rows that are learnt from, with features as without a search."""
        return self.encoded[NATIVE].train

    def held_out(self) -> Tuned:
        """Search in rows of train alone, and fit as a job without a search does."""
        validation = self.encoded[NATIVE].read.examples.get(VALIDATION)
        inside, outside = np.arange(self.train.rows), np.empty(0, np.intp)
        if validation is None:
            inside, outside = self.plan.splitter.hold_out(self.train, HOLD_OUT_SHARE)
        self._check([inside])
        self._tell_begin(1)
        found = self._search("model", inside, "Search", parts=1)
        if self.run.is_stopped():
            judged = self._judged(found, inside, outside, "")
            which = f"a hold-out of {HOLD_OUT_SHARE:.0%} of train"
            return self._stopped([judged], which, is_nested=False)
        one, plan = self._by(found.trial.settings)
        _tell(found)
        trained = fit(plan, one.train, one.read.examples.get(VALIDATION))
        return Tuned(one.read, plan, trained, self._history(found))

    def nested(self) -> Tuned:
        """Judge by a search in each fold's rows, and fit what one in all rows has found."""
        folds = self.plan.splitter.split(self.train) if self._allows(self.train) else []
        usable = [fold for fold in folds if self._allows(self.train.take(fold[0]))]
        self._check([inside for inside, _ in usable])
        self._tell_begin(len(usable) + 1)
        judged = list[_Judged]()
        for number, (inside, outside) in reversed([*enumerate(usable, start=1)]):
            words = f"Fold {number} of {len(usable)}"
            found = self._search(f"fold-{number}", inside, words, parts=len(usable) + 1)
            one = self._judged(found, inside, outside, f"tuned-{number}")
            if one.is_whole or not judged:
                judged.append(one)
            if self.run.is_stopped():
                which = f"the held-out rows of {len(judged)} of {len(usable)} folds of {_NESTED}"
                return self._stopped(judged, which)
        which = f"the held-out rows of {len(usable)}-fold {_NESTED}"
        found = self._search("model", np.arange(self.train.rows), "Model", parts=len(usable) + 1)
        if self.run.is_stopped():
            return self._stopped(judged, which)
        return self._of_all_rows(found, judged, which)

    def _of_all_rows(self, found: SearchResult, judged: Sequence[_Judged], which: str) -> Tuned:
        encoded, plan = self._by(found.trial.settings)
        plan, rounds = plan.on_rows(encoded.train), found.trial.best_round
        _tell(found)
        result = _result(judged, encoded.train, rounds, which)
        log_best(rounds, result.metrics, result.rows)
        LOG.info("Fitting all %d rows for %d rounds", encoded.train.rows, rounds)
        made = boost_phase(plan, "all-rows", all_rows(plan, encoded.train), rounds)
        if made.stopped:
            return self._stopped(judged, which)
        models = tuple(map(plan.directed, to_ubjson(made.boosters)))
        history = self._history(found, judged)
        return Tuned(encoded.read, plan, TrainedModels(models, result), history)

    def _tell_begin(self, searches: int) -> None:
        """Log what is searched, how often, and that a time depends on the machine."""
        names = [each.name for each in self.tuning.ranges]
        names += [ENCODING] if len(self.encoded) > 1 else []
        folds = searches - 1
        judges = f" for the model, and as many for each of {folds} folds that judge it" * (
            folds > 0
        )
        budget = self._budget(searches)
        LOG.info(
            "Searching %s: %s",
            ", ".join(names),
            f"{budget.trials} trials{judges}"
            if budget.seconds is None
            else (
                f"{budget.seconds} s{judges}; its trials depend on the machine: the same job may "
                "give a different model"
            ),
        )

    def _search(self, name: str, rows: Rows, words: str, *, parts: int) -> SearchResult:
        search = Search(self.tuning, self.encoded, self._budget(parts), words)
        return search.run(rows, TrialStore(self.checkpoints, name))

    def _budget(self, parts: int) -> Budget:
        """Return what one search of this many has: all trials, or its part of the seconds."""
        budget = self.tuning.budget
        if budget.seconds is None:
            return budget
        return Budget(seconds=max(1, budget.seconds // parts))

    def _judged(self, found: SearchResult, inside: Rows, outside: Rows, phase: str) -> _Judged:
        """Return the model of what was found, on the rows inside, and judge it by others.

        Of a search that was stopped it is its best trial's, on one of its own folds. Raises
        Terminated where there is none to leave.
        """
        if not self.run.is_stopped():
            encoded, plan = self._by(found.trial.settings)
            data = self._data(encoded, plan, inside, outside)
            rounds = found.trial.best_round
            made = boost_phase(plan, phase, [BoosterData(data.train)], rounds)
            if not made.stopped:
                booster = made.boosters[0]
                return _scored(found, encoded, plan, booster, rounds, outside, data)
        left = found.left
        of_folds = left.results[0] if left and left.results else None
        self.run.check_stopped(of_folds.rounds if of_folds else 0)
        assert left is not None  # noqa: S101 - one without rounds has ended the job
        assert of_folds is not None  # noqa: S101
        encoded, plan = self._by(left.settings)
        data = self._data(encoded, plan, inside[found.folds[-1][0]], outside)
        is_linear = plan.params.get("booster") == "gblinear"  # which cannot be cut
        rounds = of_folds.rounds if is_linear else of_folds.best
        booster = without_last(of_folds.boosters[-1], of_folds.rounds - rounds)
        (model,) = to_ubjson([booster])  # it was made to compute the deciding metric alone
        booster = xgboost.Booster(dict(plan.params), model_file=bytearray(model))
        scored = _scored(found, encoded, plan, booster, rounds, outside, data)
        return replace(scored, is_whole=False)

    def _data(
        self, encoded: Encoded, plan: BoostingPlan, inside: Rows, outside: Rows
    ) -> BoosterData:
        train, validation = encoded.train, encoded.read.examples.get(VALIDATION)
        others = train.take(outside) if validation is None else validation
        return booster_data(plan, train.take(inside), others)

    def _stopped(self, judged: Sequence[_Judged], which: str, *, is_nested: bool = True) -> Tuned:
        """Return the first model that was judged, and what all of them say about held-out rows."""
        LOG.warning(
            "Stopped by SIGTERM: the model is the best one searched so far, fitted on fewer rows"
        )
        first = judged[0]
        validation = first.encoded.read.examples.get(VALIDATION)
        result = _result(judged, validation or first.encoded.train, first.rounds, which)
        log_best(first.rounds, result.metrics, result.rows)
        trained = TrainedModels(to_ubjson([first.booster]), result)
        history = self._history(first.found, judged if is_nested else ())
        return Tuned(first.encoded.read, first.plan, trained, history)

    def _by(self, settings: Settings) -> tuple[Encoded, BoostingPlan]:
        encoded = self.encoded[str(settings.get(ENCODING, NATIVE))]
        return encoded, encoded.planned(settings)

    def _history(self, found: SearchResult, judged: Sequence[_Judged] = ()) -> TuningHistory | None:
        if not found.trials:
            return None
        metric = self.plan.settings.stopping_metric
        return TuningHistory(
            metric=metric,
            is_maximized=is_maximized(metric),
            trials=found.trials,
            defaults=found.defaults,
            chosen=found.chosen,
            folds=tuple(one.found.trial.settings for one in reversed(judged) if one.found.trials),
        )

    def _allows(self, rows: Examples) -> bool:
        return replace(self.plan.splitter, folds=None).allows_folds(rows)

    def _check(self, insides: Sequence[Rows]) -> None:
        if not insides or not all(self._allows(self.train.take(rows)) for rows in insides):
            raise DataError(
                "the rows are too few to search hyperparameters on: folds of folds cannot be made",
                where="channel train",
                hint="Leave tune out, or add rows",
            )


def _scored(
    found: SearchResult,
    encoded: Encoded,
    plan: BoostingPlan,
    booster: xgboost.Booster,
    rounds: int,
    outside: Rows,
    data: BoosterData,
) -> _Judged:
    values = evaluate_rows(booster, data.evals, rounds - 1, plan.metrics.custom_metric)
    return _Judged(
        found=found,
        encoded=encoded,
        plan=plan,
        booster=booster,
        rounds=rounds,
        left_out=outside,
        scores=predict_left_out(plan, booster, data),
        metrics={f"{rows}-{name}": value for (rows, name), value in values.items()},
        is_whole=True,
    )


def _result(judged: Sequence[_Judged], rows: Examples, rounds: int, which: str) -> ValidationResult:
    """Return how rows fared that each model has left out; `rows` are a channel where none is."""
    places = np.concatenate([one.left_out for one in judged])
    order = np.argsort(places)
    scores = np.concatenate([one.scores for one in judged])
    if len(places):
        rows, scores = rows.take(places[order]), scores[order]
    names = judged[0].metrics
    values = {name: [one.metrics[name] for one in judged] for name in names}
    return ValidationResult(
        best=(rounds,),
        left_out=rows,
        scores=scores,
        judged=scores,
        metrics={name: float(np.mean(each)) for name, each in values.items()},
        deviations={n: float(np.std(each)) for n, each in values.items()} if judged[1:] else {},
        rows=which if len(places) else "the validation channel",
    )


def _tell(found: SearchResult) -> None:
    usual = "the defaults" if found.chosen < found.defaults else f"trial {found.chosen + 1}"
    said = in_words(found.trial.settings)
    LOG.info("The search of %d trials chose %s: %s", len(found.trials), usual, said)
