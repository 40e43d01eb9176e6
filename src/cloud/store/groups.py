"""A feature group of the stack: how it is called, which columns it has, and how it is made.

There is a group for each table, STACK-TABLE. Its offline store lies in the stack's bucket, which
is what tells it from a group of another stack whose name begins alike.
"""

import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from botocore.exceptions import ClientError

from sagetree.cloud.clients import Clients
from sagetree.cloud.names import Settings, prefix
from sagetree.errors import PlatformError, UserError, quote, quote_all

FeatureType = Literal["Integral", "Fractional", "String"]

# Where in the bucket the offline stores lie.
FOLDER = "store"

# The columns that the offline store adds to a group's own.
RESERVED = frozenset({"is_deleted", "write_time", "api_invocation_time"})

# What Feature Store takes for the name of a group and of a feature.
_NAME = re.compile(r"[a-zA-Z0-9]([-_]*[a-zA-Z0-9]){0,63}")
_NAME_LENGTH = 64
_MOST_FEATURES = 2500

_POLL_SECONDS = 2.0
_WAIT_SECONDS = 600.0


@dataclass(frozen=True)
class StorePlace:
    """Where a stack's groups are made: the bucket, Glue's database, who writes there."""

    stack: str
    bucket: str
    role_arn: str
    database: str
    kms_key_arn: str = ""

    @classmethod
    def of(cls, settings: Settings) -> "StorePlace":
        """Return the place that a function's settings name."""
        settings.need("store_role_arn", "store_database")
        return cls(
            settings.stack,
            settings.bucket,
            settings.store_role_arn,
            settings.store_database,
            settings.kms_key_arn,
        )

    @property
    def uri(self) -> str:
        """The address below which all offline stores lie."""
        return f"s3://{self.bucket}/{FOLDER}/"


@dataclass(frozen=True)
class FeatureGroup:
    """A group and its features, by name with their types."""

    name: str
    id_field: str
    event_time: str
    types: Mapping[str, FeatureType]
    status: str = "Created"
    reason: str = ""
    uri: str = ""

    @classmethod
    def of(cls, clients: Clients, name: str) -> "FeatureGroup | None":
        """Return the group as Feature Store describes it, None where there is none."""
        pages = _described(clients, name)
        try:
            told = next(pages)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceNotFound":
                raise
            return None
        types = {
            feature["FeatureName"]: feature["FeatureType"]
            for page in (told, *pages)
            for feature in page["FeatureDefinitions"]
        }
        storage = told.get("OfflineStoreConfig", {}).get("S3StorageConfig", {})
        return cls(
            name,
            told["RecordIdentifierFeatureName"],
            told["EventTimeFeatureName"],
            types,
            told.get("FeatureGroupStatus", "Created"),
            told.get("FailureReason") or "",
            storage.get("S3Uri", ""),
        )

    def request(self, place: StorePlace, table: str) -> dict[str, Any]:
        """Return the parameters of CreateFeatureGroup; Glue's table is called as `table` is."""
        key = {"KmsKeyId": place.kms_key_arn} if place.kms_key_arn else {}
        online = {"SecurityConfig": key} if key else {}
        return {
            "FeatureGroupName": self.name,
            "RecordIdentifierFeatureName": self.id_field,
            "EventTimeFeatureName": self.event_time,
            "FeatureDefinitions": [
                {"FeatureName": name, "FeatureType": kind} for name, kind in self.types.items()
            ],
            "OnlineStoreConfig": {"EnableOnlineStore": True, **online},
            "OfflineStoreConfig": {
                "S3StorageConfig": {"S3Uri": place.uri, **key},
                "DisableGlueTableCreation": False,
                "DataCatalogConfig": {
                    "TableName": table.lower().replace("-", "_"),
                    "Catalog": "AwsDataCatalog",
                    "Database": place.database,
                },
                "TableFormat": "Glue",
            },
            "RoleArn": place.role_arn,
        }


def group_name(stack: str, table: str) -> str:
    """Return the name of a table's group.

    Raises UserError for a table whose name no group can have.
    """
    name = f"{prefix(stack)}{table}"
    if not _NAME.fullmatch(table) or len(name) > _NAME_LENGTH:
        raise UserError(
            f"{quote(table)} cannot be the name of a feature group's table",
            hint="Use letters, digits, and _ and - between them; with the stack's name before it "
            f"it may have {_NAME_LENGTH} characters. Name the table by TABLE=SOURCE",
        )
    return name


def check_features(types: Mapping[str, FeatureType], table: str) -> None:
    """Raise UserError for columns that cannot be features."""
    wrong = [name for name in types if not _NAME.fullmatch(name) or len(name) > _NAME_LENGTH]
    if wrong:
        raise UserError(
            f"these columns cannot be features: {quote_all(wrong)}",
            where=f"table {table}",
            hint="Use letters and digits, with _ and - between them, 64 characters at most",
        )
    if taken := sorted(RESERVED & {name.lower() for name in types}):
        raise UserError(
            f"Feature Store adds these columns itself: {quote_all(taken)}",
            where=f"table {table}",
            hint="Leave them out, or give them other names",
        )
    if alike := _alike(types):
        raise UserError(
            f"Athena takes these columns for one: {quote_all(alike)}",
            where=f"table {table}",
            hint=f"Give them other names; if {quote(alike[0])} has the event times, say so by "
            "--event-time",
        )
    if len(types) > _MOST_FEATURES:
        raise UserError(
            f"the table has {len(types)} columns, and a feature group {_MOST_FEATURES} at most",
            where=f"table {table}",
            hint="Write it as two tables",
        )


def _alike(names: Iterable[str]) -> list[str]:
    """Return the first names that differ in case alone, none where there are none.

    >>> _alike(["age", "Event_Time", "event_time"]), _alike(["age"])
    (['Event_Time', 'event_time'], [])
    """
    known: dict[str, list[str]] = {}
    for name in names:
        known.setdefault(name.lower(), []).append(name)
    return next((found for found in known.values() if len(found) > 1), [])


def wait_until_created(
    clients: Clients,
    name: str,
    pause: Callable[[float], None] = time.sleep,
    seconds: float = _WAIT_SECONDS,
) -> FeatureGroup:
    """Return the group when it can be written to. Raises PlatformError where it never can."""
    for _ in range(max(1, int(seconds / _POLL_SECONDS))):
        group = FeatureGroup.of(clients, name)
        if group and group.status == "Created":
            return group
        if group is None or group.status != "Creating":
            status = group.status if group else "deleted"
            reason = f": {group.reason.rstrip('.')}" if group and group.reason else ""
            raise PlatformError(
                f"the feature group is {status}{reason}",
                where=name,
                hint=(
                    "Delete it with 'aws sagemaker delete-feature-group --feature-group-name "
                    f"{name}', correct the cause, and ingest the table again"
                ),
            )
        pause(_POLL_SECONDS)
    raise PlatformError(
        f"the feature group is still being made after {seconds:.0f} s",
        where=name,
        hint="Ingest the table again in a few minutes",
    )


def groups_of(clients: Clients, place: StorePlace) -> Iterator[FeatureGroup]:
    """Yield the groups of a stack: those called so whose offline store is in its bucket."""
    pages = clients["sagemaker"].get_paginator("list_feature_groups")
    for page in pages.paginate(NameContains=prefix(place.stack)):
        for entry in page["FeatureGroupSummaries"]:
            name = entry["FeatureGroupName"]
            group = FeatureGroup.of(clients, name) if name.startswith(prefix(place.stack)) else None
            if group and group.uri.startswith(place.uri):
                yield group


def _described(clients: Clients, name: str) -> Iterator[Mapping[str, Any]]:
    """Yield the pages of a group's description: its features may fill several."""
    following: dict[str, str] = {}
    while True:
        told = clients["sagemaker"].describe_feature_group(FeatureGroupName=name, **following)
        yield told
        if not told.get("NextToken"):
            return
        following = {"NextToken": told["NextToken"]}
