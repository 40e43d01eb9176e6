"""Configs and models that nobody serves any more."""

from collections.abc import Callable, Iterator

from botocore.exceptions import ClientError

from sagetree.cloud.clients import Clients
from sagetree.cloud.deployment.endpoint import is_absent
from sagetree.cloud.names import Settings, prefix, versions_in

# The one that is served, and two to go back to.
KEPT = 3


def remove_old(clients: Clients, settings: Settings, served: str) -> None:
    """Delete the stack's configs and their models, but for the served one and the newest.

    The config of the champion alone stays, too, while he has a challenger.
    """
    needed = {served, *models_of(clients, served)}
    others = [name for name in configs(clients, settings) if name not in needed]
    kept, old = others[: KEPT - 1], others[KEPT - 1 :]
    if not old:
        return
    sagemaker = clients["sagemaker"]
    used = needed.union(*(models_of(clients, name) for name in kept))
    for name in old:
        unused = models_of(clients, name) - used
        _remove(sagemaker.delete_endpoint_config, EndpointConfigName=name)
        for model in unused:
            _remove(sagemaker.delete_model, ModelName=model)


def models_of(clients: Clients, config: str) -> set[str]:
    """Return the names of a config's models, none where it is gone."""
    try:
        told = clients["sagemaker"].describe_endpoint_config(EndpointConfigName=config)
    except ClientError as error:
        if is_absent(error):
            return set()
        raise
    variants = [*told["ProductionVariants"], *told.get("ShadowProductionVariants", ())]
    return {variant["ModelName"] for variant in variants}


def _remove(delete: Callable[..., object], **named: str) -> None:
    try:
        delete(**named)
    except ClientError as error:
        if not is_absent(error):
            raise


def configs(clients: Clients, settings: Settings) -> Iterator[str]:
    """Yield the names of the stack's configs, the newest first."""
    pages = (
        clients["sagemaker"]
        .get_paginator("list_endpoint_configs")
        .paginate(
            NameContains=prefix(settings.stack), SortBy="CreationTime", SortOrder="Descending"
        )
    )
    for page in pages:
        for config in page["EndpointConfigs"]:
            name = config["EndpointConfigName"]
            if versions_in(settings.stack, name) is not None:
                yield name
