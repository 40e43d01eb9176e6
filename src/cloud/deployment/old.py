"""Configs and models that nobody serves any more."""

from collections.abc import Iterator

from botocore.exceptions import ClientError

from sagetree.cloud.clients import Clients
from sagetree.cloud.deployment.endpoint import is_absent
from sagetree.cloud.names import Settings, prefix, version_in

# The one that is served, and two to go back to.
KEPT = 3


def remove_old(clients: Clients, settings: Settings, served: str) -> None:
    """Delete the stack's configs and their models, but for the served one and the newest."""
    sagemaker = clients["sagemaker"]
    others = [name for name in configs(clients, settings) if name != served]
    for name in others[KEPT - 1 :]:
        for delete, named in (
            (sagemaker.delete_endpoint_config, {"EndpointConfigName": name}),
            (sagemaker.delete_model, {"ModelName": name}),
        ):
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
            if version_in(settings.stack, name) is not None:
                yield name
