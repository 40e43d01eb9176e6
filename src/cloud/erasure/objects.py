"""The objects of the stack's bucket that name a policy, in all their versions."""

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from sagetree.cloud.account.calls import Account, Answer
from sagetree.cloud.account.refusals import refusals
from sagetree.cloud.erasure.identifier import Identifier
from sagetree.cloud.erasure.places import reader_of, scores_of
from sagetree.cloud.erasure.rows import Filtered, without_rows
from sagetree.errors import PlatformError, UserError

# What S3 takes in one call: the one that looks whether the object is still what was read.
MOST_BYTES = 5 * 2**30

# The id of a version of a bucket without versions.
_UNVERSIONED = "null"

# What else of an object stays.
_DESCRIBED = ("ContentType", "ContentEncoding", "Metadata")


class ObjectVersion(NamedTuple):
    """A version of an object, or a mark of its deletion, which has no size."""

    key: str
    id: str
    etag: str
    size: int
    is_latest: bool


class Holding(NamedTuple):
    """A version that names the policy, and the rows that do; without rows all of it is its."""

    version: ObjectVersion
    rows: Filtered = Filtered()


class _Copy(NamedTuple):
    """A version as a file here, and where the file belongs that is to take its place."""

    path: Path
    target: Path
    described: Mapping[str, Any]


class Bucket:
    """The stack's bucket, as one policy's data are searched for and removed."""

    def __init__(self, account: Account, name: str, policy: Identifier) -> None:
        self._account = account
        self._name = name
        self._policy = policy

    def uri(self, key: str) -> str:
        """Return an object's address."""
        return f"s3://{self._name}/{key}"

    def versions(self, prefix: str) -> Iterator[ObjectVersion]:
        """Yield all versions below a prefix, of one key the newest first."""
        with refusals("s3", "ListObjectVersions"):
            pages = self._account.client("s3").get_paginator("list_object_versions")
            for page in pages.paginate(Bucket=self._name, Prefix=prefix):
                entries = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
                for told in sorted(entries, key=lambda e: (e["Key"], not e["IsLatest"])):
                    yield ObjectVersion(
                        told["Key"],
                        told["VersionId"],
                        told.get("ETag", ""),
                        told.get("Size", 0),
                        told["IsLatest"],
                    )

    def look(self, version: ObjectVersion) -> Holding | None:
        """Return the policy's rows in a version, None where there are none.

        Raises DataError for one that cannot be looked into.
        """
        read = reader_of(version.key)
        if read is None or not version.size:
            return None
        with self._copied(version) as copy:
            rows = read(copy.path, self._policy, None)
        return Holding(version, rows) if rows.found else None

    def erase(self, found: Holding) -> None:
        """Remove the policy from a version: what stays is written before the version goes.

        Raises SagetreeError, and leaves the version, where that cannot be done.
        """
        version, (rows, gone) = found.version, found.rows
        if version.is_latest and rows and rows == len(gone):
            # a mark, so that no older version comes to light
            named = {"Bucket": self._name, "Key": version.key, "IfMatch": version.etag}
            self._replaced(version, self._account.call("s3", "delete_object", **named))
        elif version.is_latest and rows:
            self._rewrite(found)
        else:
            self._delete(version)

    def _rewrite(self, found: Holding) -> None:
        read = reader_of(found.version.key)
        self._erase_scores(found)
        with self._copied(found.version) as copy:
            if read is None or read(copy.path, self._policy, copy.target) != found.rows:
                where = self.uri(found.version.key)
                raise PlatformError("it was read twice, and differs", where=where, hint="Try again")
            self._put(found.version, copy)

    def _erase_scores(self, found: Holding) -> None:
        """Take the rows' lines out of their file's scores: the two belong together by position."""
        key = scores_of(found.version.key)
        versions = () if key is None else self.versions(key)
        for version in versions:
            if version.key == key and version.is_latest and version.size:
                with self._copied(version) as copy:
                    if not without_rows(copy.path, found.rows, copy.target):
                        return  # they are out already
                    self._put(version, copy)
                return

    def _replaced(self, version: ObjectVersion, answer: Answer) -> None:
        """Delete a version that another has taken the place of.

        In a bucket whose versioning was switched off the other has its id, and it is gone.
        """
        if answer.get("VersionId", _UNVERSIONED) != version.id:
            self._delete(version)

    def _delete(self, version: ObjectVersion) -> None:
        named = {"Bucket": self._name, "Key": version.key, "VersionId": version.id}
        self._account.call("s3", "delete_object", **named)

    @contextmanager
    def _copied(self, version: ObjectVersion) -> Iterator[_Copy]:
        client = self._account.client("s3")
        with tempfile.TemporaryDirectory(prefix="sagetree-erase-") as folder:
            path = Path(folder, "old")
            with refusals("s3", "GetObject"), path.open("wb") as file:
                told = client.get_object(Bucket=self._name, Key=version.key, VersionId=version.id)
                shutil.copyfileobj(told["Body"], file, 1 << 20)
            described = {name: told[name] for name in _DESCRIBED if told.get(name)}
            yield _Copy(path, Path(folder, "new"), described)

    def _put(self, version: ObjectVersion, copy: _Copy) -> None:
        """Write a file in place of a version, if nobody else has done so meanwhile."""
        size = copy.target.stat().st_size
        if size > MOST_BYTES:
            raise UserError(
                f"it has {size} bytes, and S3 takes at most {MOST_BYTES} in one call",
                where=self.uri(version.key),
                hint="Upload it in several files, and delete it",
            )
        words = ("--bucket", self._name, "--key", version.key, "--if-match", version.etag)
        self._account.type_out("s3api", "put-object", *words, "--body", copy.target.name)
        with copy.target.open("rb") as file:
            answer = self._account.ask(
                "s3", "put_object", Bucket=self._name, Key=version.key, Body=file,
                IfMatch=version.etag, **copy.described,
            )  # fmt: skip
        self._replaced(version, answer)
