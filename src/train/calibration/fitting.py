"""Platt's and the isotonic calibration of scores, as scikit-learn fits them, without importing it.

Source of the two numbers: Platt (1999), with his targets, that is a row more of each label.
Source of the knots: centred isotonic regression (Oron and Flournoy, 2017), in which what is
level is a point at its centre, so that the function rises everywhere.
"""

import math
from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sagetree.boosters.calibration import Calibration, Floats, log_odds
from sagetree.boosters.scoring import Scores
from sagetree.evaluate.calibration import fit_line
from sagetree.tables.label import Labels

# What is fitted, before rows and reason are known.
Fit = Callable[["ScoredLabels"], Calibration | None]


class ScoredLabels(NamedTuple):
    """Labels (n, 0 or 1), uncalibrated scores (n), and weights (n) that add up to the rows."""

    labels: Labels
    scores: Scores
    weights: Floats

    def take(self, rows: NDArray[np.intp]) -> "ScoredLabels":
        """Return some of the rows."""
        return ScoredLabels(self.labels[rows], self.scores[rows], self.weights[rows])

    @property
    def rarer(self) -> int:
        """How many rows have the rarer label."""
        positives = int(np.count_nonzero(self.labels))
        return min(positives, len(self.labels) - positives)


def of_prior(scale_pos_weight: float) -> Calibration:
    """Return what takes back by how much `scale_pos_weight` has raised the odds."""
    intercept = -math.log(scale_pos_weight)
    return Calibration(method="prior", intercept=intercept, rows="", chosen="")


def fit_platt(rows: ScoredLabels) -> Calibration | None:
    """Return the line of log-odds; None where labels do not rise with the scores."""
    positive = float(rows.weights @ rows.labels)
    negative = float(rows.weights.sum()) - positive
    targets = np.where(rows.labels == 1, (positive + 1) / (positive + 2), 1 / (negative + 2))
    line = fit_line(log_odds(rows.scores), targets, rows.weights)
    if line is None or line.slope <= 0:
        return None
    return Calibration(
        method="platt", slope=line.slope, intercept=line.intercept, rows="", chosen=""
    )


def fit_isotonic(rows: ScoredLabels) -> Calibration | None:
    """Return the knots of levels, each with rows of both labels; None of one label only."""
    if not rows.rarer:
        return None
    scores, places = np.unique(rows.scores, return_inverse=True)
    weights = np.bincount(places, rows.weights)
    positive = np.bincount(places, rows.weights * rows.labels)
    pooled = _pooled(np.stack([weights, positive, weights * log_odds(scores)]))
    levels = [_Level(*level) for level in pooled.T.tolist()]
    knots = tuple((level.odds, level.calibrated) for level in _rising(levels))
    return Calibration(method="isotonic", knots=knots, rows="", chosen="")


def _pooled(sums: Floats) -> Floats:
    """Return sums (3, n) of weights, of positives, and of log-odds, as those of levels that rise.

    Each run that does not rise is one level of isotonic regression, or a part of one: pooling
    all of them at once, again and again, ends where pooling pair by pair does.
    """
    while True:
        shares = sums[1] / sums[0]
        begins = np.flatnonzero(np.append(True, shares[1:] > shares[:-1]))
        if len(begins) == len(shares):
            return sums
        sums = np.add.reduceat(sums, begins, axis=1)


class _Level(NamedTuple):
    """Rows whose share of positives is one: their weight, that of positives, of log-odds."""

    weight: float
    positive: float
    weighted_odds: float

    @property
    def odds(self) -> float:
        return float(self.weighted_odds / self.weight)

    @property
    def calibrated(self) -> float:
        """The log-odds of the share, infinite for one label only."""
        negative = self.weight - self.positive
        if not (self.positive and negative):
            return math.copysign(math.inf, self.positive - negative)
        return math.log(self.positive / negative)

    def joined(self, other: "_Level") -> "_Level":
        return _Level(*map(sum, zip(self, other, strict=True)))


def _rising(levels: Iterable[_Level]) -> list[_Level]:
    """Return levels that rise; one of negative, or of positive rows only joins its neighbour."""
    found: list[_Level] = []
    for level in levels:
        found.append(level)
        while len(found) > 1 and not _rises(*found[-2:]):
            found[-2:] = [found[-2].joined(found[-1])]
    while len(found) > 1 and math.isinf(found[-1].calibrated):
        found[-2:] = [found[-2].joined(found[-1])]
    return found


def _rises(low: _Level, high: _Level) -> bool:
    return low.odds < high.odds and -math.inf < low.calibrated < high.calibrated
