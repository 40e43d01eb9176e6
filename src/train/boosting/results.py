"""What boosting gives: the models at their best round, and how the held-out rows fared."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import xgboost

from sagetree.boosters.calibration import Calibration
from sagetree.boosters.objectives import Objective
from sagetree.boosters.scoring import Scores, most_frequent
from sagetree.bundle.learning_curve import LearningCurve
from sagetree.evaluate.calibration import CalibrationResult
from sagetree.train.examples.examples import Examples


@dataclass(frozen=True)
class ValidationResult:
    """How many rounds were found best, and how the held-out rows fared.

    `best` is of each model. `left_out` are the rows no model they are scored by
    was fitted on, in the order of the tables, `scores` what serving would answer
    for them, `judged` the same at rounds that other rows chose: what these say about
    the model is not made better by the choice. `metrics` holds the value of each
    metric at the best round, `deviations` its standard deviation over folds (empty
    without folds); `rows` says in words which rows these are; there are none where
    nothing was measured. `repeats` are the scores of each repeat of an ensemble's
    folds, `curve` is how the metrics went. All scores are as `calibration` makes them.
    """

    best: tuple[int, ...]
    left_out: Examples
    scores: Scores
    judged: Scores
    metrics: Mapping[str, float]
    deviations: Mapping[str, float]
    rows: str
    repeats: tuple[Scores, ...] = ()
    curve: LearningCurve | None = None
    calibration: CalibrationResult | None = None

    @classmethod
    def unmeasured(cls, rounds: int, train: Examples) -> "ValidationResult":
        """Return the result of a model of all rows, without any held out."""
        none, scores = train.take(np.empty(0, np.intp)), np.empty(0, np.float32)
        return cls((rounds,), none, scores, scores, {}, {}, "no row")

    @property
    def calibrator(self) -> Calibration | None:
        """What the scores are calibrated by, None where they are XGBoost's own."""
        return self.calibration.calibration if self.calibration else None

    @property
    def is_of_folds(self) -> bool:
        """Whether the scores are of several models, each of its fold."""
        return bool(self.deviations)

    @property
    def is_measured(self) -> bool:
        """Whether rows were held out."""
        return len(self.left_out.labels) > 0


@dataclass(frozen=True)
class TrainedModels:
    """The models as UBJSON, with their best rounds only, and how these were chosen.

    `chosen` are the parameters of XGBoost's that the job chose, none where it had no choice.
    """

    models: tuple[bytes, ...]
    validation: ValidationResult
    chosen: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class BestBoosters:
    """Boosters without the rounds after the best one, and each metric there, of each booster.

    `scores` are those of the rows that each left out, `judged` theirs at the round that is
    best on other rows; `curve` has the mean of the metrics after every round, the later ones too.
    """

    boosters: tuple[xgboost.Booster, ...]
    best: int
    metrics: Mapping[str, Sequence[float]]
    scores: tuple[Scores, ...]
    judged: tuple[Scores, ...]
    curve: LearningCurve | None = None

    def means(self) -> dict[str, float]:
        """Return the mean of each metric over the boosters."""
        return {name: float(np.mean(values)) for name, values in self.metrics.items()}

    def deviations(self) -> dict[str, float]:
        """Return the standard deviation of each metric over the boosters."""
        return {name: float(np.std(values)) for name, values in self.metrics.items()}

    @classmethod
    def joined(cls, parts: Sequence["BestBoosters"]) -> "BestBoosters":
        """Return the boosters of several trainings as those of one."""
        names = parts[0].metrics
        return cls(
            tuple(booster for part in parts for booster in part.boosters),
            max(part.best for part in parts),
            {name: [value for part in parts for value in part.metrics[name]] for name in names},
            tuple(scores for part in parts for scores in part.scores),
            tuple(scores for part in parts for scores in part.judged),
            parts[0].curve,
        )


def ensemble_scores(scores: Sequence[Scores], objective: Objective) -> Scores:
    """Return what models say together, as serving has it: the mean, of classes the mode."""
    if objective.score == "class":
        return most_frequent(np.stack(scores)[..., None])[:, 0]
    mean: Scores = np.mean(scores, axis=0, dtype=np.float32)
    return mean
