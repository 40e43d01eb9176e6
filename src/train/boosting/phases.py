"""One phase of a job's boosting: boosters on their rows, up to the round that is best on others.

These are the steps that the strategies share. A phase has a name, by which
its checkpoints are found again.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import TypeVar

import numpy as np
import xgboost

from sagetree.boosters.scoring import Scores
from sagetree.bundle.learning_curve import LearningCurve
from sagetree.errors import DataError
from sagetree.machine.allocator import return_freed_memory
from sagetree.machine.program import LOG
from sagetree.train.boosting.early_stopping import EarlyStopping, History
from sagetree.train.boosting.folds import Fold
from sagetree.train.boosting.judging import (
    directed,
    judged_scores,
    predict_left_out,
    without_last,
)
from sagetree.train.boosting.plan import BoostingPlan
from sagetree.train.boosting.progress import metric_line, progress_of
from sagetree.train.boosting.results import BestBoosters
from sagetree.train.boosting.rounds import (
    BoosterData,
    Training,
    TrainingResult,
    boost,
)
from sagetree.train.examples.examples import Examples
from sagetree.train.examples.gathered import gathered, total_rows
from sagetree.train.hyperparameters.eval_metrics import is_maximized
from sagetree.train.settings.channel_settings import TRAIN, VALIDATION

# From here on one hold-out says as much as folds, in a fifth of the time; and of the rows
# learnt from this many are evaluated, at the best round only.
MANY_ROWS = 200_000

_Found = TypeVar("_Found")


def booster_data(plan: BoostingPlan, train: Examples, validation: Examples) -> BoosterData:
    """Return rows to learn from and rows to evaluate on, as XGBoost reads them."""
    every_round = total_rows(plan.group, train) <= MANY_ROWS
    train, statistics = plan.encoder.cross_fit(train)
    validation = plan.encoder.encode(validation, statistics)
    data = _train_matrix(plan, train)
    found = BoosterData(data, plan.matrices.build(validation, ref=data), every_round)
    if plan.group.size > 1:
        measured = gathered(plan.group, train, "train, for its metrics,", MANY_ROWS)
        sample = plan.matrices.build(measured, ref=data)
        return replace(found, train_sample=lambda: sample)
    if every_round or train.roles.groups is not None:  # a part of a query is another query
        return found
    LOG.info("Metrics of train are of %d of its %d rows", MANY_ROWS, train.rows)
    return replace(found, train_sample=partial(_some_rows, plan, train, data))


def _some_rows(plan: BoostingPlan, train: Examples, data: xgboost.DMatrix) -> xgboost.DMatrix:
    """Return many of the rows of train, cut as those of `data` are."""
    chosen = np.random.default_rng(0).choice(train.rows, MANY_ROWS, replace=False, shuffle=False)
    return plan.matrices.build(train.take(np.sort(chosen)), ref=data)


def all_rows(plan: BoostingPlan, train: Examples) -> list[BoosterData]:
    """Return what the booster of all rows learns from: it is evaluated on none."""
    return [BoosterData(_train_matrix(plan, plan.encoder.cross_fit(train)[0]))]


def _train_matrix(plan: BoostingPlan, train: Examples) -> xgboost.DMatrix:
    """Return rows to learn from as XGBoost reads them.

    Raises DataError for a host without any where XGBoost cannot do without: it would make
    each leaf of what each host finds, or end the process.
    """
    rows = plan.group.gather(train.rows)
    if plan.needs_rows_on_each_host and not all(rows):
        raise DataError(
            f"it has no rows to learn from, and objective={plan.objective.name} needs some on "
            "each host",
            where=f"host {plan.group.names[rows.index(0)]}",
            hint="Give the channel train more files, or the job fewer hosts",
        )
    return plan.matrices.build_train(train)


def fold_data(plan: BoostingPlan, rows: Examples, folds: Sequence[Fold]) -> list[BoosterData]:
    """Return what the booster of each fold learns from and is evaluated on."""
    return [booster_data(plan, rows.take(inside), rows.take(outside)) for inside, outside in folds]


def boost_phase(
    plan: BoostingPlan,
    phase: str,
    data: Sequence[BoosterData],
    rounds: int,
    early_stopping: EarlyStopping | None = None,
    *,
    is_told: bool = True,
) -> TrainingResult:
    """Make the rounds of a phase; `is_told` says that metrics of each are logged, if it has any.

    With what the job chose, the checkpoints are not those of another choice.
    """
    is_told = is_told and data[0].validation is not None
    if plan.chosen:
        rival = "-rival" if len(plan.chosen) > 1 else ""
        phase = f"{phase}-depth-{plan.chosen['max_depth']}{rival}"
    training = Training(
        params=plan.params,
        data=data,
        rounds=rounds,
        initial_model=plan.run.initial_model,
        early_stopping=early_stopping,
        custom_metric=plan.metrics.custom_metric,
        progress=progress_of(rounds, plan.settings.stopping_metric, is_measured=is_told)
        if plan.group.is_leader
        else None,
        checkpoints=plan.run.checkpoints(phase, len(data)),
        is_stopped=plan.run.is_stopped,
        group=plan.group,
        at_once=plan.at_once,
    )
    return boost(training)


def boost_until_best(plan: BoostingPlan, phase: str, data: Sequence[BoosterData]) -> TrainingResult:
    """Boost until the mean over the held-out rows stops improving, if the settings say so."""
    metric, patience = plan.settings.stopping_metric, plan.settings.patience
    stopping = EarlyStopping(metric, is_maximized(metric), patience) if patience else None
    result = boost_phase(plan, phase, data, plan.settings.rounds, stopping)
    if stopping and not result.stopped and not stopping.is_over(result.history, result.best - 1):
        LOG.info(
            "All %d rounds of num_round were made before %s stopped improving for %d: a higher "
            "num_round may give a better model",
            result.rounds,
            metric,
            stopping.patience,
        )
    return result


def best_boosters(
    plan: BoostingPlan, phase: str, data: Sequence[BoosterData], result: TrainingResult
) -> BestBoosters:
    """Return the boosters without the rounds after the best one, and their scores of other rows.

    Raises Terminated where the phase was stopped and no model is to be left.
    """
    is_linear = plan.params.get("booster") == "gblinear"  # cannot be cut, only made again
    best = result.rounds if is_linear and result.stopped else result.best
    if result.stopped:
        plan.run.check_stopped(result.rounds)
    later = len(result.history[VALIDATION][plan.settings.stopping_metric]) - best
    if later and is_linear:
        result, later = boost_phase(plan, phase, data, best), 0
    boosters = tuple(without_last(booster, later) for booster in result.boosters)
    scores = _each(plan, partial(predict_left_out, plan), boosters, data)
    metrics = {
        f"{rows}-{name}": series[best - 1]
        for rows, measured in result.history.items()
        for name, series in measured.items()
        if series[best - 1]
    }
    if not any(name.startswith(f"{TRAIN}-") for name in metrics):
        if data[0].train_sample:
            for booster in result.boosters:
                booster.reset()  # frees what its rounds took: many rows need as much
        metrics = _train_metrics(plan, boosters, data, best) | metrics
    judged = judged_scores(plan, data, result, best, scores)
    curve = _curve(best, result.history, metrics)
    return BestBoosters(boosters, best, metrics, scores, judged, curve)


def _curve(
    best: int, history: History, of_best: Mapping[str, Sequence[float]]
) -> LearningCurve | None:
    means = {
        f"{rows}-{name}": [float(np.mean(values)) if values else None for values in series]
        for rows, metrics in history.items()
        for name, series in metrics.items()
    }
    for name, values in means.items():
        values[best - 1] = float(np.mean(of_best[name]))
    return LearningCurve.of(best, means)


def _train_metrics(
    plan: BoostingPlan,
    boosters: Sequence[xgboost.Booster],
    data: Sequence[BoosterData],
    best: int,
) -> dict[str, list[float]]:
    """Return the metrics of the rows learnt from in the best round, which did not measure them."""

    def measured(booster: xgboost.Booster, rows: BoosterData) -> dict[tuple[str, str], float]:
        return_freed_memory()
        return plan.evaluate(booster, [(rows.measured_train, TRAIN)], best - 1)

    found = _each(plan, measured, boosters, data)
    return {f"{rows}-{name}": [each[rows, name] for each in found] for rows, name in found[0]}


def _each(
    plan: BoostingPlan,
    function: Callable[[xgboost.Booster, BoosterData], _Found],
    boosters: Sequence[xgboost.Booster],
    data: Sequence[BoosterData],
) -> tuple[_Found, ...]:
    """Call a function of each booster and its rows, as many at a time as make rounds."""
    count = min(plan.at_once, len(data))
    if count == 1:
        return tuple(map(function, boosters, data))
    with ThreadPoolExecutor(count) as threads:
        return tuple(threads.map(function, boosters, data))


def with_directions(plan: BoostingPlan, best: BestBoosters, data: BoosterData) -> BestBoosters:
    """Return one booster with its way for cells that it never saw missing, and its metrics."""
    booster = directed(plan, best.boosters[0])
    values = plan.evaluate(booster, data.evals, best.best - 1)
    metrics = {f"{rows}-{name}": [value] for (rows, name), value in values.items()}
    return replace(best, boosters=(booster,), metrics={**best.metrics, **metrics})


def in_order(scores: Sequence[Scores], folds: Sequence[Fold]) -> Scores:
    """Return the scores of the held-out rows of the last folds, those with a booster, in order."""
    order = np.argsort(np.concatenate([outside for _, outside in folds[-len(scores) :]]))
    ordered: Scores = np.concatenate(scores)[order]
    return ordered


def log_best(best: int, metrics: Mapping[str, float], rows: str) -> None:
    """Log the metrics of the best round; `rows` says in words which rows were held out.

    SageMaker takes a metric's last value, which is to be this one. For those who count
    rounds it is not the line of a round: it neither begins with the number nor has a tab
    behind it.
    """
    number, *values = metric_line(best - 1, metrics).split("\t")
    text = "\t".join([f"Best round {number}, metrics named validation on {rows}:", *values])
    LOG.info("%s", text)
