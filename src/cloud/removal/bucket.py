"""The content of the stack's bucket: every version of every object, and what marks deletions."""

import time
from collections.abc import Sequence
from typing import Any, NamedTuple

from botocore.exceptions import ClientError

Identifier = dict[str, str]


class Emptied(NamedTuple):
    """How many versions are gone, and why others are not."""

    removed: int
    left: tuple[str, ...] = ()


def empty(s3: Any, bucket: str, until: float, prefix: str = "") -> Emptied:  # noqa: ANN401
    """Remove all versions below a prefix, up to a thousand at a time, until that time at most."""
    removed = 0
    try:
        # Always the first page: the one after a version that is gone is not defined.
        while page := _first_page(s3, bucket, prefix):
            if time.time() >= until:
                return Emptied(removed, (f"more objects in {bucket}: the time was over",))
            faults = _remove(s3, bucket, page)
            removed += len(page) - len(faults)
            if len(faults) == len(page):
                return Emptied(removed, tuple(faults))
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchBucket":
            return Emptied(removed, (f"objects in {bucket}: {error}",))
    return Emptied(removed)


def remove_bucket(s3: Any, bucket: str) -> int:  # noqa: ANN401
    """Delete an empty bucket; return how many there were."""
    try:
        s3.delete_bucket(Bucket=bucket)
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchBucket":
            raise
        return 0
    return 1


def _first_page(s3: Any, bucket: str, prefix: str) -> Sequence[Identifier]:  # noqa: ANN401
    page = s3.list_object_versions(Bucket=bucket, **({"Prefix": prefix} if prefix else {}))
    listed = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
    return [{"Key": entry["Key"], "VersionId": entry["VersionId"]} for entry in listed]


def _remove(s3: Any, bucket: str, page: Sequence[Identifier]) -> list[str]:  # noqa: ANN401
    answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": list(page), "Quiet": True})
    return [
        f"s3://{bucket}/{fault.get('Key')}: {fault.get('Code')} {fault.get('Message')}"
        for fault in answer.get("Errors", ())
    ]
