"""Labels for which a metric has no finite value: found before a round is made by it."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

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


def check_metric_labels(rows: LabelledRows, label: AnyLabel, metrics: Sequence[str]) -> None:
    """Raise SettingsError naming the first row whose label a metric is never finite for."""
    for metric in metrics:
        name = Asked.of(metric).metric.name
        if name not in _NEVER_FINITE:
            continue
        is_wrong, reason = _NEVER_FINITE[name]
        wrong = np.flatnonzero(is_wrong(rows.labels))
        if len(wrong):
            row = int(wrong[0])
            raise SettingsError(
                f"the label is {rows.labels[row]:g}, and the metric {name} {reason}: "
                "it can have no finite value",
                where=f"{rows.table.locate(row)}, column {quote(label.name)}",
                hint="Name another one in eval_metric, such as rmse or mae",
            )
