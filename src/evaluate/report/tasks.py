"""What the scores of other tasks are worth: numbers, classes, rankings, times to an event."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sagetree.boosters.objectives import Objective
from sagetree.evaluate.metrics.interval import Interval, share_interval
from sagetree.evaluate.metrics.measured import Measured
from sagetree.evaluate.metrics.ordering import measure_groups
from sagetree.evaluate.metrics.tasks import event_bounds, predicted_times
from sagetree.evaluate.report.subject import JudgedRows

Floats = NDArray[np.float64]

# Points of a picture of single rows.
POINTS = 800

BINS = 30

# Tenths of the rows by prediction, quarters by score.
TENTHS, QUARTERS = 10, 4


@dataclass(frozen=True)
class Tenth:
    """Rows of similar predictions: the mean prediction, the mean label, the root mean square."""

    rows: int
    predicted: float
    true: float
    rmse: float


@dataclass(frozen=True)
class NumberFacts:
    """How predictions of numbers miss: the errors' quantiles, and tenths of the rows."""

    error_quantiles: tuple[tuple[float, float], ...]
    tenths: tuple[Tenth, ...]
    points: Floats  # (points, 2): predicted, true
    error_edges: Floats
    errors: Floats


@dataclass(frozen=True)
class ClassFacts:
    """How well a class is found: rows of it, and the shares that are called so, and rightly so."""

    name: str
    rows: float
    recall: float
    recall_interval: Interval
    precision: float


@dataclass(frozen=True)
class ClassesFacts:
    """The classes, and who is called what (k, k): rows by label, columns by call."""

    classes: tuple[ClassFacts, ...]
    confusion: Floats


@dataclass(frozen=True)
class RankingFacts:
    """How well each group is ordered: the number of groups, quantiles of their ndcg."""

    groups: int
    quantiles: tuple[tuple[float, float], ...]
    ndcg_edges: Floats
    ndcg_counts: Floats


@dataclass(frozen=True)
class Quarter:
    """Rows of similar scores: events among them, and the share without one by time (points, 2)."""

    rows: int
    events: int
    median: float | None
    curve: Floats


@dataclass(frozen=True)
class SurvivalFacts:
    """Quarters of the rows, the earliest predicted events first."""

    quarters: tuple[Quarter, ...]


TaskFacts = NumberFacts | ClassesFacts | RankingFacts | SurvivalFacts


def measure_task(rows: JudgedRows, objective: Objective, measured: Measured) -> TaskFacts:
    """Return what is to be said about rows of any task but two labels."""
    if objective.task == "multiclass" and measured.confusion is not None:
        return _classes(measured)
    if objective.task == "ranking":
        return _ranking(rows)
    if objective.task == "survival":
        return _survival(rows, objective)
    return _numbers(rows)


def middle_output(scores: NDArray[np.float32]) -> Floats:
    """Return the scores (n), of several quantiles those of the middle one."""
    wide = scores.astype(np.float64)
    return wide if wide.ndim == 1 else wide[:, wide.shape[1] // 2]


def _numbers(rows: JudgedRows) -> NumberFacts:
    labels, predicted = rows.labels.astype(np.float64), middle_output(rows.scores)
    errors = labels - predicted
    shares = (0.05, 0.25, 0.5, 0.75, 0.95)
    tenths = [
        Tenth(
            len(part),
            float(predicted[part].mean()),
            float(labels[part].mean()),
            float(np.sqrt(np.mean(errors[part] ** 2))),
        )
        for part in np.array_split(np.argsort(predicted, kind="stable"), TENTHS)
        if len(part)
    ]
    some = np.unique(np.linspace(0, len(labels) - 1, min(len(labels), POINTS)).astype(np.intp))
    counts, edges = np.histogram(errors, BINS)
    return NumberFacts(
        error_quantiles=tuple(zip(shares, map(float, np.quantile(errors, shares)), strict=True)),
        tenths=tuple(tenths),
        points=np.column_stack([predicted[some], labels[some]]),
        error_edges=edges,
        errors=counts.astype(np.float64),
    )


def _classes(measured: Measured) -> ClassesFacts:
    names = tuple(measured.confusion or ())
    counts = np.array([list(row.values()) for row in (measured.confusion or {}).values()], float)
    totals, called = counts.sum(axis=1), counts.sum(axis=0)
    found = []
    for place, name in enumerate(names):
        hits = counts[place, place]
        recall = float(hits / totals[place]) if totals[place] else 0.0
        precision = float(hits / called[place]) if called[place] else 0.0
        interval = share_interval(recall, float(totals[place]))
        found.append(ClassFacts(name, float(totals[place]), recall, interval, precision))
    return ClassesFacts(tuple(found), counts)


def _ranking(rows: JudgedRows) -> RankingFacts:
    together = rows.roles.groups
    groups = np.zeros(len(rows.labels), np.intp) if together is None else together
    labels, scores = rows.labels.astype(np.float64), rows.scores.astype(np.float64)
    ndcg = np.array([group.ndcg for group in measure_groups(labels, scores, groups)])
    shares = (0.0, 0.1, 0.25, 0.5, 0.75)
    counts, edges = np.histogram(ndcg, BINS // 2, range=(0, 1))
    quantiles = tuple(zip(shares, map(float, np.quantile(ndcg, shares)), strict=True))
    return RankingFacts(len(ndcg), quantiles, edges, counts.astype(np.float64))


def _survival(rows: JudgedRows, objective: Objective) -> SurvivalFacts:
    lower, upper = event_bounds(objective, rows.labels.astype(np.float64))
    order = np.argsort(predicted_times(objective, rows.scores), kind="stable")
    came = np.isfinite(upper)
    times = np.where(came, (lower + np.where(came, upper, 0)) / 2, lower)
    parts = [part for part in np.array_split(order, QUARTERS) if len(part)]
    return SurvivalFacts(tuple(_quarter(times[part], came[part]) for part in parts))


def _quarter(times: Floats, came: NDArray[np.bool_]) -> Quarter:
    """Return Kaplan and Meier's estimate; an event between two times is taken at their middle."""
    moments = np.unique(times[came])
    at_risk = len(times) - np.searchsorted(np.sort(times), moments)
    events = np.searchsorted(np.sort(times[came]), moments, "right") - np.searchsorted(
        np.sort(times[came]), moments
    )
    free = np.cumprod(1 - events / at_risk)
    half = np.flatnonzero(free <= 0.5)
    curve = np.column_stack([np.append(0.0, moments), np.append(1.0, free)])
    end = [[float(times.max()), float(curve[-1, 1])]]
    keep = np.unique(np.linspace(0, len(curve) - 1, min(len(curve), POINTS // 4)).astype(int))
    return Quarter(
        rows=len(times),
        events=int(came.sum()),
        median=float(moments[half[0]]) if len(half) else None,
        curve=np.concatenate([curve[keep], end]),
    )
