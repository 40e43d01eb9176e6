"""Which of very many values are sent to other hosts: the same ones wherever they stand.

A value is sent if its hash is not above a bound. So what hosts tell of the same values
meets, however the rows are dealt, and as hashes are spread evenly, it is a sample.
"""

import zlib
from collections.abc import Sequence

import numpy as np

from sagetree.bundle.training_rows import EVERY_HASH, Hashes, spread_evenly
from sagetree.tables.encoding import Floats

# A host tells this many values of a column, if there are few columns and hosts.
MOST_VALUES = 2**16
LEAST_VALUES = 2**8

# All hosts together tell this many of all columns, unless that were too few of each.
_OF_ALL = 2**22


def most_values(columns: int, hosts: int) -> int:
    """Return how many values of each column a host tells at most."""
    return max(LEAST_VALUES, min(MOST_VALUES, _OF_ALL // max(1, columns * hosts)))


def hashes_of_numbers(values: Floats) -> Hashes:
    """Return the hash of each number (n)."""
    return spread_evenly((values + 0.0).view(np.uint64))  # -0.0 becomes 0.0


def hashes_of_texts(texts: Sequence[str | None]) -> Hashes:
    """Return the hash of each text (n), 0 of None."""
    found = (0 if text is None else zlib.crc32(text.encode()) + 1 for text in texts)
    return spread_evenly(np.fromiter(found, np.uint64, len(texts)))


def bound_of(hashes: Hashes, most: int) -> int:
    """Return the bound up to which there are `most` hashes (n) that differ, or all of them."""
    distinct = np.unique(hashes)
    return EVERY_HASH if len(distinct) <= most else int(distinct[most - 1])


def scaled(total: int, together: int, of_hosts: Sequence[int]) -> int:
    """Return what hosts have together that have found `total`, some of it more than once.

    Of a sample they have `together` what they have found `of_hosts` times.
    """
    return round(total * together / sum(of_hosts)) if sum(of_hosts) else total
