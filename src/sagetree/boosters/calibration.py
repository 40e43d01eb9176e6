"""Scores to the probabilities that held-out rows have shown: an increasing function, as numbers."""

from functools import cached_property
from itertools import pairwise
from typing import Annotated, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, model_validator

Floats = NDArray[np.float64]
Scores = NDArray[np.float32]

# The least float32 above 0, and the half of the step below 1: scores of exactly 0 and 1 have
# log-odds by these, beyond those of all others.
_LEAST, _LEAST_AGAINST = 2.0**-149, 2.0**-25

# No score's log-odds are as far from 0; exp() overflows a little beyond the second.
_BEYOND, _MOST = 1000.0, 700.0


class Calibration(BaseModel):
    """What makes a score a probability, by its log-odds; ranks stay as they are.

    `prior` adds `intercept` to them, `platt` multiplies them by `slope` as well, and
    `isotonic` leads from one of the `knots` (log-odds before and after) to the next in a
    straight line; beyond the last ones it only adds. `rows` says in words on which rows it
    was fitted, `chosen` why.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    method: Literal["prior", "platt", "isotonic"]
    slope: Annotated[FiniteFloat, Field(gt=0)] = 1.0
    intercept: FiniteFloat = 0.0
    knots: tuple[tuple[FiniteFloat, FiniteFloat], ...] = ()
    rows: str
    chosen: str

    @model_validator(mode="after")
    def _is_increasing(self) -> Self:
        if bool(self.knots) != (self.method == "isotonic"):
            raise ValueError("isotonic needs knots, and nothing else has any")
        if any(x >= u or y >= v for (x, y), (u, v) in pairwise(self.knots)):
            raise ValueError("knots must ascend")
        return self

    def __call__(self, scores: Scores) -> Scores:
        """Return the calibrated scores of uncalibrated ones (n), each by itself."""
        if len(scores) == 1:
            return np.array([self._of_one(float(scores[0]))], np.float32)
        against = _log_odds_against(scores)
        if self.knots:
            return _probabilities(np.interp(against, *self._knots))
        return _probabilities(against * self.slope - self.intercept)

    def undone(self, scores: Scores) -> Scores:
        """Return the uncalibrated scores of calibrated ones (n), to float32's precision."""
        against = _log_odds_against(scores)
        if self.knots:
            return _probabilities(np.interp(against, *self._knots[::-1]))
        return _probabilities((against + self.intercept) / self.slope)

    def _of_one(self, score: float) -> float:
        """Return the same to the bit for one score, in a third of the time."""
        wide = max(score, _LEAST)
        against = float(np.log(max(1.0 - wide, _LEAST_AGAINST) / wide))
        if self.knots:
            against = float(np.interp(against, *self._knots))
        else:
            against = against * self.slope - self.intercept
        return 1.0 / (1.0 + float(np.exp(min(against, _MOST))))

    @property
    def keeps_odds_ratios(self) -> bool:
        """Whether what multiplies the odds before calibration multiplies those after as much."""
        return self.method == "prior"

    @cached_property
    def _knots(self) -> tuple[Floats, Floats]:
        """The knots by the odds against (both ascending), and one beyond each end."""
        before, after = -np.array(self.knots[::-1], np.float64).T
        ends = np.array([-_BEYOND, _BEYOND])
        return (
            np.concatenate([before[:1] + ends[:1], before, before[-1:] + ends[1:]]),
            np.concatenate([after[:1] + ends[:1], after, after[-1:] + ends[1:]]),
        )


def log_odds(scores: Scores) -> Floats:
    """Return the log-odds of scores from 0 to 1, finite for all of them."""
    odds: Floats = -_log_odds_against(scores)
    return odds


def _log_odds_against(scores: Scores) -> Floats:
    wide = np.maximum(scores, _LEAST, dtype=np.float64)
    against: Floats = np.log(np.maximum(1.0 - wide, _LEAST_AGAINST) / wide)
    return against


def _probabilities(against: Floats) -> Scores:
    return (1.0 / (1.0 + np.exp(np.minimum(against, _MOST)))).astype(np.float32)
