"""The content of the stack's bucket: every version of every object, and what marks deletions."""

import time
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from botocore.exceptions import ClientError

Identifier = dict[str, str]


class Emptied(NamedTuple):
    """How many versions are gone, and what could not be removed."""

    removed: int
    left: tuple[str, ...]


def empty(s3: Any, bucket: str, until: float) -> Emptied:  # noqa: ANN401 - a client
    """Remove all versions in a bucket, a page at a time, until that time at most."""
    removed, left = 0, []
    try:
        for page in _pages(s3, bucket):
            if time.time() >= until:
                left.append(f"more objects in {bucket}: the time was over")
                break
            faults = _remove(s3, bucket, page)
            removed += len(page) - len(faults)
            left += faults
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchBucket":
            left.append(f"objects in {bucket}: {error}")
    return Emptied(removed, tuple(left))


def _pages(s3: Any, bucket: str) -> Iterator[Sequence[Identifier]]:  # noqa: ANN401
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        listed = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
        if listed:
            yield [{"Key": entry["Key"], "VersionId": entry["VersionId"]} for entry in listed]


def _remove(s3: Any, bucket: str, page: Sequence[Identifier]) -> list[str]:  # noqa: ANN401
    answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": list(page), "Quiet": True})
    return [
        f"s3://{bucket}/{fault.get('Key')}: {fault.get('Code')} {fault.get('Message')}"
        for fault in answer.get("Errors", ())
    ]
