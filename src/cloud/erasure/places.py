"""Where in the bucket something may name a policy, and how an object there is read."""

import re
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import TypeAlias

from sagetree.cloud.erasure.identifier import Identifier
from sagetree.cloud.erasure.rows import (
    Filtered,
    filtered_captures,
    filtered_lines,
    filtered_table,
)
from sagetree.cloud.scoring.capture import CAPTURED

Reader: TypeAlias = Callable[[Path, Identifier, Path | None], Filtered]

# The tables, Feature Store's offline stores, what the pipeline has prepared of both, scored claims,
# and files that were scored. Outcomes have a key of their own; what an asynchronous endpoint is
# sent and answers names no policy.
FOLDERS = ("tables", "store", "runs", CAPTURED, "batch")

# What a number is to a part of a file that was sent in parts.
_PART = re.compile(r"\.\d{5}$")
_SENT = re.compile(r"(batch/[^/]+)/input/(.+)")
_ICEBERG = re.compile(r"(.+/)metadata/[^/]*\.metadata\.json(\.gz)?")


def reader_of(key: str) -> Reader | None:
    """Return what looks into an object, None where none of its kind names a policy.

    >>> reader_of("batch/fraud-batch-1/output/claims.csv.out") is None
    True
    """
    folder, _, name = key.partition("/")
    suffix = PurePosixPath(_PART.sub("", name)).suffix.lower()
    if folder == CAPTURED:
        return filtered_captures
    if suffix == ".jsonl":
        return filtered_lines
    if suffix in (".csv", ".parquet") or (folder == "tables" and suffix != ".json"):
        return filtered_table
    return None


def scores_of(key: str) -> str | None:
    """Return where the scores of a file are that `sagetree cloud batch` has sent.

    >>> scores_of("batch/fraud-batch-1/input/a/claims.csv.00001")
    'batch/fraud-batch-1/output/a/claims.csv.00001.out'
    """
    found = _SENT.fullmatch(key)
    return f"{found[1]}/output/{found[2]}.out" if found else None


def iceberg_table(key: str) -> str | None:
    """Return the folder of the Iceberg table whose metadata an object holds.

    Its manifests tell the sizes of its files, so none may be written anew behind their backs.
    """
    found = _ICEBERG.fullmatch(key)
    return found[1] if found else None
