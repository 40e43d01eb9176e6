"""Standard deviations by the bootstrap: what other rows would have given.

A resample draws as many rows as there are, with replacement and not
stratified: the next test set will not hold exactly as many positives as this
one either, and accuracy, precision, F and aucpr depend on their share. A
resample without one of the labels has no AUC; it is drawn again.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sagetree.boosters.scoring import Scores
from sagetree.evaluate.metrics.measures import Samples, Scalars, measure
from sagetree.evaluate.metrics.rows import Weights, are_probabilities
from sagetree.evaluate.metrics.weighted import Floats, log_losses
from sagetree.tables.label import Labels

Rows = NDArray[np.intp]

# More are seldom needed for a standard error: Efron and Tibshirani, "An
# Introduction to the Bootstrap" (1993), section 6.4. The result is then good
# to 1 / sqrt(2 * 200) = 5 %.
RESAMPLES = 200

# A resample of more rows would only take longer: the spread of a mean of n rows
# is that of one of m, times the root of m / n.
MOST_DRAWN = 50_000

# One row of a label says nothing of how others of it would score.
LEAST_PER_LABEL = 2


def spread(samples: Samples, scale: float = 1.0) -> Scalars:
    """Return the standard deviation of each metric over resamples, times `scale`."""
    return {name: float(np.std(values, ddof=1)) * scale for name, values in samples.items()}


def resampled(measure: Callable[[Rows], Scalars], rows: int, drawn: int, seed: int) -> Samples:
    """Return each metric of 200 resamples, each of `drawn` among `rows` rows."""
    random = np.random.default_rng(seed)
    samples = [measure(random.integers(0, rows, drawn)) for _ in range(RESAMPLES)]
    return {name: np.array([sample[name] for sample in samples]) for name in samples[0]}


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
    positive_weights: Floats | None
    negative_weights: Floats | None

    @classmethod
    def of(
        cls, labels: Labels, scores: Scores, threshold: float, weights: Weights = None
    ) -> "RankedRows":
        """Rank rows of both labels."""
        wide = scores.astype(np.float64)  # the threshold need not be a float32
        high, low = wide[labels == 1], wide[labels == 0]
        edges = np.unique(np.append(high, threshold))
        bins = np.searchsorted(edges, low, "left") + np.searchsorted(edges, low, "right")
        losses = losses_of(labels, scores)
        weight = None if weights is None else weights.astype(np.float64)
        return cls(
            edges=len(edges),
            threshold_edge=int(np.searchsorted(edges, threshold)),
            positive_edges=np.searchsorted(edges, high),
            negative_bins=bins,
            positive_losses=losses[labels == 1],
            negative_losses=losses[labels == 0],
            positive_weights=None if weight is None else weight[labels == 1],
            negative_weights=None if weight is None else weight[labels == 0],
        )

    def measure(self, draws: Iterable[tuple[Rows, Rows]]) -> Samples:
        """Return the metrics of resamples, given as numbers of positive and negative rows.

        None of these may be empty; a row may come any number of times.
        """
        counts = np.array([self._count(*drawn) for drawn in draws])
        auc, aucpr, logloss = counts[:, 4:].T
        return measure(counts[:, :4].reshape(-1, 2, 2), auc=auc, aucpr=aucpr, logloss=logloss)

    def _count(self, positives: Rows, negatives: Rows) -> tuple[float, ...]:
        """Return a resample's confusion matrix, row by row, then its auc, aucpr and logloss."""
        positive, drawn = _drawn(self.positive_weights, positives)
        negative, others = _drawn(self.negative_weights, negatives)
        found = np.bincount(self.positive_edges[positives], positive, self.edges)
        bins = np.bincount(self.negative_bins[negatives], negative, 2 * self.edges + 1)
        below, tied = np.cumsum(bins)[:-1:2], bins[1::2]
        # What each edge would call positive, were it the threshold.
        hits, alarms = np.cumsum(found[::-1])[::-1], others - below
        precision = hits / np.maximum(hits + alarms, np.finfo(np.float64).tiny)
        hit, alarm = hits[self.threshold_edge], alarms[self.threshold_edge]
        losses = self.positive_losses[positives], self.negative_losses[negatives]
        loss = _total(losses[0], positive) + _total(losses[1], negative)
        return (
            *(others - alarm, alarm, drawn - hit, hit),
            float(found @ (below + tied / 2)) / (drawn * others),
            float(found @ precision) / drawn,
            float(loss) / (drawn + others),
        )


def _drawn(weights: Floats | None, rows: Rows) -> tuple[Floats | None, float]:
    """Return the weights of the rows drawn, None for 1 each, and how much they weigh together."""
    if weights is None:
        return None, len(rows)
    return weights[rows], float(weights[rows].sum())


def _total(values: Floats, weights: Floats | None) -> float:
    return float(values.sum() if weights is None else values @ weights)


def losses_of(labels: Labels, scores: Scores) -> Floats:
    """Return each row's negative log-likelihood (n), NaN where scores are not probabilities."""
    if are_probabilities(scores):
        return log_losses(labels, scores)
    return np.full(len(scores), np.nan)


def standard_deviations(
    labels: Labels, scores: Scores, threshold: float, *, weights: Weights = None, seed: int = 0
) -> Scalars:
    """Return the standard deviation of each metric over 200 resamples of the rows.

    Empty if one of the labels has a single row. The same seed gives the same numbers.
    """
    count, total = int(np.count_nonzero(labels)), len(labels)
    if min(count, total - count) < LEAST_PER_LABEL:
        return {}
    rows = RankedRows.of(labels, scores, threshold, weights)
    return spread(rows.measure(_draws(count, total, np.random.default_rng(seed))))


def _draws(count: int, total: int, random: np.random.Generator) -> Iterator[tuple[Rows, Rows]]:
    """Yield resamples of `total` rows, `count` of them positive, that have both labels."""
    made = 0
    while made < RESAMPLES:
        # To draw the number of positives first is the same as to draw rows from all at once.
        drawn = int(random.binomial(total, count / total))
        if 0 < drawn < total:
            made += 1
            positives = random.integers(0, count, drawn)
            yield positives, random.integers(0, total - count, total - drawn)
