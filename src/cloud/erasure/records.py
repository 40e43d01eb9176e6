"""A policy's records in the online stores of the stack's feature groups."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from sagetree.cloud.account.calls import Account
from sagetree.cloud.account.refusals import AbsentError
from sagetree.cloud.names import prefix

_RUNTIME = "sagemaker-featurestore-runtime"


class OnlineRecord(NamedTuple):
    """A policy's record in a group's online store, and its event time as it is written there."""

    group: str
    event_time: str = ""


def records_of(account: Account, bucket: str, key: str) -> Iterator[OnlineRecord]:
    """Yield the policy's records in the online stores of the stack's groups.

    A group is the stack's if it is called so, and its offline store is in the stack's bucket.
    """
    begin = prefix(account.stack)
    listed = account.listed(
        "sagemaker", "list_feature_groups", "FeatureGroupSummaries", NameContains=begin
    )
    for name in (entry["FeatureGroupName"] for entry in listed):
        group = account.ask("sagemaker", "describe_feature_group", FeatureGroupName=name)
        offline: Any = group.get("OfflineStoreConfig", {}).get("S3StorageConfig", {})
        is_ours = str(offline.get("S3Uri", "")).startswith(f"s3://{bucket}/")
        is_online = group.get("OnlineStoreConfig", {}).get("EnableOnlineStore", False)
        if name.startswith(begin) and is_ours and is_online:
            record = _record(account, name, key)
            if record:
                yield OnlineRecord(name, record.get(group["EventTimeFeatureName"], ""))


def _record(account: Account, group: str, key: str) -> Mapping[str, str]:
    try:
        told = account.ask(
            _RUNTIME, "get_record", FeatureGroupName=group, RecordIdentifierValueAsString=key
        )
    except AbsentError:
        return {}
    return {one["FeatureName"]: one["ValueAsString"] for one in told.get("Record", ())}


def remove_record(account: Account, record: OnlineRecord, key: str) -> None:
    """Delete a record for good; the offline store is the bucket's, and gets no mark of it.

    The service refuses a deletion that is not later than the record: that may be of tomorrow.
    """
    moment = datetime.now(UTC)
    with suppress(ValueError):
        moment = max(moment, datetime.fromisoformat(record.event_time) + timedelta(seconds=1))
    account.call(
        _RUNTIME,
        "delete_record",
        FeatureGroupName=record.group,
        RecordIdentifierValueAsString=key,
        EventTime=f"{moment:%Y-%m-%dT%H:%M:%S}Z",
        TargetStores=["OnlineStore"],
        DeletionMode="HardDelete",
    )
