"""How far scores can be read as probabilities."""

from typing import NamedTuple

import numpy as np

from sagetree.boosters.calibration import Calibration, Floats, Scores, log_odds
from sagetree.evaluate.metrics.bootstrap import losses_of
from sagetree.evaluate.metrics.rows import Weights
from sagetree.tables.label import Labels

# Between these calibration slopes scores may be read as they are.
GOOD_SLOPES = (0.9, 1.1)

# Log-odds that differ by less are the same.
_SAME = 1e-7

# Newton's steps at most, and one that is too small to matter.
_STEPS, _ENOUGH = 50, 1e-9


class LogOddsLine(NamedTuple):
    """The label's log-odds as a line of the scores': 0 and 1 where scores are right."""

    intercept: float
    slope: float


class Figures(NamedTuple):
    """Log loss, Brier score and calibration slope of some rows; the slope is None without one."""

    logloss: float
    brier: float
    slope: float | None

    @classmethod
    def of(cls, labels: Labels, scores: Scores, weights: Weights) -> "Figures":
        """Measure scores (n), which are probabilities of the labels (n)."""
        line = calibration_line(labels, scores, weights)
        errors = (scores.astype(np.float64) - labels) ** 2
        return cls(
            logloss=float(np.average(losses_of(labels, scores), weights=weights)),
            brier=float(np.average(errors, weights=weights)),
            slope=line.slope if line else None,
        )


class CalibrationResult(NamedTuple):
    """The calibration that held-out rows called for, None for none, and `why`.

    `before` and `after` are of these rows, each calibrated by what the others say; None
    where there were none.
    """

    calibration: Calibration | None
    why: str
    before: Figures | None = None
    after: Figures | None = None

    def as_json(self) -> dict[str, object]:
        """Return what metrics.json says about it."""
        return {
            "method": self.calibration.method if self.calibration else "none",
            "why": self.why,
            "before": self.before and self.before._asdict(),
            "after": self.after and self.after._asdict(),
        }


def calibration_line(labels: Labels, scores: Scores, weights: Weights) -> LogOddsLine | None:
    """Return the logistic regression of the label on the scores' log-odds.

    None where it is not there: of one score for all, or labels that scores separate.
    """
    wide = None if weights is None else weights.astype(np.float64)
    return fit_line(log_odds(scores), (labels == 1).astype(np.float64), wide)


def fit_line(odds: Floats, targets: Floats, weights: Floats | None) -> LogOddsLine | None:
    """Return the line of log-odds (n) that targets from 0 to 1 (n) are likeliest by, if any."""
    if np.ptp(odds) < _SAME:
        return None
    weight = np.ones(len(odds)) if weights is None else weights
    x = np.column_stack([np.ones(len(odds)), odds])

    def loss(beta: Floats) -> float:
        line = x @ beta
        return float(weight @ (np.logaddexp(0, line) - targets * line))

    beta = np.array([0.0, 1.0])
    for _ in range(_STEPS):  # Newton's steps, which never lead uphill
        fitted = 1 / (1 + np.exp(-(x @ beta).clip(-500, 500)))
        curvature = (x * (weight * fitted * (1 - fitted))[:, None]).T @ x
        gradient = x.T @ (weight * (targets - fitted))
        if not np.isfinite(curvature).all() or np.linalg.cond(curvature) > 1 / _SAME**2:
            return None
        step = np.linalg.solve(curvature, gradient)
        before = loss(beta)
        while np.abs(step).max() >= _ENOUGH and loss(beta + step) > before:
            step /= 2
        beta = beta + step
        if np.abs(step).max() < _ENOUGH:
            return LogOddsLine(float(beta[0]), float(beta[1]))
    return None
