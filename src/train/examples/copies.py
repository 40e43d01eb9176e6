"""Copies among the rows of a channel: found before anything is held out, and said."""

from dataclasses import replace

from sagetree.bundle.copies import TOLD_COPIES, distinct_count, find_copies
from sagetree.bundle.training_rows import Hashes
from sagetree.machine.program import LOG
from sagetree.train.examples.examples import Examples


def with_copies(examples: Examples, hashes: Hashes) -> Examples:
    """Return rows that know which of them are copies; `hashes` (n) are of their features."""
    copies = find_copies(hashes, examples.labels, lambda rows: examples.take(rows).matrix)
    return replace(examples, copies=copies)


def tell_copies(examples: Examples, channel: str) -> None:
    """Warn of copies, if there are more than some."""
    if examples.copies is None:
        return
    distinct = distinct_count(examples.copies)
    copies = examples.rows - distinct
    if copies < TOLD_COPIES * examples.rows:
        return
    by_role = examples.roles.groups is not None or examples.roles.times is not None
    LOG.warning(
        "Warning: channel %s: %d of %d rows are copies of other rows (%d are distinct). %sopies "
        "count once in intervals and standard deviations. Upsampled rows say nothing new: weights "
        "(weight_column, scale_pos_weight) do the same",
        channel,
        copies,
        examples.rows,
        distinct,
        "C" if by_role else "Copies are held out together. C",
    )
