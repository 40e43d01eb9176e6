"""What has been captured lately, as a list of objects for a job to read."""

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, NamedTuple

from sagetree.cloud.clients import Clients
from sagetree.cloud.scoring.capture import CAPTURED
from sagetree.cloud.scoring.outcomes import OUTCOMES

# What one job fetches in some minutes, and what the function lists in one.
MOST_OBJECTS = 100_000

# A sample is listed hour by hour. Of a long window every seventh hour is enough: seven and 24 have
# no divisor in common, so that each hour of the day is among them.
_MOST_HOURS = 1500
_STEP = 7

# As many calls of S3 as AWS's SDK has connections.
_AT_ONCE = 10

# The keys that S3 lists in a call.
_PAGE = 1000


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

    def hours(self) -> list[str]:
        """Return where the captures of each hour are that a sample is taken from."""
        begin = self.start.replace(minute=0, second=0, microsecond=0)
        number = int((self.end - begin) / timedelta(hours=1)) + 1
        step = 1 if number <= _MOST_HOURS else _STEP
        hours = (begin + timedelta(hours=hour) for hour in range(0, number, step))
        return [f"{CAPTURED}/{hour:%Y/%m/%d/%H}/" for hour in hours]


class Captures(NamedTuple):
    """The objects that a job reads; `sampled` where there are more than it can."""

    keys: Sequence[str]
    sampled: bool = False


def captured(
    clients: Clients, bucket: str, window: CaptureWindow, most: int = MOST_OBJECTS
) -> Captures:
    """Return the keys of all captures of the window's days, or of up to `most` of them.

    Where there are more, as many of each hour are taken: those of its first minutes.
    """
    days = (key for folder in window.folders() for key in _keys(clients, bucket, folder))
    keys = list(islice(days, most + 1))
    if len(keys) <= most:
        return Captures(keys)
    hours = window.hours()
    share = max(1, most // len(hours))

    def first(hour: str) -> list[str]:
        return list(islice(_keys(clients, bucket, hour, MaxKeys=min(share, _PAGE)), share))

    with ThreadPoolExecutor(_AT_ONCE) as threads:
        return Captures([key for some in threads.map(first, hours) for key in some], sampled=True)


def has_outcomes(clients: Clients, bucket: str) -> bool:
    """Return whether it is known what became of any claim."""
    found = clients["s3"].list_objects_v2(Bucket=bucket, Prefix=f"{OUTCOMES}/", MaxKeys=1)
    return "Contents" in found


def manifest(bucket: str, keys: Sequence[str]) -> bytes:
    """Return the list of objects in the form of SageMaker's ManifestFile."""
    below = [key.removeprefix(f"{CAPTURED}/") for key in keys]
    return json.dumps([{"prefix": f"s3://{bucket}/{CAPTURED}/"}, *below]).encode()


def _keys(clients: Clients, bucket: str, folder: str, **limit: int) -> Iterator[str]:
    more: dict[str, Any] = {}
    while True:
        page = clients["s3"].list_objects_v2(Bucket=bucket, Prefix=folder, **limit, **more)
        yield from (entry["Key"] for entry in page.get("Contents", []))
        if not page.get("IsTruncated"):
            return
        more = {"ContinuationToken": page["NextContinuationToken"]}
