"""Rows of all hosts on every one of them: those that are chosen on, and some of those learnt from.

A host learns from rows of its own. What held-out rows say decides when rounds stop, and
many of XGBoost's metrics (AUC) and all of ours are of one host's rows: so every host has all
of these, and all find the same.
"""

import numpy as np

from sagetree.bundle.training_rows import Hashes, spread_evenly
from sagetree.machine.program import LOG
from sagetree.tables.encoding import Floats
from sagetree.tables.roles import RowRoles
from sagetree.train.examples.examples import Examples
from sagetree.train.examples.leakage import hashes_of
from sagetree.train.hosts.group import Group

# This many rows every host can hold beside its own: 112 MB of 28 features.
MOST_GATHERED = 1_000_000

# A choice of rows by their hash that is like no other one.
_OF_THE_MOST = 2**32


def gathered(group: Group, rows: Examples, what: str = "", most: int = MOST_GATHERED) -> Examples:
    """Return the rows of all hosts, in order of rank; of more than `most` about as many.

    These are chosen by a hash of the row, or of its group, so the choice is the same however
    the rows are dealt. The log says so where the rows have a name, `what`. They know of no
    copies.
    """
    if group.size == 1:
        return rows
    count = total_rows(group, rows)
    if count > most:
        kept = np.flatnonzero(unit_hashes(rows, _OF_THE_MOST) < most / count)
        rows = rows.take(kept)
        if what:
            LOG.info("About %d of the %d rows of %s are taken, by their hashes", most, count, what)
    roles = vars(rows.roles)
    values = {n: group.gather_rows(v) for n, v in roles.items() if v is not None}
    return Examples(
        group.gather_rows(rows.matrix), group.gather_rows(rows.labels), RowRoles(**values)
    )


def total_rows(group: Group, rows: Examples) -> int:
    """Return how many rows all hosts have."""
    return int(group.total(np.array([rows.rows]))[0])


def unit_hashes(rows: Examples, choice: int) -> Floats:
    """Return a number from 0 to 1 of each row (n), another one for each `choice` there is.

    Copies of a row, and rows of a group, have the same, on whichever host they are. Other rows
    that are equal have not: a table of few and coarse columns is made of such rows.
    """
    units = rows.copies if rows.roles.groups is None else rows.roles.groups
    hashes = _row_hashes(rows) if units is None else units.astype(np.uint64)
    found: Floats = spread_evenly(hashes ^ np.uint64(choice)).astype(np.float64) / 2.0**64
    return found


def _row_hashes(rows: Examples) -> Hashes:
    """Return the hash of each row, another one of each that repeats one before it."""
    hashes = hashes_of(rows).rows
    order = np.argsort(hashes, kind="stable")
    ordered = hashes[order]
    places = np.arange(len(hashes))
    is_first = np.diff(ordered, prepend=~ordered[:1]) != 0
    repeats = np.empty(len(hashes), np.uint64)
    repeats[order] = places - np.maximum.accumulate(np.where(is_first, places, 0))
    return np.where(repeats > 0, spread_evenly(hashes + repeats), hashes)
