"""What boosting is told and what it gives: the models, and how their rounds were chosen."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import xgboost

from sagetree.boosters.objectives import Objective
from sagetree.boosters.scoring import Scores, most_frequent
from sagetree.train.boosting.rounds import Callback, Keeper
from sagetree.train.examples.examples import LeftOut


@dataclass(frozen=True)
class Rounds:
    """How many rounds were found best, and how the rows left out fared.

    `best` is of each model. `left_out` are the rows no model they are scored by
    was fitted on, in the order of the tables, `scores` what serving would answer
    for them. `metrics` holds the value of each metric at the best round,
    `deviations` its standard deviation over folds (empty without folds); `rows`
    says in words which rows these are. `repeats` are the scores of each repeat
    of an ensemble's folds.
    """

    best: tuple[int, ...]
    left_out: LeftOut
    scores: Scores
    metrics: Mapping[str, float]
    deviations: Mapping[str, float]
    rows: str
    repeats: tuple[Scores, ...] = ()


@dataclass(frozen=True)
class Fitted:
    """The models, cut at their best round, and how that round was chosen."""

    models: tuple[bytes, ...]
    rounds: Rounds


@dataclass(frozen=True)
class Course:
    """How a job's boosting goes beside its settings: what it begins with, and who looks on.

    `first` is a model whose trees come before all rounds, `keeper` gives the
    checkpoints of a phase of so many boosters, `is_stopped` ends a phase early, and
    `check_stopped` is then given its rounds and raises if no model is to be left.
    """

    first: bytes | None = None
    callbacks: Sequence[Callback] = ()
    keeper: Callable[[str, int], Keeper | None] = lambda _phase, _parts: None
    is_stopped: Callable[[], bool] = lambda: False
    check_stopped: Callable[[int], None] = lambda _rounds: None


@dataclass(frozen=True)
class Cut:
    """Boosters cut at their best round, and each metric there, of each booster."""

    boosters: tuple[xgboost.Booster, ...]
    best: int
    metrics: Mapping[str, Sequence[float]]

    def means(self) -> dict[str, float]:
        """Return the mean of each metric over the boosters."""
        return {name: float(np.mean(values)) for name, values in self.metrics.items()}

    def deviations(self) -> dict[str, float]:
        """Return the standard deviation of each metric over the boosters."""
        return {name: float(np.std(values)) for name, values in self.metrics.items()}

    @classmethod
    def joined(cls, cuts: Sequence["Cut"]) -> "Cut":
        """Return the boosters of several trainings as those of one."""
        return cls(
            tuple(booster for cut in cuts for booster in cut.boosters),
            max(cut.best for cut in cuts),
            {name: [v for cut in cuts for v in cut.metrics[name]] for name in cuts[0].metrics},
        )


def together(scores: Sequence[Scores], objective: Objective) -> Scores:
    """Return what models say together, as serving has it: the mean, of classes the mode."""
    if objective.score == "class":
        return most_frequent(np.stack(scores)[..., None])[:, 0]
    mean: Scores = np.mean(scores, axis=0, dtype=np.float32)
    return mean


def saved(boosters: Iterable[xgboost.Booster]) -> tuple[bytes, ...]:
    """Return boosters as the bytes of their files."""
    return tuple(bytes(booster.save_raw("ubj")) for booster in boosters)
