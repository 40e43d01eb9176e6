"""Removes what the deletion of the stack would leave: a custom resource of CloudFormation.

It also stops the creation of a stack that could not work under its name, and removes the endpoint
when the stack's update says that its models are to be inside Lambda.

The endpoint, its configs and models are made by deployments, packages by the pipeline, objects by
its jobs: the stack knows none of them, and cannot delete its group of packages before they are
gone. The bucket goes with its objects, for CloudFormation would leave it. Executions of the
pipeline that are on their way are stopped first, for they would make more, and so are looks for
drift and batch jobs. What could not be removed is named in the reason, and the stack's deletion
fails with it; deleted again, it goes on where this ended.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from sagetree.cloud.clients import Clients
from sagetree.cloud.names import Settings, fault_of_stack
from sagetree.cloud.removal import models
from sagetree.cloud.removal.bucket import empty, remove_bucket
from sagetree.cloud.removal.custom_resource import answered
from sagetree.cloud.removal.executions import stop_executions
from sagetree.cloud.removal.jobs import stop_jobs
from sagetree.errors import SagetreeError
from sagetree.machine.program import LOG

# What is left of the call when it answers: the answer itself, and one more page of objects.
MARGIN_SECONDS = 60

# What goes wrong with one of them leaves the others to be removed.
FAULTS = (BotoCoreError, ClientError, SagetreeError)


def handler(
    event: Mapping[str, Any], clients: Clients, settings: Settings, deadline: float
) -> dict[str, object]:
    """Answer CloudFormation, and return the answer; `deadline` is when Lambda ends the call."""
    removal = Removal(clients, settings, deadline - MARGIN_SECONDS)
    fault = ""
    try:
        settings.need("endpoint_kind")
        if event["RequestType"] == "Create":
            fault = fault_of_stack(settings.stack)
        elif event["RequestType"] == "Delete":
            properties = event.get("ResourceProperties", {})
            removal.run(keep_data=properties.get("KeepData") == "yes")
            fault = removal.fault("Delete")
        elif settings.endpoint_kind == "lambda":
            removal.run_endpoint()
            fault = removal.fault("Update")
    except Exception as error:  # a function's outer handler: the stack waits for an answer
        LOG.exception("cleaning failed")
        fault = f"{type(error).__name__}: {error}"
    return answered(event, f"{settings.stack}-clean", removal.counts, fault)


class Removal:
    """One clean-up: how many things of each kind are gone, and what is left."""

    def __init__(self, clients: Clients, settings: Settings, until: float) -> None:
        self._clients = clients
        self._settings = settings
        self._until = until
        self._left: list[str] = []
        self.counts: dict[str, int] = {}

    def run(self, *, keep_data: bool) -> None:
        """Remove everything, each kind after what uses it."""
        clients, settings = self._clients, self._settings
        sagemaker = clients["sagemaker"]
        self._one("executions", lambda: stop_executions(clients, settings, self._until))
        self._one("jobs", lambda: stop_jobs(clients, settings, self._until))
        if self.run_endpoint():
            self._remove_served()
        else:
            self._left.append("configs and models: the endpoint uses them")
        self._each(
            "packages",
            models.package_arns(clients, settings),
            lambda arn: models.is_removed(sagemaker.delete_model_package, ModelPackageName=arn),
        )
        if not keep_data:
            emptied = empty(clients["s3"], settings.bucket, self._until)
            self.counts["objects"] = emptied.removed
            self._left += emptied.left
            if not emptied.left:
                self._one("bucket", lambda: remove_bucket(clients["s3"], settings.bucket))

    def run_endpoint(self) -> bool:
        """Remove the endpoint and its scaling; return whether it is gone."""
        clients, settings = self._clients, self._settings
        self._one("scaling", lambda: models.remove_scaling(clients, settings))
        return self._one("endpoint", lambda: models.remove_endpoint(clients, settings, self._until))

    def _remove_served(self) -> None:
        clients, settings = self._clients, self._settings
        sagemaker = clients["sagemaker"]
        self._each(
            "configs",
            models.config_names(clients, settings),
            lambda name: models.is_removed(
                sagemaker.delete_endpoint_config, EndpointConfigName=name
            ),
        )
        self._each(
            "models",
            models.model_names(clients, settings),
            lambda name: models.is_removed(sagemaker.delete_model, ModelName=name),
        )

    def fault(self, request: str) -> str:
        """Return what could not be removed and how to go on, "" if nothing is left."""
        if not self._left:
            return ""
        gone = ", ".join(f"{count} {kind}" for kind, count in self.counts.items() if count)
        more = f" (and {len(self._left) - 5} more)" if len(self._left) > 5 else ""
        return (
            f"Not removed: {'; '.join(self._left[:5])}{more}. Removed: {gone or 'nothing'}."
            f" {request} the stack again to go on"
        )

    def _one(self, kind: str, remove: Callable[[], int]) -> bool:
        self.counts[kind] = 0
        try:
            self.counts[kind] = remove()
        except FAULTS as error:
            self._left.append(f"{kind}: {error}")
            return False
        return True

    def _each(self, kind: str, names: Iterable[str], remove: Callable[[str], bool]) -> None:
        self.counts[kind] = 0
        try:
            found = list(names)
        except FAULTS as error:
            self._left.append(f"{kind}: {error}")
            return
        for name in found:
            if time.time() >= self._until:
                self._left.append(f"more {kind}: the time was over")
                return
            try:
                self.counts[kind] += remove(name)
            except FAULTS as error:
                self._left.append(f"{name}: {error}")
