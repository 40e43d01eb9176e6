"""The stack's endpoint as SageMaker describes it, and its end."""

import time
from collections.abc import Mapping
from typing import Any, NamedTuple, Self

from botocore.exceptions import ClientError, WaiterError

from sagetree.cloud.clients import Clients
from sagetree.cloud.deployment.errors import Busy
from sagetree.cloud.deployment.scaling import deregister
from sagetree.cloud.names import Settings

# While the endpoint is in one of these, SageMaker refuses to change it.
CHANGING = frozenset(("Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting"))

POLL_SECONDS = 5

# What is left of the call when it stops waiting.
MARGIN_SECONDS = 20


class DeployedEndpoint(NamedTuple):
    """The endpoint: its status, its instances, the config it serves, and the one to come.

    `weights` are those of its variants, by their names.
    """

    status: str
    config: str
    coming: str
    reason: str
    instances: int
    weights: Mapping[str, float]

    @classmethod
    def of(cls, clients: Clients, settings: Settings) -> Self | None:
        """Return the stack's endpoint, None where there is none."""
        try:
            told = clients["sagemaker"].describe_endpoint(EndpointName=settings.stack)
        except ClientError as error:
            if is_absent(error):
                return None
            raise
        variants = told.get("ProductionVariants") or [{}]
        instances = variants[0].get("DesiredInstanceCount", 0)
        weights = {v["VariantName"]: v.get("CurrentWeight", 0.0) for v in filter(None, variants)}
        # SageMaker need not tell the config of an endpoint that is being made
        status, config = told["EndpointStatus"], told.get("EndpointConfigName", "")
        pending = told.get("PendingDeploymentSummary", {}).get("EndpointConfigName", "")
        coming = pending or (config if status == "Creating" else "")
        return cls(status, config, coming, told.get("FailureReason", ""), instances, weights)

    @property
    def is_changing(self) -> bool:
        """Whether SageMaker is at work on it."""
        return self.status in CHANGING


def delete(clients: Clients, settings: Settings, deadline: float) -> None:
    """Delete the endpoint and wait until it is gone.

    Raises Busy if it is not by the deadline, or cannot be deleted while it is being changed.
    """
    deregister(clients, settings)
    try:
        clients["sagemaker"].delete_endpoint(EndpointName=settings.stack)
    except ClientError as error:
        if is_busy(error):
            now = DeployedEndpoint.of(clients, settings)
            if now is not None and now.status != "Deleting":
                raise Busy(f"the endpoint {settings.stack} is {now.status}") from error
        elif not is_absent(error):
            raise
    wait_until_gone(clients, settings, deadline)


def wait_until_gone(clients: Clients, settings: Settings, deadline: float) -> None:
    """Wait until the endpoint, which is being deleted, is gone. Raises Busy at the deadline."""
    left = deadline - MARGIN_SECONDS - time.time()
    attempts = max(1, int(left // POLL_SECONDS))
    try:
        clients["sagemaker"].get_waiter("endpoint_deleted").wait(
            EndpointName=settings.stack,
            WaiterConfig={"Delay": POLL_SECONDS, "MaxAttempts": attempts},
        )
    except WaiterError as error:
        raise Busy(f"the endpoint {settings.stack} is still being deleted") from error


def is_absent(error: ClientError) -> bool:
    """Say whether an error of SageMaker's means that there is no such thing."""
    return _says(error, "could not find", "does not exist", "not found")


def is_there(error: ClientError) -> bool:
    """Say whether an error of SageMaker's means that there is such a thing already."""
    return _says(error, "already exist")


def is_busy(error: ClientError) -> bool:
    """Say whether an error of SageMaker's means that the endpoint is being changed."""
    return _says(error, "in-progress", "in progress")


def _says(error: ClientError, *words: str) -> bool:
    # SageMaker has one code for every fault of a request, so its words decide.
    told: dict[str, Any] = error.response["Error"]
    message = told.get("Message", "").lower()
    return told["Code"] in ("ValidationException", "ResourceNotFound", "ResourceInUse") and any(
        word in message for word in words
    )
