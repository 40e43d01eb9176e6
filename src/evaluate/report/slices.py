"""Where the model is weak: metrics of parts of the rows, column by column."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sagetree.boosters.objectives import Objective, class_numbers
from sagetree.evaluate.metrics.interval import TWO_SIDED, Interval, auc_interval, share_interval
from sagetree.evaluate.metrics.ordering import concordance, have_order
from sagetree.evaluate.metrics.rows import effective_rows
from sagetree.evaluate.metrics.tasks import event_bounds, predicted_times
from sagetree.evaluate.metrics.weighted import roc_auc
from sagetree.evaluate.report.columns import CodedColumn
from sagetree.evaluate.report.subject import JudgedRows
from sagetree.evaluate.report.tasks import middle_output
from sagetree.tables.label import Labels

Mask = NDArray[np.bool_]
Floats = NDArray[np.float64]
Measured = tuple[float, Interval]
Measure = Callable[[Mask], Measured | None]

AUC, IN_ORDER, CONCORDANCE = "AUC", "share of pairs in order", "concordance index"

# Fewer rows, or rows of either label, or events, say too little of a part.
LEAST_ROWS, LEAST_PER_LABEL = 30, 5

# Of ranks this many groups have to have an order among the part's rows.
LEAST_GROUPS = 10

# Rows that are compared in pairs, which grow with the square of the rows: times, and ranks.
MOST_COMPARED, MOST_PAIRS = 2000, 300_000

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
    rows: JudgedRows, columns: Sequence[CodedColumn], objective: Objective
) -> SliceFacts | None:
    """Return the slices in which the model is worst; None where all rows are too few for one."""
    if objective.task == "survival" and len(rows.labels) > MOST_COMPARED:
        some = np.linspace(0, len(rows.labels) - 1, MOST_COMPARED).astype(np.intp)
        rows, columns = rows.take(some), [column.take(some) for column in columns]
    name, rises, of_rows = _measure_of(rows, objective)
    of_all = of_rows(np.ones(len(rows.labels), bool))
    if of_all is None:
        return None
    whole, found, too_small = of_all[0], [], 0
    for column, value, mask in _parts(columns[:MOST_COLUMNS]):
        measured = of_rows(mask) if int(mask.sum()) >= LEAST_ROWS else None
        if measured is None:
            too_small += 1
            continue
        metric, interval = measured
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


def _parts(columns: Sequence[CodedColumn]) -> Iterator[tuple[str, str, Mask]]:
    for column in columns:
        parts = list(column.parts())
        if len(parts) > 1:
            yield from ((column.name, value, mask) for value, mask in parts)


def _measure_of(rows: JudgedRows, objective: Objective) -> tuple[str, bool, Measure]:
    """Return a metric's name, whether more is better, and the function of some rows.

    It returns None of rows that say too little.
    """
    if objective.task == "binary":
        return AUC, True, partial(_auc, rows)
    if objective.task == "multiclass":
        hits = class_numbers(objective, rows.scores) == rows.labels
        return "accuracy", True, partial(_share, rows, hits)
    if objective.task == "ranking":
        return IN_ORDER, True, partial(_in_order, RankedPairs.of(rows))
    if objective.task == "survival":
        return CONCORDANCE, True, partial(_concordance, rows, objective)
    errors = rows.labels.astype(np.float64) - middle_output(rows.scores)
    return "rmse", False, partial(_rmse, rows, errors**2)


class RankedPairs(NamedTuple):
    """Pairs of rows of one group (p), the first of more relevance, and how right that is.

    `right` is 1, a half of a tie, or 0; `groups` says which group each pair is of.
    """

    first: NDArray[np.intp]
    second: NDArray[np.intp]
    groups: NDArray[np.intp]
    right: Floats
    weights: Floats

    @classmethod
    def of(cls, rows: JudgedRows) -> "RankedPairs":
        """Return those of all groups, or of some where there are too many."""
        count = len(rows.labels)
        groups = np.zeros(count, np.intp) if rows.roles.groups is None else rows.roles.groups
        order = np.argsort(groups, kind="stable")
        parts = np.split(order, np.flatnonzero(np.diff(groups[order])) + 1)
        step = -(-sum(len(part) ** 2 for part in parts) // (2 * MOST_PAIRS))
        found = [_ordered_pairs(rows.labels, part) for part in parts[::step]]
        first, second = (np.concatenate(each) for each in zip(*found, strict=True))
        scores = rows.scores
        right = (scores[first] > scores[second]) + 0.5 * (scores[first] == scores[second])
        wide = np.ones(count) if rows.weights is None else rows.weights.astype(np.float64)
        return cls(first, second, groups[first], right, wide[first])


def _ordered_pairs(labels: Labels, part: NDArray[np.intp]) -> tuple[NDArray[np.intp], ...]:
    """Return the pairs of some rows in which the first has more relevance."""
    most = int((2 * MOST_PAIRS) ** 0.5)
    part = part if len(part) <= most else part[:: len(part) // most + 1]
    return tuple(part[each] for each in np.nonzero(labels[part][:, None] > labels[part]))


def _in_order(pairs: RankedPairs, mask: Mask) -> Measured | None:
    """Return the mean over groups of the share of their pairs, both of the rows, in order."""
    chosen = mask[pairs.first] & mask[pairs.second]
    _, numbers = np.unique(pairs.groups[chosen], return_inverse=True)
    weights = pairs.weights[chosen]
    counts = np.bincount(numbers)
    if len(counts) < LEAST_GROUPS:
        return None
    shares = np.bincount(numbers, pairs.right[chosen]) / counts
    of_groups = np.bincount(numbers, weights) / counts
    share = float(np.average(shares, weights=of_groups))
    # as wide as if each group had all its pairs right or none: no narrower than it is
    return share, share_interval(share, effective_rows(of_groups.astype(np.float32), len(counts)))


def _concordance(rows: JudgedRows, objective: Objective, mask: Mask) -> Measured | None:
    lower, upper = event_bounds(objective, rows.labels[mask].astype(np.float64))
    if int(np.isfinite(upper).sum()) < LEAST_PER_LABEL or not have_order(lower, upper):
        return None
    times = predicted_times(objective, rows.scores[mask])
    weights = np.ones(len(times)) if rows.weights is None else rows.weights[mask].astype(np.float64)
    index, moves = concordance(lower, upper, times, weights, where=rows.name)
    half = TWO_SIDED * float(np.sqrt(moves @ moves))
    return index, (max(0.0, index - half), min(1.0, index + half))


def _auc(rows: JudgedRows, mask: Mask) -> Measured | None:
    weights = None if rows.weights is None else rows.weights[mask]
    labels, scores = rows.labels[mask], rows.scores[mask]
    positives = int(labels.sum())
    if min(positives, len(labels) - positives) < LEAST_PER_LABEL:
        return None
    return roc_auc(labels, scores, weights), auc_interval(labels, scores, weights)


def _share(rows: JudgedRows, hits: Mask, mask: Mask) -> Measured:
    weights = None if rows.weights is None else rows.weights[mask]
    share = float(np.average(hits[mask], weights=weights))
    return share, share_interval(share, effective_rows(weights, int(mask.sum())))


def _rmse(rows: JudgedRows, squares: Floats, mask: Mask) -> Measured:
    weights = None if rows.weights is None else rows.weights[mask]
    mean = float(np.average(squares[mask], weights=weights))
    variance = float(np.average((squares[mask] - mean) ** 2, weights=weights))
    half = TWO_SIDED * (variance / effective_rows(weights, int(mask.sum()))) ** 0.5
    return mean**0.5, (max(0.0, mean - half) ** 0.5, (mean + half) ** 0.5)
