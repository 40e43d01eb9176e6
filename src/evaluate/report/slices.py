"""Where the model is weak: metrics of parts of the rows, column by column."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from sagetree.boosters.objectives import Objective, class_numbers
from sagetree.evaluate.metrics.interval import TWO_SIDED, Interval, auc_interval, share_interval
from sagetree.evaluate.metrics.rows import effective_rows
from sagetree.evaluate.metrics.weighted import roc_auc
from sagetree.evaluate.report.columns import Column
from sagetree.evaluate.report.subject import JudgedRows
from sagetree.evaluate.report.tasks import middle_output

Mask = NDArray[np.bool_]
Floats = NDArray[np.float64]
Measure = Callable[[Mask], tuple[float, Interval]]

# Fewer rows, or rows of either label, say too little of a part.
LEAST_ROWS, LEAST_PER_LABEL = 30, 5

# Columns that are cut into parts, and the parts that are shown.
MOST_COLUMNS, SHOWN = 40, 12


@dataclass(frozen=True)
class Slice:
    """The rows of one value or quarter of a column, and their metric with its 95 % interval.

    It `is_weak` where the whole interval is worse than the metric of all rows.
    """

    column: str
    value: str
    rows: int
    positives: int | None
    metric: float
    interval: Interval
    is_weak: bool


@dataclass(frozen=True)
class SliceFacts:
    """The worst of the slices compared; `whole` is the metric of all rows they are cut from."""

    metric: str
    whole: float
    rows: int
    compared: int
    too_small: int
    weak: int
    worst: tuple[Slice, ...]


def measure_slices(
    rows: JudgedRows, columns: Sequence[Column], objective: Objective
) -> SliceFacts | None:
    """Return the slices in which the model is worst; None for tasks that have no such metric."""
    measure = _measure_of(rows, objective)
    if measure is None:
        return None
    name, rises, of_rows = measure
    whole, _ = of_rows(np.ones(len(rows.labels), bool))
    found, too_small = [], 0
    for column, value, mask in _parts(columns[:MOST_COLUMNS]):
        if not _is_enough(rows, mask, objective):
            too_small += 1
            continue
        metric, interval = of_rows(mask)
        is_weak = interval[1] < whole if rises else interval[0] > whole
        positives = int(rows.labels[mask].sum()) if objective.task == "binary" else None
        found.append(Slice(column, value, int(mask.sum()), positives, metric, interval, is_weak))
    found.sort(key=lambda s: (not s.is_weak, s.metric if rises else -s.metric))
    return SliceFacts(
        metric=name,
        whole=whole,
        rows=len(rows.labels),
        compared=len(found),
        too_small=too_small,
        weak=sum(s.is_weak for s in found),
        worst=tuple(found[:SHOWN]),
    )


def _parts(columns: Sequence[Column]) -> Iterator[tuple[str, str, Mask]]:
    for column in columns:
        parts = list(column.parts())
        if len(parts) > 1:
            yield from ((column.name, value, mask) for value, mask in parts)


def _is_enough(rows: JudgedRows, mask: Mask, objective: Objective) -> bool:
    count = int(mask.sum())
    if objective.task != "binary":
        return count >= LEAST_ROWS
    positives = int(rows.labels[mask].sum())
    return count >= LEAST_ROWS and min(positives, count - positives) >= LEAST_PER_LABEL


def _measure_of(rows: JudgedRows, objective: Objective) -> tuple[str, bool, Measure] | None:
    """Return a metric's name, whether more is better, and the function of some rows."""
    if objective.task == "binary":
        return "AUC", True, partial(_auc, rows)
    if objective.task == "multiclass":
        hits = class_numbers(objective, rows.scores) == rows.labels
        return "accuracy", True, partial(_share, rows, hits)
    if objective.task in ("regression", "quantile"):
        errors = rows.labels.astype(np.float64) - middle_output(rows.scores)
        return "rmse", False, partial(_rmse, rows, errors**2)
    return None


def _auc(rows: JudgedRows, mask: Mask) -> tuple[float, Interval]:
    weights = None if rows.weights is None else rows.weights[mask]
    labels, scores = rows.labels[mask], rows.scores[mask]
    return roc_auc(labels, scores, weights), auc_interval(labels, scores, weights)


def _share(rows: JudgedRows, hits: Mask, mask: Mask) -> tuple[float, Interval]:
    weights = None if rows.weights is None else rows.weights[mask]
    share = float(np.average(hits[mask], weights=weights))
    return share, share_interval(share, effective_rows(weights, int(mask.sum())))


def _rmse(rows: JudgedRows, squares: Floats, mask: Mask) -> tuple[float, Interval]:
    weights = None if rows.weights is None else rows.weights[mask]
    mean = float(np.average(squares[mask], weights=weights))
    variance = float(np.average((squares[mask] - mean) ** 2, weights=weights))
    half = TWO_SIDED * (variance / effective_rows(weights, int(mask.sum()))) ** 0.5
    return mean**0.5, (max(0.0, mean - half) ** 0.5, (mean + half) ** 0.5)
