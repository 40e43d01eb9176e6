"""A table into its feature group, which is made where there is none yet."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from sagetree.cloud.clients import Clients
from sagetree.cloud.store.failures import Failures
from sagetree.cloud.store.groups import (
    FeatureGroup,
    FeatureType,
    StorePlace,
    check_features,
    group_name,
    wait_until_created,
)
from sagetree.cloud.store.tables import SourceTable
from sagetree.cloud.store.writing import RecordWriter, WrittenRows
from sagetree.errors import UserError, quote, quote_all
from sagetree.machine.program import LOG

# The column that has the event time, where a table says nothing else.
EVENT_TIME = "event_time"

RUNTIME = "sagemaker-featurestore-runtime"


def wanted_group(
    table: SourceTable, stack: str, id_field: str, event_time: str = ""
) -> FeatureGroup:
    """Return the group that a table has to have, with its columns' types.

    `event_time` names the column with the event times; "" is the column event_time, or where there
    is none, the time of the ingestion. Raises UserError for a table that can have no group.
    """
    if event_time and event_time not in table.types:
        raise UserError(
            f"column {quote(event_time)} is missing",
            where=f"table {table.name}",
            hint=f"The table has {quote_all(table.types)}",
        )
    column = event_time or EVENT_TIME
    if table.types.get(column, "String") != "String":
        raise UserError(
            "these are numbers, and an event time is a time",
            where=f"table {table.name}, column {quote(column)}",
            hint="Write times as 2026-01-31T13:45:00Z, or name another column by --event-time",
        )
    types: Mapping[str, FeatureType] = {**table.types, column: "String"}
    check_features(types, table.name)
    return FeatureGroup(group_name(stack, table.name), id_field, column, types)


def check_first(table: SourceTable, first: int) -> None:
    """Raise UserError where a table has no row number `first` (from 1) to go on from.

    Any table can be begun at row 1, also one without rows.
    """
    if first > max(table.rows, 1):
        rows = "1 row" if table.rows == 1 else f"{table.rows} rows"
        raise UserError(
            f"row {first}, which is to be the first one written, does not exist: the table has "
            f"{rows}",
            where=f"table {table.name}",
            hint="Go on from a row that it has, or leave the number out to write all rows",
        )


def ready_group(
    clients: Clients,
    place: StorePlace,
    table: SourceTable,
    wanted: FeatureGroup,
    pause: Callable[[float], None] = time.sleep,
) -> FeatureGroup:
    """Return the table's group, made where there is none. Raises UserError for one that differs."""
    if FeatureGroup.of(clients, wanted.name) is None:
        request = wanted.request(place, table.name)
        _check_free(clients, request["OfflineStoreConfig"]["DataCatalogConfig"], wanted.name)
        _make(clients, request)
    group = wait_until_created(clients, wanted.name, pause)
    _check(group, place, wanted)
    if lacking := [name for name in group.types if name not in wanted.types]:
        LOG.warning(
            "%s: the table has no column %s; its records are written without",
            group.name, quote_all(lacking),
        )  # fmt: skip
    return group


def _check_free(clients: Clients, table: Mapping[str, str], group: str) -> None:
    """Raise UserError where Glue has the group's table already: making the group would fail."""
    database, name = table["Database"], table["TableName"]
    try:
        clients["glue"].get_table(DatabaseName=database, Name=name)
    except ClientError as error:
        if error.response["Error"]["Code"] != "EntityNotFoundException":
            raise
        return
    raise UserError(
        f"the table {name} exists already in Glue, of another group or of a deleted one",
        where=group,
        hint="Give the table another name by TABLE=SOURCE, or delete that one by 'aws glue "
        f"delete-table --database-name {database} --name {name}'",
    )


def _make(clients: Clients, request: Mapping[str, Any]) -> None:
    """Make a group, unless another ingestion has made it in this moment."""
    try:
        clients["sagemaker"].create_feature_group(**request)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceInUse":
            raise


def writer(
    clients: Clients, group: FeatureGroup, table: SourceTable, failures: Path
) -> RecordWriter:
    """Return what writes a table's rows to its group, and those that fail to a file."""
    has_time = group.event_time in table.types
    return RecordWriter(
        clients[RUNTIME],
        group,
        table,
        Failures(failures, group.id_field),
        group.event_time if has_time else "",
    )


def as_counts(done: WrittenRows) -> dict[str, int]:
    """Return what became of the rows, by kind."""
    return {"rows": done.rows, "written": done.written, "failed": done.failed, "left": done.left}


def _check(group: FeatureGroup, place: StorePlace, wanted: FeatureGroup) -> None:
    """Raise UserError for a group that a table's rows cannot be written to."""
    if group.uri and not group.uri.startswith(place.uri):
        raise UserError(
            "the feature group is not of this stack",
            where=group.name,
            hint=f"Its offline store is {group.uri}. Give the table another name by TABLE=SOURCE",
        )
    for what, there, here in (
        ("record identifier", group.id_field, wanted.id_field),
        ("event time", group.event_time, wanted.event_time),
    ):
        if there != here:
            raise UserError(
                f"the feature group's {what} is {quote(there)}, and the table's {quote(here)}",
                where=group.name,
                hint="Write the table with the group's columns, or delete the group",
            )
    if added := [name for name in wanted.types if name not in group.types]:
        raise UserError(
            f"the feature group has no {quote_all(added)}, which the table has",
            where=group.name,
            hint="Leave them out, or add them by 'aws sagemaker update-feature-group "
            f"--feature-group-name {group.name} --feature-additions ...'",
        )
    if group.types[group.event_time] != "String":
        raise UserError(
            "the feature group's event times are numbers",
            where=group.name,
            hint="Delete the group, so that it is made again",
        )
