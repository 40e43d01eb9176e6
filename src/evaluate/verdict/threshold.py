"""The score from which a row is called positive."""

from sagetree.boosters.scoring import Scores
from sagetree.bundle.bundle import Decision
from sagetree.evaluate.metrics.rows import THESE_ROWS, Weights, check_rows, with_weight
from sagetree.evaluate.metrics.weighted import greatest_f1
from sagetree.tables.label import Labels


def choose_threshold(
    labels: Labels, scores: Scores, *, weights: Weights = None, where: str = THESE_ROWS
) -> Decision:
    """Return the score with the greatest F1 on the given rows (n); of equals the lowest.

    With few positives no score may ever reach 0.5; then 0.5 would call nothing
    positive. `scores` must come from rows the model was not fitted on. Of equals
    the lowest finds the most positives, and F1 says its false alarms are worth
    it. Raises as `check_rows` does; `where` names the rows there and in the decision.
    """
    counted, found = with_weight(weights, labels, scores)
    check_rows(counted, found, where)
    point = greatest_f1(labels, scores, weights)
    return Decision(
        threshold=point.threshold,
        chosen=f"the score with the greatest F1, on {where}",
        precision=point.true / point.called,
        recall=point.true / point.positives,
        f1=point.f1,
    )
