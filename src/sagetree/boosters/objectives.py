"""What each of XGBoost's objectives learns and what its score is: one table.

Training checks labels by it, evaluation chooses metrics, serving names what it
answers. Names: "Learning Task Parameters" of XGBoost's documentation.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sagetree.tables.label_range import LabelRange

Task = Literal["binary", "multiclass", "regression", "quantile", "ranking", "survival"]

# What `Scorer.score` gives for a row: the probability of the positive label, or
# one for each class; the log of the odds; the number of a class; a value in the
# label's own unit (regression, counts, quantiles, survival time); a rank, which
# only orders rows of a group; a hazard relative to others.
Meaning = Literal["probability", "probabilities", "margin", "class", "value", "rank", "hazard"]

DEFAULT_OBJECTIVE = "binary:logistic"

# What a label decides for where no objective is named: two values, numbers, a few words.
NUMBERS_OBJECTIVE, WORDS_OBJECTIVE = "reg:squarederror", "multi:softprob"
FITTING_OBJECTIVES = (DEFAULT_OBJECTIVE, NUMBERS_OBJECTIVE, WORDS_OBJECTIVE)


@dataclass(frozen=True)
class Objective:
    """One objective: its task, what its score is, which labels it takes.

    `metric` is the one that is watched if none is asked for; `labels` bounds
    the numbers of a numeric label (None for classes). `neutral` is the
    base_score that stands for a margin of 0.
    """

    name: str
    task: Task
    score: Meaning
    metric: str
    labels: LabelRange | None = None
    neutral: float = 0.0

    @property
    def is_classification(self) -> bool:
        """Whether labels are classes."""
        return self.task in ("binary", "multiclass")

    @property
    def has_threshold(self) -> bool:
        """Whether rows are called positive from some probability on."""
        return self.task == "binary" and self.score == "probability"


_ANY = LabelRange()
_NOT_NEGATIVE = LabelRange(low=0)
_POSITIVE = LabelRange(low=0, above=True)
_SHARE = LabelRange(low=0, high=1)
_RELEVANCE = LabelRange(low=0, whole=True)
_RELEVANT_OR_NOT = LabelRange(low=0, high=1, whole=True)

_TABLE = (
    Objective("binary:logistic", "binary", "probability", "auc", neutral=0.5),
    Objective("binary:logitraw", "binary", "margin", "auc"),
    Objective("binary:hinge", "binary", "class", "error"),
    Objective("multi:softprob", "multiclass", "probabilities", "mlogloss"),
    Objective("multi:softmax", "multiclass", "class", "mlogloss"),
    Objective("reg:squarederror", "regression", "value", "rmse", _ANY),
    Objective(
        "reg:squaredlogerror", "regression", "value", "rmsle", LabelRange(low=-1, above=True)
    ),
    Objective("reg:logistic", "regression", "value", "rmse", _SHARE, neutral=0.5),
    Objective("reg:pseudohubererror", "regression", "value", "mphe", _ANY),
    Objective("reg:absoluteerror", "regression", "value", "mae", _ANY),
    Objective("reg:gamma", "regression", "value", "gamma-deviance", _POSITIVE, neutral=1.0),
    Objective("reg:tweedie", "regression", "value", "tweedie-nloglik", _NOT_NEGATIVE, neutral=1.0),
    Objective(
        "count:poisson", "regression", "value", "poisson-nloglik", _NOT_NEGATIVE, neutral=1.0
    ),
    Objective("reg:expectileerror", "regression", "value", "expectile", _ANY),  # XGBoost 3.4
    Objective("reg:quantileerror", "quantile", "value", "quantile", _ANY),
    Objective("rank:ndcg", "ranking", "rank", "ndcg", _RELEVANCE),
    Objective("rank:pairwise", "ranking", "rank", "ndcg", _RELEVANCE),
    Objective("rank:map", "ranking", "rank", "map", _RELEVANT_OR_NOT),
    Objective("survival:aft", "survival", "value", "aft-nloglik", _NOT_NEGATIVE, neutral=1.0),
    Objective("survival:cox", "survival", "hazard", "cox-nloglik", _ANY, neutral=1.0),
)

# Every name a user may write; reg:linear is what reg:squarederror was called once.
OBJECTIVES: Mapping[str, Objective] = MappingProxyType(
    {o.name: o for o in _TABLE}
    | {"reg:linear": next(o for o in _TABLE if o.name == "reg:squarederror")}
)


def objective_of(name: str) -> Objective:
    """Return what is known of an objective; one that is not in the table gives plain values."""
    return OBJECTIVES.get(name, Objective(name, "regression", "value", "rmse", _ANY))


def class_numbers(objective: Objective, scores: NDArray[np.float32]) -> NDArray[np.intp]:
    """Return each row's predicted class (n) from scores that need no threshold.

    `scores` are probabilities (n, k), class numbers (n), or margins (n): a positive one means class
    1.
    """
    if scores.ndim == 2:
        return np.asarray(scores.argmax(axis=1), np.intp)
    if objective.score == "margin":
        return (scores > 0).astype(np.intp)
    return scores.astype(np.intp)
