"""Removes what the deletion of the feature store's stack would leave: a custom resource.

The groups are made by ingestions, their columns are the tables'; deleting a group leaves its files
in the bucket and its table in Glue. With KeepData the files stay.
"""

from collections.abc import Mapping
from typing import Any

from sagetree.cloud.clients import Clients
from sagetree.cloud.names import Settings
from sagetree.cloud.removal.custom_resource import answered
from sagetree.cloud.removal.features import StoreRemoval
from sagetree.cloud.store.groups import StorePlace
from sagetree.machine.program import LOG

# What is left of the call when it answers.
MARGIN_SECONDS = 60


def handler(
    event: Mapping[str, Any], clients: Clients, settings: Settings, deadline: float
) -> dict[str, object]:
    """Answer CloudFormation, and return the answer; `deadline` is when Lambda ends the call."""
    counts: Mapping[str, int] = {}
    fault = ""
    try:
        if event["RequestType"] == "Delete":
            properties = event.get("ResourceProperties", {})
            removal = StoreRemoval(clients, StorePlace.of(settings), deadline - MARGIN_SECONDS)
            removal.run(keep_data=properties.get("KeepData") == "yes")
            counts, fault = removal.counts, removal.fault()
    except Exception as error:  # a function's outer handler: the stack waits for an answer
        LOG.exception("cleaning failed")
        fault = f"{type(error).__name__}: {error}"
    return answered(event, f"{settings.stack}-retire", counts, fault)
