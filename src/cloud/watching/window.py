"""What has been captured lately, as a list of objects for a job to read."""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sagetree.cloud.clients import Clients
from sagetree.cloud.scoring.capture import CAPTURED
from sagetree.cloud.scoring.outcomes import OUTCOMES


class CaptureWindow(NamedTuple):
    """A time, from `start` up to before `end`."""

    start: datetime
    end: datetime

    @classmethod
    def of_days(cls, days: int, end: datetime) -> "CaptureWindow":
        """Return the last days before `end`, and its second: a capture's time is of whole ones."""
        end = end.replace(microsecond=0) + timedelta(seconds=1)
        return cls(end - timedelta(days=days), end)

    def folders(self) -> Iterator[str]:
        """Yield where the captures of each day are."""
        day = self.start
        while day.date() <= self.end.date():
            yield f"{CAPTURED}/{day:%Y/%m/%d}/"
            day += timedelta(days=1)


def captured(clients: Clients, bucket: str, window: CaptureWindow) -> list[str]:
    """Return the keys of all captures of the window's days."""
    return [key for folder in window.folders() for key in _keys(clients, bucket, folder)]


def has_outcomes(clients: Clients, bucket: str) -> bool:
    """Return whether it is known what became of any claim."""
    found = clients["s3"].list_objects_v2(Bucket=bucket, Prefix=f"{OUTCOMES}/", MaxKeys=1)
    return "Contents" in found


def manifest(bucket: str, keys: Sequence[str]) -> bytes:
    """Return the list of objects in the form of SageMaker's ManifestFile."""
    below = [key.removeprefix(f"{CAPTURED}/") for key in keys]
    return json.dumps([{"prefix": f"s3://{bucket}/{CAPTURED}/"}, *below]).encode()


def _keys(clients: Clients, bucket: str, folder: str) -> Iterator[str]:
    more: dict[str, Any] = {}
    while True:
        page = clients["s3"].list_objects_v2(Bucket=bucket, Prefix=folder, **more)
        yield from (entry["Key"] for entry in page.get("Contents", []))
        if not page.get("IsTruncated"):
            return
        more = {"ContinuationToken": page["NextContinuationToken"]}
