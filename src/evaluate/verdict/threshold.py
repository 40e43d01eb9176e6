"""The score from which a row is called positive."""

import numpy as np

from sagetree.boosters.scoring import Scores
from sagetree.bundle.bundle import Decision
from sagetree.evaluate.metrics.rows import THESE_ROWS, check_rows
from sagetree.evaluate.metrics.weighted import cumulated
from sagetree.tables.label import Labels


def choose_threshold(labels: Labels, scores: Scores, *, where: str = THESE_ROWS) -> Decision:
    """Return the score with the greatest F1 on the given rows (n); of equals the lowest.

    With few positives no score may ever reach 0.5; then 0.5 would call nothing
    positive. `scores` must come from rows the model was not fitted on. Of equals
    the lowest finds the most positives, and F1 says its false alarms are worth
    it. Raises as `check_rows` does; `where` names the rows there and in the decision.
    """
    check_rows(labels, scores, where)
    distinct, hits, called = (values[::-1] for values in cumulated(labels, scores))
    # A quotient of whole numbers, so that equal F1 are equal to the bit.
    f1 = 2 * hits / (called + hits[0])
    best = int(np.argmax(f1))
    return Decision(
        threshold=float(distinct[best]),
        chosen=f"the score with the greatest F1, on {where}",
        precision=float(hits[best] / called[best]),
        recall=float(hits[best] / hits[0]),
        f1=float(f1[best]),
    )
