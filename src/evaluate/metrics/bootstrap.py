"""Standard deviations by the bootstrap: what other rows would have given.

A resample draws as many rows as there are, with replacement and not
stratified: the next test set will not hold exactly as many positives as this
one either, and accuracy, precision, F and aucpr depend on their share. A
resample without one of the labels has no AUC; it is drawn again.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sagetree.boosters.scoring import Scores
from sagetree.evaluate.metrics.measures import Confusion, Scalars, measure
from sagetree.evaluate.metrics.rows import are_probabilities
from sagetree.tables.label import Labels

# More are seldom needed for a standard error: Efron and Tibshirani, "An
# Introduction to the Bootstrap" (1993), section 6.4. The result is then good
# to 1 / sqrt(2 * 200) = 5 %.
RESAMPLES = 200

# One row of a label says nothing of how others of it would score.
LEAST_PER_LABEL = 2


@dataclass(frozen=True)
class RankedRows:
    """Rows in a form in which a resample of them is measured without sorting it.

    Only the order of scores matters, and only where positives stand in it. So
    the distinct scores of positives and the threshold, ascending, are the edges
    of bins: bin 2i + 1 holds what equals edge i, bin 2i what lies below it (and
    above the edge before).
    """

    edges: int
    threshold_edge: int
    positive_edges: NDArray[np.intp]  # per positive row: the edge it equals
    negative_bins: NDArray[np.intp]  # per negative row: the bin it lies in
    positive_losses: NDArray[np.float64]
    negative_losses: NDArray[np.float64]

    @classmethod
    def of(cls, labels: Labels, scores: Scores, threshold: float) -> "RankedRows":
        """Rank rows of both labels."""
        wide = scores.astype(np.float64)  # the threshold need not be a float32
        high, low = wide[labels == 1], wide[labels == 0]
        edges = np.unique(np.append(high, threshold))
        bins = np.searchsorted(edges, low, "left") + np.searchsorted(edges, low, "right")
        losses = log_losses(labels, scores)
        return cls(
            edges=len(edges),
            threshold_edge=int(np.searchsorted(edges, threshold)),
            positive_edges=np.searchsorted(edges, high),
            negative_bins=bins,
            positive_losses=losses[labels == 1],
            negative_losses=losses[labels == 0],
        )

    def measure(self, positives: NDArray[np.intp], negatives: NDArray[np.intp]) -> Scalars:
        """Return the metrics of a resample, given as numbers of positive and negative rows.

        Neither may be empty; a row may come any number of times.
        """
        drawn, others = len(positives), len(negatives)
        found = np.bincount(self.positive_edges[positives], minlength=self.edges)
        bins = np.bincount(self.negative_bins[negatives], minlength=2 * self.edges + 1)
        below, tied = np.cumsum(bins)[:-1:2], bins[1::2]
        # What each edge would call positive, were it the threshold.
        hits, alarms = np.cumsum(found[::-1])[::-1], others - below
        precision = hits / np.maximum(hits + alarms, 1)
        hit, alarm = int(hits[self.threshold_edge]), int(alarms[self.threshold_edge])
        loss = self.positive_losses[positives].sum() + self.negative_losses[negatives].sum()
        return measure(
            Confusion(others - alarm, alarm, drawn - hit, hit),
            auc=float(found @ (below + tied / 2)) / (drawn * others),
            aucpr=float(found @ precision) / drawn,
            logloss=float(loss) / (drawn + others),
        )


def log_losses(labels: Labels, scores: Scores) -> NDArray[np.float64]:
    """Return each row's negative log-likelihood (n), NaN where scores are no probabilities.

    Scores are clipped as scikit-learn does: a float32 that rounds to 1 is no certainty.
    """
    if not are_probabilities(scores):
        return np.full(len(scores), np.nan)
    least = float(np.finfo(np.float32).eps)
    shares = scores.astype(np.float64).clip(least, 1 - least)
    losses: NDArray[np.float64] = -np.where(labels == 1, np.log(shares), np.log1p(-shares))
    return losses


def standard_deviations(
    labels: Labels, scores: Scores, threshold: float, *, seed: int = 0
) -> Scalars:
    """Return the standard deviation of each metric over 200 resamples of the rows.

    Empty if one of the labels has a single row. The same seed gives the same numbers.
    """
    count, total = int(np.count_nonzero(labels)), len(labels)
    if min(count, total - count) < LEAST_PER_LABEL:
        return {}
    rows = RankedRows.of(labels, scores, threshold)
    random = np.random.default_rng(seed)
    samples: list[Scalars] = []
    while len(samples) < RESAMPLES:
        # To draw the number of positives first is the same as to draw rows from all at once.
        drawn = int(random.binomial(total, count / total))
        if 0 < drawn < total:
            positives = random.integers(0, count, drawn)
            negatives = random.integers(0, total - count, total - drawn)
            samples.append(rows.measure(positives, negatives))
    return {
        name: float(np.std([sample[name] for sample in samples], ddof=1)) for name in samples[0]
    }
