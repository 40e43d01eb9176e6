"""Two models' answers for the same rows to the differences of their metrics, with intervals."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from sagetree.boosters.objectives import Objective, class_numbers
from sagetree.boosters.scoring import Scores
from sagetree.evaluate.comparison.answers import Answers, Costs
from sagetree.evaluate.comparison.intervals import paired_interval
from sagetree.evaluate.comparison.moves import (
    Flags,
    Moved,
    counted,
    moved_auc,
    moved_average_precision,
    moved_mean,
    moved_r2,
    moved_root,
)
from sagetree.evaluate.metrics.interval import Interval
from sagetree.evaluate.metrics.ordering import compared_rows, concordance, ordered_groups
from sagetree.evaluate.metrics.rows import Weights, are_probabilities, is_positive
from sagetree.evaluate.metrics.tasks import event_bounds, predicted_times
from sagetree.evaluate.metrics.weighted import Floats, log_losses
from sagetree.tables.label import Labels

Word = Literal["better", "worse", "no difference shown"]


@dataclass(frozen=True)
class Difference:
    """A metric of two models, and the 95 % interval of the challenger's less the champion's.

    More is better, unless `falling`. Bounds are infinite where the rows say nothing.
    """

    metric: str
    champion: float
    challenger: float
    interval: Interval
    falling: bool

    @property
    def value(self) -> float:
        """The challenger's metric less the champion's."""
        return self.challenger - self.champion

    @property
    def word(self) -> Word:
        """What the interval shows of the challenger."""
        low, high = self.interval
        if low <= 0 <= high:
            return "no difference shown"
        return "better" if (low > 0) != self.falling else "worse"


class _Units(NamedTuple):
    """What new data would have others of, rows or groups: weights (n), and which vary together."""

    weights: Floats
    strata: tuple[Flags, ...]

    @classmethod
    def alike(cls, weights: Floats) -> "_Units":
        """Return units that all vary together."""
        return cls(weights, (np.ones(len(weights), bool),))


class _Rows(NamedTuple):
    """Rows that count: their labels (n) and weights (n)."""

    labels: Floats
    weights: Floats


class _Metric(NamedTuple):
    """A metric of champion and challenger, its greatest difference, and its direction."""

    name: str
    of_both: Iterable[Moved]
    limit: float
    falling: bool


def differences(champion: Answers, challenger: Answers, where: str) -> tuple[Difference, ...]:
    """Return the differences of two comparable models, that which decides first.

    It is the cost where the challenger has costs, else the AUC, the rmse, the log loss of classes
    (the accuracy, where a model says only which class), the pinball loss, the ndcg of
    groups, or the concordance index of times. Rows count by the challenger's weights.
    Raises DataError where no group, or no two events, have an order; `where` names the rows.
    """
    labels = challenger.labels.astype(np.float64)
    rows = _Rows(labels, counted(challenger.weights, len(labels)))
    units = _Units.alike(rows.weights)
    match challenger.objective.task:
        case "binary":
            units = _Units(rows.weights, (labels == 1, labels == 0))
            metrics = _binary(champion, challenger, rows)
        case "multiclass":
            metrics = _multiclass(champion, challenger, rows)
        case "quantile":
            metrics = _quantile(champion, challenger, rows)
        case "ranking":
            units, metrics = _ranking(champion, challenger, rows, where)
        case "survival":
            units, metrics = _survival(champion, challenger, rows, where)
        case _:
            metrics = _numbers(champion, challenger, rows)
    return tuple(_difference(metric, units) for metric in metrics)


def difference_of_scores(
    objective: Objective, labels: Labels, scores: tuple[Scores, Scores], weights: Weights
) -> Difference:
    """Return what the second of two models of classes differs by: in AUC, of several in accuracy.

    `scores` (n) or (n, k) are both models', of rows that count, with labels (n).
    """
    rows = _Rows(labels.astype(np.float64), counted(weights, len(labels)))
    if objective.task == "binary":
        positive = rows.labels == 1
        areas = (moved_auc(positive, each.astype(np.float64), rows.weights) for each in scores)
        units = _Units(rows.weights, (positive, ~positive))
        return _difference(_Metric("auc", areas, 1.0, falling=False), units)
    right = (
        moved_mean((class_numbers(objective, each) == labels).astype(np.float64), rows.weights)
        for each in scores
    )
    metric = _Metric("accuracy", right, 1.0, falling=False)
    return _difference(metric, _Units.alike(rows.weights))


def _binary(champion: Answers, challenger: Answers, rows: _Rows) -> Iterator[_Metric]:
    costs = challenger.costs
    positive, both = rows.labels == 1, (champion, challenger)
    if costs:
        paid = (moved_mean(_costs(each, positive, costs), rows.weights) for each in both)
        yield _Metric("cost", paid, np.inf, falling=True)
    scores = [each.scores.astype(np.float64) for each in both]
    areas = (moved_auc(positive, each, rows.weights) for each in scores)
    yield _Metric("auc", areas, 1.0, falling=False)
    found = (moved_average_precision(positive, each, rows.weights) for each in scores)
    yield _Metric("au_prc", found, 1.0, falling=False)
    if all(each.objective.score != "class" and are_probabilities(each.scores) for each in both):
        losses = (moved_mean(log_losses(rows.labels, each), rows.weights) for each in scores)
        yield _Metric("logloss", losses, np.inf, falling=True)


def _costs(answers: Answers, positive: Flags, costs: Costs) -> Floats:
    """Return what each row (n) costs, called as the model is served."""
    called = is_positive(answers.scores, answers.threshold)
    return np.where(positive, costs.miss * ~called, costs.alarm * called)


def _multiclass(champion: Answers, challenger: Answers, rows: _Rows) -> Iterator[_Metric]:
    both, numbers = (champion, challenger), rows.labels.astype(np.intp)
    if all(each.scores.ndim == 2 for each in both):
        places = np.arange(len(numbers))
        shares = (each.scores[places, numbers] for each in both)
        losses = (moved_mean(log_losses(np.ones(len(s)), s), rows.weights) for s in shares)
        yield _Metric("logloss", losses, np.inf, falling=True)
    called = (class_numbers(each.objective, each.scores) for each in both)
    right = (moved_mean((each == numbers).astype(np.float64), rows.weights) for each in called)
    yield _Metric("accuracy", right, 1.0, falling=False)


def _quantile(champion: Answers, challenger: Answers, rows: _Rows) -> Iterator[_Metric]:
    losses = []
    for each in (champion, challenger):
        quantiles = np.array(each.model.scorer.quantiles)
        errors = rows.labels[:, None] - each.scores.reshape(len(rows.labels), -1)
        lost = np.maximum(quantiles * errors, (quantiles - 1) * errors)
        losses.append(moved_mean(lost.mean(axis=1), rows.weights))
    yield _Metric("pinball_loss", losses, np.inf, falling=True)


def _numbers(champion: Answers, challenger: Answers, rows: _Rows) -> Iterator[_Metric]:
    errors = [rows.labels - each.scores for each in (champion, challenger)]
    squares = [moved_mean(each**2, rows.weights) for each in errors]
    yield _Metric("rmse", map(moved_root, squares), np.inf, falling=True)
    absolute = (moved_mean(np.abs(each), rows.weights) for each in errors)
    yield _Metric("mae", absolute, np.inf, falling=True)
    if np.ptp(rows.labels) > 0:
        shares = (moved_r2(rows.labels, each, rows.weights) for each in squares)
        yield _Metric("r2", shares, np.inf, falling=False)


def _ranking(
    champion: Answers, challenger: Answers, rows: _Rows, where: str
) -> tuple[_Units, Iterator[_Metric]]:
    """Return the groups that have an order, and the metrics of them."""
    found = [
        ordered_groups(
            rows.labels,
            each.scores.astype(np.float64),
            challenger.together,
            challenger.weights,
            where=where,
        )
        for each in (champion, challenger)
    ]
    weights = np.array([group.weight for group in found[1]])
    per_group = {
        "ndcg": [np.array([group.ndcg for group in each]) for each in found],
        "map": [np.array([group.map for group in each]) for each in found],
    }
    metrics = (
        _Metric(name, [moved_mean(each, weights) for each in of_both], 1.0, falling=False)
        for name, of_both in per_group.items()
    )
    return _Units.alike(weights), metrics


def _survival(
    champion: Answers, challenger: Answers, rows: _Rows, where: str
) -> tuple[_Units, Iterator[_Metric]]:
    """Return the rows that are compared with each other, and the metric of them."""
    some = compared_rows(len(rows.labels))
    lower, upper = (each[some] for each in event_bounds(challenger.objective, rows.labels))
    weights = rows.weights[some]
    moved = []
    for each in (champion, challenger):
        times = predicted_times(each.objective, each.scores)[some]
        moved.append(Moved(*concordance(lower, upper, times, weights, where=where)))
    return _Units.alike(weights), iter([_Metric("concordance_index", moved, 1.0, falling=False)])


# What rounding leaves of a difference that is none, as a share of the metric.
_ROUNDING = 1e-12


def _difference(metric: _Metric, units: _Units) -> Difference:
    champion, challenger = metric.of_both
    value, moves = challenger.value - champion.value, challenger.moves - champion.moves
    least = _ROUNDING * max(abs(champion.value), abs(challenger.value))
    if np.linalg.norm(moves) <= least:
        moves = np.zeros_like(moves)
    if abs(value) <= least:
        value = 0.0
    interval = paired_interval(value, moves, units.weights, units.strata, metric.limit)
    return Difference(metric.name, champion.value, challenger.value, interval, metric.falling)
