"""A package that is checked, to the endpoint: made, replaced, updated, or there already."""

from typing import Any

from botocore.exceptions import ClientError

from sagetree.cloud.clients import Clients
from sagetree.cloud.deployment import endpoint, scaling
from sagetree.cloud.deployment.challenger import Challenger, challenger_of
from sagetree.cloud.deployment.endpoint import DeployedEndpoint
from sagetree.cloud.deployment.errors import Refused
from sagetree.cloud.deployment.history import note_served
from sagetree.cloud.deployment.old import models_of
from sagetree.cloud.deployment.package import Package
from sagetree.cloud.deployment.parameters import (
    COLUMNS,
    DEPLOYED_PACKAGE,
    TOLD,
    WANTED_CONFIG,
    DeployCall,
)
from sagetree.cloud.deployment.requests import (
    BESIDE,
    beside_in,
    config_request,
    kind_of,
    model_request,
    name_for,
    pair_request,
    update_request,
)
from sagetree.cloud.deployment.weights import weigh
from sagetree.cloud.names import NONE, Settings, Versions, versions_in

Answer = dict[str, str]


def answer(settings: Settings, action: str, config: str, reason: str = "") -> Answer:
    """Return what deploy answers."""
    told = {"endpoint": settings.stack, "action": action, "config": config}
    return {**told, "reason": reason} if reason else told


def roll_out(work: DeployCall, package: Package) -> Answer:
    """Let the stack serve a package; what is so already stays as it is.

    Raises Refused for a model that nobody could ask, Busy where an endpoint that must go first is
    not gone by the deadline.
    """
    if work.settings.endpoint_kind == "lambda":
        return _inside(work, package)
    challenger = challenger_of(work, package.arn)
    name = name_for(work.settings, package, challenger)
    now = DeployedEndpoint.of(work.clients, work.settings)
    if now is not None and now.status == "Deleting":
        endpoint.wait_until_gone(work.clients, work.settings, work.deadline)
        now = None
    if now is not None and now.is_changing:
        reason = f"the endpoint is {now.status}"
        if name not in (now.coming, work.parameters.get(WANTED_CONFIG)):
            return answer(work.settings, "waiting", name, reason)
        work.parameters.put(WANTED_CONFIG, name)  # which a call that was cut off could not
        return answer(work.settings, "unchanged", name, reason)
    if now is not None and now.status == "InService" and now.config == name:
        work.parameters.put(WANTED_CONFIG, name)
        weighed = weigh(work, now, challenger)
        return answer(work.settings, "updated" if weighed == "asked" else "unchanged", name)
    package.columns(work.clients)  # a model that cannot be asked must not replace one that can
    reason = ""
    try:
        if now is not None and (alone := _champion_alone(work, now, name)):
            name, action, reason = alone, "updated", "the challenger goes first"
            _update(work.clients, work.settings, now, alone)
        else:
            action = _change(work, package, challenger, now)
    except ClientError as error:
        if endpoint.is_busy(error) or endpoint.is_there(error):
            return answer(work.settings, "waiting", name, "the endpoint is being changed")
        if error.response["Error"]["Code"] != "ResourceLimitExceeded":
            raise
        hint = "Ask for more in Service Quotas, or choose another EndpointInstanceType"
        raise Refused(error.response["Error"]["Message"], where=package.arn, hint=hint) from error
    work.parameters.put(WANTED_CONFIG, name)
    work.parameters.put(TOLD, NONE)
    if challenger is not None and challenger.note.is_asked:  # of the config before
        challenger.note.mark(work.parameters, is_asked=False)
    return answer(work.settings, action, name, reason)


def _champion_alone(work: DeployCall, now: DeployedEndpoint, name: str) -> str:
    """Return the config that the endpoint is to serve before it serves `name`, "" for none.

    Another champion is shifted to step by step while alarms watch, and SageMaker does so between
    variants of the same names alone: the challenger goes first. Where that has failed, all goes at
    once.
    """
    served, coming = (versions_in(work.settings.stack, config) for config in (now.config, name))
    if served is None or coming is None or now.status != "InService":
        return ""
    if served.challenger is None or served.champion == coming.champion:
        return ""
    champion = Versions(served.champion)
    models = (
        models_of(work.clients, now.config) if work.settings.endpoint_kind == "instance" else ()
    )
    alone = next(
        (model for model in models if versions_in(work.settings.stack, model) == champion), ""
    )
    is_there = bool(alone) and _config(work.clients, alone) is not None
    return alone if is_there and work.parameters.get(WANTED_CONFIG) != alone else ""


def _change(
    work: DeployCall, package: Package, challenger: Challenger | None, now: DeployedEndpoint | None
) -> str:
    clients, settings = work.clients, work.settings
    name = name_for(settings, package, challenger)
    _make(clients, settings, package, challenger, name)
    old = _config(clients, now.config) if now is not None and now.config else None
    if now is not None and (
        now.status == "Failed" or (old and kind_of(old) != settings.endpoint_kind)
    ):
        endpoint.delete(clients, settings, work.deadline)
        now = None
    if now is None:
        clients["sagemaker"].create_endpoint(EndpointName=settings.stack, EndpointConfigName=name)
        return "created"
    if old is None or old["ProductionVariants"][0].get("InstanceType") != _type(settings):
        # refused while another type of instance is scaled; settle registers it again
        scaling.deregister(clients, settings)
    _update(clients, settings, now, name)
    return "updated"


def _make(
    clients: Clients, settings: Settings, package: Package, challenger: Challenger | None, name: str
) -> None:
    sagemaker = clients["sagemaker"]
    served = [package] if challenger is None else [package, challenger.package]
    models = [name_for(settings, one) for one in served]
    for one, model in zip(served, models, strict=True):
        _once(sagemaker.create_model, **model_request(settings, one, model))
    config = config_request(settings, name, models[0])
    if challenger is not None:
        pair = (models[0], models[1])
        config = pair_request(settings, name, pair, is_shadow=challenger.is_shadow)
    _once(sagemaker.create_endpoint_config, **config)


def _update(clients: Clients, settings: Settings, now: DeployedEndpoint, name: str) -> None:
    before, after = (beside_in(settings, config) for config in (now.config, name))
    if before == "challenger" and after != before:
        scaling.deregister(clients, settings, BESIDE)  # or the variant could not be removed
    request = update_request(settings, name, now.config, now.instances)
    clients["sagemaker"].update_endpoint(**request)


def _inside(work: DeployCall, package: Package) -> Answer:
    before = work.parameters.get(DEPLOYED_PACKAGE)
    if before != package.arn:
        work.parameters.put(COLUMNS, package.columns(work.clients))
        work.parameters.put(DEPLOYED_PACKAGE, package.arn)
        work.parameters.put(TOLD, NONE)
    note_served(work.parameters, package.arn, before)  # also what a call that was cut off could not
    work.parameters.put(WANTED_CONFIG, NONE)  # of before, when the stack had an endpoint
    action = {NONE: "created", package.arn: "unchanged"}.get(before, "updated")
    return answer(work.settings, action, NONE)


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
