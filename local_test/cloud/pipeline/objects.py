"""Objects of S3 to folders, and folders to objects, as SageMaker does it for its jobs."""

import json
import tarfile
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit


class NoObjects(Exception):  # noqa: N818 - it says what there is
    """There is nothing below an S3 address that a job is to read."""


def place(uri: str) -> tuple[str, str]:
    """Return the bucket and the key of an S3 address."""
    parts = urlsplit(uri)
    return parts.netloc, parts.path.lstrip("/")


def fetch(s3: Any, uri: str, folder: Path) -> None:
    """Fetch all objects whose keys begin as the address says. Raises NoObjects."""
    bucket, prefix = place(uri)
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    keys = [found["Key"] for page in pages for found in page.get("Contents", [])]
    if not keys:
        raise NoObjects(f"there are no objects below {uri}")
    for key in keys:
        # an address that names one object gives a file of the object's own name
        rest = key[len(prefix) :].strip("/") or key.rsplit("/", 1)[-1]
        target = folder / rest
        target.parent.mkdir(parents=True, exist_ok=True)
        s3.download_file(bucket, key, str(target))


def fetch_listed(s3: Any, uri: str, folder: Path) -> None:
    """Fetch the objects that a manifest lists, each to its place below the prefix."""
    bucket, key = place(uri)
    first, *others = json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
    bucket, prefix = place(first["prefix"])
    for name in others:
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        s3.download_file(bucket, f"{prefix}{name}", str(target))


def store(s3: Any, folder: Path, uri: str) -> None:
    """Store all files of a folder below an address."""
    bucket, prefix = place(uri)
    for file in sorted(folder.rglob("*")):
        if file.is_file():
            key = f"{prefix.rstrip('/')}/{file.relative_to(folder).as_posix()}"
            s3.upload_file(str(file), bucket, key)


def packed(folder: Path, file: Path) -> Path:
    """Return `file`, the folder's contents as model.tar.gz has them."""
    with tarfile.open(file, "w:gz") as archive:
        archive.add(folder, ".")
    return file


def unpacked(file: Path, folder: Path) -> Path:
    """Return `folder`, with what an archive holds."""
    with tarfile.open(file) as archive:
        archive.extractall(folder, filter="data")
    return folder
