"""A policy's records in the online stores of the stack's feature groups."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from sagetree.cloud.account.calls import Account
from sagetree.cloud.account.refusals import AbsentError
from sagetree.cloud.names import prefix

_RUNTIME = "sagemaker-featurestore-runtime"


def groups_with(account: Account, bucket: str, key: str) -> Iterator[str]:
    """Yield the stack's groups whose online store has a record of the policy.

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
        if name.startswith(begin) and is_ours and is_online and _has(account, name, key):
            yield name


def _has(account: Account, group: str, key: str) -> bool:
    try:
        told = account.ask(
            _RUNTIME, "get_record", FeatureGroupName=group, RecordIdentifierValueAsString=key
        )
    except AbsentError:
        return False
    return bool(told.get("Record"))


def remove_record(account: Account, group: str, key: str, now: datetime | None = None) -> None:
    """Delete a record for good; the offline store is the bucket's, and gets no mark of it."""
    moment = now or datetime.now(UTC)
    account.call(
        _RUNTIME,
        "delete_record",
        FeatureGroupName=group,
        RecordIdentifierValueAsString=key,
        EventTime=f"{moment:%Y-%m-%dT%H:%M:%S}Z",
        TargetStores=["OnlineStore"],
        DeletionMode="HardDelete",
    )
