"""A package that is checked, to the endpoint: made, replaced, updated, or there already."""

from typing import Any

from botocore.exceptions import ClientError

from sagetree.cloud.clients import Clients
from sagetree.cloud.deployment import endpoint, scaling
from sagetree.cloud.deployment.endpoint import DeployedEndpoint
from sagetree.cloud.deployment.errors import Refused
from sagetree.cloud.deployment.package import Package
from sagetree.cloud.deployment.parameters import (
    COLUMNS,
    DEPLOYED_PACKAGE,
    TOLD,
    WANTED_CONFIG,
    Parameters,
)
from sagetree.cloud.deployment.requests import (
    config_request,
    kind_of,
    model_request,
    name_for,
    update_request,
)
from sagetree.cloud.names import NONE, Settings

Answer = dict[str, str]


def answer(settings: Settings, action: str, config: str, reason: str = "") -> Answer:
    """Return what deploy answers."""
    told = {"endpoint": settings.stack, "action": action, "config": config}
    return {**told, "reason": reason} if reason else told


def roll_out(
    clients: Clients,
    settings: Settings,
    parameters: Parameters,
    package: Package,
    deadline: float,
) -> Answer:
    """Let the stack serve a package; what is so already stays as it is.

    Raises Refused for a model that nobody could ask, Busy where an endpoint that must go first is
    not gone by the deadline.
    """
    if settings.endpoint_kind == "lambda":
        return _inside(clients, settings, parameters, package)
    name = name_for(settings, package)
    now = DeployedEndpoint.of(clients, settings)
    if now is not None and now.status == "Deleting":
        endpoint.wait_until_gone(clients, settings, deadline)
        now = None
    if now is not None and now.is_changing:
        reason = f"the endpoint is {now.status}"
        if name not in (now.coming, parameters.get(WANTED_CONFIG)):
            return answer(settings, "waiting", name, reason)
        parameters.put(WANTED_CONFIG, name)  # which a call that was cut off could not
        return answer(settings, "unchanged", name, reason)
    if now is not None and now.status == "InService" and now.config == name:
        parameters.put(WANTED_CONFIG, name)
        return answer(settings, "unchanged", name)
    package.columns(clients)  # a model that cannot be asked must not replace one that can
    try:
        action = _change(clients, settings, package, now, deadline)
    except ClientError as error:
        if endpoint.is_busy(error) or endpoint.is_there(error):
            return answer(settings, "waiting", name, "the endpoint is being changed")
        if error.response["Error"]["Code"] != "ResourceLimitExceeded":
            raise
        hint = "Ask for more in Service Quotas, or choose another EndpointInstanceType"
        raise Refused(error.response["Error"]["Message"], where=package.arn, hint=hint) from error
    parameters.put(WANTED_CONFIG, name)
    parameters.put(TOLD, NONE)
    return answer(settings, action, name)


def _change(
    clients: Clients,
    settings: Settings,
    package: Package,
    now: DeployedEndpoint | None,
    deadline: float,
) -> str:
    sagemaker = clients["sagemaker"]
    name = name_for(settings, package)
    _once(sagemaker.create_model, **model_request(settings, package, name))
    _once(sagemaker.create_endpoint_config, **config_request(settings, name))
    old = _config(clients, now.config) if now is not None and now.config else None
    if now is not None and (
        now.status == "Failed" or (old and kind_of(old) != settings.endpoint_kind)
    ):
        endpoint.delete(clients, settings, deadline)
        now = None
    if now is None:
        sagemaker.create_endpoint(EndpointName=settings.stack, EndpointConfigName=name)
        return "created"
    if old is None or old["ProductionVariants"][0].get("InstanceType") != _type(settings):
        # refused while another type of instance is scaled; settle registers it again
        scaling.deregister(clients, settings)
    sagemaker.update_endpoint(**update_request(settings, name, now.instances))
    return "updated"


def _inside(
    clients: Clients, settings: Settings, parameters: Parameters, package: Package
) -> Answer:
    before = parameters.get(DEPLOYED_PACKAGE)
    if before != package.arn:
        parameters.put(COLUMNS, package.columns(clients))
        parameters.put(DEPLOYED_PACKAGE, package.arn)
        parameters.put(TOLD, NONE)
    parameters.put(WANTED_CONFIG, NONE)  # of before, when the stack had an endpoint
    action = {NONE: "created", package.arn: "unchanged"}.get(before, "updated")
    return answer(settings, action, NONE)


def _config(clients: Clients, name: str) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = clients["sagemaker"].describe_endpoint_config(
            EndpointConfigName=name
        )
    except ClientError as error:
        if endpoint.is_absent(error):
            return None
        raise
    return found


def _type(settings: Settings) -> str | None:
    return None if settings.endpoint_kind == "serverless" else settings.instance_type


def _once(create: Any, **request: object) -> None:  # noqa: ANN401 - a client's method
    try:
        create(**request)
    except ClientError as error:
        if not endpoint.is_there(error):
            raise
