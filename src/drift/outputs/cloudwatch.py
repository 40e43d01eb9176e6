"""Lines for CloudWatch, which SageMaker publishes from a folder, and the message of a run.

Sources: developer guide, "CloudWatch Metrics for Bring Your Own Containers" and "CloudWatch
Metrics"; the names of metrics are those of Model Monitor's own container.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import orjson

from sagetree.drift.measures.columns import ColumnDrift
from sagetree.drift.measures.drift import Drift
from sagetree.drift.settings import DriftSettings, Publishing
from sagetree.machine.paths import OptMl

FILE = "cloudwatch_metrics.jsonl"

Json = Mapping[str, object]


def message(drift: Drift) -> str:
    """Return what the execution's ExitMessage says, from which its status follows."""
    count = len(drift.findings)
    if not count:
        return "Completed: Job completed successfully with no violations."
    return f"CompletedWithViolations: Job completed successfully with {count} violations."


def publish(opt_ml: OptMl, settings: DriftSettings, drift: Drift) -> None:
    """Write what Model Monitor reads of a run beside its files: the message, and the metrics."""
    publishing = settings.publishing
    if publishing is not None and settings.limits.emits_metrics:
        time = settings.window.end if settings.window else datetime.now(UTC)
        write_metrics(opt_ml, drift, publishing, time)
    opt_ml.message.parent.mkdir(parents=True, exist_ok=True)
    opt_ml.message.write_text(message(drift), encoding="utf-8")


def write_metrics(opt_ml: OptMl, drift: Drift, publishing: Publishing, time: datetime) -> Path:
    """Write the metrics of a run, a line each, and return the file."""
    folder = opt_ml.cloudwatch
    folder.mkdir(parents=True, exist_ok=True)
    shared = {
        "Timestamp": time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "Dimensions": [
            {"Name": name, "Value": value}
            for name, value in zip(("Endpoint", "MonitoringSchedule"), publishing, strict=True)
            if value
        ],
    }
    path = folder / FILE
    lines = (orjson.dumps({**line, **shared}) + b"\n" for line in _lines(drift))
    path.write_bytes(b"".join(lines))
    return path


def _lines(drift: Drift) -> Iterator[Json]:
    for column in drift.columns:
        yield from _of_column(column)
    for score in drift.scores:
        yield from _summary(f"feature_data_{score.name}", score.values)
        if score.spread is not None:
            yield _value(f"feature_baseline_drift_{score.name}", score.spread.distance)
    if drift.decay is not None and drift.decay.value is not None:
        yield _value(drift.decay.metric, drift.decay.value)
    yield _value("violations", len(drift.findings))
    yield _value("severity", int(drift.severity))


def _of_column(column: ColumnDrift) -> Iterator[Json]:
    name, cells = column.known.name, column.cells
    present = column.rows - cells.missing
    yield {
        "MetricName": f"feature_non_null_{name}",
        "StatisticValues": {
            "SampleCount": float(column.rows),
            "Sum": float(present),
            "Minimum": float(present == column.rows),
            "Maximum": float(present > 0),
        },
    }
    if cells.numbers is not None and not column.known.is_moment:
        yield from _summary(f"feature_data_{name}", cells.numbers)
    if column.shown is not None:
        yield _value(f"feature_baseline_drift_{name}", column.shown.distance)


def _summary(name: str, values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Iterator[Json]:
    there = values[np.isfinite(values)]
    if len(there):
        yield {
            "MetricName": name,
            "StatisticValues": {
                "SampleCount": float(len(there)),
                "Sum": float(there.sum()),
                "Minimum": float(there.min()),
                "Maximum": float(there.max()),
            },
        }


def _value(name: str, value: float) -> Json:
    return {"MetricName": name, "Value": float(value)}
