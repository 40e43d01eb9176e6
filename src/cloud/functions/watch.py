"""Looks for drift: starts a job on what was captured lately, and tells of what it found.

An event of the schedule, or {"days": 30}, starts a job; an event of a job that has ended tells.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sagetree.cloud.clients import Clients
from sagetree.cloud.deployment.errors import Refused
from sagetree.cloud.deployment.notices import tell
from sagetree.cloud.deployment.package import Package
from sagetree.cloud.deployment.parameters import DEPLOYED_PACKAGE, Parameters
from sagetree.cloud.names import NONE, Settings, is_job_of, job_name
from sagetree.cloud.watching.findings import findings, told, told_of_failure
from sagetree.cloud.watching.job import job_request, results
from sagetree.cloud.watching.window import CaptureWindow, captured, has_outcomes, manifest
from sagetree.errors import quote
from sagetree.machine.program import LOG

Answer = dict[str, object]

_ENDED = ("Completed", "Failed")

# A capture is kept for a year.
_MOST_DAYS = 365


def handler(
    event: Mapping[str, Any], clients: Clients, settings: Settings, _deadline: float
) -> Answer:
    """Start a job, or tell of one that has ended.

    Raises Refused for a number of days that cannot be.
    """
    settings.need("job_role_arn", "image_uri", "topic_arn")
    detail = event.get("detail", {})
    if "ProcessingJobName" in detail:
        return _tell(detail, clients, settings)
    return _start(_days(event, settings), clients, settings, datetime.now(UTC))


def _days(event: Mapping[str, Any], settings: Settings) -> int:
    days = event.get("days", settings.drift_days)
    if isinstance(days, bool) or not isinstance(days, int) or not 1 <= days <= _MOST_DAYS:
        raise Refused(f"days: {quote(days)} is not a whole number from 1 to {_MOST_DAYS}")
    return days


def _start(days: int, clients: Clients, settings: Settings, now: datetime) -> Answer:
    arn = Parameters(clients, settings).get(DEPLOYED_PACKAGE)
    if arn == NONE:
        return {"action": "none", "reason": "no model has been deployed yet"}
    window = CaptureWindow.of_days(days, now)
    keys, sampled = captured(clients, settings.bucket, window)
    if not keys:
        return {"action": "none", "reason": f"nothing was captured in the last {days} days"}
    name = job_name(settings.stack, "drift", now)
    clients["s3"].put_object(
        Bucket=settings.bucket,
        Key=f"{results(name)}/manifest.json",
        Body=manifest(settings.bucket, keys),
    )
    model = Package.of(clients, settings, arn).model_data
    outcomes = has_outcomes(clients, settings.bucket)
    clients["sagemaker"].create_processing_job(
        **job_request(settings, name, model, window, outcomes=outcomes)
    )
    if sampled:
        LOG.warning("%s reads %d captures, the first of each hour: there are more", name, len(keys))
    started = {"action": "started", "job": name, "objects": len(keys), "outcomes": outcomes}
    return {**started, "sampled": sampled}


def _tell(detail: Mapping[str, Any], clients: Clients, settings: Settings) -> Answer:
    name, status = str(detail["ProcessingJobName"]), detail.get("ProcessingJobStatus")
    if not is_job_of(settings.stack, "drift", name) or status not in _ENDED:
        return {"action": "none", "job": name}
    found = findings(clients, settings, name)
    if status == "Failed" or found is None:
        subject, message = told_of_failure(detail)
    elif not found:
        return {"action": "none", "job": name, "findings": 0}
    else:
        subject, message = told(settings, name, found)
    tell(clients, settings, Parameters(clients, settings), subject, message)
    return {"action": "told", "job": name, "findings": len(found or ())}
