"""Feature Store's runtime, which moto lacks: records in and out, held to their group's types."""

import io
import json
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

import pyarrow as pa
import pyarrow.parquet as pq

from local_test.cloud.account.actors import SERVICE, Actors
from local_test.cloud.account.front import Reply, Request
from local_test.cloud.store.groups import Group, Groups

_VALUES = {"Integral": r"-?\d{1,19}", "Fractional": r"-?\d+(\.\d+)?([eE][-+]?\d+)?", "String": ".*"}
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z")

_TYPES = {"Integral": pa.int64(), "Fractional": pa.float64(), "String": pa.string()}
_READERS = {"Integral": int, "Fractional": float, "String": str}


@dataclass
class Records:
    """What the runtime answers; `flush` writes the files that the service writes in minutes."""

    actors: Actors
    groups: Groups

    def answer(self, path: str, request: Request) -> Reply:
        """Answer a request to the runtime."""
        if path == "BatchGetRecord":
            return self._given(json.loads(request.body))
        group = self.groups.made.get(path.removeprefix("FeatureGroup/"))
        if group is None or group.status != "Created":
            return _refused(404, "ResourceNotFound", f"no {path}")
        asked = parse_qs(request.query)
        if request.method == "GET":
            return _got(group, asked)
        if request.method == "DELETE":
            return _removed(group, asked)
        values = json.loads(request.body)["Record"]
        record = {value["FeatureName"]: value["ValueAsString"] for value in values}
        if fault := _fault(group, record):
            return _refused(400, "ValidationError", f"Validation Error: {fault}")
        _put(group, record)
        return Reply.of_json(200, {})

    def flush(self) -> None:
        """Write all records that have come into files of the offline stores."""
        for group in self.groups.made.values():
            if group.kept:
                self._write(group)
                group.kept.clear()

    def _given(self, asked: Mapping[str, Any]) -> Reply:
        found = []
        for entry in asked["Identifiers"]:
            group = self.groups.made.get(entry["FeatureGroupName"])
            if group is None:
                return _refused(404, "ResourceNotFound", f"no {entry['FeatureGroupName']}")
            found += [
                {
                    "FeatureGroupName": group.name,
                    "RecordIdentifierValueAsString": key,
                    "Record": _values(group.online[key]),
                }
                for key in entry["RecordIdentifiersValueAsString"]
                if key in group.online
            ]
        return Reply.of_json(200, {"Records": found, "Errors": [], "UnprocessedIdentifiers": []})

    def _write(self, group: Group) -> None:
        now = datetime.now(UTC)
        columns: dict[str, Any] = {
            name: pa.array(
                [_READERS[kind](r[name]) if name in r else None for r in group.kept], _TYPES[kind]
            )
            for name, kind in group.types.items()
        }
        moment = pa.array([now] * len(group.kept), pa.timestamp("ms", "UTC"))
        own = {"write_time": moment, "api_invocation_time": moment}
        table = pa.table({**columns, **own, "is_deleted": pa.array([False] * len(group.kept))})
        file = io.BytesIO()
        pq.write_table(table, file)
        bucket, _, folder = group.uri.removeprefix("s3://").partition("/")
        part = f"year={now:%Y}/month={now:%m}/day={now:%d}/hour={now:%H}"
        name = f"{now:%Y%m%dT%H%M%SZ}_{uuid.uuid4().hex[:16]}.parquet"
        self.actors.client(SERVICE, "s3").put_object(
            Bucket=bucket, Key=f"{folder}/{part}/{name}", Body=file.getvalue()
        )


def _fault(group: Group, record: Mapping[str, str]) -> str:
    """Return why the service would not take a record, or nothing."""
    needed = {group.request[f"{name}FeatureName"] for name in ("RecordIdentifier", "EventTime")}
    if lacking := needed - record.keys():
        return f"{sorted(lacking)} is missing"
    for name, text in record.items():
        kind = group.types.get(name)
        if kind is None:
            return f"{name} is not a feature"
        if not re.fullmatch(_VALUES[kind], text, re.DOTALL):
            return f"{name} is not {kind}"
    if not _TIME.fullmatch(record[group.request["EventTimeFeatureName"]]):
        return "the event time is not ISO 8601"
    return ""


def _put(group: Group, record: dict[str, str]) -> None:
    """Keep a record, and put it online if it is later than what is there."""
    key = record[group.request["RecordIdentifierFeatureName"]]
    time = group.request["EventTimeFeatureName"]
    group.kept.append(record)
    if key not in group.online or group.online[key][time] < record[time]:
        group.online[key] = record


def _got(group: Group, asked: Mapping[str, list[str]]) -> Reply:
    """Answer with a record; without one where there is none, as the service does."""
    found = group.online.get(asked["RecordIdentifierValueAsString"][0])
    return Reply.of_json(200, {"Record": _values(found)} if found else {})


def _removed(group: Group, asked: Mapping[str, list[str]]) -> Reply:
    """Remove a record from the online store for good, if that is later than the record."""
    (key,), (moment,) = asked["RecordIdentifierValueAsString"], asked["EventTime"]
    if (asked.get("TargetStores"), asked.get("DeletionMode")) != (["OnlineStore"], ["HardDelete"]):
        return _refused(400, "ValidationError", "the desk deletes online, and for good")
    record = group.online.get(key)
    if record and record[group.request["EventTimeFeatureName"]] >= moment:
        return _refused(400, "ValidationError", "EventTime is not later than the record's")
    group.online.pop(key, None)
    return Reply.of_json(200, {})


def _values(record: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"FeatureName": name, "ValueAsString": text} for name, text in record.items()]


def _refused(status: int, code: str, message: str) -> Reply:
    return Reply.of_json(status, {"Message": message}, x_amzn_errortype=code)
