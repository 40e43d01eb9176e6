"""An evaluation as SageMaker reads it: model metrics, property files, model quality.

Names and shape: SageMaker developer guide, page
model-monitor-model-quality-metrics, "Binary classification metrics"; there a
standard deviation that does not exist is the word "NaN". `au_prc` is the name
AWS's CloudWatch dashboards for Model Monitor read. `logloss` and what stands
beside "binary_classification_metrics" are ours; readers pass over them.

One number differs on purpose. In that page's example the best constant
classifier calls everything positive, in accuracy too (0.25 with one positive
row of four). Ours is 0.75: the accuracy a model has to beat.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict
from types import MappingProxyType

from sagetree.boosters.objectives import Task
from sagetree.evaluate.metrics.binary import Evaluation
from sagetree.evaluate.metrics.measured import Measured
from sagetree.evaluate.verdict.operating_point import OperatingPoint

# Our name of a metric -> SageMaker's, where they differ.
_NAMES = {"aucpr": "au_prc"}

# Where a task's metrics stand; SageMaker has the first three of these names.
METRICS_KEYS: Mapping[Task, str] = MappingProxyType(
    {
        "binary": "binary_classification_metrics",
        "multiclass": "multiclass_classification_metrics",
        "regression": "regression_metrics",
        "quantile": "quantile_metrics",
        "ranking": "ranking_metrics",
        "survival": "survival_metrics",
    }
)


def evaluation_json(
    evaluation: Evaluation | Measured,
    task: Task = "binary",
    curves: Mapping[str, object] = MappingProxyType({}),
    point: OperatingPoint | None = None,
) -> dict[str, object]:
    """Return the content of evaluation.json; `curves` and `point` are those of a binary model."""
    if isinstance(evaluation, Evaluation):
        operating = {} if point is None else {"operating_point": asdict(point)}
        return _binary_json(evaluation, curves) | operating
    return {
        METRICS_KEYS[task]: confusion_json(evaluation) | scalars_json(evaluation),
        "rows": evaluation.rows,
        "same_for_every_row": {evaluation.headline: evaluation.baseline},
    }


def confusion_json(evaluation: Evaluation | Measured) -> dict[str, object]:
    """Return the confusion matrix by SageMaker's name, nothing where there is none."""
    return {} if evaluation.confusion is None else {"confusion_matrix": evaluation.confusion}


def scalars_json(evaluation: Evaluation | Measured) -> dict[str, object]:
    """Return each metric by SageMaker's name, with value and standard deviation."""
    return {_NAMES.get(name, name): _scalar(evaluation, name) for name in evaluation.scalars}


def _binary_json(evaluation: Evaluation, curves: Mapping[str, object]) -> dict[str, object]:
    low, high = evaluation.auc_interval
    metrics = {**confusion_json(evaluation), **scalars_json(evaluation), **curves}
    return {
        METRICS_KEYS["binary"]: metrics,
        "rows": evaluation.rows,
        "positives": evaluation.positives,
        "threshold": evaluation.threshold,
        "auc_interval": {"low": low, "high": high, "confidence": 0.95},
    }


def _scalar(evaluation: Evaluation | Measured, name: str) -> dict[str, float | str]:
    deviation = evaluation.deviations.get(name, math.nan)
    return {"value": _number(evaluation.scalars[name]), "standard_deviation": _number(deviation)}


def _number(value: float) -> float | str:
    return "NaN" if math.isnan(value) else value
