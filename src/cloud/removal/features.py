"""Feature groups, their tables in Glue and their files: no stack knows them."""

import time
from collections.abc import Callable

from botocore.exceptions import BotoCoreError, ClientError

from sagetree.cloud.clients import Clients
from sagetree.cloud.deployment.errors import Busy
from sagetree.cloud.removal.bucket import empty
from sagetree.cloud.store.groups import FOLDER, FeatureGroup, StorePlace, groups_of

POLL_SECONDS = 2

_FAULTS = (BotoCoreError, ClientError, Busy)


class StoreRemoval:
    """One clean-up: how many things of each kind are gone, and what is left."""

    def __init__(self, clients: Clients, place: StorePlace, until: float) -> None:
        self._clients = clients
        self._place = place
        self._until = until
        self._left: list[str] = []
        self.counts: dict[str, int] = {}

    def run(self, *, keep_data: bool) -> None:
        """Remove the groups, then their tables, and then their files unless these are kept."""
        self._one("groups", self._remove_groups)
        self._one("tables", self._remove_tables)
        if not keep_data:
            emptied = empty(
                self._clients["s3"], self._place.bucket, self._until, prefix=f"{FOLDER}/"
            )
            self.counts["objects"] = emptied.removed
            self._left += emptied.left

    def fault(self) -> str:
        """Return what could not be removed and how to go on, "" if nothing is left."""
        if not self._left:
            return ""
        return f"Not removed: {'; '.join(self._left)}. Delete the stack again to go on"

    def _one(self, kind: str, remove: Callable[[], int]) -> None:
        self.counts[kind] = 0
        try:
            self.counts[kind] = remove()
        except _FAULTS as error:
            self._left.append(f"{kind}: {error}")

    def _remove_groups(self) -> int:
        """Delete the groups and wait until they are gone. Raises Busy at the end of the time."""
        groups = [group.name for group in groups_of(self._clients, self._place)]
        begun = [name for name in groups if self._begin(name)]
        return sum(self._ended(name) for name in begun)

    def _begin(self, name: str) -> bool:
        """Ask for a group's deletion, once it is made; return whether it is under way."""
        while (group := FeatureGroup.of(self._clients, name)) and group.status == "Creating":
            self._wait(f"{name} is still being made")
        try:
            if group and group.status != "Deleting":
                self._clients["sagemaker"].delete_feature_group(FeatureGroupName=name)
        except ClientError as error:
            self._left.append(f"group {name}: {error}")
            return False
        return True

    def _ended(self, name: str) -> bool:
        """Wait for the end of a group's deletion, and return whether it is gone."""
        while group := FeatureGroup.of(self._clients, name):
            if group.status == "DeleteFailed":
                self._left.append(f"group {name} is DeleteFailed: {group.reason or 'no reason'}")
                return False
            self._wait(f"{name} is still being deleted")
        return True

    def _wait(self, what: str) -> None:
        if time.time() + POLL_SECONDS > self._until:
            raise Busy(what)
        time.sleep(POLL_SECONDS)

    def _remove_tables(self) -> int:
        glue, database = self._clients["glue"], self._place.database
        try:
            pages = list(glue.get_paginator("get_tables").paginate(DatabaseName=database))
        except ClientError as error:
            if error.response["Error"]["Code"] != "EntityNotFoundException":
                raise
            return 0
        names = [table["Name"] for page in pages for table in page["TableList"]]
        for name in names:
            glue.delete_table(DatabaseName=database, Name=name)
        return len(names)
