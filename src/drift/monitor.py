"""Model Monitor's contract for a container of one's own: its environment to settings.

A schedule of CreateMonitoringSchedule starts a processing job with these variables (SageMaker
developer guide, "Container Contract Inputs"): dataset_format, dataset_source, output_path,
start_time, end_time, publish_cloudwatch_metrics, sagemaker_endpoint_name,
sagemaker_monitoring_schedule_name, and baseline_constraints, baseline_statistics where the
schedule has them. The model is what its own rows are compared with, so that it needs no baseline
job: baseline_statistics is not read.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

import orjson

from sagetree.drift.settings import DriftSettings, Limits, Publishing, TimeWindow
from sagetree.drift.times import parse_time
from sagetree.errors import DataError, SettingsError
from sagetree.machine.paths import OptMl
from sagetree.machine.program import LOG

SOURCE = "dataset_source"

# From when on, and up to when, requests count.
TIMES = ("start_time", "end_time")

_ENABLED = "Enabled"

_HINT = "Write it as Model Monitor's constraints.json has it"


def is_monitored(environ: Mapping[str, str]) -> bool:
    """Say whether Model Monitor started this process."""
    return bool(environ.get(SOURCE))


def monitor_settings(
    environ: Mapping[str, str], model: str | None, opt_ml: OptMl, labels: Path | None = None
) -> DriftSettings:
    """Return what Model Monitor says; without `model` it lies in processing/model.

    Model Monitor merges labels into the capture; a job that is like its own may have them apart.

    Raises SettingsError for a variable that is absent or wrong.
    """
    constraints = environ.get("baseline_constraints")
    publishing = None
    if environ.get("publish_cloudwatch_metrics") == _ENABLED:
        publishing = Publishing(
            environ.get("sagemaker_endpoint_name", ""),
            environ.get("sagemaker_monitoring_schedule_name", ""),
        )
    if environ.get("baseline_statistics"):
        LOG.info(
            "baseline_statistics is not read: the model stores what its training rows were like"
        )
    return DriftSettings(
        model or str(opt_ml.processing / "model"),
        (Path(_needed(environ, SOURCE)),),
        Path(_needed(environ, "output_path")),
        labels,
        window=_window(environ),
        limits=read_limits(Path(constraints)) if constraints else Limits(),
        publishing=publishing,
    )


def _window(environ: Mapping[str, str]) -> TimeWindow | None:
    """Return which requests count; a time that is not set leaves its side open."""
    start, end = (environ.get(name) for name in TIMES)
    if not (start or end):
        return None
    return TimeWindow(
        parse_time(start, TIMES[0]) if start else datetime.min.replace(tzinfo=UTC),
        parse_time(end, TIMES[1]) if end else datetime.max.replace(tzinfo=UTC),
    )


def _needed(environ: Mapping[str, str], name: str) -> str:
    value = environ.get(name)
    if not value:
        hint = "Model Monitor sets it; to compare files of your own, name them"
        raise SettingsError("the variable is not set", where=name, hint=hint)
    return value


def read_limits(path: Path) -> Limits:
    """Return what a constraints.json demands; a folder is that of one.

    Raises DataError for a file that is none.
    """
    if path.is_dir():
        path = path / "constraints.json"
    try:
        found = orjson.loads(path.read_bytes())
        config = _mapping(found.get("monitoring_config"))
        spread = _mapping(config.get("distribution_constraints"))
        completeness = {
            str(each["name"]): _share(each, "completeness", 1.0)
            for each in found.get("features") or ()
            if each.get("completeness") is not None
        }
        default = Limits()
        return Limits(
            _share(spread, "comparison_threshold", default.comparison),
            _share(config, "datatype_check_threshold", default.kinds),
            _share(config, "domain_content_threshold", default.domains),
            MappingProxyType(completeness),
            compares=spread.get("perform_comparison", _ENABLED) == _ENABLED,
            evaluates=config.get("evaluate_constraints", _ENABLED) == _ENABLED,
            emits_metrics=config.get("emit_metrics", _ENABLED) == _ENABLED,
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        problem = f"the constraints cannot be read: {type(error).__name__}: {error}"
        raise DataError(problem, where=str(path), hint=_HINT) from error


def _share(found: Mapping[str, Any], name: str, default: float) -> float:
    """Return a number from 0 to 1. Raises ValueError for another, such as a percentage."""
    share = float(found.get(name, default))
    if not 0 <= share <= 1:
        raise ValueError(f"{name} is {share:g}, and may be from 0 to 1")
    return share


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
