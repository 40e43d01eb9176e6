"""All objects that name a policy: each version is fetched and looked into, ten at a time."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice

from sagetree.cloud.erasure.identifier import Identifier
from sagetree.cloud.erasure.objects import Bucket, Holding, ObjectVersion
from sagetree.cloud.erasure.places import FOLDERS, iceberg_table
from sagetree.cloud.scoring.outcomes import outcome_key
from sagetree.errors import DataError

# As many calls of S3 as AWS's SDK has connections.
_AT_ONCE = 10

# Versions that are handed out together.
_CHUNK = 500


@dataclass(frozen=True)
class Searched:
    """What was found; `unread` has the addresses of what must be looked into by hand, with why."""

    found: list[Holding] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)


def search(bucket: Bucket, policy: Identifier) -> Searched:
    """Look into all that could name the policy."""
    result = Searched()
    key = outcome_key(policy.key)
    outcomes = [Holding(version) for version in bucket.versions(key) if version.key == key]
    result.found.extend(reversed(outcomes))  # the oldest first, so that none comes to light
    icebergs = {table for v in bucket.versions("store/") if (table := iceberg_table(v.key))}
    versions = (version for folder in FOLDERS for version in bucket.versions(f"{folder}/"))
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        for chunk in _chunks(versions):
            for found in threads.map(lambda version: _look(bucket, version), chunk):
                _note(result, found, icebergs, bucket)
    return result


def _look(bucket: Bucket, version: ObjectVersion) -> Holding | str | None:
    try:
        return bucket.look(version)
    except DataError as error:
        return f"{bucket.uri(version.key)}: {error.message}"


def _note(
    result: Searched, found: Holding | str | None, icebergs: set[str], bucket: Bucket
) -> None:
    if isinstance(found, str):
        result.unread.append(found)
    elif found and any(found.version.key.startswith(table) for table in icebergs):
        result.unread.append(f"{bucket.uri(found.version.key)}: it is of an Iceberg table")
    elif found:
        result.found.append(found)


def _chunks(versions: Iterable[ObjectVersion]) -> Iterator[list[ObjectVersion]]:
    left = iter(versions)
    while chunk := list(islice(left, _CHUNK)):
        yield chunk
