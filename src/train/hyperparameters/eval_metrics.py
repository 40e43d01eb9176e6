"""The metrics of each round, by name: what each is of, which way is better, who computes it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sagetree.boosters.objectives import Objective, Task, objective_of
from sagetree.errors import did_you_mean
from sagetree.evaluate.metrics import weighted
from sagetree.evaluate.metrics.weighted import Predicted, greatest_f1
from sagetree.train.hyperparameters.value_types import LARGEST_INTEGER

if TYPE_CHECKING:
    import xgboost  # takes a second: --help and refusals do without

# Rows and the metric's parameter to its value.
Function = Callable[[Predicted, float], float]

# What XGBoost calls a round, and a name and value for each metric.
CustomMetric: TypeAlias = (
    "Callable[[NDArray[np.float32], xgboost.DMatrix], list[tuple[str, float]]]"
)

_CLASSES: tuple[Task, ...] = ("binary", "multiclass")
_NUMBERS: tuple[Task, ...] = ("regression", "quantile")


@dataclass(frozen=True)
class MetricParameter:
    """A number that stands after a metric's @: what it is, and its range, perhaps without ends."""

    meaning: str
    low: float
    high: float | None = None
    whole: bool = False
    within: bool = False
    default: float | None = None

    def parse(self, text: str) -> float:
        """Return the number. Raises ValueError for a text that is none or out of range."""
        number = float(text)
        high = LARGEST_INTEGER if self.high is None else self.high
        is_end = self.within and number in (self.low, high)
        if not self.low <= number <= high or is_end or (self.whole and not number.is_integer()):
            raise ValueError(text)
        return number

    @property
    def allowed(self) -> str:
        """The range in words."""
        kind = "a whole number" if self.whole else "a number"
        if self.within:
            return f"{kind} above {self.low:g} and below {self.high:g}"
        return f"{kind} from {self.low:g}" + ("" if self.high is None else f" to {self.high:g}")


@dataclass(frozen=True)
class Metric:
    """A metric, the tasks it is defined for, and whether more is better.

    `function` computes it where XGBoost does not: always, or with
    `by_xgboost` where the objective's predictions are not probabilities.
    `parameter` is what may stand after an @, or must if it has no default.
    """

    name: str
    tasks: tuple[Task, ...]
    help: str
    maximize: bool = False
    function: Function | None = None
    by_xgboost: bool = True
    parameter: MetricParameter | None = None


_THRESHOLD = MetricParameter("a probability", 0, 1, default=0.5)
_TOP = MetricParameter("a number of rows", 1, whole=True, default=LARGEST_INTEGER)
_POWER = MetricParameter("a variance power", 1, 2, default=1.5, within=True)
_PRECISION = MetricParameter("a precision", 0, 1)


def _own(
    name: str,
    tasks: tuple[Task, ...],
    function: Function,
    text: str,
    *,
    maximize: bool = True,
    parameter: MetricParameter | None = None,
) -> Metric:
    return Metric(name, tasks, text, maximize, function, by_xgboost=False, parameter=parameter)


_METRICS = (
    Metric(
        "auc",
        ("binary", "multiclass", "ranking"),
        "area under the ROC curve; of several classes, each against the rest by its weight",
        maximize=True,
    ),
    Metric(
        "aucpr",
        ("binary", "multiclass", "ranking"),
        "average precision; of several classes, each against the rest by its weight; of rank:* the "
        "interpolated area, as XGBoost has it",
        maximize=True,
        function=weighted.aucpr,
    ),
    Metric("logloss", ("binary",), "negative log-likelihood", function=weighted.logloss),
    Metric(
        "error",
        ("binary",),
        "share of rows called wrong, those above 0.5 or error@t being called 1",
        function=weighted.error,
        parameter=_THRESHOLD,
    ),
    Metric("merror", ("multiclass",), "share of rows called wrong"),
    Metric("mlogloss", ("multiclass",), "negative log-likelihood"),
    Metric("rmse", ("binary", *_NUMBERS), "root of the mean squared error", function=weighted.rmse),
    Metric("rmsle", _NUMBERS, "the same of log(1 + value)"),
    Metric("mae", ("binary", *_NUMBERS), "mean absolute error", function=weighted.mae),
    Metric("mape", _NUMBERS, "mean absolute error relative to the label"),
    Metric("mphe", _NUMBERS, "mean pseudo-Huber error"),
    Metric("quantile", ("quantile",), "pinball loss, mean over quantile_alpha"),
    Metric("expectile", ("regression",), "squared loss, asymmetric by expectile_alpha"),
    Metric("poisson-nloglik", ("regression",), "negative log-likelihood of Poisson's"),
    Metric("gamma-nloglik", ("regression",), "negative log-likelihood of gamma's"),
    Metric("gamma-deviance", ("regression",), "mean gamma deviance"),
    Metric(
        "tweedie-nloglik",
        ("regression",),
        "negative log-likelihood of Tweedie's; tweedie-nloglik@p names the variance power",
        parameter=_POWER,
    ),
    Metric(
        "ndcg",
        ("ranking",),
        "normalised discounted cumulative gain; ndcg@n of the first n rows, a - behind counts "
        "groups without a relevant row as 0",
        maximize=True,
        parameter=_TOP,
    ),
    Metric(
        "map", ("ranking",), "mean average precision; map@n, map-", maximize=True, parameter=_TOP
    ),
    Metric("pre", ("ranking",), "precision; pre@n", maximize=True, parameter=_TOP),
    Metric("cox-nloglik", ("survival",), "negative partial log-likelihood of survival:cox"),
    Metric("aft-nloglik", ("survival",), "negative log-likelihood of survival:aft"),
    Metric(
        "interval-regression-accuracy",
        ("survival",),
        "survival:aft: share of rows predicted within their bounds",
        maximize=True,
    ),
    _own("accuracy", _CLASSES, weighted.accuracy, "share of rows called what they are"),
    _own("balanced_accuracy", _CLASSES, weighted.balanced_accuracy, "mean recall of the classes"),
    _own("f1", _CLASSES, weighted.f1_macro, "mean F1 of the classes, as f1_macro"),
    _own("f1_binary", ("binary",), weighted.f1_binary, "F1 of the positive label"),
    _own("f1_macro", _CLASSES, weighted.f1_macro, "mean F1 of the classes"),
    _own("precision", ("binary",), weighted.precision_binary, "share of rows called 1 that are"),
    _own("precision_macro", _CLASSES, weighted.precision_macro, "mean precision of the classes"),
    _own("precision_micro", _CLASSES, weighted.accuracy, "precision over all rows: the accuracy"),
    _own("recall", ("binary",), weighted.recall_binary, "share of positive rows called 1"),
    _own("recall_macro", _CLASSES, weighted.recall_macro, "mean recall of the classes"),
    _own("recall_micro", _CLASSES, weighted.accuracy, "recall over all rows: the accuracy"),
    _own("mse", ("regression",), weighted.mse, "mean squared error", maximize=False),
    _own("r2", ("regression",), weighted.r2, "share of the label's variance explained"),
    _own(
        "recall_at_precision",
        ("binary",),
        weighted.recall_at_precision,
        "recall_at_precision@0.8: best recall of a threshold with a precision of 0.8 or more",
        parameter=_PRECISION,
    ),
)

# Metrics of what rows are called: a round that moves none over the threshold changes
# none of them, and where positives are rare no round may for long.
OF_CALLS = frozenset(
    {
        "error", "merror", "accuracy", "balanced_accuracy", "f1", "f1_binary", "f1_macro",
        "precision", "precision_macro", "precision_micro", "recall", "recall_macro",
        "recall_micro",
    }
)  # fmt: skip

METRICS: Mapping[str, Metric] = MappingProxyType({metric.name: metric for metric in _METRICS})

# These two take a - behind: groups without a relevant row count 0 instead of 1.
_TAKE_MINUS = ("ndcg", "map")


@dataclass(frozen=True)
class Asked:
    """A metric as a user spells it, with its parameter (None if it takes none)."""

    spelling: str
    metric: Metric
    parameter: float | None

    @classmethod
    def of(cls, spelling: str) -> "Asked":
        """Return the metric `name` or `name@parameter` means.

        Raises ValueError, whose text says what is wrong and what there is.
        """
        name, at, text = spelling.partition("@")
        if spelling.endswith("-") and name.removesuffix("-") in _TAKE_MINUS:
            name, text = name.removesuffix("-"), text.removesuffix("-")
        metric = METRICS.get(name)
        if metric is None:
            known = ", ".join(METRICS)
            raise ValueError(f"is not a metric{did_you_mean(name, METRICS)}: take {known}")
        parameter = metric.parameter
        if parameter is None:
            if at:
                raise ValueError(f"has a parameter, but {name} takes none")
            return cls(spelling, metric, None)
        if not at:
            if parameter.default is None:
                raise ValueError(f"lacks its parameter: write {name}@ and {parameter.meaning}")
            return cls(spelling, metric, parameter.default)
        try:
            return cls(spelling, metric, parameter.parse(text))
        except ValueError:
            raise ValueError(
                f"must have {parameter.meaning} behind its @, {parameter.allowed}"
            ) from None

    def is_computed_here(self, objective: Objective) -> bool:
        """Say whether XGBoost's own value would be none or another one."""
        metric = self.metric
        if metric.function is None:
            return False
        if metric.by_xgboost and objective.task in ("ranking", "regression"):
            return False
        if not metric.by_xgboost or metric.name == "aucpr":
            return True
        return objective.score == "margin"


def is_maximized(spelling: str) -> bool:
    """Say whether more of a metric is better. Raises ValueError for one that is unknown."""
    return Asked.of(spelling).metric.maximize


def default_metric(params: Mapping[str, Any]) -> str:
    """Return the metric that is watched where eval_metric names none, for XGBoost's `params`."""
    return objective_of(params["objective"]).metric


def with_parameter(metric: str, params: Mapping[str, Any]) -> str:
    """Return a metric as XGBoost takes it: Tweedie's needs the objective's variance power.

    >>> with_parameter("tweedie-nloglik", {"tweedie_variance_power": 1.2})
    'tweedie-nloglik@1.2'
    """
    if metric == "tweedie-nloglik":
        return f"{metric}@{params.get('tweedie_variance_power', 1.5):g}"
    return metric


@dataclass(frozen=True)
class RoundMetrics:
    """What is computed of each round: by XGBoost, and here.

    Rows are called 1 from `threshold` on, None is above 0.5; with `at_greatest_f1`
    from the one that the job would choose on these rows after this round.
    """

    by_xgboost: tuple[str, ...]
    here: tuple[Asked, ...]
    objective: Objective
    at_greatest_f1: bool = False
    threshold: float | None = None

    @classmethod
    def of(
        cls, spellings: Sequence[str], objective: Objective, *, at_greatest_f1: bool = False
    ) -> "RoundMetrics":
        """Return who computes which metric of an objective."""
        asked = [Asked.of(spelling) for spelling in spellings]
        here = tuple(a for a in asked if a.is_computed_here(objective))
        by_xgboost = tuple(a.spelling for a in asked if a not in here)
        return cls(by_xgboost, here, objective, at_greatest_f1 and objective.has_threshold)

    def at(self, threshold: float) -> "RoundMetrics":
        """Return the same metrics at a threshold, if rounds chose one: of rows it was not."""
        if not self.at_greatest_f1:
            return self
        return replace(self, at_greatest_f1=False, threshold=threshold)

    @property
    def params(self) -> dict[str, Any]:
        """The parameters of XGBoost that make it compute its part and nothing else."""
        if not self.by_xgboost:
            return {"disable_default_eval_metric": True}
        return {"eval_metric": list(self.by_xgboost)}

    @property
    def custom_metric(self) -> "CustomMetric | None":
        """The function that computes the rest, None if there is no rest."""
        return self._values if self.here else None

    def _values(
        self, predictions: NDArray[np.float32], data: "xgboost.DMatrix"
    ) -> list[tuple[str, float]]:
        labels = data.get_label()
        weights = data.get_weight() if data.get_weight().size else None
        if self.objective.score == "margin":
            predictions = _probabilities(predictions)
        threshold = self.threshold
        if self.at_greatest_f1 and any(a.metric.name in OF_CALLS for a in self.here):
            threshold = greatest_f1(labels, predictions, weights).threshold
        are_classes = self.objective.score == "class"
        rows = Predicted(labels, predictions, weights, are_classes, threshold)
        return [(a.spelling, _value(a, rows)) for a in self.here]


def _value(asked: Asked, rows: Predicted) -> float:
    assert asked.metric.function is not None  # noqa: S101  # by is_computed_here
    return asked.metric.function(rows, asked.parameter or 0.0)


def _probabilities(margins: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the probability each margin stands for, as XGBoost makes it of log odds."""
    return np.asarray(1 / (1 + np.exp(-margins.clip(-88, 88))), np.float32)
