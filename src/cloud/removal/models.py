"""What deployments have made: scaling, the endpoint, configs, models, and registered packages."""

import time
from collections.abc import Callable, Iterator

from botocore.exceptions import ClientError, WaiterError

from sagetree.cloud.clients import Clients
from sagetree.cloud.deployment import endpoint, scaling
from sagetree.cloud.deployment.errors import Busy
from sagetree.cloud.names import Settings, prefix, versions_in

POLL_SECONDS = 5


def remove_scaling(clients: Clients, settings: Settings) -> int:
    """End the endpoint's scaling; return how many targets there were."""
    return scaling.deregister(clients, settings)


def remove_endpoint(clients: Clients, settings: Settings, until: float) -> int:
    """Delete the endpoint, once it may be; return how many there were. Raises Busy at the end."""
    now = endpoint.DeployedEndpoint.of(clients, settings)
    if now is None:
        return 0
    if now.is_changing and now.status != "Deleting":
        _wait_until_settled(clients, settings, until)
    endpoint.delete(clients, settings, until)
    return 1


def config_names(clients: Clients, settings: Settings) -> Iterator[str]:
    """Yield the names of the stack's configs."""
    return _named(
        clients, settings, "list_endpoint_configs", "EndpointConfigs", "EndpointConfigName"
    )


def model_names(clients: Clients, settings: Settings) -> Iterator[str]:
    """Yield the names of the stack's models."""
    return _named(clients, settings, "list_models", "Models", "ModelName")


def package_arns(clients: Clients, settings: Settings) -> Iterator[str]:
    """Yield the packages of the stack's group: it cannot be deleted before they are."""
    pages = clients["sagemaker"].get_paginator("list_model_packages")
    try:
        for page in pages.paginate(ModelPackageGroupName=settings.stack):
            for package in page["ModelPackageSummaryList"]:
                yield package["ModelPackageArn"]
    except ClientError as error:
        if not endpoint.is_absent(error):
            raise


def is_removed(delete: Callable[..., object], **named: str) -> bool:
    """Delete what is named; return False if it was not there."""
    try:
        delete(**named)
    except ClientError as error:
        if not endpoint.is_absent(error):
            raise
        return False
    return True


def _named(
    clients: Clients, settings: Settings, operation: str, listed: str, key: str
) -> Iterator[str]:
    pages = clients["sagemaker"].get_paginator(operation)
    for page in pages.paginate(NameContains=prefix(settings.stack)):
        for entry in page[listed]:
            if versions_in(settings.stack, entry[key]) is not None:
                yield entry[key]


def _wait_until_settled(clients: Clients, settings: Settings, until: float) -> None:
    attempts = max(1, int((until - time.time()) // POLL_SECONDS))
    try:
        clients["sagemaker"].get_waiter("endpoint_in_service").wait(
            EndpointName=settings.stack,
            WaiterConfig={"Delay": POLL_SECONDS, "MaxAttempts": attempts},
        )
    except WaiterError as error:
        if "Max attempts" in str(error):
            raise Busy(f"the endpoint {settings.stack} is still being changed") from error
