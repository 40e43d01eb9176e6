"""What a threshold gives on some rows, beside 0.5 and beside calling all rows the same.

Shares come with Wilson's 95 % interval, which is inside of 0..1 and holds for few rows too
(Brown, Cai and DasGupta, Statistical Science 16, 2001); of weighted rows by Kish's effective
number. Costs come with the bootstrap's.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from sagetree.boosters.scoring import Scores
from sagetree.decisions.curve import Floats, priced
from sagetree.decisions.rules import Bound, LeastCost, Rule
from sagetree.evaluate.metrics.interval import share_interval
from sagetree.evaluate.metrics.rows import Weights, is_positive
from sagetree.tables.label import Labels

Flags: TypeAlias = NDArray[np.bool_]

# The bounds of an interval are the 25th of a thousand totals from either end.
RESAMPLES = 1000
_TAIL = 2.5

# What a resample is drawn from, at most.
MOST_UNITS = 5000

# A log shows greater costs as whole numbers.
WHOLE = 100

NOBODY, EVERYBODY = "call nobody", "call everybody"


@dataclass(frozen=True)
class Estimate:
    """A value and the bounds of its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Called:
    """What calling some of the rows positive gives; `threshold` is None for all or none of them.

    Numbers of rows are their weight. A precision of no row called is None; so is a cost
    where no rule names one.
    """

    name: str
    threshold: float | None
    true_positives: float
    false_positives: float
    precision: Estimate | None
    recall: Estimate
    alerts: Estimate
    f1: float
    cost: Estimate | None


@dataclass(frozen=True)
class OperatingPoint:
    """What a rule's threshold gives on some rows, beside 0.5 and the best constant.

    `constant` calls nobody or everybody: what of both is better by the rule. `rule` is the
    model's, also where another threshold was set; "none" of a model that has none.
    """

    rule: str
    rows: int
    chosen: Called
    even: Called
    constant: Called

    def lines(self) -> Iterator[str]:
        """Yield what a log says about it, a line each."""
        yield f"What it gives, beside others (rule {self.rule}; 95 % intervals):"
        for called in (self.chosen, self.even, self.constant):
            precision = "-" if called.precision is None else _share(called.precision)
            cost = "" if called.cost is None else f", cost {_amount(called.cost)}"
            yield (
                f"  {called.name}: alerts {_share(called.alerts)}, precision {precision}, "
                f"recall {_share(called.recall)}{cost}"
            )


def operating_point(
    labels: Labels,
    scores: Scores,
    threshold: float,
    *,
    rule: Rule | None,
    called: Flags | None = None,
    even: float = 0.5,
    weights: Weights = None,
    miss: Floats | None = None,
    alarm: Floats | None = None,
    seed: int = 0,
) -> OperatingPoint:
    """Return what a threshold gives on rows of both labels (n); `rule` is the model's, if any.

    `called` (n) says which rows the threshold calls, None that those are which reach it.
    `miss` and `alarm` (n) are the amounts of each row, where the rule names columns; `even` is
    the score where the odds are even, `seed` the resamples'.
    """
    chosen = is_positive(scores, threshold) if called is None else called
    if weights is not None:
        kept = weights > 0
        chosen = chosen[kept]
        labels, scores, weights = labels[kept], scores[kept], weights[kept]
        miss, alarm = (None if each is None else each[kept] for each in (miss, alarm))
    nobody, everybody = np.zeros(len(labels), bool), np.ones(len(labels), bool)
    ways: dict[str, tuple[float | None, Flags]] = {
        f"threshold {threshold:.4g}": (threshold, chosen),
        f"{even:g}": (even, is_positive(scores, even)),
        NOBODY: (None, nobody),
        EVERYBODY: (None, everybody),
    }
    all_called = np.stack([flags for _, flags in ways.values()])
    costs: list[Estimate | None] = [None] * len(ways)
    if isinstance(rule, LeastCost):
        wide = np.ones(len(labels)) if weights is None else weights.astype(np.float64)
        of_miss = priced(rule.miss, wide, None if miss is None else miss * wide)
        of_alarm = priced(rule.alarm, wide, None if alarm is None else alarm * wide)
        costs = [*_costs(np.where(labels == 1, ~all_called * of_miss, all_called * of_alarm), seed)]
    at_threshold, at_even, *constants = (
        _called(name, at, labels == 1, flags, weights, cost)
        for (name, (at, flags)), cost in zip(ways.items(), costs, strict=True)
    )
    told = "none" if rule is None else str(rule)
    return OperatingPoint(told, len(labels), at_threshold, at_even, _better(rule, *constants))


def _called(
    name: str,
    threshold: float | None,
    positive: Flags,
    called: Flags,
    weights: Weights,
    cost: Estimate | None,
) -> Called:
    wide = np.ones(len(called)) if weights is None else weights.astype(np.float64)
    true, false = float(wide @ (called & positive)), float(wide @ (called & ~positive))
    return Called(
        name=name,
        threshold=threshold,
        true_positives=true,
        false_positives=false,
        precision=_estimate(positive, wide * called) if true + false else None,
        recall=_estimate(called, wide * positive),
        alerts=_estimate(called, wide),
        f1=2 * true / (true + false + float(wide @ positive)),
        cost=cost,
    )


def _estimate(hits: Flags, weights: Floats) -> Estimate:
    """Return the share of hits among the rows that have a weight (n)."""
    total = float(weights.sum())
    share = float(weights @ hits) / total
    return Estimate(share, *share_interval(share, total**2 / float(weights @ weights)))


def _costs(of_rows: Floats, seed: int) -> Iterator[Estimate]:
    """Yield the total cost of each way (ways, n) with its percentile interval."""
    random = np.random.default_rng(seed)
    units = _units(of_rows, random)
    count = units.shape[1]
    times = (np.bincount(random.integers(0, count, count), None, count) for _ in range(RESAMPLES))
    sums = np.array([units @ drawn for drawn in times])
    bounds = np.percentile(sums, [_TAIL, 100 - _TAIL], axis=0)
    for total, low, high in zip(of_rows.sum(axis=1), *bounds, strict=True):
        yield Estimate(float(total), float(low), float(high))


def _units(of_rows: Floats, random: np.random.Generator) -> Floats:
    """Return what resamples draw from (ways, m): rows, or sums of rows put together by chance.

    The variance of a total is the same by both.
    """
    count = of_rows.shape[1]
    if count <= MOST_UNITS:
        return of_rows
    unit = random.permutation(count) % MOST_UNITS
    return np.stack([np.bincount(unit, costs, MOST_UNITS) for costs in of_rows])


def _better(rule: Rule | None, nobody: Called, everybody: Called) -> Called:
    """Return what is better by the rule of calling nobody and calling everybody."""
    if nobody.cost is not None and everybody.cost is not None:
        return nobody if nobody.cost.value < everybody.cost.value else everybody
    match rule:
        case Bound(measure="precision", share=share):
            assert everybody.precision is not None  # noqa: S101 - there are rows
            return everybody if everybody.precision.value >= share else nobody
        case Bound(measure="alerts", share=share):
            return everybody if share == 1 else nobody
    return everybody


def _share(of: Estimate) -> str:
    return f"{of.value:.1%} ({of.low:.1%} to {of.high:.1%})"


def _amount(of: Estimate) -> str:
    value, low, high = (
        f"{each:,.0f}" if abs(each) >= WHOLE else f"{each:.4g}"
        for each in (of.value, of.low, of.high)
    )
    return f"{value} ({low} to {high})"
