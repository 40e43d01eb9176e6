"""The metrics of each round, by name: what each is of, and which way is better."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from sagetree.objectives import Task

CLASSIFICATION: tuple[Task, ...] = ("binary", "multiclass")


@dataclass(frozen=True)
class Metric:
    """A metric: the tasks it is defined for, and whether more is better.

    `parameter` says in words what may stand after an @, "" if nothing;
    `required` whether it must.
    """

    name: str
    tasks: tuple[Task, ...]
    maximize: bool = False
    parameter: str = ""
    required: bool = False


_METRICS = (
    Metric("auc", ("binary", "multiclass", "ranking"), maximize=True),
    Metric("aucpr", ("binary", "multiclass", "ranking"), maximize=True),
    Metric("logloss", ("binary",)),
    Metric("error", ("binary",), parameter="a threshold"),
    Metric("merror", ("multiclass",)),
    Metric("mlogloss", ("multiclass",)),
    Metric("rmse", ("binary", "regression")),
    Metric("rmsle", ("regression",)),
    Metric("mae", ("binary", "regression")),
    Metric("mape", ("regression",)),
    Metric("mphe", ("regression",)),
    Metric("quantile", ("quantile",)),
    Metric("expectile", ("quantile",)),
    Metric("poisson-nloglik", ("regression",)),
    Metric("gamma-nloglik", ("regression",)),
    Metric("gamma-deviance", ("regression",)),
    Metric("tweedie-nloglik", ("regression",), parameter="the variance power"),
    Metric("pre", ("ranking",), maximize=True, parameter="a number of rows"),
    Metric("ndcg", ("ranking",), maximize=True, parameter="a number of rows"),
    Metric("map", ("ranking",), maximize=True, parameter="a number of rows"),
    Metric("cox-nloglik", ("survival",)),
    Metric("aft-nloglik", ("survival",)),
    Metric("interval-regression-accuracy", ("survival",), maximize=True),
    Metric("accuracy", CLASSIFICATION, maximize=True),
    Metric("balanced_accuracy", CLASSIFICATION, maximize=True),
    Metric("f1", CLASSIFICATION, maximize=True),
    Metric("f1_binary", ("binary",), maximize=True),
    Metric("f1_macro", CLASSIFICATION, maximize=True),
    Metric("precision", ("binary",), maximize=True),
    Metric("precision_macro", CLASSIFICATION, maximize=True),
    Metric("precision_micro", CLASSIFICATION, maximize=True),
    Metric("recall", ("binary",), maximize=True),
    Metric("recall_macro", CLASSIFICATION, maximize=True),
    Metric("recall_micro", CLASSIFICATION, maximize=True),
    Metric("mse", ("regression",)),
    Metric("r2", ("regression",), maximize=True),
    Metric(
        "recall_at_precision",
        ("binary",),
        maximize=True,
        parameter="a precision",
        required=True,
    ),
)

METRICS: Mapping[str, Metric] = MappingProxyType({metric.name: metric for metric in _METRICS})


def metric_of(spelling: str) -> Metric | None:
    """Return the metric `name` or `name@parameter` means, None if there is none."""
    name, _, _ = spelling.partition("@")
    return METRICS.get(name.removesuffix("-"))


def is_maximized(spelling: str) -> bool:
    """Say whether more of a metric is better. Raises KeyError for one that is unknown."""
    return METRICS[spelling.partition("@")[0].removesuffix("-")].maximize
