"""Which rows all hosts learn from, and what says that a later job learns from the same ones."""

import hashlib

import numpy as np

from sagetree.bundle.bundle import DataFingerprint
from sagetree.bundle.training_rows import (
    EVERY_HASH,
    MOST_HASHES,
    Hashes,
    TrainingRows,
    row_hashes,
    spread_evenly,
)
from sagetree.train.examples.examples import Examples
from sagetree.train.examples.leakage import hashes_of
from sagetree.train.hosts.group import Group


def training_rows(group: Group, hashes: Hashes) -> TrainingRows:
    """Return the rows of all hosts; `hashes` (n) are of this one's."""
    if group.size == 1:
        return TrainingRows.of(hashes)
    ordered = np.sort(hashes)
    is_cut = len(ordered) > MOST_HASHES
    bounds = group.gather([len(ordered), int(ordered[MOST_HASHES]) if is_cut else EVERY_HASH])
    rows, bound = sum(count for count, _ in bounds), min(bound for _, bound in bounds)
    kept = group.gather_rows(ordered[ordered <= np.uint64(bound)])
    found = TrainingRows.of(kept)
    return TrainingRows(
        rows,
        round(found.repeated * rows / len(kept)),
        min(bound, found.bound),
        found.packed,
    )


def fingerprint_of(group: Group, examples: Examples) -> DataFingerprint:
    """Return the size and sha256 of the rows of a channel.

    Those of several hosts are the same however the rows are dealt, and in any order.
    """
    if group.size == 1:
        return _of_one(examples)
    hashes = hashes_of(examples).rows
    for values in vars(examples.roles).values():
        if values is not None:
            width = (
                values.itemsize * int(np.prod(values.shape[1:])) // 4
            )  # its bits, four bytes each
            parts = np.ascontiguousarray(values).view(np.float32).reshape(len(hashes), width)
            of_role = row_hashes(parts, np.zeros(len(hashes), np.float32)).rows
            hashes = spread_evenly(hashes + of_role)
    own = [len(hashes), *(int(part.sum()) for part in (hashes, spread_evenly(hashes)))]
    sums = [sum(parts) % 2**64 for parts in zip(*group.gather(own), strict=True)]
    return DataFingerprint(rows=sums[0], sha256=hashlib.sha256(str(sums).encode()).hexdigest())


def _of_one(examples: Examples) -> DataFingerprint:
    digest = hashlib.sha256()
    for _, features in examples.blocks():
        digest.update(features.tobytes())
    for values in (examples.labels, *vars(examples.roles).values()):
        if values is not None:
            digest.update(values.tobytes())
    return DataFingerprint(rows=examples.rows, sha256=digest.hexdigest())
