"""How well scores order rows: those of a query by relevance, all by when their event comes."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sagetree.errors import DataError
from sagetree.evaluate.metrics.bootstrap import Rows, resampled, spread
from sagetree.evaluate.metrics.measured import Measured
from sagetree.evaluate.metrics.measures import Scalars
from sagetree.evaluate.metrics.rows import Weights
from sagetree.evaluate.metrics.weighted import Floats, average_precision

# Pairs grow with the square of the rows: of more, this many are drawn.
MOST_COMPARED = 20_000

# Pairs compared at a time: so few that they stay in the processor's own memory.
_AT_A_TIME = 50_000


def measure_ranking(
    labels: Floats,
    scores: Floats,
    groups: NDArray[np.intp],
    *,
    weights: Weights = None,
    where: str,
    seed: int = 0,
) -> Measured:
    """Return ndcg and map, means over the groups that have rows of different relevance.

    The gain of a row is 2 to the power of its label, less 1; in `map` a row is
    relevant if its label is above 0. Ties share their places. A group counts by
    the mean weight of its rows. Raises DataError where no group has an order.
    """
    found = ordered_groups(labels, scores, groups, weights, where=where)
    *values_of, counts = np.array(found).T
    per_group = np.stack(values_of, axis=1)

    def values(drawn: Rows | slice) -> Scalars:
        means = np.average(per_group[drawn], axis=0, weights=counts[drawn])
        return {"ndcg": float(means[0]), "map": float(means[1])}

    count = len(per_group)
    return Measured(
        len(labels),
        values(slice(None)) | {"groups": float(count)},
        spread(resampled(values, count, count, seed)),
        headline="ndcg",
        baseline=float(np.average(per_group[:, 2], weights=counts)),
    )


class GroupOrder(NamedTuple):
    """How well the rows of a group are ordered, by ndcg and by map, and how much it counts."""

    ndcg: float
    map: float
    ndcg_by_chance: float
    weight: float


def ordered_groups(
    labels: Floats,
    scores: Floats,
    groups: NDArray[np.intp],
    weights: Weights = None,
    *,
    where: str,
) -> list[GroupOrder]:
    """Return the order of each group that has one. Raises DataError where none has."""
    found = measure_groups(labels, scores, groups, weights)
    if not found:
        raise DataError(
            "no group has rows of different labels",
            where=where,
            hint="Give groups with relevant rows and others: only these have an order",
        )
    return found


def measure_groups(
    labels: Floats, scores: Floats, groups: NDArray[np.intp], weights: Weights = None
) -> list[GroupOrder]:
    """Return the order of each group that has rows of different relevance."""
    found = []
    order = np.argsort(groups, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(groups[order])) + 1):
        relevance, score = labels[rows], scores[rows]
        if relevance.min() < relevance.max():
            gains = 2.0**relevance - 1
            by_chance = _ndcg(gains, np.zeros_like(score))
            weight = 1.0 if weights is None else float(weights[rows].mean())
            precision = average_precision(relevance > 0, score)
            found.append(GroupOrder(_ndcg(gains, score), precision, by_chance, weight))
    return found


def _ndcg(gains: Floats, scores: Floats) -> float:
    """Return the discounted gain of an order over that of the best one."""
    discounts = 1 / np.log2(np.arange(2, len(gains) + 2))
    _, place, counts = np.unique(-scores, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    summed = np.concatenate([[0.0], np.cumsum(discounts)])
    shared = (summed[ends] - summed[ends - counts]) / counts  # of rows that tie, the mean
    return float(gains @ shared[place] / (np.sort(gains)[::-1] @ discounts))


def measure_survival(
    lower: Floats,
    upper: Floats,
    times: Floats,
    *,
    weights: Weights = None,
    where: str,
    seed: int = 0,
) -> Measured:
    """Return the concordance index of predicted times (n) for events between bounds (n).

    It is the share of pairs, those where surely one event came first, that are predicted in that
    order; a tie counts half (Harrell's C). `times` may be anything that is greater for later
    events. A pair counts by the product of its weights. Raises DataError without such pairs.
    """
    rows = len(lower)
    weight = np.ones(rows) if weights is None else weights.astype(np.float64)
    some = compared_rows(rows, seed)
    index, moves = concordance(lower[some], upper[some], times[some], weight[some], where=where)
    return Measured(
        rows,
        {"concordance_index": index},
        {"concordance_index": float(np.sqrt(np.sum(moves**2)))},
        headline="concordance_index",
        baseline=0.5,
    )


def compared_rows(rows: int, seed: int = 0) -> Rows:
    """Return the rows that are compared with each other: all, or some of many."""
    if rows <= MOST_COMPARED:
        return np.arange(rows)
    return np.random.default_rng(seed).choice(rows, MOST_COMPARED, replace=False)


def have_order(lower: Floats, upper: Floats) -> bool:
    """Say whether the event of some row surely came before another one's."""
    return bool(_came_before(upper.min(), lower, upper).any())


def _came_before(upper: Floats | np.float64, lower: Floats, others: Floats) -> NDArray[np.bool_]:
    """Say where an event known to have come by `upper` came before those between two bounds.

    One at the very moment another row was last seen without one came before it.
    """
    return np.asarray((upper < lower) | ((upper == lower) & np.isinf(others)))


def concordance(
    lower: Floats, upper: Floats, times: Floats, weight: Floats, *, where: str
) -> tuple[float, Floats]:
    """Return the concordance index of rows (n), and how much each row's weight moves it (n).

    Raises DataError without pairs where one event surely came first.
    """
    if not have_order(lower, upper):
        raise DataError(
            "no two rows are known to have their events one before the other",
            where=where,
            hint="Give rows with events at different times",
        )
    right, pairs = np.zeros(len(lower)), np.zeros(len(lower))
    step = max(1, _AT_A_TIME // len(lower))
    for start in range(0, len(lower), step):
        one = slice(start, start + step)
        later = _came_before(upper[one, None], lower, upper)
        first = times[one, None]
        won = 0.5 * (later & (first < times)) + 0.5 * (later & (first <= times))
        known = later.astype(np.float64)  # a product with flags takes several times as long
        right[one] += weight[one] * (won @ weight)
        right += weight * (weight[one] @ won)
        pairs[one] += weight[one] * (known @ weight)
        pairs += weight * (weight[one] @ known)
    index = float(right.sum() / pairs.sum())
    # The infinitesimal jackknife: the ratio's derivative.
    return index, np.asarray((right - index * pairs) / (pairs.sum() / 2))
