"""Two models' answers for the same rows to the differences of their metrics, with intervals."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from sagetree.boosters.objectives import class_numbers
from sagetree.evaluate.comparison.answers import Answers
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
from sagetree.evaluate.metrics.rows import are_probabilities, is_positive
from sagetree.evaluate.metrics.weighted import Floats, log_losses

Word = Literal["better", "worse", "no difference shown"]


class Costs(NamedTuple):
    """What it costs to miss a positive row, and to call a negative one positive."""

    miss: float
    alarm: float


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


class _Rows(NamedTuple):
    """Rows that count: their labels (n), weights (n), and which of them vary together."""

    labels: Floats
    weights: Floats
    strata: tuple[Flags, ...]


class _Metric(NamedTuple):
    """A metric of champion and challenger, its greatest difference, and its direction."""

    name: str
    of_both: Iterable[Moved]
    limit: float
    falling: bool


def differences(
    champion: Answers, challenger: Answers, costs: Costs | None = None
) -> tuple[Difference, ...]:
    """Return the differences of two comparable models, that which decides first.

    It is the cost where there are `costs`, else the AUC, the rmse, the log loss of classes
    (the accuracy, where a model says only which class), or the pinball loss. Rows count by
    the challenger's weights.
    """
    labels = challenger.labels.astype(np.float64)
    is_binary = challenger.objective.task == "binary"
    strata = (labels == 1, labels == 0) if is_binary else (np.ones(len(labels), bool),)
    rows = _Rows(labels, counted(challenger.weights, len(labels)), strata)
    return tuple(
        _difference(metric, rows) for metric in _metrics(champion, challenger, rows, costs)
    )


def _metrics(
    champion: Answers, challenger: Answers, rows: _Rows, costs: Costs | None
) -> Iterator[_Metric]:
    match challenger.objective.task:
        case "binary":
            yield from _binary(champion, challenger, rows, costs)
        case "multiclass":
            yield from _multiclass(champion, challenger, rows)
        case "quantile":
            yield from _quantile(champion, challenger, rows)
        case _:
            yield from _numbers(champion, challenger, rows)


def _binary(
    champion: Answers, challenger: Answers, rows: _Rows, costs: Costs | None
) -> Iterator[_Metric]:
    positive, both = rows.strata[0], (champion, challenger)
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


# What rounding leaves of a difference that is none, as a share of the metric.
_ROUNDING = 1e-12


def _difference(metric: _Metric, rows: _Rows) -> Difference:
    champion, challenger = metric.of_both
    value, moves = challenger.value - champion.value, challenger.moves - champion.moves
    least = _ROUNDING * max(abs(champion.value), abs(challenger.value))
    if np.linalg.norm(moves) <= least:
        moves = np.zeros_like(moves)
    if abs(value) <= least:
        value = 0.0
    interval = paired_interval(value, moves, rows.weights, rows.strata, metric.limit)
    return Difference(metric.name, champion.value, challenger.value, interval, metric.falling)
