"""Jobs that are on their way: they would write into a bucket that is gone, and cost until then."""

from typing import NamedTuple

from sagetree.cloud.clients import Clients
from sagetree.cloud.names import JobKind, Settings, is_job_of, prefix
from sagetree.cloud.removal.stopping import stop_all

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

    def __str__(self) -> str:
        return self.name


def stop_jobs(clients: Clients, settings: Settings, until: float) -> int:
    """Stop looks for drift and batch jobs, and wait until they have ended; return how many.

    Raises Busy for one that has not ended by `until`, a time in seconds since 1970.
    """
    return stop_all(
        lambda: _running(clients, settings),
        lambda job: getattr(clients["sagemaker"], f"stop_{job.service}_job")(**job.named),
        until,
    )


def _running(clients: Clients, settings: Settings) -> dict[RunningJob, bool]:
    """Return each job that has not ended, and whether it is not being stopped."""
    found = {}
    for kind, service in _KINDS.items():
        pages = clients["sagemaker"].get_paginator(f"list_{service}_jobs")
        named, noun = f"{prefix(settings.stack)}{kind}-", f"{service.title()}Job"
        for status in (_AT_WORK, "Stopping"):  # those that have ended may be thousands
            for page in pages.paginate(NameContains=named, StatusEquals=status):
                for name in (job[f"{noun}Name"] for job in page[f"{noun}Summaries"]):
                    if is_job_of(settings.stack, kind, name):
                        found[RunningJob(service, name)] = status == _AT_WORK
    return found
