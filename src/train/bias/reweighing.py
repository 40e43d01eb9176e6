"""What reweigh=facet costs and does: the job without it, measured on the same held-out rows."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from sagetree.boosters.scoring import Scores
from sagetree.evaluate.bias.analysis import Remedy
from sagetree.evaluate.comparison.differences import difference_of_scores
from sagetree.evaluate.metrics.rows import Weights, counted_once
from sagetree.machine.program import LOG
from sagetree.tables.label import Labels
from sagetree.train.bias.measuring import CalledRows, after_training
from sagetree.train.boosting.plan import BoostingPlan, RunOptions
from sagetree.train.boosting.results import ValidationResult
from sagetree.train.boosting.strategies import fit
from sagetree.train.calibration.choosing import calibrate
from sagetree.train.channels.ingest import Ingested
from sagetree.train.examples.examples import Examples
from sagetree.train.results.deciding import called_out_of_part, decide
from sagetree.train.settings.channel_settings import TRAIN, VALIDATION

_UNKNOWN = "Warning: what reweigh=facet costs is unknown: %s"


def measure_remedy(read: Ingested, plan: BoostingPlan, result: ValidationResult) -> Remedy | None:
    """Return what reweighing costs and does, to the model whose `result` is given.

    None where it is not asked for, and where nothing measures it. The job trains once more
    for it, without the weights, and says nothing of these rounds.
    """
    if not read.settings.reweighs:
        return None
    if not result.is_measured:
        LOG.warning(_UNKNOWN, "no rows were held out")
        return None
    LOG.info("Training without reweigh=facet, to see what it costs")
    with _silence():
        rows = _without(read, plan)
    if plan.run.is_stopped():
        LOG.warning(_UNKNOWN, "the job was stopped")
        return None
    both = rows.result.judged, result.judged
    labels, scores, weights = _counted(result, both)
    found = difference_of_scores(plan.objective, labels, scores, weights)
    bias = after_training(read, plan, rows)
    return Remedy(found.metric, found.champion, found.challenger, found.interval, bias)


def _without(read: Ingested, plan: BoostingPlan) -> CalledRows:
    """Return how the held-out rows fare if what is learnt from is not reweighed."""
    train = _plain(read.examples[TRAIN])
    validation = read.examples.get(VALIDATION)
    validation = _plain(validation) if validation else None
    options = RunOptions(initial_model=read.first_model, is_stopped=plan.run.is_stopped)
    own = BoostingPlan.of(
        read.settings.boosting,
        read.schema,
        read.features,
        train,
        classes=read.class_count,
        run=options,
    )
    result = calibrate(own, fit(own, train, validation), validation).validation
    decision = decide(result, own.objective, read.settings.decision)
    threshold = decision.threshold if decision else None
    return CalledRows(result, threshold, called_out_of_part(result, decision))


def _plain(examples: Examples) -> Examples:
    return replace(examples, roles=replace(examples.roles, emphasis=None))


def _counted(
    result: ValidationResult, both: tuple[Scores, Scores]
) -> tuple[Labels, tuple[Scores, Scores], Weights]:
    """Return labels, scores and weights of the rows that count, copies once."""
    rows = result.left_out
    labels, weights, copies = rows.labels, rows.roles.weight, rows.copies
    if weights is not None:
        there = np.flatnonzero(weights)
        labels, weights = labels[there], weights[there]
        both = both[0][there], both[1][there]
        copies = None if copies is None else copies[there]
    if copies is None:
        return labels, both, weights
    width = np.atleast_2d(both[0].T).shape[0]
    stacked = np.column_stack(both)
    labels, stacked, weights = counted_once(labels, stacked, weights, copies)
    return labels, (_shaped(stacked[:, :width]), _shaped(stacked[:, width:])), weights


def _shaped(scores: NDArray[np.float32]) -> Scores:
    return scores[:, 0] if scores.shape[1] == 1 else scores


@contextmanager
def _silence() -> Iterator[None]:
    """Keep a training out of the log: SageMaker would take its metrics for the job's."""
    level = LOG.level
    LOG.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        LOG.setLevel(level)
