"""The score from which a row is called positive."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from sagetree.boosters.scoring import Scores
from sagetree.decisions.choosing import choose
from sagetree.decisions.curve import Curve, Floats, Points
from sagetree.decisions.decision import Decision
from sagetree.decisions.rules import F1, Bound, GreatestF1, LeastCost, Rule
from sagetree.evaluate.metrics.rows import (
    THESE_ROWS,
    Weights,
    check_rows,
    is_positive,
    with_weight,
)
from sagetree.evaluate.metrics.weighted import cumulated
from sagetree.tables.label import Labels

# Positive and negative.
LABELS = 2

# Of fewer rows a precision or a share is chance.
FEW_ROWS = 10


def choose_threshold(
    labels: Labels,
    scores: Scores,
    *,
    rule: Rule = F1,
    weights: Weights = None,
    miss: Floats | None = None,
    alarm: Floats | None = None,
    where: str = THESE_ROWS,
) -> Decision:
    """Return the score that a rule chooses on the given rows (n), and the curve it is of.

    `miss` and `alarm` (n) are the amounts of each row, where the rule names columns. With few
    positives no score may ever reach 0.5; then 0.5 would call nothing positive. `scores` must
    come from rows the model was not fitted on. Raises as `check_rows` does; `where` names the
    rows there and in the decision.
    """
    counted, found = with_weight(weights, labels, scores)
    check_rows(counted, found, where)
    points = _points(labels, scores, weights, miss, alarm)
    place, unreached = choose(rule, points)
    return Decision(
        threshold=float(points.thresholds[place]),
        chosen=f"{_chosen(rule, unreached)}, on {where}",
        precision=float(points.precision[place]),
        recall=float(points.recall[place]),
        f1=float(points.f1[place]),
        rule=str(rule),
        unreached=unreached,
        curve=Curve.of(points, place, rule),
    )


def called_by_others(
    labels: Labels,
    scores: Scores,
    judged: Scores,
    parts: NDArray[np.intp],
    *,
    rule: Rule = F1,
    weights: Weights = None,
    miss: Floats | None = None,
    alarm: Floats | None = None,
) -> NDArray[np.bool_] | None:
    """Say which rows (n) reach the threshold that a rule chooses on those of other parts (n).

    On rows that have chosen it themselves a threshold looks better than on new ones. It is
    chosen on `scores` and held to `judged`. None where other parts lack a label.
    """
    called = np.zeros(len(labels), np.bool_)
    for part in np.unique(parts):
        others, own = parts != part, parts == part
        taken = [None if each is None else each[others] for each in (weights, miss, alarm)]
        if len(np.unique(with_weight(taken[0], labels[others])[0])) < LABELS:
            return None
        points = _points(labels[others], scores[others], *taken)
        called[own] = is_positive(judged[own], points.thresholds[choose(rule, points).place])
    return called


def doubts(decision: Decision, scores: Scores, weights: Weights = None) -> Iterator[str]:
    """Yield why to distrust a threshold that was chosen on rows of these scores (n)."""
    rule, at = f"decision {decision.rule}", f"{decision.threshold:.4g}"
    (counted,) = with_weight(weights, scores)
    called = int(np.count_nonzero(is_positive(counted, decision.threshold)))
    if not called:
        yield (
            f"{rule}: the least cost is to call no rows positive. The threshold {at} lies above "
            "every score: at these amounts the model saves nothing"
        )
        return
    if decision.unreached:
        yield (
            f"{rule} is not reached: {decision.unreached}. The threshold is the nearest, {at}, "
            f"with precision {decision.precision:.1%} and recall {decision.recall:.1%}"
        )
    if called < FEW_ROWS and decision.rule != str(F1):
        yield (
            f"{rule}: of the held-out rows {called} reach the threshold {at}, too few to say "
            "what it gives on others"
        )


def _points(
    labels: Labels, scores: Scores, weights: Weights, miss: Floats | None, alarm: Floats | None
) -> Points:
    """Return what each distinct score calls, behind a threshold that calls nobody."""
    distinct, true, called = cumulated(labels, scores, weights)
    above = np.nextafter(distinct[:1], np.inf, dtype=distinct.dtype)
    found = None if miss is None else _reached(scores, miss, weights)
    return Points(
        thresholds=np.append(above, distinct).astype(np.float64),
        true=np.append(0.0, true),
        called=np.append(0.0, called),
        positives=float(true[-1]),
        rows=float(called[-1]),
        missed=None if found is None else found[-1] - found,
        alarms=None if alarm is None else _reached(scores, alarm, weights),
    )


def _reached(scores: Scores, amounts: Floats, weights: Weights) -> Floats:
    """Return the amounts of the rows that reach each distinct score, behind a 0 for nobody."""
    (counted,) = with_weight(weights, scores)
    of_rows = amounts if weights is None else (amounts * weights)[weights > 0]
    distinct, place = np.unique(counted, return_inverse=True)
    sums = np.bincount(place, of_rows, len(distinct))[::-1]
    return np.append(0.0, np.cumsum(sums))


def _chosen(rule: Rule, unreached: str) -> str:
    if unreached:
        return f"the score nearest to {rule}, which none keeps"
    match rule:
        case GreatestF1():
            return "the score with the greatest F1"
        case LeastCost():
            return f"the score with the least {rule}"
        case Bound(measure="precision"):
            return f"the score that finds the most with {rule}"
        case Bound(measure="recall"):
            return f"the score with the fewest alerts and {rule}"
        case Bound():
            return f"the lowest score with {rule}"
