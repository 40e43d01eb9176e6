"""Labels and scores to metrics that equal scikit-learn's, each with its uncertainty."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sagetree.boosters.scoring import Scores
from sagetree.evaluate.metrics.bootstrap import losses_of, standard_deviations
from sagetree.evaluate.metrics.interval import Interval, auc_interval
from sagetree.evaluate.metrics.measured import Confusion, by_name
from sagetree.evaluate.metrics.measures import measure
from sagetree.evaluate.metrics.rows import THESE_ROWS, Weights, check_rows, is_positive
from sagetree.evaluate.metrics.weighted import average_precision, confusion_matrix, roc_auc
from sagetree.tables.label import Labels


@dataclass(frozen=True)
class Evaluation:
    """How good the scores of some rows are, and how certain that is.

    A score of at least `threshold` is called positive, where rows that chose it are measured
    by what others of them chose. `scalars` holds each
    metric's value, `deviations` its standard deviation over resamples of the
    rows (empty if one of the labels has a single row), `auc_interval` the AUC's
    95 % confidence interval.

    A metric that would divide by zero is 0, as in scikit-learn; logloss is NaN
    where the scores are not probabilities.
    """

    rows: int
    positives: int
    threshold: float
    scalars: Mapping[str, float]
    deviations: Mapping[str, float]
    auc_interval: Interval
    confusion: Confusion

    headline = "auc"

    @property
    def auc(self) -> float:
        """The area under the ROC curve."""
        return self.scalars["auc"]


def evaluate(
    labels: Labels,
    scores: Scores,
    threshold: float,
    *,
    called: NDArray[np.bool_] | None = None,
    weights: Weights = None,
    of_folds: bool = False,
    where: str = THESE_ROWS,
    seed: int = 0,
) -> Evaluation:
    """Return the metrics of `scores` (n) for `labels` (n, 0 or 1).

    `called` (n) says which rows are called positive, None that those are which reach the
    threshold; a standard deviation is always that of the threshold.
    `weights` (n) are above 0; `of_folds` says that each fold's model gave its scores;
    `where` names the rows in an error, `seed` is the resamples'. Raises DataError
    without rows of both labels, ArtifactError for a score that is not finite.
    """
    check_rows(labels, scores, where)
    called = is_positive(scores, threshold) if called is None else called
    counts = confusion_matrix((labels == 1).astype(np.intp), called.astype(np.intp), 2, weights)
    scalars = measure(
        counts,
        auc=np.array(roc_auc(labels, scores, weights)),
        aucpr=np.array(average_precision(labels, scores, weights)),
        logloss=np.array(np.average(losses_of(labels, scores), weights=weights)),
    )
    return Evaluation(
        rows=len(labels),
        positives=int(np.count_nonzero(labels)),
        threshold=threshold,
        scalars={name: float(value) for name, value in scalars.items()},
        deviations=standard_deviations(labels, scores, threshold, weights=weights, seed=seed),
        auc_interval=auc_interval(labels, scores, weights, of_folds=of_folds),
        confusion=by_name(counts, ("0", "1")),
    )
