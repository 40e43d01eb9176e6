"""Jobs that are on their way: they would write into a bucket that is gone, and cost until then."""

import time
from typing import NamedTuple

from botocore.exceptions import ClientError

from sagetree.cloud.clients import Clients
from sagetree.cloud.deployment.errors import Busy
from sagetree.cloud.names import JobKind, Settings, is_job_of, prefix

# A job that is stopped has two minutes to end.
POLL_SECONDS = 5

_AT_WORK = "InProgress"

_KINDS: dict[JobKind, str] = {"drift": "processing", "batch": "transform"}


class RunningJob(NamedTuple):
    """A job that has not ended: `service` is SageMaker's word for what it is."""

    service: str
    name: str

    @property
    def named(self) -> dict[str, str]:
        """What names it in a request."""
        return {f"{self.service.title()}JobName": self.name}


def stop_jobs(clients: Clients, settings: Settings, until: float) -> int:
    """Stop looks for drift and batch jobs, and wait until they have ended; return how many.

    Raises Busy for one that has not ended by `until`, a time in seconds since 1970.
    """
    running = _running(clients, settings)
    refusals: dict[RunningJob, ClientError] = {}
    for job, status in running.items():
        if status == _AT_WORK:
            try:
                getattr(clients["sagemaker"], f"stop_{job.service}_job")(**job.named)
            except ClientError as error:  # it may have ended by itself meanwhile
                refusals[job] = error
    left = running
    while left:
        left = _running(clients, settings)
        for job, status in left.items():
            if status == _AT_WORK and job in refusals:
                raise refusals[job]
        if left and time.time() + POLL_SECONDS > until:
            raise Busy(f"{', '.join(sorted(job.name for job in left))} is still being stopped")
        if left:
            time.sleep(POLL_SECONDS)
    return len(running)


def _running(clients: Clients, settings: Settings) -> dict[RunningJob, str]:
    """Return the status of each job that has not ended."""
    found = {}
    for kind, service in _KINDS.items():
        pages = clients["sagemaker"].get_paginator(f"list_{service}_jobs")
        named, noun = f"{prefix(settings.stack)}{kind}-", f"{service.title()}Job"
        for status in (_AT_WORK, "Stopping"):  # those that have ended may be thousands
            for page in pages.paginate(NameContains=named, StatusEquals=status):
                for name in (job[f"{noun}Name"] for job in page[f"{noun}Summaries"]):
                    if is_job_of(settings.stack, kind, name):
                        found[RunningJob(service, name)] = status
    return found
