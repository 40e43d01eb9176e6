"""Labels for which a metric has no finite value: found before a round is made by it."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from sagetree.boosters.objectives import Task
from sagetree.errors import SettingsError, quote
from sagetree.features.plan import LabelledRows
from sagetree.tables.label import AnyLabel, Labels
from sagetree.train.hyperparameters.eval_metrics import Asked

# The metric -> the labels that make it infinite or no number, whatever is predicted,
# and what it does with them.
_NEVER_FINITE: Mapping[str, tuple[Callable[[Labels], NDArray[np.bool_]], str]] = MappingProxyType(
    {
        "mape": (lambda labels: labels == 0, "divides by the label"),
        "rmsle": (lambda labels: labels <= -1, "takes the logarithm of 1 + label"),
        "gamma-deviance": (lambda labels: labels < 0, "takes the logarithm of the label"),
        "poisson-nloglik": (lambda labels: labels < 0, "takes the factorial of the label"),
    }
)


# Metrics of two classes, which some ask for of numbers: these must then be classes or shares.
_OF_SHARES = ("auc", "aucpr", "logloss")


def check_metric_labels(
    rows: LabelledRows, label: AnyLabel, metrics: Sequence[str], task: Task
) -> None:
    """Raise SettingsError naming the first row whose label a metric has no value for."""
    for metric in metrics:
        name = Asked.of(metric).metric.name
        if name in _NEVER_FINITE:
            is_wrong, reason = _NEVER_FINITE[name]
        elif name in _OF_SHARES and task == "regression":
            is_wrong, reason = (
                lambda labels: (labels < 0) | (labels > 1),
                "is of labels from 0 to 1",
            )
        else:
            continue
        wrong = np.flatnonzero(is_wrong(rows.labels))
        if len(wrong):
            row = int(wrong[0])
            raise SettingsError(
                f"the label is {rows.labels[row]:g}, and the metric {name} {reason}",
                where=f"{rows.table.locate(row)}, column {quote(label.name)}",
                hint="Name another one in eval_metric, such as rmse or mae",
            )
