"""Labels and scores of any objective to its task's metrics."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sagetree.boosters.objectives import Objective, class_numbers
from sagetree.boosters.scoring import Scores
from sagetree.errors import ArtifactError
from sagetree.evaluate.metrics.binary import Evaluation, evaluate
from sagetree.evaluate.metrics.measured import Measured
from sagetree.evaluate.metrics.multiclass import measure_classes
from sagetree.evaluate.metrics.ordering import measure_ranking, measure_survival
from sagetree.evaluate.metrics.regression import measure_numbers, measure_quantiles
from sagetree.evaluate.metrics.rows import (
    THESE_ROWS,
    Weights,
    check_finite,
    counted_once,
    with_weight,
)
from sagetree.tables.label import Labels

# Where the odds are even: of probabilities and of calls, and of margins.
EVEN = 0.5
EVEN_MARGIN = 0.0


def even_threshold(objective: Objective) -> float:
    """Return the score from which a row is called positive where no threshold was chosen."""
    return EVEN_MARGIN if objective.score == "margin" else EVEN


def evaluate_task(
    objective: Objective,
    labels: Labels,
    scores: Scores,
    *,
    threshold: float | None = None,
    called: NDArray[np.bool_] | None = None,
    classes: Sequence[str] = (),
    quantiles: Sequence[float] = (),
    groups: NDArray[np.intp] | None = None,
    weights: Weights = None,
    copies: NDArray[np.intp] | None = None,
    of_folds: bool = False,
    where: str = THESE_ROWS,
) -> Evaluation | Measured:
    """Return the metrics of `scores` (n) or (n, k) for `labels` (n) or (n, 2).

    `threshold` is of binary scores, `called` (n) as in `evaluate`, `classes` the spelling
    of each class, `quantiles` those the scores are of, `groups` which rows are ranked
    together (all, if none are given), `weights` how much each counts. Rows with one number
    in `copies` (n) are one row where a metric's certainty is measured; `of_folds` says
    that each fold's model gave its scores. Raises DataError for rows that say nothing,
    ArtifactError for scores that are not finite.
    """
    if scores.ndim == 2 and objective.task not in ("multiclass", "quantile"):
        raise ArtifactError(
            f"the model gives {scores.shape[1]} values for a row, and {objective.name} is "
            "measured by one",
            where=where,
            hint="Evaluate a model of one label",
        )
    if weights is not None:
        groups = None if groups is None else with_weight(weights, groups)[0]
        copies = None if copies is None else with_weight(weights, copies)[0]
        called = None if called is None else with_weight(weights, called)[0]
        labels, scores, weights = with_weight(weights, labels, scores, weights)
    rows = _Rows(labels, scores, weights, groups, called)
    if copies is None or objective.task == "ranking" or not len(labels):
        return _measured(objective, rows, threshold, classes, quantiles, where, of_folds=of_folds)
    once = _once(rows, copies)
    found = _measured(objective, once, threshold, classes, quantiles, where, of_folds=of_folds)
    if isinstance(found, Evaluation):
        return replace(found, rows=len(labels), positives=int(np.count_nonzero(labels)))
    return replace(found, rows=len(labels))


class _Rows(NamedTuple):
    labels: Labels
    scores: Scores
    weights: Weights = None
    groups: NDArray[np.intp] | None = None
    called: NDArray[np.bool_] | None = None


def _once(rows: _Rows, copies: NDArray[np.intp]) -> _Rows:
    """Return one row for each that is repeated; copies are called alike."""
    labels, scores, weights, _, called = rows
    if called is None:
        return _Rows(*counted_once(labels, scores, weights, copies))
    both = np.column_stack([scores, called])
    labels, both, weights = counted_once(labels, both, weights, copies)
    return _Rows(labels, both[:, 0], weights, called=both[:, 1] == 1)


def _measured(
    objective: Objective,
    rows: _Rows,
    threshold: float | None,
    classes: Sequence[str],
    quantiles: Sequence[float],
    where: str,
    *,
    of_folds: bool,
) -> Evaluation | Measured:
    """Return the metrics of rows that all have a weight."""
    labels, scores, weights, groups, called = rows
    if objective.task == "binary":
        at = even_threshold(objective) if threshold is None else threshold
        return evaluate(
            labels, scores, at, called=called, weights=weights, of_folds=of_folds, where=where
        )
    check_finite(labels, scores, where)
    if objective.task == "multiclass":
        numbers = class_numbers(objective, scores)
        count = max(int(labels.max()), int(numbers.max())) + 1
        names = classes or tuple(map(str, range(count)))
        return measure_classes(labels.astype(np.intp), numbers, names, weights=weights)
    wide = scores.astype(np.float64)
    if objective.task == "survival":
        lower, upper = event_bounds(objective, labels.astype(np.float64))
        times = predicted_times(objective, scores)
        return measure_survival(lower, upper, times, weights=weights, where=where)
    if objective.task == "ranking":
        together = np.zeros(len(labels), np.intp) if groups is None else groups
        return measure_ranking(
            labels.astype(np.float64), wide, together, weights=weights, where=where
        )
    if objective.task == "quantile" and quantiles:
        of_each = wide.reshape(len(wide), -1)
        return measure_quantiles(labels.astype(np.float64), of_each, quantiles, weights=weights)
    return measure_numbers(labels.astype(np.float64), wide, weights=weights)


def predicted_times(objective: Objective, scores: Scores) -> NDArray[np.float64]:
    """Return what is greater for later events (n)."""
    wide = scores.astype(np.float64)
    return -wide if objective.score == "hazard" else wide


def event_bounds(
    objective: Objective, labels: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return between which times each event lies; of Cox's a negative label is the last seen."""
    if labels.ndim == 2:
        return labels[:, 0], labels[:, 1]
    if objective.score == "hazard":
        times = np.abs(labels)
        return times, np.where(labels < 0, np.inf, times)
    return labels, labels
