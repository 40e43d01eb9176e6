"""Examples to models: which rows choose the rounds, and which are fitted in the end.

A validation channel chooses them where there is one, else cross-validation, or
from 200 000 rows on a held-out tenth; then all rows are fitted. Rows too few for
that are fitted for a fixed number of rounds. An ensemble is fitted on the folds
themselves. Several hosts have no folds: a held-out tenth of the rows of each chooses.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import xgboost

from sagetree.boosters.library import LibraryError
from sagetree.boosters.scoring import Scores
from sagetree.errors import SettingsError
from sagetree.machine.program import LOG
from sagetree.train.boosting.depths import boost_at_best_capacity
from sagetree.train.boosting.folds import rows_left_out
from sagetree.train.boosting.judging import in_halves
from sagetree.train.boosting.phases import (
    MANY_ROWS,
    all_rows,
    best_boosters,
    boost_phase,
    boost_until_best,
    booster_data,
    fold_data,
    in_order,
    log_best,
    with_directions,
)
from sagetree.train.boosting.plan import BoostingPlan
from sagetree.train.boosting.results import (
    BestBoosters,
    TrainedModels,
    ValidationResult,
    ensemble_scores,
)
from sagetree.train.boosting.rounds import to_ubjson
from sagetree.train.examples.copies import with_copies
from sagetree.train.examples.examples import Examples
from sagetree.train.examples.gathered import gathered, total_rows
from sagetree.train.examples.leakage import hashes_of
from sagetree.train.hosts.group import ONE, Group

HOLD_OUT_SHARE = 0.1

# What XGBoost puts before its messages: the time and a line of its source.
_XGBOOST_PLACE = re.compile(r"^\[[0-9:]+\] \S+:\d+: (Check failed: .*?: )?")


def fit(plan: BoostingPlan, train: Examples, validation: Examples | None) -> TrainedModels:
    """Fit one model, or those of an ensemble, by the strategy that settings and rows call for.

    Raises SettingsError for what XGBoost refuses.
    """
    if plan.settings.kfold and validation is not None:
        train, validation = _joined(train, validation), None
    plan = plan.on_rows(train)
    with xgboost_refusals(plan.group):
        trained = _fit(plan, train, validation)
    return replace(trained, models=tuple(map(plan.directed, trained.models)))


def _fit(plan: BoostingPlan, train: Examples, validation: Examples | None) -> TrainedModels:
    if plan.settings.kfold:
        return fit_ensemble(plan, train)
    if validation is not None:
        return _fit_evaluated(plan, train, validation, "watched", "the validation channel")
    if plan.group.size > 1:
        return _fit_together(plan, train)
    if not plan.settings.nfold and not plan.splitter.allows_folds(train):
        return fit_unmeasured(plan, train)
    if plan.settings.nfold or train.rows <= MANY_ROWS:
        return _fit_all(plan, train, _cross_validate(plan, train))
    if plan.settings.patience:
        return fit_held_out(plan, train)
    return _hold_out(plan, train)  # rounds are fixed: it only measures


def _fit_together(plan: BoostingPlan, train: Examples) -> TrainedModels:
    fold = plan.splitter.hold_out_of(plan.group, train, HOLD_OUT_SHARE)
    if fold is None:
        return fit_unmeasured(plan, train)
    inside, outside = (train.take(rows) for rows in fold)
    rows = f"a hold-out of {HOLD_OUT_SHARE:.0%} of train"
    outside = gathered(plan.group, outside, rows)
    outside = with_copies(outside, hashes_of(outside).features)
    chosen = _fit_evaluated(plan, inside, outside, "hold-out", rows)
    if not plan.settings.patience and total_rows(plan.group, train) > MANY_ROWS:
        return chosen  # rounds are fixed: it only measures
    return _fit_all(plan, train, chosen)


def _joined(train: Examples, validation: Examples) -> Examples:
    rows = train.joined(validation)
    return with_copies(rows, hashes_of(rows).features)


def fit_held_out(plan: BoostingPlan, train: Examples) -> TrainedModels:
    """Choose the rounds on a held-out tenth, then fit all rows for as many."""
    return _fit_all(plan, train, _hold_out(plan, train))


def fit_unmeasured(plan: BoostingPlan, train: Examples) -> TrainedModels:
    """Fit all rows for the rounds given: they are too few to leave some out."""
    rounds = plan.settings.fixed_rounds
    LOG.warning(
        "Warning: the %srows of train are too few to hold some out: %d rounds are made, and "
        "nothing shows how good the model is. Add rows, or give a validation channel",
        "" if train.copies is None else "distinct ",
        rounds,
    )
    result = boost_phase(plan, "all-rows", all_rows(plan, train), rounds)
    if result.stopped:
        plan.run.check_stopped(result.rounds)
    validation = ValidationResult.unmeasured(result.rounds, train)
    return TrainedModels(to_ubjson(result.boosters), validation)


def fit_ensemble(plan: BoostingPlan, rows: Examples) -> TrainedModels:
    """Fit a model on each fold of each repeat; no row is scored by one that has seen it.

    Where the job is stopped, the repeats before that are the ensemble.
    """
    repeats: list[BestBoosters] = []
    scores: list[Scores] = []
    judged: list[Scores] = []
    left_out = np.empty(0, np.intp)
    for repeat in range(plan.settings.kfold_repeats):
        folds = plan.splitter.split(rows, repeat=repeat)
        phase, data = f"folds-{repeat}", fold_data(plan, rows, folds)
        if repeats:
            result = boost_until_best(plan, phase, data)
            if result.stopped:  # the repeats before it are whole
                plan.run.check_stopped(repeats[0].best)
                break
            best = best_boosters(plan, phase, data, result)
        else:
            plan, best = boost_at_best_capacity(plan, phase, data)
            left_out = rows_left_out(folds[-len(best.boosters) :])
        repeats.append(best)
        scores.append(in_order(best.scores, folds))
        judged.append(in_order(best.judged, folds))
    every = BestBoosters.joined(repeats)
    repeated = f", repeated {len(repeats)} times" if len(repeats) > 1 else ""
    validation = ValidationResult(
        best=tuple(repeat.best for repeat in repeats for _ in repeat.boosters),
        left_out=rows.take(left_out),
        scores=ensemble_scores(scores, plan.objective),
        judged=ensemble_scores(judged, plan.objective),
        metrics=every.means(),
        deviations=every.deviations(),
        rows=f"the held-out rows of {len(folds)}-fold cross-validation{repeated}",
        repeats=tuple(scores),
        curve=every.curve,
    )
    log_best(every.best, validation.metrics, validation.rows)
    return TrainedModels(to_ubjson(every.boosters), validation, plan.chosen)


# What chooses the rounds is a function of its own: its matrices are gone before
# all rows are fitted.
def _cross_validate(plan: BoostingPlan, train: Examples) -> TrainedModels:
    folds = plan.splitter.split(train)
    data = fold_data(plan, train, folds)
    plan, best = boost_at_best_capacity(plan, "folds", data)
    result = ValidationResult(
        best=(best.best,),
        left_out=train.take(rows_left_out(folds[-len(best.boosters) :])),
        scores=in_order(best.scores, folds),
        judged=in_order(best.judged, folds),
        metrics=best.means(),
        deviations=best.deviations(),
        rows=f"the held-out rows of {len(folds)}-fold cross-validation",
        curve=best.curve,
    )
    log_best(best.best, result.metrics, result.rows)
    return TrainedModels(to_ubjson(best.boosters), result, plan.chosen)


def _hold_out(plan: BoostingPlan, train: Examples) -> TrainedModels:
    inside, outside = plan.splitter.hold_out(train, HOLD_OUT_SHARE)
    rows = f"a hold-out of {HOLD_OUT_SHARE:.0%} of train"
    return _fit_evaluated(plan, train.take(inside), train.take(outside), "hold-out", rows)


def _fit_evaluated(
    plan: BoostingPlan, train: Examples, validation: Examples, phase: str, rows: str
) -> TrainedModels:
    """Fit train up to the round that is best on other rows; `rows` says in words which."""
    data = booster_data(plan, train, validation)
    data = replace(data, needs_directions=plan.lacks_directions(validation))
    data = in_halves(plan, data, validation)
    plan, best = boost_at_best_capacity(plan, phase, [data])
    if data.needs_directions:
        best = with_directions(plan, best, data)
    metrics = best.means()
    if plan.group.is_leader:
        log_best(best.best, metrics, rows)
    (scores,), (judged,) = best.scores, best.judged
    result = ValidationResult(
        (best.best,), validation, scores, judged, metrics, {}, rows, curve=best.curve
    )
    return TrainedModels(to_ubjson(best.boosters), result, plan.chosen)


def _fit_all(plan: BoostingPlan, train: Examples, chosen: TrainedModels) -> TrainedModels:
    """Return the model of all rows; where it is stopped before its end, what was chosen."""
    rounds = chosen.validation.best[0]
    if not plan.run.is_stopped():
        every = total_rows(plan.group, train)
        LOG.info("Fitting all %d rows for %d rounds", every, rounds)
        data = all_rows(plan, train)
        result = boost_phase(plan.choosing(chosen.chosen), "all-rows", data, rounds)
        if not result.stopped:
            return replace(chosen, models=to_ubjson(result.boosters))
    LOG.warning(
        "Stopped by SIGTERM: the model is the one that chose the rounds, fitted on fewer rows"
    )
    return chosen


@contextmanager
def xgboost_refusals(group: Group = ONE) -> Iterator[None]:
    """Turn what XGBoost refuses into a SettingsError that has its reason.

    Raises PlatformError where another host of the group is gone.
    """
    try:
        yield
    except (xgboost.core.XGBoostError, LibraryError) as error:
        group.raise_if_lost(error)
        if "bad_alloc" in str(error):
            raise MemoryError from error
        line = str(error).strip().splitlines()[0]
        reason = _XGBOOST_PLACE.sub("", line) or line
        raise SettingsError(
            f"XGBoost refuses the training: {reason}",
            hint="Change the hyperparameter that it names",
        ) from error
