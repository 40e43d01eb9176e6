"""ModelQuality as SageMaker's Model Monitor writes it: statistics.json and constraints.json.

Shapes: SageMaker developer guide, pages model-monitor-model-quality-metrics and
model-monitor-model-quality-baseline; `version` is a number there. Model Monitor
suggests the very value of a baseline as its threshold, which the next rows of an
unchanged model miss half of the time. Ours is the end of the value's 95 %
interval that a worse model would pass.
"""

from collections.abc import Mapping
from types import MappingProxyType

from sagetree.boosters.objectives import Task
from sagetree.evaluate.metrics.binary import Evaluation
from sagetree.evaluate.metrics.interval import TWO_SIDED
from sagetree.evaluate.metrics.measured import Measured
from sagetree.evaluate.verdict.sagemaker import METRICS_KEYS, confusion_json, scalars_json

_VERSION = 0.0

_SHARES = ("recall", "precision", "accuracy", "auc", "f0_5", "f1", "f2")
_RATES = ("true_positive_rate", "true_negative_rate")
_WEIGHTED = ("weighted_recall", "weighted_precision", "weighted_f0_5", "weighted_f1", "weighted_f2")

# What Model Monitor constrains where more is better, and where less is; it knows three tasks.
_RISING: Mapping[Task, tuple[str, ...]] = MappingProxyType(
    {
        "binary": (*_SHARES, *_RATES),
        "multiclass": ("accuracy", *_WEIGHTED),
        "regression": ("r2",),
        "ranking": ("ndcg", "map"),
        "survival": ("concordance_index",),
    }
)
_FALLING: Mapping[Task, tuple[str, ...]] = MappingProxyType(
    {
        "binary": ("false_positive_rate", "false_negative_rate"),
        "regression": ("mae", "mse", "rmse"),
        "quantile": ("pinball_loss",),
    }
)


def statistics_json(evaluation: Evaluation | Measured, task: Task) -> dict[str, object]:
    """Return the content of statistics.json: ModelMetrics' ModelQuality.Statistics."""
    return {
        "version": _VERSION,
        "dataset": {"item_count": evaluation.rows},
        METRICS_KEYS[task]: confusion_json(evaluation) | scalars_json(evaluation),
    }


def constraints_json(evaluation: Evaluation | Measured, task: Task) -> dict[str, object]:
    """Return the content of constraints.json: ModelMetrics' ModelQuality.Constraints."""
    found = {
        name: {"threshold": _bound(evaluation, name, sign), "comparison_operator": operator}
        for names, sign, operator in (
            (_RISING.get(task, ()), -1, "LessThanThreshold"),
            (_FALLING.get(task, ()), 1, "GreaterThanThreshold"),
        )
        for name in names
    }
    key = METRICS_KEYS[task].removesuffix("metrics") + "constraints"
    return {"version": _VERSION, key: found}


def _bound(evaluation: Evaluation | Measured, name: str, sign: int) -> float:
    if name == "auc" and isinstance(evaluation, Evaluation):
        return evaluation.auc_interval[0]
    return evaluation.scalars[name] + sign * TWO_SIDED * evaluation.deviations.get(name, 0.0)
