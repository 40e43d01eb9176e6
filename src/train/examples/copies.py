"""Copies among the rows of a channel: found before anything is held out, and said."""

from dataclasses import replace

import numpy as np

from sagetree.bundle.copies import (
    BEYOND_CHANCE,
    SAMPLE_ROWS,
    TOLD_COPIES,
    distinct_count,
    do_agree,
    find_copies,
    pairs_in,
    share_by_chance,
)
from sagetree.bundle.training_rows import EVERY_HASH, Hashes
from sagetree.machine.program import LOG
from sagetree.train.examples.examples import Examples
from sagetree.train.hosts.group import ONE, Group

# Hosts exchange the hashes of this many rows: 16 MB.
MOST_ROWS = 2**21


def with_copies(examples: Examples, hashes: Hashes) -> Examples:
    """Return rows that know which of them are copies; `hashes` (n) are of their features."""
    copies = find_copies(hashes, examples.labels, lambda rows: examples.take(rows).matrix)
    return replace(examples, copies=copies)


def with_copies_on(group: Group, examples: Examples, hashes: Hashes) -> Examples:
    """Return this host's rows, which know which are copies of each other or of other hosts'.

    Their number is then the hash of the features, the same wherever they are.
    """
    if group.size == 1:
        return with_copies(examples, hashes)
    return (
        replace(examples, copies=hashes.view(np.int64))
        if _are_copies(group, examples, hashes)
        else examples
    )


def _are_copies(group: Group, examples: Examples, hashes: Hashes) -> bool:
    """Say whether equal rows of all hosts are copies, as `find_copies` does of one host's.

    Equal rows have one hash: those up to a bound are all there are of some distinct ones.
    """
    rows = int(group.total(np.array([len(hashes)]))[0])
    bound = _bound(rows)
    kept = hashes <= np.uint64(bound)
    some = group.gather_rows(hashes[kept])
    labels = group.gather_rows(examples.labels[kept])
    step = -(-rows // SAMPLE_ROWS)
    spread = np.arange(0, len(hashes), step)
    of_spread = group.gather_rows(hashes[spread])
    features = group.gather_rows(examples.take(spread).matrix)
    _, numbers, counts = np.unique(some, return_inverse=True, return_counts=True)
    if not (counts > 1).any():
        return False
    share = pairs_in(counts) * (EVERY_HASH / bound) / pairs_in(np.array([rows]))
    _, places = np.unique(of_spread, return_inverse=True)
    if share <= BEYOND_CHANCE * share_by_chance(places, lambda chosen: features[chosen]):
        return False
    return do_agree(numbers, counts, labels)


def _bound(rows: int) -> int:
    """Return the hash up to which about MOST_ROWS of this many rows have theirs."""
    return EVERY_HASH if rows <= MOST_ROWS else int(EVERY_HASH * (MOST_ROWS / rows))


def tell_copies(examples: Examples, channel: str, group: Group = ONE) -> None:
    """Warn of copies, if they are enough to matter; several hosts count about."""
    if examples.copies is None:
        return
    rows = int(group.total(np.array([examples.rows]))[0])
    distinct = distinct_count(examples.copies)
    if group.size > 1:
        hashes = examples.copies.view(np.uint64)
        kept = np.unique(hashes[hashes <= np.uint64(_bound(rows))])
        distinct = round(len(np.unique(group.gather_rows(kept))) * EVERY_HASH / _bound(rows))
    copies = rows - distinct
    if copies < TOLD_COPIES * rows or not group.is_leader:
        return
    by_role = examples.roles.groups is not None or examples.roles.times is not None
    LOG.warning(
        "Warning: channel %s: %d of %d rows are copies of other rows (%d are distinct). %sopies "
        "count once in intervals and standard deviations. Upsampled rows add no information: "
        "weights (weight_column, scale_pos_weight) do the same",
        channel,
        copies,
        rows,
        distinct,
        "C" if by_role else "Copies are held out together. C",
    )
