"""What a job found, as a person reads it."""

import json
from collections.abc import Mapping
from typing import NamedTuple

from botocore.exceptions import ClientError

from sagetree.cloud.clients import Clients
from sagetree.cloud.names import Settings
from sagetree.cloud.watching.job import results

# At most this many are listed; the report has all of them.
_TOLD = 20


class DriftFinding(NamedTuple):
    """What has changed in a column, in the words of the report."""

    column: str
    what: str


def findings(clients: Clients, settings: Settings, job: str) -> list[DriftFinding] | None:
    """Return what a job found, None where it has left no file."""
    key = f"{results(job)}/constraint_violations.json"
    try:
        body = clients["s3"].get_object(Bucket=settings.bucket, Key=key)["Body"].read()
    except ClientError as error:
        if error.response["Error"]["Code"] in ("NoSuchKey", "AccessDenied"):
            return None
        raise
    return [
        DriftFinding(str(found["feature_name"]), str(found["description"]))
        for found in json.loads(body)["violations"]
    ]


def told(settings: Settings, job: str, found: list[DriftFinding]) -> tuple[str, str]:
    """Return the subject and the message of an alert."""
    lines = [f"{finding.column}: {finding.what}" for finding in found[:_TOLD]]
    if len(found) > _TOLD:
        lines.append(f"... {len(found)} in all")
    report = f"s3://{settings.bucket}/{results(job)}/report.html"
    subject = f"drift: {len(found)} finding{'s' if len(found) > 1 else ''}"
    return subject, "\n".join([*lines, f"The report: {report}"])


def told_of_failure(detail: Mapping[str, object]) -> tuple[str, str]:
    """Return the subject and the message where a job has failed."""
    reason = str(detail.get("FailureReason") or "no reason is given")
    hint = "The job's own log is /aws/sagemaker/ProcessingJobs in CloudWatch."
    job = detail.get("ProcessingJobName")
    return "the check for drift failed", f"{job} has failed: {reason}\n{hint}"
