"""The score from which a row is called positive."""

from dataclasses import dataclass

import numpy as np

from sagetree.boosters.scoring import Scores
from sagetree.evaluate.metrics.rows import THESE_ROWS, check_rows
from sagetree.tables.label import Labels


@dataclass(frozen=True)
class Threshold:
    """A threshold, how it was chosen, and what it reaches on the rows it was chosen on."""

    threshold: float
    chosen: str
    precision: float
    recall: float
    f1: float


def choose_threshold(labels: Labels, scores: Scores, *, where: str = THESE_ROWS) -> Threshold:
    """Return the score with the greatest F1 on the given rows (n); of equals the lowest.

    With few positives no score may ever reach 0.5; then 0.5 would call nothing
    positive. `scores` must come from rows the model was not fitted on. Of equals
    the lowest finds the most positives, and F1 says its false alarms are worth
    it. Raises as `check_rows` does; `where` names the rows there.
    """
    check_rows(labels, scores, where)
    distinct, group = np.unique(scores, return_inverse=True)
    positives = np.bincount(group[labels == 1], minlength=len(distinct))
    hits = np.cumsum(positives[::-1])[::-1]
    called = np.cumsum(np.bincount(group)[::-1])[::-1]
    # A quotient of whole numbers, so that equal F1 are equal to the bit.
    f1 = 2 * hits / (called + hits[0])
    best = int(np.argmax(f1))
    return Threshold(
        threshold=float(distinct[best]),
        chosen="the score with the greatest F1",
        precision=float(hits[best] / called[best]),
        recall=float(hits[best] / hits[0]),
        f1=float(f1[best]),
    )
